//! The use case: a person proves a telephone number (docs/protocol.md, steps 1 to 7). Pages and API start it and look at
//! it, the call answers its questions, the read-back ends it.

mod answers;
mod bell;
mod census;
mod expected;
mod limits;
mod sessions;
mod started_by;
mod starting;
mod steps;
mod viewing;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ivr_core::call::flow::Step;
use ivr_core::call::question::{Answer, Outcome, Question, VerificationId};
use ivr_core::caller::{Dialled, Level, Reason};
use ivr_core::code::Code;
use ivr_core::number::{KindPolicy, Number};
use ivr_core::private::Private;
use time::OffsetDateTime;
use tokio::sync::{broadcast, mpsc};
use tracing::{info, warn};

pub use self::bell::Bell;
pub use self::expected::Expected;
pub use self::limits::Limits;
pub(crate) use self::limits::{Network, network};
pub use self::sessions::Sessions;
pub(crate) use self::sessions::certified;
pub use self::started_by::{NoKey, StartedBy};
pub(crate) use self::starting::{new_secret, secret_sha256};
pub use self::steps::step_name;
pub use self::viewing::{Happening, State, View};
use crate::clock::Clock;
use crate::issue::{FirstListing, Issue, IssueError, KeyRefusal, NotListed};
use crate::store::purging::piecemeal;
use crate::store::verifications::{Checked, Closed};
use crate::store::{Store, StoreError, budgets, callers, happenings, passports, records, verifications};

/// What a verification begins with.
pub struct Start {
    /// The number to prove.
    pub number: Number,
    /// A PKCS#10, PEM or DER; without one there is a signed result and no certificate.
    pub csr: Option<Vec<u8>>,
    /// What is to be listed beside the certificate from the beginning.
    pub location: Option<FirstListing>,
    /// Who made the key.
    pub started_by: StartedBy,
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
    /// The language that voice and sentences are in.
    pub locale: String,
}

