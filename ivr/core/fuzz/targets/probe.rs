//! Calls of the trunk's probe: whatever a carrier's headers say, what is kept of them is bounded and tells neither the secret of our
//! address nor more of a signature than its length, and a proposal comes of it.
#![no_main]

use std::collections::BTreeSet;

use ivr_core::caller::TrunkIndex;
use ivr_core::caller::probe::{Call, Capture, Expected, Step, propose};
use ivr_core::number::Number;
use ivr_core::private::Private;
use ivr_core_fuzz::{config, trunk};
use libfuzzer_sys::fuzz_target;

/// As the seeds have it.
const SECRET: &str = "k3vq81zmxw07pldy55ce";
const MOST_HEADERS: usize = 40;
const LONGEST_VALUE_BYTES: usize = 512;

// Calls apart by an empty line: the Request-URI, and then a header a line.
fuzz_target!(|given: &str| {
    let number = |text: &str| Number::parse(text).expect("a number");
    let mut policy = config().policy;
    policy.trunks[0].ingress_secret = Some(Private::new(SECRET.to_owned()));
    let calls: Vec<Call> = given
        .split("\n\n")
        .zip(Step::ALL)
        .map(|(call, step)| {
            let mut lines = call.lines();
            let uri = lines.next().unwrap_or_default();
            let headers: Vec<_> = lines.filter_map(|line| line.split_once(": ")).collect();
            let capture = Capture::of(&policy, TrunkIndex(0), trunk().into(), uri, &headers);
            assert!(capture.headers.len() <= MOST_HEADERS && capture.headers.len() + capture.left_out <= headers.len());
            for (name, value) in &capture.headers {
                assert!(value.expose().len() <= LONGEST_VALUE_BYTES && !value.expose().contains(SECRET), "{name}");
                if name == "Identity" {
                    assert!(value.expose().starts_with('('), "a signed identity is kept");
                }
            }
            let forwarder = (step == Step::Forwarded).then(|| number("+12025550177"));
            Call { expected: Expected { step, number: number("+12025550143"), forwarder }, capture }
        })
        .collect();
    let proposal = propose(&calls);
    let keys: BTreeSet<_> = proposal.lines.iter().map(|line| &line.key).collect();
    assert_eq!(keys.len(), proposal.lines.len(), "a key is proposed twice");
    assert!(proposal.lines.iter().all(|line| !line.value.contains(SECRET)));
});
