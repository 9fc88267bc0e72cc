//! `[smtp]`: the relay that carries mails. Without the section there is no enrolment by email.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::File;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    host: String,
    port: Option<u16>,
    #[serde(default = "default_tls")]
    tls: String,
    from: String,
    user: Option<String>,
    password_file: Option<PathBuf>,
}

fn default_tls() -> String {
    "starttls".to_owned()
}

/// How the way to the relay is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// TLS from the first byte (RFC 8314), port 465.
    Tls,
    /// STARTTLS, and nothing without it, port 587.
    StartTls,
    /// None: a relay on this machine, port 25.
    None,
}

/// The checked section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smtp {
    host: String,
    port: u16,
    protection: Protection,
    from: String,
    login: Option<Login>,
}

/// How we log in at the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    user: String,
    password_file: PathBuf,
}

impl Login {
    /// The user's name there.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Where its password is.
    pub fn password_file(&self) -> &Path {
        &self.password_file
    }
}

impl Smtp {
    /// The relay's name, which its certificate must bear.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How the way is protected.
    pub fn protection(&self) -> Protection {
        self.protection
    }

    /// The sender's address.
    pub fn from(&self) -> &str {
        &self.from
    }

    /// How we log in, if we do.
    pub fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }
}

/// `Some(None)` if there is no such section.
pub(super) fn check(file: &mut File<'_>) -> Option<Option<Smtp>> {
    if !file.table.contains_key("smtp") {
        return Some(None);
    }
    let raw: Raw = file.optional("smtp")?;
    let protection = file.findings.choose(
        "smtp.tls",
        &raw.tls,
        &[("tls", Protection::Tls), ("starttls", Protection::StartTls), ("none", Protection::None)],
    );
    let is_here = raw.host == "localhost" || raw.host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    if protection == Some(Protection::None) && !is_here {
        file.findings.fault("smtp.tls", "\"none\" is for a relay on this machine; use \"starttls\" or \"tls\"");
    }
    if raw.host.is_empty() {
        file.findings.fault("smtp.host", "name the relay");
    }
    if let Err(error) = raw.from.parse::<lettre::Address>() {
        file.findings.fault("smtp.from", format!("{:?} is no mail address: {error}", raw.from));
    }
    let login = match (raw.user, raw.password_file) {
        (Some(user), Some(path)) => Some(Login { user, password_file: file.path(&path) }),
        (None, None) => None,
        _ => {
            file.findings.fault("smtp.user", "a login needs both user and password_file, or neither");
            None
        }
    };
    let protection = protection?;
    let port = raw.port.unwrap_or(match protection {
        Protection::Tls => 465,
        Protection::StartTls => 587,
        Protection::None => 25,
    });
    Some(Some(Smtp { host: raw.host, port, protection, from: raw.from, login }))
}
