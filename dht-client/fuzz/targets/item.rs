//! What a DHT gives: an item that is read has one form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use time::macros::datetime;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(item) = dht_client::Item::from_any_bytes(bytes, datetime!(2026-03-01 12:00 UTC)) {
        assert_eq!(item.to_bytes(), bytes);
    }
});
