//! Looking up, with everything that can be wrong on the way.

use std::time::Duration;

use crate::authority::{Authority, Leaf, address, now, purpose, tel, utf8_address};
use dht_client::backend::memory::{Fault as Failing, Memory};
use dht_client::{
    Backend, Bundle, ChainError, Contacts, Derived, Entry, Fault, GetError, HashCost, Hasher, Identity, Item, Lookup,
    Pin, Record, RecordError, Seen, Several, SigningKey, Status, Verdict,
};
use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose};

const PATIENCE: Duration = Duration::from_secs(5);
const TTL: Duration = Duration::from_secs(3600);
const SEQ: i64 = 1_799_999_000;

/// An authority, its directory in a map, and somebody who looks up.
struct Scene {
    authority: Authority,
    memory: Memory,
    lookup: Lookup,
    identity: Identity,
}

impl Scene {
    fn new() -> Self {
        Self::of(Authority::new(), "tel:+12025550143")
    }

    fn of(authority: Authority, identity: &str) -> Self {
        let memory = Memory::default();
        let bundle = Bundle::read(authority.bundle(1).as_bytes(), Pin::File, now()).expect("the test's own bundle");
        let several = Several::new(vec![Backend::Memory(memory.clone())]).expect("one backend");
        let lookup = Lookup::new(bundle, several, Hasher::start().expect("a thread"));
        Self { authority, memory, lookup, identity: Identity::parse(identity).expect("an identity") }
    }

    fn derived(&self) -> Derived {
        let key = self.authority.directory.verifying_key().to_bytes();
        Derived::hash(&self.identity, &key, HashCost::CHEAP).expect("cheap parameters")
    }

    /// The item with which the authority publishes a record.
    fn item(&self, status: Status, seq: i64) -> Item {
        let record = Record { not_before: SEQ, not_after: SEQ + 86_400, status };
        self.publish(&record, seq)
    }

    fn publish(&self, record: &Record, seq: i64) -> Item {
        record.publish(&self.derived(), &self.authority.directory, seq, [9; 24], now()).expect("a record that fits")
    }

    async fn put(&self, item: &Item) {
        Backend::Memory(self.memory.clone()).put(item, TTL, None, now()).await.expect("the map takes it");
    }

    fn plant(&self, bytes: Vec<u8>) {
        let key = self.authority.directory.verifying_key().to_bytes();
        self.memory.plant(self.derived().directory_slot(&key).id(), bytes, now() + TTL);
    }

    /// From now on it looks up under two keys. Gives the older and the newer.
    fn change_directory_key(&mut self) -> (SigningKey, SigningKey) {
        let (older, newer) = (self.authority.directory.clone(), SigningKey::from_bytes(&[8; 32]));
        let far = now() + Duration::from_secs(86_400);
        let parts = [
            self.authority.root.pem(),
            self.authority.intermediate.pem(),
            self.authority.certify(&newer, far),
            self.authority.certify(&older, far),
            crate::authority::terms(2).sign(&newer),
        ];
        let bundle = Bundle::read(parts.concat().as_bytes(), Pin::File, now()).expect("the bundle");
        assert_eq!(bundle.directory_keys, [newer.verifying_key().to_bytes(), older.verifying_key().to_bytes()]);
        let several = Several::new(vec![Backend::Memory(self.memory.clone())]).expect("one backend");
        self.lookup = Lookup::new(bundle, several, Hasher::start().expect("a thread"));
        (older, newer)
    }

    async fn find(&self) -> Verdict {
        self.lookup.find(&self.identity, PATIENCE, now()).await.expect("cheap parameters")
    }
}

fn valid(certificate: Vec<u8>) -> Status {
    Status::Valid(Entry::new(certificate))
}

