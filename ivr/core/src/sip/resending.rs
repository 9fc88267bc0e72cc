//! What is sent again until somebody says that it arrived, and the timers of that (RFC 3261 17).

use std::fmt;
use std::time::{Duration, Instant};

use super::peer::Peer;

/// A message to send.
pub(crate) type Sending = (Peer, Vec<u8>);

/// A message that is sent again, at T1 doubling, until somebody says that it arrived, or 64*T1 have passed. What only has
/// to reach the next hop is not sent again over a stream, but waited for as long (RFC 3261 17.1.1.2, 17.1.2.2, 17.2.1).
pub(crate) struct Resending {
    to: Peer,
    bytes: Vec<u8>,
    interval: Duration,
    longest: Duration,
    at: Instant,
    ends: Instant,
}

/// A message names people.
impl fmt::Debug for Resending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resending").field("to", &self.to).field("at", &self.at).finish_non_exhaustive()
    }
}

/// What a [`Resending`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resent {
    /// Nothing yet.
    Waiting,
    /// It was sent again.
    Again,
    /// Its time is over.
    GaveUp,
}

impl Resending {
    /// A message to the next hop that is sent now; its intervals double to T2.
    pub(crate) fn hop(to: Peer, bytes: Vec<u8>, now: Instant) -> Self {
        let end_to_end = Self::end_to_end(to, bytes, now);
        if to.transport.is_reliable() { Self { at: end_to_end.ends, ..end_to_end } } else { end_to_end }
    }

    /// A message that is repeated over streams, too, because another hop may be over datagrams: the 2xx to an INVITE
    /// (RFC 3261 13.3.1.4).
    pub(crate) fn end_to_end(to: Peer, bytes: Vec<u8>, now: Instant) -> Self {
        Self { to, bytes, interval: T1, longest: T2, at: now + T1, ends: now + LIFETIME }
    }

    /// The same, but its intervals double to the end: an INVITE (RFC 3261 17.1.1.2), a reliable provisional response
    /// (RFC 3262 3).
    pub(crate) fn doubling(self) -> Self {
        Self { longest: LIFETIME, ..self }
    }

    /// Sends it again if it is time.
    pub(crate) fn on_timeout(&mut self, now: Instant, out: &mut Vec<Sending>) -> Resent {
        if now >= self.ends {
            return Resent::GaveUp;
        }
        if now < self.at {
            return Resent::Waiting;
        }
        self.interval = (self.interval * 2).min(self.longest);
        self.at = now + self.interval;
        out.push(self.sending());
        Resent::Again
    }

    /// The message, and where it goes.
    pub(super) fn sending(&self) -> Sending {
        (self.to, self.bytes.clone())
    }

    /// Where it goes.
    pub(super) fn to(&self) -> Peer {
        self.to
    }

    /// When [`on_timeout`](Self::on_timeout) is due.
    pub(crate) fn deadline(&self) -> Instant {
        self.at.min(self.ends)
    }

    /// After a provisional response, the longest interval (RFC 3261 17.1.2.2); of an INVITE, which is not sent again
    /// then (17.1.1.2), that is all the time there is.
    pub(super) fn slow_down(&mut self, now: Instant) {
        if self.interval < self.longest && self.at < self.ends {
            self.interval = self.longest;
            self.at = now + self.longest;
        }
    }
}

/// RFC 3261 17.1.1.1: an estimate of the round trip.
const T1: Duration = Duration::from_millis(500);
/// RFC 3261 17.1.2.2: the longest interval between two repetitions.
const T2: Duration = Duration::from_secs(4);
/// RFC 3261 17.1.2.2: how long a message stays in the network.
pub(super) const T4: Duration = Duration::from_secs(5);
/// RFC 3261 17: nothing is repeated or remembered for longer than 64*T1.
pub(crate) const LIFETIME: Duration = Duration::from_secs(32);
