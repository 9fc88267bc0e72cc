//! The bodies of INFOs, of both types and of any, in a call whose keys come no other way: each is answered, and the call
//! ends.
#![no_main]

use ivr_core_fuzz::{Body, Operation, Stage, pieces};
use libfuzzer_sys::fuzz_target;

/// An offer without telephone-event.
const OFFER: &[u8] =
    b"v=0\r\no=- 1 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0\r\n";

fuzz_target!(|bodies: &[u8]| {
    let mut bodies = pieces(bodies);
    let Ok(any) = std::str::from_utf8(bodies.next().unwrap_or_default()) else { return };
    let says = |method, in_dialog, body| Operation::Request { caller: 0, method, in_dialog, headers: "", body };
    let mut stage = Stage::default();
    stage.perform(&says(0, false, Body::Description(OFFER)));
    stage.perform(&Operation::Answer { call: 0, answer: 0 });
    stage.perform(&says(1, true, Body::None));
    // The warning ends: from now on keys mean something.
    stage.perform(&Operation::Media { call: 0, event: 1 });
    for (content_type, octets) in ["application/dtmf-relay", "application/dtmf", any].into_iter().cycle().zip(bodies) {
        stage.perform(&says(6, true, Body::Other { content_type, octets }));
    }
    stage.finish();
});
