//! The program `dialproof`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    ivr::cli::main().await
}
