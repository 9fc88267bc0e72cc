//! What a level means, for programs: codes that stay, and sentences.

use ivr_core::caller::{Caps, Sentences};
use serde::Serialize;

/// Something that holds a level down.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Held {
    /// `shared-addresses`, `unscreened-trunk`, `foreign-number`, `diversion-unknown`, `half-withheld`, `attestation-low`,
    /// `trunk-limit`, `not-attested`, `no-return-path`.
    #[schema(example = "not-attested")]
    by: &'static str,
    /// The same in words.
    explanation: &'static str,
}

impl Held {
    /// Each of them, in the words for whoever asks.
    pub(super) fn all(caps: Caps, locale: &str, whose: fn(Sentences) -> &'static str) -> Vec<Self> {
        caps.iter().map(|cap| Self { by: cap.code(), explanation: whose(cap.sentences(locale)) }).collect()
    }
}
