//! Prints what the checks on an INVITE and the reading of a number cost.
//! `cargo run --release -p ivr-core --example judge_speed`

use std::hint::black_box;
use std::time::Instant;

use ivr_core::caller::{KeepsDiversion, Level, Policy, TrunkProfile, judge};
use ivr_core::number::{KindPolicy, Number};
use ivr_core::private::Private;
use ivr_core::sip::peer::Peer;

const ROUNDS: u32 = 100_000;

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn timed(name: &str, mut work: impl FnMut()) {
    let first = Instant::now();
    work();
    let first = first.elapsed();
    let began = Instant::now();
    for _ in 0..ROUNDS {
        work();
    }
    println!("{name}: first {first:?}, then {} ns each over {ROUNDS} rounds", (began.elapsed() / ROUNDS).as_nanos());
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    timed("Number::parse", || {
        let _ = black_box(Number::parse(black_box("+12025550143")));
    });
    let us = "US".parse().ok();
    timed("Number::read (national)", || {
        let _ = black_box(Number::read(black_box("(202) 555-0143"), us));
    });
    let trunk = TrunkProfile {
        name: "carrier".to_owned(),
        sources: vec!["192.0.2.0/28".parse()?],
        numbers: vec![Number::parse("+12025550100")?],
        ingress_secret: Some(Private::new("x7Qm2kLp9".to_owned())),
        trust_pai: true,
        cli_screened: true,
        country: us,
        keeps_diversion: KeepsDiversion::Yes,
        max_level: Level::L2,
        ..TrunkProfile::default()
    };
    let policy = Policy { trunks: vec![trunk], issue_from: Level::L2.into(), kinds: KindPolicy::default() };
    let peer = Peer::udp("192.0.2.10:5060".parse()?);
    let headers = [
        ("Via", "SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK776asdhds;rport"),
        ("Max-Forwards", "70"),
        ("From", "\"Caller\" <sip:+12025550143@carrier.example;user=phone>;tag=1928301774"),
        ("To", "<sip:+12025550100@198.51.100.1>"),
        ("Call-ID", "a84b4c76e66710"),
        ("CSeq", "314159 INVITE"),
        ("P-Asserted-Identity", "<sip:+12025550143@carrier.example;user=phone>, <tel:+12025550143>"),
        ("Privacy", "none"),
        ("Contact", "<sip:192.0.2.10:5060>"),
        ("Content-Type", "application/sdp"),
    ];
    timed("judge, accepted", || {
        black_box(judge(&policy, &peer, black_box("sip:+12025550100@198.51.100.1;key=x7Qm2kLp9"), &headers));
    });
    let stranger = Peer::udp("203.0.113.1:5060".parse()?);
    timed("judge, unknown peer", || {
        black_box(judge(&policy, &stranger, black_box("sip:+12025550100@198.51.100.1"), &headers));
    });
    Ok(())
}
