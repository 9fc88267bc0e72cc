//! Wrong passwords are counted by source, and more generously by name, so that neither everybody's passwords nor one
//! person's can be tried out, and that few sources cannot lock that person out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::source::customer;

/// Attempts of a source at a time; one comes back every minute.
const OF_SOURCE: Budget = Budget { burst: 5, refill: Duration::from_secs(60) };
/// Attempts at a name, from everywhere: fourteen thousand a day are no use against a password of twelve characters.
const OF_NAME: Budget = Budget { burst: 100, refill: Duration::from_secs(6) };
/// Names and sources that are told apart. Beyond, the full ones are forgotten; if all are busy, everybody waits.
const LIMIT: usize = 10_000;
/// Characters of a name that are looked at: no name has more.
const NAME: usize = 64;

/// What names and sources have used up.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<Who, Instant>>);

#[derive(Debug, Clone, Copy)]
struct Budget {
    burst: u32,
    /// One comes back after this.
    refill: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Who {
    Name(String),
    Source(IpAddr),
}

impl Attempts {
    /// Takes an attempt of both.
    ///
    /// # Errors
    /// How long to wait.
    pub(super) fn begin(&self, name: &str, source: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut full_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= LIMIT {
            full_at.retain(|_, at| *at > now);
            if full_at.len() >= LIMIT {
                return Err(OF_SOURCE.refill);
            }
        }
        let both = [Who::Name(name.chars().take(NAME).collect()), Who::Source(customer(source))];
        let next = both.each_ref().map(|who| full_at.get(who).copied().unwrap_or(now).max(now) + who.budget().refill);
        let waits = both.iter().zip(next).map(|(who, at)| {
            let Budget { burst, refill } = who.budget();
            at.saturating_duration_since(now + refill * burst)
        });
        let wait = waits.max().unwrap_or_default();
        if !wait.is_zero() {
            return Err(wait);
        }
        full_at.extend(both.into_iter().zip(next));
        Ok(())
    }

    /// The right password forgives the name's wrong ones, and costs the source nothing. The source's wrong ones stay: it
    /// may be trying out other names.
    pub(super) fn succeeded(&self, name: &str, source: IpAddr) {
        let mut full_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        full_at.remove(&Who::Name(name.chars().take(NAME).collect()));
        if let Some(at) = full_at.get_mut(&Who::Source(customer(source)))
            && let Some(before) = at.checked_sub(OF_SOURCE.refill)
        {
            *at = before;
        }
    }
}

impl Who {
    fn budget(&self) -> Budget {
        match self {
            Self::Name(_) => OF_NAME,
            Self::Source(_) => OF_SOURCE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFILL: Duration = OF_SOURCE.refill;

    #[test]
    fn a_source_has_five_attempts_and_then_one_a_minute() {
        let (attempts, begun) = (Attempts::default(), Clock.now());
        let source = |last| IpAddr::from([192, 0, 2, last]);
        for name in ["ada", "b", "c", "d", "e"] {
            assert_eq!(attempts.begin(name, source(6), begun), Ok(()));
        }
        assert_eq!(attempts.begin("f", source(6), begun), Err(REFILL), "the source is used up");
        assert_eq!(attempts.begin("ada", source(7), begun), Ok(()), "others still come in");
        assert_eq!(attempts.begin("ada", source(6), begun + REFILL), Ok(()));
        assert_eq!(attempts.begin("ada", source(6), begun + REFILL), Err(REFILL));
    }

    #[test]
    fn a_name_has_a_hundred_attempts_from_everywhere() {
        let (attempts, begun) = (Attempts::default(), Clock.now());
        let source = |last| IpAddr::from([192, 0, 2, last]);
        for last in 0..20 {
            for _ in 0..5 {
                assert_eq!(attempts.begin("ada", source(last), begun), Ok(()));
            }
        }
        assert_eq!(attempts.begin("ada", source(20), begun), Err(OF_NAME.refill));
        assert_eq!(attempts.begin("eve", source(20), begun), Ok(()));
        assert_eq!(attempts.begin("ada", source(20), begun + OF_NAME.refill), Ok(()));
    }

    #[test]
    fn the_right_password_frees_the_name_and_leaves_the_source_its_wrong_ones() {
        let (attempts, begun) = (Attempts::default(), Clock.now());
        let (here, there) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([198, 51, 100, 1]));
        for _ in 0..5 {
            assert_eq!(attempts.begin("ada", here, begun), Ok(()));
        }
        attempts.succeeded("ada", here);
        assert_eq!(attempts.begin("ada", there, begun), Ok(()));
        assert_eq!(attempts.begin("eve", here, begun), Ok(()), "the right one was not counted");
        assert!(attempts.begin("ada", here, begun).is_err());
        for _ in 0..20 {
            assert_eq!(attempts.begin("bob", there, begun), Ok(()));
            attempts.succeeded("bob", there);
        }
    }

    #[test]
    fn a_stranger_cannot_fill_the_memory() {
        let (attempts, begun) = (Attempts::default(), Clock.now());
        for n in 0..u32::try_from(LIMIT).unwrap() {
            let [a, b, c, _] = n.to_be_bytes();
            let [.., d] = n.to_be_bytes();
            let _ = attempts.begin(&n.to_string(), IpAddr::from([b | 1, c, d, a]), begun);
        }
        assert!(attempts.0.lock().unwrap().len() <= LIMIT + 1);
        let later = begun + REFILL;
        assert_eq!(attempts.begin("ada", IpAddr::from([192, 0, 2, 1]), later), Ok(()));
    }

    use crate::clock::Clock;
}
