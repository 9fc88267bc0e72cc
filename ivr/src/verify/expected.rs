//! Who is expected to call, as far as this node began it: most calls are then answered without a way to the database, whose
//! answer takes longer than everything else before a 200.
//!
//! Only a yes is known here, never a no; what is forgotten is asked of the database. A yes that is out of date (another node
//! matched the code meanwhile) costs a conversation that ends at the code, which the database alone compares. Nor is it known here
//! in which languages other nodes began others since.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ivr_core::number::Number;
use time::OffsetDateTime;
use voice_prompts::Language;

use crate::store::callers::common;

/// Numbers remembered at most, some 4 MB. When there are so many, all are forgotten.
const MOST: usize = 50_000;

/// Numbers with a verification that a call may be for, until when, and the language of all, or English.
#[derive(Default)]
pub struct Expected(Mutex<HashMap<Number, (OffsetDateTime, Language)>>);

impl Expected {
    /// A verification of this number was begun in this language, alone or beside others, and the number has tries left today.
    /// Of others that are not known here the database knows the language.
    pub(super) fn note(
        &self,
        number: &Number,
        (language, is_alone): (Language, bool),
        (now, until): (OffsetDateTime, OffsetDateTime),
    ) {
        let mut all = self.all();
        if all.len() >= MOST {
            all.clear();
        }
        match all.get_mut(number) {
            Some((known, spoken)) if now < *known => (*known, *spoken) = (until.max(*known), common(*spoken, language)),
            _ if is_alone => drop(all.insert(number.clone(), (until, language))),
            _ => {}
        }
    }

    /// A code was keyed in over a call of this number: whatever came of it, the database knows more.
    pub(super) fn forget(&self, number: &Number) {
        self.all().remove(number);
    }

    /// Something ended whose number is not at hand.
    pub(super) fn forget_all(&self) {
        self.all().clear();
    }

    /// Certainly expected? Then in this language.
    pub(super) fn is(&self, number: &Number, now: OffsetDateTime) -> Option<Language> {
        self.all().get(number).filter(|(until, _)| now < *until).map(|(_, language)| *language)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Number, (OffsetDateTime, Language)>> {
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
        assert_eq!(expected.is(&number(1), T0), None);
        let german = Language::of("de");
        expected.note(&number(1), (german, true), (T0, T0 + 2 * MINUTE));
        expected.note(&number(1), (german, true), (T0, T0 + MINUTE));
        assert_eq!((expected.is(&number(1), T0 + MINUTE), expected.is(&number(2), T0)), (Some(german), None));
        assert_eq!(expected.is(&number(1), T0 + 2 * MINUTE), None);
    }

    #[test]
    fn no_stranger_chooses_the_language_of_the_warning() {
        let (expected, [german, spanish]) = (Expected::default(), ["de", "es"].map(Language::of));
        for (language, spoken) in [(german, german), (spanish, Language::ENGLISH), (spanish, Language::ENGLISH)] {
            expected.note(&number(1), (language, true), (T0, T0 + MINUTE));
            assert_eq!(expected.is(&number(1), T0), Some(spoken));
        }
        let later = (T0 + MINUTE, T0 + 2 * MINUTE);
        expected.note(&number(1), (spanish, false), later);
        assert_eq!(expected.is(&number(1), T0 + MINUTE), None, "the database knows in what the others are");
        expected.note(&number(1), (german, true), later);
        assert_eq!(expected.is(&number(1), T0 + MINUTE), Some(german), "the others are over");
    }

    #[test]
    fn what_was_keyed_in_or_ended_is_forgotten() {
        let expected = Expected::default();
        for last in 1..=3 {
            expected.note(&number(last), (Language::ENGLISH, true), (T0, T0 + MINUTE));
        }
        expected.forget(&number(1));
        assert!(expected.is(&number(1), T0).is_none() && expected.is(&number(2), T0).is_some());
        expected.forget_all();
        assert!(expected.is(&number(2), T0).is_none());
        assert_eq!(format!("{expected:?}"), "Expected(0)");
    }

    #[test]
    fn no_stranger_fills_it() {
        let expected = Expected::default();
        let fill = |all: &mut HashMap<Number, (OffsetDateTime, Language)>, n: u32| {
            let text = format!("+1{}555{:04}", 212 + n / 10_000, n % 10_000);
            all.extend(Number::parse(&text).ok().map(|number| (number, (T0 + MINUTE, Language::ENGLISH))));
        };
        let mut n = 0;
        while expected.all().len() < MOST {
            fill(&mut expected.all(), n);
            n += 1;
        }
        expected.note(&number(1), (Language::ENGLISH, true), (T0, T0 + MINUTE));
        assert!(expected.all().len() == 1 && expected.is(&number(1), T0).is_some());
    }
}
