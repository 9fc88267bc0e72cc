//! The clips by name, and how sentences are put together from them.

use std::time::Duration;

/// One recorded clip. Its file is `audio/<lang>/<id>.wav`, its words are in `wording/<lang>.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PromptId {
    /// "This is": the service's name follows.
    ThisIs,
    /// The service's name: shipped as "Dialproof"; an operator records its own.
    Service,
    /// "Going on lets a device send and receive calls as your number ending": four digits follow.
    WarningNumber,
    /// "If somebody asked you to call, hang up: it is a scam."
    WarningScam,
    /// "Enter the six digits on your screen."
    EnterCode,
    /// "That is not the code."
    WrongCode,
    /// "Too many wrong codes."
    TooManyWrongCodes,
    /// "To confirm, press": one digit follows.
    PressToConfirm,
    /// "That was another key."
    WrongConfirmKey,
    /// "Now type these six digits only into the page that you opened": six digits follow.
    TypeIntoPage,
    /// "Once more."
    OnceMore,
    /// "Press star to hear the digits again."
    StarRepeats,
    /// "Your number is verified."
    Verified,
    /// "The digits were not typed in time. Please start again."
    ReadBackExpired,
    /// "Wrong digits were typed into the page too often. Please start again."
    ReadBackVoided,
    /// "We did not hear a key."
    NothingHeard,
    /// "The service cannot finish this now. Please try again later."
    TryLater,
    /// "Goodbye."
    Goodbye,
    /// A spoken digit, 0 to 9.
    Digit(u8),
}

/// A part of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment {
    /// A clip.
    Clip(PromptId),
    /// Comfort silence.
    Pause(Duration),
}

/// What is said in one breath: clips and pauses in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Utterance(pub Vec<Segment>);

impl Utterance {
    /// Between two digits read one by one.
    pub const BETWEEN_DIGITS: Duration = Duration::from_millis(250);
    /// Between two groups of three digits.
    pub const BETWEEN_GROUPS: Duration = Duration::from_millis(450);

    /// This sentence and then a clip.
    #[must_use]
    pub fn clip(mut self, id: PromptId) -> Self {
        self.0.push(Segment::Clip(id));
        self
    }

    /// This sentence and then silence.
    #[must_use]
    pub fn pause(mut self, length: Duration) -> Self {
        self.0.push(Segment::Pause(length));
        self
    }

    /// This sentence and then digits one by one, in groups of three; what is not a digit is left out.
    #[must_use]
    pub fn digits(mut self, digits: &str) -> Self {
        for (i, d) in digits.bytes().filter(u8::is_ascii_digit).enumerate() {
            if i > 0 {
                let gap = if i % 3 == 0 { Self::BETWEEN_GROUPS } else { Self::BETWEEN_DIGITS };
                self.0.push(Segment::Pause(gap));
            }
            self.0.push(Segment::Clip(PromptId::Digit(d - b'0')));
        }
        self
    }
}
