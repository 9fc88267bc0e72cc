//! Calls that are answered and end at once.

use ivr::phone::load::{self, percentile};
use ivr_core::number::Number;

use super::{CALLERS, expected, milliseconds, runs, short_calls};
use crate::Bench;
use crate::report::{Mark, Report};
use crate::service::{Service, Setup, found};

const PER_SECOND: f64 = 2_500.0;
const SECONDS: f64 = 60.0;
/// 100,000 calls.
const SECONDS_MORE: f64 = 40.0;

/// What short calls came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Short {
    /// Calls that did not go as they should, and 200s that were sent again.
    pub(super) failed: f64,
    /// Of the service's core, in milliseconds.
    pub(super) cpu_a_call: f64,
    /// INVITE to 200, in milliseconds.
    pub(super) p50: f64,
    pub(super) p99: f64,
    /// What its memory grew by, in MiB.
    pub(super) grown: f64,
}

/// Short calls of these numbers at this rate, on a service that expects them.
pub(super) fn calls(service: &Service, numbers: &[Number], per_second: f64, seconds: f64) -> anyhow::Result<Short> {
    // Whatever is made once.
    load::run(&short_calls(service, numbers, per_second.min(500.0), 1.0), |_| Ok(()))?;
    let before = service.usage()?;
    let load = short_calls(service, numbers, per_second, seconds);
    let mut measured = load::run(&load, |_| Ok(()))?;
    let after = service.usage()?;
    let calls = load.calls as f64;
    let [p50, p99] = [0.5, 0.99].map(|part| milliseconds(percentile(&mut measured.setups, part)));
    println!(
        "  {per_second} calls a second for {seconds} s: {} failed {:?}, {} unanswered, {} 200s again; INVITE to 200 p50 {p50:.2} ms, p99 {p99:.2} ms; \
         {:.3} ms CPU a call; {:.1} to {:.1} MiB",
        measured.failures(),
        measured.refused,
        measured.unanswered,
        measured.repeated,
        milliseconds(after.ran() - before.ran()) / calls,
        mib(before.resident_kib()),
        mib(after.resident_kib()),
    );
    Ok(Short {
        failed: (measured.failures() + measured.repeated) as f64,
        cpu_a_call: milliseconds(after.ran() - before.ran()) / calls,
        p50,
        p99,
        grown: mib(after.resident_kib()) - mib(before.resident_kib()),
    })
}

pub(super) fn mib(kib: u64) -> f64 {
    kib as f64 / 1_024.0
}

/// The pace that SIPp was held to.
pub(super) fn setup(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let [p50, p99] = runs(bench, |bench| {
        let service = Service::start(found(Setup::default())?, bench)?;
        let short = calls(&service, &expected(&service, CALLERS)?, 50.0, 20.0)?;
        Ok([short.p50, short.p99])
    })?;
    report.figure("INVITE to 200 at 50 calls/s, p50", "ms", Mark::AtMost(0.3), &p50, "SEMS 0.53");
    report.figure("INVITE to 200 at 50 calls/s, p99", "ms", Mark::AtMost(1.0), &p99, "SEMS 3.0");
    Ok(())
}

/// What a carrier's whole day looks like.
pub(super) fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let [failed, cpu, p50, p99, before, settled, grown] = runs(bench, |bench| {
        let service = Service::start(found(Setup::default())?, bench)?;
        let numbers = expected(&service, CALLERS)?;
        let short = calls(&service, &numbers, PER_SECOND, SECONDS)?;
        // The tables of ended requests, which are remembered for half a minute, may once more double while those that
        // came are as many as those that go; from then on 100,000 calls must add nothing.
        let settling = calls(&service, &numbers, PER_SECOND, SECONDS_MORE)?;
        let again = calls(&service, &numbers, PER_SECOND, SECONDS_MORE)?;
        let failed = short.failed + settling.failed + again.failed;
        Ok([failed, short.cpu_a_call, short.p50, short.p99, short.grown, settling.grown, again.grown])
    })?;
    let peers = "SEMS 650 calls/s, Asterisk 534";
    let what = "failures and retransmissions of 350,000 calls at 2,500/s";
    report.figure(what, "calls", Mark::AtMost(0.0), &failed, peers);
    report.figure("CPU of a short call", "ms", Mark::AtMost(0.2), &cpu, "SEMS 0.43–0.55, Asterisk 1.75");
    report.figure("INVITE to 200 at 2,500 calls/s, p50", "ms", Mark::None, &p50, "");
    report.figure("INVITE to 200 at 2,500 calls/s, p99", "ms", Mark::None, &p99, "");
    report.figure("memory for the requests of the last 32 s at 2,500 calls/s", "MiB", Mark::None, &before, "");
    report.figure("growth by the next 100,000 calls", "MiB", Mark::None, &settled, "");
    report.figure("growth by another 100,000 calls", "MiB", Mark::AtMost(4.0), &grown, "");
    Ok(())
}
