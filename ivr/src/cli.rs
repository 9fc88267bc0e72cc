//! The command line. One file a command under `cli/`, each with its arguments and a `run`.

// First: its macros are known to what stands after it.
#[macro_use]
mod output;

pub mod audit;
pub mod bundle;
pub mod check_config;
pub mod demo;
mod directory;
pub mod directory_key;
pub mod dtmf;
pub mod init;
pub mod installation;
pub mod locate;
pub mod lookup;
pub mod operator;
pub mod passport;
mod private_file;
pub mod prompts;
pub mod refresh;
mod secret;
pub mod serve;
pub mod simulate;
mod web_address;
pub mod webhook;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Verify a telephone number by a call, find its key in a DHT.
#[derive(Debug, Parser)]
#[command(name = "dialproof", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try everything on this machine, without any configuration
    Demo(demo::Args),
    /// Run the service
    Serve(serve::Args),
    /// Make a configuration, an authority and the service's keys
    Init(init::Args),
    /// Say what is wrong or doubtful in a configuration file
    CheckConfig(check_config::Args),
    /// Say whether the audit is what was written, and sign how it ends
    #[command(subcommand)]
    Audit(audit::Command),
    /// Put another key in the place of the one that writes the directory
    #[command(subcommand)]
    DirectoryKey(directory_key::Command),
    /// Let somebody into the console
    #[command(subcommand)]
    Operator(operator::Command),
    /// Say where events of verifications are posted, and send them again
    #[command(subcommand)]
    Webhook(webhook::Command),
    /// Say what a CA's bundle holds, or bring it up to date
    #[command(subcommand)]
    Bundle(bundle::Command),
    /// Look somebody's certificate up in the directory
    Lookup(lookup::Args),
    /// Say what a signed identity (STIR/SHAKEN) is worth
    #[command(subcommand)]
    Passport(passport::Command),
    /// Say where you are, or find where somebody is
    #[command(subcommand)]
    Locate(locate::Command),
    /// Keep the records of others alive while their authority is away
    Refresh(refresh::Args),
    /// Say what the voice speaks, and record the service's name
    #[command(subcommand)]
    Prompts(prompts::Command),
    /// Print the keys that are heard in a recording, as in the audio of a call
    ///
    /// A line for each: the seconds from the recording's beginning until the key was certain, and the key.
    Dtmf(dtmf::Args),
    /// Call a running service as its users do: one call, or many at a rate
    Simulate(simulate::Simulate),
}

/// The program: reads the command line, runs the command, says what failed. Who calls it has nothing to compile: an `async` function
/// would be compiled, with all that it awaits, into each program.
#[tokio::main]
pub async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            let printed = told.print();
            if told.use_stderr() {
                // Not clap's 2: a script shall read from `lookup` that 1 is a command that was not carried out.
                return ExitCode::FAILURE;
            }
            output::note(printed);
            return unless_unsaid(ExitCode::SUCCESS);
        }
    };
    unless_unsaid(match cli.run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("dialproof: {}", told(&error));
            ExitCode::FAILURE
        }
    })
}

/// How a command ends, unless what it had to say could not be written.
fn unless_unsaid(code: ExitCode) -> ExitCode {
    match output::failure() {
        None => code,
        Some(error) => {
            eprintln!("dialproof: what it prints cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What failed and why. Some errors say their cause in their own sentence: it is told once.
fn told(error: &anyhow::Error) -> String {
    let causes = error.chain().skip(1).map(ToString::to_string);
    causes.fold(error.to_string(), |told, cause| if told.contains(&cause) { told } else { format!("{told}: {cause}") })
}

impl Cli {
    /// Runs the command. The exit code says how it ended; an error is a failure that the command has no code for.
    ///
    /// # Errors
    /// Those of the command, with the context of what it was doing.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Demo(args) => demo::run(args).await,
            Command::Serve(args) => serve::run(args).await,
            Command::Init(args) => init::run(args).await,
            Command::CheckConfig(args) => check_config::run(args).await,
            Command::Audit(command) => audit::run(command).await,
            Command::DirectoryKey(command) => directory_key::run(command).await,
            Command::Operator(command) => operator::run(command).await,
            Command::Webhook(command) => webhook::run(command).await,
            Command::Bundle(command) => bundle::run(command).await,
            Command::Lookup(args) => lookup::run(args).await,
            Command::Passport(command) => passport::run(command).await,
            Command::Locate(command) => locate::run(command).await,
            Command::Refresh(args) => refresh::run(args).await,
            Command::Prompts(command) => prompts::run(command).await,
            Command::Dtmf(args) => dtmf::run(args).await,
            Command::Simulate(args) => simulate::run(args).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_cause_is_told_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("the mail relay cannot be used: {0}; look at [smtp]")]
        struct Repeating(#[from] std::io::Error);
        let error = anyhow::Error::from(Repeating(std::io::Error::other("no route"))).context("beginning");
        assert_eq!(told(&error), "beginning: the mail relay cannot be used: no route; look at [smtp]");
    }

    /// clap says so only in builds with debug assertions, and gives one of the two the other's values.
    #[test]
    fn no_command_has_two_arguments_of_one_name() {
        fn check(command: &clap::Command) {
            let mut names: Vec<&str> = command.get_arguments().map(|argument| argument.get_id().as_str()).collect();
            names.sort_unstable();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{}: {names:?}", command.get_name());
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
