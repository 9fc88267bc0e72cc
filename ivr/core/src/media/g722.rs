//! G.722 at 64 kbit/s, towards the caller: we hear keys, not speech. This file alone names audio-codec.
//!
//! Unlike G.711 it has a memory, and the other side's follows ours: octets that were made for another beginning click. So
//! each call has an encoder of its own, and nothing is encoded beforehand (`docs/performance.md` has what it costs).

use std::fmt;

use audio_codec::Encoder as _;
use audio_codec::g722::G722Encoder;

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

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encoder")
    }
}

#[cfg(test)]
mod tests;
