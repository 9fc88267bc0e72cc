//! Email addresses: one that is read is read again from what was made of it, to the same identity.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(address) = ca::email::Address::parse(text) {
        let again = ca::email::Address::parse(address.verbatim()).expect("a verbatim address is an address");
        assert_eq!(again, address);
        let folded = ca::email::Address::parse(address.key()).expect("a key is an address");
        assert_eq!(folded.key(), address.key());
    }
});
