//! G.722 at 64 kbit/s. From the caller only tones are heard, at 8 kHz. This file alone names audio-codec.
//!
//! Unlike G.711 it has a memory, and the other side's follows ours: octets that were made for another beginning click. So
//! each call has an encoder of its own, and nothing is encoded beforehand (`docs/performance.md` has what it costs).

use std::fmt;

use audio_codec::g722::{G722Decoder, G722Encoder};
use audio_codec::{Decoder as _, Encoder as _};

/// The encoder of one call, from its first packet to its last.
pub(crate) struct Encoder(Box<G722Encoder>);

impl Encoder {
    pub(crate) fn new() -> Self {
        Self(Box::new(G722Encoder::new()))
    }

    /// The next octets: one for each two samples of 16 kHz.
    ///
    /// # Panics
    /// If `octets` is not half as long as `samples`.
    pub(crate) fn encode(&mut self, samples: &[i16], octets: &mut [u8]) {
        let written = self.0.encode_into(samples, octets).expect("there is an octet for each two samples");
        assert_eq!(written, octets.len(), "there are two samples for each octet");
    }
}

/// The decoder of one call, as far as the tones of keys go.
pub(crate) struct Decoder {
    decoder: Box<G722Decoder>,
    /// The last samples of 16 kHz, for the low-pass.
    recent: [i16; TAPS.len()],
}

impl Decoder {
    pub(crate) fn new() -> Self {
        Self { decoder: Box::new(G722Decoder::new()), recent: [0; TAPS.len()] }
    }

    /// A sample of 8 kHz for each octet, of at most 480: every second one of those of 16 kHz, after a half-band filter.
    pub(crate) fn decode_narrow(&mut self, octets: &[u8], samples: &mut [i16]) {
        let mut wide = [0; 960];
        let octets = &octets[..octets.len().min(wide.len() / 2)];
        let decoded = self.decoder.decode_into(octets, &mut wide).expect("there are two samples for each octet");
        for (sample, pair) in samples.iter_mut().zip(wide[..decoded].as_chunks::<2>().0) {
            self.recent.copy_within(2.., 0);
            self.recent[TAPS.len() - 2..].copy_from_slice(pair);
            let sum: f32 = self.recent.iter().zip(TAPS).map(|(sample, tap)| f32::from(*sample) * tap).sum();
            *sample = sum as i16;
        }
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encoder")
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decoder")
    }
}

/// A sinc of a quarter of the rate under a Hann window: what would fold onto the tones (from 6.3 kHz on) is 40 dB down.
const TAPS: [f32; 15] =
    [-0.001_7, 0.0, 0.019_7, 0.0, -0.073_4, 0.0, 0.306_2, 0.5, 0.306_2, 0.0, -0.073_4, 0.0, 0.019_7, 0.0, -0.001_7];

#[cfg(test)]
mod tests;
