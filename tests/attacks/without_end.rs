//! Strangers, garbage and connections without end. How much of it is stood, and at what price, tests/tests/hostile measures;
//! here is what it leaves.

use std::net::UdpSocket;

use end_to_end::service::wait_until;
use ivr::clock::Clock;
use ivr::phone::load::caller::Caller;
use ivr_core::number::Number;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use tokio::net::{TcpSocket, TcpStream};

use crate::scene::{CARRIER, DIALLED, STRANGER, Scene, VICTIM};

/// Of each kind of datagram, so many must have been counted.
const MANY: u64 = 500;
/// Of each kind, as many are sent at once: the smallest buffer that kernels give a socket has room for most of them.
const AT_ONCE: u64 = 32;
/// What finds the socket full, the kernel drops; with so many rounds, most of all datagrams may be dropped.
const MOST_ROUNDS: u64 = 10 * MANY / AT_ONCE;
/// Connections, of which a stranger has four at a time.
const CONNECTIONS: u64 = 40;

/// Connections of a stranger, in which nothing is said.
async fn connections(scene: &Scene) -> Vec<TcpStream> {
    let mut all = Vec::new();
    for _ in 0..CONNECTIONS {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((STRANGER, 0).into()).expect("a port");
        all.push(socket.connect(scene.service.sip()).await.expect("a connection"));
    }
    all
}

#[test]
fn what_is_no_call_is_counted_takes_up_nothing_and_keeps_nobody_out() {
    let scene = Scene::plain();
    scene.begin(VICTIM);
    let service = scene.service.sip();
    let silent = scene.runtime.block_on(connections(&scene));
    let [carrier, stranger] = [CARRIER, STRANGER].map(|address| UdpSocket::bind((address, 0)).expect("a port"));
    let at = stranger.local_addr().expect("it is bound");
    let mut chance = ChaCha20Rng::seed_from_u64(7);
    let mut burst = |round: u64| {
        for n in round * AT_ONCE..(round + 1) * AT_ONCE {
            let mut garbage = vec![0; 1 + chance.next_u32() as usize % 1_400];
            chance.fill_bytes(&mut garbage);
            carrier.send_to(&garbage, service).expect("it is sent");
            let number = Number::parse(VICTIM).expect("a number");
            let run = Clock.wall().unix_timestamp_nanos();
            let caller =
                Caller { index: n as usize, number, sip: at, rtp: at, service, dialled: DIALLED.to_owned(), run };
            stranger.send_to(caller.invite().as_bytes(), service).expect("it is sent");
        }
    };
    let counted = || ["sip_garbage_total", "sip_strangers_total"].map(|name| scene.figure(name));
    let is_enough = (0..MOST_ROUNDS).any(|round| {
        burst(round);
        counted().into_iter().all(|count| count > MANY)
    });
    assert!(is_enough, "only {:?} were counted", counted());
    burst(MOST_ROUNDS);
    let call = scene.call(scene.plan(CARRIER, VICTIM));
    assert_eq!(call.status, Some(200), "the owner does not get in: {call:?}");
    wait_until("the connections were counted", || scene.figure("sip_refused_connections_total") == CONNECTIONS - 4);
    drop(silent);

    let record = scene.record(&call.call_id);
    assert_eq!((record.outcome.as_str(), record.level), ("hung-up", Some(2)), "{record:?}");
    assert_eq!((scene.figure("sip_invites_total"), scene.count("calls")), (1, 1), "the owner's alone");
    wait_until("the call is over", || scene.figure("sip_calls") == 0);
    assert!(scene.audit().is_empty());
}
