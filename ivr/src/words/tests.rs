use ivr_core::private::Private;
use time::macros::datetime;

use super::*;

/// The places of a text, and its elements.
fn parts(text: Text) -> (Vec<&'static str>, Vec<&'static str>) {
    let between = |open: char, close: char| {
        let mut found: Vec<&str> =
            text.0.split(open).skip(1).map(|rest| rest.split(close).next().unwrap_or_default()).collect();
        found.sort_unstable();
        found
    };
    (between('{', '}'), between('<', '>'))
}

#[test]
fn every_text_is_translated_and_has_the_places_and_elements_of_the_english() {
    let english = LANGUAGES[0].all();
    for words in &LANGUAGES {
        for ((name, text), (_, original)) in words.all().into_iter().zip(&english) {
            let of = format!("{} {name}: {text}", words.tag);
            assert_eq!(parts(text), parts(*original), "{of}");
            assert!(!text.0.trim().is_empty(), "{of}");
            // The only one that two languages write alike.
            assert!(words.tag == "en" || name == "date" || text != *original, "{of}");
            // It may stand in an attribute.
            assert!(text.0.contains('<') || !text.0.contains(['"', '&', '>']), "{of}");
        }
    }
}

#[test]
fn every_sentence_is_translated() {
    let english = &LANGUAGES[0];
    for words in &LANGUAGES[1..] {
        for state in State::ALL {
            assert_ne!(words.state(state), english.state(state), "{} {state:?}", words.tag);
        }
        for kind in KINDS {
            assert_ne!(words.kind(kind), english.kind(kind), "{} {kind:?}", words.tag);
        }
        for error in number_errors() {
            assert_ne!(words.number_error(&error), english.number_error(&error), "{} {error:?}", words.tag);
        }
    }
}

const KINDS: [Kind; 9] = [
    Kind::Subscriber,
    Kind::Voip,
    Kind::Personal,
    Kind::TollFree,
    Kind::Premium,
    Kind::SharedCost,
    Kind::UniversalAccess,
    Kind::Pager,
    Kind::Voicemail,
];

fn number_errors() -> [NumberError; 6] {
    [
        NumberError::NotDigits,
        NumberError::NoCountry,
        NumberError::TooShort,
        NumberError::TooLong,
        NumberError::Unassigned,
        NumberError::Misspelled { meant: Private::new(String::new()) },
    ]
}

#[test]
fn a_value_is_text_wherever_it_stands() {
    let text = Text("<b title=\"{first}\">{second}</b>");
    let filled = text.with("first", "\"><script>{second}").with("second", "it's & <i>");
    assert_eq!(
        filled.to_string(),
        "<b title=\"&#34;&#62;&#60;script&#62;&#123;second&#125;\">it&#39;s &#38; &#60;i&#62;</b>"
    );
}

#[test]
fn a_language_is_found_by_its_tag_and_english_stands_in() {
    for (locale, tag) in [("es-MX", "es"), ("fr", "fr"), ("de_AT", "de"), ("EN", "en"), ("tlh", "en"), ("", "en")] {
        assert_eq!(Words::of(locale).tag, tag, "{locale}");
    }
}

#[test]
fn a_day_is_written_as_its_language_does() {
    let at = datetime!(2026-03-01 14:05 +2);
    for (tag, day) in [
        ("en", "1 March 2026, 12:05 UTC"),
        ("es", "1 de marzo de 2026, 12:05 UTC"),
        ("fr", "1 mars 2026, 12:05 UTC"),
        ("de", "1. März 2026, 12:05 UTC"),
    ] {
        assert_eq!(Words::of(tag).day(at), day);
    }
}
