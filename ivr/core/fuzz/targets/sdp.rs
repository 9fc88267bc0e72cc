//! A session description as offer, as the ACK's answer, and as a change: the answer to whatever it says is bounded.
#![no_main]

use ivr_core_fuzz::{Body, Operation, Stage, pieces};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|descriptions: &[u8]| {
    let mut descriptions = pieces(descriptions);
    let [offer, answer, change] = [(); 3].map(|()| descriptions.next().unwrap_or_default());
    let says = |method, in_dialog, body| Operation::Request { caller: 0, method, in_dialog, headers: "", body };
    let mut stage = Stage::default();
    let late = if offer.is_empty() { Body::None } else { Body::Description(offer) };
    stage.perform(&says(0, false, late));
    stage.perform(&Operation::Answer { call: 0, answer: 0 });
    stage.perform(&says(1, true, Body::Description(answer)));
    stage.perform(&says(0, true, Body::Description(change)));
    stage.perform(&says(1, true, Body::None));
    stage.perform(&says(4, true, Body::Description(change)));
    stage.finish();
});
