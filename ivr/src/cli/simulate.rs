//! `dialproof simulate`: a built-in person starts a verification, calls, listens and types; or many of them at a rate.
//! The exit code is 0 only if every scenario ended as it should.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use ivr_core::number::Number;
use serde_json::json;
use tokio::task::JoinSet;

#[cfg(target_os = "linux")]
mod load;

use super::private_file::{self, Present};
use super::web_address::web_address;
use crate::clock::Clock;
use crate::event::EndpointId;
use crate::phone::Scenario;
use crate::phone::api::Api;
use crate::phone::applicant::{Application, Outcome, Prepared, Tale, apply};

/// Verifications that are started at the same time before the calls.
const PREPARED_AT_ONCE: usize = 8;

/// What to simulate.
#[derive(Debug, Clone, clap::Args)]
pub struct Simulate {
    /// How the caller behaves: happy, tones (keys as tones in the audio), wrong-code, three-wrong-codes, early-keys, dial-string, wrong-confirm, wrong-read-back,
    /// no-read-back, hang-up, hang-up-dialling, hang-up-code, hang-up-confirm, hang-up-read-back, hang-up-typing, suspend (keys in no code, and suspends what the number has), silent, anonymous, spoof, code-only (for a service
    /// whose binding is code-only)
    #[arg(long, default_value = "happy")]
    pub scenario: Scenario,
    /// The service's web address
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080", value_parser = web_address)]
    pub http: String,
    /// The service's SIP address
    #[arg(long, default_value = "127.0.0.1:5060")]
    pub sip: SocketAddr,
    /// The number to verify; several calls count on from it
    #[arg(long, default_value = "+12025550143")]
    pub number: String,
    /// The number to dial, if not the one the service tells
    #[arg(long)]
    pub to: Option<String>,
    /// A parameter of the Request-URI, such as the trunk's ingress secret (repeatable)
    #[arg(long = "uri-parameter", value_name = "NAME=VALUE")]
    pub uri_parameters: Vec<String>,
    /// The language of the voice
    #[arg(long, default_value = "en")]
    pub locale: String,
    /// Rehearse in the sandbox, over a trunk of it; --number must be one of the sandbox's
    #[arg(long, conflicts_with = "publish")]
    pub sandbox: bool,
    /// Have its events posted to this endpoint of the operator's (ep_…), as a web site does
    #[arg(long, value_name = "ENDPOINT", conflicts_with = "sandbox")]
    pub webhook: Option<EndpointId>,
    /// Ask for no certificate, only for a result
    #[arg(long)]
    pub without_certificate: bool,
    /// Begin it as an app: compare the key check that the voice says with that of the key
    #[arg(long, conflicts_with = "without_certificate")]
    pub app: bool,
    /// Put no record into the DHT (many calls never do, unless --publish)
    #[arg(long, conflicts_with = "publish")]
    pub without_publishing: bool,
    /// Put records into the DHT, however many calls there are
    #[arg(long)]
    pub publish: bool,
    /// Write the private key that was certified into this file (PEM), for `locate`; one that is there stays
    #[arg(long, value_name = "FILE", conflicts_with_all = ["calls", "without_certificate"])]
    pub keep_key: Option<PathBuf>,
    /// How many calls to make
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub calls: u32,
    /// How many calls to begin in a second
    #[arg(long, default_value_t = 10.0)]
    pub rate: f64,
    /// Measure the service instead, with callers that neither listen nor understand: short (INVITE, ACK, BYE), talk (a
    /// packet each way every 20 ms), keys (the same, and the code of the session)
    #[cfg(target_os = "linux")]
    #[arg(long, value_name = "WHAT", conflicts_with_all = ["scenario", "publish", "locale", "webhook"])]
    pub load: Option<load::What>,
    /// How long each caller of --load talk or keys is on the line
    #[cfg(target_os = "linux")]
    #[arg(long, value_name = "SECONDS", default_value_t = 30, requires = "load")]
    pub length: u32,
    /// How many of a hundred packets of --load keys get lost, arrive twice, arrive after the next one
    #[cfg(target_os = "linux")]
    #[arg(long, value_name = "LOST,DOUBLED,DELAYED", default_value = "0,0,0", requires = "load")]
    pub impair: load::Percents,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub async fn run(simulate: Simulate) -> anyhow::Result<ExitCode> {
    #[cfg(target_os = "linux")]
    if let Some(what) = simulate.load {
        return load::run(what, simulate).await;
    }
    if simulate.calls == 1 { one(simulate).await } else { many(simulate).await }
}

async fn one(simulate: Simulate) -> anyhow::Result<ExitCode> {
    if let Some(file) = &simulate.keep_key {
        // Before the call: the key that is there may be that of another number.
        private_file::check_free(file)?;
    }
    let json = simulate.json;
    let clock = Clock;
    let began = clock.now();
    let tell = move |tale: Tale| {
        let line = tale.to_string();
        if !json && !line.is_empty() {
            println!("{:6.1} s  {line}", (clock.now() - began).as_secs_f64());
        }
    };
    let outcome = apply(simulate.application(&simulate.number, !simulate.without_publishing), &tell).await?;
    if let Some(file) = &simulate.keep_key {
        private_file::write(file, outcome.key_pem.expose(), Present::Replaced)?;
    }
    if json {
        println!("{}", report(&simulate, &outcome));
    }
    Ok(match &outcome.verdict {
        Ok(()) => {
            if !json {
                println!("{}: as it should be", simulate.scenario);
            }
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{}: {why}", simulate.scenario);
            ExitCode::FAILURE
        }
    })
}

/// Verifications are prepared first; then the calls begin at the rate, whatever the calls before them do.
async fn many(simulate: Simulate) -> anyhow::Result<ExitCode> {
    simulate.check_rate()?;
    let clock = Clock;
    let template = simulate.application(&simulate.number, simulate.publish);
    let numbers = numbers(&simulate.number, simulate.calls as usize)?;
    let prepared: Vec<Prepared> = stream::iter(numbers)
        .map(|number| Prepared::start(Application { number, ..template.clone() }, &|_| {}))
        .buffered(PREPARED_AT_ONCE)
        .try_collect()
        .await
        .context("before any call was made")?;

    let began = clock.now();
    let mut calls = JoinSet::new();
    for (n, prepared) in prepared.into_iter().enumerate() {
        let at = began + Duration::from_secs_f64(n as f64 / simulate.rate);
        calls.spawn(async move {
            tokio::time::sleep_until(at.into()).await;
            prepared.call(&|_| {}).await
        });
    }
    let mut load = Load::default();
    while let Some(ended) = calls.join_next().await {
        match ended? {
            Ok(outcome) => load.take(outcome),
            Err(failure) => load.failures.push(format!("{:#}", anyhow::Error::from(failure))),
        }
    }
    let elapsed = clock.now() - began;
    load.setups.sort_unstable();
    load.spacing_errors.sort_unstable();
    if simulate.json {
        println!("{}", load.json(&simulate, elapsed));
    } else {
        load.print(&simulate, elapsed);
    }
    Ok(if load.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Simulate {
    fn check_rate(&self) -> anyhow::Result<()> {
        if !(self.rate.is_finite() && self.rate > 0.0) {
            bail!("--rate {}: say how many calls to begin in a second", self.rate);
        }
        Ok(())
    }

    fn application(&self, number: &str, publish: bool) -> Application {
        let api = Api::new(&self.http);
        let api = if self.sandbox { api.rehearsing() } else { api };
        let api = match &self.webhook {
            Some(webhook) => api.telling(&webhook.to_string()),
            None => api,
        };
        let mut application = Application::new(api, self.sip, number, self.scenario);
        if self.locale != application.locale {
            application.speak(&self.locale);
        }
        Application {
            // A result alone is never published.
            publish: publish && !self.sandbox && !self.without_certificate,
            certificate: !self.without_certificate,
            by_app: self.app,
            dialled: self.to.clone(),
            uri_parameters: self.uri_parameters.clone(),
            ..application
        }
    }
}

/// What many calls were like.
#[derive(Debug, Default)]
struct Load {
    good: usize,
    failures: Vec<String>,
    setups: Vec<Duration>,
    spacing_errors: Vec<Duration>,
    packets_sent: u64,
    packets_received: u64,
    packets_lost: u64,
}

impl Load {
    fn take(&mut self, outcome: Outcome) {
        match outcome.verdict {
            Ok(()) => self.good += 1,
            Err(why) => self.failures.push(why),
        }
        self.setups.extend(outcome.call.setup);
        self.spacing_errors.extend(outcome.call.spacing_errors);
        self.packets_sent += outcome.call.packets_sent;
        self.packets_received += outcome.call.packets_received;
        self.packets_lost += outcome.call.packets_lost;
    }

    fn print(&self, simulate: &Simulate, elapsed: Duration) {
        println!(
            "{} calls ({}) begun at {}/s, {} as they should be, {:.1} s in all",
            simulate.calls,
            simulate.scenario,
            simulate.rate,
            self.good,
            elapsed.as_secs_f64()
        );
        println!("INVITE to 200:                        {}", line(&self.setups));
        println!("a packet away from 20 ms after its predecessor: {}", line(&self.spacing_errors));
        println!("packets: {} sent, {} received, {} lost", self.packets_sent, self.packets_received, self.packets_lost);
        for why in self.failures.iter().take(10) {
            println!("failed: {why}");
        }
        if self.failures.len() > 10 {
            println!("and {} more failed", self.failures.len() - 10);
        }
    }

    fn json(&self, simulate: &Simulate, elapsed: Duration) -> serde_json::Value {
        json!({
            "scenario": simulate.scenario.to_string(),
            "calls": simulate.calls,
            "rate": simulate.rate,
            "good": self.good,
            "failures": self.failures,
            "elapsed_ms": millis(elapsed),
            "setup_ms": percentiles(&self.setups),
            "spacing_error_ms": percentiles(&self.spacing_errors),
            "packets_sent": self.packets_sent,
            "packets_received": self.packets_received,
            "packets_lost": self.packets_lost,
        })
    }
}

fn report(simulate: &Simulate, outcome: &Outcome) -> serde_json::Value {
    let call = &outcome.call;
    let mut spacing_errors = call.spacing_errors.clone();
    spacing_errors.sort_unstable();
    json!({
        "scenario": simulate.scenario.to_string(),
        "ok": outcome.verdict.is_ok(),
        "why": outcome.verdict.as_ref().err(),
        "identity": format!("tel:{}", simulate.number),
        "verification": outcome.verification,
        "call": {
            "call_id": call.call_id,
            "status": call.status,
            "ended_by": format!("{:?}", call.ended_by).to_lowercase(),
            "setup_ms": call.setup.map(millis),
            "duration_ms": millis(call.duration),
            "packets_sent": call.packets_sent,
            "packets_received": call.packets_received,
            "packets_lost": call.packets_lost,
            "spacing_error_ms": percentiles(&spacing_errors),
            "heard": call.heard.iter().map(|id| id.name()).collect::<Vec<_>>(),
        },
    })
}

fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// Of sorted values: the one that this part of them does not exceed.
fn percentile(sorted: &[Duration], part: f64) -> Option<Duration> {
    let rank = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

fn percentiles(sorted: &[Duration]) -> serde_json::Value {
    let at = |part| percentile(sorted, part).map(millis);
    json!({ "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "p999": at(0.999), "max": at(1.0) })
}

fn line(sorted: &[Duration]) -> String {
    let at = |part| percentile(sorted, part).map_or(0.0, millis);
    let (p50, p99, p999, max) = (at(0.5), at(0.99), at(0.999), at(1.0));
    format!("p50 {p50:.2} ms, p99 {p99:.2} ms, p99.9 {p999:.2} ms, max {max:.2} ms ({} measured)", sorted.len())
}

/// So many valid numbers of the first one's country, counting on from it. Within the numbers that no telephone has (+1 NPA 555 01XX), only such
/// are counted; other numbers are the caller's own risk.
fn numbers(first: &str, count: usize) -> anyhow::Result<Vec<String>> {
    let number = Number::parse(first).with_context(|| format!("--number {first}"))?;
    let mut next: u64 = number.as_str()[1..].parse().context("a number is digits")?;
    let fictitious = is_fictitious(next);
    let mut found = Vec::with_capacity(count);
    while found.len() < count {
        let text = format!("+{next}");
        if text.len() > first.len() || (fictitious && next >= 20_000_000_000) {
            bail!("there are only {} valid numbers from {first} on: begin with a lower one", found.len());
        }
        // A trunk gives numbers of another country a lower level.
        if Number::parse(&text).is_ok_and(|found| found.country() == number.country()) {
            found.push(text);
        }
        next += 1;
        if fictitious && !is_fictitious(next) {
            // The first of the next area code.
            next = (next / 10_000_000 + 1) * 10_000_000 + 5_550_100;
        }
    }
    Ok(found)
}

fn is_fictitious(number: u64) -> bool {
    number / 10_000_000_000 == 1 && number / 100 % 100_000 == 55_501
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_on_among_those_that_no_telephone_has() {
        let all = numbers("+12025550143", 400).unwrap();
        assert_eq!((all[0].as_str(), all[1].as_str()), ("+12025550143", "+12025550144"));
        assert_eq!(all[57], "+12035550100", "after the 57 of area code 202 those of 203");
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), 400);
        assert!(all.iter().all(|number| Number::parse(number).is_ok() && number[5..].starts_with("55501")));
        // 204 lies in Canada.
        assert_eq!(numbers("+12035550199", 2).unwrap()[1], "+12055550100");
    }

    #[test]
    fn who_asks_for_no_certificate_asks_for_no_record() {
        let command = || <Simulate as clap::Args>::augment_args(clap::Command::new("simulate"));
        for (options, publish) in [(&["simulate"][..], true), (&["simulate", "--without-certificate"], false)] {
            let asked = command().try_get_matches_from(options).unwrap();
            let simulate = <Simulate as clap::FromArgMatches>::from_arg_matches(&asked).unwrap();
            let application = simulate.application(&simulate.number, true);
            assert_eq!((application.publish, application.certificate), (publish, publish), "{options:?}");
        }
    }

    #[test]
    fn the_help_names_every_scenario() {
        let command = <Simulate as clap::Args>::augment_args(clap::Command::new("simulate"));
        let help =
            command.get_arguments().find(|argument| argument.get_id() == "scenario").and_then(|it| it.get_help());
        let help = help.unwrap().to_string();
        let named: Vec<&str> = help.split([':', ',', ' ']).collect();
        assert!(Scenario::ALL.iter().all(|(name, _)| named.contains(name)), "{help}");
    }

    #[test]
    fn the_end_of_the_numbers_is_told() {
        let error = numbers("+19895550100", 1_000).unwrap_err().to_string();
        assert!(error.contains("begin with a lower one"), "{error}");
        assert!(numbers("12025550143", 1).is_err());
    }

    #[test]
    fn percentiles_are_of_the_values_measured() {
        let sorted: Vec<_> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&sorted, 0.5), Some(Duration::from_millis(50)));
        assert_eq!(percentile(&sorted, 0.99), Some(Duration::from_millis(99)));
        assert_eq!(percentile(&sorted, 1.0), Some(Duration::from_millis(100)));
        assert_eq!(percentile(&sorted[..1], 0.001), Some(Duration::from_millis(1)));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
