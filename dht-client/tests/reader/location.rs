//! Where somebody is: written for everybody, for friends, for a few; and whatever can be wrong with it.

use std::time::Duration;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use ciborium::Value;
use dht_client::backend::memory::{Fault as Failing, Memory};
use dht_client::location::OwnerPublic;
use dht_client::location::place::Place;
use dht_client::{
    Absence, Answer, Audience, Backend, Bundle, Contact, Derived, Entry, Fault, Friend, FriendsKey, GetError, HashCost,
    Hasher, Identity, Item, KemKey, Location, LocationError, Lookup, OwnerKey, Pin, Record, Seen, Several, SigningKey,
    Slot, Status, Verdict, Whereabouts,
};
use p256::ecdsa::signature::Verifier as _;
use proptest::prelude::*;
use time::OffsetDateTime;

use crate::authority::{Authority, Leaf, ed25519, now};
use crate::vectors::{array, bytes, number};

pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
pub(crate) const TTL: Duration = Duration::from_secs(3600);
pub(crate) const SEQ: i64 = 1_799_999_000;

pub(crate) fn identity() -> Identity {
    Identity::parse("tel:+12025550143").expect("an identity")
}

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).expect("a time of this century")
}

/// The location of the vectors.
fn written() -> Location {
    let contact = |uri, priority| Contact::new(uri, priority, 1_700_003_600).expect("a contact");
    Location {
        identity: identity(),
        contacts: vec![contact("sip:ada@192.0.2.7:5060;transport=tcp", 1000), contact("sips:ada@example.org", 500)],
        not_before: 1_700_000_000,
        not_after: 1_700_003_600,
    }
}

fn p256() -> OwnerKey {
    OwnerKey::P256(p256::ecdsa::SigningKey::from_slice(&bytes("loc_owner")).expect("a scalar"))
}

pub(crate) fn location_key() -> SigningKey {
    SigningKey::from_bytes(&array("seed"))
}

fn published(audience: Audience<'_>, owner: &OwnerKey) -> Item {
    written()
        .publish(audience, (owner, &location_key()), number("seq"), [3; 32], at(number("seq")))
        .expect("a location that fits")
}

/// What a reader at the time of the vectors makes of a value that lies in a place.
fn read(value: Vec<u8>, place: &Place, kem_key: Option<&KemKey>, owner: &OwnerKey) -> Result<Location, LocationError> {
    let now = at(number("seq"));
    let item = Item::sign(&location_key(), place.slot().salt(), number("seq"), value, now).expect("an item");
    Location::open(&item, place, kem_key, (&identity(), &owner.public()), now)
}

fn open_place() -> Place {
    Place::open(&array("key"))
}

#[test]
fn locations_have_these_bytes() {
    let ed25519 = OwnerKey::Ed25519(SigningKey::from_bytes(&array("loc_owner_ed25519")));
    for (owner, name) in [(p256(), "loc_open_value"), (ed25519, "loc_ed25519_value")] {
        assert_eq!(published(Audience::Everybody, &owner).value(), bytes(name), "{name}");
        assert_eq!(read(bytes(name), &open_place(), None, &owner), Ok(written()), "{name}");
    }
}

#[test]
fn what_another_program_sealed_is_opened() {
    let friends = FriendsKey::from_bytes(array("loc_friends_key"));
    let place = Place::all_of_friends(&array("key"), &friends, at(number("seq")))
        .into_iter()
        .find(|place| place.slot().salt() == bytes("loc_friends_salt"))
        .expect("a friend looks there today");
    assert_eq!(read(bytes("loc_friends_value"), &place, None, &p256()), Ok(written()));

    let kem_key = KemKey::from_bytes(array("loc_kem"));
    assert_eq!(kem_key.public(), array("loc_kem_public"));
    let sealed = bytes("loc_recipients_value");
    assert_eq!(read(sealed.clone(), &open_place(), Some(&kem_key), &p256()), Ok(written()));
    let other = KemKey::from_bytes([0x23; 32]);
    assert_eq!(read(sealed.clone(), &open_place(), Some(&other), &p256()), Err(LocationError::NotForUs));
    assert_eq!(read(sealed, &open_place(), None, &p256()), Err(LocationError::NotForUs));
}

