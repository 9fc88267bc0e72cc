//! Somebody has the victim's telephone forwarded to the service, or transfers one of its calls there: the victim's
//! number arrives, and the victim is not on the line.

use crate::scene::{CARRIER, OTHER_CARRIER, Scene, VICTIM, trunk};

#[test]
fn a_forwarded_or_transferred_call_is_refused_whatever_header_says_so() {
    let scene = Scene::plain();
    let owners = scene.begin(VICTIM);
    let table = [
        ("Diversion", "<tel:+12025550199>;reason=unconditional;counter=1", "forwarded"),
        ("CC-Diversion", "<sip:+12025550199@carrier.invalid>", "forwarded"),
        (
            "History-Info",
            "<sip:+12025550199@carrier.invalid;cause=302>;index=1, <sip:a@b.invalid>;index=1.1",
            "forwarded",
        ),
        ("History-Info", "<sip:+12025550199@carrier.invalid?Reason=SIP%3Bcause%3D486>;index=1", "forwarded"),
        ("History-Info", "<sip:+12025550199@carrier.invalid>;index=1.1;mp=1", "forwarded"),
        ("Referred-By", "<sip:+12025550199@carrier.invalid>", "transferred"),
        ("Replaces", "98732@sip.example.com;from-tag=r33th4x0r;to-tag=ff87ff", "transferred"),
        ("Join", "12adf2f34456gs5;to-tag=12345;from-tag=54321", "transferred"),
    ];
    for (name, value, reason) in table {
        let mut plan = scene.plan(CARRIER, VICTIM);
        plan.identity = plan.identity.with(name, value);
        let record = scene.record(&scene.refused(plan, 403).call_id);
        record.is_refused(403, reason);
        assert_eq!(record.last4.as_deref(), Some("0143"), "{name}");
    }
    scene.page_hears(&owners, "refused");
    assert_eq!(scene.figure("sip_answered_total"), 0);
}

#[test]
fn over_a_trunk_that_may_strip_the_header_no_call_is_worth_more_than_l1() {
    let keeps = |what: &'static str| [("keeps_diversion = \"yes\"", what)];
    let strips = trunk("strips", CARRIER, &keeps("keeps_diversion = \"no\""));
    let scene = Scene::with(&(strips + &trunk("untried", OTHER_CARRIER, &keeps("keeps_diversion = \"unknown\""))));
    scene.begin(VICTIM);
    for (carrier, name) in [(CARRIER, "strips"), (OTHER_CARRIER, "untried")] {
        let record = scene.record(&scene.refused(scene.plan(carrier, VICTIM), 403).call_id);
        record.is_refused(403, "below-issuing-level");
        assert_eq!(record.trunk.as_deref(), Some(name));
    }
}
