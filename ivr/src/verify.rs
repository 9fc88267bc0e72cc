//! The use case: a person proves a telephone number (docs/protocol.md, steps 1 to 7). Pages and API start it and look at
//! it, the call answers its questions, the read-back ends it.

use std::net::IpAddr;
use std::time::Duration;

use ivr_core::call::flow::Step;
use ivr_core::call::question::{Answer, Question, VerificationId};
use ivr_core::caller::Level;
use ivr_core::code::Code;
use ivr_core::number::Number;
use ivr_core::private::Private;
use time::OffsetDateTime;

use crate::store::StoreError;

/// What a verification begins with.
#[derive(Debug)]
pub struct Start {
    /// The number to prove.
    pub number: Number,
    /// A PKCS#10, PEM or DER; without one there is a signed result and no certificate.
    pub csr: Option<Vec<u8>>,
    /// Whether a record goes into the DHT.
    pub publish: bool,
    /// Language of page and voice, such as `en`.
    pub locale: String,
    /// Who asks, for the limits.
    pub source: IpAddr,
}

/// What its owner gets, once.
#[derive(Debug, Clone)]
pub struct Started {
    /// Names it.
    pub id: VerificationId,
    /// Opens it: 32 random bytes, base64url.
    pub secret: Private<String>,
    /// The code to key in.
    pub code: Private<Code>,
    /// The number to dial.
    pub dial: Number,
    /// Until when the code may be dialled.
    pub expires_at: OffsetDateTime,
}

/// Why none was started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The PKCS#10 is refused; its sender can mend it.
    #[error(transparent)]
    Request(#[from] ca::RequestError),
    /// This kind of number is not proved here.
    #[error("{0} cannot be verified")]
    Kind(&'static str),
    /// Too many from this source.
    #[error("too many verifications were started from here")]
    TooMany {
        /// When it may be tried again.
        retry_after: Duration,
    },
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
    /// The certificate (or the signed result) exists.
    Issued,
    /// Three wrong read-backs.
    Voided,
    /// Its time is over.
    Expired,
    /// Issuing failed for good.
    Failed,
}

impl State {
    /// `waiting`, `calling`, `read-back`, `issuing`, `issued`, `voided`, `expired`, `failed`.
    pub fn name(self) -> &'static str {
        todo!()
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
    /// A step's name (see [`step_name`]), a reason code, or a state's name.
    pub what: String,
    /// The sentence for the person.
    pub sentence: String,
}

/// Everything its owner may see.
#[derive(Debug, Clone)]
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
    /// What happened, oldest first.
    pub happenings: Vec<Happening>,
    /// The certificate.
    pub certificate: Option<crate::issue::Certified>,
    /// The signed result (JWS), if no certificate was asked for.
    pub result: Option<String>,
    /// Why it failed, as a sentence.
    pub failure: Option<String>,
}

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

/// What became of typed digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// Right: issued, or about to be.
    Right,
    /// Wrong; so many tries are left.
    Wrong {
        /// Tries left.
        left: u8,
    },
    /// Wrong for the third time: the verification is void.
    Voided,
    /// Nothing was read back yet, or it is too late, or it was typed before.
    NotExpected(State),
}

/// The use case. Clones share everything.
#[derive(Debug, Clone)]
pub struct Verify {}

impl Verify {
    /// Begins a verification.
    ///
    /// # Errors
    /// What the asker has to change, or when to come again.
    pub async fn start(&self, _start: Start, _now: OffsetDateTime) -> Result<Started, StartError> {
        todo!()
    }

    /// Shows it to its owner.
    ///
    /// # Errors
    /// [`AccessError::Unknown`] for any wrong id or secret.
    pub async fn view(&self, _id: VerificationId, _secret: &str, _now: OffsetDateTime) -> Result<View, AccessError> {
        todo!()
    }

    /// The owner gives up: the code stops working.
    ///
    /// # Errors
    /// As [`view`](Self::view).
    pub async fn cancel(&self, _id: VerificationId, _secret: &str, _now: OffsetDateTime) -> Result<(), AccessError> {
        todo!()
    }

    /// The digits that the voice read, typed into the page. Right ones issue; three wrong ones void. Counted in the
    /// same statement as the check; twenty at once issue one certificate.
    ///
    /// # Errors
    /// As [`view`](Self::view).
    pub async fn type_in(
        &self,
        _id: VerificationId,
        _secret: &str,
        _digits: &Code,
        _now: OffsetDateTime,
    ) -> Result<Typed, AccessError> {
        todo!()
    }

    /// What a call asks. Never fails: a database that does not answer is [`Answer::Unavailable`].
    pub async fn answer(&self, _question: Question, _now: OffsetDateTime) -> Answer {
        todo!()
    }

    /// A step of the call of this verification, for its page.
    pub async fn note_step(&self, _id: VerificationId, _step: Step, _at: OffsetDateTime) -> Result<(), StoreError> {
        todo!()
    }

    /// A refused call that bore this number (and was not withheld), for the pages of its live verifications.
    pub async fn note_refusal(&self, _number: &Number, _reason: &str, _at: OffsetDateTime) -> Result<(), StoreError> {
        todo!()
    }

    /// Wakes with the id of every verification that something happened to. A lagging reader reads the rows again.
    pub fn bell(&self) -> tokio::sync::broadcast::Receiver<VerificationId> {
        todo!()
    }
}

/// `warning`, `entering-code`, `wrong-code`, `code-matched`, `confirming`, `confirmed`, `reading-back`, `ended`.
pub fn step_name(_step: &Step) -> &'static str {
    todo!()
}

/// The level's type is used by views.
pub type ProvedLevel = Level;
