//! One recording: a WAV file, read and checked, as samples of both rates.

use std::time::Duration;

use hound::{SampleFormat, WavReader, WavSpec};

use crate::{halfband, level};

/// The rate of the telephone side.
pub const RATE: u32 = 8_000;
/// The rate of the masters.
pub const MASTER_RATE: u32 = 16_000;
/// No sentence of ours is longer, and no caller would listen.
pub const LONGEST: Duration = Duration::from_secs(20);

/// Why a recording cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    /// Not a WAV file.
    #[error("it is no readable WAV file: {0}")]
    Unreadable(#[from] hound::Error),
    /// Another kind of WAV file.
    #[error(
        "it has {channels} channel(s) of {bits} bits at {rate} Hz: save it as one channel of 16-bit PCM at 16000 or 8000 Hz"
    )]
    Format {
        /// Channels.
        channels: u16,
        /// Bits of a sample.
        bits: u16,
        /// Samples a second.
        rate: u32,
    },
    /// Over [`LONGEST`].
    #[error("it lasts {0:?}: no clip may be longer than {LONGEST:?}")]
    TooLong(Duration),
    /// Nothing in it is loud enough to be speech.
    #[error("it is silent")]
    Silent,
}

/// A clip at both rates.
pub(crate) struct Recording {
    /// At [`RATE`].
    pub(crate) narrow: Vec<i16>,
    /// At [`MASTER_RATE`]: two samples for each of the others.
    pub(crate) wide: Vec<i16>,
}

/// Reads a WAV file of one channel, 16 bits, at 16 or 8 kHz.
pub(crate) fn read(wav: &[u8]) -> Result<Recording, ClipError> {
    let mut reader = WavReader::new(wav)?;
    let WavSpec { channels, sample_rate: rate, bits_per_sample: bits, sample_format } = reader.spec();
    if channels != 1 || bits != 16 || sample_format != SampleFormat::Int || ![RATE, MASTER_RATE].contains(&rate) {
        return Err(ClipError::Format { channels, bits, rate });
    }
    let length = Duration::from_secs_f64(f64::from(reader.duration()) / f64::from(rate));
    if length > LONGEST {
        return Err(ClipError::TooLong(length));
    }
    let samples = reader.samples::<i16>().collect::<Result<Vec<_>, _>>()?;
    let recording = Recording::of(samples, rate);
    if level::active_dbm0(&recording.narrow, RATE).is_none() {
        return Err(ClipError::Silent);
    }
    Ok(recording)
}

impl Recording {
    fn of(samples: Vec<i16>, rate: u32) -> Self {
        if rate == MASTER_RATE {
            let narrow = halfband::decimate(&samples);
            let mut wide = samples;
            wide.resize(2 * narrow.len(), 0);
            Self { narrow, wide }
        } else {
            Self { wide: halfband::interpolate(&samples), narrow: samples }
        }
    }
}
