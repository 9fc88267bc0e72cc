//! Where somebody is, as a look-up tells it: to everybody, to friends, to a few; and where it cannot be told.

use dht_client::backend::memory::{Fault as Failing, Memory};
use dht_client::location::place::Place;
use dht_client::{
    Absence, Answer, Audience, Backend, Bundle, Contact, Derived, Fault, Friend, FriendsKey, GetError, HashCost,
    Hasher, Identity, Item, KemKey, Location, LocationError, Lookup, OwnerKey, Pin, Record, Seen, Several, SigningKey,
    Status, Verdict, Whereabouts,
};

use crate::authority::now;
use crate::scene::{PATIENCE, SEQ, STRANGER, Scene, TTL, contact_of, here, identity, location_key};

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
