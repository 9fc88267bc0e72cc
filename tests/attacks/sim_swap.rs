//! The number changes hands: somebody gets the victim's SIM, or the number after the victim gave it up, or revokes
//! the old certificate first. Then the calls are real.

use end_to_end::service::wait_until;
use ivr::phone::{CallPlan, Scenario};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::scene::{CARRIER, Scene, VICTIM};

#[test]
fn a_new_key_waits_beside_the_old_ones_certificate_and_none_lives_longer_than_thirty_days() {
    let scene = Scene::plain();
    let (_, _, owners) = scene.prove(CARRIER, VICTIM, true);
    let ends = OffsetDateTime::parse(owners.not_after.as_deref().expect("an end"), &Rfc3339).expect("a time");
    assert!(ends <= ivr::clock::Clock.wall() + time::Duration::days(30), "it lives until {ends}");

    // All that the voice asks is done right, from the right number, with another key.
    let taken = scene.begin_with_key(VICTIM, true);
    let plan = scene.plan_of(CARRIER, VICTIM, &taken, Scenario::Happy);
    let call = scene.call_and_type(plan, async |digits| scene.api.type_in(&taken, &digits).await.expect("right"));
    wait_until("the key waits", || scene.look(&taken).state == "held");

    let live = format!("certificates WHERE live = 1 AND serial = '{}'", owners.serial.expect("a serial"));
    assert_eq!((scene.count("certificates"), scene.count(&live)), (1, 1), "the owner's is the only one");
    assert_eq!(scene.count("revocations"), 0);
    assert_eq!(scene.record(&call.call_id).outcome, "held");
    let actions: Vec<String> = scene.audit().into_iter().map(|(_, action)| action).collect();
    let count = |wanted: &str| actions.iter().filter(|action| *action == wanted).count();
    assert_eq!((count("issue"), count("hold"), count("supersede")), (1, 1, 0), "{actions:?}");
}

#[test]
fn who_suspends_the_old_certificate_first_waits_all_the_same() {
    let scene = Scene::plain();
    let (_, _, owners) = scene.prove(CARRIER, VICTIM, true);
    let nine = scene.call(CallPlan { scenario: Scenario::Suspend, ..scene.plan(CARRIER, VICTIM) });
    assert_eq!(scene.record(&nine.call_id).outcome, "suspended");
    let on_hold = format!("revocations WHERE reason = 6 AND serial = '{}'", owners.serial.expect("a serial"));
    assert_eq!(scene.count(&on_hold), 1);

    let taken = scene.begin_with_key(VICTIM, true);
    let plan = scene.plan_of(CARRIER, VICTIM, &taken, Scenario::Happy);
    let call = scene.call_and_type(plan, async |digits| scene.api.type_in(&taken, &digits).await.expect("right"));
    wait_until("the key waits", || scene.look(&taken).state == "held");
    assert_eq!(scene.record(&call.call_id).outcome, "held");
    assert_eq!(
        (scene.count("certificates"), scene.count(&on_hold)),
        (1, 1),
        "nothing is issued, and the owner may lift"
    );
    let actions: Vec<String> = scene.audit().into_iter().map(|(_, action)| action).collect();
    assert_eq!(
        actions.iter().filter(|action| ["suspend", "hold"].contains(&action.as_str())).count(),
        2,
        "{actions:?}"
    );
}
