//! `[trunk.register]` and `probe` of a trunk: what is kept up towards it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ivr_core::caller::{TrunkIndex, TrunkProfile};
use ivr_core::link::{Account, Duty, LinkProfile, Login, ServerUri};
use ivr_core::private::Private;
use ivr_core::sip::peer::Transport;
use serde::Deserialize;

use super::File;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    registrar: String,
    user: String,
    password_file: PathBuf,
    auth_user: Option<String>,
    #[serde(default = "default_expires_seconds")]
    expires_seconds: u64,
}

fn default_expires_seconds() -> u64 {
    3_600
}

/// The links of a trunk, and the file with the password of its account.
#[derive(Debug, Clone, Default)]
pub(super) struct Links {
    pub(super) links: Vec<LinkProfile>,
    pub(super) password_file: Option<PathBuf>,
}

/// The links of the trunk at `index`.
pub(super) fn check(
    index: TrunkIndex,
    trunk: &TrunkProfile,
    (register, probe): (Option<&Raw>, Option<&str>),
    file: &mut File<'_>,
) -> Option<Links> {
    let mut links = Links::default();
    if let Some(raw) = register {
        let server = server("register.registrar", &raw.registrar, trunk, file);
        let account = account(raw, trunk, file);
        links.links.push(LinkProfile { trunk: index, server: server?, duty: Duty::Register(account?) });
        links.password_file = Some(file.path(&raw.password_file));
    }
    if let Some(probe) = probe {
        let server = server("probe", probe, trunk, file)?;
        links.links.push(LinkProfile { trunk: index, server, duty: Duty::Probe });
    }
    Some(links)
}

fn server(key: &str, text: &str, trunk: &TrunkProfile, file: &mut File<'_>) -> Option<ServerUri> {
    let place = format!("trunk {:?}.{key}", trunk.name);
    let server: ServerUri = file.findings.parse(&place, text)?;
    if server.transport() == Some(Transport::Tls) && !trunk.shows_certificate {
        file.findings.fault(place, "over TLS the server must be known by its certificate: set certificate_names");
        return None;
    }
    if server.address().is_some_and(|ip| !trunk.sources.is_empty() && !trunk.has_source(ip)) {
        file.findings.warn(place, format!("{text} is none of this trunk's sources: calls from there are refused"));
    }
    Some(server)
}

fn account(raw: &Raw, trunk: &TrunkProfile, file: &mut File<'_>) -> Option<Account> {
    let place = |key: &str| format!("trunk {:?}.register.{key}", trunk.name);
    let is_user = |c: char| c.is_ascii_alphanumeric() || "+-_.".contains(c);
    if raw.user.is_empty() || raw.user.len() > LONGEST_USER_BYTES || !raw.user.chars().all(is_user) {
        // What the user is stays out of the finding: it may be a number.
        file.findings.fault(place("user"), "what stands before the @ of your account: letters, digits, + - _ .");
        return None;
    }
    let auth_user = raw.auth_user.as_ref().unwrap_or(&raw.user);
    if !is_quotable(auth_user) {
        file.findings.fault(place("auth_user"), "a name of up to 128 bytes, without quotes and backslashes");
        return None;
    }
    if !(SHORTEST_EXPIRES..=LONGEST_EXPIRES).contains(&raw.expires_seconds) {
        let text = format!("between {SHORTEST_EXPIRES} and {LONGEST_EXPIRES} seconds");
        file.findings.fault(place("expires_seconds"), text);
    }
    let password = password(&place("password_file"), &raw.password_file, file)?;
    let number = || Private::new(trunk.numbers.first().map(|number| number.as_str().to_owned()).unwrap_or_default());
    Some(Account {
        user: Private::new(raw.user.clone()),
        login: Login { user: Private::new(auth_user.clone()), password },
        contact: trunk.ingress_secret.clone().unwrap_or_else(number),
        expires: Duration::from_secs(raw.expires_seconds),
    })
}

/// The password in a file of its own.
pub(super) fn password(place: &str, path: &Path, file: &mut File<'_>) -> Option<Private<String>> {
    let path = file.path(path);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            file.findings.fault(place, format!("{} cannot be read: {error}", path.display()));
            return None;
        }
    };
    let password = text.trim_end_matches(['\r', '\n']);
    if !is_plain(password) {
        file.findings.fault(place, "the password is one line");
        return None;
    }
    Some(Private::new(password.to_owned()))
}

/// Can it stand between quotes as it is, and is short?
pub(super) fn is_quotable(text: &str) -> bool {
    is_plain(text) && text.len() <= LONGEST_USER_BYTES && !text.contains(['"', '\\'])
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_control())
}

const LONGEST_USER_BYTES: usize = 128;
/// A minute: carriers refuse less, and so do we.
const SHORTEST_EXPIRES: u64 = 60;
/// A day: what is registered for longer is forgotten late when we are gone.
const LONGEST_EXPIRES: u64 = 86_400;
