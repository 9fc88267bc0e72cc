//! Who calls, as far as the trunk can be believed: the ordered checks of the protocol and their verdict.

use crate::number::Number;

/// Assurance level of an identity (a policy OID in the certificate).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// An address proved by email.
    L0,
    /// Unscreened or unknown trunk, or code-only.
    L1,
    /// Contractually screened domestic trunk.
    L2,
    /// SHAKEN attestation A verified here.
    L3,
    /// L2 or L3 and a return path.
    L4,
}

/// A caller that passed the ordered checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The number that the network vouched for.
    pub number: Number,
    /// The highest level that this call may prove.
    pub level: Level,
    /// The name of the trunk profile.
    pub trunk: String,
}
