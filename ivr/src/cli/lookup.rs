//! `dialproof lookup`: who knows only a number or an address, and trusts a CA's bundle, finds the certificate.
//!
//! The exit code says what was found: 0 a valid certificate, 3 nothing, 4 nobody could say, 5 revoked or suspended,
//! 6 something that does not hold; 1 a command that could not be carried out.

mod answer;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use dht_client::{Bundle, Hasher, Identity, Lookup, Network, Pin, Seen, Several, Verdict};

use crate::clock::Clock;

pub(super) use answer::{Answer, certificate_pem, chain_pem, rfc3339};

/// What the command takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whom to look up: tel:+12025550143, mailto:someone@example.org, or either without its scheme
    #[arg(value_parser = identity)]
    identity: Identity,
    /// The CA's bundle (PEM): the root that is trusted, and where the directory lies
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,
    /// Trust the bundle only if its root certificate has this SHA-256; otherwise the file is trusted as it is
    #[arg(long, value_name = "SHA256", value_parser = pin)]
    root: Option<Pin>,
    /// Ask these networks instead of the bundle's: mainline, mainline:ADDRESS:PORT,… or opendht:URL,…
    #[arg(long, value_name = "NETWORK", num_args = 1..)]
    dht: Vec<Network>,
    /// How many seconds the directory may take
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
    /// Where the highest sequence number of each record is remembered, so that no older one is believed [default: seen in
    /// the user's state folder]
    #[arg(long, value_name = "FILE")]
    seen: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Whom to look up, and what to go by.
pub(super) struct Inquiry<'a> {
    /// Whom.
    pub(super) identity: &'a Identity,
    /// The bundle's file.
    pub(super) bundle: &'a Path,
    /// What makes its root trusted.
    pub(super) pin: Pin,
    /// Networks instead of the bundle's, if any.
    pub(super) networks: &'a [Network],
    /// How long the directory may take.
    pub(super) patience: Duration,
    /// What was seen before.
    pub(super) seen: Seen,
}

/// Looks up and prints.
///
/// # Errors
/// If the bundle cannot be read, does not hold, or no client of its networks can be made.
pub async fn run(args: Args) -> Result<ExitCode> {
    let inquiry = Inquiry {
        identity: &args.identity,
        bundle: &args.ca,
        pin: args.root.unwrap_or(Pin::File),
        networks: &args.dht,
        patience: Duration::from_secs(args.timeout),
        seen: memory(args.seen.as_deref())?,
    };
    let verdict = inquiry.answer().await?;
    let answer = Answer { identity: &args.identity, verdict: &verdict };
    if args.json {
        println!("{}", answer.json());
    } else {
        print!("{answer}");
    }
    Ok(ExitCode::from(answer.exit_code()))
}

impl Inquiry<'_> {
    /// Reads the bundle, joins the networks and asks.
    pub(super) async fn answer(&self) -> Result<Verdict> {
        let clock = Clock;
        let file = self.bundle.display();
        let pem = std::fs::read(self.bundle).with_context(|| format!("the CA bundle {file} cannot be read"))?;
        let bundle = Bundle::read(&pem, self.pin, clock.wall()).with_context(|| format!("the CA bundle {file}"))?;
        let networks = if self.networks.is_empty() { &bundle.terms.networks } else { self.networks };
        let backends = Several::connect(networks).await.context("joining the DHT")?;
        let hasher = Hasher::start().context("starting the thread that hashes")?;
        let lookup = Lookup::new(bundle, backends, hasher).remembering(self.seen.clone());
        Ok(lookup.find(self.identity, self.patience, clock.wall()).await?)
    }
}

/// The memory of sequence numbers: in the file named, or in the user's state folder.
fn memory(file: Option<&Path>) -> Result<Seen> {
    let file = match file {
        Some(file) => file.to_owned(),
        None => {
            let folder = state_folder().ok_or_else(|| {
                anyhow!("neither XDG_STATE_HOME nor HOME is set: say with --seen where to remember what was seen")
            })?;
            std::fs::create_dir_all(&folder).with_context(|| format!("making the folder {}", folder.display()))?;
            folder.join("seen")
        }
    };
    Seen::open(&file).with_context(|| format!("reading {}", file.display()))
}

/// XDG Base Directory Specification: `$XDG_STATE_HOME`, by default `~/.local/state`; relative paths there are invalid.
fn state_folder() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    base.map(|base| base.join("dialproof"))
}

/// With or without its scheme.
fn identity(text: &str) -> Result<Identity, dht_client::IdentityError> {
    match text {
        number if number.starts_with('+') => Identity::tel(number),
        address if address.contains('@') && !address.starts_with("mailto:") => Identity::mailto(address),
        whole => Identity::parse(whole),
    }
}

fn pin(text: &str) -> Result<Pin, &'static str> {
    Pin::parse(text).ok_or("a SHA-256 is 64 hexadecimal digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_may_be_written_without_its_scheme() {
        let table = [
            ("tel:+12025550143", Some("tel:+12025550143")),
            ("+12025550143", Some("tel:+12025550143")),
            ("mailto:Ann@Example.org", Some("mailto:ann@example.org")),
            ("Ann@Example.org", Some("mailto:ann@example.org")),
            ("12025550143", None),
            ("sip:ann@example.org", None),
            ("", None),
        ];
        for (written, meant) in table {
            assert_eq!(identity(written).ok().as_ref().map(Identity::expose), meant, "{written}");
        }
    }
}
