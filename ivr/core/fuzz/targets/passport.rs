//! Whatever stands in an Identity header, and whatever header and claims a token has: reading it never panics, and what is
//! read is about whom it says.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ivr_core::passport::{Claimed, Passport};
use libfuzzer_sys::fuzz_target;

// An Identity header; or a line of header and a line of claims, which are encoded and put into one.
fuzz_target!(|given: &str| {
    let _ = Passport::read(given);
    let (header, claims) = given.split_once('\n').unwrap_or((given, ""));
    let encoded = |part: &str| URL_SAFE_NO_PAD.encode(part);
    let signature = URL_SAFE_NO_PAD.encode([1; 64]);
    let token = format!("{}.{}.{signature}", encoded(header), encoded(claims));
    for info in ["https://certificates.example/leaf.pem", "https://h/c"] {
        let Ok(passport) = Passport::read(&format!("{token};info=<{info}>;ppt=shaken")) else { continue };
        assert_eq!(passport.x5u(), info);
        let at = passport.iat();
        assert!(passport.check(Claimed { orig: "", dest: "12025550199" }, at).is_err());
        assert!(passport.check(Claimed { orig: "12025550143", dest: "12025550199" }, at.saturating_add(61)).is_err());
    }
});
