//! A link, or malware on the telephone, dials the number with the tones of the code and a guess of the digit that
//! confirms.

use std::time::Duration;

use ivr::phone::{CallPlan, Scenario};
use voice_prompts::PromptId::{PressNine, PressToConfirm, TypeIntoPage};

use crate::scene::{CARRIER, Scene, VICTIM};

#[test]
fn tones_that_come_by_themselves_confirm_nothing() {
    let scene = Scene::plain();
    let attackers = scene.begin_with_key(VICTIM, false);
    let plan = scene.plan_of(CARRIER, VICTIM, &attackers, Scenario::DialString);
    // Long enough to hear which digit it should be.
    let call = scene.call(CallPlan { patience: Duration::from_secs(32), ..plan });
    assert!(call.has_heard(PressToConfirm) && !call.has_heard(TypeIntoPage), "{:?}", call.heard);
    assert_eq!(call.read_back, None);

    let record = scene.record(&call.call_id);
    let steps = record.steps();
    assert!(steps.contains(&"code-matched") && !steps.contains(&"confirmed"), "{steps:?}");
    assert_eq!(record.outcome, "hung-up");
    assert_eq!((scene.look(&attackers).state.as_str(), scene.count("certificates")), ("waiting", 0));
    assert!(scene.audit().is_empty());
}

#[test]
fn a_string_of_nines_suspends_nothing() {
    let scene = Scene::plain();
    let (_, _, owners) = scene.prove(CARRIER, VICTIM, false);
    let call = scene.call(CallPlan { scenario: Scenario::DialString, ..scene.plan(CARRIER, VICTIM) });
    assert!(call.has_heard(PressNine) && call.has_heard(PressToConfirm), "{:?}", call.heard);

    let record = scene.record(&call.call_id);
    assert_eq!(record.outcome, "wrong-confirm-key", "{record:?}");
    assert!(!record.steps().contains(&"suspending"), "{record:?}");
    let live = format!("certificates WHERE live = 1 AND serial = '{}'", owners.serial.expect("a serial"));
    assert_eq!((scene.count(&live), scene.count("revocations")), (1, 0));
    assert!(scene.audit().iter().all(|(_, action)| action != "suspend"));
}
