//! When the packets of one call came, against when they should have come.

use std::time::Duration;

/// The packets of one stream, each at its place: the first is at 0, and one packet time of timestamps is one place.
#[derive(Debug, Default)]
pub struct Arrivals {
    /// Timestamp and time of the first.
    first: Option<(u32, i128)>,
    /// By place: how far a packet came from its place's time after the first, in nanoseconds. `None` if it did not come.
    offsets: Vec<Option<i32>>,
    /// Packets that came.
    received: u64,
    /// The sequence numbers of the first and the last.
    sequences: Option<(u16, u16)>,
    wraps: u64,
}

/// How a packet came after the one before it.
#[derive(Debug, Clone, Copy)]
pub struct Spacing {
    /// When, by the wall clock in nanoseconds, as the kernel stamped it.
    pub at: i128,
    /// How far from one packet time after the one before.
    pub off: Duration,
}

impl Arrivals {
    /// A packet with this sequence number and timestamp arrived.
    pub(super) fn note(&mut self, sequence: u16, timestamp: u32, at: i128) {
        self.received += 1;
        let (first, last) = self.sequences.unwrap_or((sequence, sequence));
        if sequence.wrapping_sub(last) < u16::MAX / 2 {
            self.wraps += u64::from(sequence < last);
            self.sequences = Some((first, sequence));
        }
        let (first_timestamp, first_at) = *self.first.get_or_insert((timestamp, at));
        let place = (timestamp.wrapping_sub(first_timestamp) / FRAME_SAMPLES) as usize;
        let offset = i32::try_from(at - first_at - place as i128 * PACKET_NANOSECONDS);
        let (Ok(offset), true) = (offset, place < LONGEST) else { return };
        if place >= self.offsets.len() {
            self.offsets.resize(place + 1, None);
        }
        self.offsets[place] = Some(offset);
    }

    /// Packets that came.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Those that are missing between the first and the last.
    pub fn lost(&self) -> u64 {
        let Some((first, last)) = self.sequences else { return 0 };
        let span = self.wraps * (1 << 16) + u64::from(last) + 1 - u64::from(first);
        span.saturating_sub(self.received)
    }

    /// Of each packet that followed the one before it.
    pub fn spacings(&self) -> impl Iterator<Item = Spacing> {
        let first_at = self.first.map_or(0, |(_, at)| at);
        let pairs = self.offsets.windows(2).enumerate();
        pairs.filter_map(move |(place, pair)| {
            let (before, after) = (pair[0]?, pair[1]?);
            let at = first_at + (place as i128 + 1) * PACKET_NANOSECONDS + i128::from(after);
            Some(Spacing { at, off: Duration::from_nanos(u64::from(after.abs_diff(before))) })
        })
    }

    /// How much later than the most punctual packet of the call each came, against an even pace.
    pub fn latenesses(&self) -> impl Iterator<Item = Duration> {
        let earliest = self.offsets.iter().flatten().min().copied().unwrap_or_default();
        self.offsets.iter().flatten().map(move |offset| Duration::from_nanos(u64::from(offset.abs_diff(earliest))))
    }
}

/// 20 ms of a clock of 8 kHz (RFC 3551 4.5).
pub(super) const FRAME_SAMPLES: u32 = 160;
const PACKET_NANOSECONDS: i128 = 20_000_000;
/// An hour: what claims to come later is no packet of this stream.
const LONGEST: usize = 180_000;

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i128 = 1_000_000;

    #[test]
    fn spacing_is_between_neighbours_and_lateness_against_the_pace() {
        let mut arrivals = Arrivals::default();
        // On time, 3 ms late, on time, lost, 1 ms early.
        for (place, at) in [(0, 0), (1, 23), (2, 40), (4, 79)] {
            arrivals.note(65_534_u16.wrapping_add(place), 1_000 + u32::from(place) * 160, at * MS);
        }
        let spacings: Vec<_> = arrivals.spacings().map(|spacing| (spacing.at / MS, spacing.off)).collect();
        let three = Duration::from_millis(3);
        assert_eq!(spacings, [(23, three), (40, three)]);
        let latenesses: Vec<_> = arrivals.latenesses().map(|late| late.as_millis()).collect();
        assert_eq!(latenesses, [1, 4, 1, 0]);
        assert_eq!((arrivals.received(), arrivals.lost()), (4, 1));
    }

    #[test]
    fn silence_that_is_not_sent_is_not_late() {
        let mut arrivals = Arrivals::default();
        arrivals.note(1, 0, 0);
        arrivals.note(2, 160 * 50, 1_000 * MS);
        assert_eq!(arrivals.lost(), 0);
        assert_eq!(arrivals.spacings().count(), 0);
        assert!(arrivals.latenesses().all(|late| late.is_zero()));
    }
}