/// What is signed, or bound to what is sealed (RFC 9052 4.4, 5.3).
fn structure(context: &str, parts: &[&[u8]]) -> Vec<u8> {
    let parts = parts.iter().map(|part| Value::from(*part));
    let whole = Value::Array(std::iter::once(Value::from(context)).chain(parts).collect());
    let mut bytes = Vec::new();
    ciborium::into_writer(&whole, &mut bytes).expect("a vector takes every byte");
    bytes
}

/// The byte strings of a message; of the unprotected header what it begins with, a nonce or nothing.
fn parts(message: &[u8]) -> Vec<Vec<u8>> {
    let octets = |part: Value| match part {
        Value::Map(header) => header.into_iter().find_map(|(_, nonce)| nonce.into_bytes().ok()).unwrap_or_default(),
        part => part.into_bytes().expect("a byte string"),
    };
    match ciborium::from_reader(message) {
        Ok(Value::Tag(_, parts)) => parts.into_array().expect("an array").into_iter().map(octets).collect(),
        other => panic!("no COSE message: {other:?}"),
    }
}

/// With nothing of ours but the slot: the page's external aad, payload and seal key are those of its messages.
#[test]
fn what_the_page_says_of_a_location_is_what_is_signed_and_sealed() {
    let open = parts(&bytes("loc_open_value"));
    let [protected, _, payload, signature] = &open[..] else { panic!("four parts") };
    assert_eq!(*payload, bytes("loc_payload"));
    let signed = structure("Signature1", &[protected, &bytes("loc_aad"), payload]);
    let signature = p256::ecdsa::Signature::from_slice(signature).expect("r and s");
    let OwnerPublic::P256(owner) = p256().public() else { panic!("a key of P-256") };
    owner.verify(&signed, &signature).expect("it is signed so");

    let of_friends = parts(&bytes("loc_friends_value"));
    let [protected, nonce, sealed] = &of_friends[..] else { panic!("three parts") };
    let slot = Slot::new(array("key"), &bytes("loc_friends_salt")).expect("a salt of 32 bytes");
    let aad = [&b"dialproof-loc-v1"[..], &slot.key()[..], &slot.id().0, &number("seq").to_be_bytes()].concat();
    let nonce: [u8; 12] = nonce[..].try_into().expect("the nonce of GCM");
    let bound = structure("Encrypt0", &[protected, &aad]);
    let seal = Aes256Gcm::new(&array::<32>("loc_friends_seal_key").into());
    let opened = seal.decrypt(&nonce.into(), Payload { msg: sealed, aad: &bound }).expect("it is sealed so");
    assert_eq!(parts(&opened)[2], bytes("loc_payload"));
}

#[test]
fn as_much_is_written_as_fits() {
    let kem = |seed: u8| KemKey::from_bytes([seed; 32]).public();
    let keys: Vec<_> = (1..=9).map(kem).collect();
    let publish = |location: &Location, keys: &[[u8; 32]]| {
        let both = (&p256(), &location_key());
        location.publish(Audience::Recipients(keys), both, number("seq"), [3; 32], at(number("seq")))
    };
    let eight = publish(&written(), &keys[..8]).expect("eight recipients of two contacts fit");
    let last = KemKey::from_bytes([8; 32]);
    assert_eq!(read(eight.value().to_vec(), &open_place(), Some(&last), &p256()), Ok(written()));
    assert_eq!(publish(&written(), &keys), Err(LocationError::Limits));
    assert_eq!(publish(&written(), &[]), Err(LocationError::Limits));
    assert_eq!(publish(&written(), &[[0; 32]]), Err(LocationError::Recipient));

    let mut crowded = written();
    crowded.contacts = vec![Contact::new(&format!("sip:{}", "a".repeat(190)), 0, 0).expect("a contact"); 8];
    assert!(matches!(publish(&crowded, &keys[..1]), Err(LocationError::TooLarge { size }) if size > 996));
    crowded.contacts.push(crowded.contacts[0].clone());
    assert_eq!(publish(&crowded, &keys[..1]), Err(LocationError::Limits));
    let too_long = Location { not_after: written().not_before + 86_401, ..written() };
    assert_eq!(publish(&too_long, &keys[..1]), Err(LocationError::Limits));
}

