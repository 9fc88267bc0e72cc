//! The caller has a verification and proves the number: warning, code, confirm digit, read-back.

use std::time::{Duration, Instant};

use voice_prompts::{PromptId, Utterance};

use super::confirming::{Answered, Confirming};
use super::scene::Scene;
use super::telling::Telling;
use super::{ANSWER_LIMIT, BREATH, Ending, Event, FIRST_KEY, LONGEST_SENTENCE, Purpose, State, Step};
use crate::call::question::{Answer, Outcome, Question, Session};
use crate::code::{Code, Keyed};
use crate::key_check::KeyCheck;
use crate::private::Private;
use crate::proof::{Binding, ProvedNumber};

/// How far the caller is.
#[derive(Debug)]
pub(super) enum Proving {
    /// The warning is spoken to its end; keys are dropped, which defeats links that dial with tones.
    Warning,
    /// The caller keys in the code of the screen.
    EnteringCode { keyed: Keyed, speaking: bool, tally: Tally },
    /// The store compares the code.
    Checking { tally: Tally },
    /// The caller confirms.
    Confirming { session: Session, confirming: Confirming, tally: Tally },
    /// The store keeps the proof and the HMAC of the read-back.
    Storing { read_out: ReadOut },
    /// The read-back is spoken, then the page has until then to post it.
    ReadingBack { read_out: ReadOut, until: Instant },
    /// `code-only`: the certificate is being issued.
    Issuing,
}

/// What the voice reads at the end.
#[derive(Debug)]
pub(super) struct ReadOut {
    /// For an app, which shows it too.
    key_check: Option<KeyCheck>,
    /// For the page or the app, which wants them.
    digits: Code,
}

/// What a call has used up.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    wrong_codes: u8,
    silences: u8,
}

impl From<Proving> for State {
    fn from(proving: Proving) -> Self {
        Self::Proving(proving)
    }
}

impl Proving {
    /// The next state, or this one back if the event means nothing to it.
    pub(super) fn on_event(self, event: Event, scene: &mut Scene<'_>) -> Result<State, Self> {
        Ok(match (self, event) {
            (Self::Warning, Event::PlayEnded) => scene.ask_code(Utterance::default(), Tally::default()),

            (Self::EnteringCode { keyed, tally, .. }, Event::PlayEnded) => {
                Self::EnteringCode { keyed, speaking: false, tally }.into()
            }
            (Self::EnteringCode { tally, .. }, Event::Key('*')) => scene.ask_code(Utterance::default(), tally),
            (Self::EnteringCode { keyed, speaking, tally }, Event::Key(key @ '0'..='9')) => {
                scene.key_in(keyed, key, speaking, tally)
            }
            (Self::EnteringCode { speaking: false, keyed, tally }, Event::Timeout) => scene.miss_keys(&keyed, tally),

            (Self::Checking { tally }, Event::Answer(Answer::Matched(session))) => scene.match_code(session, tally),
            (Self::Checking { tally }, Event::Answer(Answer::Wrong { tries_left })) => {
                scene.wrong_code(tries_left, tally)
            }
            (Self::Checking { .. }, Event::Answer(Answer::NumberExhausted)) => scene.exhaust(),

            (Self::Confirming { .. }, Event::Outcome(_)) => scene.lose_session(),
            (Self::Confirming { session, confirming, tally }, event) => match confirming.on_event(&event, scene) {
                Ok(answered) => scene.hear_confirmation(session, answered, tally),
                // A sentence that does not end.
                Err(_) if event == Event::Timeout => scene.fail(),
                Err(confirming) => return Err(Self::Confirming { session, confirming, tally }),
            },

            (Self::Storing { read_out }, Event::Answer(Answer::Stored)) => {
                let until = scene.now + READ_BACK_LIMIT;
                scene.read_back(read_out, until)
            }
            (Self::Issuing, Event::Answer(Answer::Stored)) => Self::Issuing.into(),

            (Self::ReadingBack { read_out, until }, Event::Key('*')) => scene.read_back(read_out, until),
            (Self::ReadingBack { until, .. }, Event::Timeout) if scene.now >= until => scene.expire(),

            // A session's outcome and the answer to a question take different ways: either may come first.
            (Self::Storing { .. } | Self::ReadingBack { .. } | Self::Issuing, Event::Outcome(outcome)) => {
                scene.conclude(outcome)
            }
            (
                Self::Checking { .. } | Self::Storing { .. } | Self::Issuing,
                Event::Answer(Answer::Gone | Answer::NoSession),
            ) => scene.lose_session(),
            (Self::Checking { .. } | Self::Storing { .. } | Self::Issuing, Event::Answer(Answer::Unavailable)) => {
                scene.fail()
            }
            // A sentence that does not end, a store that does not answer, an issue without an outcome.
            (_, Event::Timeout) => scene.fail(),

            (unmoved, _) => return Err(unmoved),
        })
    }

