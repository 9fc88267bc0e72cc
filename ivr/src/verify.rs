//! The use case: a person proves a telephone number (docs/protocol.md, steps 1 to 7). Pages and API start it and look at
//! it, the call answers its questions, the read-back ends it.

mod answers;
mod census;
mod consent;
mod expected;
mod hearing;
mod limits;
mod purging;
mod sessions;
mod started_by;
mod starting;
mod steps;
mod typing;
mod viewing;

use std::sync::Arc;
use std::time::Duration;

use ivr_core::call::question::{Answer, Outcome, Question, VerificationId};
use ivr_core::caller::Dialled;
use ivr_core::number::{KindPolicy, Number};
use time::OffsetDateTime;
use tokio::sync::{broadcast, mpsc};
use tracing::warn;

pub use self::consent::Spoken;
pub use self::expected::Expected;
pub use self::hearing::Refused;
pub use self::limits::Limits;
pub(crate) use self::limits::{Network, network};
pub use self::sessions::Sessions;
pub(crate) use self::sessions::certified;
pub use self::started_by::{NoKey, StartedBy};
pub use self::starting::{Start, StartError, Started};
pub(crate) use self::starting::{new_secret, secret_sha256};
pub use self::steps::step_name;
pub use self::typing::Typed;
pub use self::viewing::{AccessError, Happening, State, View};
use crate::bell::Bell;
use crate::clock::Clock;
use crate::issue::Issue;
use crate::store::verifications::Closed;
use crate::store::{Store, StoreError, happenings, records, verifications};

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
    /// Those of the sandbox: nobody's, and never proved.
    pub test_numbers: Vec<Number>,
    /// Those of the trunks, which people dial: whoever answers there is us.
    pub own_numbers: Vec<Number>,
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

    /// Whether so many of a number are alive that one more has to be worked for.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn is_crowded(&self, number: &Number, now: OffsetDateTime) -> Result<bool, StoreError> {
        let VerifyParts { store, limits, .. } = &*self.parts;
        let mut reader = store.read().await?;
        let alive = verifications::alive_of_number(number, now, store.columns(), &mut reader).await?;
        Ok(alive >= i64::from(limits.of_number_unworked))
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
            happenings::state(id, State::Expired.name(), now, self.parts.store.columns(), &mut writer).await?;
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

    /// Answers callers' first question, many at a time.
    pub fn sessions(&self) -> Sessions {
        Sessions::new(self.parts.clone())
    }

    /// Wakes with the id of every verification that something happened to. A lagging reader reads the rows again.
    pub fn bell(&self) -> broadcast::Receiver<VerificationId> {
        self.parts.bell.listen()
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

/// How long a page waits for its certificate before it is told that it comes.
const ISSUE_PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
