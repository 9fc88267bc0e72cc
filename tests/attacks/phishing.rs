//! A page that looks like the service's begins a verification for a key of its own and shows its code to the visitor.

use ivr::phone::{Scenario, Stage};
use voice_prompts::PromptId::{self, EnterCode, Service, ThisIs, WarningNumber, WarningScam};

use crate::scene::{CARRIER, Scene, VICTIM};

#[test]
fn the_voice_says_whose_service_it_is_and_what_for_before_it_asks_for_the_code() {
    let scene = Scene::plain();
    let phished = scene.begin_with_key(VICTIM, false);
    let plan = scene.plan_of(CARRIER, VICTIM, &phished, Scenario::HangUp(Stage::Confirm));
    let call = scene.call(plan);
    assert_eq!(call.heard[..3], [ThisIs, Service, WarningNumber], "{:?}", call.heard);
    let place = |id: PromptId| call.heard.iter().position(|heard| *heard == id).expect("it was spoken");
    assert!(place(WarningNumber) < place(WarningScam) && place(WarningScam) < place(EnterCode), "{:?}", call.heard);
    assert_eq!(call.number_ending.map(|ending| ending.expose().clone()).as_deref(), Some("0143"));

    let record = scene.record(&call.call_id);
    assert_eq!(record.steps()[..2], ["warning", "entering-code"], "{record:?}");
    let asked = record.lines.iter().position(|(_, what)| what == "entering-code").expect("it was asked for");
    let keyed = record.lines.iter().position(|(kind, _)| kind == "key").expect("it was keyed in");
    assert!(asked < keyed, "{record:?}");
    // Without the digits that are read after the confirmation, the page has nothing.
    assert_eq!((scene.look(&phished).state.as_str(), scene.count("certificates")), ("waiting", 0));
    assert!(scene.audit().is_empty());
}
