//! What start-up mends, and every minute what another node or a failed statement left: nothing issued twice, nothing lost.

use ivr_core::call::question::Outcome;
use time::OffsetDateTime;
use tracing::{debug, info, warn};

use super::{Issue, IssueError, Recovered, hold, verification, wish};
use crate::store::{StoreError, intents, verifications};

impl Issue {
    /// Finishes or voids what a crash left between intent and result: called once at start. An intent without result is
    /// voided, whether it was signed or not. If another node is signing it at this moment, that node's result is refused and
    /// it signs another: never are two in force.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn recover(&self, now: OffsetDateTime) -> Result<Recovered, IssueError> {
        let mut recovered = Recovered::default();
        let open = intents::open(&mut *self.parts.store.read().await?).await?;
        for intent in open {
            recovered.voided += u64::from(wish::void(&self.parts, &intent.serial, intent.issuing, now).await?);
        }
        recovered.reissued = self.finish_all(now).await?;
        if recovered != Recovered::default() {
            info!(recovered.voided, recovered.reissued, "finished what the last run left open");
        }
        Ok(recovered)
    }

    /// Issues what is proved and was left without a result: by another node that died, by a page that was gone before its
    /// digits were answered, or because a change of key had to wait until now. Called once a minute. Where somebody is at it
    /// now, their fresh intent keeps this from doing it too; an intent that is stale is voided on the way. What cannot be
    /// finished keeps nobody from starting: it is tried again. Tells how many were finished.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn finish_all(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        hold::release_ripe(&self.parts, now).await?;
        let unfinished = verifications::all_to_issue(&mut *self.parts.store.read().await?).await?;
        let mut finished = 0;
        for id in unfinished {
            match verification::finish(&self.parts, id, now).await {
                Ok(Outcome::Issued) => finished += 1,
                Ok(Outcome::Voided | Outcome::Held | Outcome::Failed) => {}
                Err(IssueError::Store(StoreError::Busy)) => {
                    debug!(verification = %id, "{id} is being issued by another")
                }
                Err(error) => warn!(verification = %id, %error, "{id} is not issued yet: {error}"),
            }
        }
        Ok(finished)
    }
}
