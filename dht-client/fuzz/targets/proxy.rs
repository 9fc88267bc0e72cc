//! What an OpenDHT proxy says of a slot, and of itself: of it all, only what the slot's key signed is taken, however it is cut.
#![no_main]

use dht_client::backend::opendht::understood;
use dht_client::{Item, SigningKey, Slot};
use libfuzzer_sys::fuzz_target;
use time::macros::datetime;

fuzz_target!(|bytes: &[u8]| {
    let now = datetime!(2026-03-01 12:00 UTC);
    let key = SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes();
    let slot = Slot::new(key, b"slot").expect("a short salt");
    let (items, has_peers) = understood(bytes, usize::MAX, &slot, now);
    for item in &items {
        assert_eq!(Item::from_bytes(&item.to_bytes(), &slot, now).as_ref(), Ok(item));
    }
    assert_eq!(understood(bytes, 7, &slot, now), (items, has_peers));
});
