//! Somebody who can call as the victim, but holds no session, guesses the code of the victim's.

use ivr::phone::Scenario;

use crate::scene::{CARRIER, Scene, VICTIM};

#[test]
fn ten_wrong_codes_a_day_are_compared_whatever_sessions_begin_meanwhile() {
    let scene = &Scene::plain();
    // Three tries a call, six a session: the first pair of calls ends the first session, the second the day.
    for expected in ["voided", "waiting"] {
        let victims = scene.begin(VICTIM);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                let plan = scene.plan_of(CARRIER, VICTIM, &victims, Scenario::ThreeWrongCodes);
                scope.spawn(move || scene.call(plan));
            }
        });
        assert_eq!(scene.look(&victims).state, expected);
    }
    assert_eq!(scene.count("number_days WHERE wrong_codes = 10"), 1);
    let another = scene.begin(VICTIM);
    let call = scene.refused(scene.plan_of(CARRIER, VICTIM, &another, Scenario::Happy), 486);
    scene.record(&call.call_id).is_refused(486, "number-exhausted");
    assert_eq!(scene.count("certificates"), 0);
}
