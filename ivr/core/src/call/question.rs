//! What a call asks the world outside (the database, the CA) and what it is told.

use std::sync::Arc;

use voice_prompts::Language;

use crate::caller::{Caller, Realm};
use crate::passport::Report;
use crate::{code::Code, key_check::KeyCheck, number::Number, private::Private, proof::ProvedNumber};

/// Names one verification session (protocol.md step 1). 16 random bytes, shown as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VerificationId(pub [u8; 16]);

impl std::fmt::Debug for VerificationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::fmt::Display for VerificationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl std::str::FromStr for VerificationId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let mut id = [0; 16];
        if text.len() != 32 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(NotAnId);
        }
        for (i, byte) in id.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| NotAnId)?;
        }
        Ok(Self(id))
    }
}

/// The text is not 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a verification id is 32 lower-case hexadecimal digits")]
pub struct NotAnId;

/// What a call needs to know before it can go on. The answer comes back as [`Answer`] with the call's id.
#[derive(Debug, Clone)]
pub enum Question {
    /// Before anything else, of a call that bears a signed identity: what is it worth?
    Passport(Presented),
    /// Before answering: has this caller a live session, or certificates? Looked up by the caller's number, never by a code.
    Session(Caller),
    /// The caller entered six digits: do they open a session of the caller's number?
    Code {
        /// Who calls, as the network vouched.
        caller: Caller,
        /// What was keyed in.
        entered: Private<Code>,
    },
    /// The caller confirmed: keep the proof and the read-back (as HMACs) with the session.
    ReadBack {
        /// What this call proved.
        proof: ProvedNumber,
        /// The six digits that the voice is about to read.
        digits: Private<Code>,
        /// The signed identity that it rests on: it proves nothing a second time.
        passport: Option<Arc<Report>>,
    },
    /// `binding = "code-only"`: the caller confirmed, issue now.
    CodeOnly {
        /// What this call proved.
        proof: ProvedNumber,
        /// As above.
        passport: Option<Arc<Report>>,
    },
    /// The caller of a trunk of the sandbox confirmed: keep the read-back with the rehearsal. There is no proof to keep.
    Rehearsed {
        /// Who calls.
        caller: Caller,
        /// What it is for.
        rehearsal: VerificationId,
        /// The six digits that the voice is about to read.
        digits: Private<Code>,
    },
    /// The caller, whose number has a session, keyed in nothing: perhaps it is somebody else's, and this one only wants to hear
    /// what exists.
    Certificates(Caller),
    /// The caller, who has no session, heard of the certificates and wants them suspended.
    Suspend(Caller),
}

impl Question {
    /// Who has the answer.
    pub fn realm(&self) -> Realm {
        match self {
            Self::Session(caller)
            | Self::Code { caller, .. }
            | Self::Certificates(caller)
            | Self::Suspend(caller)
            | Self::Rehearsed { caller, .. } => caller.realm,
            // Over a trunk of the sandbox no signed identity is looked at, and nothing is proved.
            Self::Passport(_) | Self::ReadBack { .. } | Self::CodeOnly { .. } => Realm::Service,
        }
    }
}

/// A signed identity and the call that bears it.
#[derive(Debug, Clone)]
pub struct Presented {
    /// The `Identity` header's value.
    pub identity: Private<String>,
    /// Who calls, as the other checks found.
    pub orig: Number,
    /// Which of our numbers.
    pub dest: Number,
}

/// What exists for a number whose caller has no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enrolled {
    /// Certificates in force or suspended, and keys that wait for one.
    pub count: u16,
    /// When the last was made, or the key proved: year, month, day (UTC).
    pub last: (u16, u8, u8),
}

/// A session whose code a caller entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Names it.
    pub id: VerificationId,
    /// What the voice says before the read-back, if an app began it: of its key.
    pub key_check: Option<KeyCheck>,
    /// That of its page, from now on: whoever has its code chose it.
    pub language: Language,
}

/// The answer to a [`Question`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// `Passport`: this was found out.
    Verified(Arc<Report>),
    /// `Session`: there is at least one live session, the call may be answered.
    Expected,
    /// `Session`: nobody asked for this number to be verified, but it has certificates: the call is answered, to tell of them.
    /// `Certificates`: there are these.
    Certified(Enrolled),
    /// `Session`: nobody asked for this number to be verified: 480 `no-session`. `Certificates`: there are none.
    NoSession,
    /// `Session`: this number has used up its wrong codes for today: 486.
    NumberExhausted,
    /// `Session`: too many calls of this number were answered today for nothing: 486.
    CallsUsedUp,
    /// `Code`: it matches this session.
    Matched(Session),
    /// `Code`: it does not; may the call try again?
    Wrong {
        /// Tries that the budgets of call, session and number-day still leave.
        tries_left: u8,
    },
    /// `Suspend`: they are suspended, and no key waits any more.
    Suspended,
    /// `Suspend`: there was nothing that this call may suspend, or the number has done so today already.
    NotSuspended,
    /// `ReadBack`, `CodeOnly`, `Rehearsed`: stored; the outcome follows as [`Outcome`].
    Stored,
    /// The session ended meanwhile (expired, voided).
    Gone,
    /// The store or the CA cannot answer now.
    Unavailable,
}

/// How the session of a waiting call ended; pushed into the call, unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The certificate is issued (or, without a CSR, the result is signed).
    Issued,
    /// The number is proved, but another key was certified for it lately: the new one waits.
    Held,
    /// Three wrong read-backs voided the session.
    Voided,
    /// Issuing failed; the page says why.
    Failed,
}