#[test]
fn a_contact_is_an_address_that_can_be_printed() {
    for good in ["sip:a", "sips:ada@example.org:5061;transport=tls", "tel:+12025550143"] {
        assert!(Contact::new(good, 1000, i64::MAX).is_ok(), "{good}");
    }
    let long = format!("sip:{}", "a".repeat(197));
    for bad in
        ["", "sip:", "ada@example.org", "http://a", "sip:a b", "sip:a\n", "sip:<a>", "sip:\u{e9}", "SIP:a", &long]
    {
        assert!(Contact::new(bad, 0, 0).is_err(), "{bad}");
    }
    assert!(Contact::new("sip:a", 1001, 0).is_err());
}

proptest! {
    /// A location has one form: a changed byte, lost or added, signed anew by the location key, is never believed.
    #[test]
    fn a_changed_location_is_not_believed(which in 0..3_usize, at in any::<prop::sample::Index>(), byte in any::<u8>(), change in 0..3) {
        let name = ["loc_open_value", "loc_ed25519_value", "loc_recipients_value"][which];
        let good = bytes(name);
        let mut changed = good.clone();
        match change {
            0 => changed[at.index(good.len())] = byte,
            1 => { changed.remove(at.index(good.len())); }
            _ => changed.insert(at.index(good.len() + 1), byte),
        }
        let owner = if which == 1 { OwnerKey::Ed25519(SigningKey::from_bytes(&array("loc_owner_ed25519"))) } else { p256() };
        let opened = read(changed.clone(), &open_place(), Some(&KemKey::from_bytes(array("loc_kem"))), &owner);
        // Of the recipients only ours is opened; what it does not cover is the other's.
        prop_assert!(changed == good || which == 2 || opened.is_err());
        prop_assert!(opened.is_err() || opened == Ok(written()));
    }
}

/// Somebody with a certificate and a location key, and somebody who looks for them.
pub(crate) struct Scene {
    authority: Authority,
    pub(crate) owner: OwnerKey,
    pub(crate) memory: Memory,
    pub(crate) lookup: Lookup,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let scene = Self::unpublished();
        scene.enrol(Some(location_key().verifying_key().to_bytes()), SEQ).await;
        scene
    }

    pub(crate) fn unpublished() -> Self {
        let authority = Authority::new();
        let memory = Memory::default();
        let bundle = Bundle::read(authority.bundle(1).as_bytes(), Pin::File, now()).expect("the test's own bundle");
        let several = Several::new(vec![Backend::Memory(memory.clone())]).expect("one backend");
        let lookup = Lookup::new(bundle, several, Hasher::start().expect("a thread"));
        Self { authority, owner: OwnerKey::Ed25519(SigningKey::from_bytes(&[0x31; 32])), memory, lookup }
    }

    pub(crate) async fn enrol(&self, location_key: Option<[u8; 32]>, seq: i64) {
        self.say(self.certified(location_key), seq).await;
    }

    pub(crate) fn certified(&self, location_key: Option<[u8; 32]>) -> Status {
        let OwnerKey::Ed25519(key) = &self.owner else { panic!("the scene's key is Ed25519") };
        let certificate = self.authority.issue_for(&ed25519(key), Leaf::default());
        Status::Valid(Entry { location_key, ..Entry::new(certificate) })
    }

    async fn say(&self, status: Status, seq: i64) {
        self.put(&self.statement(status, seq)).await;
    }

    /// The item with which the authority says so.
    pub(crate) fn statement(&self, status: Status, seq: i64) -> Item {
        let record = Record { not_before: SEQ, not_after: SEQ + 86_400, status };
        let key = self.authority.directory.verifying_key().to_bytes();
        let derived = Derived::hash(&identity(), &key, HashCost::CHEAP).expect("cheap parameters");
        record.publish(&derived, &self.authority.directory, seq, [9; 24], now()).expect("a record that fits")
    }

    async fn put(&self, item: &Item) {
        Backend::Memory(self.memory.clone()).put(item, TTL, None, now()).await.expect("the map takes it");
    }

    /// The owner says where to be called.
    async fn speak(&self, location: &Location, audience: Audience<'_>, seq: i64) -> Item {
        let item = location.publish(audience, (&self.owner, &location_key()), seq, [4; 32], now()).expect("it fits");
        self.put(&item).await;
        item
    }

    async fn locate(&self, friend: &Friend) -> Whereabouts {
        self.lookup.locate(&identity(), friend, PATIENCE, now()).await.expect("cheap parameters")
    }

    async fn absence(&self, friend: &Friend) -> Absence {
        match self.locate(friend).await {
            Whereabouts::Offline { why, .. } => why,
            other => panic!("not absent: {other:?}"),
        }
    }
}

