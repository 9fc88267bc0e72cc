//! The clips and words inside the binary. A language more: record its files, then name it in [`LANGUAGES`].

/// A shipped language.
pub(crate) struct Shipped {
    /// Its wording file.
    pub(crate) wording: &'static str,
    /// Name and WAV file of each clip.
    pub(crate) clips: &'static [(&'static str, &'static [u8])],
}

macro_rules! shipped {
    ($lang:literal: $($name:literal)*) => {
        Shipped {
            wording: include_str!(concat!("../wording/", $lang, ".toml")),
            clips: &[$(($name, include_bytes!(concat!("../audio/", $lang, "/", $name, ".wav")))),*],
        }
    };
    ($($lang:literal)*) => {
        &[$(shipped!($lang:
            "this-is" "service" "warning-number" "warning-scam" "enter-code" "wrong-code" "too-many-wrong-codes"
            "press-to-confirm" "wrong-confirm-key" "compare-with-app" "type-into-page" "once-more" "star-repeats"
            "verified" "key-held" "read-back-expired" "read-back-voided" "certificates-exist" "last-made-on" "press-nine"
            "suspended" "not-suspended" "nothing-heard" "try-later" "goodbye"
            "digit-0" "digit-1" "digit-2" "digit-3" "digit-4" "digit-5" "digit-6" "digit-7" "digit-8" "digit-9"
        )),*]
    };
}

/// The first is the one that stands in for what another language lacks. A constant would be in the binary once for each crate that
/// reads it, with ten megabytes of voices.
pub(crate) static LANGUAGES: &[Shipped] = shipped!("en" "es" "fr" "de");
