//! `dialproof demo`: the whole service without any configuration, on this machine only, with data that goes when it ends
//! unless it has a folder of its own. `--once` lets a built-in person try it, and ends.

mod once;
mod place;
mod welcome;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use dht_client::Network;
use dht_client::backend::mainline::Ring;
use ivr_core::number::Number;
use tokio::sync::watch;

use self::once::Once;
use self::place::{COUNTRY, Place};
use self::welcome::Welcome;
use crate::clock::Clock;
use crate::media_driver::RtpSockets;
use crate::service::doorman::Doorman;
use crate::service::shutdown::Signals;
use crate::service::sockets::{self, Wish, calls, pages};
use crate::service::{LAST_LOOKS, Opening, Service, logging};
use crate::sip_driver::{Figures, Shutdown};

/// The usual ports of pages and calls.
const HTTP_PORT: u16 = 8080;
const SIP_PORT: u16 = 5060;
/// The ring's nodes; three are the fewest that have something to say to each other. Port 0 takes a free one.
const RING: [u16; 3] = [0; 3];

/// Who the console's link lets in.
const OPERATOR: &str = "demo";

/// What the command takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where pages and API listen, on loopback [default: 127.0.0.1:8080 or the next free port]
    #[arg(long, value_name = "ADDRESS:PORT")]
    http: Option<SocketAddr>,
    /// Where calls arrive, on loopback [default: 127.0.0.1:5060 or the next free port]
    #[arg(long, value_name = "ADDRESS:PORT")]
    sip: Option<SocketAddr>,
    /// Keep everything in this folder [default: a temporary one that is deleted in the end]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Post events of all verifications to this URL of this machine
    #[arg(long, value_name = "URL", conflicts_with = "once")]
    webhook: Option<String>,
    /// Let the built-in caller prove a number and a stranger look it up; then end
    #[arg(long)]
    once: bool,
    /// The number that the built-in caller proves
    #[arg(long, default_value = "+12025550143", requires = "once")]
    number: String,
    /// Print one JSON object with what came of it
    #[arg(long, requires = "once")]
    json: bool,
}

/// Runs the demo until it is told to end, or once.
///
/// # Errors
/// What keeps it from running, or the step of `--once` that failed.
pub async fn run(args: Args) -> Result<ExitCode> {
    // The ring's first node looks for others before there are any, and says so as an error. Who tries out a receiver sees
    // each attempt.
    logging::begin("warn,mainline=off,ivr::webhooks=info")?;
    if args.once {
        check_number(&args.number)?;
    }
    let clock = Clock;
    let began = clock.now();
    let signals = Signals::listen().context("listening for signals")?;
    let demo = Demo::start(&args, clock).await?;
    let shutdown = demo.service.shutdown();
    let obeying = tokio::spawn(signals.obey(shutdown.clone()));

    let outcome = if args.once {
        let loud = once::teller(began, clock);
        let silent = |_: &dyn fmt::Display| {};
        let tell: &(dyn Fn(&dyn fmt::Display) + Sync) = if args.json { &silent } else { &loud };
        tell(&format_args!(
            "the service runs: pages at http://{}, calls at {}",
            demo.service.http(),
            demo.service.sip()
        ));
        let once = Once { number: &args.number, tell };
        let proved = tokio::select! {
            proved = once.run(&demo.service) => proved,
            () = shutdown.drain.cancelled() => bail!("interrupted"),
        };
        shutdown.end.cancel();
        Some(proved)
    } else {
        let console = demo.service.operators().one_time_link(OPERATOR, clock.wall()).await?;
        let hook = match &args.webhook {
            Some(url) => Some(demo.service.webhooks().add_once(url, clock.wall()).await.context("--webhook")?),
            None => None,
        };
        print!("{}", Welcome { demo: &demo, console: &console, hook: hook.as_ref() });
        tokio::spawn(say_what_it_waits_for(demo.service.figures(), shutdown));
        None
    };
    let Demo { service, place, ring, .. } = demo;
    service.run().await?;
    obeying.abort();
    drop((ring, place));
    match outcome {
        None => {}
        Some(Ok(proved)) if args.json => println!("{}", proved.json()),
        Some(Ok(proved)) => print!("{proved}"),
        Some(Err(error)) => return Err(error),
    }
    Ok(ExitCode::SUCCESS)
}

