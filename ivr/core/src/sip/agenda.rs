//! Who is due when: one deadline each, the earliest found at once, however many there are.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::time::Instant;

/// The deadlines of many.
#[derive(Debug)]
pub(crate) struct Agenda<K> {
    by_time: BTreeSet<(Instant, K)>,
    by_key: HashMap<K, Instant>,
}

impl<K> Default for Agenda<K> {
    fn default() -> Self {
        Self { by_time: BTreeSet::new(), by_key: HashMap::new() }
    }
}

impl<K: Clone + Ord + Hash> Agenda<K> {
    /// Moves this one's deadline; `None` takes it off.
    pub(crate) fn set(&mut self, key: &K, deadline: Option<Instant>) {
        let before = match deadline {
            Some(at) => self.by_key.insert(key.clone(), at),
            None => self.by_key.remove(key),
        };
        if before == deadline {
            return;
        }
        if let Some(before) = before {
            self.by_time.remove(&(before, key.clone()));
        }
        if let Some(at) = deadline {
            self.by_time.insert((at, key.clone()));
        }
    }

    /// The earliest deadline.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes off one that is due.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<K> {
        if self.deadline().is_none_or(|at| now < at) {
            return None;
        }
        let (_, key) = self.by_time.pop_first()?;
        self.by_key.remove(&key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing; only differences count")]
    fn the_earliest_is_due_first_and_a_moved_deadline_is_due_once() {
        let t0 = Instant::now();
        let after = |ms| t0 + Duration::from_millis(ms);
        let mut agenda = Agenda::default();
        for (key, ms) in [("b", 20), ("a", 10), ("c", 30)] {
            agenda.set(&key, Some(after(ms)));
        }
        agenda.set(&"a", Some(after(25)));
        agenda.set(&"c", None);
        assert_eq!(agenda.deadline(), Some(after(20)));
        assert_eq!(agenda.pop_due(after(19)), None);
        assert_eq!(
            [agenda.pop_due(after(40)), agenda.pop_due(after(40)), agenda.pop_due(after(40))],
            [Some("b"), Some("a"), None]
        );
        assert_eq!(agenda.deadline(), None);
    }
}
