//! `dialproof audit`: whether the audit's rows are those that were written, and a signed statement of how they end.
//!
//! The chain alone shows who changed a row, not who changed one and chained all later ones anew. Heads that somebody else
//! keeps do: `audit head` now and then, the output to where this machine's people cannot write, and `audit verify --head`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use ca::signed_result::{ResultKey, Statement};
use serde::{Deserialize, Serialize};

use super::installation::Of;
use super::secret::{PASSPHRASE, Typing};
use crate::clock::Clock;
use crate::config::Config;
use crate::hex;
use crate::service::founding;
use crate::store::AuditHead;

/// What can be done about the audit.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Say whether every row is as it was written, in its place; ends with 1 if one is not
    Verify(Verify),
    /// Print how the audit ends, signed by the key of signed results (a JWS): keep it where nobody here can write
    Head(Of),
}

/// What `verify` takes.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// A file with what `audit head` printed once: the rows must still begin with those
    #[arg(long, value_name = "FILE")]
    head: Vec<PathBuf>,
    #[command(flatten)]
    place: Of,
}

/// What is signed.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    /// The authority's name.
    iss: String,
    /// Unix seconds.
    iat: i64,
    /// So many rows.
    rows: i64,
    /// The chain over them, hexadecimal; nothing before the first row.
    chain: String,
}

/// Verifies or signs; the service may run meanwhile.
///
/// # Errors
/// If the database or, for a head, the authority cannot be opened; if a file is no head of this service.
pub async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Verify(Verify { head, place }) => verify(&head, &place).await,
        Command::Head(place) => sign(&place).await,
    }
}

async fn verify(heads: &[PathBuf], place: &Of) -> Result<ExitCode> {
    let (config, store) = place.open().await?;
    if let Some(number) = store.first_audit_break().await? {
        println!(
            "row {number} of the audit is not what was written, or not in its place: somebody changed the database"
        );
        return Ok(ExitCode::FAILURE);
    }
    println!("the audit is whole: {} rows, each as it was written", store.audit_head().await?.rows);
    if heads.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let authority = open_authority(&config)?;
    let mut code = ExitCode::SUCCESS;
    for file in heads {
        let head = read_head(file, authority.result_key())?;
        let (file, rows) = (file.display(), head.rows);
        if store.audit_had(&head).await? {
            println!("{file}: it begins with the {rows} rows that were there then");
        } else {
            println!("{file}: it does not begin with the {rows} rows that were there then: somebody wrote them anew");
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

async fn sign(place: &Of) -> Result<ExitCode> {
    let (config, store) = place.open().await?;
    if let Some(number) = store.first_audit_break().await? {
        bail!("row {number} of the audit is not what was written: how it ends is not signed");
    }
    let (authority, head) = (open_authority(&config)?, store.audit_head().await?);
    let claims = Claims {
        iss: authority.name().to_owned(),
        iat: Clock.wall().unix_timestamp(),
        rows: head.rows,
        chain: hex::of(&head.chain),
    };
    println!("{}", authority.result_key().sign(Statement::AuditHead, &claims)?);
    Ok(ExitCode::SUCCESS)
}

fn open_authority(config: &Config) -> Result<ca::Authority> {
    let passphrase = PASSPHRASE.find(config.ca().passphrase_file(), Typing::Once)?;
    Ok(founding::open_authority(config, &passphrase)?)
}

fn read_head(file: &Path, key: &ResultKey) -> Result<AuditHead> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let claims = key.verify(Statement::AuditHead, text.trim());
    let head = claims.and_then(|claims| serde_json::from_value::<Claims>(claims).ok());
    let head = head.and_then(|Claims { rows, chain, .. }| Some(AuditHead { rows, chain: octets(&chain)? }));
    head.with_context(|| format!("{} is no head that this authority signed", file.display()))
}

fn octets(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
