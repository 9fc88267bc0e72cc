//! A table through which much passes. It grows while what it holds grows, and never later: a `HashMap` that is more than half
//! full doubles at some time only because as many entries come as go, and a service that seemed to have found its size grows once more.

use std::collections::HashMap;
use std::hash::Hash;

/// Entries by their keys.
#[derive(Debug)]
pub(crate) struct SteadyMap<K, V> {
    entries: HashMap<K, V>,
    /// What the places of the table hold. Up to the half of that, its owner clears away what was removed without growing.
    most: usize,
}

impl<K, V> Default for SteadyMap<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::new(), most: 0 }
    }
}

impl<K: Eq + Hash, V> SteadyMap<K, V> {
    /// How many entries it has.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is there such an entry?
    pub(crate) fn contains(&self, key: &K) -> bool {
        self.entries.contains_key(key)
    }

    /// The entry of this key.
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    /// The same, to be changed.
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key)
    }

    /// Puts an entry there, and gives what it replaces.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        if self.entries.len() >= self.most / 2 {
            self.entries.reserve(self.most + 1 - self.entries.len());
            // Nothing that was removed is in a table that is new.
            self.most = self.entries.capacity();
        }
        self.entries.insert(key, value)
    }

    /// Takes an entry out.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.entries.remove(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_through_which_much_passes_keeps_the_size_that_it_had_when_it_held_the_most() {
        // A little more than a half of what a table of a HashMap holds, which would double.
        for held in [3, 1_000, 8_000, 15_000] {
            let mut map = SteadyMap::default();
            (0..held).for_each(|n| assert_eq!(map.insert(n, n), None));
            let most = map.most;
            assert!(most >= 2 * held, "{most} of {held}");
            for n in held..50 * held {
                assert_eq!((map.remove(&(n - held)), map.insert(n, n)), (Some(n - held), None));
            }
            assert_eq!((map.len(), map.most), (held, most));
            assert!(map.entries.capacity() <= most, "{} instead of {most}", map.entries.capacity());
        }
    }

    #[test]
    fn what_was_put_there_is_found_until_it_is_taken_out() {
        let mut map = SteadyMap::default();
        assert_eq!(map.get(&"a"), None);
        assert_eq!((map.insert("a", 1), map.insert("b", 2), map.insert("a", 3)), (None, None, Some(1)));
        assert_eq!((map.get(&"a"), map.contains(&"b"), map.len()), (Some(&3), true, 2));
        *map.get_mut(&"b").unwrap() = 4;
        assert_eq!((map.remove(&"b"), map.remove(&"b"), map.contains(&"b")), (Some(4), None, false));
    }
}
