//! What lies in a directory slot and opens: any CBOR that the directory key sealed.
#![no_main]

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use dht_client::{Record, Slot};
use libfuzzer_sys::fuzz_target;

const SEAL_KEY: [u8; 32] = [7; 32];
const NONCE: [u8; 24] = [9; 24];
const SEQ: i64 = 1;

fuzz_target!(|bytes: &[u8]| {
    let slot = Slot::new([1; 32], &[2; 20]).expect("a short salt");
    let _ = Record::unseal(bytes, &SEAL_KEY, &slot, SEQ);
    let aad = [&slot.key()[..], &slot.id().0, &SEQ.to_be_bytes()].concat();
    let sealed = XChaCha20Poly1305::new(&SEAL_KEY.into())
        .encrypt(&NONCE.into(), Payload { msg: bytes, aad: &aad })
        .expect("an input is short");
    let value = [&[1], &NONCE[..], &sealed].concat();
    if let Ok(record) = Record::unseal(&value, &SEAL_KEY, &slot, SEQ) {
        assert!(!record.fits() || record.seal(&SEAL_KEY, &slot, SEQ, NONCE) == Ok(value), "a record has one form");
    }
});
