//! Prints what it costs to verify a signed identity whose certificate was fetched before, held against its mark, beside what
//! `openssl speed` says of the same signature in the same seconds; and what is spared by keeping the signer.
//! `cargo run --release -p ivr-core --example passport_speed`

mod timing;

use std::hint::black_box;
use std::process::Command;
use std::time::Duration;

use ivr_core::passport::{Authority, Claimed, Passport, Signer, Trust, verify};
use timing::{BATCHES, micros, timed};

/// What a verification may cost with the signer kept.
const MARK: Duration = Duration::from_micros(300);
/// Few, so that a busy machine leaves most batches alone.
const ROUNDS: u32 = 10;

const IDENTITY: &str = include_str!("../scenarios/passport/a.identity");
const CHAIN: &[u8] = include_bytes!("../scenarios/passport/spc.pem");
const ROOT: &[u8] = include_bytes!("../scenarios/passport/root.pem");
const CALL: Claimed<'_> = Claimed { orig: "12025550143", dest: "12025550199" };

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Whose numbers they are is asked, too.
    let trust = Trust::from(Authority::anchored(ROOT)?.only_for(vec!["US".parse()?]));
    let at = Passport::read(IDENTITY)?.iat();
    let signer = Signer::read(CHAIN, &trust, at)?;
    let whole = |signer: &Signer| {
        let passport = Passport::read(black_box(IDENTITY))?;
        passport.check(CALL, at)?;
        verify(&passport, signer, at)
    };
    whole(&signer)?;
    let kept = timed(ROUNDS, || {
        black_box(whole(&signer)).ok();
    });
    let read = timed(ROUNDS, || {
        black_box(Passport::read(black_box(IDENTITY))).ok();
    });
    let chain = timed(ROUNDS, || {
        black_box(Signer::read(black_box(CHAIN), &trust, at)).ok();
    });
    println!("a signed identity, median of {BATCHES} batches of {ROUNDS}");
    println!("a token, its signer kept   {:7.1} µs (the mark is {:.0} µs)", micros(kept), micros(MARK));
    println!("of that, read and parsed   {:7.1} µs", micros(read));
    println!("a signer and its chain     {:7.1} µs", micros(chain));
    match openssl() {
        Some(one) => println!("openssl, one signature     {:7.1} µs", micros(one)),
        None => println!("openssl, one signature     not installed"),
    }
    if kept > MARK { Err("slower than its mark".into()) } else { Ok(()) }
}

/// What one verification costs OpenSSL, by its own benchmark of a second.
fn openssl() -> Option<Duration> {
    let output = Command::new("openssl").args(["speed", "-seconds", "1", "ecdsap256"]).output().ok()?;
    // Its line ends: seconds to sign, seconds to verify, signatures in a second, verifications in a second.
    let told = String::from_utf8(output.stdout).ok()?;
    let line = told.lines().find(|line| line.contains("nistp256"))?;
    let each_second: f64 = line.split_whitespace().last()?.parse().ok()?;
    Duration::try_from_secs_f64(1.0 / each_second).ok()
}
