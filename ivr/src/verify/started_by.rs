//! Who begins a verification, and what the voice tells an app because of it.

use ca::Request;
use ivr_core::call::question::VerificationId;
use ivr_core::key_check::KeyCheck;

/// Who begins a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartedBy {
    /// A page: who stands between it and its visitor could show any digits.
    #[default]
    Page,
    /// An app, which compares what the voice says of its key with what it works out itself.
    App,
}

/// An app compares digits of its key, and there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an app has to send a certificate request: the key check is of its key")]
pub struct NoKey;

impl StartedBy {
    /// What the voice says before the read-back of this verification.
    ///
    /// # Errors
    /// If an app has no key.
    pub(crate) fn key_check(self, request: Option<&Request>, id: VerificationId) -> Result<Option<KeyCheck>, NoKey> {
        match self {
            Self::Page => Ok(None),
            Self::App => request.map(|request| Some(KeyCheck::of(&request.spki(), id))).ok_or(NoKey),
        }
    }
}
