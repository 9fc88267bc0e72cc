//! The backends that need no peer, held to the contract, and what they say when somebody does not answer.

use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::time::Duration;

use crate::contract::{found, item, now, put, until};
use dht_client::backend::mainline::{Mainline, Ring};
use dht_client::backend::memory::{Fault, Memory};
use dht_client::backend::opendht::OpenDht;
use dht_client::backend::several::Harvest;
use dht_client::{Answer, Backend, GetError, PutError, Several};

const PATIENCE: Duration = Duration::from_secs(8);
const TTL: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn memory_keeps_the_contract() {
    crate::contract::every_backend_keeps_the_contract(&Backend::Memory(Memory::default())).await;
}

#[tokio::test]
async fn an_embedded_ring_keeps_the_contract() {
    let ring = Ring::start(&[0, 0, 0]).await.unwrap();
    let backend = Backend::Mainline(Mainline::ring(ring.addresses()).await.unwrap());
    crate::contract::every_backend_keeps_the_contract(&backend).await;
}

#[tokio::test]
async fn a_map_and_a_ring_at_once_keep_the_contract() {
    let ring = Ring::start(&[0, 0]).await.unwrap();
    let mainline = Backend::Mainline(Mainline::ring(ring.addresses()).await.unwrap());
    let both = Several::new(vec![Backend::Memory(Memory::default()), mainline]).unwrap();
    crate::contract::every_backend_keeps_the_contract(&both).await;
}

#[tokio::test]
async fn a_second_client_joins_the_ring_by_its_addresses() {
    let ring = Ring::start(&[0, 0, 0]).await.unwrap();
    assert!(ring.addresses().iter().all(|address| *address.ip() == Ipv4Addr::LOCALHOST), "{ring:?}");
    let writer = Backend::Mainline(Mainline::ring(ring.addresses()).await.unwrap());
    let reader = Backend::Mainline(Mainline::ring(ring.addresses()).await.unwrap());
    let item = item(b"joined", 1_799_999_000, b"hello");
    put(&writer, &item, None).await.unwrap();
    assert_eq!(found(&reader, item.slot()).await, item);
}

#[tokio::test]
async fn twenty_puts_at_once_are_all_stored() {
    let ring = Ring::start(&[0, 0, 0]).await.unwrap();
    let backend = Backend::Mainline(Mainline::ring(ring.addresses()).await.unwrap());
    let items: Vec<_> = (0..20_u8).map(|number| item(&[number], 1_799_999_000, &[number])).collect();
    let puts = items.iter().map(|item| put(&backend, item, None));
    for put in futures_util::future::join_all(puts).await {
        put.unwrap();
    }
    for item in &items {
        assert_eq!(found(&backend, item.slot()).await, *item);
    }
}

#[tokio::test]
async fn however_many_ask_a_record_is_put() {
    let ring = Ring::start(&[0, 0]).await.unwrap();
    // Eighteen who do not answer: a query takes 2 s, and three are made at once, as in the public network.
    let silent: Vec<_> = (0..18).map(|_| silent()).collect();
    let addresses: Vec<_> =
        ring.addresses().iter().copied().chain(silent.iter().map(|(_, address)| *address)).collect();
    let backend = Backend::Mainline(Mainline::ring(&addresses).await.unwrap());
    let strangers: Vec<_> = (0..30_u8)
        .map(|stranger| {
            let backend = backend.clone();
            tokio::spawn(async move {
                for round in 0..=u8::MAX {
                    let slot = item(&[stranger, round], 1_799_999_000, b"").slot().clone();
                    let _ = backend.get(&slot, PATIENCE * 3, None, now()).await;
                }
            })
        })
        .collect();
    // All of them wait before the put comes: a thread that has one task at a time begins each before it comes back here.
    tokio::task::yield_now().await;
    let tombstone = item(b"revoked", 1_799_999_000, b"hello");
    // Who lost an answer is asked again; a put that had to wait for all of them would be told so.
    let put = async || backend.put(&tombstone, TTL, None, now()).await.map(|stored| stored.nodes);
    let stored = until(put, |stored| matches!(stored, Ok(2) | Err(PutError::Overloaded))).await;
    strangers.iter().for_each(tokio::task::JoinHandle::abort);
    assert_eq!(stored, Ok(2));
}

/// An address that takes datagrams and never answers.
fn silent() -> (UdpSocket, SocketAddrV4) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    let port = socket.local_addr().expect("a bound socket has an address").port();
    (socket, SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
}

