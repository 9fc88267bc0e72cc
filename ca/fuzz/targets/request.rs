//! PKCS#10 from a stranger: whatever comes, it is an answer, and a key that was read is written in one form.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = ca::Request::parse(bytes) {
        assert!([91, 44].contains(&request.spki().len()), "neither P-256 nor Ed25519");
    }
});
