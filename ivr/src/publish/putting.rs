//! Records, several at a time: each hashed, sealed, signed, put, marked. A crash anywhere repeats it under a higher sequence
//! number. While one directory key gives way to another, each is put under both, with one sequence number, and marked when it
//! is under both.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ca::DirectoryKey;
use dht_client::backend::several::Published;
use dht_client::{Backend, Derived, Entry, HashCost, Identity, Item, Pending, PutError, Record, Status, next_seq};
use futures_util::future::join_all;
use time::OffsetDateTime;
use tracing::{error, info, warn};

use super::PublisherParts;
use crate::issue::Cause;
use crate::store::certificates::Stored;
use crate::store::records::{Due, Put, Wanted};
use crate::store::{StoreError, certificates, records};

/// Records put at once, so that one that is slow holds up few; each backend has a bound of its own below that.
const AT_ONCE: usize = 8;
/// Until then nobody else puts what is being put: longer than a put and so many slow hashes take.
const LEASE: time::Duration = time::Duration::seconds(60);
/// After the first failure; it doubles.
const FIRST_BACKOFF: Duration = Duration::from_secs(2);
const LONGEST_BACKOFF: Duration = Duration::from_secs(600);
/// What is refused for good is tried again this seldom: the next version of the program may do better.
const HOPELESS: Duration = Duration::from_secs(6 * 3600);
/// Records that waited for so long are late: first all are put again, and slow hashes wait.
const LATE: Duration = Duration::from_secs(120);
/// A record that could not be put under a new directory key yet is put again this soon: then its hash has its turn.
const NEXT_TURN: Duration = Duration::from_secs(60);

/// What was done about the record that is due.
enum Taken {
    /// None is.
    Nothing,
    /// It is not to be put, or another node puts it.
    Passed,
    /// It is ours to put under this sequence number.
    Claimed(Box<Due>, i64),
}

/// Puts what is due, several at a time. `false` if nothing is.
pub(super) async fn publish_due(parts: &PublisherParts, now: OffsetDateTime) -> Result<bool, StoreError> {
    let (mut claimed, mut passed, mut end) = (Vec::new(), 0, Ok(()));
    while claimed.len() + passed < AT_ONCE {
        match take(parts, now).await {
            Ok(Taken::Nothing) => break,
            Ok(Taken::Passed) => passed += 1,
            Ok(Taken::Claimed(due, seq)) => claimed.push((due, seq)),
            // What is claimed already is put all the same.
            Err(error) => {
                end = Err(error);
                break;
            }
        }
    }
    let turn = Turn::new(claimed.iter().any(|(due, _)| due.due_at + LATE < now));
    let done = join_all(claimed.iter().map(|(due, seq)| publish(parts, due, *seq, &turn, now))).await;
    done.into_iter().chain([end]).collect::<Result<(), _>>()?;
    Ok(!claimed.is_empty() || passed > 0)
}

async fn take(parts: &PublisherParts, now: OffsetDateTime) -> Result<Taken, StoreError> {
    let columns = parts.store.columns();
    let due = records::due(now, columns, &mut *parts.store.read().await?).await?;
    let due = match due {
        None => return Ok(Taken::Nothing),
        Some(Ok(due)) => due,
        Some(Err(broken)) => {
            error!("a record waits, because its row does not open: {}", broken.cause);
            let mut writer = parts.store.begin().await?;
            records::set_aside(&broken, now + HOPELESS, &mut writer).await?;
            writer.commit().await?;
            return Ok(Taken::Passed);
        }
    };
    if due.not_after <= now {
        // The directory forgets it by itself.
        let mut writer = parts.store.begin().await?;
        records::retire(&due, &mut writer).await?;
        writer.commit().await?;
        return Ok(Taken::Passed);
    }
    let seq = next_seq((due.seq > 0).then_some(due.seq), now);
    let mut writer = parts.store.begin().await?;
    if !records::claim(&due, seq, now + LEASE, &mut writer).await? {
        return Ok(Taken::Passed);
    }
    writer.commit().await?;
    Ok(Taken::Claimed(Box::new(due), seq))
}

