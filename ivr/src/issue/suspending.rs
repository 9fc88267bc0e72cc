//! A call from a number without a verification suspends what the number has; the old key lifts that; after a day it is final.

use ca::Reason;
use ivr_core::caller::Caller;
use time::OffsetDateTime;
use tracing::{info, warn};

use super::{IssueError, IssueParts, lists, revoking};
use crate::store::calls::Signed;
use crate::store::verifications::Which;
use crate::store::{StoreError, audit, budgets, certificates, happenings, records, revocations, tel, verifications};

/// How long the old key may lift a suspension.
const LIFTABLE: time::Duration = time::Duration::hours(24);
/// What the page of a key says that was stopped.
pub(crate) const STOPPED: &str = "A call from the number stopped this key.";

/// Suspends the certificates of a number up to the level of a call, and stops the key that waits. `false` if there is nothing
/// to suspend, or the number has done so today.
pub(super) async fn suspend(parts: &IssueParts, caller: &Caller, now: OffsetDateTime) -> Result<bool, StoreError> {
    let Caller { number, level, passport, .. } = caller;
    let (level, identity, columns) = (*level, tel(number), parts.store.columns());
    let mut writer = parts.store.begin().await?;
    budgets::lock(number, now, columns, &mut writer).await?;
    if !budgets::count_suspension(number, columns, &mut writer).await? {
        return Ok(false);
    }
    records::lock(&identity, columns, &mut writer).await?;
    let in_force = certificates::in_force(&identity, level, now, columns, &mut writer).await?;
    let stopped = verifications::end_held(&identity, Which::UpTo(level), STOPPED, columns, &mut writer).await?;
    if in_force.is_empty() && stopped.is_empty() {
        // The budget is not touched either.
        return Ok(false);
    }
    for old in &in_force {
        let until = old.not_after;
        revocations::insert(&old.serial, old.issuing, Reason::CertificateHold, until, now, &mut writer).await?;
        records::want_suspended(&old.serial, now, &mut writer).await?;
    }
    for id in &stopped {
        happenings::state(*id, "failed", now, columns, &mut writer).await?;
    }
    if let Some(newest) = certificates::newest(&identity, OffsetDateTime::UNIX_EPOCH, columns, &mut writer).await? {
        // One of a higher level is still good, but no key waits beside it any more.
        records::show_again(&newest.serial, now, &mut writer).await?;
    }
    for old in &in_force {
        audit::add(("call", "suspend", &old.serial), now, columns, &mut writer).await?;
    }
    for id in &stopped {
        audit::add(("call", "veto", &id.to_string()), now, columns, &mut writer).await?;
    }
    if let Some(report) = passport {
        // By whose word the call had its number.
        let ended = in_force.iter().map(|old| old.serial.clone()).chain(stopped.iter().map(ToString::to_string));
        for subject in ended.map(|what| format!("{what}: {}", Signed::of(report))) {
            audit::add(("call", "signed", &subject), now, columns, &mut writer).await?;
        }
    }
    writer.commit().await?;
    info!(suspended = in_force.len(), stopped = stopped.len(), "a call suspended what its number had");
    parts.publisher.nudge();
    in_force.into_iter().for_each(|old| lists::refresh_soon(parts, old.issuing));
    stopped.into_iter().for_each(|id| parts.publisher.ring(id));
    Ok(true)
}

/// Takes a certificate off hold by the word of its key, with a nonce that was given at `asked`. `false` if it is not on hold,
/// has been for a day, or was put on hold after that.
pub(super) async fn lift(
    parts: &IssueParts,
    serial: &str,
    asked: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<bool, IssueError> {
    let columns = parts.store.columns();
    let mut writer = parts.store.begin().await?;
    let certificate = certificates::by_serial(serial, columns, &mut writer).await?.ok_or(IssueError::Unknown)?;
    records::lock(&certificate.identity, columns, &mut writer).await?;
    if !revocations::lift(serial, certificate.issuing, (now - LIFTABLE, asked), &mut writer).await? {
        return Ok(false);
    }
    records::want_lifted(serial, now, &mut writer).await?;
    audit::add(("old key", "lift", serial), now, columns, &mut writer).await?;
    writer.commit().await?;
    info!(serial, "certificate {serial} is suspended no more");
    parts.publisher.nudge();
    lists::refresh_soon(parts, certificate.issuing);
    Ok(true)
}

impl super::Issue {
    /// What was suspended a day ago and not lifted is revoked for good: called once a minute. Tells how many.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn finalise_suspensions(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        let over = revocations::on_hold(now - LIFTABLE, &mut *self.parts.store.read().await?).await?;
        let mut final_now = 0;
        for serial in over {
            match make_final(&self.parts, &serial, now).await {
                Ok(true) => final_now += 1,
                // Lifted or revoked meanwhile.
                Ok(false) => {}
                Err(error) => warn!(serial, %error, "the suspension of {serial} is made final later: {error}"),
            }
        }
        Ok(final_now)
    }
}

/// Revokes what has been on hold for a day. `false` if it is not any more.
async fn make_final(parts: &IssueParts, serial: &str, now: OffsetDateTime) -> Result<bool, IssueError> {
    let columns = parts.store.columns();
    let mut writer = parts.store.begin().await?;
    let certificate = certificates::by_serial(serial, columns, &mut writer).await?.ok_or(IssueError::Unknown)?;
    records::lock(&certificate.identity, columns, &mut writer).await?;
    let (issuing, reason) = (certificate.issuing, Reason::CessationOfOperation);
    if !revocations::finalise(serial, (issuing, reason), now - LIFTABLE, &mut writer).await? {
        return Ok(false);
    }
    revoking::conclude(parts, writer, (serial, issuing), (reason, "issue"), now).await?;
    Ok(true)
}

#[cfg(test)]
mod tests;
