//! What arrived and what did not: sequence numbers (RFC 3550 A.1), loss (A.3) and jitter (A.8) of one source.

use std::time::{Duration, Instant};

use super::SAMPLES_PER_SECOND;
use super::rtcp::Block;
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
    /// The number after one that leapt: if it comes next, the sender began anew.
    leapt: Option<u16>,
    /// Expected and received at the last report.
    reported: (u64, u64),
    /// Timestamp and arrival of the last audio packet.
    last_audio: Option<(u32, Instant)>,
}

impl Reception {
    /// A packet arrived. Packets of an event carry the event's timestamp and say nothing about jitter.
    pub(crate) fn count(&mut self, header: &Header, is_audio: bool, now: Instant) {
        self.received += 1;
        if self.source.as_mut().is_some_and(|source| source.is_stray(header)) {
            return;
        }
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
        samples_long(self.jitter >> 4)
    }

    /// What our report says of the present source, with the loss since the last one; `None` if there is none. When the
    /// source's own report came, the caller knows.
    pub(crate) fn report(&mut self) -> Option<Block> {
        let jitter = u32::try_from(self.jitter >> 4).unwrap_or(u32::MAX);
        let source = self.source.as_mut()?;
        Some(Block {
            ssrc: source.ssrc,
            fraction_lost: source.fraction_lost(),
            lost: source.missing(),
            highest: (source.highest - FIRST_TURN) as u32,
            jitter,
            last_report: 0,
            delay: 0,
        })
    }
}

/// So many samples last so long.
pub(crate) fn samples_long(samples: u64) -> Duration {
    Duration::from_micros(samples * 1_000_000 / u64::from(SAMPLES_PER_SECOND))
}

impl Numbered {
    fn from(header: &Header) -> Self {
        // One turn of the numbers ahead, so that a packet before the first has a number too.
        let first = u64::from(header.sequence) + FIRST_TURN;
        Self { ssrc: header.ssrc, received: 0, first, highest: first, leapt: None, reported: (0, 0), last_audio: None }
    }

    /// A great leap, and the first: a packet astray, or a sender that begins anew. The next one tells (A.1).
    fn is_stray(&mut self, header: &Header) -> bool {
        let leaps = self.ssrc == header.ssrc && self.leaps(header.sequence);
        let expected = std::mem::replace(&mut self.leapt, leaps.then(|| header.sequence.wrapping_add(1)));
        leaps && expected != Some(header.sequence)
    }

    fn follows(&self, header: &Header) -> bool {
        self.ssrc == header.ssrc && !self.leaps(header.sequence)
    }

    fn leaps(&self, sequence: u16) -> bool {
        self.ahead(sequence).unsigned_abs() > GREATEST_LEAP
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
        self.expected().saturating_sub(self.received)
    }

    fn expected(&self) -> u64 {
        self.highest - self.first + 1
    }

    /// As a report has it: negative if packets came twice, and no more than 24 bits say.
    fn missing(&self) -> i32 {
        let missing = self.expected().cast_signed().saturating_sub(self.received.cast_signed());
        missing.clamp(-0x80_0000, 0x7f_ffff) as i32
    }

    /// Of 256, since the last report.
    fn fraction_lost(&mut self) -> u8 {
        let (expected, received) = (self.expected(), self.received);
        let (expected_before, received_before) = std::mem::replace(&mut self.reported, (expected, received));
        let (due, came) = (expected - expected_before, received - received_before);
        let lost = due.saturating_sub(came) * 256;
        u8::try_from(lost.checked_div(due).unwrap_or(0)).unwrap_or(u8::MAX)
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
/// What is added to the numbers.
const FIRST_TURN: u64 = 1 << 16;

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
    fn a_sender_that_begins_anew_loses_nothing_and_a_packet_astray_changes_nothing() {
        assert_eq!(heard(&[(1, 9), (1, 10), (1, 40_000), (1, 40_001), (1, 40_002)]).lost(), 0);
        let mut astray = heard(&[(1, 9), (1, 40_000), (1, 10), (1, 50_000), (1, 11)]);
        assert_eq!((astray.lost(), astray.received()), (0, 5));
        assert_eq!(astray.report().unwrap().highest, 11);
    }

    #[test]
    fn a_report_counts_as_the_rfc_does() {
        for (name, sequences, (lost, fraction, highest)) in [
            ("in order", [9, 10, 11, 12].as_slice(), (0, 0, 12)),
            ("a quarter lost", &[9, 11, 12], (1, 64, 12)),
            ("reordered", &[9, 12, 10, 11], (0, 0, 12)),
            ("twice", &[9, 9, 10, 10], (-2, 0, 10)),
            ("twice, for one lost", &[9, 9, 11], (0, 0, 11)),
            ("over the end", &[65_534, 65_535, 1, 2], (1, 51, 0x1_0002)),
            ("over the end and back", &[65_535, 1, 0, 65_534], (0, 0, 0x1_0001)),
            ("before the first", &[9, 7, 8], (0, 0, 9)),
        ] {
            let sequences: Vec<_> = sequences.iter().map(|sequence| (1, *sequence)).collect();
            let report = heard(&sequences).report().unwrap();
            assert_eq!((report.lost, report.fraction_lost, report.highest), (lost, fraction, highest), "{name}");
        }
        assert_eq!(heard(&[]).report(), None);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing")]
    fn the_fraction_is_that_since_the_last_report() {
        let (now, mut reception) = (Instant::now(), Reception::default());
        let mut fractions = Vec::new();
        for sequences in [[1, 2, 3].as_slice(), &[5, 6, 7], &[], &[4, 8]] {
            sequences.iter().for_each(|sequence| reception.count(&header(1, *sequence, 0), false, now));
            let report = reception.report().unwrap();
            fractions.push((report.fraction_lost, report.lost));
        }
        // One of four; nothing was due; one was due, it came, and so did the late one.
        assert_eq!(fractions, [(0, 0), (64, 1), (0, 1), (0, 0)]);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing")]
    fn jitter_is_computed_packet_by_packet_as_in_a_8() {
        // Sequence, timestamp, arrival in ms; J after it, in samples, by the floating-point formula of 6.4.1.
        let packets = [
            (1_u16, 0_u32, 0_u64, 0.0),
            (2, 160, 20, 0.0),
            (3, 320, 44, 2.0),       // 4 ms late: 32 samples, a sixteenth of it
            (5, 640, 80, 3.875),     // overtakes: 4 ms early against the last
            (4, 480, 82, 14.632_8),  // late: 22 ms against the one before
            (4, 480, 82, 13.718_3),  // a copy, at once
            (6, 800, 100, 23.860_9), // and back
        ];
        let (now, mut reception) = (Instant::now(), Reception::default());
        for (sequence, timestamp, at, jitter) in packets {
            // The timestamps turn over on the way.
            let header = header(1, sequence, timestamp.wrapping_sub(400));
            reception.count(&header, true, now + Duration::from_millis(at));
            let exact = reception.jitter as f64 / 16.0;
            assert!((exact - jitter).abs() < 0.2, "packet {sequence}: {exact} for {jitter}");
        }
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
