//! What people and bundles write: whom, which DHT, which root, which slot. What is read has one spelling.
#![no_main]

use dht_client::{Identity, Network, Pin, SlotId};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for identity in [Identity::parse(text), Identity::mailto(text), Identity::tel(text)].into_iter().flatten() {
        assert_eq!(Identity::parse(identity.expose()).as_ref(), Ok(&identity));
    }
    if let Ok(network) = text.parse::<Network>() {
        assert_eq!(network.to_string().parse(), Ok(network));
    }
    if let Some(slot) = SlotId::parse(text) {
        assert_eq!(slot.to_string(), text);
    }
    let _ = Pin::parse(text);
});
