//! Keys in the audio of a call: packets in, in whatever order, keys out.

use std::time::{Duration, Instant};

use super::g722::Decoder;
use super::order::{Arrived, Order};
use super::rtp::Packet;
use super::tones::ToneDetector;
use super::{Codec, Law};

/// The ear of a call whose keys come, or may come, as tones.
#[derive(Debug)]
pub(crate) struct InBand {
    codec: Codec,
    order: Order,
    listener: Listener,
}

/// Hears packets that are in order.
#[derive(Debug)]
struct Listener {
    detector: ToneDetector,
    /// Since the call speaks G.722.
    wideband: Option<Decoder>,
    /// The timestamp after the last sample.
    expects: Option<u32>,
    /// The length of that packet.
    length: usize,
    /// Packets that were lost since.
    lost: usize,
    budget: Budget,
}

/// How much may be heard: who sends faster than time passes makes no more work than two seconds of audio
/// too much, which is what a network may hold back and then bring at once.
#[derive(Debug, Clone, Copy)]
struct Budget {
    samples: usize,
    until: Instant,
}

impl InBand {
    pub(crate) fn new(codec: Codec, now: Instant) -> Self {
        let listener = Listener::new(codec, Budget { samples: SAMPLES_AT_ONCE, until: now });
        Self { codec, order: Order::default(), listener }
    }

    pub(crate) fn codec(&self) -> Codec {
        self.codec
    }

    /// A packet of the caller's. Packets of other kinds only say that none was lost.
    pub(crate) fn hear(&mut self, packet: &Packet<'_>, now: Instant, told: &mut impl FnMut(char)) {
        let Self { codec, order, listener } = self;
        listener.budget.refill(now);
        let is_audio = packet.header.payload_type == codec.payload_type();
        let octets = if is_audio { packet.payload } else { &[] };
        order.take(&packet.header, octets, now, &mut |arrived| listener.take(*codec, arrived, told));
    }

    /// Time passed: what waits for a packet waits for a while only.
    pub(crate) fn tick(&mut self, now: Instant, told: &mut impl FnMut(char)) {
        let Self { codec, order, listener } = self;
        order.let_go(now, &mut |arrived| listener.take(*codec, arrived, told));
    }
}

impl Listener {
    fn new(codec: Codec, budget: Budget) -> Self {
        let wideband = (codec == Codec::G722).then(Decoder::new);
        Self { detector: ToneDetector::default(), wideband, expects: None, length: 0, lost: 0, budget }
    }

    fn take(&mut self, codec: Codec, arrived: Arrived<'_>, told: &mut impl FnMut(char)) {
        match arrived {
            Arrived::Anew => *self = Self::new(codec, self.budget),
            Arrived::Lost => self.lost += 1,
            Arrived::Audio { octets: [], .. } => {}
            Arrived::Audio { timestamp, octets } => self.hear(codec, timestamp, octets, told),
        }
    }

    fn hear(&mut self, codec: Codec, timestamp: u32, octets: &[u8], told: &mut impl FnMut(char)) {
        let mut told = |pressed: super::Pressed| told(pressed.key);
        let octets = &octets[..octets.len().min(LONGEST_PACKET)];
        let missing = self.expects.map_or(0, |expects| timestamp.wrapping_sub(expects).cast_signed());
        let missing = usize::try_from(missing).unwrap_or(0);
        // What was lost is as long as the packets are. For the rest the sender was silent, and sent nothing (RFC 3551 4.1).
        let lost = missing.min(self.lost * self.length.max(octets.len()));
        let (lost, silent) = (lost.min(LONGEST_LOSS), (missing - lost).min(LONGEST_SILENCE));
        if !self.budget.take(lost + silent + octets.len()) {
            // As if it had not arrived.
            self.lost += 1;
            return;
        }
        self.lost = 0;
        self.detector.lose(lost, &mut told);
        self.detector.hear(&[0; LONGEST_SILENCE][..silent], &mut told);
        // An octet is a sample of 8 kHz in each codec; the longest packet has 480.
        self.expects = Some(timestamp.wrapping_add(octets.len() as u32));
        self.length = octets.len();
        let mut samples = [0; LONGEST_PACKET];
        let samples = &mut samples[..octets.len()];
        match (codec, &mut self.wideband) {
            (Codec::G722, Some(decoder)) => decoder.decode_narrow(octets, samples),
            (Codec::Pcma, _) => decode(Law::A, octets, samples),
            (Codec::Pcmu | Codec::G722, _) => decode(Law::Mu, octets, samples),
        }
        self.detector.hear(samples, &mut told);
    }
}

impl Budget {
    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.until).min(Duration::from_secs(2));
        let samples = passed.as_micros() as usize * SAMPLES_A_SECOND / 1_000_000;
        // What is less than a sample counts the next time.
        if samples > 0 {
            *self = Self { samples: (self.samples + samples).min(SAMPLES_AT_ONCE), until: now };
        }
    }

    fn take(&mut self, samples: usize) -> bool {
        let left = self.samples.checked_sub(samples);
        self.samples = left.unwrap_or(self.samples);
        left.is_some()
    }
}

fn decode(law: Law, octets: &[u8], samples: &mut [i16]) {
    samples.iter_mut().zip(octets).for_each(|(sample, octet)| *sample = law.decode(*octet));
}

const SAMPLES_A_SECOND: usize = 8_000;
const SAMPLES_AT_ONCE: usize = 2 * SAMPLES_A_SECOND;
/// So much silence ends any key, wherever it begins, and fills all that the detector looks at: 40 ms.
const LONGEST_SILENCE: usize = 320;
/// After so much that was lost the detector knows nothing of what was before: 100 ms.
const LONGEST_LOSS: usize = 800;
/// 60 ms.
const LONGEST_PACKET: usize = 480;

#[cfg(test)]
mod tests;
