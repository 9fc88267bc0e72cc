//! Which location key and which kem key the directory shows beside a certificate: its key says so, and the location key
//! agrees (docs/protocol.md, "The old key", `locate`).

use ca::old_key::{Action, Signature, Statement, listed_keys};
use dht_client::{Entry, Pending, Record, Status};
use time::OffsetDateTime;
use tracing::info;

use super::IssueParts;
use super::old_key::{OldKeyError, Signed, asked_at, speaker};
use crate::store::location_keys::{self, LocationKeys};
use crate::store::{audit, records};

/// The keys to list, and what the location key signed: the same statement.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    /// Ed25519.
    pub location: [u8; 32],
    /// X25519.
    pub kem: Option<[u8; 32]>,
    /// By the location key.
    pub agreed: &'a Signature,
}

/// Lists these keys beside the certificate, or none any more. Asked again, nothing changes; after another change, its nonce is
/// too old.
pub(super) async fn locate(
    parts: &IssueParts,
    signed: &Signed<'_>,
    listing: Option<&Listing<'_>>,
    now: OffsetDateTime,
) -> Result<(), OldKeyError> {
    let key = listing.map(|listing| listed_keys(&listing.location, listing.kem.as_ref()));
    let certificate = speaker(parts, signed, (Action::Locate, key), now).await?;
    if let Some(listing) = listing {
        let about = signed.serial.hex();
        let statement = Statement { action: Action::Locate, about: &about, nonce: Some(signed.nonce), key };
        if !listing.agreed.is_by(&statement, &listing.location) {
            return Err(OldKeyError::NotSigned);
        }
    }
    if certificate.revoked.is_some() || certificate.not_after <= now {
        return Err(OldKeyError::NotNow("the certificate is revoked, suspended, superseded or expired"));
    }
    let keys = listing.map(|listing| LocationKeys { location: listing.location, kem: listing.kem });
    if certificate.location == keys {
        return Ok(());
    }
    if keys.is_some() && !has_room(&certificate.der) {
        return Err(OldKeyError::NotNow("the certificate is too large: a record has no room for more keys beside it"));
    }
    let (serial, columns) = (&certificate.serial, parts.store.columns());
    let mut writer = parts.store.begin().await?;
    records::lock(&certificate.identity, columns, &mut writer).await?;
    if !location_keys::admit_change(serial, asked_at(signed.nonce), now, &mut writer).await? {
        return Err(OldKeyError::NotNow(
            "the keys were changed after this nonce was given, or too often today: ask for another, or wait until tomorrow",
        ));
    }
    location_keys::set(serial, keys.as_ref(), columns, &mut writer).await?;
    records::show_again(serial, now, &mut writer).await?;
    audit::add(("old key", "locate", serial), now, columns, &mut writer).await?;
    writer.commit().await?;
    info!(serial, "the key of certificate {serial} listed where its owner's location lies");
    parts.publisher.nudge();
    Ok(())
}

/// Whether a record has room for this certificate and for all that may ever stand beside it.
fn has_room(certificate: &[u8]) -> bool {
    let entry = Entry {
        certificate: certificate.to_vec(),
        location_key: Some([0; 32]),
        kem_key: Some([0; 32]),
        pending: Some(Pending { since: i64::from(u32::MAX), key: [0; 16] }),
        leaf_hash: Some([0; 32]),
    };
    let dates = i64::from(u32::MAX);
    Record { not_before: dates, not_after: dates, status: Status::Suspended(entry) }.fits()
}

#[cfg(test)]
mod tests;
