//! What every backend must do, as one list of steps: the same test runs over a map, a mainline ring, real OpenDHT nodes, and
//! several of them at once.
//!
//! Who does not answer in time is asked again, as its user would: a busy machine makes nobody answer wrongly.

#[cfg(target_os = "linux")]
pub(crate) mod memory;

use std::time::Duration;

use dht_client::backend::several::Harvest;
use dht_client::{Answer, Backend, GetError, Item, PutError, Several, SigningKey, Slot, Stored};
use time::OffsetDateTime;

const PATIENCE: Duration = Duration::from_secs(8);
const TTL: Duration = Duration::from_secs(3600);
/// How often somebody is asked who is too busy to answer, and how long they are left alone between.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// One backend, or several at once.
pub(crate) trait Dht {
    async fn put(&self, item: &Item, cas: Option<i64>) -> Result<Stored, PutError>;
    async fn get(&self, slot: &Slot) -> Result<Answer, GetError>;
    async fn first(&self, slot: &Slot) -> Option<Item>;
    /// How many nodes or proxies answer, and how many should.
    async fn health(&self) -> (usize, usize);
    /// Whether all of it, or some, is a map, which is never busy: asked once, it has answered.
    fn maps(&self) -> Maps;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Maps {
    All,
    Some,
    None,
}

impl Dht for Backend {
    async fn put(&self, item: &Item, cas: Option<i64>) -> Result<Stored, PutError> {
        Backend::put(self, item, TTL, cas, now()).await
    }

    async fn get(&self, slot: &Slot) -> Result<Answer, GetError> {
        Backend::get(self, slot, PATIENCE, None, now()).await
    }

    async fn first(&self, slot: &Slot) -> Option<Item> {
        Backend::first(self, slot, PATIENCE, now()).await
    }

    async fn health(&self) -> (usize, usize) {
        let health = Backend::health(self).await;
        (health.reachable, health.configured)
    }

    fn maps(&self) -> Maps {
        if matches!(self, Backend::Memory(_)) { Maps::All } else { Maps::None }
    }
}

/// Stored is what all of them stored.
impl Dht for Several {
    async fn put(&self, item: &Item, cas: Option<i64>) -> Result<Stored, PutError> {
        let published = Several::put(self, item, TTL, cas, now()).await?;
        if let Some((_, error)) = published.failed.into_iter().next() {
            return Err(error);
        }
        let stored = published.stored.into_iter().map(|(_, stored)| stored);
        Ok(stored.min_by_key(|stored| stored.nodes).expect("there is one backend"))
    }

    async fn get(&self, slot: &Slot) -> Result<Answer, GetError> {
        Ok(match Several::get(self, slot, PATIENCE, None, now()).await? {
            Harvest::Items { items, complete } => {
                Answer::Items { items: items.into_iter().map(|(item, _)| item).collect(), complete }
            }
            Harvest::Nothing { asked } => Answer::Nothing { asked },
        })
    }

    async fn first(&self, slot: &Slot) -> Option<Item> {
        Some(Several::first(self, slot, PATIENCE, now()).await?.0)
    }

    async fn health(&self) -> (usize, usize) {
        let all = Several::health(self).await;
        all.iter().fold((0, 0), |(reachable, configured), one| (reachable + one.reachable, configured + one.configured))
    }

    fn maps(&self) -> Maps {
        let maps = self.backends().iter().filter(|backend| backend.maps() == Maps::All).count();
        match maps {
            0 => Maps::None,
            maps if maps == self.backends().len() => Maps::All,
            _ => Maps::Some,
        }
    }
}

/// A time that no test reads from a clock.
pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a time of this century")
}

/// A key for tests only.
pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// An item in the slot of `key(1)` and `salt`.
pub(crate) fn item(salt: &[u8], seq: i64, value: &[u8]) -> Item {
    Item::sign(&key(1), salt, seq, value.to_vec(), now()).expect("a small item of this time")
}

/// Runs the contract. Each step has a slot of its own, so that they do not depend on another's leftovers.
pub(crate) async fn every_backend_keeps_the_contract(dht: &impl Dht) {
    let (reachable, configured) = until(async || dht.health().await, |(reachable, all)| reachable == all).await;
    assert_eq!(reachable, configured);

    an_empty_slot_is_nothing(dht).await;
    what_is_put_is_found(dht).await;
    a_later_item_replaces_and_an_earlier_one_is_stale(dht).await;
    of_two_items_with_one_number_the_larger_value_wins(dht).await;
    a_condition_is_held(dht).await;
}

async fn an_empty_slot_is_nothing(dht: &impl Dht) {
    let slot = Slot::new(key(1).verifying_key().to_bytes(), b"empty").expect("a short salt");
    let answer = got(dht, &slot).await;
    assert!(matches!(answer, Ok(Answer::Nothing { asked }) if asked > 0), "{answer:?}");
    assert_eq!(dht.first(&slot).await, None);
}

