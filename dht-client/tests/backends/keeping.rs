//! Records that somebody keeps alive who has no key: over restarts, over failures, to their end, and no further.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use dht_client::backend::memory::{Fault, Memory};
use dht_client::backend::opendht::OpenDht;
use dht_client::refresher::{KeepError, Kept, Round};
use dht_client::{Backend, PutError, Refresher, Several};
use time::OffsetDateTime;

use crate::contract::{found, item, now};
use crate::proxy::{Manners, Proxy};

const TTL: Duration = Duration::from_secs(3600);

fn ring() -> (Memory, Several) {
    let memory = Memory::default();
    (memory.clone(), Several::new(vec![Backend::Memory(memory)]).unwrap())
}

fn later(seconds: i64) -> OffsetDateTime {
    now() + time::Duration::seconds(seconds)
}

fn kept(salt: &[u8], until: i64) -> Kept {
    Kept { item: item(salt, 1_799_999_000, b"a friend's"), expires: later(until) }
}

fn least() -> f64 {
    0.0
}

#[tokio::test]
async fn a_record_is_kept_over_a_restart_and_a_failure_until_it_expires() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue");
    let (memory, networks) = ring();
    let mut keeper = Refresher::open(&file, networks.clone(), least, now()).unwrap();
    keeper.keep(kept(b"kept", 9000), now()).unwrap();
    assert_eq!(keeper.round(least, now).await.unwrap(), Round { stored: 1, ..Round::default() });
    drop(keeper);

    memory.fail(Fault::Dead);
    let mut keeper = Refresher::open(&file, networks.clone(), least, later(10)).unwrap();
    assert_eq!((keeper.len(), keeper.deadline()), (1, Some(later(10))));
    let failed = keeper.round(least, || later(10)).await.unwrap();
    assert_eq!(failed.failed, [(kept(b"kept", 0).item.slot().id(), PutError::Unreachable)]);
    assert_eq!(keeper.deadline(), Some(later(12)));
    memory.fail(Fault::None);
    assert_eq!(keeper.round(least, || later(12)).await.unwrap().stored, 1);
    assert_eq!(keeper.deadline(), Some(later(12 + 3600)));
    assert_eq!(found(&networks.backends()[0], kept(b"kept", 0).item.slot()).await, kept(b"kept", 0).item);

    assert_eq!(keeper.round(least, || later(9000)).await.unwrap(), Round::default());
    assert!(keeper.is_empty() && keeper.deadline().is_none());
    assert!(Refresher::open(&file, networks, least, later(9000)).unwrap().is_empty());
}

#[tokio::test]
async fn a_later_record_of_its_owner_is_kept_in_its_place_and_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue");
    let (_, networks) = ring();
    let mut keeper = Refresher::open(&file, networks.clone(), least, now()).unwrap();
    keeper.keep(kept(b"replaced", 9000), now()).unwrap();
    let tombstone = item(b"replaced", 1_799_999_001, b"the owner's next");
    networks.put(&tombstone, TTL, None, now()).await.unwrap();
    let round = keeper.round(least, now).await.unwrap();
    assert_eq!((round.replaced, round.stored, round.failed), (vec![tombstone.slot().id()], 1, vec![]));

    let (_, forgetful) = ring();
    let mut keeper = Refresher::open(&file, forgetful.clone(), least, later(10)).unwrap();
    assert_eq!(keeper.round(least, || later(10)).await.unwrap(), Round { stored: 1, ..Round::default() });
    assert_eq!(found(&forgetful.backends()[0], tombstone.slot()).await, tombstone);
    assert_eq!(keeper.round(least, || later(9000)).await.unwrap(), Round::default());
    assert!(keeper.is_empty());
}

/// A DHT that forgets after hours, and one that forgets after minutes.
async fn two_dhts() -> (Memory, Several, Proxy) {
    let (memory, proxy) = (Memory::default(), Proxy::start(Manners::honest()).await);
    let opendht = Backend::OpenDht(OpenDht::new(&[proxy.url()]).unwrap());
    let networks = Several::new(vec![Backend::Memory(memory.clone()), opendht]).unwrap();
    (memory, networks, proxy)
}

#[tokio::test]
async fn each_dht_is_given_a_record_as_often_as_it_forgets() {
    let (memory, networks, _proxy) = two_dhts().await;
    let mut keeper = Refresher::new(networks);
    keeper.keep(kept(b"two", 9000), now()).unwrap();
    assert_eq!(keeper.round(least, now).await.unwrap(), Round { stored: 2, ..Round::default() });
    // Nobody asks the one that remembers.
    memory.fail(Fault::Dead);
    for minute in [8, 16, 24, 32, 40, 48, 56] {
        assert_eq!(keeper.deadline(), Some(later(minute * 60)));
        assert_eq!(keeper.round(least, || later(minute * 60)).await.unwrap(), Round { stored: 1, ..Round::default() });
    }
    assert_eq!(keeper.deadline(), Some(later(3600)));
    let failed = keeper.round(least, || later(3600)).await.unwrap();
    assert_eq!((failed.stored, failed.failed.len()), (0, 1));
    assert_eq!(keeper.deadline(), Some(later(3602)), "it alone is tried again soon");
    memory.fail(Fault::None);
    assert_eq!(keeper.round(least, || later(3602)).await.unwrap().stored, 1);
    assert_eq!(keeper.deadline(), Some(later(64 * 60)));
}

