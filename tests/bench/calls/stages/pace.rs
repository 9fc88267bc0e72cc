//! Many calls at once, each sending and receiving a packet every 20 ms.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use end_to_end::load::usage::Usage;
use end_to_end::load::{DIALLED, cores, numbers};
use ivr::clock::Clock;
use ivr::phone::load::{self, Load, Measured, Talk, percentile};

use super::short::mib;
use super::{CARRIER, milliseconds, runs};
use crate::Bench;
use crate::floor;
use crate::report::{Mark, Report};
use crate::service::{Service, Setup, found};

const AT_ONCE: usize = 2_000;
/// Calls begun in a second.
const PER_SECOND: f64 = 100.0;
/// How long all are on the line together.
const TOGETHER: Duration = Duration::from_secs(30);
/// As often as a second has packets.
const FLOOR_ROUNDS: usize = 50;

/// What many calls at once came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// In milliseconds.
    pub(super) off_p99: f64,
    pub(super) late_p999: f64,
    /// Of the service's core, while all talked.
    pub(super) busy: f64,
    /// Of the service's core, for one packet each way, in microseconds.
    pub(super) pair: f64,
    /// MiB.
    pub(super) memory_a_call: f64,
    /// Packets lost, and calls that did not go as they should.
    pub(super) lost: f64,
}

/// So many callers on a service that runs; while all talk, `meanwhile` is told once.
pub(super) fn talk(
    service: &Service,
    calls: usize,
    talk: Talk<'_>,
    meanwhile: impl FnOnce(&[SocketAddr]),
) -> anyhow::Result<(Pace, Measured)> {
    // Half as many callers as calls: each may have two.
    let callers = numbers(calls.div_ceil(2).max(1))?;
    if !matches!(talk, Talk::Keys { .. }) {
        service.expect(&callers)?;
    }
    let load = Load {
        service: service.sip(),
        dialled: DIALLED,
        local: Some(CARRIER),
        numbers: &callers,
        calls,
        per_second: PER_SECOND,
        length: Duration::from_secs_f64(calls as f64 / PER_SECOND) + TOGETHER,
        talk,
    };
    let at_rest = service.usage()?;
    let mut meanwhile = Some(meanwhile);
    let mut before: Option<(Usage, i128)> = None;
    let mut during = None;
    let measured = load::run(&load, |media| {
        let now = (service.usage()?, Clock.wall().unix_timestamp_nanos());
        match before {
            None => {
                before = Some(now);
                meanwhile.take().into_iter().for_each(|meanwhile| meanwhile(media));
            }
            Some(_) => during = Some(now),
        }
        Ok(())
    })?;
    let ((before, from), (during, until)) = before.zip(during).context("all were never on the line at once")?;
    let window = from..until;
    let mut off: Vec<_> = measured.spacings().filter(|at| window.contains(&at.at)).map(|spacing| spacing.off).collect();
    let mut late = measured.latenesses();
    let elapsed = (until - from) as f64 / 1e9;
    let ran = (during.ran() - before.ran()).as_secs_f64();
    let pairs = elapsed * calls as f64 / 0.02;
    let (received, lost) = measured.packets();
    let [off_p50, off_p99, off_p999] = [0.5, 0.99, 0.999].map(|part| milliseconds(percentile(&mut off, part)));
    let [late_p99, late_p999] = [0.99, 0.999].map(|part| milliseconds(percentile(&mut late, part)));
    let pace = Pace {
        off_p99,
        late_p999,
        busy: 100.0 * ran / elapsed,
        pair: 1e6 * ran / pairs,
        memory_a_call: (mib(during.resident_kib()) - mib(at_rest.resident_kib())) / calls as f64,
        lost: (lost + measured.failures()) as f64,
    };
    println!(
        "  {calls} calls: {received} packets received, {lost} lost, {} calls failed; off by p50 {off_p50:.2}, p99 {off_p99:.2}, p99.9 {off_p999:.2} ms; \
         late p99 {late_p99:.2}, p99.9 {late_p999:.2} ms; {:.1} % of the core, {:.2} us a packet each way; {:.1} to {:.1} MiB; \
         the load sent {:.1} % of its packets\n  {}",
        measured.failures(),
        pace.busy,
        pace.pair,
        mib(at_rest.resident_kib()),
        mib(during.resident_kib()),
        100.0 * measured.pace(),
        during.since(&before),
    );
    Ok((pace, measured))
}

pub(super) fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let [off, late, busy, pair, memory, lost, ratio, floor] = runs(bench, |bench| {
        cores::pin(bench.service_cores[0])?;
        let floor = floor::measure(AT_ONCE, FLOOR_ROUNDS)?;
        cores::pin(bench.load_core)?;
        let floor = floor.both().as_secs_f64() * 1e6;
        println!("  floor: {floor:.2} us for one packet each way");
        let service = Service::start(found(Setup::default())?, bench)?;
        let (pace, _) = talk(&service, AT_ONCE, Talk::Silence, |_| {})?;
        let Pace { off_p99, late_p999, busy, pair, memory_a_call, lost } = pace;
        Ok([off_p99, late_p999, busy, pair, memory_a_call, lost, pair / floor, floor])
    })?;
    let peers = "SEMS 1,000 calls: 4.5–4.9; Asterisk fewer than 200 calls";
    report.figure("2,000 calls, packets off by p99", "ms", Mark::AtMost(2.0), &off, peers);
    report.figure("2,000 calls, packets late p99.9", "ms", Mark::AtMost(5.0), &late, "SEMS 1,000 calls: p99 5–7");
    report.figure("2,000 calls, of the core", "%", Mark::AtMost(80.0), &busy, "SEMS 1,000 calls: 66–73");
    report.figure("CPU for one packet each way", "µs", Mark::AtMost(7.0), &pair, "SEMS 14, Asterisk 60");
    report.figure("the floor: sendto and recvfrom alone", "µs", Mark::None, &floor, "");
    report.figure("our CPU against the floor", "times", Mark::None, &ratio, "");
    report.figure("memory a call", "MiB", Mark::AtMost(0.03), &memory, "Asterisk 0.13, SEMS 0.28");
    report.figure("packets lost and calls failed", "", Mark::AtMost(0.0), &lost, "");
    Ok(())
}
