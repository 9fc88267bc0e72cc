//! The program: reads the command line, runs the command, says what failed.

use std::process::ExitCode;

use clap::Parser;
use ivr::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            // A closed pipe is no reason to fail otherwise than the message says.
            let _printed = told.print();
            // Not clap's 2: a script shall read from `lookup` that 1 is a command that was not carried out.
            return if told.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    match cli.run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("dialproof: {error:#}");
            ExitCode::FAILURE
        }
    }
}
