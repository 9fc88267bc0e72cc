//! Who calls, as far as the trunk can be believed: the ordered checks of docs/protocol.md and their verdict.
//! To change who may call, change `policy.rs` and its table of cases.

mod attestation;
pub mod level;
pub mod policy;
pub mod reason;
pub mod trunk;

pub use level::Level;
pub use policy::{Policy, Verdict, judge};
pub use reason::Reason;
pub use trunk::{KeepsDiversion, Network, NumberFormat, Pace, Srtp, TrunkProfile};

use crate::number::Number;

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
