//! What the spoken clips mean to somebody on the line: questions, and the digits in them.

use voice_prompts::{Heard, PromptId};

/// Length of the read-back and of the code.
const SIX: usize = 6;
/// The warning names this many digits of the number, and the key check has as many.
const FOUR: usize = 4;

/// Something said, as a caller understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A clip began: the caller knows what is coming.
    Beginning(PromptId),
    /// The warning named a number with these last digits.
    NumberEnding(String),
    /// "Enter the six digits on your screen."
    EnterCode,
    /// "To confirm, press …"
    Confirm(char),
    /// "To suspend them, press nine."
    MaySuspend,
    /// "Compare these four digits with your app."
    KeyCheck(String),
    /// Six digits to type into the page.
    ReadBack(String),
    /// The digits could be heard again; they were not understood.
    CouldRepeat,
}

/// Follows the sentences.
#[derive(Debug, Default)]
pub(super) struct Understanding {
    sentence: Sentence,
    /// The read-back was understood.
    has_read_back: bool,
}

#[derive(Debug, Default)]
enum Sentence {
    #[default]
    Other,
    NumberEnding(String),
    Confirm,
    KeyCheck(String),
    ReadBack(String),
}

impl Understanding {
    pub(super) fn hear(&mut self, heard: Heard) -> Option<Meaning> {
        match heard {
            Heard::Began(PromptId::Digit(_)) => None,
            Heard::Began(id) => Some(Meaning::Beginning(id)),
            Heard::Ended(PromptId::Digit(digit)) => self.digit(char::from(b'0' + digit.min(9))),
            Heard::Ended(id) => self.sentence(id),
            Heard::Cut(_) => {
                self.sentence = Sentence::Other;
                None
            }
        }
    }

    fn sentence(&mut self, id: PromptId) -> Option<Meaning> {
        self.sentence = match id {
            PromptId::WarningNumber => Sentence::NumberEnding(String::new()),
            PromptId::PressToConfirm => Sentence::Confirm,
            PromptId::CompareWithApp => Sentence::KeyCheck(String::new()),
            PromptId::TypeIntoPage | PromptId::OnceMore => Sentence::ReadBack(String::new()),
            _ => Sentence::Other,
        };
        match id {
            PromptId::EnterCode => Some(Meaning::EnterCode),
            PromptId::PressNine => Some(Meaning::MaySuspend),
            PromptId::StarRepeats if !self.has_read_back => Some(Meaning::CouldRepeat),
            _ => None,
        }
    }

    fn digit(&mut self, digit: char) -> Option<Meaning> {
        match &mut self.sentence {
            Sentence::NumberEnding(digits) => {
                digits.push(digit);
                (digits.len() == FOUR).then(|| Meaning::NumberEnding(digits.clone()))
            }
            Sentence::Confirm => Some(Meaning::Confirm(digit)),
            Sentence::KeyCheck(digits) => {
                digits.push(digit);
                (digits.len() == FOUR).then(|| Meaning::KeyCheck(digits.clone()))
            }
            Sentence::ReadBack(digits) => {
                digits.push(digit);
                let all = (digits.len() == SIX).then(|| digits.clone())?;
                self.has_read_back = true;
                Some(Meaning::ReadBack(all))
            }
            Sentence::Other => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(ids: &[PromptId]) -> Vec<Meaning> {
        let mut understanding = Understanding::default();
        let all = ids.iter().flat_map(|id| [Heard::Began(*id), Heard::Ended(*id)]);
        all.filter_map(|heard| understanding.hear(heard))
            .filter(|meaning| !matches!(meaning, Meaning::Beginning(_)))
            .collect()
    }

    fn with_digits(ids: &[PromptId], digits: &str) -> Vec<PromptId> {
        ids.iter().copied().chain(digits.chars().filter_map(PromptId::digit)).collect()
    }

    #[test]
    fn the_digits_of_each_sentence_are_its_own() {
        let warning = with_digits(&[PromptId::ThisIs, PromptId::Service, PromptId::WarningNumber], "0143");
        assert_eq!(understood(&warning), [Meaning::NumberEnding("0143".into())]);
        assert_eq!(understood(&with_digits(&[PromptId::PressToConfirm], "7")), [Meaning::Confirm('7')]);
        assert_eq!(understood(&with_digits(&[PromptId::CompareWithApp], "0042")), [Meaning::KeyCheck("0042".into())]);
        assert_eq!(understood(&with_digits(&[PromptId::TypeIntoPage], "012345")), [Meaning::ReadBack("012345".into())]);
        assert_eq!(understood(&[PromptId::WarningScam, PromptId::EnterCode]), [Meaning::EnterCode]);
        assert_eq!(understood(&[PromptId::CertificatesExist, PromptId::PressNine]), [Meaning::MaySuspend]);
        assert_eq!(understood(&with_digits(&[], "3")), []);
    }

    #[test]
    fn a_read_back_with_a_digit_missing_is_taken_from_the_second_reading_or_asked_for() {
        let mut twice = with_digits(&[PromptId::TypeIntoPage], "01235");
        twice.extend(with_digits(&[PromptId::OnceMore], "012345"));
        twice.push(PromptId::StarRepeats);
        assert_eq!(understood(&twice), [Meaning::ReadBack("012345".into())]);
        let mut never = with_digits(&[PromptId::TypeIntoPage], "01235");
        never.push(PromptId::StarRepeats);
        assert_eq!(understood(&never), [Meaning::CouldRepeat]);
    }

    #[test]
    fn digits_after_a_clip_that_broke_off_mean_nothing() {
        let mut understanding = Understanding::default();
        for heard in [Heard::Began(PromptId::PressToConfirm), Heard::Cut(PromptId::PressToConfirm)] {
            understanding.hear(heard);
        }
        assert_eq!(understanding.hear(Heard::Ended(PromptId::Digit(4))), None);
    }
}
