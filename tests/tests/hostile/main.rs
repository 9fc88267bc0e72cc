//! Attacks on the whole service while twenty people talk to it: their calls keep their pace, the service does not grow, nobody
//! is sent more than he sent, and new honest calls get in. What was measured is printed (`-- --nocapture`), and
//! tests/run prints it in the end; docs/hostility.md says what it means.

mod attacker;
mod siege;

use std::net::SocketAddr;
use std::time::Duration;

use end_to_end::load::caller::Caller;
use ivr::clock::Clock;
use ivr_core::number::Number;

use attacker::Attacker;
use siege::{CARRIER, OTHER_CARRIER, STRANGER, Siege, moment, ms, pin_load};

/// How long an attack lasts, and how long the honest callers talk.
const ATTACK_SECONDS: u32 = 10;
const HONEST_LENGTH: Duration = Duration::from_secs(20);

/// INVITEs of people who never existed, from this address.
fn invites(from: SocketAddr, service: SocketAddr, numbers: Vec<Number>) -> impl FnMut(u64) -> Vec<u8> {
    let run = Clock.wall().unix_timestamp_nanos();
    move |n| {
        let number = numbers[n as usize % numbers.len()].clone();
        let rtp = SocketAddr::new(from.ip(), 9);
        Caller { index: n as usize, number, sip: from, rtp, service, run }.invite().into_bytes()
    }
}

#[test]
fn a_flood_of_invites_that_are_never_acknowledged_takes_up_its_own_trunk_for_half_a_minute() {
    let mut siege = Siege::begin("INVITEs without ACK from the carrier's address", 150, HONEST_LENGTH);
    let service = siege.service.sip();
    // Somebody waits for the calls of most of them: these are answered, and the answers repeated.
    let numbers = siege.numbers(55, 50);
    let (began, flood) = (
        moment(),
        std::thread::spawn(move || {
            pin_load();
            let mut attacker = Attacker::at(CARRIER);
            let make = invites(attacker.address(), service, numbers);
            attacker.in_waves(ATTACK_SECONDS, 5_000, service, make);
            attacker
        }),
    );
    let other = siege.call_in(OTHER_CARRIER);
    let attacker = flood.join().expect("the attacker does not panic");
    let ended = moment();
    let unacknowledged = siege.gauge("dialproof_sip_unacknowledged_calls");
    siege.row("sent", attacker.sent.to_string());
    siege.row("came back", attacker.back.to_string());
    siege.row("other carrier's call", format!("{other:?}"));
    siege.row("unacknowledged", unacknowledged.to_string());
    siege.wait_for_gauge("dialproof_sip_unacknowledged_calls", 0);
    let after = siege.call_in(CARRIER);
    siege.row("call afterwards", after.map_or_else(|status| format!("{status:?}"), ms));
    for name in ["invites", "refused", "unrecorded_refusals", "answered", "never_acknowledged", "retransmissions"] {
        siege.row(name, siege.grown(&format!("dialproof_sip_{name}_total")).to_string());
    }
    siege.end(began..=ended);
}

#[test]
fn strangers_get_one_short_answer_each_and_take_up_nothing() {
    let mut siege = Siege::begin("INVITEs from strangers", 50, HONEST_LENGTH);
    let service = siege.service.sip();
    let numbers = siege.numbers(50, 50);
    let (began, flood) = (
        moment(),
        std::thread::spawn(move || {
            pin_load();
            let mut attacker = Attacker::at(STRANGER);
            let make = invites(attacker.address(), service, numbers);
            attacker.in_waves(ATTACK_SECONDS, 20_000, service, make);
            attacker
        }),
    );
    let during = siege.call_in(CARRIER);
    let attacker = flood.join().expect("the attacker does not panic");
    let ended = moment();
    siege.row("sent", attacker.sent.to_string());
    siege.row("came back", attacker.back.to_string());
    siege.row("call during", format!("{during:?}"));
    let after = siege.call_in(CARRIER);
    siege.row("call afterwards", format!("{after:?}"));
    siege.row("strangers", siege.grown("dialproof_sip_strangers_total").to_string());
    siege.end(began..=ended);
}
