//! Records, several at a time: each hashed, sealed, signed, put, marked. A crash anywhere repeats it under a higher sequence
//! number.

use std::time::Duration;

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

/// What was done about the record that is due.
enum Taken {
    /// None is.
    Nothing,
    /// It is not to be put, or another node puts it.
    Passed,
    /// It is ours to put under this sequence number.
    Claimed(Due, i64),
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
    let done = join_all(claimed.iter().map(|(due, seq)| publish(parts, due, *seq, now))).await;
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
    Ok(Taken::Claimed(due, seq))
}

async fn publish(parts: &PublisherParts, due: &Due, seq: i64, now: OffsetDateTime) -> Result<(), StoreError> {
    let item = match item(parts, due, seq, now).await? {
        Ok(item) => item,
        Err(why) => return put_off(parts, due, seq, &why, HOPELESS, now).await,
    };
    let life = Duration::try_from(due.not_after - now).unwrap_or(Duration::ZERO);
    match parts.networks.put(&item, life, None, now).await {
        Ok(published) => {
            let backends: Vec<&str> = published.stored.iter().map(|(name, _)| *name).collect();
            let complaints: Vec<String> =
                published.failed.iter().map(|(name, error)| format!("{name}: {error}")).collect();
            let complaint = complaints.join("; ");
            let refresh = parts.networks.backends().iter().map(Backend::refresh_every).min().unwrap_or(HOPELESS);
            // Where one lacks it, the whole is tried again soon.
            let wait = if complaint.is_empty() { spread(parts, refresh) } else { spread(parts, LONGEST_BACKOFF) };
            let put = Put {
                slot: &item.slot().id().to_string(),
                bytes: i64::try_from(item.value().len()).unwrap_or(i64::MAX),
                backends: &backends.join(","),
                complaint: (!complaint.is_empty()).then_some(&complaint),
                next_at: now + wait,
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
            let wait = if error.is_temporary() { backoff(due.attempts) } else { HOPELESS };
            put_off(parts, due, seq, &error.to_string(), spread(parts, wait), now).await
        }
    }
}

/// The signed record; the inner error is a sentence for the console, and no try will mend it.
async fn item(
    parts: &PublisherParts,
    due: &Due,
    seq: i64,
    now: OffsetDateTime,
) -> Result<Result<Item, String>, StoreError> {
    let derived = match derived(parts, due).await? {
        Ok(derived) => derived,
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
    let record =
        Record { not_before: due.not_before.unix_timestamp(), not_after: due.not_after.unix_timestamp(), status };
    let nonce = parts.clock.bytes();
    let item = record.publish(&derived, parts.authority.directory_key(), seq, nonce, now);
    Ok(item.map_err(|error| error.to_string()))
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

/// The slow hash: made once, then kept. It opens only under the directory key and the cost that it was made with: when
/// either changed, it is made anew.
async fn derived(parts: &PublisherParts, due: &Due) -> Result<Result<Derived, String>, StoreError> {
    let columns = parts.store.columns();
    let directory_key = parts.authority.directory_key().verifying_key().to_bytes();
    let HashCost { memory_kib, passes, lanes } = parts.cost;
    let cost = [memory_kib, passes, lanes].map(u32::to_be_bytes).concat();
    let place = [&due.identity_hash[..], &directory_key, &cost].concat();
    let kept = due.derived_sealed.as_ref().and_then(|sealed| columns.open("records.derived", &place, sealed).ok());
    if let Some(bytes) = kept.and_then(|kept| <[u8; Derived::SIZE]>::try_from(kept.as_slice()).ok()) {
        return Ok(Ok(Derived::from_bytes(bytes)));
    }
    let Ok(identity) = Identity::parse(&due.identity) else {
        return Ok(Err("the directory does not take this kind of identity".to_owned()));
    };
    let derived = match parts.hasher.derive(identity, directory_key, parts.cost).await {
        Ok(derived) => derived,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let sealed = columns.seal("records.derived", &place, derived.as_bytes());
    let mut writer = parts.store.begin().await?;
    records::keep_derived(&due.identity_hash, &sealed, &mut writer).await?;
    writer.commit().await?;
    Ok(Ok(derived))
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

fn backoff(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(0, 16)).unwrap_or(16);
    (FIRST_BACKOFF * 2_u32.pow(doublings)).min(LONGEST_BACKOFF)
}

/// Three quarters to the whole of it, so that a thousand records do not come due at once.
fn spread(parts: &PublisherParts, wait: Duration) -> Duration {
    let [chance] = parts.clock.bytes::<1>();
    wait.mul_f64(1.0 - 0.25 * f64::from(chance) / 255.0)
}
