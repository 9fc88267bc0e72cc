//! A number that many people call from: a payphone, a cell block, a switchboard's extension, a service number.

use ivr::phone::api::ApiError;
use ivr_core::private::Private;

use crate::scene::{CARRIER, Scene, VICTIM};

/// A toll-free number that no telephone has.
const TOLL_FREE: &str = "+18005550199";

#[test]
fn calls_from_lines_that_are_nobodys_own_are_refused() {
    let scene = Scene::plain();
    let owners = scene.begin(VICTIM);
    let table = [
        (format!("<tel:{VICTIM};cpc=payphone>"), "shared-line"),
        (format!("<tel:{VICTIM};cpc=prison>"), "shared-line"),
        (format!("<sip:{VICTIM};cpc=operator@carrier.invalid;user=phone>"), "shared-line"),
        (format!("<sip:{VICTIM}@carrier.invalid;user=phone;isup-oli=29>"), "shared-line"),
        (format!("<sip:{VICTIM}@carrier.invalid;user=phone>;oli=70"), "shared-line"),
        (format!("<tel:{VICTIM};ext=7>"), "extension"),
        (format!("<tel:{VICTIM};isub=12>"), "extension"),
    ];
    for (asserted, reason) in table {
        let mut plan = scene.plan(CARRIER, VICTIM);
        plan.identity.asserted = vec![Private::new(asserted)];
        scene.record(&scene.refused(plan, 403).call_id).is_refused(403, reason);
    }
    scene.page_hears(&owners, "refused");

    let record = scene.record(&scene.refused(scene.plan(CARRIER, TOLL_FREE), 403).call_id);
    record.is_refused(403, "number-kind");
    let refused = scene.try_to_begin(TOLL_FREE);
    assert!(matches!(refused, Err(ApiError::Refused { status: 422, .. })), "{refused:?}");
    assert_eq!(scene.figure("sip_answered_total"), 0);
}
