//! The script of a call: what we say, what we wait for, when we give up. Who has a verification proves the number; who has
//! none, but certificates, hears of them and may suspend them; so does who keys in no code.
//! To change the conversation, change this file and the transcripts in `scenarios/`.

use std::time::{Duration, Instant};

use rand_core::Rng;
use voice_prompts::{PromptId, Utterance};

use super::question::{Answer, Enrolled, Outcome, Question, VerificationId};
use crate::caller::Caller;
use crate::code::{self, Code, Keyed};
use crate::private::Private;
use crate::proof::{Binding, ProvedNumber};

#[cfg(test)]
mod transcripts;

/// What can happen to a call, as the script sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The ACK with our To tag arrived: from here on we may speak and listen.
    Confirmed,
    /// The utterance being played reached its end.
    PlayEnded,
    /// A key: `0`–`9`, `*`, `#`, `A`–`D`.
    Key(char),
    /// The answer to the question asked last.
    Answer(Answer),
    /// The session's outcome, from the page.
    Outcome(Outcome),
    /// The caller hung up, or the media or the signalling died.
    HungUp,
    /// The deadline of [`Flow::deadline`] passed.
    Timeout,
}

/// What the script wants done.
#[derive(Debug, Clone)]
pub enum Action {
    /// Say this; a new utterance replaces the one being played.
    Say(Utterance),
    /// Be silent now: the caller pressed a key.
    Hush,
    /// Ask outside.
    Ask(Question),
    /// Send a BYE: the conversation is over.
    HangUp,
    /// Write a step into the call record.
    Note(Step),
}

/// A step of the dialogue in the call record, on the page and on the console. Never a code, never a digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The warning is being spoken.
    Warning,
    /// Waiting for the six digits of the screen.
    EnteringCode,
    /// Six wrong digits; so many tries are left.
    WrongCode(u8),
    /// The code matched a session: from now on the page of that session sees the steps.
    CodeMatched(VerificationId),
    /// Waiting for the confirm digit.
    Confirming,
    /// The confirm digit was pressed.
    Confirmed,
    /// The read-back is being spoken.
    ReadingBack,
    /// The caller, who has no session, is told of the number's certificates.
    Telling,
    /// The caller wants them suspended.
    Suspending,
    /// The call ended like this.
    Ended(Ending),
}

/// How the conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Certificate or result issued while the caller was on the line.
    Verified,
    /// The number is proved; its new key has to wait.
    Held,
    /// The caller hung up while or after the read-back was spoken: the page may still finish.
    HungUpAfterReadBack,
    /// The caller hung up before (with `code-only`: before the outcome was known).
    HungUp,
    /// No tries left.
    TooManyWrongCodes,
    /// Another key than the confirm digit.
    WrongConfirmKey,
    /// The read-back was not typed within 90 s.
    ReadBackExpired,
    /// Three wrong read-backs.
    ReadBackVoided,
    /// No key was heard in time.
    NothingHeard,
    /// The session ended while the caller was on the line.
    SessionGone,
    /// Store or CA failed or did not answer in time.
    ServiceFailed,
    /// The caller heard of the certificates, and nothing was suspended.
    Told,
    /// The caller suspended them.
    Suspended,
    /// The call lasted longer than is allowed.
    TooLong,
}

/// What a call is answered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The caller has a session.
    Prove(Binding),
    /// The caller has none, but certificates.
    Tell(Enrolled),
}

/// One conversation, from the 200 to the BYE.
#[derive(Debug)]
pub struct Flow {
    caller: Caller,
    purpose: Purpose,
    state: State,
    /// When the state loses its patience.
    gives_up_at: Option<Instant>,
    /// When the call is over, whatever it does.
    closes_at: Instant,
}

/// Where the conversation stands.
#[derive(Debug)]
enum State {
    /// Answered, but no ACK yet: nothing is said, no key counts, and the dialog's own timer gives up.
    Unconfirmed,
    /// The warning is spoken to its end; keys are dropped, which defeats links that dial with tones.
    Warning,
    /// The caller keys in the code of the screen.
    EnteringCode { keyed: Keyed, speaking: bool, tally: Tally },
    /// The store compares the code.
    Checking { tally: Tally },
    /// "To confirm, press": no key can be an answer before the digit is heard.
    Announcing { session: VerificationId, tally: Tally },
    /// The confirm digit is or was spoken.
    Confirming { session: VerificationId, digit: Private<char>, speaking: bool, tally: Tally },
    /// The store keeps the proof and the HMAC of the read-back.
    Storing { digits: Code },
    /// The read-back is spoken, then the page has until then to post it.
    ReadingBack { digits: Code, until: Instant },
    /// `code-only`: the certificate is being issued.
    Issuing,
    /// Nobody keys in a code: the store is asked whether the number has certificates.
    AskingForCertificates,
    /// The certificates are told to the end; keys are dropped, as in the warning.
    Telling,
    /// The caller may press 9.
    Offering,
    /// It was pressed. "To confirm, press": again no key counts before the digit is heard.
    AnnouncingSuspension,
    /// The digit was spoken.
    ConfirmingSuspension { digit: Private<char> },
    /// The store suspends.
    Suspending,
    /// The last words.
    Parting,
    /// The call is over and hears nothing any more.
    Over,
}

