//! From a proof to its certificate, or to its signed result.

use std::time::Duration;

use ca::old_key::{Action, Signature};
use ca::signed_result::Statement;
use ca::{Assurance, Request};
use ivr_core::call::question::{Outcome, VerificationId};
use ivr_core::number::Number;
use ivr_core::proof::{Binding, PROOF_LIFE, ProvedNumber, StillProved};
use serde_json::json;
use time::OffsetDateTime;
use tracing::{error, info, warn};

use super::wish::{self, Cause, Consent, Spoken, Wish, ca_level};
use super::{Issue, IssueError, IssueParts, hold, tel_subject};
use crate::store::verifications::{Closed, ToIssue};
use crate::store::{StoreError, audit, happenings, records, verifications};

/// A proof that waited longer for the service, for instance while it was down, is no longer one. What a change of key has
/// to wait does not count.
const OLDEST_PROOF: time::Duration = time::Duration::days(1);
/// What the page says if the operator became stricter between the call and its certificate.
const WORTH_LESS: &str = "By now this service asks for more than your call proved. Begin again over a line that your \
                          telephone company vouches for.";
/// Tries that fail for another reason than a busy or full database.
const TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Issue {
    /// Issues for a verification that is proved, again and again while the database is busy or full. What is still open when the
    /// process ends is finished at the next start.
    pub(crate) async fn finish_patiently(&self, id: VerificationId, began_at: OffsetDateTime) -> Outcome {
        let parts = &self.parts;
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
}

/// Issues once. What the authority refuses has failed for good; an error may be tried again.
pub(super) async fn finish(parts: &IssueParts, id: VerificationId, now: OffsetDateTime) -> Result<Outcome, IssueError> {
    let columns = parts.store.columns();
    let mut reader = parts.store.read().await?;
    let Some(job) = verifications::to_issue(id, "issuing", columns, &mut reader).await? else {
        // Nothing to do now: somebody else finished it, or it waits.
        let state = verifications::state(id, &mut reader).await?;
        return Ok(match state.as_deref() {
            Some("issued") => Outcome::Issued,
            Some("held") => Outcome::Held,
            _ => Outcome::Failed,
        });
    };
    drop(reader);
    let done = match proved(parts, id, &job, now) {
        Ok(proved) => finish_proved(parts, proved, &job, now).await,
        Err(refused) => Err(refused),
    };
    match done {
        Err(IssueError::Refused(why)) => {
            info!(verification = %id, "{id} is refused: {why}");
            fail(parts, id, &why, now).await?;
            Ok(Outcome::Failed)
        }
        done => done,
    }
}

async fn finish_proved(
    parts: &IssueParts,
    (proof, proved_at): (ProvedNumber, OffsetDateTime),
    job: &ToIssue,
    now: OffsetDateTime,
) -> Result<Outcome, IssueError> {
    // What was asked for when the call came may be less than today, above all if its key had to wait.
    if proof.level() < parts.issue_from.of(proof.number().kind()) {
        return Err(IssueError::Refused(WORTH_LESS.to_owned()));
    }
    let Some(request) = &job.request else {
        // It certifies no key, so no change of key is to be waited for.
        sign_result(parts, &proof, now).await?;
        return Ok(Outcome::Issued);
    };
    let wish = wish((&proof, proved_at), job, request, now)?;
    if hold::hold(parts, &wish, now).await? {
        return Ok(Outcome::Held);
    }
    wish::issue(parts, &wish, now).await?;
    Ok(Outcome::Issued)
}

/// The ticket, without which nothing is issued to a number, and when the call was.
pub(super) fn proved(
    parts: &IssueParts,
    id: VerificationId,
    job: &ToIssue,
    now: OffsetDateTime,
) -> Result<(ProvedNumber, OffsetDateTime), IssueError> {
    let key = parts.store.columns().keys().proof_key();
    let opened = ProvedNumber::open(&job.proof, &job.number, &key);
    let (proof, proved_at) = opened.map_err(|broken| StoreError::Failed(broken.to_string()))?;
    if proof.verification() != id {
        return Err(StoreError::damaged("a proof").into());
    }
    let proved_at = OffsetDateTime::from_unix_timestamp(proved_at);
    let proved_at = proved_at.map_err(|_| StoreError::damaged("a proof's time"))?;
    if now - job.held_until.map_or(proved_at, |until| until.max(proved_at)) > OLDEST_PROOF {
        return Err(IssueError::Refused("The call was too long ago. Begin again.".to_owned()));
    }
    Ok((proof, proved_at))
}

/// What is issued for a proof and a request.
pub(super) fn wish(
    (proof, proved_at): (&ProvedNumber, OffsetDateTime),
    job: &ToIssue,
    request: &[u8],
    now: OffsetDateTime,
) -> Result<Wish, IssueError> {
    let request = Request::parse(request).map_err(|error| IssueError::Refused(error.to_string()))?;
    let consent = match (job.held_until, &job.old_key_signature) {
        (Some(until), _) if until <= now => Consent::Waited,
        (_, None) => Consent::Missing,
        (_, Some(signature)) => {
            let signature = Signature::parse(signature).map_err(|_| StoreError::damaged("a signature"))?;
            let about = proof.verification().to_string();
            Consent::Signed(Spoken { action: Action::Change, about, nonce: None, signature })
        }
    };
    Ok(Wish {
        cause: Cause::Verification(proof.verification()),
        subject: tel_subject(proof.number()),
        request,
        assurance: assurance(proof),
        level: proof.level(),
        consent,
        publish: job.publish,
        shown: Some(shown(proof.number())),
        proof: Some(job.proof.clone()),
        proof_ends: Some(proved_at + PROOF_LIFE),
    })
}

/// What is issued because the key of an earlier certificate asks for it, on the proof that that certificate rests on.
pub(super) fn wish_of_renewal(
    still: &StillProved,
    sealed: &str,
    (cause, request, publish): (Cause, Request, bool),
    consent: Consent,
) -> Result<Wish, StoreError> {
    let proof = still.proof();
    let ends =
        OffsetDateTime::from_unix_timestamp(still.ends_at()).map_err(|_| StoreError::damaged("a proof's time"))?;
    Ok(Wish {
        cause,
        subject: tel_subject(proof.number()),
        request,
        assurance: assurance(proof),
        level: proof.level(),
        consent,
        publish,
        shown: Some(shown(proof.number())),
        proof: Some(sealed.to_owned()),
        proof_ends: Some(ends),
    })
}

fn assurance(proof: &ProvedNumber) -> Assurance {
    match proof.binding() {
        Binding::ReadBack => Assurance::ReadBack(ca_level(proof.level())),
        Binding::CodeOnly => Assurance::CodeOnly,
    }
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
        happenings::state(id, "issued", now, columns, &mut writer).await?;
        audit::add(("issue", "result", &id.to_string()), now, columns, &mut writer).await?;
        writer.commit().await?;
        info!(verification = %id, "the result of {id} is signed");
    }
    Ok(())
}

async fn fail(parts: &IssueParts, id: VerificationId, why: &str, now: OffsetDateTime) -> Result<(), StoreError> {
    let mut writer = parts.store.begin().await?;
    if let Closed::Now { beside } = verifications::fail(id, why, &mut writer).await? {
        happenings::state(id, "failed", now, parts.store.columns(), &mut writer).await?;
        if let Some(serial) = beside {
            records::show_again(&serial, now, &mut writer).await?;
        }
        writer.commit().await?;
        parts.publisher.nudge();
    }
    Ok(())
}
