//! `dialproof locate`: say where you are, find where somebody is, with no server between.
//!
//! `find` ends with 0 if they are somewhere, 7 if they are known and nowhere, and else as `lookup` does: 3 unknown,
//! 4 nobody can say, 5 revoked or suspended, 6 something that does not hold; 1 a command that could not be carried out.
//! `publish` ends with the same, if the directory leads nobody to what it published, and says why.

mod find;
mod keys;
mod publish;
mod register;

use std::process::ExitCode;

use anyhow::Result;

pub(super) use find::friend;

/// They are known, but not where they are.
const OFFLINE: u8 = 7;

/// What can be done about locations.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Draw the keys of your location records, once
    Keys(keys::Args),
    /// Print the key that you share with friends
    FriendsKey(keys::FriendsArgs),
    /// Have the directory list your location key beside your certificate
    Register(register::Args),
    /// Say where you can be called now; ends as `find` would for others, if the directory does not lead them to it
    Publish(publish::Args),
    /// Find where somebody can be called; ends with 0 if they are somewhere, 7 if they are known and nowhere, else as `lookup`
    Find(find::Args),
}

/// Carries it out.
///
/// # Errors
/// With the context of what it was doing.
pub async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Keys(args) => keys::run(&args),
        Command::FriendsKey(args) => keys::print_friends_key(&args),
        Command::Register(args) => register::run(args).await,
        Command::Publish(args) => publish::run(args).await,
        Command::Find(args) => find::run(args).await,
    }
}
