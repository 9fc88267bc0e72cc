//! Packets at every media port, from elsewhere and from the telephone that had the port before: foreign keys would be
//! codes and confirmations, and whoever is latched to hears the digits that only the caller may hear.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ivr::phone::{News, Scenario, Stage};

use crate::scene::{CARRIER, STRANGER, Scene, VICTIM};

/// The nth press: another digit each time, and a stream that goes on (RFC 4733 2.5.1).
fn key(nth: u32) -> [u8; 16] {
    let mut packet = [0; 16];
    packet[..2].copy_from_slice(&[0x80, 0x80 | 101]);
    packet[2..4].copy_from_slice(&(nth as u16).to_be_bytes());
    packet[4..8].copy_from_slice(&(nth * 400).to_be_bytes());
    packet[8..12].copy_from_slice(&[7; 4]);
    packet[12..].copy_from_slice(&[(nth % 10) as u8, 0x8a, 1, 0x40]);
    packet
}

/// A report that the caller hears next to nothing (RFC 3550 6.4.2): a receiver report of half of all packets lost.
const REPORT: [u8; 32] =
    [0x81, 201, 0, 7, 7, 7, 7, 7, 1, 2, 3, 4, 128, 0, 1, 0, 0, 0, 2, 0, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0];

#[test]
fn foreign_keys_are_counted_and_not_heard_and_foreigners_hear_nothing() {
    let scene = Scene::plain();
    let ports = scene.rtp_ports();
    let socket = |address: IpAddr| {
        let socket = UdpSocket::bind((address, 0)).expect("a port");
        socket.set_nonblocking(true).expect("a socket");
        socket
    };
    // A neighbour; and a caller who hung up before, at the carrier's own media gateway, whose keys come late.
    let foreigners = [socket(STRANGER), socket(CARRIER)];
    let started = scene.begin(VICTIM);
    let plan = scene.plan_of(CARRIER, VICTIM, &started, Scenario::HangUp(Stage::Code));
    let (hears, is_over) = (AtomicBool::new(false), AtomicBool::new(false));
    let call = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut nth = 0;
            while !is_over.load(Ordering::Relaxed) {
                // The neighbour is there before the call is; who shares the caller's address must not speak first.
                let speaking = &foreigners[..1 + usize::from(hears.load(Ordering::Relaxed))];
                for (foreigner, port) in speaking.iter().flat_map(|one| ports.iter().map(move |port| (one, port))) {
                    // A port nobody listens at is as good as one that is full.
                    let _lost = foreigner.send_to(&key(nth), (Ipv4Addr::LOCALHOST, *port));
                    let _lost = foreigner.send_to(&REPORT, SocketAddr::from(([127, 0, 0, 1], port + 1)));
                }
                nth += 1;
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let call = scene.call_and_hear(plan, |news| {
            if matches!(news, News::Heard(_)) {
                hears.store(true, Ordering::Relaxed);
            }
        });
        is_over.store(true, Ordering::Relaxed);
        call
    });
    let record = scene.record(&call.call_id);
    assert_eq!(record.count("key"), 0, "foreign keys were heard: {record:?}");
    assert!(record.packets_foreign > 100, "{record:?}");
    assert_eq!((record.outcome.as_str(), record.steps().last()), ("hung-up", Some(&"ended: hung-up")), "{record:?}");
    // The phone sends no reports: what stands there would be the foreigners'.
    assert_eq!(scene.count("calls WHERE reported_expected IS NOT NULL"), 0, "a false report was believed");
    for foreigner in &foreigners {
        let heard = foreigner.recv(&mut [0; 1]).map_err(|error| error.kind());
        assert!(matches!(heard, Err(ErrorKind::WouldBlock | ErrorKind::ConnectionRefused)), "audio went elsewhere");
    }
    assert_eq!(scene.count("number_days WHERE wrong_codes > 0"), 0);
    assert!(scene.figure("media_foreign_packets_total") >= record.packets_foreign.unsigned_abs());
}
