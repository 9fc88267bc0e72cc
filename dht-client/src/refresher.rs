//! A keeper of other people's records: puts each again before its DHT forgets it, until it expires.
//!
//! It needs no key: an item is signed, so anybody may copy it. The owner's telephone, a friend, or a volunteer can keep the
//! directory alive while the authority is away. The queue is a file, so that a restart forgets nothing.

pub mod schedule;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{StreamExt, stream};
use time::OffsetDateTime;

use crate::backend::several::{Harvest, Published, Several};
use crate::backend::{Backend, PutError};
use crate::files;
use crate::item::{Item, SlotId};

pub use schedule::{Full, Schedule};

/// The most records of one keeper in memory and file; each takes about 1.5 KB. Over OpenDHT fewer can be put in time
/// (docs/operating.md).
pub const RECORDS: usize = 100_000;
/// The largest file that is read: that many of the longest items in base64.
const SIZE_LIMIT: u64 = RECORDS as u64 * 2048;
/// Puts begun at once; each backend has a bound of its own below that.
const AT_ONCE: usize = 16;
/// How long a keeper looks for the record that replaced its own.
const PATIENCE: Duration = Duration::from_secs(8);
/// At start, all is put again within so long: it may have been forgotten meanwhile.
const FIRST_ROUND: Duration = Duration::from_secs(60);

/// The keeper.
#[derive(Debug)]
pub struct Refresher {
    networks: Several,
    items: HashMap<SlotId, Kept>,
    schedule: Schedule<SlotId>,
    file: Option<PathBuf>,
}

/// A record, and until when it is worth keeping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The record.
    pub item: Item,
    /// Its end.
    pub expires: OffsetDateTime,
}

/// What one round did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// How many records every DHT took.
    pub stored: usize,
    /// What was not stored, or not everywhere; it is tried again.
    pub failed: Vec<(SlotId, PutError)>,
    /// Slots whose owner put a later record there: that one is kept from now on, as long as the one before would have been.
    pub replaced: Vec<SlotId>,
}

