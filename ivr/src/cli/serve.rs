//! `dialproof serve`: opens everything in the order in which it can fail, and runs until it is told to end.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use dht_client::backend::mainline::Ring;

use super::secret::{PASSPHRASE, Typing};
use crate::clock::Clock;
use crate::config::{Config, Purpose};
use crate::key_file::KeyFile;
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

/// Serves. SIGTERM or SIGINT: no new calls, and the end when the last is over; again: the end at once.
///
/// # Errors
/// What keeps the service from starting, or what ended it by itself.
pub async fn run(args: Args) -> Result<ExitCode> {
    logging::begin("info,sqlx=warn,mainline=warn")?;
    let clock = Clock;
    let signals = Signals::listen().context("listening for signals")?;

    let (config, findings) = Config::read(&args.config, Purpose::Serve)?;
    for warning in findings.warnings() {
        tracing::warn!(place = warning.place, "{}: {}", warning.place, warning.text);
    }
    let tls = config.http().tls().map(tls::configuration).transpose()?;
    let sip_tls = tls::telephone(&config)?;
    let keys = KeyFile::read(config.keys().file())?;
    let passphrase = PASSPHRASE.find(config.ca().passphrase_file(), Typing::Once)?;
    let authority = founding::open_authority(&config, &passphrase)?;
    sockets::allow_many();
    let sockets = Sockets::bind(&config).await?;
    let ring = match config.dht().ring_ports() {
        [] => None,
        ports => Some(Ring::start(ports).await.context("starting the ring of [dht] ring_ports")?),
    };
    let networks = founding::networks(config.dht(), ring.as_ref().map_or(&[], |ring| ring.addresses()));
    let bundle =
        founding::renew_bundle(config.ca().folder(), &authority, config.dht().hash_cost(), &networks, clock.wall())?;

    let opening = Opening { config, authority, keys, sockets, tls, sip_tls, networks, bundle, is_demo: false };
    let service = Service::start(opening, clock).await?;
    tracing::info!(http = %service.http(), sip = %service.sip(), "pages at {}, calls at {}", service.http(), service.sip());
    let obeying = tokio::spawn(signals.obey(service.shutdown()));
    service.run().await?;
    obeying.abort();
    tracing::info!("the service has ended");
    Ok(ExitCode::SUCCESS)
}
