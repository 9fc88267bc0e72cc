//! Who calls, as far as the trunk can be believed: the ordered checks of docs/protocol.md and their verdict.
//! To change who may call, change `policy.rs` and its table of cases.

mod advice;
mod attestation;
pub mod cap;
pub mod dialled;
pub mod language;
pub mod level;
pub mod line;
pub mod passport;
pub mod policy;
pub mod probe;
pub mod realm;
pub mod reason;
pub mod sentences;
pub mod trunk;
pub mod verstat;

pub use cap::{Cap, Caps};
pub use dialled::Dialled;
pub use level::{IssuingLevels, Level};
pub use line::LineParameters;
pub use passport::{Attest, PassportVerdict, Passports};
pub use policy::{Assessed, Policy, Refusal, Verdict, assess, judge};
pub use realm::Realm;
pub use reason::Reason;
pub use sentences::Sentences;
pub use trunk::{KeepsDiversion, KeyWays, Network, NumberFormat, Pace, SignedIdentity, Srtp, TrunkIndex, TrunkProfile};
pub use verstat::{Finding, Verstat};

pub use crate::sip::digest::{DigestAlgorithm, DigestLogin};

use std::sync::Arc;

use crate::number::Number;
use crate::passport::Report;

/// A caller that passed the ordered checks, or all of them but the last, the issuing level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The number that the network vouched for.
    pub number: Number,
    /// The highest level that this call may prove.
    pub level: Level,
    /// What holds it there.
    pub caps: Caps,
    /// What stood beside the number.
    pub line: LineParameters,
    /// The name of the trunk profile.
    pub trunk: String,
    /// Whose verifications the call may be for: the trunk's.
    pub realm: Realm,
    /// What was found out about its signed identity, if it was verified here.
    pub passport: Option<Arc<Report>>,
}

impl Caller {
    /// What its calls at a time are counted by.
    pub(crate) fn line(&self) -> (Realm, Number) {
        (self.realm, self.number.clone())
    }
}