    /// When this state, entered or moved on now, gives up.
    pub(super) fn gives_up_at(&self, now: Instant) -> Instant {
        match self {
            Self::Warning | Self::EnteringCode { speaking: true, .. } => now + LONGEST_SENTENCE,
            Self::EnteringCode { keyed, .. } if keyed.is_empty() => now + FIRST_KEY,
            Self::EnteringCode { .. } => now + NEXT_KEY,
            Self::Confirming { confirming, .. } => now + confirming.patience(),
            Self::Checking { .. } | Self::Storing { .. } => now + ANSWER_LIMIT,
            Self::ReadingBack { until, .. } => *until,
            Self::Issuing => now + ISSUE_LIMIT,
        }
    }
}

/// The named steps.
impl Scene<'_> {
    pub(super) fn warn(&mut self) -> Proving {
        let (first, last) = self.caller.number.last4().split_at(2);
        let warning = Utterance::default()
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
            .pause(BREATH);
        self.note(Step::Warning);
        self.say(warning);
        Proving::Warning
    }

    fn ask_code(&mut self, sorry: Utterance, tally: Tally) -> State {
        self.note(Step::EnteringCode);
        self.say(sorry.clip(PromptId::EnterCode));
        Proving::EnteringCode { keyed: Keyed::default(), speaking: true, tally }.into()
    }

    fn key_in(&mut self, mut keyed: Keyed, key: char, speaking: bool, tally: Tally) -> State {
        if speaking {
            self.hush();
        }
        let Some(code) = keyed.press(key) else {
            return Proving::EnteringCode { keyed, speaking: false, tally }.into();
        };
        self.ask(Question::Code { caller: self.caller.clone(), entered: Private::new(code) });
        Proving::Checking { tally }.into()
    }

    /// No key came, or no other. Whoever has begun a verification of this number from afar must not keep its owner from
    /// hearing what exists for it: at the third silence the store is asked.
    fn miss_keys(&mut self, keyed: &Keyed, mut tally: Tally) -> State {
        tally.silences += 1;
        if tally.silences == SILENCES {
            self.ask(Question::Certificates(self.caller.clone()));
            return Telling::Asking.into();
        }
        self.ask_code(if keyed.is_empty() { sorry() } else { Utterance::default() }, tally)
    }

    fn wrong_code(&mut self, tries_left: u8, mut tally: Tally) -> State {
        tally.wrong_codes += 1;
        let tries_left = tries_left.min(CODE_TRIES.saturating_sub(tally.wrong_codes));
        self.note(Step::WrongCode(tries_left));
        if tries_left == 0 {
            return self.exhaust();
        }
        self.ask_code(Utterance::default().clip(PromptId::WrongCode).pause(BREATH), tally)
    }

    fn match_code(&mut self, session: Session, tally: Tally) -> State {
        self.note(Step::CodeMatched(session.id));
        self.ask_to_confirm(Utterance::default(), session, Tally { silences: 0, ..tally })
    }

    fn ask_to_confirm(&mut self, sorry: Utterance, session: Session, tally: Tally) -> State {
        let confirming = Confirming::ask(sorry, None, self);
        Proving::Confirming { session, confirming, tally }.into()
    }

    fn hear_confirmation(&mut self, session: Session, answered: Answered, mut tally: Tally) -> State {
        match answered {
            Answered::Not(confirming) => Proving::Confirming { session, confirming, tally }.into(),
            Answered::Yes => self.confirm(session),
            Answered::No => self.wrong_confirm_key(),
            Answered::Silence => {
                tally.silences += 1;
                if tally.silences == SILENCES {
                    return self.hear_nothing();
                }
                self.ask_to_confirm(sorry(), session, tally)
            }
        }
    }

    fn confirm(&mut self, session: Session) -> State {
        // No other call comes so far.
        let Purpose::Prove(binding) = self.purpose else { return self.fail() };
        self.note(Step::Confirmed);
        let Some(proof) = ProvedNumber::by_call(self.caller, session.id, binding) else {
            return self.rehearse(session);
        };
        let passport = self.caller.passport.clone();
        match binding {
            Binding::CodeOnly => {
                self.ask(Question::CodeOnly { proof, passport });
                Proving::Issuing.into()
            }
            Binding::ReadBack => {
                let digits = Code::draw(&mut self.chance);
                self.ask(Question::ReadBack { proof, digits: Private::new(digits.clone()), passport });
                Proving::Storing { read_out: ReadOut { key_check: session.key_check, digits } }.into()
            }
        }
    }

    /// Nothing is proved over a trunk of the sandbox; all else is as if it were, and by read-back whatever the binding.
    fn rehearse(&mut self, Session { id, key_check, .. }: Session) -> State {
        let (caller, digits) = (self.caller.clone(), Code::draw(&mut self.chance));
        self.ask(Question::Rehearsed { caller, rehearsal: id, digits: Private::new(digits.clone()) });
        Proving::Storing { read_out: ReadOut { key_check, digits } }.into()
    }

    /// The key check comes first: whoever finds that it is another's hangs up before there is anything to tell.
    fn read_back(&mut self, read_out: ReadOut, until: Instant) -> State {
        self.note(Step::ReadingBack);
        let check = read_out.key_check.as_ref().map_or_else(Utterance::default, |check| {
            let (first, last) = check.as_str().split_at(2);
            Utterance::default()
                .clip(PromptId::CompareWithApp)
                .pause(BREATH)
                .digits(first)
                .pause(Utterance::BETWEEN_GROUPS)
                .digits(last)
                .pause(BREATH)
        });
        self.say(
            check
                .clip(PromptId::TypeIntoPage)
                .pause(BREATH)
                .digits(read_out.digits.as_str())
                .pause(BREATH)
                .clip(PromptId::OnceMore)
                .pause(BREATH)
                .digits(read_out.digits.as_str())
                .pause(BREATH)
                .clip(PromptId::StarRepeats),
        );
        Proving::ReadingBack { read_out, until }.into()
    }

    fn conclude(&mut self, outcome: Outcome) -> State {
        match outcome {
            Outcome::Issued => self.part(PromptId::Verified, Ending::Verified),
            Outcome::Held => self.part(PromptId::KeyHeld, Ending::Held),
            Outcome::Voided => self.part(PromptId::ReadBackVoided, Ending::ReadBackVoided),
            Outcome::Failed => self.fail(),
        }
    }

    fn exhaust(&mut self) -> State {
        self.part(PromptId::TooManyWrongCodes, Ending::TooManyWrongCodes)
    }

    fn expire(&mut self) -> State {
        self.part(PromptId::ReadBackExpired, Ending::ReadBackExpired)
    }

    fn lose_session(&mut self) -> State {
        self.part(PromptId::TryLater, Ending::SessionGone)
    }
}

/// Before a question that is asked again.
fn sorry() -> Utterance {
    Utterance::default().clip(PromptId::NothingHeard).pause(BREATH)
}

/// Wrong codes that end a call; the session and the number have budgets of their own.
const CODE_TRIES: u8 = 3;
/// Silences of a step after which nobody seems to be there.
const SILENCES: u8 = 3;
/// Between two digits of a code.
const NEXT_KEY: Duration = Duration::from_secs(6);
/// The CA's time for a certificate while the caller listens to silence.
const ISSUE_LIMIT: Duration = Duration::from_secs(20);
/// How long a read-back is valid, spoken words included.
pub(super) const READ_BACK_LIMIT: Duration = Duration::from_secs(90);
