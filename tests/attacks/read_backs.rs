//! Who holds the session (an attacker whose victim keyed in the code, or a thief of the page) posts digits.

use ivr::phone::{Scenario, Stage};
use tokio::task::JoinSet;

use crate::scene::{CARRIER, Scene, VICTIM};

/// Posts at once.
const POSTS: usize = 20;

#[test]
fn of_twenty_guesses_at_once_three_are_compared_and_the_number_is_none_the_worse() {
    let scene = Scene::plain();
    let started = scene.begin_with_key(VICTIM, false);
    let plan = scene.plan_of(CARRIER, VICTIM, &started, Scenario::Happy);
    let call = scene.call_and_type(plan, async |digits| {
        let mut posts = JoinSet::new();
        for nth in 0..POSTS {
            let (api, started) = (scene.api.clone(), started.clone());
            let right: u32 = digits.parse().expect("six digits");
            let guess = format!("{:06}", (right + 1 + u32::try_from(nth).expect("few")) % 1_000_000);
            posts.spawn(async move { api.type_in(&started, &guess).await });
        }
        let taken = posts.join_all().await.into_iter().filter(Result::is_ok).count();
        assert_eq!(taken, 0, "a guess was taken");
        scene.api.type_in(&started, &digits).await.expect_err("the right digits come too late");
    });
    let typed = |outcome: &str| scene.figure(&format!("read_backs_total{{outcome=\"{outcome}\"}}"));
    assert_eq!(["wrong", "voided", "not-expected", "right"].map(typed), [2, 1, POSTS as u64 - 2, 0]);
    assert_eq!(scene.look(&started).state, "voided");
    assert_eq!(scene.record(&call.call_id).outcome, "read-back-voided");
    assert_eq!((scene.count("certificates"), scene.audit()), (0, vec![]));

    let again = scene.begin(VICTIM);
    let call = scene.call(scene.plan_of(CARRIER, VICTIM, &again, Scenario::HangUp(Stage::Warning)));
    assert_eq!(call.status, Some(200), "the number is locked out");
}

#[test]
fn the_right_digits_twenty_times_at_once_make_one_certificate() {
    let scene = Scene::plain();
    let started = scene.begin_with_key(VICTIM, false);
    let plan = scene.plan_of(CARRIER, VICTIM, &started, Scenario::Happy);
    let call = scene.call_and_type(plan, async |digits| {
        let mut posts = JoinSet::new();
        for _ in 0..POSTS {
            let (api, started, digits) = (scene.api.clone(), started.clone(), digits.clone());
            posts.spawn(async move { api.type_in(&started, &digits).await });
        }
        let taken = posts.join_all().await.into_iter().filter(Result::is_ok).count();
        assert_eq!(taken, 1, "the digits were taken {taken} times");
    });
    assert_eq!(scene.record(&call.call_id).outcome, "verified");
    assert!(scene.look(&started).is_issued());
    assert_eq!((scene.count("certificates"), scene.count("intents"), scene.count("revocations")), (1, 1, 0));
    assert_eq!(scene.audit(), [("issue".to_owned(), "issue".to_owned())]);
}
