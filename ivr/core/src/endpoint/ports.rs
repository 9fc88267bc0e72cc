//! Which RTP ports are free. Drawn at random, so that nobody can aim at the next call; a used one rests.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rand_core::Rng;

use crate::media::PortIndex;

/// The ports that are free or rest.
#[derive(Debug)]
pub(super) struct Ports {
    free: Vec<PortIndex>,
    resting: VecDeque<(Instant, PortIndex)>,
    quarantine: Duration,
}

impl Ports {
    /// So many ports, all free.
    pub(super) fn new(count: usize, quarantine: Duration) -> Self {
        let free = (0..=u16::MAX).take(count).map(PortIndex).collect();
        Self { free, resting: VecDeque::new(), quarantine }
    }

    /// Takes any of the free ones.
    pub(super) fn draw(&mut self, chance: &mut impl Rng, now: Instant) -> Option<PortIndex> {
        while let Some((_, port)) = self.resting.pop_front_if(|(until, _)| *until <= now) {
            self.free.push(port);
        }
        let count = u64::try_from(self.free.len()).ok().filter(|count| *count > 0)?;
        let drawn = usize::try_from(chance.next_u64() % count).ok()?;
        Some(self.free.swap_remove(drawn))
    }

    /// Takes back a port that no call was ever told about.
    pub(super) fn put_back(&mut self, port: PortIndex) {
        self.free.push(port);
    }

    /// Takes back a used port: late packets of its caller must not reach the next.
    pub(super) fn rest(&mut self, port: PortIndex, now: Instant) {
        self.resting.push_back((now + self.quarantine, port));
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing; only differences count")]
    fn a_used_port_rests_before_it_is_drawn_again() {
        let (t0, second) = (Instant::now(), Duration::from_secs(1));
        let mut chance = ChaCha20Rng::seed_from_u64(1);
        let mut ports = Ports::new(2, 10 * second);
        let (a, b) = (ports.draw(&mut chance, t0).unwrap(), ports.draw(&mut chance, t0).unwrap());
        assert_ne!(a, b);
        assert_eq!(ports.draw(&mut chance, t0), None);
        ports.rest(a, t0);
        ports.put_back(b);
        assert_eq!(ports.draw(&mut chance, t0), Some(b));
        assert_eq!(ports.draw(&mut chance, t0 + 9 * second), None);
        assert_eq!(ports.draw(&mut chance, t0 + 10 * second), Some(a));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing; only differences count")]
    fn the_order_of_the_ports_is_not_foreseeable() {
        let drawn = |seed| {
            let (now, mut chance) = (Instant::now(), ChaCha20Rng::seed_from_u64(seed));
            let mut ports = Ports::new(100, Duration::ZERO);
            std::iter::from_fn(|| ports.draw(&mut chance, now)).collect::<Vec<_>>()
        };
        assert_ne!(drawn(1), drawn(2));
        assert_eq!(drawn(1).len(), 100);
    }
}
