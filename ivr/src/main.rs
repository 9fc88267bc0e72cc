//! The program: reads the command line, runs the command, says what failed.

use std::process::ExitCode;

use clap::Parser;
use ivr::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("dialproof: {error:#}");
            ExitCode::FAILURE
        }
    }
}
