//! How well many calls are served: `cargo bench -p end-to-end --bench calls`. Load and service have a core each; what is
//! printed says how it was measured.
//!
//! By default the service is `dialproof demo`, and one more person proves a number and gets a certificate while all
//! talk. `-- --drivers` leaves all of it away but SIP and media (`drivers.rs`). `-- --sip ADDRESS --pid PID` puts the
//! load on a service that runs already: it must expect calls from the numbers that `-- --numbers` prints.

mod drivers;
mod service;
mod whole;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use end_to_end::load::usage::{self, Usage};
use end_to_end::load::{self, Load, Measured, cores, percentile};

use service::Service;

/// Calls at the same time, and how long each of them lasts: longer than the script takes to issue a certificate.
const AT_ONCE: usize = 200;
const LONG: Duration = Duration::from_secs(40);
/// Calls that are only answered and ended, for the time from the INVITE to its 200. There must be a port for each: it
/// rests after its call.
const SHORT_CALLS: usize = 350;
const SHORT: Duration = Duration::from_secs(1);
const PORT_RESTS: Duration = Duration::from_secs(11);
/// Calls begun in a second, in both.
const RATE: u32 = 50;

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [drivers::ROLE] => drivers::serve()?,
        [whole::ROLE, arguments @ ..] => return whole::serve(arguments),
        ["--numbers"] => load::numbers(SHORT_CALLS + 1)?.iter().for_each(|number| println!("{}", number.as_str())),
        ["--sip", sip, "--pid", pid] => {
            let sip = sip.parse().context("--sip")?;
            let service = Service {
                what: "one that runs already",
                sip,
                http: None,
                child: None,
                end: Box::new(|| Ok(String::new())),
            };
            measure(&service, pid.parse().context("--pid")?)?;
        }
        ["--drivers"] => beside_each_other(drivers::start)?,
        // `cargo test --all-targets` runs every benchmark; this one takes a minute and measures nothing beside others.
        [] if !std::env::args().any(|argument| argument == "--bench") => {}
        [] => beside_each_other(whole::start)?,
        other => bail!("{other:?}: nothing, --drivers, --numbers, or --sip ADDRESS --pid PID"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Service and load, each on its core.
fn beside_each_other(start: impl FnOnce() -> anyhow::Result<Service>) -> anyhow::Result<()> {
    let cores = cores::allowed()?;
    let (service_core, load_core) = (cores[0], cores[cores.len() - 1]);
    if service_core == load_core {
        println!("THERE IS ONE CORE: service and load share it");
    }
    cores::pin(service_core)?;
    let service = start()?;
    cores::pin(load_core)?;
    println!("cores:                service on {service_core}, load on {load_core}");
    let pid = service.child.as_ref().context("a service of our own")?.pid();
    measure(&service, pid)?;
    print!("{}", service.end()?);
    Ok(())
}

fn measure(service: &Service, pid: u32) -> anyhow::Result<()> {
    println!("service:              {}", service.what);
    println!("machine:              {}", usage::machine()?);
    println!(
        "arrivals:             stamped by the kernel as it takes each datagram from the loopback (SO_TIMESTAMPNS)"
    );

    let numbers = load::numbers(SHORT_CALLS + 1)?;
    let (person, callers) = numbers.split_last().context("no numbers")?;
    if let Some(http) = &service.http {
        whole::expect(http, callers)?;
    }
    let short = Load { calls: SHORT_CALLS, per_second: RATE, length: SHORT };
    let answered = load::run(&short, service.sip, callers, |_| Ok(()))?;
    println!("\n{SHORT_CALLS} calls of {SHORT:?}, {RATE} begun in a second");
    println!("INVITE to 200:        {}", percentiles(answered.setups.clone()));
    println!("                      from before the INVITE is given to the kernel");
    failures(&answered);
    std::thread::sleep(PORT_RESTS);

    usage::forget_peak(pid)?;
    let person = service.http.clone().map(|http| {
        let (person, sip) = (person.clone(), service.sip);
        std::thread::spawn(move || whole::verify(&http, sip, &person))
    });
    let (mut before, mut during) = (None, None);
    let long = Load { calls: AT_ONCE - usize::from(person.is_some()), per_second: RATE, length: LONG };
    let spoken = load::run(&long, service.sip, callers, |_| {
        let usage = Usage::of(pid)?;
        if before.is_none() {
            before = Some(usage)
        } else {
            during = Some(usage)
        }
        Ok(())
    })?;
    println!("\n{AT_ONCE} calls at once of {LONG:?}, PCMU every 20 ms both ways");
    if let Some(person) = person {
        let verified = person.join();
        verified.unwrap_or_else(|_| bail!("the one who verified a number panicked"))?;
        println!("                      one of them verified its number and got a certificate, published");
    }
    println!("INVITE to 200:        {}", percentiles(spoken.setups.clone()));
    println!("packets off by:       {}", percentiles(spoken.deviations()));
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

fn percentiles(mut values: Vec<Duration>) -> String {
    let mut at = |part: f64| format!("{:.2} ms", percentile(&mut values, part).as_secs_f64() * 1e3);
    let [half, most, nearly_all, all] = [0.5, 0.99, 0.999, 1.0].map(&mut at);
    format!("p50 {half}, p99 {most}, p99.9 {nearly_all}, greatest {all} (of {})", values.len())
}