/// Why a record is not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// It would be one too many.
    #[error(transparent)]
    Full(#[from] Full),
    /// It is over.
    #[error("the record has expired")]
    Expired,
    /// The file cannot be written.
    #[error("the queue cannot be written: {0}")]
    File(#[from] io::Error),
}

impl Refresher {
    /// A keeper that forgets everything when it ends.
    pub fn new(networks: Several) -> Self {
        let every = networks.backends().iter().map(Backend::refresh_every).min().unwrap_or(FIRST_ROUND);
        Self { networks, items: HashMap::new(), schedule: Schedule::new(every, RECORDS), file: None }
    }

    /// A keeper whose queue is in a file, which need not exist yet. Lines that cannot be read, and records that do not hold
    /// or are over, are dropped. Everything is due within a minute.
    ///
    /// # Errors
    /// If the file is there, but cannot be read.
    pub fn open(
        file: &Path,
        networks: Several,
        mut chance: impl FnMut() -> f64,
        now: OffsetDateTime,
    ) -> io::Result<Self> {
        let mut keeper = Self { file: Some(file.to_owned()), ..Self::new(networks) };
        let text = files::read(file, SIZE_LIMIT)?.unwrap_or_default();
        for kept in text.lines().filter_map(|line| Kept::parse(line, now)) {
            // The file has no more than fit; what somebody appended is dropped.
            let _ = keeper.admit(kept, FIRST_ROUND, chance(), now);
        }
        Ok(keeper)
    }

    /// How many records are kept.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Keeps this record from now on; of two in a slot the one that counts.
    ///
    /// # Errors
    /// As named.
    pub fn keep(&mut self, kept: Kept, now: OffsetDateTime) -> Result<(), KeepError> {
        self.admit(kept, Duration::ZERO, 0.0, now)?;
        self.save()
    }

    fn admit(&mut self, kept: Kept, within: Duration, chance: f64, now: OffsetDateTime) -> Result<(), KeepError> {
        if kept.expires <= now {
            return Err(KeepError::Expired);
        }
        let slot = kept.item.slot().id();
        if self.items.get(&slot).is_some_and(|before| before.item.rank() > kept.item.rank()) {
            return Ok(());
        }
        self.schedule.add(slot, kept.expires, within, chance, now)?;
        self.items.insert(slot, kept);
        Ok(())
    }

    /// When there is something to do next; never, if nothing is kept.
    pub fn deadline(&mut self) -> Option<OffsetDateTime> {
        self.schedule.deadline()
    }

    /// Puts what is due, several at a time. If its owner put a later one there, that is put and kept instead, a tombstone as
    /// much as a certificate: who forgot it would leave the slot to whoever still has an older one.
    ///
    /// # Errors
    /// [`KeepError::File`].
    pub async fn round(&mut self, mut chance: impl FnMut() -> f64, now: OffsetDateTime) -> Result<Round, KeepError> {
        let before = self.items.len();
        let mut due = Vec::new();
        while let Some(slot) = self.schedule.take(now) {
            due.push(slot);
        }
        let networks = &self.networks;
        let puts = due.iter().filter_map(|slot| self.items.get(slot)).map(|kept| put(networks, kept, now));
        let results: Vec<_> = stream::iter(puts).buffer_unordered(AT_ONCE).collect().await;
        let mut round = Round::default();
        for (slot, later, result) in results {
            if let Some((later, kept)) = later.zip(self.items.get_mut(&slot)) {
                kept.item = later;
                round.replaced.push(slot);
            }
            match result {
                Ok(published) if published.failed.is_empty() => {
                    round.stored += 1;
                    self.schedule.stored(slot, chance(), now);
                }
                Ok(published) => {
                    round.failed.extend(published.failed.into_iter().map(|(_, error)| (slot, error)));
                    self.schedule.failed(slot, chance(), now);
                }
                Err(error) => {
                    round.failed.push((slot, error));
                    self.schedule.failed(slot, chance(), now);
                }
            }
        }
        self.items.retain(|_, kept| kept.expires > now);
        if self.items.len() != before || !round.replaced.is_empty() {
            self.save()?;
        }
        Ok(round)
    }

    fn save(&self) -> Result<(), KeepError> {
        let Some(file) = &self.file else { return Ok(()) };
        let text: String = self.items.values().map(Kept::line).collect();
        Ok(files::replace(file, &text)?)
    }
}

/// Puts a record; or the later one that lies in its place, which is given then, too.
async fn put(
    networks: &Several,
    kept: &Kept,
    now: OffsetDateTime,
) -> (SlotId, Option<Item>, Result<Published, PutError>) {
    let (item, slot) = (&kept.item, kept.item.slot());
    let life = Duration::try_from(kept.expires - now).unwrap_or_default();
    let result = networks.put(item, life, None, now).await;
    if !matches!(result, Err(PutError::Stale { .. })) {
        return (slot.id(), None, result);
    }
    let first = match networks.get(slot, PATIENCE, None, now).await {
        Ok(Harvest::Items { items, .. }) => items.into_iter().next().map(|(first, _)| first),
        Ok(Harvest::Nothing { .. }) | Err(_) => None,
    };
    match first.filter(|first| first.rank() > item.rank()) {
        Some(later) => {
            let result = networks.put(&later, life, None, now).await;
            (slot.id(), Some(later), result)
        }
        // It is looked for again when this one is due again.
        None => (slot.id(), None, result),
    }
}

impl Kept {
    /// A line of the file: the end in Unix seconds, and the item's bytes in base64.
    fn line(&self) -> String {
        format!("{} {}\n", self.expires.unix_timestamp(), STANDARD.encode(self.item.to_bytes()))
    }

    fn parse(line: &str, now: OffsetDateTime) -> Option<Self> {
        let (expires, item) = line.split_once(' ')?;
        let expires = OffsetDateTime::from_unix_timestamp(expires.parse().ok()?).ok()?;
        let item = Item::from_any_bytes(&STANDARD.decode(item).ok()?, now).ok()?;
        Some(Self { item, expires })
    }
}
