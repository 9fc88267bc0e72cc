//! The script of a call: what we say, what we wait for, when we give up. Who has a verification proves the number
//! (`flow/proving.rs`); who has none, but certificates, hears of them and may suspend them (`flow/telling.rs`); so does who
//! keys in no code. To change the conversation, change these files and the transcripts in `scenarios/`.

use std::time::{Duration, Instant};

use rand_core::Rng;
use voice_prompts::Utterance;

use self::proving::Proving;
use self::scene::Scene;
use self::telling::Telling;
use super::question::{Answer, Enrolled, Outcome, Question, VerificationId};
use crate::caller::Caller;
use crate::media::Silence;
use crate::proof::Binding;

mod confirming;
mod proving;
mod scene;
mod sentences;
mod telling;

#[cfg(test)]
mod transcripts;

pub use sentences::TooLong;

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
    /// The caller hung up, or the signalling died.
    HungUp,
    /// No audio arrives from the caller.
    Silent(Silence),
    /// Before the ACK, a newer call took the number's line.
    Displaced,
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
    /// We hung up: no packet of the caller's audio arrived.
    NoAudio,
    /// We hung up: the caller's audio arrived and stopped.
    AudioStopped,
    /// We hung up: before its ACK, a newer call took the number's line.
    Displaced,
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
    /// The caller proves the number.
    Proving(Proving),
    /// The caller hears what certificates there are.
    Telling(Telling),
    /// The last words.
    Parting,
    /// The call is over and hears nothing any more.
    Over,
}

impl Flow {
    /// The conversation with this caller, who is being answered now. It begins with [`Event::Confirmed`].
    pub fn new(caller: Caller, purpose: Purpose, now: Instant) -> Self {
        Self { caller, purpose, state: State::Unconfirmed, gives_up_at: None, closes_at: now + CALL_LIMIT }
    }

    /// Takes an event and pushes what must be done. `chance` gives the confirm digit and the read-back. `false` if the event
    /// meant nothing.
    pub fn on_event(&mut self, event: Event, now: Instant, chance: &mut impl Rng, out: &mut Vec<Action>) -> bool {
        if event == Event::Timeout && self.deadline().is_none_or(|deadline| now < deadline) {
            return false;
        }
        let (caller, purpose, closes_at) = (&self.caller, self.purpose, self.closes_at);
        let mut scene = Scene { caller, purpose, closes_at, now, chance, out };
        match std::mem::replace(&mut self.state, State::Over).on_event(event, &mut scene) {
            Ok(next) => {
                self.gives_up_at = next.gives_up_at(now, closes_at);
                self.state = next;
                true
            }
            Err(unmoved) => {
                self.state = unmoved;
                false
            }
        }
    }

    /// When [`Event::Timeout`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.gives_up_at
    }

    /// Where one digit is asked for: is it this one? For the record; the script judges by itself.
    pub fn is_the_digit(&self, key: char) -> Option<bool> {
        match &self.state {
            State::Proving(Proving::Confirming { confirming, .. })
            | State::Telling(Telling::Confirming(confirming)) => confirming.is_the_digit(key),
            _ => None,
        }
    }
}

impl State {
    /// The next state, or this one back if the event means nothing to it.
    fn on_event(self, event: Event, scene: &mut Scene<'_>) -> Result<Self, Self> {
        Ok(match (self, event) {
            (Self::Unconfirmed, Event::Confirmed) => match scene.purpose {
                Purpose::Prove(_) => scene.warn().into(),
                Purpose::Tell(enrolled) => scene.tell(enrolled).into(),
            },

            (Self::Parting, Event::PlayEnded | Event::Timeout | Event::Silent(_)) => scene.hang_up(),
            (Self::Parting, Event::HungUp) => Self::Over,
            (unmoved @ Self::Over, _) => return Err(unmoved),

            (Self::Proving(Proving::ReadingBack { .. }), Event::HungUp) => {
                scene.caller_left(Ending::HungUpAfterReadBack)
            }
            (_, Event::HungUp) => scene.caller_left(Ending::HungUp),
            (_, Event::Silent(silence)) => scene.miss(silence),
            (Self::Unconfirmed, Event::Displaced) => scene.caller_left(Ending::Displaced),
            (_, Event::Timeout) if scene.is_too_long() => scene.close(),

            (Self::Proving(proving), event) => return proving.on_event(event, scene).map_err(Self::Proving),
            (Self::Telling(telling), event) => return telling.on_event(event, scene).map_err(Self::Telling),
            (unmoved @ (Self::Unconfirmed | Self::Parting), _) => return Err(unmoved),
        })
    }

    /// When this state, entered or moved on now, gives up. A call that closes at `closes_at` keeps time for last words.
    fn gives_up_at(&self, now: Instant, closes_at: Instant) -> Option<Instant> {
        let speaks_until = closes_at - LAST_WORDS;
        match self {
            Self::Unconfirmed | Self::Over => None,
            Self::Proving(proving) => Some(proving.gives_up_at(now).min(speaks_until)),
            Self::Telling(telling) => Some((now + telling.patience()).min(speaks_until)),
            Self::Parting => Some((now + LONGEST_SENTENCE).min(closes_at)),
        }
    }
}

/// The caller looks for the code on the screen, or for the keys on the telephone.
const FIRST_KEY: Duration = Duration::from_secs(12);
/// Longer than any sentence of ours: if it has not ended by then, the media thread is gone.
const LONGEST_SENTENCE: Duration = Duration::from_secs(45);
/// The store's time for an answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// From the answer to the BYE.
const CALL_LIMIT: Duration = Duration::from_secs(180);
/// What waits for a call to end, or has to last as long as one, waits or lasts for so long.
pub const LONGER_THAN_A_CALL: Duration = Duration::from_secs(200);
const _: () = assert!(CALL_LIMIT.as_secs() < LONGER_THAN_A_CALL.as_secs());
/// How long the page may type the digits that the voice reads, spoken words included.
pub const READ_BACK_LIFE: Duration = proving::READ_BACK_LIMIT;
/// What is kept of it for a goodbye.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// Between two sentences.
const BREATH: Duration = Duration::from_millis(300);
