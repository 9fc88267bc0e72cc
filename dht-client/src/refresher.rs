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
use futures_util::future::{join_all, ready};
use futures_util::{StreamExt, stream};
use time::OffsetDateTime;

use crate::backend::several::Several;
use crate::backend::{Answer, Backend, PutError, Stored};
use crate::files;
use crate::item::{Item, SlotId};

pub use schedule::{Full, Schedule};

/// The most records of one keeper in memory and file; each takes about 1.5 KB. Over OpenDHT fewer can be put in time
/// (docs/operating.md).
pub const RECORDS: usize = 100_000;
/// The largest file that is read: that many of the longest items in base64.
const SIZE_LIMIT: u64 = RECORDS as u64 * 2048;
/// Puts begun at once into one DHT; each backend has a bound of its own below that.
const AT_ONCE: usize = 16;
/// For so long a round begins puts. What one DHT was not asked for by then is due in the next: who is slow, or dead, does not keep
/// the others from what is due there.
const ROUND: Duration = Duration::from_secs(30);
/// How long a keeper looks for the record that replaced its own.
const PATIENCE: Duration = Duration::from_secs(8);
/// At start, all is put again within so long: it may have been forgotten meanwhile.
const FIRST_ROUND: Duration = Duration::from_secs(60);

/// The keeper.
#[derive(Debug)]
pub struct Refresher {
    networks: Several,
    items: HashMap<SlotId, Kept>,
    /// Of each DHT its own, for one forgets sooner than the other.
    schedules: Vec<Schedule<SlotId>>,
    file: Option<PathBuf>,
    unread: usize,
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
    /// How many puts were stored: one for each record and each DHT where it was due.
    pub stored: usize,
    /// What was not stored, once for each DHT; it is tried again there.
    pub failed: Vec<(SlotId, PutError)>,
    /// Slots whose owner put a later record there: that one is kept from now on, as long as the one before would have been,
    /// and due at once wherever else it is kept.
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
        let schedule = |backend: &Backend| Schedule::new(backend.refresh_every(), RECORDS);
        let schedules = networks.backends().iter().map(schedule).collect();
        Self { networks, items: HashMap::new(), schedules, file: None, unread: 0 }
    }

    /// A keeper whose queue is in a file, which need not exist yet. Lines that cannot be read, and records that do not hold
    /// ([`Refresher::unread`] says how many) or are over, are dropped. Everything is due within a minute.
    ///
    /// # Errors
    /// If the file is there, but cannot be read, or holds something else.
    pub fn open(
        file: &Path,
        networks: Several,
        mut chance: impl FnMut() -> f64,
        now: OffsetDateTime,
    ) -> io::Result<Self> {
        let (records, unread) = files::read_lines(file, SIZE_LIMIT, |line| Kept::parse(line, now))?;
        let mut keeper = Self { file: Some(file.to_owned()), unread, ..Self::new(networks) };
        for kept in records {
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

    /// How many lines of the file could not be read: their records are lost, unless their owners' are found anew.
    pub fn unread(&self) -> usize {
        self.unread
    }

    /// Keeps this record from now on; of two in a slot the one that counts. One that is kept already is due as it was.
    ///
    /// # Errors
    /// As named.
    pub fn keep(&mut self, kept: Kept, now: OffsetDateTime) -> Result<(), KeepError> {
        if self.admit(kept, Duration::ZERO, 0.0, now)? { self.save() } else { Ok(()) }
    }

    /// Whether it is news.
    fn admit(&mut self, kept: Kept, within: Duration, chance: f64, now: OffsetDateTime) -> Result<bool, KeepError> {
        if kept.expires <= now {
            return Err(KeepError::Expired);
        }
        let slot = kept.item.slot().id();
        if self.items.get(&slot).is_some_and(|before| before.item.rank() > kept.item.rank() || *before == kept) {
            return Ok(false);
        }
        // In all schedules, or in none.
        if self.items.len() >= RECORDS && !self.items.contains_key(&slot) {
            return Err(Full(RECORDS).into());
        }
        for schedule in &mut self.schedules {
            schedule.add(slot, kept.expires, within, chance, now)?;
        }
        self.items.insert(slot, kept);
        Ok(true)
    }

    /// When there is something to do next; never, if nothing is kept.
    pub fn deadline(&mut self) -> Option<OffsetDateTime> {
        self.schedules.iter_mut().filter_map(Schedule::deadline).min()
    }

    /// Puts into each DHT what is due there, several at a time. If its owner put a later one there, that is put and kept
    /// instead, a tombstone as much as a certificate: who forgot it would leave the slot to whoever still has an older one.
    /// After half a minute no more is begun; the rest is due as it was. `now` is asked again for each put.
    ///
    /// # Errors
    /// [`KeepError::File`].
    pub async fn round(
        &mut self,
        mut chance: impl FnMut() -> f64,
        now: impl Fn() -> OffsetDateTime,
    ) -> Result<Round, KeepError> {
        let (before, began) = (self.items.len(), now());
        let due: Vec<_> = self.schedules.iter_mut().map(|schedule| schedule.take_all(began)).collect();
        let (items, clock) = (&self.items, &now);
        let puts = self.networks.backends().iter().zip(&due).map(|(backend, due)| async move {
            let kept = stream::iter(due.iter().filter_map(|(slot, _)| items.get(slot)));
            let puts = kept.take_while(|_| ready(clock() < began + ROUND)).map(|kept| put(backend, kept, clock()));
            puts.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await
        });
        let results = join_all(puts).await;
        for (schedule, due) in self.schedules.iter_mut().zip(due) {
            due.into_iter().for_each(|(slot, since)| schedule.put_back(slot, since));
        }
        let (mut round, mut replacing) = (Round::default(), Vec::new());
        for (place, of_one) in results.into_iter().enumerate() {
            for (slot, later, result) in of_one {
                replacing.extend(later.map(|later| (slot, later, place)));
                match result {
                    Ok(_) => {
                        round.stored += 1;
                        self.schedules[place].stored(slot, chance(), began);
                    }
                    Err(error) => {
                        round.failed.push((slot, error));
                        self.schedules[place].failed(slot, chance(), began);
                    }
                }
            }
        }
        for (slot, later, place) in replacing {
            if self.replace(slot, later, place, began) {
                round.replaced.push(slot);
            }
        }
        // Two DHTs may each have had a later one.
        round.replaced.sort_unstable();
        round.replaced.dedup();
        let schedules = &mut self.schedules;
        self.items.retain(|&slot, kept| {
            let lasts = kept.expires > began;
            if !lasts {
                schedules.iter_mut().for_each(|schedule| schedule.forget(slot));
            }
            lasts
        });
        if self.items.len() != before || !round.replaced.is_empty() {
            self.save()?;
        }
        Ok(round)
    }

    /// Keeps what the owner put later, if it is later than what is kept by now; the other DHTs are due for it.
    fn replace(&mut self, slot: SlotId, later: Item, found_in: usize, now: OffsetDateTime) -> bool {
        let Some(kept) = self.items.get_mut(&slot).filter(|kept| kept.item.rank() < later.rank()) else { return false };
        kept.item = later;
        for (_, schedule) in self.schedules.iter_mut().enumerate().filter(|(place, _)| *place != found_in) {
            schedule.hasten(slot, now);
        }
        true
    }

    fn save(&self) -> Result<(), KeepError> {
        let Some(file) = &self.file else { return Ok(()) };
        let text: String = self.items.values().map(Kept::line).collect();
        Ok(files::replace(file, &text)?)
    }
}

/// Puts a record; or the later one that lies in its place, which is given then, too.
async fn put(backend: &Backend, kept: &Kept, now: OffsetDateTime) -> (SlotId, Option<Item>, Result<Stored, PutError>) {
    let (item, slot) = (&kept.item, kept.item.slot());
    let life = Duration::try_from(kept.expires - now).unwrap_or_default();
    let result = backend.put(item, life, None, now).await;
    if !matches!(result, Err(PutError::Stale { .. })) {
        return (slot.id(), None, result);
    }
    let first = match backend.get(slot, PATIENCE, None, now).await {
        Ok(Answer::Items { items, .. }) => items.into_iter().next(),
        Ok(Answer::Nothing { .. }) | Err(_) => None,
    };
    match first.filter(|first| first.rank() > item.rank()) {
        Some(later) => {
            let result = backend.put(&later, life, None, now).await;
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
