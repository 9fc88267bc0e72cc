//! What every command that reads the directory takes: the bundle, its pin, the networks, and what was seen before.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use dht_client::{Bundle, Contacts, Hasher, Identity, Lookup, Network, Pin, Seen, Several};
use ivr_core::number::Number;
use time::OffsetDateTime;

use crate::service::logging;

/// Whom to trust, and whom to ask.
#[derive(Debug, clap::Args)]
pub(super) struct Directory {
    /// The CA's bundle (PEM): the root that is trusted, and where the directory lies
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,
    /// Trust the bundle only if its root certificate has this SHA-256; otherwise the file is trusted as it is
    #[arg(long, value_name = "SHA256", value_parser = pin)]
    root: Option<Pin>,
    /// Ask this network instead of the bundle's: mainline, mainline:ADDRESS:PORT,… or opendht:URL,… (repeatable)
    #[arg(long, value_name = "NETWORK")]
    dht: Vec<Network>,
    /// How many seconds the directory may take
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
    /// Where the highest sequence number of each record is remembered, so that no older one is believed [default: seen in
    /// the user's state folder]
    #[arg(long, value_name = "FILE")]
    seen: Option<PathBuf>,
    /// Where the slow hashes of those looked up before are kept, so that the next look-up is quick: as private as an address
    /// book [default: hashes in the user's state folder]
    #[arg(long, value_name = "FILE")]
    hashes: Option<PathBuf>,
}

impl Directory {
    /// How long the directory may take.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    /// Reads the bundle and joins the networks.
    pub(super) async fn join(&self, now: OffsetDateTime) -> Result<(Bundle, Several)> {
        join(&self.ca, self.root.unwrap_or(Pin::File), &self.dht, now).await
    }

    /// A reader that remembers what it saw. If it cannot write that down, it warns of it.
    pub(super) async fn reader(&self, now: OffsetDateTime) -> Result<Lookup> {
        logging::begin_for_a_command()?;
        let (bundle, networks) = self.join(now).await?;
        let hashes = self.hashes.clone().map_or_else(|| in_state_folder("hashes", "--hashes"), Ok)?;
        let contacts = Contacts::open(&hashes).with_context(|| format!("reading {}", hashes.display()))?;
        Ok(reader(bundle, networks)?.remembering(memory(self.seen.as_deref())?).knowing(contacts))
    }
}

/// A bundle that holds, and a client of the networks that it names, or of these.
pub(super) async fn join(
    file: &Path,
    pin: Pin,
    networks: &[Network],
    now: OffsetDateTime,
) -> Result<(Bundle, Several)> {
    let name = file.display();
    let pem = std::fs::read(file).with_context(|| format!("the CA bundle {name} cannot be read"))?;
    let bundle = Bundle::read(&pem, pin, now).with_context(|| format!("the CA bundle {name}"))?;
    let networks = if networks.is_empty() { &bundle.terms.networks } else { networks };
    let networks = Several::connect(networks).await.context("joining the DHT")?;
    Ok((bundle, networks))
}

/// A reader that remembers nothing yet.
pub(super) fn reader(bundle: Bundle, networks: Several) -> Result<Lookup> {
    let hasher = Hasher::start().context("starting the thread that hashes")?;
    Ok(Lookup::new(bundle, networks, hasher))
}

/// The memory of sequence numbers: in the file named, or in the user's state folder.
fn memory(file: Option<&Path>) -> Result<Seen> {
    let file = file.map_or_else(|| in_state_folder("seen", "--seen"), |file| Ok(file.to_owned()))?;
    Seen::open(&file).with_context(|| format!("reading {}", file.display()))
}

/// A file there; `option` names another.
fn in_state_folder(name: &str, option: &str) -> Result<PathBuf> {
    let none = || anyhow!("neither XDG_STATE_HOME nor HOME is set: say with {option} where to keep {name}");
    let folder = state_folder().ok_or_else(none)?;
    std::fs::create_dir_all(&folder).with_context(|| format!("making the folder {}", folder.display()))?;
    Ok(folder.join(name))
}

/// XDG Base Directory Specification: `$XDG_STATE_HOME`, by default `~/.local/state`; relative paths there are invalid.
fn state_folder() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    base.map(|base| base.join("dialproof"))
}

/// With or without its scheme. Whom no certificate can be about is a mistake of the command, not somebody unknown.
pub(super) fn identity(text: &str) -> Result<Identity, String> {
    match text.split_once(':') {
        Some(("tel", number)) => telephone(number),
        Some(("mailto", address)) => mailbox(address),
        Some((scheme, _)) => Err(format!("certificates are about numbers and mailboxes, not {scheme}: {WRITTEN}")),
        None if text.contains('@') => mailbox(text),
        None if text.starts_with(|c: char| c == '+' || c.is_ascii_digit()) => telephone(text),
        None => Err(WRITTEN.to_owned()),
    }
}

/// One that a numbering plan has: the hash knows no plan, so any other would merely be found nowhere.
fn telephone(number: &str) -> Result<Identity, String> {
    let number = Number::parse(number).map_err(|error| match error.did_you_mean() {
        Some(meant) => format!("{error}: is it {meant}?"),
        None => error.to_string(),
    })?;
    Identity::tel(number.as_str()).map_err(|error| error.to_string())
}

fn mailbox(address: &str) -> Result<Identity, String> {
    Identity::mailto(address).map_err(|error| match address.rsplit_once('@') {
        Some((_, domain)) if !domain.contains('.') => {
            format!("the domain {domain:?} has no dot: write it in full, as in someone@example.org")
        }
        _ => error.to_string(),
    })
}

const WRITTEN: &str = "write tel:+12025550143 or mailto:someone@example.org";

fn pin(text: &str) -> Result<Pin, &'static str> {
    Pin::parse(text).ok_or("a SHA-256 is 64 hexadecimal digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_may_be_written_without_its_scheme() {
        let table = [
            ("tel:+12025550143", "tel:+12025550143"),
            ("+12025550143", "tel:+12025550143"),
            ("mailto:Ann@Example.org", "mailto:ann@example.org"),
            ("Ann@Example.org", "mailto:ann@example.org"),
        ];
        for (written, meant) in table {
            assert_eq!(identity(written).unwrap().expose(), meant, "{written}");
        }
    }

    #[test]
    fn what_can_have_no_certificate_is_refused_with_what_is_wrong_with_it() {
        let table = [
            ("+1202555014", "no numbering plan"),
            ("tel:+1202555014", "no numbering plan"),
            ("2025550143", "country code"),
            ("sip:ann@example.org", "not sip"),
            ("ann@example", "no dot"),
            ("ann@@example.org", "without quotes"),
            ("ann", "write tel:"),
            ("", "write tel:"),
        ];
        for (written, wrong) in table {
            let told = identity(written).unwrap_err();
            assert!(told.contains(wrong), "{written}: {told}");
        }
    }
}
