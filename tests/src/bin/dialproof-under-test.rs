//! The program `dialproof` once more: Cargo builds it before the tests of this package, so that they never run an old one.

use std::process::ExitCode;

fn main() -> ExitCode {
    ivr::cli::main()
}