#[tokio::test]
async fn a_ring_that_is_gone_is_unreachable() {
    let (_held, address) = silent();
    let backend = Backend::Mainline(Mainline::ring(&[address]).await.unwrap());
    let item = item(b"gone", 1_799_999_000, b"hello");
    assert_eq!(backend.get(item.slot(), PATIENCE, None, now()).await, Err(GetError::Unreachable));
    assert_eq!(backend.health().await.reachable, 0);
}

#[tokio::test]
async fn a_ring_with_a_dead_node_finds_what_it_has_but_never_says_nothing() {
    let ring = Ring::start(&[0, 0]).await.unwrap();
    let (_held, dead) = silent();
    let backend = Backend::Mainline(Mainline::ring(&[ring.addresses(), &[dead]].concat()).await.unwrap());
    let item = item(b"two of three", 1_799_999_000, b"hello");
    assert_eq!(backend.get(item.slot(), PATIENCE, None, now()).await, Err(GetError::Unreachable));
    put(&backend, &item, None).await.unwrap();
    let answer = until(async || backend.get(item.slot(), PATIENCE, None, now()).await, Result::is_ok).await;
    assert_eq!(answer, Ok(Answer::Items { items: vec![item], complete: false }));
    let health = until(async || backend.health().await, |health| health.reachable == 2).await;
    assert_eq!((health.reachable, health.configured), (2, 3));
}

#[tokio::test]
async fn a_dead_proxy_is_unreachable() {
    // A bound and unlistened port refuses connections, and nobody else can take it.
    let held = socket_that_refuses();
    let address = format!("http://{}", held.local_addr().unwrap());
    let backend = Backend::OpenDht(OpenDht::new(&[address]).unwrap());
    let item = item(b"gone", 1_799_999_000, b"hello");
    assert_eq!(backend.get(item.slot(), PATIENCE, None, now()).await, Err(GetError::Unreachable));
    assert_eq!(backend.put(&item, TTL, None, now()).await, Err(PutError::Unreachable));
    assert_eq!(backend.health().await.reachable, 0);
}

fn socket_that_refuses() -> tokio::net::TcpSocket {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("loopback has a free port");
    socket
}

#[test]
fn a_proxy_is_named_by_an_http_address() {
    let none: [&str; 0] = [];
    assert!(OpenDht::new(&none).is_err());
    for wrong in ["", "127.0.0.1:8080", "ftp://127.0.0.1", "http://", "http://127.0.0.1/?x"] {
        assert!(OpenDht::new(&[wrong]).is_err(), "{wrong}");
    }
    assert!(OpenDht::new(&["https://dht.example.org/behind/a/path", "http://127.0.0.1:8080"]).is_ok());
}

#[tokio::test]
async fn of_several_backends_the_later_item_counts() {
    let (left, right) = (Memory::default(), Memory::default());
    let (older, newer) = (item(b"two", 1_799_999_000, b"older"), item(b"two", 1_799_999_001, b"newer"));
    Backend::Memory(left.clone()).put(&older, TTL, None, now()).await.unwrap();
    Backend::Memory(right.clone()).put(&newer, TTL, None, now()).await.unwrap();
    let both = Several::new(vec![Backend::Memory(left), Backend::Memory(right)]).unwrap();
    let Ok(Harvest::Items { items, complete: true }) = both.get(newer.slot(), PATIENCE, None, now()).await else {
        panic!()
    };
    assert_eq!(items.into_iter().map(|(item, _)| item).collect::<Vec<_>>(), [newer.clone(), older.clone()]);
    let refused = both.put(&older, TTL, None, now()).await;
    assert_eq!(refused, Err(PutError::Stale { have_seq: newer.seq() }));
}

#[tokio::test]
async fn one_backend_that_does_not_answer_hides_no_item_and_proves_no_absence() {
    let (alive, dead) = (Memory::default(), Memory::default());
    dead.fail(Fault::Dead);
    let both = Several::new(vec![Backend::Memory(dead.clone()), Backend::Memory(alive)]).unwrap();
    let item = item(b"half", 1_799_999_000, b"hello");
    assert_eq!(both.get(item.slot(), PATIENCE, None, now()).await, Err(GetError::Unreachable));
    let published = both.put(&item, TTL, None, now()).await.unwrap();
    assert_eq!(published.failed, [("memory", PutError::Unreachable)]);
    let harvest = both.get(item.slot(), PATIENCE, None, now()).await;
    assert_eq!(harvest, Ok(Harvest::Items { items: vec![(item.clone(), "memory")], complete: false }));
    dead.fail(Fault::Overloaded);
    let other = crate::contract::item(b"other", 1_799_999_000, b"hello");
    assert_eq!(both.get(other.slot(), PATIENCE, None, now()).await, Err(GetError::Overloaded));
}
