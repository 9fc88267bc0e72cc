//! The ticket into issuing a certificate for a telephone number. Read this file whole: nothing else makes one.

use crate::{call::question::VerificationId, caller::Level, number::Number};

/// A call proved this number: the network vouched for it, the caller entered the session's code and confirmed.
/// Made by the script of a call ([`ProvedNumber::by_call`]) and, after the page's read-back, opened again from the
/// sealed text that was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvedNumber {
    number: Number,
    level: Level,
    verification: VerificationId,
}

impl ProvedNumber {
    /// Only the script of a call may say so, after the code and the confirm digit.
    pub(crate) fn by_call(number: Number, level: Level, verification: VerificationId) -> Self {
        Self { number, level, verification }
    }

    /// The number.
    pub fn number(&self) -> &Number {
        &self.number
    }

    /// What the call proved it with.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The session it belongs to.
    pub fn verification(&self) -> VerificationId {
        self.verification
    }
}
