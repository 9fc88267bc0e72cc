//! A DHT in a map, for tests: it keeps every rule of the real ones and fails when it is told to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;

use super::{Answer, GetError, Health, PutError, Stored, newest_first};
use crate::item::{Item, Slot, SlotId};

/// The map. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    slots: HashMap<SlotId, Vec<Kept>>,
    fault: Fault,
}

#[derive(Debug)]
struct Kept {
    bytes: Vec<u8>,
    expires: OffsetDateTime,
}

/// What a memory backend does wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Nobody answers.
    Dead,
    /// Nobody answers who asks about this slot.
    DeadAt(SlotId),
    /// Puts are refused as too many, gets end in the limits.
    Overloaded,
    /// Puts are stored, but the confirmation is lost.
    Silent,
}

impl Memory {
    /// From now on, this fault.
    pub fn fail(&self, fault: Fault) {
        self.lock().fault = fault;
    }

    /// Lays bytes into a slot as a hostile node does, unchecked.
    pub fn plant(&self, slot: SlotId, bytes: Vec<u8>, expires: OffsetDateTime) {
        self.lock().slots.entry(slot).or_default().push(Kept { bytes, expires });
    }

    pub(super) fn put(
        &self,
        item: &Item,
        ttl: Duration,
        cas: Option<i64>,
        now: OffsetDateTime,
    ) -> Result<Stored, PutError> {
        let mut state = self.lock();
        match state.fault {
            Fault::DeadAt(slot) if slot == item.slot().id() => return Err(PutError::Unreachable),
            Fault::None | Fault::Silent | Fault::DeadAt(_) => {}
            Fault::Dead => return Err(PutError::Unreachable),
            Fault::Overloaded => return Err(PutError::Overloaded),
        }
        let silent = state.fault == Fault::Silent;
        let kept = state.slots.entry(item.slot().id()).or_default();
        let current = verified(kept, item.slot(), now).into_iter().next();
        if let Some(have) = &current
            && have.rank() > item.rank()
        {
            return Err(PutError::Stale { have_seq: have.seq() });
        }
        if cas.is_some() && cas != current.as_ref().map(Item::seq) {
            return Err(PutError::CasFailed);
        }
        let expires = now + ttl;
        kept.retain(|old| Item::from_bytes(&old.bytes, item.slot(), now).is_err());
        kept.push(Kept { bytes: item.to_bytes(), expires });
        if silent { Err(PutError::Timeout) } else { Ok(Stored { nodes: 1, expires }) }
    }

    pub(super) fn get(&self, slot: &Slot, newer_than: Option<i64>, now: OffsetDateTime) -> Result<Answer, GetError> {
        let state = self.lock();
        match state.fault {
            Fault::DeadAt(dead) if dead == slot.id() => return Err(GetError::Unreachable),
            Fault::None | Fault::Silent | Fault::DeadAt(_) => {}
            Fault::Dead => return Err(GetError::Unreachable),
            Fault::Overloaded => return Err(GetError::Overloaded),
        }
        let mut items = state.slots.get(&slot.id()).map(|kept| verified(kept, slot, now)).unwrap_or_default();
        items.retain(|item| newer_than.is_none_or(|seq| item.seq() > seq));
        Ok(if items.is_empty() { Answer::Nothing { asked: 1 } } else { Answer::Items { items, complete: true } })
    }

    pub(super) fn health(&self) -> Health {
        let reachable = usize::from(self.lock().fault != Fault::Dead);
        Health { backend: "memory", reachable, configured: 1 }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn verified(kept: &[Kept], slot: &Slot, now: OffsetDateTime) -> Vec<Item> {
    let living = kept.iter().filter(|kept| kept.expires > now);
    newest_first(living.filter_map(|kept| Item::from_bytes(&kept.bytes, slot, now).ok()).collect())
}
