//! Whose turn it is to put: once a minute a slot, and few slots a day of a location key, so that nobody fills the DHTs through
//! us, and nobody who puts an old record again and again keeps the service from putting the tombstone.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dht_client::{Item, SlotId};
use time::OffsetDateTime;

use super::GatewayError;

/// The same item again so soon changes nothing, and an older one is refused without asking a DHT.
const PAUSE: time::Duration = time::Duration::minutes(1);
/// Slots whose last put is remembered, about 1.3 KB each. Past them puts have to wait until the pause of one is over.
const SLOTS: usize = 2_000;
/// Of one location key a day: that of everybody, that of friends today and tomorrow, and those of friends keys drawn anew.
const SLOTS_OF_KEY: usize = 8;
/// Location keys that put on one day. Past them others have to put into a DHT themselves until midnight (UTC).
const KEYS: usize = 20_000;
const DAY_SECONDS: i64 = 86_400;

/// The last puts.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    slots: HashMap<SlotId, Last>,
    /// The day since 1970 (UTC) of `keys`.
    day: i64,
    keys: HashMap<[u8; 32], Vec<SlotId>>,
}

#[derive(Debug)]
struct Last {
    item: Item,
    at: OffsetDateTime,
    is_stored: bool,
}

/// An item is being put. Unless it is said to be stored, its slot is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    slot: SlotId,
}

impl Turns {
    /// A turn for this item; none, if it was put just now.
    pub(super) fn take(&self, item: &Item, now: OffsetDateTime) -> Result<Option<Turn<'_>>, GatewayError> {
        let slot = item.slot().id();
        let mut memory = self.lock();
        memory.slots.retain(|_, last| last.at <= now && now - last.at < PAUSE);
        match memory.slots.get(&slot) {
            Some(Last { is_stored: false, .. }) => return Err(GatewayError::Busy),
            Some(last) if last.item.rank() > item.rank() => {
                return Err(GatewayError::Stale { have_seq: last.item.seq() });
            }
            Some(last) if last.item == *item => return Ok(None),
            None if memory.slots.len() >= SLOTS => return Err(GatewayError::Busy),
            Some(_) | None => {}
        }
        memory.slots.insert(slot, Last { item: item.clone(), at: now, is_stored: false });
        Ok(Some(Turn { turns: self, slot }))
    }

    /// Counts the slots that a location key puts into today.
    pub(super) fn count(&self, item: &Item, now: OffsetDateTime) -> Result<(), GatewayError> {
        let (seconds, slot) = (now.unix_timestamp(), item.slot().id());
        let mut memory = self.lock();
        let today = seconds.div_euclid(DAY_SECONDS);
        if memory.day != today {
            memory.day = today;
            memory.keys.clear();
        }
        let is_known = memory.keys.contains_key(item.slot().key());
        if !is_known && memory.keys.len() >= KEYS {
            return Err(GatewayError::Busy);
        }
        let slots = memory.keys.entry(*item.slot().key()).or_default();
        if slots.contains(&slot) {
            return Ok(());
        }
        if slots.len() >= SLOTS_OF_KEY {
            let left = DAY_SECONDS - seconds.rem_euclid(DAY_SECONDS);
            return Err(GatewayError::TooMany { retry_after: Duration::from_secs(left.unsigned_abs()) });
        }
        slots.push(slot);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// It is there.
    pub(super) fn succeed(self) {
        if let Some(last) = self.turns.lock().slots.get_mut(&self.slot) {
            last.is_stored = true;
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut memory = self.turns.lock();
        if memory.slots.get(&self.slot).is_some_and(|last| !last.is_stored) {
            memory.slots.remove(&self.slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use dht_client::SigningKey;

    use super::*;

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_800_000_000 + seconds).unwrap()
    }

    fn item(salt: &[u8], seq: i64) -> Item {
        Item::sign(&SigningKey::from_bytes(&[7; 32]), salt, 1_799_000_000 + seq, b"value".to_vec(), at(0)).unwrap()
    }

    #[test]
    fn a_slot_is_put_once_a_minute_and_only_a_later_item_goes_before() {
        let turns = Turns::default();
        let turn = turns.take(&item(b"a", 5), at(0)).unwrap().unwrap();
        assert!(matches!(turns.take(&item(b"a", 6), at(1)), Err(GatewayError::Busy)), "one at a time");
        turn.succeed();
        assert!(turns.take(&item(b"a", 5), at(59)).unwrap().is_none(), "it is there already");
        let older = turns.take(&item(b"a", 4), at(59));
        assert!(matches!(older, Err(GatewayError::Stale { have_seq: 1_799_000_005 })), "{older:?}");
        assert!(turns.take(&item(b"b", 4), at(59)).unwrap().is_some(), "another slot waits for nobody");
        turns.take(&item(b"a", 6), at(59)).unwrap().unwrap().succeed();
        assert!(turns.take(&item(b"a", 6), at(119)).unwrap().is_some(), "after a minute it is put again");
    }

    #[test]
    fn what_was_not_stored_may_be_put_again_at_once() {
        let turns = Turns::default();
        drop(turns.take(&item(b"a", 5), at(0)).unwrap());
        assert!(turns.take(&item(b"a", 4), at(0)).unwrap().is_some());
    }

    #[test]
    fn strangers_fill_the_memory_to_its_bound_for_a_minute() {
        let turns = Turns::default();
        for number in 0..SLOTS {
            turns.take(&item(&number.to_be_bytes(), 0), at(0)).unwrap().unwrap().succeed();
        }
        assert!(matches!(turns.take(&item(b"next", 0), at(59)), Err(GatewayError::Busy)));
        assert!(turns.take(&item(b"next", 0), at(60)).unwrap().is_some());
    }

    #[test]
    fn a_location_key_has_few_slots_a_day() {
        let turns = Turns::default();
        for salt in 0..8 {
            turns.count(&item(&[salt; 32], 0), at(0)).unwrap();
        }
        turns.count(&item(&[7; 32], 1), at(9)).unwrap();
        let refused = turns.count(&item(&[8; 32], 0), at(0));
        // 1 800 000 000 is eight o'clock.
        assert!(
            matches!(refused, Err(GatewayError::TooMany { retry_after }) if retry_after == Duration::from_secs(57_600)),
            "{refused:?}"
        );
        turns.count(&item(&[8; 32], 0), at(57_600)).unwrap();
    }
}