fn here(uri: &str) -> Location {
    let contacts = vec![Contact::new(uri, 1000, now().unix_timestamp() + 600).expect("a contact")];
    let not_before = now().unix_timestamp() - 60;
    Location { identity: identity(), contacts, not_before, not_after: not_before + 3600 }
}

fn contact_of(whereabouts: &Whereabouts) -> String {
    match whereabouts {
        Whereabouts::Here { location, complete: true, .. } => location.living(now())[0].expose().to_owned(),
        other => panic!("not here: {other:?}"),
    }
}

const STRANGER: Friend = Friend { friends_key: None, kem_key: None };

#[tokio::test]
async fn who_is_here_is_told_from_who_is_known_and_who_is_not() {
    let scene = Scene::unpublished();
    assert_eq!(scene.locate(&STRANGER).await, Whereabouts::NotFound(Verdict::Unknown { asked: 1 }));
    scene.enrol(None, SEQ).await;
    assert_eq!(scene.absence(&STRANGER).await, Absence::NeverSaid);
    scene.enrol(Some(location_key().verifying_key().to_bytes()), SEQ + 1).await;
    assert_eq!(scene.absence(&STRANGER).await, Absence::Nothing);
    scene.speak(&here("sip:ada@192.0.2.7"), Audience::Everybody, SEQ).await;
    let whereabouts = scene.locate(&STRANGER).await;
    assert_eq!(contact_of(&whereabouts), "sip:ada@192.0.2.7");
    assert!(!format!("{whereabouts:?}").contains("192.0.2.7"), "{whereabouts:?}");
    scene.speak(&Location { contacts: vec![], ..here("sip:a") }, Audience::Everybody, SEQ + 1).await;
    assert_eq!(scene.absence(&STRANGER).await, Absence::Left);
    scene.say(Status::Revoked, SEQ + 2).await;
    assert!(matches!(scene.locate(&STRANGER).await, Whereabouts::NotFound(Verdict::Revoked(_))));
    scene.memory.fail(Failing::Dead);
    let dead = Whereabouts::NotFound(Verdict::Unreachable(GetError::Unreachable));
    assert_eq!(scene.locate(&STRANGER).await, dead, "who does not answer says nothing about anybody");
}

#[tokio::test]
async fn where_not_everybody_answers_nobody_is_called_offline() {
    let mut scene = Scene::new().await;
    let silent = Memory::default();
    silent.fail(Failing::Dead);
    let bundle = Bundle::read(scene.authority.bundle(1).as_bytes(), Pin::File, now()).expect("the test's own bundle");
    let backends = vec![Backend::Memory(scene.memory.clone()), Backend::Memory(silent)];
    let several = Several::new(backends).expect("two backends");
    scene.lookup = Lookup::new(bundle, several, Hasher::start().expect("a thread"));
    let whereabouts = scene.locate(&STRANGER).await;
    assert!(matches!(&whereabouts, Whereabouts::Unheard { error: GetError::Unreachable, .. }), "{whereabouts:?}");
    scene.speak(&here("sip:ada@192.0.2.7"), Audience::Everybody, SEQ).await;
    assert!(matches!(scene.locate(&STRANGER).await, Whereabouts::Here { complete: false, .. }));
    let over = vec![Contact::new("sip:a", 1, SEQ).expect("a contact")];
    for (seq, contacts) in [(SEQ + 1, vec![]), (SEQ + 2, over)] {
        scene.speak(&Location { contacts, ..here("sip:a") }, Audience::Everybody, seq).await;
        assert!(matches!(scene.locate(&STRANGER).await, Whereabouts::Unheard { .. }), "she may be back by now");
    }
    scene.enrol(None, SEQ + 1).await;
    assert!(matches!(scene.locate(&STRANGER).await, Whereabouts::Unheard { .. }), "she may list a key by now");
}

