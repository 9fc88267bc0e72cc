//! The caller has no verification, or keys in no code: the voice says what certificates the number has, and 9 suspends them.

use std::time::Duration;

use voice_prompts::{PromptId, Utterance};

use super::confirming::{Answered, Confirming};
use super::scene::Scene;
use super::{ANSWER_LIMIT, Ending, Event, FIRST_KEY, LONGEST_SENTENCE, State, Step, sentences};
use crate::call::question::{Answer, Enrolled, Question};

/// How far the caller is.
#[derive(Debug)]
pub(super) enum Telling {
    /// Nobody keys in a code: the store is asked whether the number has certificates.
    Asking,
    /// They are told to the end; keys are dropped, as in the warning.
    Speaking,
    /// The caller may press 9.
    Offering,
    /// It was pressed, and the caller confirms.
    Confirming(Confirming),
    /// The store suspends.
    Suspending,
}

impl From<Telling> for State {
    fn from(telling: Telling) -> Self {
        Self::Telling(telling)
    }
}

impl Telling {
    /// The next state, or this one back if the event means nothing to it.
    pub(super) fn on_event(self, event: Event, scene: &mut Scene<'_>) -> Result<State, Self> {
        Ok(match (self, event) {
            (Self::Asking, Event::Answer(Answer::Certified(enrolled))) => scene.tell(enrolled).into(),
            (Self::Asking, Event::Answer(_) | Event::Timeout) => scene.hear_nothing(),

            (Self::Speaking, Event::PlayEnded) => Self::Offering.into(),
            (Self::Offering, Event::Key(SUSPEND)) => scene.ask_to_suspend(),
            (Self::Offering, Event::Timeout) => scene.part_without_words(Ending::Told),

            (Self::Confirming(confirming), event) => match confirming.on_event(&event, scene) {
                Ok(answered) => scene.hear_suspension(answered),
                // A sentence that does not end.
                Err(_) if event == Event::Timeout => scene.fail(),
                Err(confirming) => return Err(Self::Confirming(confirming)),
            },

            (Self::Suspending, Event::Answer(Answer::Suspended)) => scene.part(PromptId::Suspended, Ending::Suspended),
            (Self::Suspending, Event::Answer(Answer::NotSuspended)) => scene.part(PromptId::NotSuspended, Ending::Told),
            (Self::Suspending, Event::Answer(Answer::Unavailable)) | (_, Event::Timeout) => scene.fail(),

            (unmoved, _) => return Err(unmoved),
        })
    }

    /// How long this state, entered or moved on now, waits.
    pub(super) fn patience(&self) -> Duration {
        match self {
            Self::Speaking => LONGEST_SENTENCE,
            Self::Offering => FIRST_KEY,
            Self::Confirming(confirming) => confirming.patience(),
            Self::Asking | Self::Suspending => ANSWER_LIMIT,
        }
    }
}

/// The named steps.
impl Scene<'_> {
    pub(super) fn tell(&mut self, enrolled: Enrolled) -> Telling {
        self.note(Step::Telling);
        self.say(sentences::certificates(enrolled));
        Telling::Speaking
    }

    /// A link can dial one 9 after the other until one is heard, but not a digit that is drawn now.
    fn ask_to_suspend(&mut self) -> State {
        Telling::Confirming(Confirming::ask(Utterance::default(), Some(SUSPEND), self)).into()
    }

    fn hear_suspension(&mut self, answered: Answered) -> State {
        match answered {
            Answered::Not(confirming) => Telling::Confirming(confirming).into(),
            Answered::Yes => {
                self.note(Step::Suspending);
                self.ask(Question::Suspend(self.caller.clone()));
                Telling::Suspending.into()
            }
            Answered::No => self.wrong_confirm_key(),
            Answered::Silence => self.part_without_words(Ending::Told),
        }
    }
}

/// "To suspend them, press nine."
const SUSPEND: char = '9';
