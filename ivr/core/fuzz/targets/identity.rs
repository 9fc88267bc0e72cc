//! The headers that name a caller: no text makes the judge panic, none earns more than the trunk's word is worth, and who is
//! accepted has a number that is one.
#![no_main]

use ivr_core::caller::{Level, Verdict, judge};
use ivr_core::number::Number;
use ivr_core_fuzz::{config, trunk};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 12] = [
    "From",
    "P-Asserted-Identity",
    "Remote-Party-ID",
    "Privacy",
    "Identity",
    "Diversion",
    "History-Info",
    "Referred-By",
    "P-Attestation-Indicator",
    "To",
    "Replaces",
    "Reason",
];

fuzz_target!(|given: (&str, Vec<(u8, &str)>)| {
    let (uri, headers) = given;
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| (NAMES[usize::from(*name) % NAMES.len()], *value)).collect();
    let policy = config().policy;
    for uri in [uri, "sip:+12025550100@203.0.113.1"] {
        if let Verdict::Accept { caller, trunk: 0 } = judge(&policy, &trunk().into(), uri, &headers) {
            assert!(caller.level <= Level::L2);
            assert!(Number::parse(caller.number.as_str()).is_ok());
        }
    }
});