#[tokio::test]
async fn where_not_everybody_says_who_they_are_nobody_is_called_offline() {
    let mut scene = Scene::new().await;
    let silent = Memory::default();
    let key = scene.authority.directory.verifying_key().to_bytes();
    let derived = Derived::hash(&identity(), &key, HashCost::CHEAP).expect("cheap parameters");
    silent.fail(Failing::DeadAt(derived.directory_slot(&key).id()));
    let bundle = Bundle::read(scene.authority.bundle(1).as_bytes(), Pin::File, now()).expect("the test's own bundle");
    let backends = vec![Backend::Memory(scene.memory.clone()), Backend::Memory(silent)];
    let seen = Seen::new();
    scene.lookup =
        Lookup::new(bundle, Several::new(backends).expect("two backends"), Hasher::start().expect("a thread"))
            .remembering(seen.clone());
    let unheard = async |why: &str| {
        let whereabouts = scene.locate(&STRANGER).await;
        assert!(matches!(&whereabouts, Whereabouts::Unheard { .. }), "{why}: {whereabouts:?}");
    };
    unheard("another location key may be listed by now").await;
    let item = scene.speak(&here("sip:ada@192.0.2.7"), Audience::Everybody, SEQ).await;
    assert!(matches!(scene.locate(&STRANGER).await, Whereabouts::Here { complete: false, .. }));
    seen.note(item.slot().id(), SEQ + 1).expect("there is no file");
    unheard("what is replayed here is no word under another key").await;
    scene.speak(&Location { contacts: vec![], ..here("sip:a") }, Audience::Everybody, SEQ + 2).await;
    unheard("who left may be elsewhere").await;
}

#[tokio::test]
async fn a_replay_is_silence_where_a_later_location_may_be_hidden() {
    let mut scene = Scene::new().await;
    let item = scene.speak(&here("sip:ada@192.0.2.7"), Audience::Everybody, SEQ).await;
    let (silent, seen) = (Memory::default(), Seen::new());
    silent.fail(Failing::DeadAt(item.slot().id()));
    // What the directory says is in both.
    let key = scene.authority.directory.verifying_key().to_bytes();
    let derived = Derived::hash(&identity(), &key, HashCost::CHEAP).expect("cheap parameters");
    let ours = Backend::Memory(scene.memory.clone());
    let Ok(Answer::Items { items, .. }) = ours.get(&derived.directory_slot(&key), PATIENCE, None, now()).await else {
        panic!("the directory record is there")
    };
    let theirs = Backend::Memory(silent);
    theirs.put(&items[0], TTL, None, now()).await.expect("the map takes it");
    let bundle = Bundle::read(scene.authority.bundle(1).as_bytes(), Pin::File, now()).expect("the test's own bundle");
    let both = Several::new(vec![ours, theirs]).expect("two backends");
    scene.lookup = Lookup::new(bundle, both, Hasher::start().expect("a thread")).remembering(seen.clone());
    seen.note(item.slot().id(), SEQ + 1).expect("there is no file");
    let whereabouts = scene.locate(&STRANGER).await;
    assert!(matches!(&whereabouts, Whereabouts::Unheard { .. }), "{whereabouts:?}");
}

#[tokio::test]
async fn a_record_dated_at_the_edge_of_the_calendar_does_not_hold() {
    let scene = Scene::unpublished();
    let key = scene.authority.directory.verifying_key().to_bytes();
    let derived = Derived::hash(&identity(), &key, HashCost::CHEAP).expect("cheap parameters");
    for (seq, (not_before, not_after)) in
        (SEQ..).zip([(i64::MIN, i64::MIN), (-377_705_116_800, SEQ - 9000), (253_402_300_799, i64::MAX)])
    {
        let record = Record { not_before, not_after, status: Status::Revoked };
        let item = record.publish(&derived, &scene.authority.directory, seq, [9; 24], now()).expect("it fits");
        scene.put(&item).await;
        let whereabouts = scene.locate(&STRANGER).await;
        let wrong = Fault::Time { not_before, not_after };
        assert_eq!(whereabouts, Whereabouts::NotFound(Verdict::Invalid(wrong)));
    }
}

