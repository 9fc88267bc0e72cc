//! The program `dialproof`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ivr::cli::main()
}
