//! How often somebody may begin something in a minute, whoever that is: a host that is asked, a caller who has us ask.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// What each of them began in its current minute.
#[derive(Debug)]
pub(super) struct Budget<K> {
    minutes: HashMap<K, Minute>,
    each: u32,
}

#[derive(Debug)]
struct Minute {
    since: Instant,
    begun: u32,
}

impl<K: Hash + Eq> Budget<K> {
    /// So many a minute for each.
    pub(super) fn of(each: u32) -> Self {
        Self { minutes: HashMap::new(), each }
    }

    /// One more of this, if it may begin one.
    pub(super) fn take(&mut self, whose: K, now: Instant) -> bool {
        if self.minutes.len() >= MOST && !self.minutes.contains_key(&whose) {
            self.minutes.retain(|_, minute| minute.is_on(now));
            if self.minutes.len() >= MOST {
                // Whoever has so many begin can have them all begin anew. To refuse the next instead would keep everybody else out.
                self.minutes.clear();
            }
        }
        let minute = self.minutes.entry(whose).or_insert(Minute { since: now, begun: 0 });
        if !minute.is_on(now) {
            *minute = Minute { since: now, begun: 0 };
        }
        let may = minute.begun < self.each;
        minute.begun += u32::from(may);
        may
    }

    /// One that it was given came to nothing.
    pub(super) fn give_back(&mut self, whose: &K) {
        if let Some(minute) = self.minutes.get_mut(whose) {
            minute.begun = minute.begun.saturating_sub(1);
        }
    }
}

impl Minute {
    fn is_on(&self, now: Instant) -> bool {
        now < self.since + MINUTE
    }
}

/// More than are honest in a minute: in the whole world there are about two thousand signers.
const MOST: usize = 4_096;
const MINUTE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn each_begins_so_many_a_minute_and_takes_nothing_from_another() {
        let (mut budget, now) = (Budget::of(2), Clock.now());
        let after = |seconds| now + Duration::from_secs(seconds);
        for (whose, at, expected) in [
            ("a", 0, true),
            ("a", 1, true),
            ("a", 59, false),
            ("b", 59, true),
            // A minute from the first on.
            ("a", 60, true),
            ("a", 61, true),
            ("a", 62, false),
            ("b", 62, true),
        ] {
            assert_eq!(budget.take(whose, after(at)), expected, "{whose} after {at} s");
        }
    }

    #[test]
    fn what_came_to_nothing_costs_nothing() {
        let (mut budget, now) = (Budget::of(1), Clock.now());
        assert!(budget.take("a", now) && !budget.take("a", now));
        budget.give_back(&"a");
        budget.give_back(&"a");
        budget.give_back(&"b");
        assert!(budget.take("a", now) && !budget.take("a", now));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_keeps_nobody_out() {
        let (mut budget, now) = (Budget::of(1), Clock.now());
        for n in 0..MOST {
            assert!(budget.take(n, now));
        }
        assert!(!budget.take(0, now));
        assert!(budget.take(MOST, now), "the next is let in");
        assert!(budget.minutes.len() <= MOST);
    }
}
