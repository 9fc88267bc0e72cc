//! What the mails say, a list a language. To add one, write its list and a place in [`LANGUAGES`]; the lines of a text stay under 78
//! characters when its places are filled.

mod english;
mod french;
mod german;
mod spanish;

/// The words of a language. `{name}` and its like are places for values.
pub(super) struct Words {
    /// The primary subtag (RFC 5646 2.2.1).
    tag: &'static str,
    /// Link and code, for whoever reads the mailbox: `{name}`, `{asked}`, `{link}`, `{code}`, `{until}`.
    pub(super) confirmation: Template,
    /// The certificate: `{name}`, `{ends}`.
    pub(super) certificate: Template,
    /// What happened, and how to undo it: `{name}`, `{asked}`, `{link}`.
    pub(super) notice: Template,
    /// `{name}`, `{url}`
    pub(super) signature: &'static str,
    /// In front of the device that asked, and of its key.
    pub(super) who_asked: &'static str,
    pub(super) their_key: &'static str,
    pub(super) serial_number: &'static str,
    /// Parts of what devices are called in English, and what they are called here.
    devices: &'static [(&'static str, &'static str)],
}

/// A mail before its places are filled.
pub(super) struct Template {
    pub(super) subject: &'static str,
    pub(super) text: &'static str,
}

static LANGUAGES: [Words; 4] = [english::ENGLISH, spanish::SPANISH, french::FRENCH, german::GERMAN];

impl Words {
    /// Those that everybody else gets.
    pub(super) fn english() -> &'static Self {
        &LANGUAGES[0]
    }

    pub(super) fn is_english(&self) -> bool {
        self.tag == Self::english().tag
    }

    /// In the language of a tag such as `de-AT`, or in English where that is not written.
    pub(super) fn of(locale: &str) -> &'static Self {
        let tag = locale.split(['-', '_']).next().unwrap_or_default();
        LANGUAGES.iter().find(|words| words.tag.eq_ignore_ascii_case(tag)).unwrap_or(Self::english())
    }

    /// What `Firefox on Linux` is called.
    pub(super) fn device(&self, english: &str) -> String {
        self.devices.iter().fold(english.to_owned(), |called, (part, ours)| called.replace(part, ours))
    }
}

/// The text with these values in their places.
pub(super) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut parts = text.split('{');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (place, rest) = part.split_once('}').expect("the tests look at every place");
        let (_, value) = values.iter().find(|(name, _)| *name == place).expect("the tests look at every place");
        filled.push_str(value);
        filled.push_str(rest);
    }
    filled
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    impl Words {
        /// Every text with its places, in the same order in every language.
        fn texts(&self) -> [&'static str; 10] {
            let Self { confirmation, certificate, notice, .. } = self;
            let mails = [confirmation, certificate, notice];
            let [(a, b), (c, d), (e, f)] = mails.map(|mail| (mail.subject, mail.text));
            [a, b, c, d, e, f, self.signature, self.who_asked, self.their_key, self.serial_number]
        }
    }

    fn places(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).map(|rest| rest.split_once('}').unwrap().0).collect()
    }

    #[test]
    fn every_text_is_translated_and_has_the_places_of_the_english() {
        for words in &LANGUAGES {
            for (text, english) in words.texts().into_iter().zip(Words::english().texts()) {
                assert_eq!(places(text), places(english), "{}: {text}", words.tag);
                assert!(words.tag == "en" || text != english, "{}: {text}", words.tag);
            }
        }
    }

    #[test]
    fn a_device_has_no_english_in_its_name_where_the_mail_has_none() {
        for words in &LANGUAGES[1..] {
            for device in ["a browser on Windows", "Safari on an iPhone", "Safari on an iPad", "a program"] {
                let called = words.device(device);
                let is_english = |word: &str| ["on", "an", "a", "browser", "program"].contains(&word);
                assert!(!called.split(' ').any(is_english), "{}: {called}", words.tag);
            }
        }
    }

    #[test]
    fn a_value_has_no_places() {
        assert_eq!(fill("{a} and {b}", &[("a", "{b}"), ("b", "2")]), "{b} and 2");
    }

    #[test]
    fn a_language_is_found_by_its_tag_and_english_stands_in() {
        for (locale, tag) in [("es-MX", "es"), ("fr", "fr"), ("de_AT", "de"), ("EN", "en"), ("tlh", "en"), ("", "en")] {
            assert_eq!(Words::of(locale).tag, tag, "{locale}");
        }
    }
}
