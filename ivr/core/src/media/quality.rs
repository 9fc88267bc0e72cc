//! What the media of a call was like, for its record.

use std::time::Duration;

/// The figures of both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quality {
    /// RTP packets sent.
    pub packets_sent: u64,
    /// RTP packets taken from the latched source.
    pub packets_received: u64,
    /// Packets missing by sequence number.
    pub packets_lost: u64,
    /// Packets from elsewhere, dropped: RTP and reports.
    pub packets_foreign: u64,
    /// Interarrival jitter (RFC 3550 6.4.1).
    pub jitter: Duration,
    /// What the other side said last of what we sent; `None` if it said nothing.
    pub reported: Option<Reported>,
}

/// What the other side says of our packets (RFC 3550 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reported {
    /// Packets that should have arrived by then.
    pub packets_expected: u64,
    /// Those that had not.
    pub packets_lost: u64,
    /// Interarrival jitter.
    pub jitter: Duration,
    /// To the other side and back, if it has heard a report of ours.
    pub round_trip: Option<Duration>,
}
