//! A network that loses, doubles and reorders packets, each by chance.

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;

/// How often, of each packet: 0.0 to 1.0.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Impairment {
    /// It does not arrive.
    pub lost: f64,
    /// It arrives twice.
    pub doubled: f64,
    /// It arrives after the next one.
    pub delayed: f64,
}

/// What one call's packets go through.
#[derive(Debug, Default)]
pub(super) struct Path {
    delayed: Option<Vec<u8>>,
}

impl Path {
    /// What arrives when this is sent.
    pub(super) fn send(&mut self, packet: Vec<u8>, impairment: &Impairment, chance: &mut ChaCha20Rng) -> Vec<Vec<u8>> {
        let mut happens = |part: f64| part > 0.0 && f64::from(chance.next_u32()) < part * f64::from(u32::MAX);
        let before = self.delayed.take();
        let mut arrives = Vec::with_capacity(2);
        if happens(impairment.lost) {
        } else if before.is_none() && happens(impairment.delayed) {
            self.delayed = Some(packet);
        } else {
            if happens(impairment.doubled) {
                arrives.push(packet.clone());
            }
            arrives.push(packet);
        }
        arrives.extend(before);
        arrives
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn as_many_are_lost_doubled_and_delayed_as_it_says() {
        let mut chance = ChaCha20Rng::seed_from_u64(1);
        let impairment = Impairment { lost: 0.03, doubled: 0.05, delayed: 0.1 };
        let mut path = Path::default();
        let arrived: Vec<u16> = (0..10_000_u16)
            .flat_map(|n| path.send(n.to_be_bytes().to_vec(), &impairment, &mut chance))
            .map(|packet| u16::from_be_bytes([packet[0], packet[1]]))
            .collect();
        let doubled = arrived.windows(2).filter(|pair| pair[0] == pair[1]).count();
        let delayed = arrived.windows(2).filter(|pair| pair[1] < pair[0]).count();
        let missing = (0..10_000).filter(|n| !arrived.contains(n)).count();
        assert!((200..400).contains(&missing), "{missing}");
        assert!((350..600).contains(&doubled), "{doubled}");
        assert!((700..1_100).contains(&delayed), "{delayed}");
        let mut clear = Path::default();
        assert_eq!(clear.send(vec![7], &Impairment::default(), &mut chance), [[7]]);
    }
}