/// What a call has used up.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    wrong_codes: u8,
    silences: u8,
}

impl Flow {
    /// The conversation with this caller, who is being answered now. It begins with [`Event::Confirmed`].
    pub fn new(caller: Caller, purpose: Purpose, now: Instant) -> Self {
        Self { caller, purpose, state: State::Unconfirmed, gives_up_at: None, closes_at: now + CALL_LIMIT }
    }

    /// Takes an event and pushes what must be done. `chance` gives the confirm digit and the read-back.
    pub fn on_event(&mut self, event: Event, now: Instant, chance: &mut impl Rng, out: &mut Vec<Action>) {
        if event == Event::Timeout && self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        let (caller, purpose, closes_at) = (&self.caller, self.purpose, self.closes_at);
        let mut scene = Scene { caller, purpose, closes_at, now, chance, out };
        match std::mem::replace(&mut self.state, State::Over).on_event(event, &mut scene) {
            Ok(next) => {
                self.gives_up_at = next.gives_up_at(now, closes_at);
                self.state = next;
            }
            Err(unmoved) => self.state = unmoved,
        }
    }

    /// When [`Event::Timeout`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.gives_up_at
    }

    /// Where one digit is asked for: is it this one? For the record; the script judges by itself.
    pub fn is_the_digit(&self, key: char) -> Option<bool> {
        match &self.state {
            State::Confirming { digit, .. } | State::ConfirmingSuspension { digit } if key.is_ascii_digit() => {
                Some(key == *digit.expose())
            }
            _ => None,
        }
    }
}

