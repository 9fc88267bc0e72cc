//! One recording: a WAV file, read and checked. What is shipped stays in the binary and is not copied; samples of the rate
//! in which it was not recorded are derived when they are asked for.

use std::io::Cursor;
use std::sync::Arc;
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

/// A clip at the rate in which it was recorded. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) enum Recording {
    /// A WAV file in the binary. It is opened when it is asked for: the headers of all clips lie so far apart that reading them
    /// would bring nearly all ten megabytes of them into memory.
    Shipped(&'static [u8]),
    /// At [`RATE`].
    Narrow(Arc<[i16]>),
    /// At [`MASTER_RATE`].
    Wide(Wide),
}

/// Samples at [`MASTER_RATE`], two for each at [`RATE`]. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Wide(Samples);

#[derive(Debug, Clone)]
enum Samples {
    /// In the binary, as a WAV file has them: the lower octet first.
    Shipped(&'static [[u8; 2]]),
    Read(Arc<[i16]>),
}

/// Reads a WAV file of one channel, 16 bits, at 16 or 8 kHz.
pub(crate) fn read(wav: &[u8]) -> Result<Recording, ClipError> {
    let (mut reader, rate) = open(wav)?;
    let mut samples = reader.samples::<i16>().collect::<Result<Vec<_>, _>>()?;
    let recording = if rate == MASTER_RATE {
        samples.resize(samples.len().next_multiple_of(2), 0);
        Recording::Wide(Wide(Samples::Read(samples.into())))
    } else {
        Recording::Narrow(samples.into())
    };
    if level::active_dbm0(&recording.narrow(), RATE).is_none() {
        return Err(ClipError::Silent);
    }
    Ok(recording)
}

/// The same for a file in the binary; of one at 16 kHz with an even number of samples, as all of them are, nothing is copied.
/// That it is loud enough, a test asserts.
fn shipped(wav: &'static [u8]) -> Result<Recording, ClipError> {
    let (reader, rate) = open(wav)?;
    let octets = 2 * reader.duration() as usize;
    let begin = reader.into_inner().position() as usize;
    let samples = wav.get(begin..begin + octets).map(|octets| octets.as_chunks().0);
    match samples {
        Some(samples) if rate == MASTER_RATE && samples.len() % 2 == 0 => {
            Ok(Recording::Wide(Wide(Samples::Shipped(samples))))
        }
        _ => read(wav),
    }
}

type Reader<'a> = WavReader<Cursor<&'a [u8]>>;

/// At its first sample, with its rate.
fn open(wav: &[u8]) -> Result<(Reader<'_>, u32), ClipError> {
    let reader = WavReader::new(Cursor::new(wav))?;
    let WavSpec { channels, sample_rate: rate, bits_per_sample: bits, sample_format } = reader.spec();
    if channels != 1 || bits != 16 || sample_format != SampleFormat::Int || ![RATE, MASTER_RATE].contains(&rate) {
        return Err(ClipError::Format { channels, bits, rate });
    }
    let length = Duration::from_secs_f64(f64::from(reader.duration()) / f64::from(rate));
    if length > LONGEST {
        return Err(ClipError::TooLong(length));
    }
    Ok((reader, rate))
}

impl Recording {
    fn open(shipped_wav: &'static [u8]) -> Self {
        shipped(shipped_wav).expect("the shipped clips are tested")
    }

    /// How many samples it has at [`RATE`].
    pub(crate) fn narrow_len(&self) -> usize {
        match self {
            Self::Shipped(wav) => Self::open(wav).narrow_len(),
            Self::Narrow(samples) => samples.len(),
            Self::Wide(wide) => wide.len() / 2,
        }
    }

    /// At [`RATE`].
    pub(crate) fn narrow(&self) -> Arc<[i16]> {
        match self {
            Self::Shipped(wav) => Self::open(wav).narrow(),
            Self::Narrow(samples) => samples.clone(),
            Self::Wide(wide) => halfband::decimate(&wide.to_vec()).into(),
        }
    }

    /// At [`MASTER_RATE`].
    pub(crate) fn wide(&self) -> Wide {
        match self {
            Self::Shipped(wav) => Self::open(wav).wide(),
            Self::Narrow(samples) => Wide(Samples::Read(halfband::interpolate(samples).into())),
            Self::Wide(wide) => wide.clone(),
        }
    }
}

#[expect(clippy::len_without_is_empty, reason = "no clip is empty")]
impl Wide {
    /// How many samples.
    pub fn len(&self) -> usize {
        match &self.0 {
            Samples::Shipped(samples) => samples.len(),
            Samples::Read(samples) => samples.len(),
        }
    }

    /// Copies as many samples as there is room for.
    ///
    /// # Panics
    /// If there are not so many from there on.
    pub fn copy_from(&self, first: usize, to: &mut [i16]) {
        let range = first..first + to.len();
        match &self.0 {
            Samples::Shipped(samples) => {
                let octets = samples[range].iter().copied().map(i16::from_le_bytes);
                to.iter_mut().zip(octets).for_each(|(to, sample)| *to = sample);
            }
            Samples::Read(samples) => to.copy_from_slice(&samples[range]),
        }
    }

    /// All of them.
    pub fn to_vec(&self) -> Vec<i16> {
        let mut samples = vec![0; self.len()];
        self.copy_from(0, &mut samples);
        samples
    }
}
