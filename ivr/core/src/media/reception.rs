//! What arrived and what did not: loss (RFC 3550 A.3) and jitter (A.8) of one source.

use std::time::{Duration, Instant};

use super::SAMPLES_PER_SECOND;
use super::rtp::Header;

/// The packets of one call that counted.
#[derive(Debug, Default)]
pub(crate) struct Reception {
    received: u64,
    /// Lost before the present synchronisation source.
    lost_earlier: u64,
    source: Option<Numbered>,
    /// In samples, times 16, as in RFC 3550 A.8.
    jitter: u64,
}

/// The sequence numbers of one synchronisation source.
#[derive(Debug)]
struct Numbered {
    ssrc: u32,
    received: u64,
    first: u64,
    highest: u64,
    /// Timestamp and arrival of the last audio packet.
    last_audio: Option<(u32, Instant)>,
}

impl Reception {
    /// A packet arrived. Packets of an event carry the event's timestamp and say nothing about jitter.
    pub(crate) fn count(&mut self, header: &Header, is_audio: bool, now: Instant) {
        self.received += 1;
        let source = match &mut self.source {
            Some(source) if source.follows(header) => source,
            other => {
                self.lost_earlier += other.as_ref().map_or(0, Numbered::lost);
                other.insert(Numbered::from(header))
            }
        };
        source.count(header.sequence);
        if is_audio && let Some(difference) = source.transit_difference(header.timestamp, now) {
            self.jitter = (self.jitter + difference).saturating_sub((self.jitter + 8) >> 4);
        }
    }

    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost_earlier + self.source.as_ref().map_or(0, Numbered::lost)
    }

    pub(crate) fn jitter(&self) -> Duration {
        Duration::from_micros((self.jitter >> 4) * 1_000_000 / u64::from(SAMPLES_PER_SECOND))
    }
}

impl Numbered {
    fn from(header: &Header) -> Self {
        // One turn of the numbers ahead, so that a packet before the first has a number too.
        let first = u64::from(header.sequence) + (1 << 16);
        Self { ssrc: header.ssrc, received: 0, first, highest: first, last_audio: None }
    }

    /// A great leap is a sender that began anew.
    fn follows(&self, header: &Header) -> bool {
        self.ssrc == header.ssrc && self.ahead(header.sequence).unsigned_abs() <= GREATEST_LEAP
    }

    fn count(&mut self, sequence: u16) {
        let number = self.highest.saturating_add_signed(self.ahead(sequence).into());
        self.first = self.first.min(number);
        self.highest = self.highest.max(number);
        self.received += 1;
    }

    /// How far the number is after the highest, by the shorter way round.
    fn ahead(&self, sequence: u16) -> i16 {
        let highest = (self.highest & 0xffff) as u16;
        sequence.wrapping_sub(highest).cast_signed()
    }

    fn lost(&self) -> u64 {
        (self.highest - self.first + 1).saturating_sub(self.received)
    }

    fn transit_difference(&mut self, timestamp: u32, now: Instant) -> Option<u64> {
        let (last_timestamp, last_arrival) = self.last_audio.replace((timestamp, now))?;
        let sent_apart = i64::from(timestamp.wrapping_sub(last_timestamp).cast_signed());
        let arrived_apart = now.saturating_duration_since(last_arrival).as_micros() * u128::from(SAMPLES_PER_SECOND);
        let arrived_apart = i64::try_from(arrived_apart / 1_000_000).unwrap_or(i64::MAX);
        Some(arrived_apart.saturating_sub(sent_apart).unsigned_abs().min(u64::from(SAMPLES_PER_SECOND)))
    }
}

/// Packets further apart (a minute) do not belong to one count.
const GREATEST_LEAP: u16 = 3_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn header(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
        Header { marked: false, payload_type: 0, sequence, timestamp, ssrc }
    }

    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing")]
    fn heard(sequences: &[(u32, u16)]) -> Reception {
        let (now, mut reception) = (Instant::now(), Reception::default());
        for (ssrc, sequence) in sequences {
            reception.count(&header(*ssrc, *sequence, 0), false, now);
        }
        reception
    }

    #[test]
    fn what_is_missing_between_the_first_and_the_last_is_lost() {
        for (name, sequences, lost) in [
            ("nothing", [].as_slice(), 0),
            ("one", &[(1, 9)], 0),
            ("in order", &[(1, 9), (1, 10), (1, 11)], 0),
            ("a gap", &[(1, 9), (1, 12)], 2),
            ("swapped", &[(1, 9), (1, 11), (1, 10)], 0),
            ("before the first", &[(1, 9), (1, 7)], 1),
            ("over the end", &[(1, 65_534), (1, 65_535), (1, 1)], 1),
            ("twice", &[(1, 9), (1, 9), (1, 10)], 0),
            ("another source", &[(1, 9), (1, 11), (2, 60_000), (2, 60_002)], 2),
        ] {
            let reception = heard(sequences);
            assert_eq!((reception.lost(), reception.received()), (lost, sequences.len() as u64), "{name}");
        }
    }

    #[test]
    fn a_sender_that_begins_anew_loses_nothing() {
        assert_eq!(heard(&[(1, 9), (1, 10), (1, 40_000), (1, 40_001)]).lost(), 0);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing")]
    fn jitter_is_that_of_the_arrivals() {
        let now = Instant::now();
        let jitter = |late: [u64; 2]| {
            let mut reception = Reception::default();
            for n in 0..400_u16 {
                let at = now + Duration::from_millis(u64::from(n) * 20 + late[usize::from(n % 2)]);
                reception.count(&header(1, n, u32::from(n) * 160), true, at);
            }
            reception.jitter()
        };
        assert_eq!(jitter([0, 0]), Duration::ZERO);
        let (small, great) = (jitter([0, 2]), jitter([0, 8]));
        assert!(small.abs_diff(Duration::from_millis(2)) < Duration::from_millis(1), "{small:?}");
        assert!(great.abs_diff(Duration::from_millis(8)) < Duration::from_millis(1), "{great:?}");
    }
}
