//! The language of a voice, small enough to be handed from a page to its call.

use std::fmt;

/// A primary language subtag (RFC 5646 2.2.1), such as `en`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Language([u8; LONGEST]);

impl Language {
    /// Spoken where nothing else is known.
    pub const ENGLISH: Self = Self([b'e', b'n', 0, 0, 0, 0, 0, 0]);

    /// The language of a locale such as `de-AT`; English if it names none.
    pub fn of(locale: &str) -> Self {
        let subtag = locale.split(['-', '_']).next().unwrap_or_default().as_bytes();
        if !(2..=LONGEST).contains(&subtag.len()) || !subtag.iter().all(u8::is_ascii_alphabetic) {
            return Self::ENGLISH;
        }
        let mut letters = [0; LONGEST];
        letters.iter_mut().zip(subtag).for_each(|(letter, given)| *letter = given.to_ascii_lowercase());
        Self(letters)
    }

    /// The subtag.
    pub fn as_str(&self) -> &str {
        let length = self.0.iter().position(|letter| *letter == 0).unwrap_or(LONGEST);
        std::str::from_utf8(&self.0[..length]).expect("all of them are ASCII letters")
    }
}

impl Default for Language {
    fn default() -> Self {
        Self::ENGLISH
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Letters of a subtag.
const LONGEST: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_has_a_language_and_what_is_none_is_english() {
        for (locale, language) in [
            ("en", "en"),
            ("de-AT", "de"),
            ("ES_mx", "es"),
            ("i-navajo", "en"),
            ("", "en"),
            ("tlh", "tlh"),
            ("qabcdefgh", "en"),
            ("d\u{eb}", "en"),
        ] {
            assert_eq!(Language::of(locale).as_str(), language, "{locale}");
        }
        assert_eq!(Language::of("en-GB"), Language::ENGLISH);
    }
}
