//! The sentences that are put together from many clips, and whether recordings of one's own leave time for them.

use std::time::Duration;

use voice_prompts::{Library, PromptId, Segment, Utterance};

use super::proving::READ_BACK_LIMIT;
use super::{BREATH, LONGEST_SENTENCE};
use crate::call::question::Enrolled;

/// A sentence that lasts longer than the script waits for its end, so that every call that needs it fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "in {language:?} {sentence} lasts {} s, and the script gives it up after {} s: every call that needs it would fail; record \
     shorter clips",
    length.as_secs(),
    limit.as_secs()
)]
pub struct TooLong {
    language: String,
    sentence: &'static str,
    length: Duration,
    limit: Duration,
}

impl TooLong {
    /// Those in the languages that an operator has recorded something in: whatever the digits, the shipped voices are in time.
    pub fn of(library: &Library) -> Vec<Self> {
        let is_altered = |language: &&str| PromptId::ALL.iter().any(|id| library.is_own(*id, language));
        library.languages().filter(is_altered).flat_map(|language| Self::in_language(language, library)).collect()
    }

    /// Other sentences have two clips, and the longest two are in time.
    fn in_language(language: &str, library: &Library) -> Vec<Self> {
        let longest = longest_digit(library, language);
        let sentences = [
            ("the warning", warning("0000"), LONGEST_SENTENCE),
            ("the list of certificates", certificates(Enrolled { count: 99, last: (2000, 12, 31) }), LONGEST_SENTENCE),
            ("the read-back", read_back(Some("0000"), "000000"), READ_BACK_LIMIT),
        ];
        let lengths = sentences.into_iter().map(|(sentence, utterance, limit)| {
            let length = library.utterance_length(&with_digit(longest, &utterance), language);
            Self { language: language.to_owned(), sentence, length, limit }
        });
        lengths.filter(|sentence| sentence.length >= sentence.limit).collect()
    }
}

fn longest_digit(library: &Library, language: &str) -> PromptId {
    let digits = (0..=9).map(PromptId::Digit);
    digits.max_by_key(|digit| library.length(*digit, language)).expect("there are ten")
}

/// The same with this one for each of its digits.
fn with_digit(digit: PromptId, utterance: &Utterance) -> Utterance {
    let replaced = |segment: &Segment| match segment {
        Segment::Clip(PromptId::Digit(_)) => Segment::Clip(digit),
        other => *other,
    };
    Utterance(utterance.0.iter().map(replaced).collect())
}

/// Before anything else: what the call does to the number that ends so.
pub(super) fn warning(last4: &str) -> Utterance {
    let (first, last) = last4.split_at(2);
    Utterance::default()
        .clip(PromptId::ThisIs)
        .clip(PromptId::Service)
        .pause(BREATH)
        .clip(PromptId::WarningNumber)
        .pause(BREATH)
        .digits(first)
        .pause(Utterance::BETWEEN_GROUPS)
        .digits(last)
        .pause(BREATH)
        .clip(PromptId::WarningScam)
        .pause(BREATH)
}

/// The key check comes first: whoever finds that it is another's hangs up before there is anything to tell.
pub(super) fn read_back(key_check: Option<&str>, digits: &str) -> Utterance {
    let check = key_check.map_or_else(Utterance::default, |check| {
        let (first, last) = check.split_at(2);
        Utterance::default()
            .clip(PromptId::CompareWithApp)
            .pause(BREATH)
            .digits(first)
            .pause(Utterance::BETWEEN_GROUPS)
            .digits(last)
            .pause(BREATH)
    });
    check
        .clip(PromptId::TypeIntoPage)
        .pause(BREATH)
        .digits(digits)
        .pause(BREATH)
        .clip(PromptId::OnceMore)
        .pause(BREATH)
        .digits(digits)
        .pause(BREATH)
        .clip(PromptId::StarRepeats)
}

/// The key is named last, and counts only then.
pub(super) fn certificates(Enrolled { count, last: (year, month, day) }: Enrolled) -> Utterance {
    let (century, year) = (format!("{:02}", year / 100), format!("{:02}", year % 100));
    Utterance::default()
        .clip(PromptId::ThisIs)
        .clip(PromptId::Service)
        .pause(BREATH)
        .clip(PromptId::CertificatesExist)
        .pause(BREATH)
        .digits(&count.to_string())
        .pause(BREATH)
        .clip(PromptId::LastMadeOn)
        .pause(BREATH)
        .digits(&century)
        .pause(Utterance::BETWEEN_DIGITS)
        .digits(&year)
        .pause(Utterance::BETWEEN_GROUPS)
        .digits(&format!("{month:02}"))
        .pause(Utterance::BETWEEN_GROUPS)
        .digits(&format!("{day:02}"))
        .pause(BREATH)
        .clip(PromptId::PressNine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_voices_and_the_longest_two_clips_end_in_time() {
        let library = Library::embedded();
        for language in library.languages() {
            assert_eq!(TooLong::in_language(language, &library), []);
        }
        assert!(2 * voice_prompts::LONGEST + BREATH < LONGEST_SENTENCE);
    }
}