#[tokio::test]
async fn a_published_certificate_is_found() {
    let scene = Scene::new();
    let certificate = scene.authority.issue(Leaf::default());
    let item = scene.item(valid(certificate.clone()), SEQ);
    scene.put(&item).await;
    let Verdict::Found(found) = scene.find().await else { panic!("not found") };
    assert_eq!(found.certificate.der, certificate);
    assert_eq!(found.certificate.chain, [scene.authority.intermediate.der().to_vec()]);
    assert_eq!((found.certificate.level.to_string().as_str(), found.certificate.code_only), ("L2", false));
    assert_eq!(found.certificate.name, "tel:+12025550143");
    assert_eq!((found.origin.seq, found.origin.slot, found.origin.bytes), (SEQ, item.slot().id(), item.value().len()));
    assert!(found.origin.complete && found.origin.backend == "memory");
    for private in [
        format!("{:?}", scene.lookup),
        format!("{found:?}"),
        format!("{:?}", scene.derived()),
        format!("{:?}", scene.identity),
    ] {
        assert!(!private.contains("2025550143"), "{private}");
    }
}

#[tokio::test]
async fn an_address_is_found_in_any_case_and_shown_as_certified() {
    let sans = [
        ("mailto:ada.example@example.org", address("Ada.Example@EXAMPLE.org"), "Ada.Example@EXAMPLE.org"),
        ("mailto:jürgen@example.org", utf8_address("Jürgen@example.org"), "Jürgen@example.org"),
    ];
    for (asked, san, shown) in sans {
        let scene = Scene::of(Authority::new(), asked);
        let leaf = Leaf {
            names: vec![san],
            levels: vec![0],
            purposes: vec![ExtendedKeyUsagePurpose::EmailProtection],
            ..Leaf::default()
        };
        scene.put(&scene.item(valid(scene.authority.issue(leaf)), SEQ)).await;
        let Verdict::Found(found) = scene.find().await else { panic!("{asked} not found") };
        assert_eq!((found.certificate.name.as_str(), found.certificate.level.to_string().as_str()), (shown, "L0"));
    }
}

#[tokio::test]
async fn nothing_there_is_unknown_and_nobody_there_is_unreachable() {
    let scene = Scene::new();
    assert_eq!(scene.find().await, Verdict::Unknown { asked: 1 });
    scene.memory.fail(Failing::Dead);
    assert_eq!(scene.find().await, Verdict::Unreachable(GetError::Unreachable));
    scene.memory.fail(Failing::Overloaded);
    assert_eq!(scene.find().await, Verdict::Unreachable(GetError::Overloaded));
}

#[tokio::test]
async fn the_first_answer_is_provisional_and_nothing_is_never_concluded_from_it() {
    let scene = Scene::new();
    let first = async || scene.lookup.find_first(&scene.identity, PATIENCE, now()).await.expect("cheap parameters");
    assert_eq!(first().await, Verdict::Unknown { asked: 1 });
    scene.put(&scene.item(valid(scene.authority.issue(Leaf::default())), SEQ)).await;
    assert!(matches!(first().await, Verdict::Found(found) if !found.origin.complete));
    scene.put(&scene.item(Status::Revoked, SEQ + 1)).await;
    assert!(matches!(first().await, Verdict::Revoked(origin) if !origin.complete));
    scene.memory.fail(Failing::Dead);
    assert_eq!(first().await, Verdict::Unreachable(GetError::Unreachable));
}

#[tokio::test]
async fn a_tombstone_and_a_hold_are_said() {
    let scene = Scene::new();
    let certificate = scene.authority.issue(Leaf::default());
    scene.put(&scene.item(valid(certificate.clone()), SEQ)).await;
    scene.put(&scene.item(Status::Suspended(Entry::new(certificate)), SEQ + 1)).await;
    assert!(matches!(scene.find().await, Verdict::Suspended(origin) if origin.seq == SEQ + 1));
    scene.put(&scene.item(Status::Revoked, SEQ + 2)).await;
    assert!(matches!(scene.find().await, Verdict::Revoked(origin) if origin.seq == SEQ + 2));
}

#[tokio::test]
async fn a_replayed_record_loses_to_the_tombstone_after_it() {
    let scene = Scene::new();
    let old = scene.item(valid(scene.authority.issue(Leaf::default())), SEQ);
    scene.put(&scene.item(Status::Revoked, SEQ + 1)).await;
    scene.plant(old.to_bytes());
    assert!(matches!(scene.find().await, Verdict::Revoked(_)));
}

