//! Certificates from a record: the first is the root, the second an intermediate, the rest the leaf.
#![no_main]

use dht_client::{Authority, Identity};
use libfuzzer_sys::fuzz_target;
use time::macros::datetime;

fuzz_target!(|parts: (&[u8], &[u8], &[u8])| {
    let (root, intermediate, leaf) = parts;
    let oid_arc = vec![1, 3, 6, 1, 4, 1, 32473];
    let authority = Authority { root: root.to_vec(), intermediates: vec![intermediate.to_vec()], oid_arc };
    let identity = Identity::parse("tel:+12025550143").expect("an identity");
    let _ = authority.check(leaf, &identity, datetime!(2026-03-01 12:00 UTC));
});
