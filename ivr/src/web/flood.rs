//! When so many begin verifications, from everywhere, from one network or of one number, that each has to be worked for
//! (`crate::puzzle`).

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ivr_core::number::Number;

use super::App;
use super::error::WebError;
use super::limits::{self, Bucket, Budget, Limits};
use crate::puzzle::{Puzzles, Solved, Threshold};
use crate::source::network;

const MINUTE: Duration = Duration::from_secs(60);

/// Starts are counted, and asked to work.
#[derive(Debug)]
pub struct Flood {
    threshold: Threshold,
    all: Mutex<Bucket>,
    networks: Limits,
    puzzles: Puzzles,
}

impl Flood {
    /// With a key of its own, `KeyFile::derived("puzzle")`.
    pub fn new(key: [u8; 32], threshold: Threshold) -> Self {
        let (networks, puzzles) = (Limits::new(a_minute(threshold.of_a_network)), Puzzles::new(key, threshold.bits));
        Self { threshold, all: Mutex::default(), networks, puzzles }
    }

    /// Counts a start, and says whether it must be worked for. Who is on this machine need not, unless everybody must.
    fn is_due(&self, source: IpAddr, is_local: bool, now: Instant) -> bool {
        let most = self.threshold.starts_a_minute;
        if most == 0 {
            return true;
        }
        if is_local {
            return false;
        }
        // A network that is over its own share takes nothing of the others'.
        self.networks.take(network(source), now).is_err()
            || self.all.lock().unwrap_or_else(PoisonError::into_inner).take(a_minute(most), now).is_err()
    }
}

/// What a start has to do first, if it has to: work for this number, unless it brings some. Called once it is known that the
/// number is one, and before anything else is done.
///
/// # Errors
/// [`WebError::Puzzle`], the work; or the database does not answer.
pub(super) async fn demand(
    app: &App,
    (number, source): (&Number, IpAddr),
    solved: Option<&Solved>,
) -> Result<(), WebError> {
    let now = app.clock.wall();
    let Flood { puzzles, .. } = &app.flood;
    if solved.is_some_and(|solved| puzzles.take(solved, number, now)) {
        return Ok(());
    }
    let is_local = limits::is_local(app, source);
    if app.flood.is_due(source, is_local, app.clock.now()) || !is_local && app.verify.is_crowded(number, now).await? {
        return Err(puzzles.challenge(number, app.clock.bytes(), now).into());
    }
    Ok(())
}

/// So many in a minute, and all of them at once.
fn a_minute(many: u32) -> Budget {
    Budget { burst: many, refill: MINUTE / many.max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    const THRESHOLD: Threshold = Threshold { starts_a_minute: 5, of_a_network: 2, bits: 8 };

    #[test]
    fn it_is_asked_for_while_a_network_or_all_begin_too_many() {
        let flood = Flood::new([3; 32], THRESHOLD);
        let now = Clock.now();
        let due = |source: &str, at| flood.is_due(source.parse().unwrap(), false, at);
        assert_eq!([1, 2, 3].map(|n| due(&format!("192.0.2.{n}"), now)), [false, false, true], "one network");
        assert_eq!([due("198.51.100.1", now), due("198.51.100.1", now)], [false, false]);
        assert_eq!([due("203.0.113.1", now), due("2001:db8::1", now)], [false, true], "all of them");
        assert!(!flood.is_due("127.0.0.1".parse().unwrap(), true, now));
        let later = now + MINUTE;
        assert_eq!([due("192.0.2.1", later), due("2001:db8::1", later)], [false, false]);

        let always = Flood::new([3; 32], Threshold { starts_a_minute: 0, ..THRESHOLD });
        assert!(always.is_due("127.0.0.1".parse().unwrap(), true, now));
    }
}
