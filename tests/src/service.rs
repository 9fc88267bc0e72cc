//! The program under test, as a process of its own: a demo or a service on free ports of 127.0.0.1, in a folder of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;

/// Longer than a start takes on a loaded machine, unoptimised.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program, ready to be given arguments. It remembers what it saw in a folder of its own, not in the user's.
///
/// # Panics
/// If it was not built: Cargo builds it for the tests in `tests/tests`.
pub fn dialproof() -> Command {
    let test = std::env::current_exe().expect("a test has a path");
    let folder = test.ancestors().nth(2).expect("tests lie in target/PROFILE/deps");
    let program = folder.join("dialproof-under-test");
    assert!(program.is_file(), "{} is not built", program.display());
    let mut command = Command::new(program);
    for name in ["DIALPROOF_CONFIG", "DIALPROOF_LOG", "DIALPROOF_LOG_FORMAT", "DIALPROOF_CA_PASSPHRASE"] {
        command.env_remove(name);
    }
    command
}

/// Runs the program with these arguments to its end.
///
/// # Panics
/// If it cannot be run.
pub fn run(arguments: &[&str]) -> Output {
    dialproof().args(arguments).stdin(Stdio::null()).output().expect("the program runs")
}

/// A running demo or service. It is killed when its test ends; a test that ends well fails if a telephone number or a
/// mailbox stands in its log.
#[derive(Debug)]
pub struct Service {
    child: Child,
    /// Where a demo makes its temporary folder.
    _temporary: Option<TempDir>,
    http: String,
    sip: SocketAddr,
    bundle: PathBuf,
    said: String,
    /// What it prints, as it comes; tests share a service among threads.
    lines: Mutex<Receiver<String>>,
    log: Arc<Mutex<String>>,
}

impl Service {
    /// A demo with data that goes when it ends.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn demo() -> Self {
        Self::demo_with(&["--http", "127.0.0.1:0"])
    }

    /// A demo whose pages want port 8080.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn demo_on_the_usual_port() -> Self {
        Self::demo_with(&[])
    }

    /// A demo that keeps its data in this folder.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn demo_in(folder: &Path) -> Self {
        Self::demo_with(&["--http", "127.0.0.1:0", "--data", folder.to_str().expect("a plain path")])
    }

    /// A demo that posts its events to this URL.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn demo_posting_to(url: &str) -> Self {
        Self::demo_with(&["--http", "127.0.0.1:0", "--webhook", url])
    }

    /// The same, with data in this folder.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn demo_in_posting_to(folder: &Path, url: &str) -> Self {
        let folder = folder.to_str().expect("a plain path");
        Self::demo_with(&["--http", "127.0.0.1:0", "--data", folder, "--webhook", url])
    }

    /// A demo that was started to outlive its terminal.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn demo_under_nohup() -> Self {
        let mut nohup = Command::new("nohup");
        nohup.arg(dialproof().get_program());
        Self::demo_by(nohup, &["--http", "127.0.0.1:0"])
    }

    fn demo_with(more: &[&str]) -> Self {
        Self::demo_by(dialproof(), more)
    }

    fn demo_by(mut command: Command, more: &[&str]) -> Self {
        let temporary = tempfile::tempdir().expect("a temporary folder");
        // A demo that is killed leaves its data behind: there, it goes with the test.
        command.args(["demo", "--sip", "127.0.0.1:0"]).args(more).env("TMPDIR", temporary.path());
        let (child, lines, log) = spawn(command);
        let mut started = Self {
            child,
            _temporary: Some(temporary),
            http: String::new(),
            sip: SocketAddr::from(([127, 0, 0, 1], 0)),
            bundle: PathBuf::new(),
            said: String::new(),
            lines: lines.into(),
            log,
        };
        // The line to look somebody up is the last.
        started.hear(" lookup ");
        let word_after = |what: &str| {
            let line = started.said.lines().find_map(|line| line.trim().strip_prefix(what));
            let word = line.and_then(|rest| rest.split_whitespace().next());
            word.unwrap_or_else(|| panic!("the demo does not say its {what}:\n{}", started.said)).to_owned()
        };
        let (http, telephone, bundle) = (word_after("pages"), word_after("telephone"), word_after("bundle"));
        started.http = http.trim_end_matches('/').to_owned();
        started.sip = telephone.split_once('@').and_then(|(_, at)| at.parse().ok()).expect("sip:NUMBER@ADDRESS:PORT");
        started.bundle = bundle.into();
        started
    }

    /// A service with this configuration, whose `[http] listen` and `[sip] listen` are given again: `serve` prints nothing.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn serve(config: &Path, http: SocketAddr, sip: SocketAddr, bundle: PathBuf) -> Self {
        let mut command = dialproof();
        command.arg("serve").arg("-c").arg(config);
        let (child, lines, log) = spawn(command);
        let (http, said, lines) = (format!("http://{http}"), String::new(), lines.into());
        let mut started = Self { child, _temporary: None, http, sip, bundle, said, lines, log };
        started.wait_for_log("pages at");
        started
    }

    /// Waits until it prints a line with this.
    ///
    /// # Panics
    /// If it does not in time, or has ended.
    pub fn hear(&mut self, text: &str) {
        loop {
            match self.lines.get_mut().unwrap_or_else(PoisonError::into_inner).recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.said += &line;
                    if line.contains(text) {
                        return;
                    }
                }
                Err(_) => panic!("the service does not say {text:?}:\n{}\n{}", self.said, self.log()),
            }
        }
    }

    /// Waits until the log says this.
    ///
    /// # Panics
    /// If it does not say so in time, or the process ended before.
    pub fn wait_for_log(&mut self, text: &str) {
        wait_until(&format!("the log says {text:?}"), || {
            let log = self.log();
            let ended = self.child.try_wait().expect("a child can be asked");
            assert!(log.contains(text) || ended.is_none(), "the service ended with {ended:?}:\n{log}");
            log.contains(text)
        });
    }

    /// The address of pages and API, without a slash at the end.
    pub fn http(&self) -> &str {
        &self.http
    }

    /// The address of calls.
    pub fn sip(&self) -> SocketAddr {
        self.sip
    }

    /// The CA's bundle.
    pub fn bundle(&self) -> &Path {
        &self.bundle
    }

    /// What a demo has been heard to print.
    pub fn said(&self) -> &str {
        &self.said
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks somebody up in its directory, in a process of its own.
    ///
    /// # Panics
    /// If the program cannot be run.
    pub fn lookup(&self, identity: &str) -> Output {
        let folder = tempfile::tempdir().expect("a temporary folder");
        until_heard(|| {
            let mut command = dialproof();
            command.args(["lookup", identity, "--json", "--ca"]).arg(&self.bundle);
            command.env("XDG_STATE_HOME", folder.path()).output().expect("the program runs")
        })
    }

    /// The arguments that let the built-in caller try this service.
    pub fn simulate(&self, scenario: &str, number: &str) -> Command {
        let mut command = dialproof();
        command.args(["simulate", "--json", "--scenario", scenario, "--number", number]);
        command.args(["--http", &self.http, "--sip", &self.sip.to_string()]);
        command
    }

    /// Ends it as a power cut does.
    ///
    /// # Panics
    /// If it cannot be killed.
    pub fn kill(mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// SIGTERM.
    ///
    /// # Panics
    /// If it cannot be told.
    pub fn tell_to_end(&self) {
        self.send("TERM");
    }

    /// A signal by its name, such as `HUP`.
    ///
    /// # Panics
    /// If it cannot be sent.
    pub fn send(&self, signal: &str) {
        let told = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status().expect("kill runs");
        assert!(told.success(), "SIG{signal} could not be sent to the service");
    }

    /// SIGTERM, and what the process ended with.
    ///
    /// # Panics
    /// If it cannot be told, or does not end in time.
    pub fn terminate(self) -> ExitStatus {
        self.tell_to_end();
        self.end()
    }

    /// What it ends with, once it was told to.
    ///
    /// # Panics
    /// If it does not end in time.
    pub fn end(mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the service ends", || {
            status = self.child.try_wait().expect("a child can be asked");
            status.is_some()
        });
        status.expect("waited for it")
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Both fail only if the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !std::thread::panicking() {
            let log = self.log();
            assert!(!names_a_number(&log), "a telephone number stands in the log:\n{log}");
            assert!(!names_a_mailbox(&log), "an address of somebody stands in the log:\n{log}");
        }
    }
}

