//! `dialproof lookup`: who knows only a number or an address, and trusts a CA's bundle, finds the certificate.
//!
//! The exit code says what was found: 0 a valid certificate, 3 nothing, 4 nobody could say, 5 revoked or suspended,
//! 6 something that does not hold; 1 a command that could not be carried out.

mod answer;

use std::process::ExitCode;

use anyhow::Result;
use dht_client::Identity;

use super::directory::{Directory, identity};
use crate::clock::Clock;

pub(super) use answer::{Answer, certificate_pem, chain_pem, rfc3339};

/// What the command takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whom to look up: tel:+12025550143, mailto:someone@example.org, or either without its scheme
    #[arg(value_parser = identity)]
    identity: Identity,
    #[command(flatten)]
    directory: Directory,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Looks up and prints.
///
/// # Errors
/// If the bundle cannot be read, does not hold, or no client of its networks can be made.
pub async fn run(args: Args) -> Result<ExitCode> {
    let now = Clock.wall();
    let reader = args.directory.reader(now).await?;
    let verdict = reader.find(&args.identity, args.directory.patience(), now).await?;
    let answer = Answer { identity: &args.identity, verdict: &verdict };
    if args.json {
        println!("{}", answer.json());
    } else {
        print!("{answer}");
    }
    Ok(ExitCode::from(answer.exit_code()))
}
