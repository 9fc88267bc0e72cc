//! Where log lines go: standard error, as text or as JSON, as much as the environment asks for. Nothing private is ever
//! in them, whatever the filter says: our own lines cannot hold it (`ivr_core::private`), and libraries, which repeat
//! what they were sent when asked for detail, are heard from warnings on.

use std::io::IsTerminal;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt, registry};

/// Which lines are wanted, in the syntax of `tracing-subscriber`: `info`, `warn,ivr=debug`.
pub const FILTER_VARIABLE: &str = "DIALPROOF_LOG";
/// `text` or `json`.
pub const FORMAT_VARIABLE: &str = "DIALPROOF_LOG_FORMAT";

type Lines = Box<dyn tracing_subscriber::Layer<Registry> + Send + Sync>;

/// Begins logging. `usual` is the filter if the environment names none.
///
/// # Errors
/// If the environment asks for something that there is not, or logging has begun already.
pub fn begin(usual: &str) -> anyhow::Result<()> {
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let lines = match std::env::var(FORMAT_VARIABLE).as_deref() {
        Ok("json") => lines.json().boxed(),
        Ok("text") | Err(_) => lines.boxed(),
        Ok(other) => anyhow::bail!("{FORMAT_VARIABLE}={other}: text or json"),
    };
    begin_with(lines, usual)
}

/// The same for a command that somebody waits for, who hears without a date what the reader of the directory warns of.
///
/// # Errors
/// As [`begin`].
pub fn begin_for_a_command() -> anyhow::Result<()> {
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    begin_with(lines.without_time().with_target(false).boxed(), "off,dht_client=warn")
}

fn begin_with(lines: Lines, usual: &str) -> anyhow::Result<()> {
    let wanted = std::env::var(FILTER_VARIABLE).unwrap_or_else(|_| usual.to_owned());
    let filter = EnvFilter::try_new(&wanted).map_err(|error| anyhow::anyhow!("{FILTER_VARIABLE}={wanted}: {error}"))?;
    let begun = registry().with(lines.with_filter(filter.and(filter_fn(is_heard)))).try_init();
    begun.map_err(|error| anyhow::anyhow!("logging: {error}"))
}

fn is_heard(line: &Metadata<'_>) -> bool {
    const OURS: [&str; 6] = ["ca", "dht_client", "dialproof", "ivr", "ivr_core", "voice_prompts"];
    /// The only error of this part of the library is "Could not bootstrap the routing table", which the first node of every
    /// ring has, being alone for a moment. That a DHT cannot be reached, `/healthz` and the publisher say.
    const ALONE: (&str, Level) = ("mainline::rpc", Level::ERROR);
    let source = line.target().split("::").next().unwrap_or_default();
    (*line.level() <= Level::WARN && (line.target(), *line.level()) != ALONE) || OURS.contains(&source)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn libraries_are_heard_from_warnings_on_but_not_of_a_ring_that_begins() {
        let written = Written::default();
        let writer = written.clone();
        let lines = fmt::layer().with_writer(move || writer.clone()).with_ansi(false).without_time();
        tracing::subscriber::with_default(registry().with(lines.with_filter(filter_fn(is_heard))), || {
            tracing::debug!(target: "ivr::verify", "ours");
            tracing::info!(target: "mainline::dht", "theirs");
            tracing::warn!(target: "mainline::rpc::socket", "a warning");
            tracing::error!(target: "mainline::rpc", "alone");
            tracing::error!(target: "sqlx::query", "an error");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let expected =
            ["DEBUG ivr::verify: ours", " WARN mainline::rpc::socket: a warning", "ERROR sqlx::query: an error"];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }
}
