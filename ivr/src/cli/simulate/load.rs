//! `dialproof simulate --load`: what a service can take, measured from outside.

use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use ivr_core::number::Number;
use ivr_core::private::Private;
use serde_json::json;

use super::{Simulate, line, millis, numbers, percentiles};
use crate::clock::Clock;
use crate::phone::load::{self, Impairment, Load, Measured, Talk, sessions};

/// So many callers at most; more calls are theirs again. A number may have two calls at a time.
const CALLERS: usize = 2_000;
/// "Enter the code" is heard by then: the warning before it takes 16 s, and keys before its end are dropped.
const KEYS_AFTER: Duration = Duration::from_secs(18);

/// What callers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    /// They hang up as soon as they are answered.
    Short,
    /// They send and take in a packet every 20 ms.
    Talk,
    /// They key in the code of their session, too.
    Keys,
}

/// Parts of a hundred.
#[derive(Debug, Clone, Copy)]
pub struct Percents(Impairment);

impl FromStr for Percents {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Option<Vec<f64>> = text.split(',').map(|part| part.parse().ok()).collect();
        match parts.as_deref() {
            Some([lost, doubled, delayed])
                if [lost, doubled, delayed].iter().all(|part| (0.0..=100.0).contains(*part)) =>
            {
                Ok(Self(Impairment { lost: lost / 100.0, doubled: doubled / 100.0, delayed: delayed / 100.0 }))
            }
            _ => Err("three numbers from 0 to 100, such as 3,1,1".to_owned()),
        }
    }
}

/// Runs it: 0 if every call went as it should.
pub(super) async fn run(what: What, simulate: Simulate) -> anyhow::Result<ExitCode> {
    simulate.check_rate()?;
    let callers = (simulate.calls as usize).min(CALLERS).min(sessions::most(&simulate.http));
    let parsed = |text: String| Number::parse(&text).context("a number that was just counted");
    let numbers: Vec<Number> = numbers(&simulate.number, callers)?.into_iter().map(parsed).collect::<Result<_, _>>()?;
    let begun = sessions::begin(&simulate.http, &numbers).await.context("beginning the sessions")?;
    let dialled = simulate.to.clone().or_else(|| begun.first().map(|first| first.dial.number.clone()));
    let dialled = [dialled.context("no call is to be made")?].into_iter().chain(simulate.uri_parameters.clone());
    let dialled = dialled.collect::<Vec<_>>().join(";");
    let codes: Vec<Private<String>> = begun.into_iter().map(|started| started.code).collect();
    let rate = simulate.rate;
    let clock = Clock;
    let (began, simulated) = (clock.now(), simulate.clone());
    // It waits for nothing but the time.
    let measured = tokio::task::spawn_blocking(move || {
        let load = Load {
            service: simulated.sip,
            dialled: &dialled,
            local: None,
            numbers: &numbers,
            calls: simulated.calls as usize,
            per_second: rate,
            length: match what {
                What::Short => Duration::ZERO,
                What::Talk | What::Keys => Duration::from_secs(simulated.length.into()),
            },
            talk: match what {
                What::Short => Talk::Nothing,
                What::Talk => Talk::Silence,
                What::Keys => Talk::Keys { after: KEYS_AFTER, keys: &codes, impairment: simulated.impair.0 },
            },
        };
        load::run(&load, |_| Ok(()))
    });
    let measured = measured.await??;
    let elapsed = clock.now() - began;
    let is_good = measured.failures() == 0;
    if simulate.json {
        println!("{}", told(&simulate, measured, elapsed))
    } else {
        print(&simulate, measured, elapsed)
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(simulate: &Simulate, measured: Measured, elapsed: Duration) {
    let (good, failures) = counted(simulate, &measured);
    println!(
        "{} calls begun at {}/s, {good} as they should be, {:.1} s in all",
        simulate.calls,
        simulate.rate,
        elapsed.as_secs_f64()
    );
    println!("INVITE to 200:                        {}", line(&sorted(measured.setups.clone())));
    let (received, lost) = measured.packets();
    if received > 0 {
        println!("a packet away from 20 ms after its predecessor: {}", line(&sorted(measured.deviations())));
        println!("a packet after its time, against the pace of its call: {}", line(&sorted(measured.latenesses())));
        println!("packets: {} sent, {received} received, {lost} lost", measured.sent);
    }
    if measured.sent > 0 && measured.pace() < 0.99 {
        println!("this load was too slow: it sent {:.1} % of its packets", measured.pace() * 100.0);
    }
    failures.into_iter().for_each(|failure| println!("failed: {failure}"));
}

fn told(simulate: &Simulate, measured: Measured, elapsed: Duration) -> serde_json::Value {
    let (good, failures) = counted(simulate, &measured);
    let (received, lost) = measured.packets();
    json!({
        "calls": simulate.calls,
        "rate": simulate.rate,
        "good": good,
        "failures": failures,
        "elapsed_ms": millis(elapsed),
        "setup_ms": percentiles(&sorted(measured.setups.clone())),
        "spacing_error_ms": percentiles(&sorted(measured.deviations())),
        "lateness_ms": percentiles(&sorted(measured.latenesses())),
        "packets_sent": measured.sent,
        "packets_received": received,
        "packets_lost": lost,
    })
}

/// How many calls went as they should, and what the others died of.
fn counted(simulate: &Simulate, measured: &Measured) -> (u64, Vec<String>) {
    let mut failures: Vec<String> =
        measured.refused.iter().map(|(status, calls)| format!("{calls} refused with {status}")).collect();
    for (calls, what) in [(measured.unanswered, "without an answer"), (measured.cut_off, "ended by the service")] {
        failures.extend((calls > 0).then(|| format!("{calls} {what}")));
    }
    (u64::from(simulate.calls).saturating_sub(measured.failures()), failures)
}

fn sorted(mut values: Vec<Duration>) -> Vec<Duration> {
    values.sort_unstable();
    values
}
