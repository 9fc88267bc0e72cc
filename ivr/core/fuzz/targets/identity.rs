//! The headers that name a caller: no text makes the judge panic, none earns more than the trunk's word is worth, and who is
//! accepted has a number that is one.
#![no_main]

use ivr_core::caller::{Level, TrunkIndex, Verdict, judge};
use ivr_core::number::Number;
use ivr_core_fuzz::{config, trunk};
use libfuzzer_sys::fuzz_target;

// The Request-URI, and then a header a line, of those names or of others.
fuzz_target!(|given: &str| {
    let mut lines = given.lines();
    let uri = lines.next().unwrap_or_default();
    let headers: Vec<_> = lines.filter_map(|line| line.split_once(": ")).collect();
    let policy = config().policy;
    for uri in [uri, "sip:+12025550100@203.0.113.1"] {
        if let Verdict::Accept { caller, trunk: TrunkIndex(0) } = judge(&policy, &trunk().into(), uri, &headers) {
            assert!(caller.level <= Level::L2);
            assert!(Number::parse(caller.number.as_str()).is_ok());
        }
    }
});
