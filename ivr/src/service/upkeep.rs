//! What has to be done again and again: lists renewed before they run out, rows that are over deleted.

use std::time::Duration;

use ca::Issuing;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::issue::Issue;
use crate::verify::Verify;

const HOUR: Duration = Duration::from_secs(3600);

/// Works at once and then once an hour, until told to stop. What fails is logged and done an hour later.
pub(super) async fn run(verify: Verify, issue: Issue, clock: Clock, stop: CancellationToken) {
    let mut hours = tokio::time::interval(HOUR);
    loop {
        tokio::select! {
            _ = hours.tick() => work(&verify, &issue, clock).await,
            () = stop.cancelled() => return,
        }
    }
}

async fn work(verify: &Verify, issue: &Issue, clock: Clock) {
    match verify.purge(clock.wall()).await {
        Ok(gone) => tracing::debug!(gone, "deleted {gone} verifications that were over"),
        Err(error) => tracing::warn!(%error, "what is over could not be deleted: {error}"),
    }
    for issuing in Issuing::ALL {
        // Asking for a list renews it if it is stale or about to be.
        if let Err(error) = issue.crl(issuing, clock.wall()).await {
            tracing::error!(?issuing, %error, "a revocation list could not be renewed: {error}");
        }
    }
}