#[tokio::test]
async fn what_is_for_friends_only_friends_find() {
    let scene = Scene::new().await;
    let friends_key = FriendsKey::from_bytes([0x41; 32]);
    scene.speak(&here("sip:ada@198.51.100.1"), Audience::Friends(&friends_key), SEQ).await;
    assert_eq!(scene.absence(&STRANGER).await, Absence::Nothing);
    let other = Friend { friends_key: Some(FriendsKey::from_bytes([0x42; 32])), kem_key: None };
    assert_eq!(scene.absence(&other).await, Absence::Nothing);
    let friend = Friend { friends_key: Some(friends_key), kem_key: None };
    assert_eq!(contact_of(&scene.locate(&friend).await), "sip:ada@198.51.100.1");
}

#[tokio::test]
async fn what_friends_were_told_yesterday_counts_for_nothing_while_todays_slot_is_silent() {
    let scene = Scene::new().await;
    let friends_key = FriendsKey::from_bytes([0x41; 32]);
    let yesterday = now() - time::Duration::days(1) + time::Duration::hours(1);
    let word = |contacts: Vec<Contact>| {
        let (not_before, not_after) = (yesterday.unix_timestamp(), now().unix_timestamp() + 60);
        Location { contacts, not_before, not_after, ..here("sip:a") }
    };
    let say = async |location: Location, seq| {
        let both = (&scene.owner, &location_key());
        let item = location.publish(Audience::Friends(&friends_key), both, seq, [4; 32], yesterday).expect("it fits");
        scene.put(&item).await;
    };
    let friend = Friend { friends_key: Some(friends_key.clone()), kem_key: None };
    say(word(vec![]), yesterday.unix_timestamp()).await;
    assert_eq!(scene.absence(&friend).await, Absence::Left);
    let places = Place::all_of_friends(&location_key().verifying_key().to_bytes(), &friends_key, now());
    let today = places.last().expect("a friend looks there").slot().id();
    scene.memory.fail(Failing::DeadAt(today));
    let whereabouts = scene.locate(&friend).await;
    assert!(matches!(&whereabouts, Whereabouts::Unheard { error: GetError::Unreachable, .. }), "{whereabouts:?}");
    assert_eq!(scene.absence(&STRANGER).await, Absence::Nothing, "who is no friend does not ask there");
    say(word(here("sip:ada@192.0.2.7").contacts), yesterday.unix_timestamp() + 1).await;
    let whereabouts = scene.locate(&friend).await;
    assert!(matches!(&whereabouts, Whereabouts::Here { complete: false, .. }), "{whereabouts:?}");
}

#[tokio::test]
async fn a_keeper_is_given_every_location_and_told_where_nobody_answered() {
    let scene = Scene::new().await;
    let friends_key = FriendsKey::from_bytes([0x41; 32]);
    let open = scene.speak(&here("sip:ada@192.0.2.7"), Audience::Everybody, SEQ).await;
    let of_friends = scene.speak(&here("sip:ada@198.51.100.1"), Audience::Friends(&friends_key), SEQ).await;
    let friend = Friend { friends_key: Some(friends_key), kem_key: None };
    let given = async |friend: &Friend| {
        let key = location_key().verifying_key().to_bytes();
        let (kept, silent) = scene.lookup.location_items(&key, friend, PATIENCE, now()).await;
        (kept.into_iter().map(|kept| kept.item).collect::<Vec<_>>(), silent)
    };
    assert_eq!(given(&friend).await, (vec![open.clone(), of_friends.clone()], 0));
    assert_eq!(given(&STRANGER).await, (vec![open.clone()], 0));
    scene.memory.fail(Failing::DeadAt(of_friends.slot().id()));
    assert_eq!(given(&friend).await, (vec![open], 1));
}