/// Who has pressed Ctrl-C would take the silence until the last call is over for a demo that hangs.
async fn say_what_it_waits_for(figures: watch::Receiver<Figures>, shutdown: Shutdown) {
    shutdown.drain.cancelled().await;
    let calls = figures.borrow().endpoint.calls;
    if calls > 0 {
        let what = if calls == 1 { "the call" } else { "the calls" };
        let looks = LAST_LOOKS.as_secs();
        println!("Waiting for {what} on the line, then {looks} s for the page; Ctrl-C again ends at once.");
    }
}

/// The demo's trunk screens the numbers of one country, and those of others are worth too little. What is no number at all
/// is told by the service.
fn check_number(text: &str) -> Result<()> {
    if Number::parse(text).is_ok_and(|number| number.country().to_string() != COUNTRY) {
        bail!("--number {text}: the demonstration's trunk knows US numbers only, such as +12025550143");
    }
    Ok(())
}

/// A demo that runs.
struct Demo {
    service: Service,
    place: Place,
    ring: Ring,
    /// The number that people call.
    dial: Number,
    /// Usual ports that were taken.
    moved: Vec<(&'static str, u16)>,
}

impl Demo {
    async fn start(args: &Args, clock: Clock) -> Result<Self> {
        let http = wish(args.http, HTTP_PORT, "--http")?;
        let sip = wish(args.sip, SIP_PORT, "--sip")?;
        sockets::allow_many();
        let (http_socket, sip_socket) = (pages(http).await?, calls(sip).await?);
        let (http_address, sip_address) = (http_socket.local_addr()?, sip_socket.udp.local_addr()?);
        let place = Place::take(args.data.as_deref())?;
        let config = place.config(http_address, sip_address)?;
        let doorman = Doorman::begin(&config, sip_socket, clock).context("reading from the SIP socket")?;
        let ports = u16::try_from(2 * config.sip().max_calls()).unwrap_or(u16::MAX);
        let rtp = RtpSockets::drawn(config.sip().rtp_bind(), ports)?;
        let ring = Ring::start(&RING).await.context("starting the DHT of this demo")?;
        let networks = vec![Network::MainlineRing(ring.addresses().to_vec())];
        let (authority, keys) = place.found(&config, &networks, clock)?;
        let bundle = std::fs::read_to_string(place.bundle(&config))?;
        let dial = config.policy().trunks[0].numbers[0].clone();
        let opening = Opening {
            config,
            authority,
            keys,
            http: http_socket,
            doorman,
            rtp,
            tls: None,
            sip_tls: None,
            networks,
            bundle,
            is_demo: true,
        };
        let service = Service::start(opening, clock).await?;
        let moved = [("pages", http, http_address), ("calls", sip, sip_address)]
            .into_iter()
            .filter_map(|(what, wish, got)| match wish {
                Wish::From(port) if port != got.port() => Some((what, port)),
                _ => None,
            })
            .collect();
        Ok(Self { service, place, ring, dial, moved })
    }
}

/// The demo believes whoever calls, so nobody else may reach it.
fn wish(asked: Option<SocketAddr>, usual: u16, option: &str) -> Result<Wish> {
    match asked {
        None => Ok(Wish::From(usual)),
        Some(address) if address.ip().is_loopback() && address.is_ipv4() => Ok(Wish::Exactly(address)),
        Some(address) => bail!(
            "{option} {address}: the demo believes every caller, so it listens on 127.0.0.0/8 only; `dialproof init` and \
             `dialproof serve` are for more"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_its_trunk_does_not_screen_is_refused_before_anything_begins() {
        assert!(check_number("+12025550143").is_ok());
        for number in ["+4930123456", "+12045550143"] {
            let error = check_number(number).unwrap_err().to_string();
            assert!(error.contains("US numbers only"), "{number}: {error}");
        }
    }
}
