//! Taking a certificate back.

use ca::{Reason, Serial};
use time::OffsetDateTime;
use tracing::info;

use super::{IssueError, IssueParts, lists};
use crate::store::{audit, certificates, records, revocations};

pub(super) async fn revoke(
    parts: &IssueParts,
    serial: &Serial,
    reason: Reason,
    actor: &str,
    now: OffsetDateTime,
) -> Result<(), IssueError> {
    let (hex, columns) = (serial.hex(), parts.store.columns());
    let mut writer = parts.store.begin().await?;
    let certificate = certificates::by_serial(&hex, columns, &mut writer).await?.ok_or(IssueError::Unknown)?;
    records::lock(&certificate.identity, columns, &mut writer).await?;
    certificates::end(&hex, &mut writer).await?;
    records::want_revoked(&hex, now, &mut writer).await?;
    if reason == Reason::KeyCompromise {
        revocations::block_key(&certificate.spki_sha256, now, &mut writer).await?;
    }
    let (issuing, not_after) = (certificate.issuing, certificate.not_after);
    if !revocations::insert(&hex, issuing, reason, not_after, now, &mut writer).await? {
        return Err(IssueError::AlreadyRevoked);
    }
    audit::add((actor, "revoke", &hex), now, columns, &mut writer).await?;
    writer.commit().await?;
    info!(serial = hex, reason = reason.name(), actor, "certificate {hex} is revoked");
    parts.publisher.nudge();
    lists::refresh_soon(parts, issuing);
    Ok(())
}