/// Tests use the numbers that no telephone has: +1 NPA 555 01XX.
fn names_a_number(log: &str) -> bool {
    let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    log.as_bytes().windows(11).any(|text| text[0] == b'1' && &text[4..9] == b"55501" && digits(text))
}

/// Tests use mailboxes at example.org and example.net.
fn names_a_mailbox(log: &str) -> bool {
    log.contains("@example.")
}

/// Starts it with its output on the way to us.
fn spawn(mut command: Command) -> (Child, Receiver<String>, Arc<Mutex<String>>) {
    // Whatever can be logged is, so that what must not be is found.
    command.env("DIALPROOF_LOG", "trace");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let (out, mut err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let (tell, lines) = channel();
    std::thread::spawn(move || {
        let mut out = BufReader::new(out);
        let mut line = String::new();
        while out.read_line(&mut line).is_ok_and(|length| length > 0) {
            // A test that has read enough still keeps the pipe empty.
            let _ = tell.send(std::mem::take(&mut line));
        }
    });
    let log = Arc::new(Mutex::new(String::new()));
    let written = log.clone();
    std::thread::spawn(move || {
        let mut bytes = [0; 4_096];
        while let Ok(length @ 1..) = err.read(&mut bytes) {
            let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
            written.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
        }
    });
    (child, lines, log)
}

/// Keys of `[sip]` that give a service media ports of its own: outside of those that the system draws, others for each
/// service of each test process, and such as nobody has.
pub fn media_ports() -> String {
    static SERVICES: AtomicU16 = AtomicU16::new(0);
    let process = u16::try_from(std::process::id() % 156 * 128).expect("below 20,000");
    let places = std::iter::repeat_with(|| {
        let first = 10_000 + (process + SERVICES.fetch_add(1, Ordering::Relaxed) % 624 * 32) % 20_000;
        first..=first + 16
    });
    let is_free = |port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let ports = places.take(624).find(|ports| ports.clone().all(is_free)).expect("17 free ports in a row");
    format!("max_calls = 4\nrtp_ports = \"{}-{}\"\n", ports.start(), ports.end())
}

/// Asks the directory again, a few times, while the program ends with 4: nobody could say, as where a machine is too busy to answer.
pub fn until_heard(mut ask: impl FnMut() -> Output) -> Output {
    const UNHEARD: i32 = 4;
    for _ in 0..4 {
        let output = ask();
        if output.status.code() != Some(UNHEARD) {
            return output;
        }
    }
    ask()
}

/// Asks again and again until something is so.
///
/// # Panics
/// If it is not so in two minutes.
#[expect(clippy::disallowed_methods, reason = "a test waits for a real process")]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let give_up = std::time::Instant::now() + PATIENCE;
    while !is_so() {
        assert!(std::time::Instant::now() < give_up, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_a_log_is_seen() {
        assert!(names_a_number("call from 12025550143 refused") && names_a_number("+19895550100"));
        assert!(!names_a_number("2026-03-01T12:00:00.555013Z 1202 5550143 deadbeef55501"));
    }
}
