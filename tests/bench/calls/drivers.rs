//! Only the drivers under load, in a process of their own: SIP and media as `dialproof serve` has them, and a desk that
//! knows every caller and keeps no records.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};

use anyhow::Context;
use ivr::clock::Clock;
use ivr::media_driver::{MediaDriver, RtpSockets};
use ivr::sip_driver::{Desk, Shutdown, SipDriver};
use ivr_core::call::question::{Answer, Question};
use ivr_core::caller::{KeepsDiversion, Level, Policy, TrunkProfile};
use ivr_core::endpoint::{Addresses, Endpoint, EndpointConfig, Entry, Limits, Strangers};
use ivr_core::media::{Clips, Quality};
use ivr_core::number::{KindPolicy, Number};
use ivr_core::proof::Binding;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use voice_prompts::Library;

use crate::service::{Running, Service};
use end_to_end::load::caller::DIALLED;

/// The argument that makes a process of this program the service.
pub(crate) const ROLE: &str = "drivers-alone";
const WHAT: &str = "SIP and media drivers with a desk that knows every caller";

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Calls at a time, and as many ports again that rest after theirs: as the demo has them.
const CALLS: usize = 200;
const PORTS: u16 = 400;
const QUEUE: usize = 1_024;

/// Starts the process on the core on which this thread runs.
pub(crate) fn start() -> anyhow::Result<Service> {
    let mut command = Command::new(std::env::current_exe()?);
    let mut child = Running::start(command.arg(ROLE).stdin(Stdio::piped()).stdout(Stdio::piped()))?;
    let told = child.input();
    let mut tells = BufReader::new(child.output()?);
    let mut line = String::new();
    tells.read_line(&mut line)?;
    let sip = line.trim().parse().context("the service's address")?;
    let end = move || {
        drop(told);
        let mut words = String::new();
        tells.read_to_string(&mut words)?;
        Ok(format!("service's own count:  {words}"))
    };
    Ok(Service { what: WHAT, sip, http: None, child: Some(child), end: Box::new(end) })
}

/// What runs in the process: serves until its input is closed.
#[tokio::main]
pub(crate) async fn serve() -> anyhow::Result<()> {
    let rtp = RtpSockets::drawn(LOOPBACK, PORTS)?;
    let rtp_ports = rtp.ports().to_vec();
    let media = MediaDriver::start(rtp, Clips::encode(&Library::embedded(), "en"), Clock)?;
    let socket = UdpSocket::bind((LOOPBACK, 0)).await?;
    let address = socket.local_addr()?;
    let (ask, mut questions) = mpsc::channel(QUEUE);
    let (answer, answers) = mpsc::channel(QUEUE);
    let (_outcome, outcomes) = mpsc::channel(1);
    let (record, mut records) = mpsc::channel(QUEUE);
    let desk = Desk { questions: ask, answers, outcomes, records: record };
    let driver = SipDriver::new(socket, Endpoint::new(config(address, rtp_ports)?, Clock.bytes()), media, desk, Clock);
    let (figures, shutdown) = (driver.figures(), Shutdown::default());

    tokio::spawn(async move {
        while let Some((call, question)) = questions.recv().await {
            let known = match question {
                Question::Session(_) => Answer::Expected,
                Question::Code { .. } | Question::ReadBack { .. } | Question::CodeOnly { .. } => Answer::Unavailable,
            };
            if answer.send((call, known)).await.is_err() {
                return;
            }
        }
    });
    let counted = tokio::spawn(async move {
        let mut sum = Quality::default();
        while let Some(recorded) = records.recv().await {
            if let Entry::Quality(quality) = recorded.entry {
                sum.packets_sent += quality.packets_sent;
                sum.packets_received += quality.packets_received;
                sum.packets_lost += quality.packets_lost;
                sum.packets_foreign += quality.packets_foreign;
            }
        }
        sum
    });
    let driver = tokio::spawn(driver.run(shutdown.clone()));

    println!("{address}");
    std::io::stdout().flush()?;
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    shutdown.end.cancel();
    driver.await??;
    let Quality { packets_sent, packets_received, packets_lost, packets_foreign, .. } = counted.await?;
    let figures = *figures.borrow();
    println!(
        "packets {packets_sent} sent, {packets_received} received, {packets_lost} lost, {packets_foreign} foreign, \
         {} unsent, {} left out for being late; {} records and {} questions had no room; {} SIP messages sent again",
        figures.media.unsent,
        figures.media.skipped,
        figures.lost_records,
        figures.unasked_questions,
        figures.endpoint.retransmissions,
    );
    Ok(())
}

/// One trunk on loopback that may do everything.
fn config(address: SocketAddr, rtp_ports: Vec<u16>) -> anyhow::Result<EndpointConfig> {
    let trunk = TrunkProfile {
        name: "load".into(),
        sources: vec!["127.0.0.1".parse()?],
        numbers: vec![Number::parse(DIALLED)?],
        shared_addresses: false,
        trust_pai: true,
        cli_screened: true,
        keeps_diversion: KeepsDiversion::Yes,
        max_level: Level::L2,
        max_calls: CALLS,
        ..TrunkProfile::default()
    };
    Ok(EndpointConfig {
        addresses: Addresses::only(address),
        rtp_ports,
        policy: Policy { trunks: vec![trunk], issue_from: Level::L0, kinds: KindPolicy::default() },
        links: Vec::new(),
        binding: Binding::ReadBack,
        limits: Limits { calls: CALLS, ..Limits::default() },
        strangers: Strangers::Refuse,
        server: None,
    })
}
