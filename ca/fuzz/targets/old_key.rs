//! A signature from a stranger who says it is the old key's: whatever comes, it is read in one form, and holds for nothing.
#![no_main]

use ca::old_key::{Action, Signature, Statement};
use libfuzzer_sys::fuzz_target;

/// Of a key that nobody has any more.
const CERTIFICATE: &[u8] = include_bytes!("old_key.der");

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(signature) = Signature::parse(text) {
        assert_eq!(signature.text(), text, "there is one form");
        let statement = Statement { action: Action::Lift, about: text, nonce: None, key: None };
        assert!(!signature.is_over(&statement, CERTIFICATE), "nobody signed it");
    }
});
