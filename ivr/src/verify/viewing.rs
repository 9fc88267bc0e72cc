//! What the owner of a verification sees of it.

use std::fmt;

use ivr_core::call::question::VerificationId;
use ivr_core::caller::{Caps, Reason};
use ivr_core::code::Code;
use ivr_core::number::Number;
use ivr_core::private::Private;
use time::OffsetDateTime;

use super::VerifyParts;
use super::starting::secret_sha256;
use crate::issue::Certified;
use crate::store::happenings::Line;
use crate::store::verifications::{self, Stored};
use crate::store::{StoreError, calls, happenings};
use crate::words::Words;

/// Why its owner is not let in.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// No such verification, or not this secret: the two are not told apart.
    #[error("there is no such verification")]
    Unknown,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where a verification stands. The names are those of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nobody has keyed in the code yet.
    Waiting,
    /// A call has keyed in the code and is going on.
    Calling,
    /// The voice has read the digits: the page may type them.
    ReadBack,
    /// Proved; the certificate is being made.
    Issuing,
    /// Proved; but another key was certified for the number lately, so this one waits.
    Held,
    /// The certificate (or the signed result) exists.
    Issued,
    /// Three wrong read-backs, or six wrong codes.
    Voided,
    /// Its time is over, or its owner gave it up, or too many others were begun for the number.
    Expired,
    /// Issuing failed for good, or somebody stopped a key that waited.
    Failed,
}

impl State {
    /// All.
    pub const ALL: [Self; 9] = [
        Self::Waiting,
        Self::Calling,
        Self::ReadBack,
        Self::Issuing,
        Self::Held,
        Self::Issued,
        Self::Voided,
        Self::Expired,
        Self::Failed,
    ];

    /// `waiting`, `calling`, `read-back`, `issuing`, `held`, `issued`, `voided`, `expired`, `failed`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Calling => "calling",
            Self::ReadBack => "read-back",
            Self::Issuing => "issuing",
            Self::Held => "held",
            Self::Issued => "issued",
            Self::Voided => "voided",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// One line of what a page shows live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// Grows: the SSE id.
    pub number: i64,
    /// When.
    pub at: OffsetDateTime,
    /// `step`, `refused` or `state`.
    pub kind: &'static str,
    /// A step's name (see [`super::step_name`]), a reason code, or a state's name.
    pub what: String,
    /// The sentence for the person.
    pub sentence: String,
}

/// Everything its owner may see.
#[derive(Clone)]
pub struct View {
    /// Names it.
    pub id: VerificationId,
    /// The number.
    pub number: Number,
    /// Where to call.
    pub dial: Number,
    /// Where it stands.
    pub state: State,
    /// The code, while it may be keyed in (kept encrypted).
    pub code: Option<Private<Code>>,
    /// Language.
    pub locale: String,
    /// Whether a record goes into the DHT.
    pub publish: bool,
    /// Whether a certificate was asked for.
    pub wants_certificate: bool,
    /// When it began.
    pub created_at: OffsetDateTime,
    /// Until when the code may be dialled.
    pub expires_at: OffsetDateTime,
    /// Until when the read-back may be typed.
    pub read_back_until: Option<OffsetDateTime>,
    /// Read-backs that may still be typed wrong.
    pub read_backs_left: u8,
    /// While its key waits: until when.
    pub held_until: Option<OffsetDateTime>,
    /// And SHA-256 of its SPKI.
    pub held_key: Option<[u8; 32]>,
    /// What happened, oldest first.
    pub happenings: Vec<Happening>,
    /// The certificate.
    pub certificate: Option<Certified>,
    /// It says that a code alone was asked for.
    pub is_code_only: bool,
    /// Why its level is no higher.
    pub caps: Caps,
    /// The signed result (JWS), if no certificate was asked for.
    pub result: Option<String>,
    /// Why it failed, as a sentence.
    pub failure: Option<String>,
}

/// Which one and where it stands, but not whose.
impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

pub(super) async fn view(
    parts: &VerifyParts,
    id: VerificationId,
    secret: &str,
    now: OffsetDateTime,
) -> Result<View, AccessError> {
    let mut reader = parts.store.read().await?;
    let stored = verifications::find(id, &secret_sha256(secret), parts.store.columns(), &mut reader).await?;
    let stored = stored.ok_or(AccessError::Unknown)?;
    let lines = happenings::of(id, &mut reader).await?;
    let caps = if stored.serial.is_some() { calls::caps_of(id, &mut reader).await? } else { Caps::default() };
    drop(reader);
    let certificate = match &stored.serial {
        None => None,
        Some(serial) => parts.issue.by_serial(serial).await?,
    };
    let state = state_now(&stored, now)?;
    let may_key_in = matches!(state, State::Waiting | State::Calling | State::ReadBack) && now < stored.expires_at;
    let happenings = lines.into_iter().filter_map(|line| happening(line, &stored)).collect();
    Ok(View {
        id: stored.id,
        dial: parts.dialled.from(stored.number.country()).clone(),
        number: stored.number,
        state,
        code: may_key_in.then_some(Private::new(stored.code)),
        locale: stored.locale,
        publish: stored.publish,
        wants_certificate: stored.wants_certificate,
        created_at: stored.created_at,
        expires_at: stored.expires_at,
        read_back_until: stored.read_back_until.filter(|_| state == State::ReadBack),
        held_until: stored.held_until.filter(|_| state == State::Held),
        held_key: stored.held_key.filter(|_| state == State::Held).and_then(|key| key.try_into().ok()),
        read_backs_left: u8::try_from(stored.read_backs_left).unwrap_or(0),
        happenings,
        is_code_only: certificate
            .as_ref()
            .is_some_and(|leaf| parts.issue.authority().states_code_only(&leaf.certificate_pem)),
        caps,
        certificate,
        result: stored.result,
        failure: stored.failure,
    })
}

/// What the row's state means at this time: a row does not change because time goes by.
fn state_now(stored: &Stored, now: OffsetDateTime) -> Result<State, StoreError> {
    let state = State::from_name(&stored.state).ok_or_else(|| StoreError::damaged("a state"))?;
    let goes_on = match state {
        State::Waiting => now < stored.expires_at,
        State::Calling => now < stored.live_until,
        State::ReadBack => stored.read_back_until.is_some_and(|until| now < until),
        State::Issuing | State::Held | State::Issued | State::Voided | State::Expired | State::Failed => true,
    };
    Ok(match (goes_on, now < stored.expires_at) {
        (true, _) => state,
        // The call or the digits are over, but the code may be keyed in again.
        (false, true) => State::Waiting,
        (false, false) => State::Expired,
    })
}

/// A line as the page shows it, in its language; a line that this version does not know is left out.
fn happening(line: Line, stored: &Stored) -> Option<Happening> {
    let words = Words::of(&stored.locale);
    let of_state = if stored.wants_certificate { Words::state } else { Words::state_of_result };
    let (kind, sentence) = match line.kind.as_str() {
        "step" => ("step", words.step(&line.what)?),
        "refused" => ("refused", refusal_sentence(&line.what, &stored.locale)),
        "state" => ("state", of_state(words, State::from_name(&line.what)?)),
        _ => return None,
    };
    Some(Happening { number: line.number, at: line.at, kind, what: line.what, sentence: sentence.to_owned() })
}

/// A node of another version may know reasons that this one does not: then no more is said than that it was not taken.
fn refusal_sentence(code: &str, locale: &str) -> &'static str {
    Reason::from_code(code).unwrap_or(Reason::Unavailable).sentences(locale).page
}
