//! A record under each directory key: hashed, sealed, signed. The slow hashes are made once and kept.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ca::DirectoryKey;
use dht_client::{Derived, Entry, HashCost, Identity, Item, Pending, Record, Status};
use time::OffsetDateTime;

use super::PublisherParts;
use crate::store::certificates::Stored;
use crate::store::records::{Due, Wanted};
use crate::store::{StoreError, certificates, records};

/// A record as it is put under one directory key.
pub(super) struct Signed {
    pub(super) item: Item,
    pub(super) life: Duration,
}

/// The record, signed by each directory key, the newest first; the inner error is a sentence for the console, and no try will
/// mend it.
pub(super) async fn signed(
    parts: &PublisherParts,
    due: &Due,
    seq: i64,
    turn: &Turn,
    now: OffsetDateTime,
) -> Result<Result<Vec<Signed>, String>, StoreError> {
    let hashes = match hashes(parts, due, turn, now).await? {
        Ok(hashes) => hashes,
        Err(why) => return Ok(Err(why)),
    };
    let status = match due.wanted {
        Wanted::Revoked => Status::Revoked,
        Wanted::Valid | Wanted::Suspended => {
            let columns = parts.store.columns();
            let found = certificates::by_serial(&due.serial, columns, &mut *parts.store.read().await?).await?;
            match found {
                Some(certificate) if due.wanted == Wanted::Suspended => Status::Suspended(entry(certificate)),
                Some(certificate) => Status::Valid(entry(certificate)),
                None => return Ok(Err("its certificate is not in the database".to_owned())),
            }
        }
    };
    let sign = |hash: &Hash<'_>| {
        // Nothing outlives the key that it is written under: whoever keeps it alive stops then, and no reader believes it.
        let not_after = due.not_after.min(hash.key.not_after());
        let (from, until) = (due.not_before.unix_timestamp(), not_after.unix_timestamp());
        let record = Record { not_before: from, not_after: until, status: status.clone() };
        let item = record.publish(&hash.derived, hash.key.key(), seq, parts.clock.bytes(), now);
        let life = Duration::try_from(not_after - now).unwrap_or(Duration::ZERO);
        item.map(|item| Signed { item, life }).map_err(|error| error.to_string())
    };
    Ok(hashes.iter().map(sign).collect())
}

/// The certificate, the keys that its owner listed beside it, and the one that waits to take its place.
fn entry(certificate: Stored) -> Entry {
    let pending = certificate.pending.map(|pending| {
        let key = *pending.spki_sha256.first_chunk().expect("a hash of 32 octets has 16");
        Pending { since: pending.since.unix_timestamp(), key }
    });
    let (location_key, kem_key) =
        (certificate.location.map(|keys| keys.location), certificate.location.and_then(|keys| keys.kem));
    Entry { location_key, kem_key, pending, ..Entry::new(certificate.der) }
}

/// The slow hash of an identity under one directory key.
struct Hash<'a> {
    key: &'a DirectoryKey,
    derived: Derived,
    /// As it is kept.
    sealed: Vec<u8>,
}

/// Of the records that are put at once, one has the turn to be hashed for a new directory key; hardly ever while they are late.
pub(super) struct Turn {
    pub(super) is_late: bool,
    is_taken: AtomicBool,
}

impl Turn {
    /// Nobody has it if it is `taken`.
    pub(super) fn new(is_late: bool, taken: bool) -> Self {
        Self { is_late, is_taken: AtomicBool::new(taken) }
    }

    /// `true` for the first that asks.
    fn take(&self) -> bool {
        !self.is_taken.swap(true, Ordering::Relaxed)
    }
}

/// The slow hashes: made once, then kept. When a new directory key needs another, what the directory shows already goes on being
/// put under the key that gives way until its turn comes: all at once they would take so long that the directory forgot some.
async fn hashes<'a>(
    parts: &'a PublisherParts,
    due: &Due,
    turn: &Turn,
    now: OffsetDateTime,
) -> Result<Result<Vec<Hash<'a>>, String>, StoreError> {
    let keys: Vec<&DirectoryKey> = parts.authority.directory_keys(now).collect();
    let mut hashes: Vec<Hash<'a>> = keys.iter().filter_map(|&key| kept(parts, due, key)).collect();
    let lacks_one = hashes.len() < keys.len();
    if !lacks_one || (due.is_refresh && !hashes.is_empty() && !turn.take()) {
        return Ok(Ok(hashes));
    }
    let Ok(identity) = Identity::parse(&due.identity) else {
        return Ok(Err("the directory does not take this kind of identity".to_owned()));
    };
    for (at, key) in keys.into_iter().enumerate() {
        if hashes.get(at).is_none_or(|hash| hash.key.public() != key.public()) {
            let derived = match parts.hasher.derive(identity.clone(), key.public(), parts.cost).await {
                Ok(derived) => derived,
                Err(error) => return Ok(Err(error.to_string())),
            };
            let sealed = parts.store.columns().seal("records.derived", &place(parts, due, key), derived.as_bytes());
            hashes.insert(at, Hash { key, derived, sealed });
        }
    }
    let sealed = [0, 1].map(|at| hashes.get(at).map(|hash| hash.sealed.clone()));
    let mut writer = parts.store.begin().await?;
    records::keep_derived(&due.identity_hash, sealed, &mut writer).await?;
    writer.commit().await?;
    Ok(Ok(hashes))
}

/// A hash that was made before.
fn kept<'a>(parts: &PublisherParts, due: &Due, key: &'a DirectoryKey) -> Option<Hash<'a>> {
    let place = place(parts, due, key);
    due.derived_sealed.iter().flatten().find_map(|sealed| {
        let opened = parts.store.columns().open("records.derived", &place, sealed).ok()?;
        let bytes = <[u8; Derived::SIZE]>::try_from(opened.as_slice()).ok()?;
        Some(Hash { key, derived: Derived::from_bytes(bytes), sealed: sealed.clone() })
    })
}

/// A hash opens only for the identity, directory key and cost that it was made for.
fn place(parts: &PublisherParts, due: &Due, key: &DirectoryKey) -> Vec<u8> {
    let HashCost { memory_kib, passes, lanes } = parts.cost;
    let cost = [memory_kib, passes, lanes].map(u32::to_be_bytes).concat();
    [&due.identity_hash[..], &key.public(), &cost].concat()
}
