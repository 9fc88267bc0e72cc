//! What start-up mends: nothing issued twice, nothing lost.

use ivr_core::call::question::Outcome;
use time::OffsetDateTime;
use tracing::{info, warn};

use super::{IssueError, IssueParts, Recovered, verification, wish};
use crate::store::{intents, verifications};

/// An intent without result is voided, whether it was signed or not. If another node is signing it at this moment, that
/// node's result is refused and it signs another: never are two in force.
pub(super) async fn recover(parts: &IssueParts, now: OffsetDateTime) -> Result<Recovered, IssueError> {
    let mut recovered = Recovered::default();
    let open = intents::open(&mut *parts.store.read().await?).await?;
    for intent in open {
        recovered.voided += u64::from(wish::void(parts, &intent.serial, intent.issuing, now).await?);
    }
    let unfinished = verifications::all_to_issue(&mut *parts.store.read().await?).await?;
    for id in unfinished {
        match verification::finish(parts, id, now).await {
            Ok(Outcome::Issued) => recovered.reissued += 1,
            Ok(Outcome::Voided | Outcome::Failed) => {}
            // One that cannot be finished does not keep the service from starting: another node may be at it.
            Err(error) => warn!(verification = %id, %error, "{id} is left for the next start: {error}"),
        }
    }
    if recovered != Recovered::default() {
        info!(recovered.voided, recovered.reissued, "finished what the last run left open");
    }
    Ok(recovered)
}
