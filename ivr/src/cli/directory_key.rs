//! `dialproof directory-key`: another key in the place of the one that writes the directory.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use ca::authority::names;
use ca::{KeyCost, Outgoing, Rotation};
use time::format_description::well_known::Rfc3339;

use super::installation::Of;
use super::secret::{PASSPHRASE, Typing};
use crate::clock::Clock;
use crate::service::founding;

/// What can be done about the directory key.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Put another key in the place of the one in use; for 90 days the service writes under both
    Rotate(Rotate),
}

/// What `rotate` takes.
#[derive(Debug, clap::Args)]
pub struct Rotate {
    /// The root's key, from where it is kept [default: root-ca.key in the authority's folder]
    #[arg(long, value_name = "FILE")]
    root_key: Option<PathBuf>,
    /// Somebody else has the key in use: nothing is written under it any more
    #[arg(long)]
    stolen: bool,
    #[command(flatten)]
    service: Of,
}

/// Does it, and says what is left to do: what runs takes the key at its next start.
///
/// # Errors
/// If the root's key is not at hand, an overlap is not over, or the authority's folder cannot be read or written.
pub async fn run(command: Command) -> Result<ExitCode> {
    let Command::Rotate(Rotate { root_key, stolen, service }) = command;
    let config = service.read()?;
    let folder = config.ca().folder();
    let file = root_key.unwrap_or_else(|| folder.join(names::ROOT_KEY));
    let root_key = std::fs::read(&file)
        .with_context(|| format!("the root's key, {}: name with --root-key where it is kept", file.display()))?;
    let passphrase = PASSPHRASE.find(config.ca().passphrase_file(), Typing::Once)?;
    let now = Clock.wall();
    let rotation = Rotation {
        root_key: &root_key,
        outgoing: if stolen { Outgoing::Stolen } else { Outgoing::Overlaps },
        now,
        entropy: Clock.bytes(),
        passphrase: passphrase.expose(),
        cost: KeyCost::Strong,
    };
    let rotated = founding::rotate_directory_key(&config, &rotation)?;
    match rotated.directory_keys(now).nth(1) {
        Some(outgoing) => println!(
            "the directory has another key; until {} it is written under the one before, too",
            outgoing.not_after().format(&Rfc3339)?
        ),
        None => println!(
            "the directory has another key, and nothing is written under the one before: who has only an older bundle \
             finds nobody"
        ),
    }
    let (key, certificates) = (names::DIRECTORY_KEY, names::DIRECTORY);
    let place = folder.display();
    println!(
        "next: copy {key}, then {certificates} of {place} to every other node, back them up, and restart each node;"
    );
    println!("then everybody who looks somebody up takes the new bundle:");
    println!("  dialproof bundle update --ca FILE --from {}/ca/bundle.pem", config.service().public_url());
    Ok(ExitCode::SUCCESS)
}
