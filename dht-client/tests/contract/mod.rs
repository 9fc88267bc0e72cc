//! What every backend must do, as one list of steps: the same test runs over a map, a mainline ring and real OpenDHT nodes.

#[cfg(target_os = "linux")]
pub(crate) mod memory;

use std::time::Duration;

use dht_client::{Answer, Backend, Item, PutError, SigningKey, Slot};
use time::OffsetDateTime;

const PATIENCE: Duration = Duration::from_secs(8);
const TTL: Duration = Duration::from_secs(3600);

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
pub(crate) async fn every_backend_keeps_the_contract(backend: &Backend) {
    let health = backend.health().await;
    assert_eq!(health.reachable, health.configured, "{health:?}");

    an_empty_slot_is_nothing(backend).await;
    what_is_put_is_found(backend).await;
    a_later_item_replaces_and_an_earlier_one_is_stale(backend).await;
    of_two_items_with_one_number_the_larger_value_wins(backend).await;
    a_condition_is_held(backend).await;
}

async fn an_empty_slot_is_nothing(backend: &Backend) {
    let slot = Slot::new(key(1).verifying_key().to_bytes(), b"empty").expect("a short salt");
    let answer = backend.get(&slot, PATIENCE, None, now()).await;
    assert!(matches!(answer, Ok(Answer::Nothing { asked }) if asked > 0), "{answer:?}");
    assert_eq!(backend.first(&slot, PATIENCE, now()).await, None);
}

async fn what_is_put_is_found(backend: &Backend) {
    let largest = item(&[7; 64], 1_700_000_000, &[0xa5; 996]);
    let smallest = item(b"", 0, b"");
    for item in [largest, smallest] {
        for _again in 0..2 {
            let stored = backend.put(&item, TTL, None, now()).await.expect("it is stored");
            assert!(stored.nodes > 0 && stored.expires > now(), "{stored:?}");
        }
        assert_eq!(found(backend, item.slot()).await, item);
        assert_eq!(backend.first(item.slot(), PATIENCE, now()).await, Some(item));
    }
}

async fn a_later_item_replaces_and_an_earlier_one_is_stale(backend: &Backend) {
    let (first, second) = (item(b"later", 1_799_999_000, b"first"), item(b"later", 1_799_999_001, b"second"));
    backend.put(&first, TTL, None, now()).await.expect("it is stored");
    backend.put(&second, TTL, None, now()).await.expect("it is stored");
    assert_eq!(found(backend, first.slot()).await, second);
    let refused = backend.put(&first, TTL, None, now()).await;
    assert_eq!(refused, Err(PutError::Stale { have_seq: second.seq() }));
    assert_eq!(found(backend, first.slot()).await, second);
}

async fn of_two_items_with_one_number_the_larger_value_wins(backend: &Backend) {
    let (smaller, larger) = (item(b"equal", 1_799_999_000, b"a"), item(b"equal", 1_799_999_000, b"b"));
    backend.put(&smaller, TTL, None, now()).await.expect("it is stored");
    backend.put(&larger, TTL, None, now()).await.expect("it is stored");
    let refused = backend.put(&smaller, TTL, None, now()).await;
    assert_eq!(refused, Err(PutError::Stale { have_seq: larger.seq() }));
    assert_eq!(found(backend, smaller.slot()).await, larger);
}

async fn a_condition_is_held(backend: &Backend) {
    let (first, second) = (item(b"cas", 1_799_999_000, b"first"), item(b"cas", 1_799_999_005, b"second"));
    let nothing_there = backend.put(&first, TTL, Some(1_799_998_000), now()).await;
    assert_eq!(nothing_there, Err(PutError::CasFailed));
    backend.put(&first, TTL, None, now()).await.expect("it is stored");
    let other_there = backend.put(&second, TTL, Some(1_799_998_000), now()).await;
    assert_eq!(other_there, Err(PutError::CasFailed));
    backend.put(&second, TTL, Some(first.seq()), now()).await.expect("it is stored");
    assert_eq!(found(backend, first.slot()).await, second);
}

/// The item that counts in a slot.
pub(crate) async fn found(backend: &Backend, slot: &Slot) -> Item {
    match backend.get(slot, PATIENCE, None, now()).await {
        Ok(Answer::Items { mut items, complete: true }) => items.swap_remove(0),
        other => panic!("an item was put, but the answer is {other:?}"),
    }
}
