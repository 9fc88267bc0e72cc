//! A body of several parts as offer, as the ACK's answer and as a change: whatever it says, the call ends.
#![no_main]

use ivr_core_fuzz::{Body, Operation, Stage, pieces};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bodies: &[u8]| {
    let mut bodies = pieces(bodies);
    let [first, second] = [(); 2].map(|()| bodies.next().unwrap_or_default());
    let mixed = |octets| Body::Other { content_type: "multipart/mixed;boundary=b", octets };
    let says = |method, in_dialog, body| Operation::Request { caller: 0, method, in_dialog, headers: "", body };
    let mut stage = Stage::default();
    stage.perform(&says(0, false, mixed(first)));
    stage.perform(&Operation::Answer { call: 0, answer: 0 });
    stage.perform(&says(1, true, mixed(second)));
    stage.perform(&says(0, true, mixed(second)));
    stage.perform(&says(1, true, Body::Offer));
    stage.finish();
});