#[tokio::test]
async fn a_directory_rolled_back_is_found_out_by_who_saw_more() {
    let mut scene = Scene::new();
    let folder = tempfile::tempdir().expect("a folder");
    let seen = Seen::open(&folder.path().join("seen")).expect("no file yet");
    scene.lookup = scene.lookup.remembering(seen);
    let old = scene.item(valid(scene.authority.issue(Leaf::default())), SEQ);
    scene.put(&scene.item(Status::Revoked, SEQ + 1)).await;
    assert!(matches!(scene.find().await, Verdict::Revoked(_)));
    // The whole DHT is replaced by one that knows the old record only.
    let fresh = Scene::of(scene.authority, "tel:+12025550143");
    let lookup = fresh.lookup.clone().remembering(Seen::open(&folder.path().join("seen")).expect("the file"));
    fresh.plant(old.to_bytes());
    let verdict = lookup.find(&fresh.identity, PATIENCE, now()).await.expect("cheap parameters");
    assert_eq!(verdict, Verdict::Invalid(Fault::RolledBack { shown: SEQ, seen: SEQ + 1 }));
}

#[tokio::test]
async fn an_older_record_is_no_replay_while_nobody_answers_where_the_later_one_may_lie() {
    let scene = Scene::new();
    let (silent, seen) = (Memory::default(), Seen::new());
    let item = scene.item(valid(scene.authority.issue(Leaf::default())), SEQ);
    scene.put(&item).await;
    seen.note(item.slot().id(), SEQ + 1).expect("there is no file");
    let bundle = Bundle::read(scene.authority.bundle(1).as_bytes(), Pin::File, now()).expect("the test's own bundle");
    let backends = vec![Backend::Memory(scene.memory.clone()), Backend::Memory(silent.clone())];
    let several = Several::new(backends).expect("two backends");
    let lookup = Lookup::new(bundle, several, Hasher::start().expect("a thread")).remembering(seen);
    let find = async || lookup.find(&scene.identity, PATIENCE, now()).await.expect("cheap parameters");
    silent.fail(Failing::Dead);
    assert_eq!(find().await, Verdict::Unreachable(GetError::Unreachable));
    silent.fail(Failing::None);
    assert_eq!(find().await, Verdict::Invalid(Fault::RolledBack { shown: SEQ, seen: SEQ + 1 }));
}

#[tokio::test]
async fn junk_forged_oversized_and_future_items_are_as_if_not_there() {
    let scene = Scene::new();
    let stranger = SigningKey::from_bytes(&[8; 32]);
    let good = scene.item(valid(scene.authority.issue(Leaf::default())), SEQ);
    let forged = Item::sign(&stranger, good.slot().salt(), SEQ + 9, good.value().to_vec(), now()).expect("an item");
    let mut altered = good.to_bytes();
    *altered.iter_mut().nth_back(10).expect("long enough") ^= 1;
    let far = now() + Duration::from_secs(86_400);
    let future = Item::sign(&scene.authority.directory, good.slot().salt(), far.unix_timestamp(), vec![1], far)
        .expect("an item");
    let mut oversized = good.to_bytes();
    oversized.extend([0; 2000]);
    let planted =
        [b"junk".to_vec(), vec![], vec![0xff; 5000], forged.to_bytes(), altered, future.to_bytes(), oversized];
    for bytes in planted {
        scene.plant(bytes);
    }
    assert_eq!(scene.find().await, Verdict::Unknown { asked: 1 });
    scene.put(&good).await;
    assert!(matches!(scene.find().await, Verdict::Found(_)));
}

#[tokio::test]
async fn a_value_that_is_signed_but_no_record_is_invalid() {
    let scene = Scene::new();
    let good = scene.item(Status::Revoked, SEQ);
    let sign = |value: Vec<u8>| {
        Item::sign(&scene.authority.directory, good.slot().salt(), SEQ, value, now()).expect("an item")
    };
    let mut other_seal = good.value().to_vec();
    *other_seal.last_mut().expect("a tag") ^= 1;
    let cases = [
        (vec![], RecordError::Malformed),
        (vec![1; 10], RecordError::Malformed),
        (vec![2; 100], RecordError::UnknownVersion(2)),
        (other_seal, RecordError::Sealed),
    ];
    for (value, expected) in cases {
        let scene = Scene { memory: Memory::default(), ..Scene::new() };
        let several = Several::new(vec![Backend::Memory(scene.memory.clone())]).expect("one backend");
        let bundle = Bundle::read(scene.authority.bundle(1).as_bytes(), Pin::File, now()).expect("the bundle");
        let lookup = Lookup::new(bundle, several, Hasher::start().expect("a thread"));
        scene.put(&sign(value)).await;
        let verdict = lookup.find(&scene.identity, PATIENCE, now()).await.expect("cheap parameters");
        assert_eq!(verdict, Verdict::Invalid(Fault::Record(expected)));
    }
}

