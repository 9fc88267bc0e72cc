//! Datagrams to the SIP socket, in turns from the trunk and from a stranger: nothing panics, and a call waits for something.
#![no_main]

use std::time::Instant;

use ivr_core::endpoint::{Endpoint, Input};
use ivr_core_fuzz::{config, pieces, trunk};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|datagrams: &[u8]| {
    let mut endpoint = Endpoint::new(config(), [3; 32]);
    let now = Instant::now();
    let sources = [trunk(), "198.51.100.9:5060".parse().expect("an address")];
    for (bytes, from) in pieces(datagrams).zip(sources.into_iter().cycle()) {
        let mut out = Vec::new();
        endpoint.handle(Input::Message { from: from.into(), bytes }, now, &mut out);
        assert!(endpoint.live_calls() == 0 || endpoint.deadline().is_some());
    }
});
