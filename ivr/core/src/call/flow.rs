//! The script of a verification call: what we say, what we wait for, when we give up.
//! To change the conversation, change this file and the transcripts in `scenarios/`.

use std::time::Instant;

use voice_prompts::Utterance;

use super::question::{Answer, Outcome, Question};

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
    CodeMatched(super::question::VerificationId),
    /// Waiting for the confirm digit.
    Confirming,
    /// The confirm digit was pressed.
    Confirmed,
    /// The read-back is being spoken.
    ReadingBack,
    /// The call ended like this.
    Ended(Ending),
}

/// How the conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Certificate or result issued while the caller was on the line.
    Verified,
    /// The caller hung up after the read-back was spoken: the page may still finish.
    HungUpAfterReadBack,
    /// The caller hung up before.
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
    /// The call lasted longer than is allowed.
    TooLong,
}

/// Placeholder of the script's state machine.
#[derive(Debug)]
pub struct Flow(());

impl Flow {
    /// When [`Event::Timeout`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        None
    }
}