async fn what_is_put_is_found(dht: &impl Dht) {
    let largest = item(&[7; 64], 1_700_000_000, &[0xa5; 996]);
    let smallest = item(b"", 0, b"");
    for item in [largest, smallest] {
        for _again in 0..2 {
            let stored = put(dht, &item, None).await.expect("it is stored");
            assert!(stored.nodes > 0 && stored.expires > now(), "{stored:?}");
        }
        assert_eq!(found(dht, item.slot()).await, item);
        assert_eq!(until(async || dht.first(item.slot()).await, Option::is_some).await, Some(item));
    }
}

async fn a_later_item_replaces_and_an_earlier_one_is_stale(dht: &impl Dht) {
    let (first, second) = (item(b"later", 1_799_999_000, b"first"), item(b"later", 1_799_999_001, b"second"));
    put(dht, &first, None).await.expect("it is stored");
    put(dht, &second, None).await.expect("it is stored");
    assert_eq!(found(dht, first.slot()).await, second);
    assert_eq!(refused(dht, &first).await, Err(PutError::Stale { have_seq: second.seq() }));
    assert_eq!(found(dht, first.slot()).await, second);
}

async fn of_two_items_with_one_number_the_larger_value_wins(dht: &impl Dht) {
    let (smaller, larger) = (item(b"equal", 1_799_999_000, b"a"), item(b"equal", 1_799_999_000, b"b"));
    put(dht, &smaller, None).await.expect("it is stored");
    put(dht, &larger, None).await.expect("it is stored");
    assert_eq!(refused(dht, &smaller).await, Err(PutError::Stale { have_seq: larger.seq() }));
    assert_eq!(found(dht, smaller.slot()).await, larger);
}

async fn a_condition_is_held(dht: &impl Dht) {
    let (first, second) = (item(b"cas", 1_799_999_000, b"first"), item(b"cas", 1_799_999_005, b"second"));
    let nothing_there = put(dht, &first, Some(1_799_998_000)).await;
    assert_eq!(nothing_there, Err(PutError::CasFailed));
    put(dht, &first, None).await.expect("it is stored");
    let other_there = put(dht, &second, Some(1_799_998_000)).await;
    assert_eq!(other_there, Err(PutError::CasFailed));
    // After a try that was stored and not confirmed, the condition holds no more.
    let replaced = put(dht, &second, Some(first.seq())).await;
    assert!(matches!(replaced, Ok(_) | Err(PutError::CasFailed)), "{replaced:?}");
    assert_eq!(found(dht, first.slot()).await, second);
}

/// What is answered when everybody has the time to; after many tries, the last answer.
pub(crate) async fn until<T>(ask: impl AsyncFn() -> T, is_final: impl Fn(&T) -> bool) -> T {
    for _ in 1..TRIES {
        let answer = ask().await;
        if is_final(&answer) {
            return answer;
        }
        tokio::time::sleep(PAUSE).await;
    }
    ask().await
}

/// The same, but what a map answers is final.
async fn unless_map<T>(dht: &impl Dht, ask: impl AsyncFn() -> T, is_final: impl Fn(&T) -> bool) -> T {
    let is_map = dht.maps() == Maps::All;
    until(ask, |answer| is_map || is_final(answer)).await
}

/// What became of an item.
pub(crate) async fn put(dht: &impl Dht, item: &Item, cas: Option<i64>) -> Result<Stored, PutError> {
    let is_final = |done: &Result<Stored, PutError>| done.as_ref().err().is_none_or(|error| !error.is_temporary());
    unless_map(dht, async || dht.put(item, cas).await, is_final).await
}

/// Why an item is not taken that something later lies before. In a network, who has not heard of that in time may take it; the later
/// one counts all the same. A map has heard, and of several one that refuses is enough.
async fn refused(dht: &impl Dht, item: &Item) -> Result<Stored, PutError> {
    if dht.maps() != Maps::None {
        return dht.put(item, None).await;
    }
    let is_final = |done: &Result<Stored, PutError>| done.as_ref().err().is_some_and(|error| !error.is_temporary());
    until(async || dht.put(item, None).await, is_final).await
}

/// What lies in a slot, when everybody has said it.
pub(crate) async fn got(dht: &impl Dht, slot: &Slot) -> Result<Answer, GetError> {
    let is_final = |answer: &Result<Answer, GetError>| {
        matches!(answer, Ok(Answer::Nothing { .. } | Answer::Items { complete: true, .. }))
    };
    unless_map(dht, async || dht.get(slot).await, is_final).await
}

/// The item that counts in a slot.
pub(crate) async fn found(dht: &impl Dht, slot: &Slot) -> Item {
    match got(dht, slot).await {
        Ok(Answer::Items { mut items, complete: true }) => items.swap_remove(0),
        other => panic!("an item was put, but the answer is {other:?}"),
    }
}
