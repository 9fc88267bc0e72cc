//! What people are told of a refused call, of a level and of what holds it down: the page what its person may do
//! (`advice.rs`), the console what its operator may. A language is three lists like those of `english.rs` and a place in
//! [`LANGUAGES`]; each `match` says when something lacks words.

mod console;
mod english;
mod french;
mod german;
mod spanish;

use super::advice::Advice;
use super::{Cap, Level, Reason};

/// The words for one reason or cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sentences {
    /// For the person at the page: what to do about it. It names neither trunk nor time.
    pub page: &'static str,
    /// For the operator: what was wrong, and where to look.
    pub console: &'static str,
}

impl Reason {
    /// Why a call was refused, in the language of a tag such as `en-GB`, or in English where that is not spoken.
    pub fn sentences(self, locale: &str) -> Sentences {
        Sentences { page: (language(locale).advice)(self.advice()), console: console::reason(self) }
    }
}

impl Cap {
    /// Why the level is no higher; languages as in [`Reason::sentences`].
    pub fn sentences(self, locale: &str) -> Sentences {
        Sentences { page: (language(locale).cap)(self), console: console::cap(self) }
    }
}

impl Level {
    /// What a certificate of this level says, for everybody; languages as in [`Reason::sentences`].
    pub fn meaning(self, locale: &str) -> &'static str {
        (language(locale).level)(self)
    }
}

/// All words of a language, for pages.
struct Language {
    /// The primary subtag (RFC 5646 2.2.1).
    tag: &'static str,
    advice: fn(Advice) -> &'static str,
    cap: fn(Cap) -> &'static str,
    level: fn(Level) -> &'static str,
}

/// The first is spoken where no other is known.
const LANGUAGES: [Language; 4] = [english::ENGLISH, spanish::SPANISH, french::FRENCH, german::GERMAN];

fn language(locale: &str) -> &'static Language {
    let tag = locale.split(['-', '_']).next().unwrap_or_default();
    LANGUAGES.iter().find(|language| language.tag.eq_ignore_ascii_case(tag)).unwrap_or(&LANGUAGES[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(of: &str, Sentences { page, console }: Sentences) {
        for sentence in [page, console] {
            assert!(sentence.len() > 20 && sentence.ends_with('.'), "{of}: {sentence:?}");
        }
        // What a page may learn: nothing of trunks and settings.
        assert!(!page.contains('`') && !page.contains("trunk"), "{of}: {page:?}");
    }

    #[test]
    fn every_reason_cap_and_level_has_its_sentences_in_every_language() {
        for Language { tag, level, .. } in &LANGUAGES {
            Reason::ALL.iter().for_each(|reason| check(&format!("{tag} {reason:?}"), reason.sentences(tag)));
            Cap::ALL.iter().for_each(|cap| check(&format!("{tag} {cap:?}"), cap.sentences(tag)));
            let levels = (0..5).filter_map(Level::from_number);
            assert!(levels.map(level).all(|meaning| meaning.ends_with('.')), "{tag}");
        }
    }

    #[test]
    fn a_page_is_told_in_its_own_language_and_the_console_in_english() {
        let pages = ["en", "es-MX", "fr", "de_AT"].map(|locale| Reason::Anonymous.sentences(locale));
        let first = pages.map(|sentences| sentences.page.split(' ').next().unwrap());
        assert_eq!(first, ["Your", "Su", "Votre", "Ihre"]);
        assert!(pages.iter().all(|sentences| sentences.console == pages[0].console));
    }

    #[test]
    fn every_language_has_words_of_its_own_for_pages_and_the_console_hears_one() {
        for Language { tag, level, .. } in &LANGUAGES[1..] {
            let of_reasons = Reason::ALL.iter().map(|reason| (reason.sentences(tag), reason.sentences("en")));
            let of_caps = Cap::ALL.iter().map(|cap| (cap.sentences(tag), cap.sentences("en")));
            for (own, english) in of_reasons.chain(of_caps) {
                assert_ne!(own.page, english.page, "{tag}");
                assert_eq!(own.console, english.console, "{tag}");
            }
            for level_of in (0..5).filter_map(Level::from_number) {
                assert_ne!(level(level_of), level_of.meaning("en"), "{tag}");
            }
        }
    }

    #[test]
    fn a_language_that_is_not_spoken_is_told_in_english() {
        for locale in ["en", "en-GB", "EN_us", "tlh", ""] {
            let told = Reason::Anonymous.sentences(locale).page;
            assert!(told.starts_with("Your number is withheld."), "{locale}: {told}");
        }
    }
}
