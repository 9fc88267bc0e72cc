//! Whatever stands in a TNAuthList: decoding never panics, and what is decoded has entries, each of a length that can be kept.
#![no_main]

use ivr_core::passport::{TnAuthList, TnEntry};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|der: &[u8]| {
    let Ok(list) = TnAuthList::from_der(der) else { return };
    assert!(!list.entries().is_empty());
    for entry in list.entries() {
        match entry {
            TnEntry::Spc(spc) => assert!((1..=32).contains(&spc.len())),
            TnEntry::Range { start, count } => assert!((1..=15).contains(&start.len()) && *count >= 2),
            TnEntry::One(one) => assert!((1..=15).contains(&one.len())),
        }
    }
});
