//! From a proof to its certificate, or to its signed result.

use std::time::Duration;

use ca::signed_result::Statement;
use ca::{Assurance, Request};
use ivr_core::call::question::{Outcome, VerificationId};
use ivr_core::number::Number;
use ivr_core::proof::{Binding, ProvedNumber};
use serde_json::json;
use time::OffsetDateTime;
use tracing::{error, info, warn};

use super::wish::{self, Cause, Wish, ca_level};
use super::{IssueError, IssueParts, tel_subject};
use crate::store::verifications::ToIssue;
use crate::store::{StoreError, audit, happenings, verifications};

/// A proof that waited longer, for instance while the service was down, is no longer one.
const OLDEST_PROOF: time::Duration = time::Duration::days(1);
/// Tries that fail for another reason than a busy or full database.
const TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Issues, again while the database is busy or full. What is still open when the process ends is finished at the next
/// start.
pub(super) async fn finish_patiently(parts: &IssueParts, id: VerificationId, began_at: OffsetDateTime) -> Outcome {
    let began = parts.clock.now();
    let (mut pause, mut tries, mut now) = (FIRST_PAUSE, 0, began_at);
    loop {
        let cause = match finish(parts, id, now).await {
            Ok(outcome) => return outcome,
            Err(cause) => cause,
        };
        warn!(verification = %id, %cause, "{id} is not issued, but tried again: {cause}");
        if !matches!(cause, IssueError::Store(StoreError::Busy | StoreError::Full)) {
            tries += 1;
        }
        if tries == TRIES {
            let why = "The certificate could not be made. The operator is told; try again later.";
            match fail(parts, id, why, now).await {
                Ok(()) => error!(verification = %id, "{id} failed: {cause}"),
                Err(error) => error!(verification = %id, "{id} failed ({cause}), and that is not stored: {error}"),
            }
            return Outcome::Failed;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        now = began_at + (parts.clock.now() - began);
    }
}

/// Issues once. What the authority refuses has failed for good; an error may be tried again.
pub(super) async fn finish(parts: &IssueParts, id: VerificationId, now: OffsetDateTime) -> Result<Outcome, IssueError> {
    let columns = parts.store.columns();
    let mut reader = parts.store.read().await?;
    let Some(job) = verifications::to_issue(id, columns, &mut reader).await? else {
        // Nothing left to do: somebody else finished it.
        let issued = verifications::is_issued(id, &mut reader).await?;
        return Ok(if issued { Outcome::Issued } else { Outcome::Failed });
    };
    drop(reader);
    let done = match proved(parts, id, &job, now) {
        Ok(proof) => finish_proved(parts, &proof, &job, now).await,
        Err(refused) => Err(refused),
    };
    match done {
        Ok(()) => Ok(Outcome::Issued),
        Err(IssueError::Refused(why)) => {
            info!(verification = %id, "{id} is refused: {why}");
            fail(parts, id, &why, now).await?;
            Ok(Outcome::Failed)
        }
        Err(error) => Err(error),
    }
}

async fn finish_proved(
    parts: &IssueParts,
    proof: &ProvedNumber,
    job: &ToIssue,
    now: OffsetDateTime,
) -> Result<(), IssueError> {
    match &job.request {
        None => sign_result(parts, proof, now).await,
        Some(request) => wish::issue(parts, &wish(proof, job, request)?, now).await,
    }
}

/// The ticket: without it, nothing is issued to a number.
fn proved(
    parts: &IssueParts,
    id: VerificationId,
    job: &ToIssue,
    now: OffsetDateTime,
) -> Result<ProvedNumber, IssueError> {
    let key = parts.store.columns().keys().proof_key();
    let opened = ProvedNumber::open(&job.proof, &job.number, &key);
    let (proof, proved_at) = opened.map_err(|broken| StoreError::Failed(broken.to_string()))?;
    if proof.verification() != id {
        return Err(StoreError::damaged("a proof").into());
    }
    let age =
        now - OffsetDateTime::from_unix_timestamp(proved_at).map_err(|_| StoreError::damaged("a proof's time"))?;
    if age > OLDEST_PROOF {
        return Err(IssueError::Refused("The call was too long ago. Begin again.".to_owned()));
    }
    Ok(proof)
}

/// What is issued for a proof and a request. `verification.rs` and its tests alone make one.
pub(super) fn wish(proof: &ProvedNumber, job: &ToIssue, request: &[u8]) -> Result<Wish, IssueError> {
    let request = Request::parse(request).map_err(|error| IssueError::Refused(error.to_string()))?;
    let assurance = match proof.binding() {
        Binding::ReadBack => Assurance::ReadBack(ca_level(proof.level())),
        Binding::CodeOnly => Assurance::CodeOnly,
    };
    Ok(Wish {
        cause: Cause::Verification(proof.verification()),
        subject: tel_subject(proof.number()),
        request,
        assurance,
        level: proof.level(),
        publish: job.publish,
        shown: Some(shown(proof.number())),
        proof: Some(job.proof.clone()),
    })
}

fn shown(number: &Number) -> (String, String) {
    (number.country().to_string(), number.last4().to_owned())
}

/// Without a request: a signed statement, for a web site that wants to know who called.
async fn sign_result(parts: &IssueParts, proof: &ProvedNumber, now: OffsetDateTime) -> Result<(), IssueError> {
    let (id, columns) = (proof.verification(), parts.store.columns());
    let claims = json!({
        "iss": parts.authority.name(),
        "sub": format!("tel:{}", proof.number().as_str()),
        "level": proof.level().to_string(),
        "binding": proof.binding().name(),
        "jti": id.to_string(),
        "iat": now.unix_timestamp(),
    });
    let authority = parts.authority.clone();
    let signed = wish::blocking(move || authority.result_key().sign(Statement::Result, &claims)).await;
    let result = signed.map_err(|_| IssueError::Signing)?;
    let mut writer = parts.store.begin().await?;
    if verifications::keep_result(id, &result, columns, &mut writer).await? {
        happenings::add(id, "state", "issued", now, &mut writer).await?;
        audit::add(("issue", "result", &id.to_string()), now, columns, &mut writer).await?;
        writer.commit().await?;
        info!(verification = %id, "the result of {id} is signed");
    }
    Ok(())
}

async fn fail(parts: &IssueParts, id: VerificationId, why: &str, now: OffsetDateTime) -> Result<(), StoreError> {
    let mut writer = parts.store.begin().await?;
    if verifications::fail(id, why, &mut writer).await? {
        happenings::add(id, "state", "failed", now, &mut writer).await?;
        writer.commit().await?;
    }
    Ok(())
}
