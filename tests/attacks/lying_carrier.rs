//! A carrier signs, or says, that it knows its customer and the number, whoever calls.

use ivr::phone::Identity;
use ivr_core::private::Private;

use crate::scene::{CARRIER, Scene, VICTIM, trunk};

/// The carrier's own words, in every dialect: the number is the caller's (A).
fn vouched_for() -> Identity {
    let mut identity = Identity::of(VICTIM).with("P-Attestation-Indicator", "A").with("X-Attestation", "A");
    identity.asserted = vec![Private::new(format!("<tel:{VICTIM};verstat=TN-Validation-Passed-A>"))];
    identity
}

#[test]
fn its_word_earns_no_more_than_its_profile_and_a_doubt_costs() {
    let scene = Scene::with(&trunk("carrier", CARRIER, &[]));
    scene.begin(VICTIM);
    let mut plan = scene.plan(CARRIER, VICTIM);
    plan.identity = vouched_for();
    let call = scene.call(plan);
    assert_eq!(call.status, Some(200));
    let record = scene.record(&call.call_id);
    assert_eq!((record.level, record.trunk.as_deref()), (Some(2), Some("carrier")), "an unverified A earned something");

    // What it says against its caller is believed.
    let mut plan = scene.plan(CARRIER, VICTIM);
    plan.identity = Identity::of(VICTIM).with("P-Attestation-Indicator", "C");
    scene.record(&scene.refused(plan, 403).call_id).is_refused(403, "below-issuing-level");

    let mut plan = scene.plan(CARRIER, VICTIM);
    plan.identity.asserted = vec![Private::new(format!("<tel:{VICTIM};verstat=TN-Validation-Failed>"))];
    scene.record(&scene.refused(plan, 438).call_id).is_refused(438, "validation-failed");
    assert!(scene.audit().is_empty());
}
