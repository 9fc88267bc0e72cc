//! A real mail server on loopback (Debian's python3-aiosmtpd) that keeps what it takes in a Maildir.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::process::{Process, free_port};

/// The server and its mailbox.
#[derive(Debug)]
pub struct MailServer {
    address: SocketAddr,
    mailbox: tempfile::TempDir,
    _process: Process,
}

impl MailServer {
    /// Starts one on a free port.
    ///
    /// # Panics
    /// If python3-aiosmtpd is not installed, or does not come up.
    pub fn start() -> Self {
        Self::start_at(free_port())
    }

    /// Starts one on this port of loopback: where a service already looks for it.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    pub fn start_at(port: u16) -> Self {
        let mailbox = tempfile::tempdir().expect("a temporary folder");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut command = Command::new("/usr/bin/python3");
        command
            .args(["-m", "aiosmtpd", "-n", "-l", &address.to_string(), "-c", "aiosmtpd.handlers.Mailbox"])
            .arg(mailbox.path().join("mail"))
            .stdout(Stdio::null());
        Self { address, _process: Process::start(&mut command).listening_at(address), mailbox }
    }

    /// Where it takes mail, without TLS.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The mails that arrived, oldest first, headers and body as sent.
    ///
    /// # Panics
    /// If a mail cannot be read.
    pub fn mails(&self) -> Vec<String> {
        let mut files: Vec<PathBuf> = match std::fs::read_dir(self.mailbox.path().join("mail/new")) {
            Ok(entries) => entries.map(|e| e.expect("a directory entry").path()).collect(),
            Err(_) => return Vec::new(), // the Maildir is made with the first mail
        };
        files.sort_by_key(|f| f.metadata().and_then(|m| m.modified()).expect("a mail has a time"));
        files.iter().map(|f| std::fs::read_to_string(f).expect("a mail is text")).collect()
    }

    /// The first mail for which `wanted` is true.
    ///
    /// # Panics
    /// If none comes within 30 seconds.
    #[expect(clippy::disallowed_methods, reason = "a test waits for a real server")]
    pub fn wait_for(&self, wanted: impl Fn(&str) -> bool) -> String {
        let give_up = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(mail) = self.mails().into_iter().find(|m| wanted(m)) {
                return mail;
            }
            assert!(Instant::now() < give_up, "the mail did not arrive; there are {} others", self.mails().len());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
