//! The ordered checks on an INVITE, from its source to the level that its caller may prove.

use super::{Caller, Level, Reason, TrunkProfile};
use crate::number::{KindPolicy, Number};

/// What the operator decided about who may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The carriers. No two have a source address in common.
    pub trunks: Vec<TrunkProfile>,
    /// The lowest level that certificates are issued for; a call below it is refused before it is answered.
    pub issue_from: Level,
    /// Which kinds of numbers may be proved.
    pub kinds: KindPolicy,
}

/// What the checks found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The call may go on.
    Accept {
        /// Who calls, and how far that is believed.
        caller: Caller,
        /// Index into [`Policy::trunks`].
        trunk: usize,
    },
    /// The call ends here, before it is answered.
    Refuse {
        /// The first check that failed.
        reason: Reason,
        /// Index into [`Policy::trunks`]; `None` for an unknown peer, which may be answered by silence.
        trunk: Option<usize>,
        /// The number that the call bore, if it was read before the check failed and the caller did not withhold it:
        /// the page of that number's session may say why.
        claimed: Option<Number>,
    },
}
