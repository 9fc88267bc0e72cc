//! A bundle from whoever serves it.
#![no_main]

use dht_client::{Bundle, Pin};
use libfuzzer_sys::fuzz_target;
use time::macros::datetime;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(bundle) = Bundle::read(bytes, Pin::File, datetime!(2026-03-01 12:00 UTC)) {
        assert!(!bundle.directory_keys.is_empty());
    }
});
