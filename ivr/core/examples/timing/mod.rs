//! How long a piece of work takes.

use std::time::{Duration, Instant};

/// The median of a round.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
pub(crate) fn timed(rounds: u32, mut work: impl FnMut()) -> Duration {
    work();
    let mut batches: Vec<Duration> = (0..BATCHES)
        .map(|_| {
            let began = Instant::now();
            (0..rounds).for_each(|_| work());
            began.elapsed() / rounds
        })
        .collect();
    batches.sort();
    batches[BATCHES / 2]
}

/// In microseconds.
pub(crate) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// The median of so many batches counts: another process may hold one up.
pub(crate) const BATCHES: usize = 51;
