//! The service under load: `dialproof serve` with SQLite, pages and authority, in a process of its own on a core of its own.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use end_to_end::installation::{BELIEVED, Families, Installation, Wanted, own_ring};
use end_to_end::load::cores;
use end_to_end::load::usage::Usage;
use ivr::clock::Clock;
use ivr::phone::load::sessions;
use ivr_core::number::Number;
use ivr_core::private::Private;

use crate::Bench;

const PATIENCE: Duration = Duration::from_secs(60);
/// Below the ports that the system draws (32768 on, ip(7)), which the load has. Each short call's port rests for two seconds at least, so
/// 2,500 calls a second need 5,000 of these 7,000 pairs.
const RTP_PORTS: &str = "10000-23999";

/// How a service is set up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    /// Calls at a time.
    pub(crate) max_calls: usize,
    /// Calls that its trunk may begin in a second.
    pub(crate) calls_per_second: u32,
    /// Ports of media, two a call.
    pub(crate) rtp_ports: &'static str,
    /// Records go into a DHT in its process; else none is ever asked.
    pub(crate) has_ring: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self { max_calls: 2_500, calls_per_second: 10_000, rtp_ports: RTP_PORTS, has_ring: false }
    }
}

/// It runs.
#[derive(Debug)]
pub(crate) struct Service {
    child: Running,
    pub(crate) installation: Installation,
}

/// A folder with configuration, authority and keys, in which nothing runs yet.
pub(crate) fn found(setup: Setup) -> anyhow::Result<Installation> {
    let Setup { max_calls, calls_per_second, rtp_ports, has_ring } = setup;
    let mut trunks = String::new();
    for (name, source) in [("carrier", "127.0.0.1"), ("other", "127.0.0.3")] {
        write!(
            trunks,
            "[[trunk]]\nname = \"{name}\"\nsources = [\"{source}\"]\nmax_calls = {max_calls}\n\
             calls_per_second = {calls_per_second}\n{BELIEVED}"
        )?;
    }
    let wanted = Wanted {
        families: Families::Ipv4,
        media: &format!("max_calls = {max_calls}\nrtp_ports = \"{rtp_ports}\"\n"),
        sip: "",
        trunks: &trunks,
        dht: &if has_ring { own_ring() } else { "networks = [\"mainline:127.0.0.1:9\"]".to_owned() },
    };
    let installation = Installation::new(tempfile::tempdir()?, wanted);
    // The load calls the same numbers again and again, and keys in nothing.
    let mut config = std::fs::OpenOptions::new().append(true).open(installation.path("config.toml"))?;
    config.write_all(b"\n[verification]\nfruitless_calls_a_day = 1000000\n")?;
    Ok(installation)
}

impl Service {
    /// Starts what lies there, and waits until it answers.
    pub(crate) fn start(installation: Installation, bench: &Bench) -> anyhow::Result<Self> {
        let mut service = Self::spawn(installation, bench)?;
        service.wait()?;
        Ok(service)
    }

    /// Starts what lies there on the service's cores.
    pub(crate) fn spawn(installation: Installation, bench: &Bench) -> anyhow::Result<Self> {
        cores::pin_to(&bench.service_cores)?;
        let mut command = installation.command();
        // Nobody answers at the DHT's address, on purpose.
        command.env("DIALPROOF_LOG", "error,mainline=off").stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().context("starting the service");
        cores::pin(bench.load_core)?;
        Ok(Self { child: Running(child?), installation })
    }

    /// Ends it as a power cut does, and leaves what it stored.
    pub(crate) fn end(self) -> Installation {
        let Self { child, installation } = self;
        drop(child);
        installation
    }

    /// Waits until it answers.
    pub(crate) fn wait(&mut self) -> anyhow::Result<()> {
        let gives_up_at = Clock.now() + PATIENCE;
        // Its sockets are there before it is: only an answer says that it is ready.
        while !self.is_ready() {
            ensure!(!self.child.has_ended(), "the service ended at once");
            ensure!(Clock.now() < gives_up_at, "the service does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn is_ready(&self) -> bool {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(self.installation.http())?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 "))
    }

    pub(crate) fn sip(&self) -> SocketAddr {
        self.installation.sip()
    }

    pub(crate) fn http(&self) -> String {
        format!("http://{}", self.installation.http())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        Usage::of(self.child.0.id())
    }

    /// Begins a session for each number, and gives the codes.
    #[tokio::main(flavor = "current_thread")]
    pub(crate) async fn expect(&self, numbers: &[Number]) -> anyhow::Result<Vec<Private<String>>> {
        let begun = sessions::begin(&self.http(), numbers).await.context("beginning the sessions")?;
        Ok(begun.into_iter().map(|started| started.code).collect())
    }
}

/// A process that does not outlive the benchmark.
#[derive(Debug)]
struct Running(Child);

impl Running {
    fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