#[tokio::test]
async fn what_is_sealed_to_a_few_only_they_read() {
    let scene = Scene::new().await;
    let (named, other) = (KemKey::from_bytes([0x51; 32]), KemKey::from_bytes([0x52; 32]));
    let recipients = [named.public(), KemKey::from_bytes([0x53; 32]).public()];
    scene.speak(&here("sip:ada@203.0.113.9"), Audience::Recipients(&recipients), SEQ).await;
    let with = |key: KemKey| Friend { friends_key: None, kem_key: Some(key) };
    assert_eq!(scene.absence(&with(other)).await, Absence::Unreadable(LocationError::NotForUs));
    assert_eq!(scene.absence(&STRANGER).await, Absence::Unreadable(LocationError::NotForUs));
    assert_eq!(contact_of(&scene.locate(&with(named)).await), "sip:ada@203.0.113.9");
}

#[tokio::test]
async fn to_each_audience_the_owners_latest_word_counts() {
    let scene = Scene::new().await;
    let friends_key = FriendsKey::from_bytes([0x41; 32]);
    scene.speak(&here("sip:ada@198.51.100.1"), Audience::Friends(&friends_key), SEQ).await;
    scene.speak(&Location { contacts: vec![], ..here("sip:a") }, Audience::Everybody, SEQ + 5).await;
    let friend = Friend { friends_key: Some(friends_key.clone()), kem_key: None };
    assert_eq!(contact_of(&scene.locate(&friend).await), "sip:ada@198.51.100.1");
    assert_eq!(scene.absence(&STRANGER).await, Absence::Left);
    scene.speak(&Location { contacts: vec![], ..here("sip:a") }, Audience::Friends(&friends_key), SEQ + 6).await;
    assert_eq!(scene.absence(&friend).await, Absence::Left);
}

#[tokio::test]
async fn what_does_not_hold_is_no_location() {
    let scene = Scene::new().await;
    let thief = OwnerKey::Ed25519(SigningKey::from_bytes(&[0x32; 32]));
    let location = here("sip:ada@192.0.2.7");
    let signed = |location: &Location, owner: &OwnerKey, seq| {
        location.publish(Audience::Everybody, (owner, &location_key()), seq, [4; 32], now()).expect("it fits")
    };
    let resigned =
        |value: &[u8], seq| Item::sign(&location_key(), b"sip1", seq, value.to_vec(), now()).expect("an item");
    let honest = signed(&location, &scene.owner, SEQ);
    let stranger = Identity::parse("tel:+12025550144").expect("an identity");
    let old = Location { not_before: SEQ - 9000, not_after: SEQ - 9000 + 3600, ..location.clone() };
    let later = Location { not_before: SEQ + 9000, not_after: SEQ + 9000, ..location.clone() };
    for (item, why) in [
        (signed(&location, &thief, SEQ), LocationError::Signature),
        (resigned(honest.value(), SEQ + 1), LocationError::Signature),
        (signed(&Location { identity: stranger, ..location.clone() }, &scene.owner, SEQ + 2), LocationError::OtherName),
        (
            signed(&old, &scene.owner, SEQ + 3),
            LocationError::Time { not_before: old.not_before, not_after: old.not_after },
        ),
        (
            signed(&later, &scene.owner, SEQ + 4),
            LocationError::Time { not_before: later.not_before, not_after: later.not_after },
        ),
        (resigned(b"", SEQ + 5), LocationError::Malformed),
        (resigned(&[0xff; 996], SEQ + 6), LocationError::Malformed),
    ] {
        scene.put(&item).await;
        assert_eq!(scene.absence(&STRANGER).await, Absence::Unreadable(why));
    }
    // Nothing can be added to these, and nothing taken away.
    for (seq, edge) in (SEQ + 7..).zip([i64::MIN, -377_705_116_800, 253_402_300_799, i64::MAX]) {
        scene
            .put(&signed(&Location { not_before: edge, not_after: edge, ..location.clone() }, &scene.owner, seq))
            .await;
        let why = LocationError::Time { not_before: edge, not_after: edge };
        assert_eq!(scene.absence(&STRANGER).await, Absence::Unreadable(why));
    }
    let gone = vec![Contact::new("sip:a", 1, now().unix_timestamp()).expect("a contact")];
    scene.put(&signed(&Location { contacts: gone, ..location }, &scene.owner, SEQ + 11)).await;
    assert_eq!(scene.absence(&STRANGER).await, Absence::Left);
}

