//! A service as an operator sets it up: a folder with configuration, authority and keys, on free ports of 127.0.0.1.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::process::free_port;
use crate::service::{Service, dialproof};

/// The lines of a `[[trunk]]` whose calls prove L2, but for who it is.
pub const BELIEVED: &str = r#"
    numbers = ["+12025550100"]
    shared_addresses = false
    trust_pai = true
    cli_screened = true
    country = "US"
    keeps_diversion = "yes"
"#;

/// Which addresses calls are taken at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Families {
    /// 127.0.0.1
    Ipv4,
    /// 127.0.0.1 and ::1
    Both,
}

/// What differs from one to another: lines of the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Where calls are taken.
    pub families: Families,
    /// `max_calls` and `rtp_ports` of `[sip]`.
    pub media: &'a str,
    /// More lines of `[sip]`.
    pub sip: &'a str,
    /// All `[[trunk]]` sections.
    pub trunks: &'a str,
    /// The lines of `[dht]`.
    pub dht: &'a str,
}

/// Lines of `[dht]`: a directory that lives in the service's process.
pub fn own_ring() -> String {
    format!("ring_ports = [{}, {}]", free_port(), free_port())
}

/// Where a service may run.
#[derive(Debug)]
pub struct Installation {
    folder: TempDir,
    http: SocketAddr,
    sip: SocketAddr,
}

impl Installation {
    /// Authority and keys are made; nothing runs yet.
    ///
    /// # Panics
    /// If the configuration does not hold.
    pub fn new(folder: TempDir, wanted: Wanted<'_>) -> Self {
        let at = || SocketAddr::from(([127, 0, 0, 1], free_port()));
        let place = Self { folder, http: at(), sip: at() };
        std::fs::write(place.path("passphrase"), "correct horse\n").expect("a file");
        std::fs::write(place.path("config.toml"), place.config(wanted)).expect("a file");
        let made = dialproof().arg("init").arg("-c").arg(place.path("config.toml")).output().expect("the program runs");
        assert!(made.status.success(), "{made:?}");
        place
    }

    fn config(&self, Wanted { families, media, sip: more, trunks, dht }: Wanted<'_>) -> String {
        let Self { http, sip, .. } = self;
        let port = sip.port();
        let listen = match families {
            Families::Ipv4 => format!("listen = \"{sip}\""),
            Families::Both => format!("listen = \"[::]:{port}\"\nadvertise = [\"{sip}\", \"[::1]:{port}\"]"),
        };
        format!(
            r#"
            [service]
            name = "Test"
            data_dir = "data"
            public_url = "http://localhost:{port}"
            [http]
            listen = "{http}"
            [sip]
            {listen}
            {media}
            {more}
            {trunks}
            [ca]
            passphrase_file = "passphrase"
            oid_arc = "1.3.6.1.4.1.55555"
            [dht]
            {dht}
            "#,
            port = http.port(),
        )
    }

    /// A file in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where pages and API listen.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where it takes calls.
    pub fn sip(&self) -> SocketAddr {
        self.sip
    }

    /// What runs it.
    pub fn command(&self) -> Command {
        let mut command = dialproof();
        command.arg("serve").arg("-c").arg(self.path("config.toml"));
        command
    }

    /// Runs it.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn serve(&self) -> Service {
        Service::serve(&self.path("config.toml"), self.http, self.sip, self.path("data/ca/bundle.pem"))
    }
}
