//! Records, several at a time: each hashed, sealed, signed, put, marked. A crash anywhere repeats it under a higher sequence
//! number. While one directory key gives way to another, each is put under both, with one sequence number, and marked when it
//! is under both.

use std::time::Duration;

use dht_client::backend::several::Published;
use dht_client::{PutError, next_seq};
use futures_util::future::join_all;
use time::OffsetDateTime;
use tracing::{error, info, warn};

use super::PublisherParts;
use super::again::{
    FIRST_BACKOFF, HOPELESS, NEXT_TURN, after_failure, late_after, longest_backoff, refresh_every, spread,
};
use super::signing::{Signed, Turn, signed};
use crate::issue::Cause;
use crate::store::records::{Due, Put};
use crate::store::{StoreError, records};

/// Records put at once, so that one that is slow holds up few; each backend has a bound of its own below that.
const AT_ONCE: usize = 8;
/// Until then nobody else puts what is being put: longer than a put and so many slow hashes take.
const LEASE: time::Duration = time::Duration::seconds(60);
/// While records are late, one in so many turns makes a slow hash all the same: a directory that is always late needs them, too.
const HASHES_THOUGH_LATE: u32 = 256;

/// What was done about the record that is due.
enum Taken {
    /// None is.
    Nothing,
    /// It is not to be put, or another node puts it.
    Passed,
    /// It is ours to put under this sequence number.
    Claimed(Box<Due>, i64),
}

/// Puts what is due, several at a time, for the `nth` time since the start. `false` if nothing is.
pub(super) async fn publish_due(parts: &PublisherParts, nth: u32, now: OffsetDateTime) -> Result<bool, StoreError> {
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
    let late = late_after(refresh_every(&parts.networks));
    let is_late = claimed.iter().any(|(due, _)| due.due_at + late < now);
    let turn = Turn::new(is_late, is_late && !nth.is_multiple_of(HASHES_THOUGH_LATE));
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
    let (every, [chance]) = (refresh_every(&parts.networks), parts.clock.bytes());
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
                every
            } else {
                longest_backoff(every)
            };
            let item = &signed.first().expect("there is a directory key").item;
            let put = Put {
                slot: &item.slot().id().to_string(),
                bytes: i64::try_from(item.value().len()).unwrap_or(i64::MAX),
                backends: &backends.join(","),
                complaint: (!complaint.is_empty()).then_some(&complaint),
                next_at: now + spread(wait, chance),
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
            let wait = spread(after_failure(&error, due.attempts, every), chance);
            put_off(parts, due, seq, &error.to_string(), wait, now).await
        }
    }
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
