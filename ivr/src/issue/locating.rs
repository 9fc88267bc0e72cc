//! Which location key and which kem key the directory shows beside a certificate: its key says so, and the location key
//! agrees (docs/protocol.md, "The old key", `locate`).

use ca::Request;
use ca::old_key::{Action, Signature, Statement, listed_keys};
use dht_client::{Entry, Pending, Record, Status};
use time::OffsetDateTime;
use tracing::info;

use super::old_key::{self, OldKeyError, Signed, asked_at, speaker};
use super::wish::Cause;
use super::{Issue, IssueParts};
use crate::hex;
use crate::store::certificates::Replaced;
use crate::store::location_keys::{self, FirstKeys, LocationKeys};
use crate::store::{Columns, Conn, StoreError, audit, records, verifications};

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

/// Keys to list beside a certificate from its first record on, as they are sent before there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstListing {
    /// Given for the key of the request.
    pub nonce: String,
    /// Ed25519.
    pub location: [u8; 32],
    /// X25519.
    pub kem: Option<[u8; 32]>,
    /// By the key of the request.
    pub signature: Signature,
    /// By the location key: the same statement.
    pub agreed: Signature,
}

/// The nonce or one of the signatures does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the location keys are not signed by the key of the request and by the location key, or the nonce is too old: ask for another"
)]
pub struct NotListed;

impl Issue {
    /// The keys that are to be listed beside the certificate for this request, if its key and the location key signed that
    /// they belong together.
    pub(crate) fn accept_location(
        &self,
        listing: &FirstListing,
        request: &Request,
        now: OffsetDateTime,
    ) -> Result<FirstKeys, NotListed> {
        let FirstListing { nonce, location, kem, signature, agreed } = listing;
        let hash = request.spki_sha256();
        let about = hex::of(&hash);
        let key = Some(listed_keys(location, kem.as_ref()));
        let statement = Statement { action: Action::Locate, about: &about, nonce: Some(nonce), key };
        let holds = old_key::is_ours(&self.parts, &hash, nonce, now)
            && signature.is_over_request(&statement, request)
            && agreed.is_by(&statement, location);
        let keys = LocationKeys { location: *location, kem: *kem };
        if holds { Ok(FirstKeys { keys, asked_at: asked_at(nonce) }) } else { Err(NotListed) }
    }
}

/// Lists beside a new certificate what was listed beside those that it replaces, if its key is theirs, or what was accepted when
/// its verification began, unless the key has said something else since the nonce for that was given. Whether that was accepted
/// then is listed now.
pub(super) async fn list_first(
    (serial, certificate, identity): (&str, &[u8], &str),
    cause: &Cause,
    replaced: &[Replaced],
    columns: &Columns,
    conn: &mut Conn,
) -> Result<bool, StoreError> {
    if !has_room(certificate) {
        // The certificate is what was asked for first.
        info!(serial, "certificate {serial} is too large for location keys beside it: none are listed");
        return Ok(false);
    }
    for old in replaced {
        location_keys::carry(&old.serial, serial, columns, conn).await?;
    }
    let Cause::Verification(id) = cause else { return Ok(false) };
    let Some(first) = verifications::location_keys(*id, columns, conn).await? else { return Ok(false) };
    location_keys::set_first((serial, identity), &first, columns, conn).await
}

/// Lists these keys beside the certificate, or none any more. Asked again, nothing is shown anew; after another change, its nonce is
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
    let is_news = certificate.location != keys;
    if is_news && keys.is_some() && !has_room(&certificate.der) {
        return Err(OldKeyError::NotNow("the certificate is too large: a record has no room for more keys beside it"));
    }
    let (serial, columns) = (&certificate.serial, parts.store.columns());
    let mut writer = parts.store.begin().await?;
    records::lock(&certificate.identity, columns, &mut writer).await?;
    let is_admitted = location_keys::admit_change(serial, asked_at(signed.nonce), now, &mut writer).await?;
    if !is_news {
        // It is the key's last word all the same, against what a verification that waits would list.
        writer.commit().await?;
        return Ok(());
    }
    if !is_admitted {
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
