//! Which packets of a source came already (RFC 3711 3.3.2).

/// The highest number that was taken, and which of those just below it were.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) highest: u64,
    /// Bit n: `highest` − n.
    taken: u128,
}

impl Window {
    /// Of a source whose first packet has this number.
    pub(super) fn from(index: u64) -> Self {
        Self { highest: index, taken: 1 }
    }

    /// Was it taken, or would nobody know any more?
    pub(super) fn is_stale(&self, index: u64) -> bool {
        self.highest.checked_sub(index).is_some_and(|behind| {
            let bit = u32::try_from(behind).ok().and_then(|behind| 1_u128.checked_shl(behind));
            bit.is_none_or(|bit| self.taken & bit != 0)
        })
    }

    /// Takes a packet that is authentic and not stale.
    pub(super) fn take(&mut self, index: u64) {
        let shift = |by: u64| u32::try_from(by).unwrap_or(u32::MAX);
        match index.checked_sub(self.highest) {
            Some(ahead) => {
                self.taken = self.taken.checked_shl(shift(ahead)).unwrap_or(0) | 1;
                self.highest = index;
            }
            None => self.taken |= 1_u128.checked_shl(shift(self.highest - index)).unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_is_taken_once_and_one_far_behind_never(steps in proptest::collection::vec(-140_i64..140, 1..200)) {
            let mut window = Window::from(1_000);
            let mut taken = BTreeSet::from([1_000_u64]);
            for step in steps {
                let highest = *taken.last().unwrap();
                let index = highest.saturating_add_signed(step);
                prop_assert_eq!(window.is_stale(index), taken.contains(&index) || highest.saturating_sub(index) >= 128);
                if !window.is_stale(index) {
                    window.take(index);
                    taken.insert(index);
                }
                prop_assert_eq!(window.highest, *taken.last().unwrap());
            }
        }
    }

    #[test]
    fn a_leap_forgets_what_was_before() {
        let mut window = Window::from(5);
        window.take(5 + (1 << 40));
        assert!(window.is_stale(5) && window.is_stale(6) && !window.is_stale(4 + (1 << 40)));
    }
}