impl State {
    /// The next state, or this one back if the event means nothing to it.
    fn on_event(self, event: Event, scene: &mut Scene<'_>) -> Result<Self, Self> {
        Ok(match (self, event) {
            (Self::Unconfirmed, Event::Confirmed) => match scene.purpose {
                Purpose::Prove(_) => scene.warn(),
                Purpose::Tell(enrolled) => scene.tell(enrolled),
            },

            (Self::Warning, Event::PlayEnded) => scene.ask_code(Utterance::default(), Tally::default()),

            (Self::EnteringCode { keyed, tally, .. }, Event::PlayEnded) => {
                Self::EnteringCode { keyed, speaking: false, tally }
            }
            (Self::EnteringCode { tally, .. }, Event::Key('*')) => scene.ask_code(Utterance::default(), tally),
            (Self::EnteringCode { keyed, speaking, tally }, Event::Key(key @ '0'..='9')) => {
                scene.key_in(keyed, key, speaking, tally)
            }
            (Self::EnteringCode { speaking: false, tally, .. }, Event::Timeout)
                if !scene.is_too_long() && tally.silences + 1 == SILENCES =>
            {
                scene.ask_for_certificates()
            }
            (Self::EnteringCode { speaking: false, keyed, tally }, Event::Timeout) if !scene.is_too_long() => scene
                .wait_no_longer(tally, |scene, sorry, tally| {
                    let sorry = if keyed.is_empty() { sorry } else { Utterance::default() };
                    scene.ask_code(sorry, tally)
                }),

            (Self::Checking { tally }, Event::Answer(Answer::Matched(session))) => scene.match_code(session, tally),
            (Self::Checking { tally }, Event::Answer(Answer::Wrong { tries_left })) => {
                scene.wrong_code(tries_left, tally)
            }
            (Self::Checking { .. }, Event::Answer(Answer::NumberExhausted)) => scene.exhaust(),

            (Self::Announcing { session, tally }, Event::PlayEnded) => scene.say_confirm_digit(session, tally),

            (Self::Confirming { session, digit, tally, .. }, Event::PlayEnded) => {
                Self::Confirming { session, digit, speaking: false, tally }
            }
            (Self::Confirming { session, tally, .. }, Event::Key('*')) => {
                scene.ask_to_confirm(Utterance::default(), session, tally)
            }
            (Self::Confirming { session, digit, speaking, .. }, Event::Key(key @ '0'..='9')) => {
                if key == *digit.expose() { scene.confirm(session, speaking) } else { scene.wrong_confirm_key() }
            }
            (Self::Confirming { session, speaking: false, tally, .. }, Event::Timeout) if !scene.is_too_long() => {
                scene.wait_no_longer(tally, |scene, sorry, tally| scene.ask_to_confirm(sorry, session, tally))
            }

            (Self::Storing { digits }, Event::Answer(Answer::Stored)) => {
                let until = scene.now + READ_BACK_LIMIT;
                scene.read_back(digits, until)
            }
            (Self::Issuing, Event::Answer(Answer::Stored)) => Self::Issuing,

            (Self::ReadingBack { digits, until }, Event::Key('*')) => scene.read_back(digits, until),
            (Self::ReadingBack { until, .. }, Event::Timeout) if scene.now >= until => scene.expire(),

            (Self::AskingForCertificates, Event::Answer(Answer::Certified(enrolled))) => scene.tell(enrolled),
            (Self::AskingForCertificates, Event::Answer(_)) => scene.hear_nothing(),
            (Self::AskingForCertificates, Event::Timeout) if !scene.is_too_long() => scene.hear_nothing(),
            (Self::Telling, Event::PlayEnded) => Self::Offering,
            (Self::Offering, Event::Key('9')) => scene.ask_to_confirm_suspension(),
            (Self::AnnouncingSuspension, Event::PlayEnded) => scene.say_suspension_digit(),
            (Self::ConfirmingSuspension { digit }, Event::Key(key @ '0'..='9')) => {
                if key == *digit.expose() {
                    scene.suspend()
                } else {
                    scene.wrong_confirm_key()
                }
            }
            (Self::Offering | Self::ConfirmingSuspension { .. }, Event::Timeout) if !scene.is_too_long() => {
                scene.say_no_more()
            }
            (Self::Suspending, Event::Answer(Answer::Suspended)) => scene.part(PromptId::Suspended, Ending::Suspended),
            (Self::Suspending, Event::Answer(Answer::NotSuspended)) => scene.part(PromptId::NotSuspended, Ending::Told),

            // A session's outcome and the answer to a question take different ways: either may come first.
            (Self::Storing { .. } | Self::ReadingBack { .. } | Self::Issuing, Event::Outcome(outcome)) => {
                scene.conclude(outcome)
            }
            (Self::Announcing { .. } | Self::Confirming { .. }, Event::Outcome(_)) => scene.lose_session(),
            (
                Self::Checking { .. } | Self::Storing { .. } | Self::Issuing,
                Event::Answer(Answer::Gone | Answer::NoSession),
            ) => scene.lose_session(),
            (
                Self::Checking { .. } | Self::Storing { .. } | Self::Issuing | Self::Suspending,
                Event::Answer(Answer::Unavailable),
            ) => scene.fail(),

            (Self::Parting, Event::PlayEnded | Event::Timeout) => scene.hang_up(),
            (Self::Parting, Event::HungUp) => Self::Over,
            (unmoved @ Self::Over, _) => return Err(unmoved),

            (Self::ReadingBack { .. }, Event::HungUp) => scene.caller_left(Ending::HungUpAfterReadBack),
            (_, Event::HungUp) => scene.caller_left(Ending::HungUp),
            (_, Event::Timeout) if scene.is_too_long() => scene.close(),
            // A sentence that does not end, a store that does not answer, an issue without an outcome.
            (_, Event::Timeout) => scene.fail(),

            (unmoved, _) => return Err(unmoved),
        })
    }

    /// When this state, entered or moved on now, gives up. A call that closes at `closes_at` keeps time for last words.
    fn gives_up_at(&self, now: Instant, closes_at: Instant) -> Option<Instant> {
        let speaks_until = closes_at - LAST_WORDS;
        match self {
            Self::Unconfirmed | Self::Over => None,
            Self::Warning | Self::Announcing { .. } | Self::Telling | Self::AnnouncingSuspension => {
                Some((now + LONGEST_SENTENCE).min(speaks_until))
            }
            Self::EnteringCode { speaking: true, .. } | Self::Confirming { speaking: true, .. } => {
                Some((now + LONGEST_SENTENCE).min(speaks_until))
            }
            Self::EnteringCode { keyed, .. } if keyed.is_empty() => Some((now + FIRST_KEY).min(speaks_until)),
            Self::EnteringCode { .. } => Some((now + NEXT_KEY).min(speaks_until)),
            Self::Confirming { .. } | Self::Offering | Self::ConfirmingSuspension { .. } => {
                Some((now + FIRST_KEY).min(speaks_until))
            }
            Self::Checking { .. } | Self::Storing { .. } | Self::AskingForCertificates | Self::Suspending => {
                Some((now + ANSWER_LIMIT).min(speaks_until))
            }
            Self::ReadingBack { until, .. } => Some((*until).min(speaks_until)),
            Self::Issuing => Some((now + ISSUE_LIMIT).min(speaks_until)),
            Self::Parting => Some((now + LONGEST_SENTENCE).min(closes_at)),
        }
    }
}

