//! What is measured, one file each.

mod ceiling;
mod cores;
mod growth;
mod issuing;
mod keys;
mod limit;
mod pace;
mod short;
mod sipp;
mod start;

use anyhow::Context;
use end_to_end::load::{DIALLED, numbers};
use ivr::phone::load::{Load, Talk};
use ivr_core::number::Number;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::Bench;
use crate::report::Report;
use crate::service::Service;

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Stage {
    /// From the process's beginning to the first SIP answer; memory at rest
    Start,
    /// INVITE to 200 at 50 calls a second
    Setup,
    /// 2,500 calls a second, INVITE to BYE, for a minute
    Short,
    /// 2,000 calls at once, a packet each way every 20 ms
    Pace,
    /// 2,000 callers key in their codes over a bad network
    Keys,
    /// More calls than there is room for
    Limit,
    /// 200 calls while a number is verified, certified and published
    Issuing,
    /// The load held against SIPp's
    Sipp,
    /// From 100 to 2,000 calls, from 10^3 to 10^6 stored verifications
    Growth,
    /// The same with two cores for the service
    Cores,
    /// How many short calls a second are possible
    Ceiling,
}

impl Stage {
    pub(crate) const ALL: [Self; 11] = [
        Self::Start,
        Self::Setup,
        Self::Short,
        Self::Pace,
        Self::Keys,
        Self::Limit,
        Self::Issuing,
        Self::Sipp,
        Self::Growth,
        Self::Cores,
        Self::Ceiling,
    ];

    pub(crate) fn measure(self, bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
        match self {
            Self::Start => start::measure(bench, report),
            Self::Setup => short::setup(bench, report),
            Self::Short => short::measure(bench, report),
            Self::Pace => pace::measure(bench, report),
            Self::Keys => keys::measure(bench, report),
            Self::Limit => limit::measure(bench, report),
            Self::Issuing => issuing::measure(bench, report),
            Self::Sipp => sipp::measure(bench, report),
            Self::Growth => growth::measure(bench),
            Self::Cores => cores::measure(bench, report),
            Self::Ceiling => ceiling::measure(bench, report),
        }
        .with_context(|| format!("stage {self:?}"))
    }
}

/// Where the carrier's calls come from.
const CARRIER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Different callers of short calls: each may have two calls at a time.
const CALLERS: usize = 2_000;

/// Short calls from these numbers.
fn short_calls<'a>(service: &Service, numbers: &'a [Number], per_second: f64, seconds: f64) -> Load<'a> {
    Load {
        service: service.sip(),
        dialled: DIALLED,
        local: Some(CARRIER),
        numbers,
        calls: (per_second * seconds) as usize,
        per_second,
        length: Duration::ZERO,
        talk: Talk::Nothing,
    }
}

/// So many callers, of whom the service knows.
fn expected(service: &Service, count: usize) -> anyhow::Result<Vec<Number>> {
    let numbers = numbers(count)?;
    service.expect(&numbers)?;
    Ok(numbers)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Runs as often as wanted, and gives each figure of all runs.
fn runs<const N: usize>(
    bench: &Bench,
    mut run: impl FnMut(&Bench) -> anyhow::Result<[f64; N]>,
) -> anyhow::Result<[Vec<f64>; N]> {
    let mut figures = std::array::from_fn(|_| Vec::new());
    for _ in 0..bench.runs {
        for (all, one) in figures.iter_mut().zip(run(bench)?) {
            all.push(one);
        }
    }
    Ok(figures)
}
