//! `dialproof serve`: listens, opens what it needs while the doorman answers, and runs until it is told to end.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use dht_client::backend::mainline::Ring;

use super::private_file;
use super::secret::{PASSPHRASE, Typing};
use crate::clock::Clock;
use crate::config::{Config, Purpose};
use crate::key_file::KeyFile;
use crate::media_driver::RtpSockets;
use crate::service::doorman::Doorman;
use crate::service::shutdown::Signals;
use crate::service::sockets::{self, Sockets};
use crate::service::{Opening, Service, founding, logging, tls};

/// What the command takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file
    #[arg(long, short, env = "DIALPROOF_CONFIG", default_value = "config.toml")]
    config: PathBuf,
}

/// Serves. SIGTERM, SIGINT or SIGHUP: no new calls, and the end when the last is over; again: the end at once.
///
/// # Errors
/// What keeps the service from starting, or what ended it by itself.
pub async fn run(args: Args) -> Result<ExitCode> {
    logging::begin("info,sqlx=warn,mainline=warn")?;
    let clock = Clock;
    let signals = Signals::listen().context("listening for signals")?;

    let (config, mut findings) = Config::read(&args.config, Purpose::Serve)?;
    private_file::warn_of_open(&config, &args.config, &mut findings);
    // The first caller or visitor needs them again, and nobody before.
    ivr_core::number::forget_plans();
    for warning in findings.warnings() {
        tracing::warn!(place = warning.place, "{}: {}", warning.place, warning.text);
    }
    sockets::allow_many();
    let Sockets { http, sip } = Sockets::bind(&config).await?;
    let doorman = Doorman::begin(&config, sip, clock).context("reading from the SIP socket")?;
    let (address, ports) = (config.sip().rtp_bind(), config.sip().rtp_ports());
    let rtp = tokio::task::spawn_blocking(move || RtpSockets::in_range(address, ports));
    let tls = config.http().tls().map(tls::configuration).transpose()?;
    let sip_tls = tls::telephone(&config)?;
    let keys = KeyFile::read(config.keys().file())?;
    let passphrase = PASSPHRASE.find(config.ca().passphrase_file(), Typing::Once)?;
    let authority = founding::open_authority(&config, &passphrase)?;
    give_back_memory();
    let rtp = rtp.await.context("binding the media ports")??;
    let ring = match config.dht().ring_ports() {
        [] => None,
        ports => Some(Ring::start(ports).await.context("starting the ring of [dht] ring_ports")?),
    };
    let networks = founding::networks(config.dht(), ring.as_ref().map_or(&[], |ring| ring.addresses()));
    let bundle =
        founding::renew_bundle(config.ca().folder(), &authority, config.dht().hash_cost(), &networks, clock.wall())?;

    let opening =
        Opening { config, authority, keys, http, doorman, rtp, tls, sip_tls, networks, bundle, is_demo: false };
    let service = Service::start(opening, clock).await?;
    let (http, sip) = (service.http(), service.sip());
    match service.secure_sip() {
        None => tracing::info!(%http, %sip, "pages at {http}, calls at {sip}"),
        Some(sips) => tracing::info!(%http, %sip, %sips, "pages at {http}, calls at {sip}, over TLS at {sips}"),
    }
    let obeying = tokio::spawn(signals.obey(service.shutdown()));
    service.run().await?;
    obeying.abort();
    tracing::info!("the service has ended");
    Ok(ExitCode::SUCCESS)
}

/// Each of the authority's keys took 16 MiB to open, and glibc keeps what was freed up to twice the largest block that it
/// ever gave back: 32 MiB then. More than that at the end of the heap, which costs nothing while it is not written to, makes
/// it give back all of it (malloc_trim would, too, but is unsafe to call). Another allocator does not mind.
fn give_back_memory() {
    let untouched: [Vec<u8>; 3] = std::array::from_fn(|_| Vec::with_capacity(KEY_MEMORY));
    drop(std::hint::black_box(untouched));
}

/// Less than a key took, else the blocks would not be on the heap.
const KEY_MEMORY: usize = (16 << 20) - (64 << 10);
