//! Keys in the audio of a call: packets in, in whatever order, keys out.

use super::g722::Decoder;
use super::order::{Arrived, Order};
use super::rtp::Packet;
use super::tones::ToneDetector;
use super::{Codec, Law};

/// The ear of a call whose keys come in no other way.
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
    /// A packet was lost since.
    lost: bool,
}

impl InBand {
    pub(crate) fn new(codec: Codec) -> Self {
        let listener = Listener {
            detector: ToneDetector::default(),
            wideband: (codec == Codec::G722).then(Decoder::new),
            expects: None,
            lost: false,
        };
        Self { codec, order: Order::default(), listener }
    }

    pub(crate) fn codec(&self) -> Codec {
        self.codec
    }

    /// A packet of the caller's. Packets of other kinds only say that none was lost.
    pub(crate) fn hear(&mut self, packet: &Packet<'_>, told: &mut impl FnMut(char)) {
        let Self { codec, order, listener } = self;
        let is_audio = packet.header.payload_type == codec.payload_type();
        let octets = if is_audio { packet.payload } else { &[] };
        order.take(&packet.header, octets, &mut |arrived| match arrived {
            Arrived::Anew => {
                let wideband = (*codec == Codec::G722).then(Decoder::new);
                *listener = Listener { detector: ToneDetector::default(), wideband, expects: None, lost: false };
            }
            Arrived::Lost => listener.lost = true,
            Arrived::Audio { octets: [], .. } => {}
            Arrived::Audio { timestamp, octets } => listener.hear(*codec, timestamp, octets, told),
        });
    }
}

impl Listener {
    fn hear(&mut self, codec: Codec, timestamp: u32, octets: &[u8], told: &mut impl FnMut(char)) {
        let mut told = |pressed: super::Pressed| told(pressed.key);
        let missing = self.expects.map_or(0, |expects| timestamp.wrapping_sub(expects).cast_signed());
        let missing = usize::try_from(missing).unwrap_or(0).min(LONGEST_GAP);
        if std::mem::take(&mut self.lost) {
            self.detector.lose(missing, &mut told);
        } else {
            // Nothing was lost: the sender was silent, and sent nothing (RFC 3551 4.1).
            (0..missing).for_each(|_| self.detector.hear(&[0], &mut told));
        }
        // An octet is a sample of 8 kHz in each codec; the longest packet has 480.
        self.expects = Some(timestamp.wrapping_add(octets.len() as u32));
        let mut samples = [0; LONGEST_PACKET];
        let samples = &mut samples[..octets.len().min(LONGEST_PACKET)];
        match (codec, &mut self.wideband) {
            (Codec::G722, Some(decoder)) => decoder.decode_narrow(octets, samples),
            (Codec::Pcma, _) => decode(Law::A, octets, samples),
            (Codec::Pcmu | Codec::G722, _) => decode(Law::Mu, octets, samples),
        }
        self.detector.hear(samples, &mut told);
    }
}

fn decode(law: Law, octets: &[u8], samples: &mut [i16]) {
    samples.iter_mut().zip(octets).for_each(|(sample, octet)| *sample = law.decode(*octet));
}

/// More than this ends any key: 125 ms.
const LONGEST_GAP: usize = 1_000;
/// 60 ms.
const LONGEST_PACKET: usize = 480;

#[cfg(test)]
mod tests;
