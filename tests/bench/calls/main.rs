//! How well many calls are served: `cargo bench -p end-to-end --bench calls`. Load and service have a core each; what is
//! printed says how it was measured.
//!
//! By default the service is this program again, with the SIP and media drivers of `dialproof` and a desk that knows
//! every caller (`service.rs`). `-- --sip ADDRESS --pid PID` puts the load on a service that runs already: it must
//! expect calls from the numbers that `--numbers` prints.

mod caller;
mod cores;
mod load;
mod process;
mod service;
mod stamped;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use ivr_core::number::Number;

use load::{Load, Measured};
use process::Usage;
use service::Service;

/// Calls at the same time, and how long each of them lasts.
const AT_ONCE: usize = 200;
const LONG: Duration = Duration::from_secs(30);
/// Calls that are only answered and ended, for the time from the INVITE to its 200.
const SHORT_CALLS: usize = 1_000;
const SHORT: Duration = Duration::from_secs(1);
/// Calls begun in a second, in both.
const RATE: u32 = 50;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["service"] => service::serve(),
        ["--numbers"] => {
            numbers()?.iter().for_each(|number| println!("{}", number.as_str()));
            Ok(())
        }
        ["--sip", sip, "--pid", pid] => {
            let pid = pid.parse().context("--pid")?;
            measure(sip.parse().context("--sip")?, pid, "the service that runs already, on the cores it was given")
        }
        // `cargo test --all-targets` runs every benchmark; this one takes a minute and measures nothing beside others.
        [] if !std::env::args().any(|argument| argument == "--bench") => Ok(()),
        [] => {
            let cores = cores::allowed()?;
            let (service_core, load_core) = (cores[0], cores[cores.len() - 1]);
            cores::pin(service_core)?;
            let service = Service::start()?;
            cores::pin(load_core)?;
            let place = if service_core == load_core {
                "THE SAME CORE AS THE LOAD, there is no other".to_owned()
            } else {
                format!("core {service_core}, load on core {load_core}")
            };
            let what = format!("SIP and media drivers with a desk that knows every caller, on {place}");
            measure(service.address(), service.pid(), &what)?;
            println!("service's own count:  {}", service.end()?);
            Ok(())
        }
        other => bail!("{other:?}: nothing, --numbers, or --sip ADDRESS --pid PID"),
    }
}

fn measure(sip: SocketAddr, pid: u32, what: &str) -> anyhow::Result<()> {
    println!("service:              {what}");
    println!("machine:              {}", process::machine()?);
    println!(
        "arrivals:             stamped by the kernel as it takes each datagram from the loopback (SO_TIMESTAMPNS)"
    );

    let numbers = numbers()?;
    let short = Load { calls: SHORT_CALLS, per_second: RATE, length: SHORT };
    let answered = load::run(&short, sip, &numbers, || Ok(()))?;
    println!("\n{SHORT_CALLS} calls of {SHORT:?}, {RATE} begun in a second");
    println!("INVITE to 200:        {}", percentiles(answered.setups.clone()));
    println!("                      from before the INVITE is given to the kernel");
    failures(&answered);

    let (mut before, mut during) = (None, None);
    let long = Load { calls: AT_ONCE, per_second: RATE, length: LONG };
    let mut looks = 0;
    let spoken = load::run(&long, sip, &numbers, || {
        looks += 1;
        let usage = Usage::of(pid)?;
        if before.is_none() {
            before = Some(usage)
        } else {
            during = Some(usage)
        }
        Ok(())
    })?;
    println!("\n{AT_ONCE} calls at once of {LONG:?}, PCMU every 20 ms both ways");
    println!("INVITE to 200:        {}", percentiles(spoken.setups.clone()));
    println!("packets off by:       {}", percentiles(spoken.deviations.clone()));
    println!("                      how far a packet came from 20 ms after the one before it");
    println!("packets:              {} received, {} lost", spoken.received, spoken.lost);
    println!("                      {} sent, {:.1} % of what the load should have", spoken.sent, spoken.pace() * 100.0);
    if let (Some(before), Some(during)) = (before, during) {
        println!("while all talked:     {}", during.since(&before));
    }
    failures(&spoken);
    Ok(())
}

fn failures(measured: &Measured) {
    let Measured { refused, unanswered, cut_off, .. } = measured;
    if refused + unanswered + cut_off > 0 {
        println!("NOT AS IT SHOULD BE:  {refused} refused, {unanswered} unanswered, {cut_off} ended by the service");
    }
}

/// As many valid numbers as calls are made at most, no two alike: +1 NPA 555 01XX, which no telephone has.
fn numbers() -> anyhow::Result<Vec<Number>> {
    let all = (201..990).flat_map(|area| (100..200).map(move |line| format!("+1{area}5550{line}")));
    let valid: Vec<Number> = all.filter_map(|text| Number::parse(&text).ok()).take(SHORT_CALLS.max(AT_ONCE)).collect();
    if valid.len() < SHORT_CALLS.max(AT_ONCE) {
        bail!("only {} numbers are valid", valid.len());
    }
    Ok(valid)
}

fn percentiles(mut values: Vec<Duration>) -> String {
    values.sort_unstable();
    let at = |part: f64| {
        let rank = (part * values.len() as f64).ceil() as usize;
        let value = values.get(rank.saturating_sub(1)).copied().unwrap_or_default();
        format!("{:.2} ms", value.as_secs_f64() * 1e3)
    };
    format!("p50 {}, p99 {}, p99.9 {}, greatest {} (of {})", at(0.5), at(0.99), at(0.999), at(1.0), values.len())
}