#[tokio::test]
async fn an_older_location_than_one_seen_before_is_a_replay() {
    let mut scene = Scene::new().await;
    let seen = Seen::new();
    scene.lookup = scene.lookup.remembering(seen.clone());
    let item = scene.speak(&here("sip:ada@192.0.2.7"), Audience::Everybody, SEQ).await;
    contact_of(&scene.locate(&STRANGER).await);
    seen.note(item.slot().id(), SEQ + 1).expect("there is no file");
    assert_eq!(scene.absence(&STRANGER).await, Absence::RolledBack);
}

/// What ADR 9 gives up: the item of each day names the location key, so whoever keeps two of them knows that they are one's.
#[test]
fn who_keeps_the_friends_items_of_two_days_sees_one_key() {
    let (owner, friends) = (p256(), FriendsKey::from_bytes([5; 32]));
    let kept = [0, 86_400].map(|later| {
        let now = at(number("seq") + later);
        let location = Location { not_before: now.unix_timestamp(), not_after: now.unix_timestamp() + 60, ..written() };
        let both = (&owner, &location_key());
        location.publish(Audience::Friends(&friends), both, now.unix_timestamp(), [3; 32], now).expect("it fits")
    });
    assert_ne!(kept[0].slot().id(), kept[1].slot().id());
    assert!(kept.iter().all(|item| *item.slot().key() == array("key")), "it is linkable");
    let contact = b"sip:ada@192.0.2.7";
    assert!(kept.iter().all(|item| !item.to_bytes().windows(contact.len()).any(|window| window == contact)));
}

/// The price of watching: of a thousand days of a friends' location, how many a stranger keeps who runs a part of the nodes. Prints it.
#[test]
fn how_many_days_a_stranger_sees_who_runs_a_part_of_the_nodes() {
    const NODES: usize = 2000;
    let (owner, friends) = (array("key"), FriendsKey::from_bytes([5; 32]));
    // Node 0 to n are the stranger's: an id is a hash, as on the networks.
    let nodes: Vec<_> = (0..NODES).map(|node| Slot::new(owner, &node.to_be_bytes()).expect("short").id().0).collect();
    // Of the nodes that keep each day's item, the lowest number.
    let lowest = |keepers: usize| -> Vec<usize> {
        let day = |day: i64| Place::all_of_friends(&owner, &friends, at(86_400 * day + 43_200))[1].slot().id().0;
        (20_000..21_000)
            .map(|number| {
                let slot = day(number);
                let distance = |node: &usize| -> [u8; 20] { std::array::from_fn(|at| nodes[*node][at] ^ slot[at]) };
                let mut by_distance: Vec<usize> = (0..NODES).collect();
                by_distance.select_nth_unstable_by_key(keepers - 1, distance);
                by_distance[..keepers].iter().copied().min().expect("some keep it")
            })
            .collect()
    };
    // Kademlia's k on mainline, and OpenDHT's.
    for (name, keepers) in [("mainline", 20), ("OpenDHT", 8)] {
        let lowest = lowest(keepers);
        for per_mille in [1, 10, 100] {
            let seen = lowest.iter().filter(|node| **node < NODES * per_mille / 1000).count();
            println!("{name}: who runs {per_mille} of 1,000 nodes keeps {seen} of 1,000 days");
            let part = per_mille as f64 / 1000.0;
            let expected = 1000.0 * (1.0 - (1.0 - part).powi(i32::try_from(keepers).expect("small")));
            assert!((seen as f64 - expected).abs() < 60.0, "{seen}, by reckoning {expected:.0}");
        }
    }
}

#[test]
fn a_friends_slot_tells_nothing_of_the_next_day() {
    let (key, friends) = (array("key"), FriendsKey::from_bytes([5; 32]));
    let days: Vec<Slot> = (0..3)
        .map(|day| Place::all_of_friends(&key, &friends, at(86_400 * (20_000 + day) + 43_200))[1].slot().clone())
        .collect();
    assert!(days[0] != days[1] && days[1] != days[2]);
}
