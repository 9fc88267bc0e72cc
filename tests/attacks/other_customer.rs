//! Carriers serve many customers from the same addresses: another of them sends a call to our URI, with whatever number
//! the carrier lets it present.

use crate::scene::{CARRIER, SECRET, Scene, VICTIM, trunk};

const SHARED: &str = "shared_addresses = true";

#[test]
fn without_the_secret_of_the_uri_that_only_our_carrier_knows_it_is_refused() {
    let secret = format!("{SHARED}\ningress_secret_file = \"carrier.secret\"");
    let scene = Scene::with(&trunk("carrier", CARRIER, &[("shared_addresses = false", &secret)]));
    let owners = scene.begin(VICTIM);
    let longer = format!("key={SECRET}0");
    for parameters in [vec![], vec!["key="], vec!["key=k3vq81zmxw07pldy55cf"], vec![&SECRET[..19]], vec![&longer[..]]] {
        let mut plan = scene.plan(CARRIER, VICTIM);
        plan.uri_parameters = parameters.iter().map(|text| (*text).to_owned()).collect();
        let record = scene.record(&scene.refused(plan, 403).call_id);
        record.is_refused(403, "ingress-secret");
        assert_eq!(record.last4, None, "a number was read from a call that nobody vouches for");
    }
    // The secret, but a number that is not ours on this trunk.
    let mut plan = scene.plan(CARRIER, VICTIM);
    plan.uri_parameters = vec![format!("key={SECRET}")];
    let right = plan.clone();
    plan.dialled = "+12025550101".to_owned();
    scene.record(&scene.refused(plan, 404).call_id).is_refused(404, "not-our-number");

    let call = scene.call(right);
    assert_eq!(call.status, Some(200), "our own carrier's call");
    assert_eq!(scene.record(&call.call_id).level, Some(2));
    let heard = end_to_end::proving::happenings(&scene.service, &owners);
    assert!(heard.is_empty(), "a page hears of calls that nobody vouches for: {heard:?}");
}

#[test]
fn where_addresses_are_shared_and_there_is_no_secret_no_call_is_worth_more_than_l1() {
    let scene = Scene::with(&trunk("carrier", CARRIER, &[("shared_addresses = false", SHARED)]));
    scene.begin(VICTIM);
    let call = scene.refused(scene.plan(CARRIER, VICTIM), 403);
    scene.record(&call.call_id).is_refused(403, "below-issuing-level");
}
