//! "To confirm, press": the key that nobody could know before the voice names it. A link that dials with tones, or keys that
//! come by themselves, do not know it.

use std::time::Duration;

use voice_prompts::{PromptId, Utterance};

use super::scene::Scene;
use super::{Event, FIRST_KEY, LONGEST_SENTENCE, Step};
use crate::code;
use crate::private::Private;

/// The caller is asked to confirm.
#[derive(Debug)]
pub(super) enum Confirming {
    /// The sentence is spoken: no key can be an answer before the digit is heard.
    Announced { except: Option<char> },
    /// The digit is or was spoken.
    Named { digit: Private<char>, except: Option<char>, is_speaking: bool },
}

/// What the caller says to it.
#[derive(Debug)]
pub(super) enum Answered {
    /// Nothing yet.
    Not(Confirming),
    /// The digit.
    Yes,
    /// Another one.
    No,
    /// Nothing in time.
    Silence,
}

impl Confirming {
    /// Asks, after these words, for a digit that is drawn once it is spoken: never `except`, which the caller pressed before.
    pub(super) fn ask(sorry: Utterance, except: Option<char>, scene: &mut Scene<'_>) -> Self {
        scene.note(Step::Confirming);
        scene.say(sorry.clip(PromptId::PressToConfirm));
        Self::Announced { except }
    }

    /// What an event answers, or this one back if it means nothing here.
    pub(super) fn on_event(self, event: &Event, scene: &mut Scene<'_>) -> Result<Answered, Self> {
        Ok(match (self, event) {
            (Self::Announced { except }, Event::PlayEnded) => Answered::Not(Self::name(except, scene)),
            (Self::Named { digit, except, .. }, Event::PlayEnded) => {
                Answered::Not(Self::Named { digit, except, is_speaking: false })
            }
            (Self::Named { except, .. }, Event::Key('*')) => {
                Answered::Not(Self::ask(Utterance::default(), except, scene))
            }
            (Self::Named { digit, is_speaking, .. }, Event::Key(key @ '0'..='9')) if key == digit.expose() => {
                if is_speaking {
                    scene.hush();
                }
                Answered::Yes
            }
            (Self::Named { .. }, Event::Key('0'..='9')) => Answered::No,
            (Self::Named { is_speaking: false, .. }, Event::Timeout) => Answered::Silence,
            (unmoved, _) => return Err(unmoved),
        })
    }

    fn name(except: Option<char>, scene: &mut Scene<'_>) -> Self {
        let mut drawn = std::iter::repeat_with(|| code::draw_digit(&mut scene.chance));
        let digit = drawn.find(|digit| Some(*digit) != except).expect("there is no end of them");
        scene.say(Utterance::default().digits(digit.encode_utf8(&mut [0; 4])));
        Self::Named { digit: Private::new(digit), except, is_speaking: true }
    }

    /// Whether a key is the digit that was named; `None` while none is, or for what is no digit.
    pub(super) fn is_the_digit(&self, key: char) -> Option<bool> {
        match self {
            Self::Named { digit, .. } if key.is_ascii_digit() => Some(key == *digit.expose()),
            Self::Named { .. } | Self::Announced { .. } => None,
        }
    }

    pub(super) fn patience(&self) -> Duration {
        match self {
            Self::Announced { .. } | Self::Named { is_speaking: true, .. } => LONGEST_SENTENCE,
            Self::Named { is_speaking: false, .. } => FIRST_KEY,
        }
    }
}
