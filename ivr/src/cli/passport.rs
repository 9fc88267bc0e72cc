//! `dialproof passport verify`: what a signed identity (STIR/SHAKEN) is worth, as the service would judge it
//! with one authority.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use ivr_core::number::Country;
use ivr_core::passport::{Authority, Claimed, Passport, Report, Signer, Trust};
use serde_json::json;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use crate::clock::Clock;
use crate::config::passports::is_spc;
use crate::config::sip::NameServer;
use crate::names::Names;
use crate::passports::{Fetcher, inspect, of_passed_over};

/// What can be done with one.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Verify an Identity header, and print one JSON object; the exit code is 0 only if it is valid
    Verify(Verify),
}

/// What the command takes.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// A file with the value of an Identity header
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
    /// The number that called, such as 12025550143
    #[arg(long, value_name = "DIGITS", value_parser = digits)]
    orig: String,
    /// The number that was called
    #[arg(long, value_name = "DIGITS", value_parser = digits)]
    dest: String,
    /// The certificates that a chain must lead to (PEM)
    #[arg(long, value_name = "ROOTS.pem")]
    anchors: PathBuf,
    /// The countries for whose numbers they answer, such as US,CA [default: all]
    #[arg(long, value_name = "COUNTRIES", value_delimiter = ',')]
    countries: Vec<Country>,
    /// The signer's certificate and those above it (PEM), instead of fetching them from x5u
    #[arg(long, value_name = "LEAF.pem")]
    leaf: Option<PathBuf>,
    /// Believe whom a service provider certified for numbers of its own (RFC 9060)
    #[arg(long)]
    delegates: bool,
    /// Revocation lists (PEM)
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// A service provider code that is not believed; may be given several times
    #[arg(long, value_name = "CODE", value_parser = spc)]
    deny_spc: Vec<String>,
    /// Roots that the web server at x5u may have its certificate from, beside those that browsers trust (PEM)
    #[arg(long, value_name = "ROOTS.pem", conflicts_with = "leaf")]
    tls_roots: Option<PathBuf>,
    /// A name server to ask for it [default: those of the system]
    #[arg(long, value_name = "ADDRESS", conflicts_with = "leaf")]
    nameserver: Vec<NameServer>,
    /// When it is verified, in seconds since 1970 [default: now]
    #[arg(long, value_name = "UNIXTIME", allow_negative_numbers = true)]
    at: Option<i64>,
}

/// Verifies and prints.
///
/// # Errors
/// If a file cannot be used.
pub async fn run(command: Command) -> Result<ExitCode> {
    let Command::Verify(args) = command;
    let read = |file: &PathBuf| std::fs::read(file).with_context(|| format!("reading {}", file.display()));
    let identity = String::from_utf8_lossy(&read(&args.identity)?).into_owned();
    let mut authority =
        Authority::anchored(&read(&args.anchors)?).with_context(|| args.anchors.display().to_string())?;
    for untrusted in authority.passed_over() {
        eprintln!("{}: {}", args.anchors.display(), of_passed_over(untrusted));
    }
    for list in &args.crl {
        authority = authority.with_lists(&read(list)?).with_context(|| list.display().to_string())?;
    }
    if !args.countries.is_empty() {
        authority = authority.only_for(args.countries);
    }
    if args.delegates {
        authority = authority.with_delegates();
    }
    let trust = Trust::from(authority);
    let certificate = match &args.leaf {
        Some(leaf) => {
            let pem = read(leaf)?;
            let is_pem = CertificateDer::pem_slice_iter(&pem).any(|certificate| certificate.is_ok());
            ensure!(is_pem, "{} holds no certificate in PEM", leaf.display());
            Certificate::Given(pem)
        }
        None => {
            let roots = args.tls_roots.as_ref().map(read).transpose()?;
            let nameservers: Vec<_> = args.nameserver.iter().map(|server| server.address()).collect();
            let names = Names::of(&nameservers).context("state one by --nameserver")?;
            Certificate::At(Box::new(Fetcher::new(names, roots.as_deref(), Clock)?))
        }
    };
    let at = args.at.unwrap_or_else(|| Clock.wall().unix_timestamp());
    let signer = async |passport: &Passport| {
        let pem = match certificate {
            Certificate::Given(pem) => pem,
            Certificate::At(fetcher) => fetcher.fetch(passport.x5u()).await?,
        };
        Signer::read(&pem, &trust, at).map(Arc::new)
    };
    let claimed = Claimed { orig: &args.orig, dest: &args.dest };
    let report = inspect(identity.trim(), claimed, signer, at).await.but_for(&args.deny_spc);
    println!("{}", shown(&report));
    Ok(if report.verdict.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(DOES_NOT_HOLD) })
}

/// Where the signer's certificate comes from.
enum Certificate {
    Given(Vec<u8>),
    At(Box<Fetcher>),
}

fn shown(report: &Report) -> serde_json::Value {
    let said = report.said.as_ref();
    json!({
        "valid": report.verdict.is_ok(),
        "attest": said.map(|said| said.attest.letter()),
        "origid": said.map(|said| said.origid.as_str()),
        "iat": said.map(|said| said.iat),
        "spc": report.signer.as_ref().and_then(|signer| signer.spc.as_deref()),
        "reason": report.verdict.err().map(|fault| fault.code()),
    })
}

/// E.164 without visual separators; a `+` may stand before it.
fn digits(text: &str) -> Result<String, &'static str> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { Ok(digits.to_owned()) } else { Err("a number is up to 15 digits, such as 12025550143") }
}

/// As certificates may have it.
fn spc(text: &str) -> Result<String, &'static str> {
    let told = "a service provider code stands as in the certificates, such as 709J";
    if is_spc(text) { Ok(text.to_owned()) } else { Err(told) }
}

/// As `dialproof lookup` says it.
const DOES_NOT_HOLD: u8 = 6;