/// What a transition may look at and what it may do.
struct Scene<'a> {
    caller: &'a Caller,
    purpose: Purpose,
    now: Instant,
    closes_at: Instant,
    chance: &'a mut dyn Rng,
    out: &'a mut Vec<Action>,
}

/// The named steps of the script.
impl Scene<'_> {
    fn warn(&mut self) -> State {
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
        State::Warning
    }

    fn ask_code(&mut self, sorry: Utterance, tally: Tally) -> State {
        self.note(Step::EnteringCode);
        self.say(sorry.clip(PromptId::EnterCode));
        State::EnteringCode { keyed: Keyed::default(), speaking: true, tally }
    }

    fn key_in(&mut self, mut keyed: Keyed, key: char, speaking: bool, tally: Tally) -> State {
        if speaking {
            self.out.push(Action::Hush);
        }
        let Some(code) = keyed.press(key) else { return State::EnteringCode { keyed, speaking: false, tally } };
        self.out.push(Action::Ask(Question::Code { caller: self.caller.clone(), entered: Private::new(code) }));
        State::Checking { tally }
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

    fn match_code(&mut self, session: VerificationId, tally: Tally) -> State {
        self.note(Step::CodeMatched(session));
        self.ask_to_confirm(Utterance::default(), session, Tally { silences: 0, ..tally })
    }

    fn ask_to_confirm(&mut self, sorry: Utterance, session: VerificationId, tally: Tally) -> State {
        self.note(Step::Confirming);
        self.say(sorry.clip(PromptId::PressToConfirm));
        State::Announcing { session, tally }
    }

    fn say_confirm_digit(&mut self, session: VerificationId, tally: Tally) -> State {
        let digit = code::draw_digit(&mut self.chance);
        self.say(Utterance::default().digits(digit.encode_utf8(&mut [0; 4])));
        State::Confirming { session, digit: Private::new(digit), speaking: true, tally }
    }

    fn confirm(&mut self, session: VerificationId, speaking: bool) -> State {
        let Caller { number, level, .. } = self.caller.clone();
        // No other call comes so far.
        let Purpose::Prove(binding) = self.purpose else { return self.fail() };
        let proof = ProvedNumber::by_call(number, level, session, binding);
        if speaking {
            self.out.push(Action::Hush);
        }
        self.note(Step::Confirmed);
        match binding {
            Binding::CodeOnly => {
                self.out.push(Action::Ask(Question::CodeOnly { proof }));
                State::Issuing
            }
            Binding::ReadBack => {
                let digits = Code::draw(&mut self.chance);
                self.out.push(Action::Ask(Question::ReadBack { proof, digits: Private::new(digits.clone()) }));
                State::Storing { digits }
            }
        }
    }

    fn read_back(&mut self, digits: Code, until: Instant) -> State {
        self.note(Step::ReadingBack);
        self.say(
            Utterance::default()
                .clip(PromptId::TypeIntoPage)
                .pause(BREATH)
                .digits(digits.as_str())
                .pause(BREATH)
                .clip(PromptId::OnceMore)
                .pause(BREATH)
                .digits(digits.as_str())
                .pause(BREATH)
                .clip(PromptId::StarRepeats),
        );
        State::ReadingBack { digits, until }
    }

    fn conclude(&mut self, outcome: Outcome) -> State {
        match outcome {
            Outcome::Issued => self.part(PromptId::Verified, Ending::Verified),
            Outcome::Held => self.part(PromptId::KeyHeld, Ending::Held),
            Outcome::Voided => self.part(PromptId::ReadBackVoided, Ending::ReadBackVoided),
            Outcome::Failed => self.fail(),
        }
    }

    /// The key is named last, and counts only then.
    fn tell(&mut self, Enrolled { count, last: (year, month, day) }: Enrolled) -> State {
        self.note(Step::Telling);
        let (century, year) = (format!("{:02}", year / 100), format!("{:02}", year % 100));
        self.say(
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
                .clip(PromptId::PressNine),
        );
        State::Telling
    }

    /// A link can dial one 9 after the other until one is heard, but not a digit that is drawn now.
    fn ask_to_confirm_suspension(&mut self) -> State {
        self.note(Step::Confirming);
        self.say(Utterance::default().clip(PromptId::PressToConfirm));
        State::AnnouncingSuspension
    }

    fn say_suspension_digit(&mut self) -> State {
        let mut digits = std::iter::repeat_with(|| code::draw_digit(&mut self.chance));
        let digit = digits.find(|digit| *digit != '9').expect("there is no end of them");
        self.say(Utterance::default().digits(digit.encode_utf8(&mut [0; 4])));
        State::ConfirmingSuspension { digit: Private::new(digit) }
    }

    fn suspend(&mut self) -> State {
        self.note(Step::Suspending);
        self.out.push(Action::Ask(Question::Suspend(self.caller.clone())));
        State::Suspending
    }

    /// The caller has heard what there is.
    fn say_no_more(&mut self) -> State {
        self.note(Step::Ended(Ending::Told));
        self.say(Utterance::default().clip(PromptId::Goodbye));
        State::Parting
    }

    /// Asks again, and at the third silence of a step gives up.
    fn wait_no_longer(
        &mut self,
        mut tally: Tally,
        ask_again: impl FnOnce(&mut Self, Utterance, Tally) -> State,
    ) -> State {
        tally.silences += 1;
        if tally.silences == SILENCES {
            return self.hear_nothing();
        }
        ask_again(self, Utterance::default().clip(PromptId::NothingHeard).pause(BREATH), tally)
    }

    /// Whoever has begun a verification of this number from afar must not keep its owner from hearing what exists for it.
    fn ask_for_certificates(&mut self) -> State {
        self.out.push(Action::Ask(Question::Certificates(self.caller.clone())));
        State::AskingForCertificates
    }

    fn hear_nothing(&mut self) -> State {
        self.part(PromptId::NothingHeard, Ending::NothingHeard)
    }

    fn exhaust(&mut self) -> State {
        self.part(PromptId::TooManyWrongCodes, Ending::TooManyWrongCodes)
    }

    fn wrong_confirm_key(&mut self) -> State {
        self.part(PromptId::WrongConfirmKey, Ending::WrongConfirmKey)
    }

    fn expire(&mut self) -> State {
        self.part(PromptId::ReadBackExpired, Ending::ReadBackExpired)
    }

    fn lose_session(&mut self) -> State {
        self.part(PromptId::TryLater, Ending::SessionGone)
    }

    fn fail(&mut self) -> State {
        self.part(PromptId::TryLater, Ending::ServiceFailed)
    }

    /// Says why and goodbye. The record knows the ending before the words are spoken.
    fn part(&mut self, why: PromptId, ending: Ending) -> State {
        self.note(Step::Ended(ending));
        self.say(Utterance::default().clip(why).pause(BREATH).clip(PromptId::Goodbye));
        State::Parting
    }

    fn close(&mut self) -> State {
        self.note(Step::Ended(Ending::TooLong));
        self.say(Utterance::default().clip(PromptId::Goodbye));
        State::Parting
    }

    fn hang_up(&mut self) -> State {
        self.out.push(Action::HangUp);
        State::Over
    }

    fn caller_left(&mut self, ending: Ending) -> State {
        self.note(Step::Ended(ending));
        State::Over
    }

    fn is_too_long(&self) -> bool {
        self.now >= self.closes_at - LAST_WORDS
    }

    fn say(&mut self, utterance: Utterance) {
        self.out.push(Action::Say(utterance));
    }

    fn note(&mut self, step: Step) {
        self.out.push(Action::Note(step));
    }
}

/// Wrong codes that end a call; the session and the number have budgets of their own.
const CODE_TRIES: u8 = 3;
/// Silences after which nobody seems to be there.
const SILENCES: u8 = 3;
/// The caller looks for the code on the screen, or for the keys on the telephone.
const FIRST_KEY: Duration = Duration::from_secs(12);
/// Between two digits of a code.
const NEXT_KEY: Duration = Duration::from_secs(6);
/// Longer than any sentence of ours: if it has not ended by then, the media thread is gone.
const LONGEST_SENTENCE: Duration = Duration::from_secs(45);
/// The store's time for an answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// The CA's time for a certificate while the caller listens to silence.
const ISSUE_LIMIT: Duration = Duration::from_secs(20);
/// How long a read-back is valid, spoken words included.
const READ_BACK_LIMIT: Duration = Duration::from_secs(90);
/// From the answer to the BYE.
const CALL_LIMIT: Duration = Duration::from_secs(180);
/// What is kept of it for a goodbye.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// Between two sentences.
const BREATH: Duration = Duration::from_millis(300);