/// Why none was started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The PKCS#10 is refused; its sender can mend it.
    #[error(transparent)]
    Request(#[from] ca::RequestError),
    /// An app without a key.
    #[error(transparent)]
    NoKey(#[from] NoKey),
    /// Location keys that are not signed for.
    #[error(transparent)]
    NotListed(#[from] NotListed),
    /// Location keys, and no certificate beside which they could be listed.
    #[error("location keys are listed beside a certificate: send a request, too")]
    NothingBeside,
    /// A certificate for this key was revoked because the key was compromised.
    #[error("this key was revoked as compromised: make a new one")]
    BlockedKey,
    /// This kind of number is not proved here.
    #[error("{0} cannot be verified")]
    Kind(&'static str),
    /// As many of this number are open as may be, from this source or at all.
    #[error("as many verifications of this number are open as may be")]
    NumberFull {
        /// When one of them ends by itself.
        retry_after: Duration,
    },
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

impl From<KeyRefusal> for StartError {
    fn from(refusal: KeyRefusal) -> Self {
        match refusal {
            KeyRefusal::Request(error) => Self::Request(error),
            KeyRefusal::Blocked => Self::BlockedKey,
            KeyRefusal::Store(error) => Self::Store(error),
        }
    }
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

/// A call that was refused.
#[derive(Debug)]
pub struct Refused {
    /// The number that it bore.
    pub number: Number,
    /// Why.
    pub reason: Reason,
    /// When.
    pub at: OffsetDateTime,
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

/// What became of a signature of the old key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoken {
    /// It is kept until the number is proved.
    Kept,
    /// It holds: the certificate is issued, or about to be.
    Released,
    /// It is not the signature of the number's last certificate's key over this verification.
    NotSigned,
    /// It can change nothing any more.
    TooLate(State),
}

/// What the use case works with.
#[derive(Debug)]
pub struct VerifyParts {
    /// The rows.
    pub store: Store,
    /// What a proof becomes.
    pub issue: Issue,
    /// The numbers that people dial.
    pub dialled: Dialled,
    /// How long a code may be dialled.
    pub code_life: Duration,
    /// Kinds of numbers that are proved.
    pub kinds: KindPolicy,
    /// Calls of a number that may be answered on one day and end without a right code.
    pub fruitless_calls: i64,
    /// How much a stranger may begin.
    pub limits: Limits,
    /// Rung when something happens; the publisher has the same.
    pub bell: Bell,
    /// Who will call, as far as this node knows.
    pub expected: Expected,
    /// To the calls that wait for their session's outcome. Full, the outcome is logged and the caller hears the end of
    /// the read-back's time instead.
    pub outcomes: mpsc::Sender<(VerificationId, Outcome)>,
    /// Time and chance.
    pub clock: Clock,
}

/// The use case. Clones share everything.
#[derive(Debug, Clone)]
pub struct Verify {
    parts: Arc<VerifyParts>,
}

impl Verify {
    /// The use case over these parts.
    pub fn new(parts: VerifyParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// Begins a verification.
    ///
    /// # Errors
    /// What the asker has to change, or when to come again.
    pub async fn start(&self, start: Start, now: OffsetDateTime) -> Result<Started, StartError> {
        starting::start(&self.parts, start, now).await
    }

    /// Shows it to its owner.
    ///
    /// # Errors
    /// [`AccessError::Unknown`] for any wrong id or secret.
    pub async fn view(&self, id: VerificationId, secret: &str, now: OffsetDateTime) -> Result<View, AccessError> {
        viewing::view(&self.parts, id, secret, now).await
    }

    /// The owner gives up: the code stops working, and a key that waits does so no more.
    ///
    /// # Errors
    /// As [`view`](Self::view).
    pub async fn cancel(&self, id: VerificationId, secret: &str, now: OffsetDateTime) -> Result<(), AccessError> {
        let secret = starting::secret_sha256(secret);
        let mut writer = self.parts.store.begin().await?;
        if let Closed::Now { beside } = verifications::cancel(id, &secret, &mut writer).await? {
            if let Some(serial) = beside {
                // The directory showed this key beside it.
                records::show_again(&serial, now, &mut writer).await?;
            }
            happenings::add(id, "state", State::Expired.name(), now, &mut writer).await?;
            writer.commit().await?;
            self.parts.expected.forget_all();
            self.parts.issue.tell_publisher();
            self.parts.bell.ring(id);
            return Ok(());
        }
        // Over already, or not theirs.
        let known = verifications::find(id, &secret, self.parts.store.columns(), &mut writer).await?;
        known.map(drop).ok_or(AccessError::Unknown)
    }

    /// The digits that the voice read, typed into the page. Right ones issue; three wrong ones void. Counted in the
    /// same statement as the check; twenty at once issue one certificate.
    ///
    /// # Errors
    /// As [`view`](Self::view).
    pub async fn type_in(
        &self,
        id: VerificationId,
        secret: &str,
        digits: &Code,
        now: OffsetDateTime,
    ) -> Result<Typed, AccessError> {
        // Whoever typed them may be gone before the answer: what was found right is issued all the same.
        let (verify, secret, digits) = (self.clone(), Private::new(secret.to_owned()), digits.clone());
        let checking = tokio::spawn(async move { verify.check_typed(id, secret.expose(), &digits, now).await });
        checking.await.expect("checking digits does not panic, and nobody aborts it")
    }

    async fn check_typed(
        &self,
        id: VerificationId,
        secret: &str,
        digits: &Code,
        now: OffsetDateTime,
    ) -> Result<Typed, AccessError> {
        let parts = &self.parts;
        let columns = parts.store.columns();
        let hashed = starting::secret_sha256(secret);
        let mut writer = parts.store.begin().await?;
        let checked = verifications::check_read_back(id, &hashed, digits, now, columns, &mut writer).await?;
        let state = match checked {
            Checked::Right => Some(State::Issuing),
            Checked::Voided => Some(State::Voided),
            Checked::Wrong { .. } | Checked::NotExpected => None,
        };
        if let Some(state) = state {
            happenings::add(id, "state", state.name(), now, &mut writer).await?;
        }
        writer.commit().await?;
        if checked != Checked::NotExpected {
            parts.bell.ring(id);
        }
        Ok(match checked {
            Checked::Right => {
                info!(verification = %id, "the read-back of {id} was typed");
                self.issue(id, now).await;
                Typed::Right
            }
            Checked::Voided => {
                info!(verification = %id, "{id} is void: three wrong read-backs");
                parts.push(id, Outcome::Voided);
                Typed::Voided
            }
            Checked::Wrong { left } => Typed::Wrong { left: u8::try_from(left).unwrap_or(0) },
            Checked::NotExpected => Typed::NotExpected(self.view(id, secret, now).await?.state),
        })
    }

    /// What the old key of the number signed for the new one of this verification. Before the number is proved it is only
    /// kept, and nothing is told about it; while the new key waits, it is looked at, and a right one issues at once.
    ///
    /// # Errors
    /// As [`view`](Self::view).
    pub async fn old_key_signed(
        &self,
        id: VerificationId,
        secret: &str,
        signature: &ca::old_key::Signature,
        now: OffsetDateTime,
    ) -> Result<Spoken, AccessError> {
        let hashed = starting::secret_sha256(secret);
        let mut writer = self.parts.store.begin().await?;
        let kept = verifications::keep_signature(id, &hashed, &signature.text(), &mut writer).await?;
        writer.commit().await?;
        match kept.as_deref() {
            None => return Ok(Spoken::TooLate(self.view(id, secret, now).await?.state)),
            Some("held") => {}
            Some(_) => return Ok(Spoken::Kept),
        }
        match self.parts.issue.release_signed(id, now).await {
            Ok(true) => {}
            Ok(false) => return Ok(Spoken::NotSigned),
            Err(IssueError::Store(error)) => return Err(error.into()),
            Err(error) => return Err(StoreError::Failed(error.to_string()).into()),
        }
        self.parts.bell.ring(id);
        self.issue(id, now).await;
        Ok(Spoken::Released)
    }

    /// Takes the record of its certificate, or of what that was renewed by, out of the directory: the owner wants it to be
    /// found no more. The certificate stays good. `false` if the directory shows neither.
    ///
    /// # Errors
    /// As [`view`](Self::view).
    pub async fn withdraw(&self, id: VerificationId, secret: &str, now: OffsetDateTime) -> Result<bool, AccessError> {
        match self.view(id, secret, now).await?.certificate {
            None => Ok(false),
            Some(certificate) => Ok(self.parts.issue.withdraw(&certificate.serial, now).await?),
        }
    }

    /// What a call asks. Never fails: a database that does not answer is [`Answer::Unavailable`].
    pub async fn answer(&self, question: Question, now: OffsetDateTime) -> Answer {
        match answers::answer(&self.parts, question, now).await {
            Ok((answer, None)) => answer,
            Ok((answer, Some(proved))) => {
                let verify = self.clone();
                tokio::spawn(async move { verify.issue(proved, now).await });
                answer
            }
            Err(error) => {
                warn!(%error, "a call's question is not answered: {error}");
                Answer::Unavailable
            }
        }
    }

    /// A step of the call of this verification, for its page.
    ///
    /// # Errors
    /// If the database does not take it.
    pub async fn note_step(&self, id: VerificationId, step: Step, at: OffsetDateTime) -> Result<(), StoreError> {
        let mut writer = self.parts.store.begin().await?;
        happenings::add(id, "step", step_name(&step), at, &mut writer).await?;
        if matches!(step, Step::Ended(_)) {
            // The call may have ended before anything was read back: then the code may be keyed in again.
            verifications::hang_up(id, &mut writer).await?;
        }
        writer.commit().await?;
        self.parts.bell.ring(id);
        Ok(())
    }

    /// Answers callers' first question, many at a time.
    pub fn sessions(&self) -> Sessions {
        Sessions::new(self.parts.clone())
    }

    /// Refused calls that bore a number (and did not withhold it), for the pages of its live verifications.
    ///
    /// # Errors
    /// If the database does not take them.
    pub async fn note_refusals(&self, refused: &[Refused]) -> Result<(), StoreError> {
        // A flood of refused calls only reads, and that seldom.
        for some in refused.chunks(callers::AT_ONCE) {
            let (columns, at) = (self.parts.store.columns(), some[0].at);
            let numbers: Vec<&Number> = some.iter().map(|refused| &refused.number).collect();
            let standing = callers::standing(
                &numbers,
                self.parts.fruitless_calls,
                at,
                columns,
                &mut *self.parts.store.read().await?,
            )
            .await?;
            for (refused, standing) in some.iter().zip(standing) {
                if standing.is_expected {
                    self.note_refusal(refused).await?;
                }
            }
        }
        Ok(())
    }

    /// Calls that were answered and ended without a right code, by their numbers. Who has made enough of them is answered
    /// no more today.
    ///
    /// # Errors
    /// If the database does not take them.
    pub async fn note_fruitless(&self, calls: &[Number], at: OffsetDateTime) -> Result<(), StoreError> {
        if calls.is_empty() {
            return Ok(());
        }
        let parts = &self.parts;
        let mut writer = parts.store.begin().await?;
        let most = parts.fruitless_calls;
        let used_up = budgets::count_fruitless(calls, most, at, parts.store.columns(), &mut writer).await?;
        writer.commit().await?;
        used_up.into_iter().for_each(|number| parts.expected.forget(number));
        Ok(())
    }

    /// Calls that are being told of certificates, by number and level. Where those of the day are used up, it was their turn, and
    /// is over now.
    ///
    /// # Errors
    /// If the database does not take them.
    pub async fn note_told(&self, told: &[(Number, Level)], at: OffsetDateTime) -> Result<(), StoreError> {
        let (parts, columns) = (&self.parts, self.parts.store.columns());
        for some in told.chunks(callers::AT_ONCE) {
            let numbers: Vec<&Number> = some.iter().map(|(number, _)| number).collect();
            let mut reader = parts.store.read().await?;
            let standing = callers::standing(&numbers, parts.fruitless_calls, at, columns, &mut reader).await?;
            drop(reader);
            for ((number, level), _) in some.iter().zip(standing).filter(|(_, standing)| standing.is_silenced) {
                let mut writer = parts.store.begin().await?;
                budgets::take_turn(number, *level, at, columns, &mut writer).await?;
                writer.commit().await?;
            }
        }
        Ok(())
    }

    async fn note_refusal(&self, Refused { number, reason, at }: &Refused) -> Result<(), StoreError> {
        let (parts, columns) = (&self.parts, self.parts.store.columns());
        let mut writer = parts.store.begin().await?;
        budgets::lock(number, *at, columns, &mut writer).await?;
        let pages = verifications::expecting(number, *at, columns, &mut writer).await?;
        for id in &pages {
            happenings::add(*id, "refused", reason.code(), *at, &mut writer).await?;
        }
        writer.commit().await?;
        pages.into_iter().for_each(|id| parts.bell.ring(id));
        Ok(())
    }

    /// Wakes with the id of every verification that something happened to. A lagging reader reads the rows again.
    pub fn bell(&self) -> broadcast::Receiver<VerificationId> {
        self.parts.bell.listen()
    }

    /// Deletes what is over and no longer shown: called once an hour. Tells how many verifications went.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn purge(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        piecemeal(|| self.forget_uses(now)).await?;
        piecemeal(|| self.forget_verifications(now)).await
    }

    async fn forget_uses(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        let mut writer = self.parts.store.begin().await?;
        let budgets = budgets::purge(now, &mut writer).await?;
        let served = passports::forget(now - SERVED_LIFE, &mut writer).await?;
        writer.commit().await?;
        Ok(budgets + served)
    }

    /// They are looked for while others write.
    async fn forget_verifications(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        let over = verifications::over(now, &mut *self.parts.store.read().await?).await?;
        if over.is_empty() {
            return Ok(0);
        }
        let mut writer = self.parts.store.begin().await?;
        let forgotten = verifications::forget(&over, now, &mut writer).await?;
        writer.commit().await?;
        Ok(forgotten)
    }

    /// Issues what was proved, in a task of its own, so that a page that is closed meanwhile ends nothing. Waits for it
    /// a while only: what cannot be issued now, because the database is busy, is tried again until it is.
    async fn issue(&self, id: VerificationId, now: OffsetDateTime) {
        let parts = self.parts.clone();
        let issuing = tokio::spawn(async move {
            let outcome = parts.issue.finish_patiently(id, now).await;
            parts.bell.ring(id);
            parts.push(id, outcome);
        });
        if tokio::time::timeout(ISSUE_PATIENCE, issuing).await.is_err() {
            warn!(verification = %id, "{id} is not issued yet: it is tried again");
        }
    }
}

impl VerifyParts {
    /// Tells a waiting call.
    fn push(&self, id: VerificationId, outcome: Outcome) {
        if self.outcomes.try_send((id, outcome)).is_err() {
            warn!(verification = %id, ?outcome, "the outcome of {id} does not reach its call: the queue is full or closed");
        }
    }
}

/// How long a signed identity that has served is remembered: longer than one is fresh and a call lasts, by far.
const SERVED_LIFE: time::Duration = time::Duration::hours(1);

/// How long a page waits for its certificate before it is told that it comes.
const ISSUE_PATIENCE: Duration = Duration::from_secs(10);

/// The level's type is used by views.
pub type ProvedLevel = Level;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
