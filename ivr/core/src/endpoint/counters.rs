//! What the endpoint counts, for `/metrics`.

use crate::caller::Realm;

/// Counts since the start. Every number only grows, but for the gauges at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Datagrams that arrived.
    pub datagrams: u64,
    /// Messages that arrived over connections.
    pub stream_messages: u64,
    /// Connections that we ended because no message could be told apart any more.
    pub broken_streams: u64,
    /// Datagrams that were no SIP message and were dropped.
    pub garbage: u64,
    /// Requests that the byte gate answered with a refusal of its own (400, 405, 420, 501, 505, …).
    pub malformed_requests: u64,
    /// Requests and responses from addresses that belong to no trunk.
    pub strangers: u64,
    /// Responses that matched no transaction of ours.
    pub unmatched_responses: u64,
    /// ACKs that matched neither a transaction nor a dialog.
    pub unmatched_acks: u64,
    /// Requests that were repeated by the other side and answered from memory.
    pub retransmitted_requests: u64,
    /// Messages that we sent again because no answer came.
    pub retransmissions: u64,
    /// In-dialog requests with a tag that is not ours, or from another trunk.
    pub forged: u64,
    /// INVITEs that were challenged to prove an account.
    pub challenged: u64,
    /// INVITEs that asked for a new call.
    pub invites: u64,
    /// Calls refused by the checks on the caller, by a missing session, or by limits; those of the sandbox are not among them.
    pub refused: u64,
    /// Calls of the sandbox refused for any of that: anybody may try to call it, so there is nothing to be alarmed at.
    pub sandbox_refused: u64,
    /// Calls refused, but for those of the sandbox, that got no record because too many were refused in that second.
    pub unrecorded_refusals: u64,
    /// Calls whose signed identity was verified and holds.
    pub signed: u64,
    /// Calls whose signed identity was verified and does not hold.
    pub badly_signed: u64,
    /// Calls answered by 200.
    pub answered: u64,
    /// Calls whose ACK arrived.
    pub confirmed: u64,
    /// Calls ended by us because no ACK came.
    pub never_acknowledged: u64,
    /// Calls without their ACK that gave the line of their number to a newer one.
    pub displaced: u64,
    /// Calls that exist now.
    pub calls: usize,
    /// Of these: calls whose ACK has not arrived.
    pub unacknowledged: usize,
}

impl Counters {
    /// A call of this realm is refused.
    pub(crate) fn count_refused(&mut self, realm: Realm) {
        match realm {
            Realm::Service => self.refused += 1,
            Realm::Sandbox => self.sandbox_refused += 1,
        }
    }
}
