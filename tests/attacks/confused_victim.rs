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
    assert_eq!(call.key_check, None, "a page has nothing to compare it with");
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

#[test]
fn an_app_hears_that_the_call_is_not_about_its_own_key() {
    let scene = &Scene::plain();
    // What the victim's app shows, and what the voice says in a call with its own code and with the attacker's.
    let ((own, shown), (attackers, other)) = (scene.begin_by_app(VICTIM), scene.begin_by_app(VICTIM));
    assert_ne!(shown, other, "one time in ten thousand they are the same");
    std::thread::scope(|scope| {
        let call = |started| {
            let plan = scene.plan_of(CARRIER, VICTIM, started, Scenario::HangUp(Stage::ReadBack));
            scope.spawn(move || scene.call(plan))
        };
        for (call, expected) in [(call(&own), shown), (call(&attackers), other)] {
            let call = call.join().expect("a call");
            assert_eq!(call.key_check.map(|digits| digits.expose().clone()), Some(expected), "{:?}", call.heard);
            // Before the digits, which the attacker would need.
            assert!(call.read_back.is_none() && !call.heard.contains(&TypeIntoPage), "{:?}", call.heard);
            assert_eq!(scene.record(&call.call_id).outcome, "hung-up-after-read-back");
        }
    });
    assert_eq!((scene.count("certificates"), scene.audit()), (0, vec![]));
}
