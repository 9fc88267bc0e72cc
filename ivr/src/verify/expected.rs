//! Who is expected to call, as far as this node began it: most calls are then answered without a way to the database, whose
//! answer takes longer than everything else before a 200.
//!
//! Only a yes is known here, never a no; what is forgotten is asked of the database. A yes that is out of date (another node
//! matched the code meanwhile) costs a conversation that ends at the code, which the database alone compares.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ivr_core::number::Number;
use time::OffsetDateTime;

/// Numbers remembered at most, some 4 MB. When there are so many, all are forgotten.
const MOST: usize = 50_000;

/// Numbers with a verification that a call may be for, and until when.
#[derive(Default)]
pub struct Expected(Mutex<HashMap<Number, OffsetDateTime>>);

impl Expected {
    /// A verification of this number was begun, and the number has tries left today.
    pub(super) fn note(&self, number: &Number, until: OffsetDateTime) {
        let mut all = self.all();
        if all.len() >= MOST {
            all.clear();
        }
        let known = all.entry(number.clone()).or_insert(until);
        *known = until.max(*known);
    }

    /// A code was keyed in over a call of this number: whatever came of it, the database knows more.
    pub(super) fn forget(&self, number: &Number) {
        self.all().remove(number);
    }

    /// Something ended whose number is not at hand.
    pub(super) fn forget_all(&self) {
        self.all().clear();
    }

    /// Certainly expected?
    pub(super) fn is(&self, number: &Number, now: OffsetDateTime) -> bool {
        self.all().get(number).is_some_and(|until| now < *until)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Number, OffsetDateTime>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many, but not who.
impl std::fmt::Debug for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Expected({})", self.all().len())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const T0: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
    const MINUTE: Duration = Duration::from_secs(60);

    fn number(last: u32) -> Number {
        Number::parse(&format!("+120255501{last:02}")).unwrap()
    }

    #[test]
    fn a_number_is_expected_as_long_as_the_last_of_its_codes_lives() {
        let expected = Expected::default();
        assert!(!expected.is(&number(1), T0));
        expected.note(&number(1), T0 + 2 * MINUTE);
        expected.note(&number(1), T0 + MINUTE);
        assert!(expected.is(&number(1), T0 + MINUTE) && !expected.is(&number(2), T0));
        assert!(!expected.is(&number(1), T0 + 2 * MINUTE));
    }

    #[test]
    fn what_was_keyed_in_or_ended_is_forgotten() {
        let expected = Expected::default();
        for last in 1..=3 {
            expected.note(&number(last), T0 + MINUTE);
        }
        expected.forget(&number(1));
        assert!(!expected.is(&number(1), T0) && expected.is(&number(2), T0));
        expected.forget_all();
        assert!(!expected.is(&number(2), T0));
        assert_eq!(format!("{expected:?}"), "Expected(0)");
    }

    #[test]
    fn no_stranger_fills_it() {
        let expected = Expected::default();
        let fill = |all: &mut HashMap<Number, OffsetDateTime>, n: u32| {
            let text = format!("+1{}555{:04}", 212 + n / 10_000, n % 10_000);
            all.extend(Number::parse(&text).ok().map(|number| (number, T0 + MINUTE)));
        };
        let mut n = 0;
        while expected.all().len() < MOST {
            fill(&mut expected.all(), n);
            n += 1;
        }
        expected.note(&number(1), T0 + MINUTE);
        assert!(expected.all().len() == 1 && expected.is(&number(1), T0));
    }
}