#[tokio::test]
async fn a_record_moved_to_another_number_does_not_open() {
    let scene = Scene::new();
    let good = scene.item(valid(scene.authority.issue(Leaf::default())), SEQ);
    let key = scene.authority.directory.verifying_key().to_bytes();
    let derived = scene.derived();
    let slot = derived.directory_slot(&key);
    assert!(Record::unseal(good.value(), &derived.seal_key(), &slot, SEQ).is_ok());
    assert_eq!(Record::unseal(good.value(), &derived.seal_key(), &slot, SEQ + 1), Err(RecordError::Sealed));
    assert_eq!(
        Record::unseal(good.value(), &derived.seal_key(), &derived.proof_slot(&key), SEQ),
        Err(RecordError::Sealed)
    );
}

#[tokio::test]
async fn a_record_outside_its_dates_is_invalid() {
    let scene = Scene::new();
    let now = now().unix_timestamp();
    for (not_before, not_after, accepted) in [
        (now - 9000, now - 301, false),
        (now - 9000, now - 299, true),
        (now + 301, now + 9000, false),
        (now + 299, now + 9000, true),
        (i64::MIN, i64::MAX, false),
    ] {
        let scene = Scene::of(
            Authority { directory: scene.authority.directory.clone(), ..Authority::new() },
            "tel:+12025550143",
        );
        let record = Record { not_before, not_after, status: valid(scene.authority.issue(Leaf::default())) };
        scene.put(&scene.publish(&record, SEQ)).await;
        let verdict = scene.find().await;
        let expected = Verdict::Invalid(Fault::Time { not_before, not_after });
        assert!(
            if accepted { matches!(verdict, Verdict::Found(_)) } else { verdict == expected },
            "{not_before} to {not_after}: {verdict:?}"
        );
    }
}

/// Publishes a leaf in the right slot and says why it is not believed.
async fn refusal(leaf: Leaf) -> Fault {
    let scene = Scene::new();
    let certificate = scene.authority.issue(leaf);
    scene.put(&scene.item(valid(certificate), SEQ)).await;
    match scene.find().await {
        Verdict::Invalid(fault) => fault,
        other => panic!("believed: {other:?}"),
    }
}

#[tokio::test]
async fn a_certificate_of_somebody_else_in_the_right_slot_is_invalid() {
    let names = [
        vec![tel("+12025550144")],
        vec![tel("+12025550143"), tel("+12025550144")],
        vec![tel("+12025550143"), tel("+12025550143")],
        vec![address("12025550143@example.org")],
        vec![tel("+1-202-555-0143")],
        vec![rcgen::SanType::URI("sip:+12025550143@example.org".try_into().expect("ASCII"))],
        vec![rcgen::SanType::DnsName("example.org".try_into().expect("ASCII"))],
        vec![],
    ];
    for names in names {
        assert_eq!(refusal(Leaf { names, ..Leaf::default() }).await, Fault::Certificate(ChainError::OtherName));
    }
}

#[tokio::test]
async fn a_certificate_without_its_marks_is_invalid() {
    let path = |fault: Fault| matches!(fault, Fault::Certificate(ChainError::Path(_)));
    assert_eq!(refusal(Leaf { levels: vec![], ..Leaf::default() }).await, Fault::Certificate(ChainError::Level));
    assert_eq!(refusal(Leaf { levels: vec![1, 3], ..Leaf::default() }).await, Fault::Certificate(ChainError::Level));
    assert_eq!(refusal(Leaf { levels: vec![9], ..Leaf::default() }).await, Fault::Certificate(ChainError::Level));
    let usages = vec![KeyUsagePurpose::KeyAgreement];
    assert_eq!(refusal(Leaf { usages, ..Leaf::default() }).await, Fault::Certificate(ChainError::Usage));
    for purposes in [
        vec![],
        vec![ExtendedKeyUsagePurpose::ClientAuth],
        vec![ExtendedKeyUsagePurpose::EmailProtection],
        vec![purpose(2)],
    ] {
        assert!(path(refusal(Leaf { purposes, ..Leaf::default() }).await));
    }
    assert!(path(refusal(Leaf { authority: IsCa::Ca(BasicConstraints::Unconstrained), ..Leaf::default() }).await));
}

