//! When a record is put again: before the directory forgets it, and after a failure in pauses that grow until then.

use std::time::Duration;

use dht_client::{Backend, PutError, Several};

/// What is refused for good is tried again this seldom: the next version of the program may do better.
pub(super) const HOPELESS: Duration = Duration::from_secs(6 * 3600);
/// After the first failure; it doubles.
pub(super) const FIRST_BACKOFF: Duration = Duration::from_secs(2);
const LONGEST_BACKOFF: Duration = Duration::from_secs(600);
/// A record that could not be put under a new directory key yet is put again this soon: then its hash has its turn.
pub(super) const NEXT_TURN: Duration = Duration::from_secs(60);

/// How soon the most forgetful of these DHTs has to be given a record again.
pub(super) fn refresh_every(networks: &Several) -> Duration {
    networks.backends().iter().map(Backend::refresh_every).min().unwrap_or(HOPELESS)
}

/// Records that have been due for so long are late: first all are put again, and slow hashes wait. OpenDHT
/// forgets a quarter of `every` after they were due: most of that is left for putting all of a large directory.
pub(super) fn late_after(every: Duration) -> Duration {
    every / 16
}

/// After so many failures before this one, where a record is refreshed `every` so often.
pub(super) fn after_failure(error: &PutError, attempts: i64, every: Duration) -> Duration {
    if !error.is_temporary() {
        return HOPELESS;
    }
    let doublings = u32::try_from(attempts.clamp(0, 16)).unwrap_or(16);
    (FIRST_BACKOFF * 2_u32.pow(doublings)).min(longest_backoff(every))
}

/// What was stored and not confirmed, or by some alone, is put again before it is forgotten.
pub(super) fn longest_backoff(every: Duration) -> Duration {
    LONGEST_BACKOFF.min(every / 2)
}

/// Three quarters to the whole of it, as chance has it, so that a thousand records do not come due at once.
pub(super) fn spread(wait: Duration, chance: u8) -> Duration {
    wait.mul_f64(1.0 - 0.25 * f64::from(chance) / 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn pauses_double_until_what_may_be_stored_would_be_forgotten() {
        for (attempts, every, seconds) in [
            (0, 60 * MINUTE, 2),
            (1, 60 * MINUTE, 4),
            (8, 60 * MINUTE, 512),
            (9, 60 * MINUTE, 600),
            (i64::MAX, 60 * MINUTE, 600),
            (-1, 60 * MINUTE, 2),
            // A DHT that forgets in ten minutes is given everything again after six.
            (6, 6 * MINUTE, 128),
            (7, 6 * MINUTE, 180),
            (i64::MAX, 6 * MINUTE, 180),
        ] {
            let wait = after_failure(&PutError::Timeout, attempts, every);
            assert_eq!(wait, Duration::from_secs(seconds), "after {attempts} failures, every {every:?}");
        }
        assert_eq!(after_failure(&PutError::BadKey, 0, MINUTE), HOPELESS);
    }

    #[test]
    fn what_is_due_together_is_spread_over_a_quarter_of_its_wait_and_never_later() {
        assert_eq!(spread(4 * MINUTE, 0), 4 * MINUTE);
        assert_eq!(spread(4 * MINUTE, 255), 3 * MINUTE);
    }
}
