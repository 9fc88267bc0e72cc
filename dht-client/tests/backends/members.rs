//! Members of a mainline ring that lie, refuse, and lead astray: what a reader and a writer say then.

use std::time::Duration;

use crate::contract::{item, now, put, until};
use crate::node::{Manners, Members};
use dht_client::backend::mainline::{Mainline, Ring};
use dht_client::backend::memory::Memory;
use dht_client::{Answer, Backend, GetError, PutError, Several};

const PATIENCE: Duration = Duration::from_secs(8);
const TTL: Duration = Duration::from_secs(3600);

async fn through(members: &Members) -> Backend {
    Backend::Mainline(Mainline::ring(&[members.first()]).await.unwrap())
}

#[tokio::test]
async fn members_that_refuse_a_record_do_not_take_it_out_of_another_network() {
    let item = item(b"refused", 1_799_999_000, b"hello");
    // That a condition failed, and that something later is there.
    for error in [301, 302] {
        let manners = Manners { refuses: Some(error), ..Manners::default() };
        let members = Members::start(item.slot().id(), 1, manners).await;
        let both = vec![through(&members).await, Backend::Memory(Memory::default())];
        let both = Several::new(both).unwrap();
        let put = async || both.put(&item, TTL, None, now()).await.unwrap();
        let refused = [("mainline", PutError::Overloaded)];
        let published = until(put, |published| published.failed == refused).await;
        assert_eq!(published.failed, refused);
        assert_eq!(published.stored.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["memory"]);
    }
}

#[tokio::test]
async fn a_member_that_leads_to_many_ports_ends_nothing_but_a_put() {
    let led = item(b"led astray", 1_799_999_000, b"hello");
    let manners = Manners { names: 20, ..Manners::default() };
    let members = Members::start(led.slot().id(), 300, manners).await;
    let backend = through(&members).await;
    let put = async || backend.put(&led, TTL, None, now()).await;
    assert_eq!(until(put, |put| *put == Err(PutError::Overloaded)).await, Err(PutError::Overloaded));
    // The client still runs; it knows by now who is closest, and begins there.
    assert!(until(put, Result::is_ok).await.is_ok());
}

#[tokio::test]
async fn a_member_that_never_comes_to_an_end_has_not_said_that_nothing_is_there() {
    let slot = item(b"endless", 1_799_999_000, b"hello").slot().clone();
    // Who answers after two seconds was silent: far from it on a busy machine, too, and still more members than six seconds are for.
    let manners = Manners { names: 1, thinks: Duration::from_millis(700), ..Manners::default() };
    let members = Members::start(slot.id(), 20, manners).await;
    let backend = through(&members).await;
    let answer = backend.get(&slot, Duration::from_secs(6), None, now()).await;
    assert_eq!(answer, Err(GetError::Unreachable));
}

#[tokio::test]
async fn what_a_member_forged_or_has_from_before_does_not_count() {
    let (older, good) = (item(b"forged", 1_799_998_000, b"replayed"), item(b"forged", 1_799_999_000, b"good"));
    let empty = item(b"empty", 1_799_999_000, b"").slot().clone();
    let forged = || b"not what was signed".to_vec();
    for (shown, found) in [
        ((good.clone(), forged()), vec![good.clone()]),
        ((older.clone(), older.value().to_vec()), vec![good.clone(), older.clone()]),
    ] {
        let ring = Ring::start(&[0, 0]).await.unwrap();
        let writer = Backend::Mainline(Mainline::ring(ring.addresses()).await.unwrap());
        put(&writer, &good, None).await.unwrap();
        let manners = Manners { shows: Some(shown), ..Manners::default() };
        let liar = Members::start(good.slot().id(), 1, manners).await;
        let reader = Mainline::ring(&[ring.addresses(), &[liar.first()]].concat()).await.unwrap();
        let reader = Backend::Mainline(reader);
        let get = async || match reader.get(good.slot(), PATIENCE, None, now()).await {
            Ok(Answer::Items { items, .. }) => items,
            Ok(Answer::Nothing { .. }) => panic!("something is there"),
            Err(_) => Vec::new(),
        };
        assert_eq!(until(get, |items| *items == found).await, found);
        // There it shows an item of another slot, which is no answer.
        let answer = reader.get(&empty, PATIENCE, None, now()).await;
        assert_eq!(answer, Err(GetError::Unreachable));
    }
}
