//! Certificates from a record: the first is the root, the second an intermediate, the rest the leaf.
#![no_main]

use dht_client::{Authority, Identity};
use libfuzzer_sys::fuzz_target;
use time::macros::datetime;

/// Stands between them.
const BETWEEN: &[u8] = &[0x1e; 4];

fuzz_target!(|bytes: &[u8]| {
    let (root, rest) = cut(bytes);
    let (intermediate, leaf) = cut(rest);
    let oid_arc = vec![1, 3, 6, 1, 4, 1, 32473];
    let authority = Authority { root: root.to_vec(), intermediates: vec![intermediate.to_vec()], oid_arc };
    let identity = Identity::parse("tel:+12025550143").expect("an identity");
    let _ = authority.check(leaf, &identity, datetime!(2026-03-01 12:00 UTC));
});

fn cut(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.windows(BETWEEN.len()).position(|window| window == BETWEEN) {
        Some(at) => (&bytes[..at], &bytes[at + BETWEEN.len()..]),
        None => (bytes, &[]),
    }
}
