//! Where log lines go: standard error, as text or as JSON, as much as the environment asks for. Nothing private is ever
//! in them (`ivr_core::private`), whatever the filter says.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Which lines are wanted, in the syntax of `tracing-subscriber`: `info`, `warn,ivr=debug`.
pub const FILTER_VARIABLE: &str = "DIALPROOF_LOG";
/// `text` or `json`.
pub const FORMAT_VARIABLE: &str = "DIALPROOF_LOG_FORMAT";

/// Begins logging. `usual` is the filter if the environment names none.
///
/// # Errors
/// If the environment asks for something that there is not, or logging has begun already.
pub fn begin(usual: &str) -> anyhow::Result<()> {
    let wanted = std::env::var(FILTER_VARIABLE).unwrap_or_else(|_| usual.to_owned());
    let filter = EnvFilter::try_new(&wanted).map_err(|error| anyhow::anyhow!("{FILTER_VARIABLE}={wanted}: {error}"))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let begun = match std::env::var(FORMAT_VARIABLE).as_deref() {
        Ok("json") => lines.json().try_init(),
        Ok("text") | Err(_) => lines.try_init(),
        Ok(other) => anyhow::bail!("{FORMAT_VARIABLE}={other}: text or json"),
    };
    begun.map_err(|error| anyhow::anyhow!("logging: {error}"))
}
