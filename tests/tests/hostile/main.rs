//! Attacks on the whole service while twenty people talk to it: their calls keep their pace, the service does not grow, nobody
//! is sent more than he sent, and new honest calls get in. What was measured is printed (`-- --nocapture`), and
//! tests/run prints it in the end; docs/hostility.md says what it means.

mod attacker;
mod siege;
mod streams;

use std::net::{SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use end_to_end::load::DIALLED;
use ivr::clock::Clock;
use ivr::phone::api::Api;
use ivr::phone::applicant::{Application, Tale, apply};
use ivr::phone::load::caller::Caller;
use ivr::phone::{News, Scenario};
use ivr::service::sockets::allow_many;
use ivr_core::number::Number;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use attacker::Attacker;
use siege::{CARRIER, NEIGHBOUR, OTHER_CARRIER, STRANGER, Siege, moment, pin_load, told};
use streams::{Bad, Fate, Habit, call_over_tcp};

/// How long an attack lasts.
const ATTACK: Duration = Duration::from_secs(10);
/// How long the honest callers talk.
const TALK: Duration = Duration::from_secs(20);
/// Calls of the node: the honest ones, and far more than attackers may take up.
const MAX_CALLS: usize = 150;

/// Of a flood, the kernel drops what finds the socket full. Of ten seconds of it a service looks at more than this on any machine.
const LOOKED_AT: u64 = 2_000;

/// Lets the attacker do its work beside the honest callers and whatever `meanwhile` does. Gives it back, and the time that it
/// took.
fn attack(
    siege: &mut Siege,
    mut attacker: Attacker,
    work: impl FnOnce(&mut Attacker) + Send + 'static,
    meanwhile: impl FnOnce(&mut Siege),
) -> (Attacker, RangeInclusive<i128>) {
    let began = moment();
    let working = std::thread::spawn(move || {
        pin_load();
        work(&mut attacker);
        attacker
    });
    meanwhile(siege);
    let attacker = working.join().expect("the attacker does not panic");
    let ended = moment();
    siege.row("attackers sent", attacker.sent.to_string());
    siege.row("came back to them", attacker.back.to_string());
    (attacker, began..=ended)
}

/// INVITEs of these numbers, each a call of its own, from the attacker's address; their audio would go to `rtp`.
fn invites(
    attacker: &Attacker,
    rtp: SocketAddr,
    service: SocketAddr,
    numbers: Vec<Number>,
) -> impl FnMut(u64) -> (Vec<u8>, SocketAddr) + Send + use<> {
    let (sip, run) = (attacker.address(), Clock.wall().unix_timestamp_nanos());
    move |n| {
        let number = numbers[n as usize % numbers.len()].clone();
        (
            Caller { index: n as usize, number, sip, rtp, service, dialled: DIALLED.to_owned(), run }
                .invite()
                .into_bytes(),
            service,
        )
    }
}

fn gets_in(siege: &mut Siege, who: &str, from: std::net::IpAddr) {
    let called = siege.call_in(who, from);
    assert!(called.is_ok(), "{who} does not get in: {called:?}");
}

/// Who forges the carrier's address makes the service answer calls that nobody will acknowledge: as many as a trunk may
/// have of them, for 32 s. The other carrier's callers notice nothing; the carrier's own are told 480 until then.
#[test]
fn invites_that_are_never_acknowledged_take_up_their_trunk_for_half_a_minute_and_nothing_else() {
    let mut siege = Siege::begin("INVITEs never acknowledged, 5000 at once each second", MAX_CALLS, TALK);
    let service = siege.service.sip();
    let victim = UdpSocket::bind((CARRIER, 0)).expect("a port");
    victim.set_nonblocking(true).expect("a socket");
    // Somebody waits for their calls: these are answered, and the answers repeated.
    let numbers = siege.numbers(50, 50);
    let attacker = Attacker::at(&[CARRIER]);
    let make = invites(&attacker, victim.local_addr().expect("it is bound"), service, numbers);
    let work = move |attacker: &mut Attacker| attacker.in_waves(ATTACK, 5_000, make);
    let (mut attacker, during) =
        attack(&mut siege, attacker, work, |siege| gets_in(siege, "other carrier's caller", OTHER_CARRIER));
    assert_eq!(siege.gauge("sip_unacknowledged_calls"), 100, "as many as a trunk may have");
    assert_eq!(siege.call_in("own carrier's caller", CARRIER), Err(Some(480)), "there is room for no more");
    siege.wait_for_gauge("sip_unacknowledged_calls", 0);
    gets_in(&mut siege, "the same, 32 s later", CARRIER);

    attacker.listen();
    siege.row("with all repetitions", attacker.back.to_string());
    siege.counted(&["sip_invites", "sip_refused", "sip_unrecorded_refusals", "sip_retransmissions"]);
    assert!(attacker.back.octets <= attacker.sent.octets, "the carrier is sent more than was sent in its name");
    assert!(victim.recv(&mut [0; 1]).is_err(), "audio went to somebody who never asked for it");
    assert_eq!(siege.grown("sip_never_acknowledged"), 100);
    siege.end(during);
}

/// The calls of numbers that nobody waits for are refused by the database, which has to be asked first.
#[test]
fn invites_for_nobody_are_refused_without_filling_anything() {
    let mut siege = Siege::begin("INVITEs for nobody, 5000 at once each second", MAX_CALLS, TALK);
    let service = siege.service.sip();
    let numbers = siege.numbers(50, 0);
    let attacker = Attacker::at(&[CARRIER]);
    let make = invites(&attacker, attacker.address(), service, numbers);
    let work = move |attacker: &mut Attacker| attacker.in_waves(ATTACK, 5_000, make);
    let (mut attacker, during) =
        attack(&mut siege, attacker, work, |siege| gets_in(siege, "other carrier's caller", OTHER_CARRIER));
    siege.wait_for_gauge("sip_unacknowledged_calls", 0);
    gets_in(&mut siege, "own carrier's, after it", CARRIER);
    siege.wait_until_quiet("sip_retransmissions");
    let recorded = siege.refusals_recorded();
    attacker.listen();
    siege.row("with all repetitions", attacker.back.to_string());
    siege.counted(&["sip_invites", "sip_refused", "sip_unrecorded_refusals", "sip_retransmissions"]);
    siege.counted(&["call_record_lines_dropped", "call_questions_unasked"]);
    // What passes the checks: 200 at once and 50 a second. What does not: 50 records a second.
    assert!(recorded <= 200 + 100 * 12, "a flood fills the database");
    // A hundred at a time, ten times each in 32 s; the flood lasts for a third of that.
    assert!(siege.grown("sip_retransmissions") <= 2_000, "the carrier is sent refusals again and again");
    assert!(attacker.back.octets <= attacker.sent.octets, "the carrier is sent more than was sent in its name");
    siege.end(during);
}

/// One short answer each, and nothing is kept of them.
#[test]
fn strangers_get_one_short_answer_each_and_take_up_nothing() {
    let mut siege = Siege::begin("INVITEs from strangers, 20000 at once each second", MAX_CALLS, TALK);
    let service = siege.service.sip();
    let numbers = siege.numbers(50, 50);
    let attacker = Attacker::at(&[STRANGER]);
    let make = invites(&attacker, attacker.address(), service, numbers);
    let work = move |attacker: &mut Attacker| attacker.in_waves(ATTACK, 20_000, make);
    let (attacker, during) = attack(&mut siege, attacker, work, |siege| gets_in(siege, "honest caller", CARRIER));
    gets_in(&mut siege, "honest caller, after it", CARRIER);
    siege.counted(&["sip_datagrams", "sip_strangers", "sip_invites"]);
    assert!(attacker.last_words.starts_with("SIP/2.0 403"), "{}", attacker.last_words);
    let heard = siege.grown("sip_strangers");
    assert!(heard >= LOOKED_AT, "the service hardly listened");
    assert!(attacker.back.datagrams <= heard, "more than one answer to a request");
    assert!(attacker.back.octets <= attacker.sent.octets, "more comes back than was sent");
    assert_eq!(siege.grown("sip_invites"), 2, "those of the honest callers");
    siege.end(during);
}

/// Random octets, cut INVITEs, and the longest datagrams there are; in the carrier's name and in a stranger's.
#[test]
fn garbage_is_counted_and_dropped() {
    let mut siege = Siege::begin("garbage at the SIP port, 20000 at once each second", MAX_CALLS, TALK);
    let service = siege.service.sip();
    let numbers = siege.numbers(1, 1);
    let attacker = Attacker::at(&[CARRIER, STRANGER]);
    let mut invite = invites(&attacker, attacker.address(), service, numbers);
    let mut chance = ChaCha20Rng::seed_from_u64(7);
    let make = move |n: u64| {
        let octets = match n % 100 {
            0 | 1 => vec![b'a'; 65_507],
            2 | 3 => [&b"INVITE sip:+12025550100@h SIP/2.0\r\nVia: "[..], &[b';'; 65_400]].concat(),
            4..50 => {
                let mut octets = vec![0; 1 + chance.next_u32() as usize % 1_500];
                chance.fill_bytes(&mut octets);
                octets
            }
            _ => {
                let (mut octets, _) = invite(n);
                // Not so late that nothing is missing but the end of the offer.
                octets.truncate(chance.next_u32() as usize % (octets.len() - 100));
                octets
            }
        };
        (octets, service)
    };
    let work = move |attacker: &mut Attacker| attacker.in_waves(ATTACK, 20_000, make);
    let (attacker, during) = attack(&mut siege, attacker, work, |siege| gets_in(siege, "honest caller", CARRIER));
    gets_in(&mut siege, "honest caller, after it", CARRIER);
    siege.counted(&["sip_datagrams", "sip_garbage", "sip_malformed_requests", "sip_strangers", "sip_invites"]);
    assert!(siege.grown("sip_garbage") >= LOOKED_AT, "the service hardly looked at it");
    assert!(attacker.back.octets <= attacker.sent.octets, "more comes back than was sent");
    assert_eq!(siege.grown("sip_invites"), 2, "those of the honest callers");
    siege.end(during);
}

/// A neighbour and another port of the caller's own address send to the ports of the calls.
#[test]
fn packets_from_elsewhere_are_counted_and_nobody_hears_less_for_them() {
    let mut siege = Siege::begin("RTP from elsewhere, 10000 packets a second", MAX_CALLS, TALK);
    let ports = siege.media.clone();
    let attacker = Attacker::at(&[NEIGHBOUR, CARRIER]);
    let make = move |n: u64| {
        let mut packet = [0x55; 172];
        packet[..2].copy_from_slice(&[0x80, 0]);
        packet[2..4].copy_from_slice(&(n as u16).to_be_bytes());
        // Both sources to each of the ports.
        (packet.to_vec(), ports[n as usize / 2 % ports.len()])
    };
    let until = Clock.now() + ATTACK;
    let work = move |attacker: &mut Attacker| attacker.steadily(10_000, || Clock.now() < until, make);
    let (attacker, during) = attack(&mut siege, attacker, work, |siege| gets_in(siege, "honest caller", CARRIER));
    gets_in(&mut siege, "honest caller, after it", CARRIER);
    siege.counted(&["media_foreign_packets", "media_unsent_packets", "media_skipped_packets"]);
    let (sent, foreign) = (attacker.sent.datagrams, siege.grown("media_foreign_packets"));
    assert!(foreign <= sent && foreign >= sent * 9 / 10, "{foreign} of {sent} were told apart");
    assert_eq!(attacker.back.datagrams, 0, "somebody who never asked for it gets audio");
    siege.end(during);
}

/// Keys at every port of the service from two other sources, all the time, while somebody proves a number: the attackers'
/// digits would be wrong codes, a wrong confirm digit, and the end of the call.
#[test]
fn keys_of_a_second_source_never_count() {
    let mut siege = Siege::begin("keys from elsewhere, 10000 packets a second", 24, Duration::from_secs(50));
    let number = siege.numbers(1, 0).remove(0);
    let ports: Vec<u16> = siege.rtp_ports.clone().step_by(2).collect();
    let attacker = Attacker::at(&[NEIGHBOUR, CARRIER]);
    let make = move |n: u64| {
        // Each round over all ports is a press of its own: other digit, other timestamp, marked (RFC 4733 2.5.1).
        let round = (n / 2 / ports.len() as u64) as u32;
        let mut packet = [0; 16];
        packet[..2].copy_from_slice(&[0x80, 0x80 | 101]);
        packet[2..4].copy_from_slice(&(round as u16).to_be_bytes());
        packet[4..8].copy_from_slice(&(round * 400).to_be_bytes());
        packet[8..12].copy_from_slice(&[n as u8 % 2; 4]);
        packet[12..].copy_from_slice(&[(round % 12) as u8, 0x8a, 1, 0x40]);
        (packet.to_vec(), SocketAddr::new(CARRIER, ports[n as usize / 2 % ports.len()]))
    };
    // The attack begins with the voice: then the caller's own packets have come.
    let hears = Arc::new(AtomicBool::new(false));
    let proves = Arc::new(AtomicBool::new(true));
    let (may_begin, goes_on) = (hears.clone(), proves.clone());
    let work = move |attacker: &mut Attacker| {
        while goes_on.load(Ordering::Relaxed) && !may_begin.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
        attacker.steadily(10_000, || goes_on.load(Ordering::Relaxed), make);
    };
    let (_, during) = attack(&mut siege, attacker, work, |siege| {
        let mut application =
            Application::new(Api::new(siege.service.http()), siege.service.sip(), number.as_str(), Scenario::Happy);
        application.dialled = Some(DIALLED.to_owned());
        application.publish = false;
        let tell = |tale: Tale| {
            if matches!(tale, Tale::Line(News::Heard(_))) {
                hears.store(true, Ordering::Relaxed);
            }
        };
        let outcome = siege.runtime.block_on(apply(application, &tell));
        proves.store(false, Ordering::Relaxed);
        let outcome = outcome.expect("the service answers");
        // Also that no wrong code was heard.
        assert_eq!(outcome.verdict, Ok(()), "with keys of others");
        siege.row("number proved", format!("by {} packets of its caller", outcome.call.packets_sent));
    });
    let keys = siege.keys_recorded();
    siege.row("keys heard", format!("{keys}: six of the code, and one to confirm"));
    siege.counted(&["media_foreign_packets", "media_unheard_keys"]);
    assert_eq!(keys, 7);
    assert!(siege.grown("media_foreign_packets") > 10_000);
    siege.end(during);
}

/// Two thousand connections at a time that never say a whole thing: some of strangers, some from another carrier's address, to
/// the ports of TCP and TLS.
#[test]
fn connections_that_never_come_to_an_end_are_ended_and_leave_room_for_others() {
    const LENGTH: Duration = Duration::from_secs(20);
    allow_many();
    let mut siege = Siege::begin("connections that never come to an end, 2000 at a time", MAX_CALLS, 2 * LENGTH);
    let (tcp, tls) = (siege.service.sip(), siege.tls);
    let kinds = [
        (STRANGER, tcp, Habit::Silent, 400),
        (STRANGER, tcp, Habit::SlowHeader, 200),
        (STRANGER, tcp, Habit::Pinging, 200),
        (STRANGER, tcp, Habit::Endless, 200),
        (STRANGER, tls, Habit::HalfHandshake, 400),
        (OTHER_CARRIER, tcp, Habit::SlowHeader, 200),
        (OTHER_CARRIER, tcp, Habit::Endless, 200),
        (OTHER_CARRIER, tls, Habit::HalfHandshake, 200),
    ];
    let (began, until) = (moment(), Clock.now() + LENGTH);
    let attacks = kinds.map(|(from, to, habit, count)| {
        let bad = Bad { from, to, habit, count };
        let attack = std::thread::spawn(move || {
            pin_load();
            bad.attack(until)
        });
        (bad, attack)
    });
    let mut most = 0;
    while Clock.now() < until {
        let number = siege.numbers(1, 1).remove(0);
        let called = call_over_tcp(tcp, number);
        siege.row("honest caller over TCP", told(&called));
        assert!(called.is_ok(), "an honest caller does not get in over TCP: {called:?}");
        most = most.max(siege.gauge("sip_connections"));
        std::thread::sleep(Duration::from_secs(4));
    }
    gets_in(&mut siege, "honest caller over UDP", CARRIER);
    for (Bad { from, to, habit, count }, attack) in attacks {
        let Fate { begun, ended } = attack.join().expect("the attacker does not panic");
        let (whose, port) =
            (if from == STRANGER { "stranger" } else { "carrier" }, if to == tls { "TLS" } else { "TCP" });
        let what = format!("{count} at a time: {begun} begun, {ended} ended by the service");
        siege.row(&format!("{whose}, {port}, {habit:?}"), what);
        assert!(ended >= count as u64, "{habit:?} of a {whose} may go on for ever");
    }
    let ended = moment();
    siege.row("connections served", format!("{most} at most"));
    siege.counted(&["sip_refused_connections", "sip_invites", "sip_garbage"]);
    // Of one stranger four, of one address of a trunk 256; and the honest callers, one after the other.
    assert!((200..=4 + 256 + 4).contains(&most), "{most} connections of strangers and of a trunk");
    siege.wait_for_gauge("sip_connections", 0);
    assert_eq!(siege.grown("sip_invites"), siege.grown("sip_confirmed"), "only honest calls began");
    siege.end(began..=ended);
}