#[tokio::test]
async fn what_an_owner_put_into_one_dht_soon_lies_in_all() {
    let (_, networks, _proxy) = two_dhts().await;
    let mut keeper = Refresher::new(networks.clone());
    keeper.keep(kept(b"moved", 9000), now()).unwrap();
    keeper.round(least, now).await.unwrap();
    let [slow, fast] = networks.backends() else { panic!("two DHTs") };
    let next = item(b"moved", 1_799_999_001, b"the owner's next");
    fast.put(&next, TTL, None, now()).await.unwrap();
    let round = keeper.round(least, || later(480)).await.unwrap();
    assert_eq!((round.replaced, round.stored), (vec![next.slot().id()], 1));
    assert_eq!(keeper.deadline(), Some(later(480)));
    assert_eq!(keeper.round(least, || later(480)).await.unwrap(), Round { stored: 1, ..Round::default() });
    assert_eq!(found(slow, next.slot()).await, next);
}

#[tokio::test]
async fn of_two_later_records_the_last_is_kept_and_its_slot_named_once() {
    let (left, right) = (Memory::default(), Memory::default());
    let networks = Several::new([&left, &right].map(|memory| Backend::Memory(memory.clone())).to_vec()).unwrap();
    let mut keeper = Refresher::new(networks.clone());
    keeper.keep(kept(b"twice", 9000), now()).unwrap();
    let later = [1, 2].map(|number| item(b"twice", 1_799_999_000 + number, b"the owner's next"));
    for (backend, item) in networks.backends().iter().zip(&later) {
        backend.put(item, TTL, None, now()).await.unwrap();
    }
    assert_eq!(keeper.round(least, now).await.unwrap().replaced, [later[0].slot().id()]);
    keeper.round(least, now).await.unwrap();
    for backend in networks.backends() {
        assert_eq!(found(backend, later[1].slot()).await, later[1]);
    }
}

#[tokio::test]
async fn a_record_that_is_over_is_due_nowhere() {
    let (_, networks, _proxy) = two_dhts().await;
    let mut keeper = Refresher::new(networks);
    keeper.keep(kept(b"over", 470), now()).unwrap();
    assert_eq!(keeper.round(least, now).await.unwrap().stored, 2);
    assert_eq!(keeper.deadline(), Some(later(480)));
    assert_eq!(keeper.round(least, || later(480)).await.unwrap(), Round::default());
    assert_eq!((keeper.len(), keeper.deadline()), (0, None), "nor in the one that is asked hourly");
}

#[tokio::test]
async fn a_round_ends_though_a_dht_is_slow_and_what_it_did_not_come_to_is_put_in_the_next() {
    let (_, networks) = ring();
    let mut keeper = Refresher::new(networks.clone());
    let records: Vec<Kept> = (0..40_u8).map(|number| kept(&[number], 9000)).collect();
    for record in &records {
        keeper.keep(record.clone(), now()).unwrap();
    }
    // Whenever somebody looks at the clock, a second has gone by.
    let seconds = AtomicI64::new(0);
    let clock = || later(seconds.fetch_add(1, Ordering::Relaxed));
    let mut stored = 0;
    while keeper.deadline() == Some(now()) {
        let begun = seconds.load(Ordering::Relaxed);
        let round = keeper.round(least, clock).await.unwrap();
        let took = seconds.load(Ordering::Relaxed) - begun;
        assert!(round.stored > 0 && took <= 32, "{round:?} in {took} s");
        stored += round.stored;
    }
    assert_eq!(stored, records.len(), "each once");
    for record in &records {
        assert_eq!(found(&networks.backends()[0], record.item.slot()).await, record.item);
    }
}

#[tokio::test]
async fn a_queue_that_somebody_wrote_into_gives_only_what_holds() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue");
    let (_, networks) = ring();
    let mut keeper = Refresher::open(&file, networks.clone(), least, now()).unwrap();
    keeper.keep(kept(b"one", 9000), now()).unwrap();
    assert!(matches!(keeper.keep(kept(b"over", 0), now()), Err(KeepError::Expired)));
    let good = std::fs::read_to_string(&file).unwrap();
    let mut forged = good.clone().into_bytes();
    let middle = forged.len() / 2;
    forged[middle] = if forged[middle] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    std::fs::write(&file, format!("rubbish\n{good}1 AAAA\n9999999999 !!\n{forged}{}\n", &good[..good.len() - 9]))
        .unwrap();
    let keeper = Refresher::open(&file, networks.clone(), least, now()).unwrap();
    assert_eq!((keeper.len(), keeper.unread()), (1, 5));

    let key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----\n";
    std::fs::write(&file, key).unwrap();
    assert!(Refresher::open(&file, networks, least, now()).is_err(), "it would be replaced");
}
