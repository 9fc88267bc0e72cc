//! The one place where time and chance enter the program (ARCHITECTURE.md, invariant 1).

use std::time::{Duration, Instant};

use time::OffsetDateTime;

/// The clocks and the entropy of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock;

impl Clock {
    /// The monotonic clock.
    #[expect(clippy::disallowed_methods, reason = "this file is where the clock is read")]
    pub fn now(self) -> Instant {
        Instant::now()
    }

    /// The wall clock.
    #[expect(clippy::disallowed_methods, reason = "this file is where the clock is read")]
    pub fn wall(self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    /// Entropy from the operating system.
    ///
    /// # Panics
    /// If the operating system has none: nothing safe can be done then.
    #[expect(clippy::disallowed_methods, reason = "this file is where chance is drawn")]
    pub fn bytes<const N: usize>(self) -> [u8; N] {
        let mut bytes = [0; N];
        getrandom::fill(&mut bytes).expect("the operating system gives entropy");
        bytes
    }
}

/// How long to wait for what is due at that time: not at all if it has come, and no longer than `longest`.
pub(crate) fn wait(at: OffsetDateTime, now: OffsetDateTime, longest: Duration) -> Duration {
    Duration::try_from(at - now).unwrap_or(Duration::ZERO).min(longest)
}

/// Whole milliseconds, as a column keeps them: what is told of a time at once and what is read later are alike.
pub(crate) fn whole_milliseconds(at: OffsetDateTime) -> OffsetDateTime {
    at.replace_millisecond(at.millisecond()).unwrap_or(at)
}
