//! Whose records a keeper keeps: asked again where somebody was silent, and for what an owner says later and elsewhere.

use std::time::Duration;

use dht_client::backend::memory::Fault as Failing;
use dht_client::{
    Audience, Backend, Contact, Following, Friend, FriendsKey, Item, Location, Refresher, Verdict, Whereabouts,
};
use time::OffsetDateTime;

use crate::authority::now;
use crate::scene::{PATIENCE, SEQ, Scene, TTL, identity, location_key};

const HOUR: i64 = 3600;

fn later(seconds: i64) -> OffsetDateTime {
    now() + time::Duration::seconds(seconds)
}

/// A keeper as `dialproof refresh` is one, on a clock that goes from one deadline to the next.
struct Keeping {
    keeper: Refresher,
    following: Following,
}

impl Keeping {
    fn of(scene: &Scene, friend: Friend) -> Self {
        let lookup = scene.lookup.clone();
        let keeper = Refresher::new(lookup.backends().clone());
        Self { keeper, following: Following::new(lookup, friend, PATIENCE, vec![identity()], now()) }
    }

    fn next(&mut self) -> Option<OffsetDateTime> {
        self.keeper.deadline().into_iter().chain(self.following.deadline()).min()
    }

    async fn until(&mut self, end: OffsetDateTime) {
        while let Some(now) = self.next().filter(|next| *next <= end) {
            self.keeper.round(|| 0.0, || now).await.expect("there is no file");
            if let Some(told) = self.following.ask(now).await.expect("cheap parameters") {
                for kept in told.records {
                    self.keeper.keep(kept, now).expect("it is not over");
                }
            }
        }
    }
}

async fn put(scene: &Scene, item: &Item, at: OffsetDateTime) {
    Backend::Memory(scene.memory.clone()).put(item, TTL, None, at).await.expect("the map takes it");
}

/// The owner says then, for a day, where to be called.
async fn speak(scene: &Scene, uri: &str, audience: Audience<'_>, at: OffsetDateTime) {
    let (seq, until) = (at.unix_timestamp(), at.unix_timestamp() + 24 * HOUR);
    let contacts = vec![Contact::new(uri, 1000, until).expect("a contact")];
    let location = Location { identity: identity(), contacts, not_before: seq, not_after: until };
    let item = location.publish(audience, (&scene.owner, &location_key()), seq, [4; 32], at).expect("it fits");
    put(scene, &item, at).await;
}

#[tokio::test]
async fn who_was_silent_is_asked_again_until_they_answer() {
    let scene = Scene::new().await;
    scene.memory.fail(Failing::Dead);
    let mut keeping = Keeping::of(&scene, Friend::default());
    let (mut pauses, mut at) = (Vec::new(), now());
    for _ in 0..5 {
        keeping.until(at).await;
        let due = keeping.following.deadline().expect("who was silent is asked again");
        pauses.push((due - at).whole_seconds());
        at = due;
    }
    assert_eq!((pauses, keeping.keeper.len()), (vec![10, 20, 40, 80, 160], 0));
    scene.memory.fail(Failing::None);
    keeping.until(at).await;
    assert_eq!(keeping.keeper.len(), 1);
    assert_eq!(keeping.following.deadline(), Some(at + Duration::from_secs(3600)));
    // What the authority put is forgotten after an hour.
    keeping.until(later(4 * HOUR)).await;
    let verdict = scene.lookup.find(&identity(), PATIENCE, later(4 * HOUR)).await;
    assert!(matches!(verdict, Ok(Verdict::Found(_))), "{verdict:?}");
}

#[tokio::test]
async fn what_an_owner_says_later_and_elsewhere_is_kept_to_its_end() {
    let scene = Scene::unpublished();
    scene.enrol(None, SEQ).await;
    let friends_key = FriendsKey::from_bytes([0x41; 32]);
    let friend = Friend { friends_key: Some(friends_key.clone()), kem_key: None };
    let mut keeping = Keeping::of(&scene, friend.clone());
    keeping.until(later(60)).await;
    assert_eq!(keeping.keeper.len(), 1, "there is no location yet");

    let listed = scene.certified(Some(location_key().verifying_key().to_bytes()));
    put(&scene, &scene.statement(listed, SEQ + 1), later(600)).await;
    speak(&scene, "sip:office@192.0.2.7", Audience::Everybody, later(600)).await;
    keeping.until(later(2 * HOUR)).await;
    assert_eq!(keeping.keeper.len(), 2, "a location in a slot that was empty");

    // Past midnight: in another slot than the one in which a friend looked first.
    let tomorrow = later(20 * HOUR + 600);
    keeping.until(tomorrow).await;
    speak(&scene, "sip:home@198.51.100.4", Audience::Friends(&friends_key), tomorrow).await;
    keeping.until(later(23 * HOUR)).await;
    let whereabouts = scene.lookup.locate(&identity(), &friend, PATIENCE, later(23 * HOUR)).await;
    let Ok(Whereabouts::Here { location, complete: true, .. }) = &whereabouts else { panic!("{whereabouts:?}") };
    assert_eq!(location.contacts[0].expose(), "sip:home@198.51.100.4");

    keeping.until(later(100 * HOUR)).await;
    assert_eq!((keeping.keeper.len(), keeping.next()), (0, None), "nothing is left to keep, and nobody to ask");
}

#[tokio::test]
async fn whom_nobody_ever_knew_is_asked_once_and_whom_a_dht_forgot_again() {
    let scene = Scene::unpublished();
    let follow = || Following::new(scene.lookup.clone(), Friend::default(), PATIENCE, vec![identity()], now());
    let mut strangers = follow();
    let told = strangers.ask(now()).await.expect("cheap parameters").expect("it is their turn");
    assert!(told.is_stranger && told.records.is_empty(), "{told:?}");
    assert_eq!(strangers.deadline(), None);
    assert!(strangers.ask(later(HOUR)).await.expect("cheap parameters").is_none());

    scene.enrol(None, SEQ).await;
    let mut members = follow();
    for at in [now(), later(HOUR), later(2 * HOUR)] {
        let told = members.ask(at).await.expect("cheap parameters").expect("it is their turn");
        assert!(!told.is_stranger && told.records.len() == usize::from(at == now()), "{told:?}");
    }
    assert_eq!(members.deadline(), Some(later(3 * HOUR)));
}
