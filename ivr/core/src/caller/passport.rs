//! What is known of the PASSporT (RFC 8225) that a call bears: it comes in after the checks that need no network and
//! before anybody is asked for a session. `passport` verifies.

use crate::passport::Fault;

/// What a signer says of its right to the number (RFC 8588 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attest {
    /// The signer knows its customer, who may use the number.
    A,
    /// It knows its customer only.
    B,
    /// It knows where the call came from only.
    C,
}

impl Attest {
    /// `A`, `B` or `C`.
    pub fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
        }
    }
}

/// What becomes of a signed identity that a trunk hands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Passports {
    /// Nothing: it raises no level.
    #[default]
    Ignored,
    /// [`Question::Passport`](crate::call::question::Question::Passport) asks what it is worth.
    Verified,
}

/// What became of a call's PASSporT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassportVerdict {
    /// There is none, or nobody verifies it: it raises nothing.
    Unverified,
    /// Its signature is good, its chain leads to an anchor of ours, it is fresh, its origin is the caller and its
    /// destination the number that was called.
    Verified(Attest),
    /// It is there and this is not so.
    Bad(Fault),
}

impl From<Result<Attest, Fault>> for PassportVerdict {
    fn from(verdict: Result<Attest, Fault>) -> Self {
        verdict.map_or_else(Self::Bad, Self::Verified)
    }
}
