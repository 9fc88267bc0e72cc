//! Prints what the ordered checks on an INVITE cost, without a PASSporT to verify, held against their mark; and what
//! the reading of a number costs. `cargo run --release -p ivr-core --example judge_speed`

mod timing;

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

use ivr_core::caller::{Finding, KeepsDiversion, Level, NumberFormat, Policy, TrunkProfile, Verdict, Verstat, judge};
use ivr_core::number::{KindPolicy, Number};
use ivr_core::private::Private;
use ivr_core::sip::peer::Peer;
use timing::{BATCHES, micros, timed};

/// What a call may cost.
const MARK: Duration = Duration::from_micros(50);
const ROUNDS: u32 = 2_000;

/// A trunk that uses every check: a secret, an assertion, words about the signature.
fn trunk() -> Result<TrunkProfile, Box<dyn std::error::Error>> {
    let words = [("TN-Validation-Passed", Finding::PassedA), ("TN-Validation-Failed", Finding::Failed)];
    Ok(TrunkProfile {
        name: "carrier".to_owned(),
        sources: vec!["192.0.2.0/28".parse()?],
        numbers: vec![Number::parse("+12025550100")?],
        ingress_secret: Some(Private::new("x7Qm2kLp9".to_owned())),
        trust_pai: true,
        cli_screened: true,
        country: "US".parse().ok(),
        keeps_diversion: KeepsDiversion::Yes,
        verstat: Some(Verstat {
            header: "P-Asserted-Identity".to_owned(),
            attestation_header: None,
            words: words.map(|(word, finding)| (word.to_owned(), finding)).into(),
        }),
        ..TrunkProfile::default()
    })
}

fn policy(trunks: Vec<TrunkProfile>) -> Policy {
    Policy { trunks, issue_from: Level::L2.into(), kinds: KindPolicy::default() }
}

/// The same trunk behind 200 others, with a dialect of twenty words.
fn crowded() -> Result<Policy, Box<dyn std::error::Error>> {
    let words = (1..=20).map(|i| (format!("TN-Validation-Of-Kind-{i}"), Finding::PassedA)).collect();
    let verstat = Verstat { header: "X-Verstat".to_owned(), attestation_header: None, words };
    let mut trunks = Vec::new();
    for i in 0..200 {
        trunks.push(TrunkProfile { sources: vec![format!("198.18.{i}.0/24").parse()?], ..trunk()? });
    }
    trunks.push(TrunkProfile { verstat: Some(verstat), ..trunk()? });
    Ok(policy(trunks))
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let plain = policy(vec![trunk()?]);
    let ours = "sip:+12025550100@198.51.100.1;key=x7Qm2kLp9";
    let said = |named: &'static str, more: Option<(&'static str, &'static str)>| {
        let headers = [
            ("Via", "SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK776asdhds;rport"),
            ("Max-Forwards", "70"),
            ("From", "\"Caller\" <sip:+12025550143@carrier.example;user=phone>;tag=1928301774"),
            ("To", "<sip:+12025550100@198.51.100.1>"),
            ("Call-ID", "a84b4c76e66710"),
            ("CSeq", "314159 INVITE"),
            ("P-Asserted-Identity", named),
            ("Privacy", "none"),
            ("Contact", "<sip:192.0.2.10:5060>"),
            ("Content-Type", "application/sdp"),
        ];
        headers.into_iter().chain(more).collect::<Vec<_>>()
    };
    let two = "<sip:+12025550143@carrier.example;user=phone>, <tel:+12025550143>";
    let attested = "<sip:+12025550143;verstat=TN-Validation-Passed@carrier.example;user=phone>, <tel:+12025550143>";
    let forwarded = Some(("Diversion", "<tel:+12025550150>;reason=unconditional"));
    // Two readings, each looked up in its plan: it could be dialled abroad, or be a number of this country.
    let format = NumberFormat::National { trunk_prefix: None, international_prefix: Some("011".to_owned()) };
    let national = policy(vec![TrunkProfile { number_format: format, ..trunk()? }]);
    let dialled = "<sip:011442079460123@carrier.example;user=phone>";
    let from_abroad = said(dialled, None).into_iter();
    let from_abroad = from_abroad.map(|(name, value)| (name, if name == "From" { dialled } else { value })).collect();
    let crowded = crowded()?;
    let mut many = said(two, Some(("X-Verstat", "TN-Validation-Of-Kind-20")));
    many.extend([("X-Carrier-Data", "0123456789abcdef"); 29]);
    let [carrier, stranger] = ["192.0.2.10:5060".parse()?, "203.0.113.1:5060".parse()?].map(Peer::udp);
    let table = [
        ("accepted, L2", &plain, &carrier, said(two, None), "L2"),
        ("accepted, attested: L3", &plain, &carrier, said(attested, None), "L3"),
        ("accepted by the last of 201 trunks, 40 headers, 20 words: L3", &crowded, &carrier, many, "L3"),
        (
            "refused at the last check: a foreign number, as dialled",
            &national,
            &carrier,
            from_abroad,
            "below-issuing-level",
        ),
        ("refused at the last check but one: forwarded", &plain, &carrier, said(two, forwarded), "forwarded"),
        ("refused at the first: unknown peer", &plain, &stranger, said(two, None), "unknown-peer"),
    ];
    let mut is_met = true;
    println!("the ordered checks on an INVITE, median of {BATCHES} batches of {ROUNDS}; mark: at most {MARK:?} a call");
    for (name, policy, peer, headers, expected) in &table {
        let told = match judge(policy, peer, ours, headers) {
            Verdict::Accept { caller, .. } => caller.level.to_string(),
            Verdict::Refuse(refusal) => refusal.reason.code().to_owned(),
        };
        assert_eq!(told, *expected, "{name}");
        let ours = timed(ROUNDS, || {
            black_box(judge(policy, peer, black_box(ours), headers));
        });
        is_met &= ours <= MARK;
        let verdict = if ours <= MARK { "met" } else { "MISSED" };
        println!("  {name}: {:.2} µs, {verdict}", micros(ours));
    }
    let parse = timed(ROUNDS, || {
        let _ = black_box(Number::parse(black_box("+12025550143")));
    });
    let country = "US".parse().ok();
    let read = timed(ROUNDS, || {
        let _ = black_box(Number::read(black_box("(202) 555-0143"), country));
    });
    println!("of that, a number looked up in its plan: {:.2} µs", micros(parse));
    println!("a number as people type it: {:.2} µs", micros(read));
    Ok(if is_met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
