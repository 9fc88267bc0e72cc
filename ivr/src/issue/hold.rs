//! A change of key (docs/protocol.md): whoever proves a number with another key than the last waits, so that the owner of
//! the last can object. Nothing shortens that but a signature of the last key.

use ivr_core::call::question::VerificationId;
use time::OffsetDateTime;
use tracing::info;

use super::wish::{Cause, Consent, Wish};
use super::{Issue, IssueError, IssueParts, verification};
use crate::store::certificates::Newest;
use crate::store::verifications::{Hold, Which};
use crate::store::{Columns, Conn, StoreError, audit, certificates, happenings, records, revocations, verifications};

/// How long a key that had a number counts, whatever became of its certificate: as long as numbers rest before they are
/// given to somebody else.
pub(super) const REMEMBERED: time::Duration = time::Duration::days(45);
/// What the page of a key says when a later one takes its place.
const REPLACED: &str = "Another key was proved for this number while this one waited, and took its place.";
/// What the page of a key says that a weaker call proved than that of one that waits.
const OUTRANKED: &str = "Another key waits for this number, and the call that proved it is worth more than yours.";

/// The certificate whose key stands in the way of this wish: the last one of the number, if it has another key and neither
/// that key nor time has spoken. To rely on the answer, ask under the identity's lock.
pub(super) async fn obstacle(
    wish: &Wish,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Option<Newest>, StoreError> {
    if matches!(wish.consent, Consent::NotNeeded | Consent::Waited) {
        return Ok(None);
    }
    let newest = certificates::newest(&wish.subject.identity(), now - REMEMBERED, columns, conn).await?;
    let Some(newest) = newest.filter(|newest| newest.spki_sha256 != wish.request.spki_sha256()) else {
        return Ok(None);
    };
    if let Consent::Signed(spoken) = &wish.consent
        && spoken.is_by(&newest.der, &wish.request)
        // A key that others know speaks for nobody.
        && !revocations::is_blocked(&newest.spki_sha256, conn).await?
    {
        return Ok(None);
    }
    Ok(Some(newest))
}

/// Holds a wish back if a key stands in its way. `false` if none does, and it may be issued. Of two keys that wait, the
/// later one stays unless its call proved less: so what is shown beside the certificate is what will follow it, and each
/// waits its whole time.
pub(super) async fn hold(parts: &IssueParts, wish: &Wish, now: OffsetDateTime) -> Result<bool, IssueError> {
    let Cause::Verification(id) = wish.cause else { return Ok(false) };
    let columns = parts.store.columns();
    // Most wishes find nothing in their way, and need no lock.
    if obstacle(wish, now, columns, &mut *parts.store.read().await?).await?.is_none() {
        return Ok(false);
    }
    let identity = wish.subject.identity();
    let mut writer = parts.store.begin().await?;
    records::lock(&identity, columns, &mut writer).await?;
    let Some(newest) = obstacle(wish, now, columns, &mut writer).await? else { return Ok(false) };
    if verifications::waits_above(&identity, wish.level, columns, &mut writer).await? {
        return Err(IssueError::Refused(OUTRANKED.to_owned()));
    }
    let held = Hold {
        id,
        key: wish.request.spki_sha256(),
        level: wish.level,
        against: &newest.serial,
        since: now,
        until: now + parts.key_change_hold,
    };
    if !verifications::hold(&held, &mut writer).await? {
        // Somebody else decided about it meanwhile: the next look tells what.
        return Err(StoreError::Busy.into());
    }
    happenings::state(id, "held", now, columns, &mut writer).await?;
    let replaced =
        verifications::end_held(&identity, Which::But(id, wish.level), REPLACED, columns, &mut writer).await?;
    for other in &replaced {
        happenings::state(*other, "failed", now, columns, &mut writer).await?;
    }
    records::show_again(&newest.serial, now, &mut writer).await?;
    audit::add(("issue", "hold", &id.to_string()), now, columns, &mut writer).await?;
    writer.commit().await?;
    info!(verification = %id, against = newest.serial, "{id} waits: another key was certified lately");
    parts.publisher.nudge();
    replaced.into_iter().for_each(|other| parts.publisher.ring(other));
    Ok(true)
}

/// Lets those go on whose time of waiting is over.
pub(super) async fn release_ripe(parts: &IssueParts, now: OffsetDateTime) -> Result<(), StoreError> {
    let (ripe, columns) = (verifications::all_ripe(now, &mut *parts.store.read().await?).await?, parts.store.columns());
    for id in ripe {
        let mut writer = parts.store.begin().await?;
        if verifications::release(id, &mut writer).await? {
            happenings::state(id, "issuing", now, columns, &mut writer).await?;
            writer.commit().await?;
            info!(verification = %id, "{id} has waited its time");
        }
    }
    Ok(())
}

impl Issue {
    /// Lets a verification go on whose key waits, if the old key signed for it. `false` if it did not, or nothing waits.
    pub(crate) async fn release_signed(&self, id: VerificationId, now: OffsetDateTime) -> Result<bool, IssueError> {
        let (parts, columns) = (&self.parts, self.parts.store.columns());
        let job = verifications::to_issue(id, "held", columns, &mut *parts.store.read().await?).await?;
        let Some((job, request)) = job.as_ref().and_then(|job| Some((job, job.request.as_ref()?))) else {
            return Ok(false);
        };
        let (proof, proved_at) = verification::proved(parts, id, job, now)?;
        let wish = verification::wish((&proof, proved_at), job, request, now)?;
        let mut writer = parts.store.begin().await?;
        records::lock(&wish.subject.identity(), columns, &mut writer).await?;
        if obstacle(&wish, now, columns, &mut writer).await?.is_some()
            || !verifications::release(id, &mut writer).await?
        {
            return Ok(false);
        }
        happenings::state(id, "issuing", now, columns, &mut writer).await?;
        audit::add(("old key", "consent", &id.to_string()), now, columns, &mut writer).await?;
        writer.commit().await?;
        info!(verification = %id, "the old key signed for {id}");
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
