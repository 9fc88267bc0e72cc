//! How many calls a trunk may begin in a second.

use std::time::{Duration, Instant};

use crate::caller::Pace;

/// Lets so many through in a second, and after a rest so many at once (the generic cell rate algorithm).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rate {
    /// When those that were let through would have been, had they come evenly.
    paid_until: Option<Instant>,
}

impl Rate {
    /// May one more begin?
    pub(super) fn admit(&mut self, pace: Pace, now: Instant) -> bool {
        let interval = Duration::from_secs(1) / pace.calls_per_second.max(1);
        let paid_until = self.paid_until.map_or(now, |until| until.max(now));
        let is_admitted = paid_until <= now + interval * pace.calls_at_once.saturating_sub(1);
        if is_admitted {
            self.paid_until = Some(paid_until + interval);
        }
        is_admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing; only differences count")]
    fn after_a_rest_many_begin_at_once_and_then_as_many_as_a_second_has() {
        let (mut rate, now) = (Rate::default(), Instant::now());
        let mut admitted =
            |seconds: u64| (0..100).filter(|_| rate.admit(Pace::of(5), now + Duration::from_secs(seconds))).count();
        assert_eq!([admitted(0), admitted(0), admitted(1), admitted(3), admitted(100)], [20, 0, 5, 10, 20]);
    }
}