async fn publish(
    parts: &PublisherParts,
    due: &Due,
    seq: i64,
    turn: &Turn,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let signed = match signed(parts, due, seq, turn, now).await? {
        Ok(signed) => signed,
        Err(why) => return put_off(parts, due, seq, &why, HOPELESS, now).await,
    };
    let puts = signed.iter().map(|Signed { item, life }| parts.networks.put(item, *life, None, now));
    match under_each(join_all(puts).await) {
        Ok(published) => {
            let stored = published.iter().flat_map(|published| &published.stored);
            let backends = each_once(stored.map(|(name, _)| *name));
            let failed = published.iter().flat_map(|published| &published.failed);
            let complaint = each_once(failed.map(|(name, error)| format!("{name}: {error}"))).join("; ");
            // Where one lacks it, the whole is tried again soon.
            let lacks_one = signed.len() < parts.authority.directory_keys(now).count();
            let wait = if lacks_one && !turn.is_late {
                NEXT_TURN
            } else if complaint.is_empty() {
                refresh_every(parts)
            } else {
                longest_backoff(parts)
            };
            let item = &signed.first().expect("there is a directory key").item;
            let put = Put {
                slot: &item.slot().id().to_string(),
                bytes: i64::try_from(item.value().len()).unwrap_or(i64::MAX),
                backends: &backends.join(","),
                complaint: (!complaint.is_empty()).then_some(&complaint),
                next_at: now + spread(parts, wait),
            };
            let mut writer = parts.store.begin().await?;
            records::published(due, &put, now, &mut writer).await?;
            writer.commit().await?;
            announce(parts, due, seq, &put);
            Ok(())
        }
        // Somebody with our key was here before, from a restored backup perhaps: pass that number.
        Err(PutError::Stale { have_seq }) => {
            put_off(parts, due, have_seq.max(seq), "the directory has a later record", FIRST_BACKOFF, now).await
        }
        Err(error) => {
            let wait = if error.is_temporary() { backoff(due.attempts).min(longest_backoff(parts)) } else { HOPELESS };
            put_off(parts, due, seq, &error.to_string(), spread(parts, wait), now).await
        }
    }
}

/// A record as it is put under one directory key.
struct Signed {
    item: Item,
    life: Duration,
}

/// What became of a record under its keys. It is published when it is under each of them.
fn under_each(puts: Vec<Result<Published, PutError>>) -> Result<Vec<Published>, PutError> {
    let have_seq = |put: &Result<Published, PutError>| match put {
        Err(PutError::Stale { have_seq }) => Some(*have_seq),
        _ => None,
    };
    match puts.iter().filter_map(have_seq).max() {
        Some(have_seq) => Err(PutError::Stale { have_seq }),
        None => puts.into_iter().collect(),
    }
}

/// The record, signed by each directory key, the newest first; the inner error is a sentence for the console, and no try will
/// mend it.
async fn signed(
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

/// Of the records that are put at once, one has the turn to be hashed for a new directory key; none while they are late.
struct Turn {
    is_late: bool,
    is_taken: AtomicBool,
}

impl Turn {
    fn new(is_late: bool) -> Self {
        Self { is_late, is_taken: AtomicBool::new(is_late) }
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

async fn put_off(
    parts: &PublisherParts,
    due: &Due,
    seq: i64,
    why: &str,
    wait: Duration,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let serial = &due.serial;
    warn!(serial, attempts = due.attempts + 1, "the record of {serial} is not in the directory: {why}");
    let mut writer = parts.store.begin().await?;
    records::failed(due, seq, why, now + wait, &mut writer).await?;
    writer.commit().await
}

fn announce(parts: &PublisherParts, due: &Due, seq: i64, put: &Put<'_>) {
    let serial = &due.serial;
    if due.is_refresh {
        tracing::debug!(serial, seq, backends = put.backends, "the record of {serial} is put again");
        return;
    }
    info!(serial, seq, bytes = put.bytes, backends = put.backends, "the record of {serial} is published");
    if let Some(id) = due.cause.as_deref().and_then(Cause::verification_of) {
        parts.bell.ring(id);
    }
}

/// What several keys' puts say alike is told once.
fn each_once<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    all.fold(Vec::new(), |mut told, one| {
        if !told.contains(&one) {
            told.push(one);
        }
        told
    })
}

/// How soon the most forgetful DHT has to be given a record again.
fn refresh_every(parts: &PublisherParts) -> Duration {
    parts.networks.backends().iter().map(Backend::refresh_every).min().unwrap_or(HOPELESS)
}

/// What was stored and not confirmed, or by some alone, is put again before it is forgotten.
fn longest_backoff(parts: &PublisherParts) -> Duration {
    LONGEST_BACKOFF.min(refresh_every(parts) / 2)
}

fn backoff(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(0, 16)).unwrap_or(16);
    (FIRST_BACKOFF * 2_u32.pow(doublings)).min(LONGEST_BACKOFF)
}

/// Three quarters to the whole of it, so that a thousand records do not come due at once.
fn spread(parts: &PublisherParts, wait: Duration) -> Duration {
    let [chance] = parts.clock.bytes::<1>();
    wait.mul_f64(1.0 - 0.25 * f64::from(chance) / 255.0)
}
