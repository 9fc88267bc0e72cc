//! The whole service under load, in a process of its own: `dialproof demo`, with its database, its pages, its authority
//! and its DHT; and the sessions without which it answers no call.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Parser;
use end_to_end::load::expect_calls;
use end_to_end::process::free_port;
use ivr::cli::Cli;
use ivr::clock::Clock;
use ivr::phone::Scenario;
use ivr::phone::api::Api;
use ivr::phone::applicant::{Application, apply};
use ivr_core::number::Number;

use crate::service::{Running, Service};

/// The argument that makes a process of this program the service; what follows it is `dialproof`'s command line.
pub(crate) const ROLE: &str = "dialproof";
const WHAT: &str = "dialproof demo: database (SQLite), pages, authority, DHT (three nodes in the same process)";
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts the process on the core on which this thread runs, and waits until it answers.
pub(crate) fn start() -> anyhow::Result<Service> {
    let folder = tempfile::tempdir()?;
    let sip = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let http = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let mut command = Command::new(std::env::current_exe()?);
    command.args([ROLE, "demo", "--sip", &sip.to_string(), "--http", &http.to_string(), "--data"]);
    let mut child = Running::start(command.arg(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()))?;
    let gives_up_at = Clock.now() + PATIENCE;
    while std::net::TcpStream::connect(http).is_err() {
        ensure!(!child.has_ended(), "the service ended at once");
        ensure!(Clock.now() < gives_up_at, "the service does not listen at {http}");
        std::thread::sleep(Duration::from_millis(20));
    }
    let end = move || folder.close().map(|()| String::new()).context("deleting the service's data");
    Ok(Service { what: WHAT, sip, http: Some(format!("http://{http}")), child: Some(child), end: Box::new(end) })
}

/// What runs in the process.
#[tokio::main]
pub(crate) async fn serve(arguments: &[&str]) -> anyhow::Result<ExitCode> {
    Cli::parse_from([&[ROLE], arguments].concat()).run().await
}

/// Begins a session for each number.
#[tokio::main]
pub(crate) async fn expect(http: &str, numbers: &[Number]) -> anyhow::Result<()> {
    expect_calls(http, numbers).await
}

/// One who proves a number, gets a certificate and has it put into the DHT, which hashes the number.
#[tokio::main]
pub(crate) async fn verify(http: &str, sip: SocketAddr, number: &Number) -> anyhow::Result<()> {
    let application = Application::new(Api::new(http), sip, number.as_str(), Scenario::Happy);
    match apply(application, &|_| {}).await?.verdict {
        Ok(()) => Ok(()),
        Err(why) => bail!("the one who verified a number meanwhile: {why}"),
    }
}
