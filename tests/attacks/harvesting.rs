//! Somebody reads the directory, which anybody may, to learn who is in it.

use std::time::Duration;

use dht_client::backend::several::Harvest;
use dht_client::{Bundle, Derived, HashCost, Identity, Pin, Record, RecordError, Several};
use ivr::clock::Clock;
use nix::time::{ClockId, clock_gettime};

use crate::scene::{CARRIER, Scene, VICTIM};

/// Chose to have no record.
const UNPUBLISHED: &str = "+12025550144";

fn stands_in(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_record_is_found_by_who_guesses_the_number_at_a_price_and_of_who_wants_none_there_is_none() {
    let scene = Scene::plain();
    let (published, unpublished) = std::thread::scope(|scope| {
        let one = scope.spawn(|| scene.prove(CARRIER, VICTIM, true).2);
        let other = scope.spawn(|| scene.prove(CARRIER, UNPUBLISHED, false).2);
        (one.join().expect("a certificate"), other.join().expect("a certificate"))
    });
    assert!(unpublished.dht.is_none(), "{unpublished:?}");
    let ended = |number: &str| scene.service.lookup(&format!("tel:{number}")).status.code();
    assert_eq!((ended(VICTIM), ended(UNPUBLISHED)), (Some(0), Some(3)));
    assert_eq!(scene.count("records WHERE seq > 0"), 1, "something was put for who wants no record");

    let bundle = std::fs::read(scene.service.bundle()).expect("a file");
    let bundle = Bundle::read(&bundle, Pin::File, Clock.wall()).expect("a bundle");
    let key = bundle.directory_keys[0];
    assert_eq!(bundle.terms.cost, HashCost::STRONG);
    // What each guess costs: this machine counts through so many numbers a second, each core.
    let hash = |number: &str| Derived::hash(&Identity::tel(number).expect("a number"), &key, bundle.terms.cost);
    let (derived, price) = timed(|| hash(VICTIM).expect("a hash"));
    println!("a guess costs {price:?} of a processor and 64 MiB");
    assert!(price >= Duration::from_millis(20), "a guess costs {price:?}");

    // Who sees the item in passing, but does not know whose it is, reads nothing of it.
    let slot = derived.directory_slot(&key);
    assert_eq!(Some(slot.id().to_string()), published.dht.as_ref().and_then(|dht| dht.slot.clone()));
    let harvest = scene.runtime.block_on(async {
        let networks = Several::connect(&bundle.terms.networks).await.expect("the ring");
        networks.get(&slot, Duration::from_secs(20), None, Clock.wall()).await.expect("an answer")
    });
    let Harvest::Items { items, .. } = harvest else { panic!("nothing lies there: {harvest:?}") };
    let (item, _) = &items[0];
    let pem = published.certificate_pem.expect("a certificate");
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).expect("PEM");
    let digits = VICTIM.trim_start_matches('+').as_bytes();
    for part in [digits, b"tel:", &pem.contents[..24], &pem.contents[pem.contents.len() - 24..]] {
        assert!(!stands_in(&item.to_bytes(), part), "the record shows whose it is");
    }
    let neighbour = hash("+12025550145").expect("a hash");
    let opened = Record::unseal(item.value(), &neighbour.seal_key(), &slot, item.seq());
    assert!(matches!(opened, Err(RecordError::Sealed)), "{opened:?}");
    Record::unseal(item.value(), &derived.seal_key(), &slot, item.seq()).expect("who guesses right reads it");
}

/// The time that a processor works on it.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let spent = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("the kernel says"));
    let before = spent();
    let done = work();
    (done, spent() - before)
}
