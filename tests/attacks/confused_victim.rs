//! An attacker begins a verification of the victim's number for a key of its own, and talks the victim into calling and
//! keying in the code.

use ivr::phone::{Scenario, Stage};
use voice_prompts::PromptId::{self, EnterCode, TypeIntoPage, Verified, WarningScam};

use crate::scene::{CARRIER, Scene, VICTIM};

#[test]
fn the_warning_comes_before_the_code_and_the_digits_are_heard_by_the_victim_alone() {
    let scene = Scene::plain();
    let attackers = scene.begin_with_key(VICTIM, true);
    // The victim does all that the voice asks, and tells nobody the digits that it reads: the attacker guesses.
    let plan = scene.plan_of(CARRIER, VICTIM, &attackers, Scenario::Happy);
    let call = scene.call_and_type(plan, async |digits| {
        let guess = if digits == "123456" { "654321" } else { "123456" };
        for _ in 0..3 {
            scene.api.type_in(&attackers, guess).await.expect_err("a guess is wrong");
        }
    });
    let heard = |id: PromptId| call.heard.iter().position(|heard| *heard == id);
    assert!(heard(WarningScam) < heard(EnterCode) && heard(WarningScam).is_some(), "{:?}", call.heard);
    assert!(heard(TypeIntoPage).is_some() && heard(Verified).is_none(), "{:?}", call.heard);
    assert_eq!(call.number_ending.map(|ending| ending.expose().clone()).as_deref(), Some("0143"));

    assert_eq!(scene.look(&attackers).state, "voided");
    assert_eq!((scene.count("certificates"), scene.count("intents"), scene.audit()), (0, 0, vec![]));
    let record = scene.record(&call.call_id);
    assert_eq!(record.outcome, "read-back-voided", "{record:?}");
    // The victim is none the worse: it may verify its number itself.
    let own = scene.begin(VICTIM);
    let call = scene.call(scene.plan_of(CARRIER, VICTIM, &own, Scenario::HangUp(Stage::Warning)));
    assert_eq!(call.status, Some(200));
}
