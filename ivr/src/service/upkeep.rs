//! What has to be done again and again: lists renewed before they run out, rows that are over deleted.

use std::time::Duration;

use ca::Issuing;
use tokio_util::sync::CancellationToken;

use crate::call_record::CallRecord;
use crate::clock::Clock;
use crate::issue::Issue;
use crate::operators::Operators;
use crate::verify::Verify;

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

/// The use cases that have something to tidy.
pub(super) struct Upkeep {
    pub(super) verify: Verify,
    pub(super) issue: Issue,
    pub(super) calls: CallRecord,
    pub(super) operators: Operators,
    pub(super) clock: Clock,
}

impl Upkeep {
    /// Works at once and then once a minute or an hour, until told to stop. What fails is logged and done the next time. What is
    /// purged may take long: it holds up neither the work of each minute nor the end.
    pub(super) async fn run(self, stop: CancellationToken) {
        let minutely = every(MINUTE, &stop, || self.end_what_is_due());
        let hourly = every(HOUR, &stop, || async {
            self.renew_lists().await;
            // A transaction that is not committed has not happened.
            stop.run_until_cancelled(self.purge()).await;
        });
        tokio::join!(minutely, hourly);
    }

    async fn end_what_is_due(&self) {
        if let Err(error) = self.issue.finalise_suspensions(self.clock.wall()).await {
            tracing::warn!(%error, "suspensions are made final later: {error}");
        }
        if let Err(error) = self.verify.end_overdue(self.clock.wall()).await {
            tracing::warn!(%error, "what has expired is told of later: {error}");
        }
        match self.issue.finish_all(self.clock.wall()).await {
            Ok(0) => {}
            Ok(finished) => {
                tracing::info!(finished, "{finished} proofs were left without a certificate, and have one now")
            }
            Err(error) => tracing::warn!(%error, "what is proved is not looked through: {error}"),
        }
    }

    async fn purge(&self) {
        let now = self.clock.wall();
        let purged = [
            ("verifications", self.verify.purge(now).await.map(drop)),
            ("call records", self.calls.purge(now).await),
            ("sessions of operators", self.operators.purge(now).await),
            ("certificates", self.issue.purge(now).await.map(drop)),
        ];
        for (what, result) in purged {
            if let Err(error) = result {
                tracing::warn!(%error, "old {what} could not be deleted: {error}");
            }
        }
    }

    async fn renew_lists(&self) {
        let now = self.clock.wall();
        for issuing in Issuing::ALL {
            // Asking for a list renews it if it is stale or about to be.
            if let Err(error) = self.issue.crl(issuing, now).await {
                tracing::error!(?issuing, %error, "a revocation list could not be renewed: {error}");
            }
        }
    }
}

/// Works at once and then again and again, until told to stop: never in the middle of it.
async fn every<F: Future<Output = ()>>(time: Duration, stop: &CancellationToken, mut work: impl FnMut() -> F) {
    let mut ticks = tokio::time::interval(time);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        work().await;
    }
}
