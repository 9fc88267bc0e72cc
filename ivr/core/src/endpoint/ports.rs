//! Which RTP ports are free. Drawn at random, so that nobody can aim at the next call; a used one rests.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rand_core::Rng;

use crate::media::PortIndex;

/// The ports that are free or rest.
#[derive(Debug)]
pub(super) struct Ports {
    free: Vec<PortIndex>,
    /// Since when; the longest first.
    resting: VecDeque<(Instant, PortIndex)>,
}

impl Ports {
    /// So many ports, all free.
    pub(super) fn new(count: usize) -> Self {
        Self { free: (0..=u16::MAX).take(count).map(PortIndex).collect(), resting: VecDeque::new() }
    }

    /// Takes any of those that are free or have rested for long; if there is none, the one that has rested the longest.
    pub(super) fn draw(&mut self, chance: &mut impl Rng, now: Instant) -> Option<PortIndex> {
        while let Some((_, port)) = self.resting.pop_front_if(|(since, _)| *since + LONG_REST <= now) {
            self.free.push(port);
        }
        let Some(count) = u64::try_from(self.free.len()).ok().filter(|count| *count > 0) else {
            let rested = self.resting.pop_front_if(|(since, _)| *since + SHORT_REST <= now);
            return rested.map(|(_, port)| port);
        };
        let drawn = usize::try_from(chance.next_u64() % count).ok()?;
        Some(self.free.swap_remove(drawn))
    }

    /// Takes back a port that no call was ever told about.
    pub(super) fn put_back(&mut self, port: PortIndex) {
        self.free.push(port);
    }

    /// Takes back a used port: late packets of its caller must not reach the next.
    pub(super) fn rest(&mut self, port: PortIndex, now: Instant) {
        self.resting.push_back((now, port));
    }
}

/// As long as a port rests where others are free.
pub(super) const LONG_REST: Duration = Duration::from_secs(10);
/// As long as every port rests. A call is over once both sides know it (or one has not answered for 32 s), so what is late was on
/// its way by then, and no network keeps a packet for two seconds. What comes all the same is heard in the next call only if it comes
/// from the address in that call's description (`media/source.rs`), which is a gateway that has closed the stream. And whoever knows
/// which port is next cannot speak there either.
const SHORT_REST: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing; only differences count")]
    fn a_used_port_rests_for_ten_seconds_where_another_is_free_else_for_two() {
        let (t0, mut chance) = (Instant::now(), ChaCha20Rng::seed_from_u64(1));
        let after = |ms| t0 + Duration::from_millis(ms);
        let mut ports = Ports::new(2);
        let (a, b) = (ports.draw(&mut chance, t0).unwrap(), ports.draw(&mut chance, t0).unwrap());
        assert_ne!(a, b);
        assert_eq!(ports.draw(&mut chance, t0), None);
        ports.rest(a, t0);
        ports.put_back(b);
        assert_eq!(ports.draw(&mut chance, after(9_999)), Some(b));
        assert_eq!(ports.draw(&mut chance, after(9_999)), Some(a));
        ports.rest(b, after(20_000));
        ports.rest(a, after(20_001));
        assert_eq!(ports.draw(&mut chance, after(21_999)), None);
        assert_eq!(ports.draw(&mut chance, after(22_000)), Some(b));
        assert_eq!(ports.draw(&mut chance, after(22_000)), None);
        assert_eq!(ports.draw(&mut chance, after(22_001)), Some(a));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing; only differences count")]
    fn of_the_ports_that_have_rested_for_long_any_may_be_next() {
        let (t0, mut chance) = (Instant::now(), ChaCha20Rng::seed_from_u64(1));
        let mut ports = Ports::new(100);
        let used: Vec<PortIndex> = std::iter::from_fn(|| ports.draw(&mut chance, t0)).collect();
        used.iter().for_each(|port| ports.rest(*port, t0));
        let now = t0 + LONG_REST;
        let again: Vec<PortIndex> = std::iter::from_fn(|| ports.draw(&mut chance, now)).collect();
        assert_eq!(again.len(), 100);
        assert_ne!(again, used);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing; only differences count")]
    fn the_order_of_the_ports_is_not_foreseeable() {
        let drawn = |seed| {
            let (now, mut chance) = (Instant::now(), ChaCha20Rng::seed_from_u64(seed));
            let mut ports = Ports::new(100);
            std::iter::from_fn(|| ports.draw(&mut chance, now)).collect::<Vec<_>>()
        };
        assert_ne!(drawn(1), drawn(2));
        assert_eq!(drawn(1).len(), 100);
    }
}