#[tokio::test]
async fn a_certificate_outside_its_dates_is_invalid_with_five_minutes_of_grace() {
    let far = time::Duration::days(10);
    let over = Leaf { not_before: now() - far, not_after: now() - time::Duration::seconds(301), ..Leaf::default() };
    assert!(matches!(refusal(over).await, Fault::Certificate(ChainError::Time { .. })));
    let early = Leaf { not_before: now() + time::Duration::seconds(301), not_after: now() + far, ..Leaf::default() };
    assert!(matches!(refusal(early).await, Fault::Certificate(ChainError::Time { .. })));
    let scene = Scene::new();
    let graced = Leaf { not_before: now() - far, not_after: now() - time::Duration::seconds(299), ..Leaf::default() };
    scene.put(&scene.item(valid(scene.authority.issue(graced)), SEQ)).await;
    assert!(matches!(scene.find().await, Verdict::Found(_)));
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_invalid() {
    let scene = Scene::new();
    let foreign = Authority::new().issue(Leaf::default());
    scene.put(&scene.item(valid(foreign), SEQ)).await;
    assert!(matches!(scene.find().await, Verdict::Invalid(Fault::Certificate(ChainError::Path(_)))));
    let scene = Scene::new();
    scene.put(&scene.item(valid(b"no certificate".to_vec()), SEQ)).await;
    assert_eq!(scene.find().await, Verdict::Invalid(Fault::Certificate(ChainError::Malformed)));
}

#[tokio::test]
async fn an_intermediate_vouches_only_for_the_levels_it_lists() {
    for (listed, believed) in [(vec![0], false), (vec![1, 2, 3, 4], true)] {
        let scene = Scene::of(Authority::with_policies(Some(&listed)), "tel:+12025550143");
        scene.put(&scene.item(valid(scene.authority.issue(Leaf::default())), SEQ)).await;
        assert_eq!(matches!(scene.find().await, Verdict::Found(_)), believed, "{listed:?}");
    }
}

#[test]
fn each_kind_of_identity_has_its_own_levels() {
    let authority = Authority::new();
    let bundle = Bundle::read(authority.bundle(1).as_bytes(), Pin::File, now()).expect("the bundle");
    let (number, mailbox) = ("tel:+12025550143", "mailto:someone@example.org");
    for (of, levels, code_only, holds) in [
        (number, vec![0], false, false),
        (number, vec![1], false, true),
        (number, vec![4], false, true),
        (number, vec![1], true, true),
        (number, vec![3], true, false),
        (mailbox, vec![0], false, true),
        (mailbox, vec![2], false, false),
        (mailbox, vec![0], true, false),
    ] {
        let names = vec![if of == number { tel("+12025550143") } else { address("someone@example.org") }];
        let leaf = authority.issue(Leaf { names, levels: levels.clone(), code_only, ..Leaf::default() });
        let identity = Identity::parse(of).expect("an identity");
        let expected = if holds { None } else { Some(ChainError::Level) };
        assert_eq!(bundle.authority.check(&leaf, &identity, now()).err(), expected, "{of} {levels:?} {code_only}");
    }
}

#[tokio::test]
async fn an_authentic_record_that_does_not_hold_is_not_replaced_by_what_it_replaced() {
    let scene = Scene::new();
    let superseded = scene.item(valid(scene.authority.issue(Leaf::default())), SEQ);
    let other = Leaf { names: vec![tel("+12025550144")], ..Leaf::default() };
    let newest = scene.item(valid(scene.authority.issue(other)), SEQ + 1);
    scene.plant(superseded.to_bytes());
    scene.plant(newest.to_bytes());
    assert_eq!(scene.find().await, Verdict::Invalid(Fault::Certificate(ChainError::OtherName)));
}

#[tokio::test]
async fn while_the_directory_changes_its_key_the_later_statement_under_either_counts() {
    let mut scene = Scene::new();
    let (older, newer) = scene.change_directory_key();
    scene.put(&scene.item(valid(scene.authority.issue(Leaf::default())), SEQ)).await;
    assert!(matches!(scene.find().await, Verdict::Found(_)), "under the older key");
    scene.authority.directory = newer;
    scene.put(&scene.item(Status::Revoked, SEQ + 1)).await;
    assert!(matches!(scene.find().await, Verdict::Revoked(_)), "the newer key's tombstone counts");
    scene.authority.directory = older;
    scene.put(&scene.item(valid(scene.authority.issue(Leaf::default())), SEQ + 2)).await;
    assert!(matches!(scene.find().await, Verdict::Found(_)), "proved anew after the tombstone");
}

#[tokio::test]
async fn what_one_directory_key_shows_is_not_all_while_nobody_answers_under_the_other() {
    let mut scene = Scene::new();
    let (older, newer) = scene.change_directory_key();
    scene.authority.directory = newer;
    scene.put(&scene.item(valid(scene.authority.issue(Leaf::default())), SEQ)).await;
    // It lies there alone: with whoever was asked under the newer key, it was lost.
    scene.authority.directory = older;
    let tombstone = scene.item(Status::Revoked, SEQ + 1);
    scene.put(&tombstone).await;
    assert!(matches!(scene.find().await, Verdict::Revoked(origin) if origin.complete));
    scene.memory.fail(Failing::DeadAt(tombstone.slot().id()));
    assert_eq!(scene.find().await, Verdict::Unreachable(GetError::Unreachable), "who saw the tombstone knows better");
    scene.lookup = scene.lookup.clone().remembering(Seen::new());
    assert!(matches!(scene.find().await, Verdict::Found(found) if !found.origin.complete));
}

#[tokio::test]
async fn what_was_seen_under_one_directory_key_makes_a_replay_of_what_lies_under_the_other() {
    let mut scene = Scene::new();
    let (older, newer) = scene.change_directory_key();
    let seen = Seen::new();
    scene.lookup = scene.lookup.clone().remembering(seen.clone());
    let record = valid(scene.authority.issue(Leaf::default()));
    let slots = [newer, older].map(|key| {
        scene.authority.directory = key;
        scene.item(record.clone(), SEQ)
    });
    let first = async |scene: &Scene| {
        scene.lookup.find_first(&scene.identity, PATIENCE, now()).await.expect("cheap parameters")
    };
    scene.put(&slots[1]).await;
    assert!(matches!(scene.find().await, Verdict::Found(_)), "nobody was looked up before");
    seen.note(slots[0].slot().id(), SEQ + 4).expect("there is no file");
    let replayed = Verdict::Invalid(Fault::RolledBack { shown: SEQ, seen: SEQ + 4 });
    assert_eq!(
        (scene.find().await, first(&scene).await),
        (replayed.clone(), replayed.clone()),
        "the newer slot is empty"
    );
    scene.put(&slots[0]).await;
    assert_eq!((scene.find().await, first(&scene).await), (replayed.clone(), replayed.clone()), "both show it");
    scene.lookup = scene.lookup.clone().knowing(Contacts::default());
    assert_eq!(first(&scene).await, replayed, "though its hash is not known any more");
    scene.memory.fail(Failing::DeadAt(slots[1].slot().id()));
    assert_eq!(scene.find().await, Verdict::Unreachable(GetError::Unreachable), "the later one may lie there");
    scene.memory.fail(Failing::None);
    let again = scene.item(record, SEQ + 4);
    scene.put(&again).await;
    assert!(matches!(scene.find().await, Verdict::Found(found) if found.origin.seq == SEQ + 4));
}

#[test]
fn the_code_only_mark_is_read() {
    let authority = Authority::new();
    let bundle = Bundle::read(authority.bundle(1).as_bytes(), Pin::File, now()).expect("the bundle");
    let identity = Identity::parse("tel:+12025550143").expect("an identity");
    let leaf = authority.issue(Leaf { levels: vec![1], code_only: true, ..Leaf::default() });
    let certificate = bundle.authority.check(&leaf, &identity, now()).expect("a good leaf");
    assert_eq!((certificate.code_only, certificate.level.to_string().as_str()), (true, "L1"));
}
