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
    /// "Compare these four digits with your app. If they differ, hang up": four digits follow.
    CompareWithApp,
    /// "Now type these six digits only into the page that you opened": six digits follow.
    TypeIntoPage,
    /// "Once more."
    OnceMore,
    /// "Press star to hear the digits again."
    StarRepeats,
    /// "Your number is verified."
    Verified,
    /// "Another key was certified for this number lately, so the new one has to wait. The page says how long."
    KeyHeld,
    /// "The digits were not typed in time. Please start again."
    ReadBackExpired,
    /// "Wrong digits were typed into the page too often. Please start again."
    ReadBackVoided,
    /// "Certificates for your number:" how many follows, in digits.
    CertificatesExist,
    /// "The last was made on this day: year, month, day": they follow, in digits.
    LastMadeOn,
    /// "To suspend them, press nine."
    PressNine,
    /// "They are suspended. Whoever has the key can lift that within a day. After that it is final."
    Suspended,
    /// "Nothing was suspended."
    NotSuspended,
    /// "We did not hear a key."
    NothingHeard,
    /// "The service cannot finish this now. Please try again later."
    TryLater,
    /// "Goodbye."
    Goodbye,
    /// A spoken digit, 0 to 9.
    Digit(u8),
}

impl PromptId {
    /// Every clip.
    pub const ALL: [Self; 35] = [
        Self::ThisIs,
        Self::Service,
        Self::WarningNumber,
        Self::WarningScam,
        Self::EnterCode,
        Self::WrongCode,
        Self::TooManyWrongCodes,
        Self::PressToConfirm,
        Self::WrongConfirmKey,
        Self::CompareWithApp,
        Self::TypeIntoPage,
        Self::OnceMore,
        Self::StarRepeats,
        Self::Verified,
        Self::KeyHeld,
        Self::ReadBackExpired,
        Self::ReadBackVoided,
        Self::CertificatesExist,
        Self::LastMadeOn,
        Self::PressNine,
        Self::Suspended,
        Self::NotSuspended,
        Self::NothingHeard,
        Self::TryLater,
        Self::Goodbye,
        Self::Digit(0),
        Self::Digit(1),
        Self::Digit(2),
        Self::Digit(3),
        Self::Digit(4),
        Self::Digit(5),
        Self::Digit(6),
        Self::Digit(7),
        Self::Digit(8),
        Self::Digit(9),
    ];

    /// The clip of a digit; `None` for any other character.
    pub fn digit(digit: char) -> Option<Self> {
        digit.to_digit(10).and_then(|d| u8::try_from(d).ok()).map(Self::Digit)
    }

    /// Its name in files: `enter-code`, `digit-7`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ThisIs => "this-is",
            Self::Service => "service",
            Self::WarningNumber => "warning-number",
            Self::WarningScam => "warning-scam",
            Self::EnterCode => "enter-code",
            Self::WrongCode => "wrong-code",
            Self::TooManyWrongCodes => "too-many-wrong-codes",
            Self::PressToConfirm => "press-to-confirm",
            Self::WrongConfirmKey => "wrong-confirm-key",
            Self::CompareWithApp => "compare-with-app",
            Self::TypeIntoPage => "type-into-page",
            Self::OnceMore => "once-more",
            Self::StarRepeats => "star-repeats",
            Self::Verified => "verified",
            Self::KeyHeld => "key-held",
            Self::ReadBackExpired => "read-back-expired",
            Self::ReadBackVoided => "read-back-voided",
            Self::CertificatesExist => "certificates-exist",
            Self::LastMadeOn => "last-made-on",
            Self::PressNine => "press-nine",
            Self::Suspended => "suspended",
            Self::NotSuspended => "not-suspended",
            Self::NothingHeard => "nothing-heard",
            Self::TryLater => "try-later",
            Self::Goodbye => "goodbye",
            Self::Digit(0) => "digit-0",
            Self::Digit(1) => "digit-1",
            Self::Digit(2) => "digit-2",
            Self::Digit(3) => "digit-3",
            Self::Digit(4) => "digit-4",
            Self::Digit(5) => "digit-5",
            Self::Digit(6) => "digit-6",
            Self::Digit(7) => "digit-7",
            Self::Digit(8) => "digit-8",
            // No other digit exists; a caller that counts on has its last one.
            Self::Digit(9..) => "digit-9",
        }
    }

    /// The clip of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|id| id.name() == name)
    }

    /// Its place in [`PromptId::ALL`].
    pub(crate) fn index(self) -> usize {
        Self::ALL.iter().position(|id| id.name() == self.name()).expect("ALL holds every name")
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clip_is_found_by_its_name() {
        for id in PromptId::ALL {
            assert_eq!(PromptId::from_name(id.name()), Some(id));
        }
        assert_eq!(PromptId::from_name("digit-10"), None);
    }

    #[test]
    fn digits_are_read_one_by_one_in_groups_of_three() {
        let said = Utterance::default().digits("12 34");
        let (short, long) = (Utterance::BETWEEN_DIGITS, Utterance::BETWEEN_GROUPS);
        let expected = Utterance::default()
            .clip(PromptId::Digit(1))
            .pause(short)
            .clip(PromptId::Digit(2))
            .pause(short)
            .clip(PromptId::Digit(3))
            .pause(long)
            .clip(PromptId::Digit(4));
        assert_eq!(said, expected);
    }
}
