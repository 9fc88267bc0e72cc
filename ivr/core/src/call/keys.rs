//! By which way the keys of a call count. A gateway may send each press in several, and a press must count once.

use std::time::{Duration, Instant};

use crate::caller::KeyWays;
use crate::media::KeySource;

/// What one call's keys may come by, and do.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Telephone-event (RFC 4733) was agreed on.
    events: bool,
    /// Tones and INFO count, alone or beside it.
    others: bool,
    /// The last key that the script took. The others have to come by the same way: one that it dropped may be none, a voice on the
    /// line in the warning.
    taken: Option<Taken>,
}

#[derive(Debug)]
struct Taken {
    key: char,
    by: KeySource,
    at: Instant,
}

impl Keys {
    /// Offer and answer agreed. If other ways are open now, the first that delivers is looked for again.
    pub(super) fn agree(&mut self, events: bool, ways: KeyWays) {
        if self.events != events {
            self.taken = None;
        }
        self.events = events;
        self.others = !events || ways == KeyWays::Auto;
    }

    /// A key comes by this way. Does it count?
    pub(super) fn admit(&mut self, key: char, by: KeySource, now: Instant) -> bool {
        let is_open = if by == KeySource::TelephoneEvent { self.events } else { self.others };
        let Some(taken) = self.taken.as_mut().filter(|taken| is_open && taken.by != by) else { return is_open };
        if by != KeySource::TelephoneEvent {
            return false;
        }
        // Events are never a voice, so what was heard before them shuts none out but that of the same press.
        taken.by = by;
        taken.key != key || now.saturating_duration_since(taken.at) >= ONE_PRESS
    }

    /// The script took it.
    pub(super) fn took(&mut self, key: char, by: KeySource, now: Instant) {
        self.taken = Some(Taken { key, by, at: now });
    }
}

/// What comes of one press by two ways comes within this: some gateways tell an event only when the key is up.
const ONE_PRESS: Duration = Duration::from_secs(1);
