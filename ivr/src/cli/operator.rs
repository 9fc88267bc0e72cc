//! `dialproof operator add`: somebody who may log in to the console, or a new password for them.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::secret::{Secret, Typing};
use crate::clock::Clock;
use crate::config::{Config, Purpose};
use crate::key_file::KeyFile;
use crate::operators::Operators;
use crate::store::Store;

const PASSWORD: Secret =
    Secret { name: "the operator's password", option: "--password-file", variable: "DIALPROOF_OPERATOR_PASSWORD" };

/// What can be done about operators.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add an operator, or give one a new password
    Add(Add),
}

/// What `add` takes.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// The name to log in with: a-z, 0-9, dot, dash, underscore
    name: String,
    /// A file with the password; without it, DIALPROOF_OPERATOR_PASSWORD or the terminal gives it
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The configuration file
    #[arg(long, short, env = "DIALPROOF_CONFIG", default_value = "config.toml")]
    config: PathBuf,
}

/// Adds; a service that runs need not be restarted.
///
/// # Errors
/// If name or password will not do, or the database cannot be opened.
pub async fn run(command: Command) -> Result<ExitCode> {
    let Command::Add(add) = command;
    let (config, _) = Config::read(&add.config, Purpose::Serve)?;
    let keys = KeyFile::read(config.keys().file())?;
    let password = PASSWORD.find(add.password_file.as_deref(), Typing::Twice)?;
    let store = Store::open(config.database().url().expose(), Arc::new(keys)).await.context("opening the database")?;
    let clock = Clock;
    Operators::new(store, config.operators().session(), clock).add(&add.name, &password, clock.wall()).await?;
    println!("{} may log in at {}/console", add.name, config.service().public_url());
    Ok(ExitCode::SUCCESS)
}
