//! What a transition of the script may look at and what it may do, and the steps that end a call.

use std::time::Instant;

use rand_core::Rng;
use voice_prompts::{PromptId, Utterance};

use super::{Action, BREATH, Ending, LAST_WORDS, Purpose, State, Step};
use crate::call::question::Question;
use crate::caller::Caller;
use crate::media::Silence;

/// What a transition may look at and what it may do.
pub(super) struct Scene<'a> {
    pub(super) caller: &'a Caller,
    pub(super) purpose: Purpose,
    pub(super) now: Instant,
    pub(super) closes_at: Instant,
    pub(super) chance: &'a mut dyn Rng,
    pub(super) out: &'a mut Vec<Action>,
}

impl Scene<'_> {
    pub(super) fn say(&mut self, utterance: Utterance) {
        self.out.push(Action::Say(utterance));
    }

    pub(super) fn hush(&mut self) {
        self.out.push(Action::Hush);
    }

    pub(super) fn ask(&mut self, question: Question) {
        self.out.push(Action::Ask(question));
    }

    pub(super) fn note(&mut self, step: Step) {
        self.out.push(Action::Note(step));
    }

    /// Says why and goodbye. The record knows the ending before the words are spoken.
    pub(super) fn part(&mut self, why: PromptId, ending: Ending) -> State {
        self.take_leave(Utterance::default().clip(why).pause(BREATH), ending)
    }

    /// Says only goodbye.
    pub(super) fn part_without_words(&mut self, ending: Ending) -> State {
        self.take_leave(Utterance::default(), ending)
    }

    fn take_leave(&mut self, why: Utterance, ending: Ending) -> State {
        self.note(Step::Ended(ending));
        self.say(why.clip(PromptId::Goodbye));
        State::Parting
    }

    pub(super) fn hear_nothing(&mut self) -> State {
        self.part(PromptId::NothingHeard, Ending::NothingHeard)
    }

    pub(super) fn wrong_confirm_key(&mut self) -> State {
        self.part(PromptId::WrongConfirmKey, Ending::WrongConfirmKey)
    }

    pub(super) fn fail(&mut self) -> State {
        self.part(PromptId::TryLater, Ending::ServiceFailed)
    }

    pub(super) fn close(&mut self) -> State {
        self.part_without_words(Ending::TooLong)
    }

    pub(super) fn hang_up(&mut self) -> State {
        self.out.push(Action::HangUp);
        State::Over
    }

    pub(super) fn caller_left(&mut self, ending: Ending) -> State {
        self.note(Step::Ended(ending));
        State::Over
    }

    /// Nobody seems to be there: without a word.
    pub(super) fn miss(&mut self, silence: Silence) -> State {
        self.note(Step::Ended(match silence {
            Silence::NoAudio => Ending::NoAudio,
            Silence::AudioStopped => Ending::AudioStopped,
        }));
        self.hang_up()
    }

    pub(super) fn is_too_long(&self) -> bool {
        self.now >= self.closes_at - LAST_WORDS
    }
}
