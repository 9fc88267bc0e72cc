//! `dialproof operator`: who may log in to the console.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use time::format_description::well_known::Rfc3339;

use super::installation::{Of, store};
use super::secret::{Secret, Typing};
use crate::clock::Clock;
use crate::config::Config;
use crate::operators::{Operators, check_name};

const PASSWORD: Secret =
    Secret { name: "the operator's password", option: "--password-file", variable: "DIALPROOF_OPERATOR_PASSWORD" };

/// What can be done about operators.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add an operator, or give one a new password
    Add(Add),
    /// Say who may log in, since when, and how often they are logged in
    List(List),
    /// Remove an operator, who is logged out at once
    Remove(Remove),
}

/// What `add` takes.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// The name to log in with: a-z, 0-9, dot, dash, underscore
    name: String,
    /// A file with the password; without it, DIALPROOF_OPERATOR_PASSWORD or the terminal gives it
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    service: Of,
}

/// What `list` takes.
#[derive(Debug, clap::Args)]
pub struct List {
    #[command(flatten)]
    service: Of,
}

/// What `remove` takes.
#[derive(Debug, clap::Args)]
pub struct Remove {
    /// Whom
    name: String,
    #[command(flatten)]
    service: Of,
}

/// Does it; a service that runs need not be restarted.
///
/// # Errors
/// If name or password will not do, nobody has the name, or the database cannot be opened.
pub async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Add(Add { name, password_file, service }) => {
            check_name(&name)?;
            let config = service.read()?;
            let password = PASSWORD.find(password_file.as_deref(), Typing::Twice)?;
            let had_one = operators(&config).await?.add(&name, &password, Clock.wall()).await?;
            let console = config.service().public_url();
            println!(
                "{name} may log in at {console}/console{}",
                if had_one { ", by the new password alone" } else { "" }
            );
        }
        Command::List(List { service }) => {
            let all = operators(&service.read()?).await?.list(Clock.wall()).await?;
            if all.is_empty() {
                eprintln!("nobody may log in: `dialproof operator add NAME` adds somebody");
            }
            for one in all {
                println!("{}\tsince {}\tlogins {}", one.name, one.since.format(&Rfc3339)?, one.sessions);
            }
        }
        Command::Remove(Remove { name, service }) => {
            if !operators(&service.read()?).await?.remove(&name, Clock.wall()).await? {
                bail!("there is no operator {name:?}: `dialproof operator list` says who there is");
            }
            println!("{name} is logged out, and may log in no more");
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn operators(config: &Config) -> Result<Operators> {
    Ok(Operators::new(store(config).await?, config.operators().session(), Clock))
}
