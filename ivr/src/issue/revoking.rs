//! Taking a certificate back.

use ca::{Issuing, Reason, Serial};
use time::OffsetDateTime;
use tracing::info;

use super::{Issue, IssueError, IssueParts, lists};
use crate::store::{StoreError, Writer, audit, certificates, records, revocations};

impl Issue {
    /// Revokes: CRL and tombstone follow. With a compromised key go all its certificates, and it never gets another.
    ///
    /// # Errors
    /// As named.
    pub async fn revoke(
        &self,
        serial: &Serial,
        reason: Reason,
        actor: &str,
        now: OffsetDateTime,
    ) -> Result<(), IssueError> {
        revoke(&self.parts, serial, (reason, Reach::Key), actor, now).await
    }

    /// Revokes by the word of somebody who has shown no more than this certificate's identity, such as its mailbox: a
    /// compromised key gets no certificate any more, but those that others proved stay.
    ///
    /// # Errors
    /// As named.
    pub async fn revoke_alone(
        &self,
        serial: &Serial,
        reason: Reason,
        actor: &str,
        now: OffsetDateTime,
    ) -> Result<(), IssueError> {
        revoke(&self.parts, serial, (reason, Reach::Certificate), actor, now).await
    }

    /// Takes the record of this certificate of a number, or of what it was renewed by (it rests on the same call), out of the
    /// directory by its owner's wish. `false` if the directory shows neither.
    pub(crate) async fn withdraw(&self, serial: &str, now: OffsetDateTime) -> Result<bool, StoreError> {
        let (parts, columns) = (&self.parts, self.parts.store.columns());
        let mut writer = parts.store.begin().await?;
        let certificate = certificates::by_serial(serial, columns, &mut writer).await?;
        let Some((identity, proof)) =
            certificate.and_then(|certificate| Some((certificate.identity, certificate.proof?)))
        else {
            return Ok(false);
        };
        // A renewal is concluded before, and found here, or after, and then publishes nothing (`old_key::impediment`).
        records::lock(&identity, columns, &mut writer).await?;
        match certificates::live_of_proof(&identity, &proof, columns, &mut writer).await? {
            Some(live) => conclude_withdrawal(parts, writer, &live, "owner", now).await,
            None => Ok(false),
        }
    }
}

/// What goes when a key is known to others, besides the certificate that was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Every other certificate of the key that is in force.
    Key,
    /// Nothing.
    Certificate,
}

async fn revoke(
    parts: &IssueParts,
    serial: &Serial,
    (reason, reach): (Reason, Reach),
    actor: &str,
    now: OffsetDateTime,
) -> Result<(), IssueError> {
    let serial = serial.hex();
    if reason != Reason::KeyCompromise {
        return revoke_one(parts, &serial, reason, actor, now).await;
    }
    // First the block: whatever happens next, the key is not certified again.
    let others = block_key(parts, &serial, now).await?;
    let revoked = revoke_one(parts, &serial, reason, actor, now).await;
    if reach == Reach::Certificate {
        return revoked;
    }
    for other in others {
        match revoke_one(parts, &other, reason, actor, now).await {
            // Somebody else was faster.
            Ok(()) | Err(IssueError::AlreadyRevoked) => {}
            Err(error) => return Err(error),
        }
    }
    revoked
}

/// Blocks the key of a certificate; tells which other certificates of it are in force.
async fn block_key(parts: &IssueParts, serial: &str, now: OffsetDateTime) -> Result<Vec<String>, IssueError> {
    let mut writer = parts.store.begin().await?;
    let certificate = certificates::by_serial(serial, parts.store.columns(), &mut writer).await?;
    let key = certificate.ok_or(IssueError::Unknown)?.spki_sha256;
    revocations::block_key(&key, now, &mut writer).await?;
    let others = certificates::live_with_key(&key, serial, &mut writer).await?;
    writer.commit().await?;
    Ok(others)
}

async fn revoke_one(
    parts: &IssueParts,
    serial: &str,
    reason: Reason,
    actor: &str,
    now: OffsetDateTime,
) -> Result<(), IssueError> {
    let columns = parts.store.columns();
    let mut writer = parts.store.begin().await?;
    let certificate = certificates::by_serial(serial, columns, &mut writer).await?.ok_or(IssueError::Unknown)?;
    records::lock(&certificate.identity, columns, &mut writer).await?;
    let (issuing, not_after) = (certificate.issuing, certificate.not_after);
    if !revocations::insert(serial, issuing, reason, not_after, now, &mut writer).await? {
        return Err(IssueError::AlreadyRevoked);
    }
    Ok(conclude(parts, writer, (serial, issuing), (reason, actor), now).await?)
}

/// What follows once the row of a revocation is written: the certificate ends, its record goes, and that is committed.
pub(super) async fn conclude(
    parts: &IssueParts,
    mut writer: Writer,
    (serial, issuing): (&str, Issuing),
    (reason, actor): (Reason, &str),
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    certificates::end(serial, &mut writer).await?;
    records::want_revoked(serial, now, &mut writer).await?;
    audit::add((actor, "revoke", serial), now, parts.store.columns(), &mut writer).await?;
    writer.commit().await?;
    info!(serial, reason = reason.name(), actor, "certificate {serial} is revoked");
    parts.publisher.nudge();
    lists::refresh_soon(parts, issuing);
    Ok(())
}

/// Takes the record of a certificate out of the directory: a tombstone stands there until its end, and the certificate stays
/// good. `false` if the directory does not show it.
pub(super) async fn withdraw(
    parts: &IssueParts,
    serial: &str,
    actor: &str,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let columns = parts.store.columns();
    let mut writer = parts.store.begin().await?;
    let Some(certificate) = certificates::by_serial(serial, columns, &mut writer).await? else { return Ok(false) };
    records::lock(&certificate.identity, columns, &mut writer).await?;
    conclude_withdrawal(parts, writer, serial, actor, now).await
}

/// What follows under the identity's lock.
async fn conclude_withdrawal(
    parts: &IssueParts,
    mut writer: Writer,
    serial: &str,
    actor: &str,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    if !records::want_withdrawn(serial, now, &mut writer).await? {
        return Ok(false);
    }
    audit::add((actor, "withdraw", serial), now, parts.store.columns(), &mut writer).await?;
    writer.commit().await?;
    info!(serial, actor, "the record of certificate {serial} is withdrawn");
    parts.publisher.nudge();
    Ok(true)
}
