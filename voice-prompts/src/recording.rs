//! Renders clips with a speech engine, as they are shipped: trimmed, and at the level of the others. The engines are programs of
//! their own, needed for nothing else.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::fingerprints::wav;
use crate::level::{ACTIVE_LEVEL_DBM0, PEAK_LIMIT_DBFS, active_dbm0, peak_dbfs};
use crate::wording::Voice;
use crate::{Fingerprints, MASTER_RATE, PromptId, RATE, Standing, Wording, decimate};

/// Why there is no recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The wording names an engine that this program does not drive.
    #[error("the engine {0:?} is not known here: flite and espeak-ng are")]
    Engine(String),
    /// The engine cannot be run.
    #[error("{engine} cannot be run: {cause}; install it with: apt install {engine}")]
    Missing {
        /// The engine.
        engine: String,
        /// Why.
        cause: std::io::Error,
    },
    /// The engine failed, or said nothing.
    #[error("{engine} made no sound of {words:?}")]
    Silent {
        /// The engine.
        engine: String,
        /// What it was to say.
        words: String,
    },
    /// What it wrote cannot be read, or the recording not be written.
    #[error("the recording: {0}")]
    File(#[from] hound::Error),
    /// A folder or file.
    #[error("the recording: {0}")]
    Folder(#[from] std::io::Error),
}

/// A recording that was made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recorded {
    /// How long it is.
    pub length: Duration,
    /// By how many dB it stays under the wanted level, because its peak would be too high.
    pub kept_back_db: f64,
}

/// Has the voice say these words and writes them there as a WAV file of [`MASTER_RATE`].
pub fn record(voice: &Voice, words: &str, wav: &Path) -> Result<Recorded, RecordError> {
    let silent = || RecordError::Silent { engine: voice.engine.clone(), words: words.to_owned() };
    let rendered = trim(&render(voice, words, wav)?);
    let heard = decimate(&rendered);
    let level = active_dbm0(&heard, RATE).ok_or_else(silent)?;
    let peak = peak_dbfs(&rendered).into_iter().chain(peak_dbfs(&heard)).fold(f64::MIN, f64::max);
    let (wanted_db, limit_db) = (ACTIVE_LEVEL_DBM0 - level, PEAK_LIMIT_DBFS - 0.1 - peak);
    let gain = 10f64.powf(wanted_db.min(limit_db) / 20.0);
    let samples: Vec<i16> = rendered.iter().map(|sample| (f64::from(*sample) * gain).round() as i16).collect();
    write(wav, &samples)?;
    Ok(Recorded {
        length: Duration::from_secs_f64(samples.len() as f64 / f64::from(MASTER_RATE)),
        kept_back_db: (wanted_db - limit_db).max(0.0),
    })
}

/// Has the voice of a wording say its clips into a folder of its language, those that are wanted, and tells each.
pub fn record_clips(
    wording: &Wording,
    folder: &Path,
    is_wanted: impl Fn(PromptId, Standing) -> bool,
    mut told: impl FnMut(PromptId, Recorded),
) -> Result<(), RecordError> {
    std::fs::create_dir_all(folder)?;
    let mut fingerprints = Fingerprints::read(folder)?;
    for id in PromptId::ALL {
        if is_wanted(id, fingerprints.standing(id, wording, folder)?) {
            told(id, record(wording.voice(), wording.words(id).spoken(), &wav(id, folder))?);
            fingerprints.keep(id, wording, folder)?;
        }
    }
    Ok(())
}

/// What the engine says, at [`MASTER_RATE`].
fn render(voice: &Voice, words: &str, wav: &Path) -> Result<Vec<i16>, RecordError> {
    let raw = wav.with_extension("raw.wav");
    let Voice { engine, name, stretch } = voice;
    let mut command = Command::new(engine);
    match engine.as_str() {
        "flite" => command.args(["-voice", name, "--setf", &format!("duration_stretch={stretch}"), "-t", words, "-o"]),
        "espeak-ng" => command.args(["-v", name, "-s", &(ESPEAK_SPEED / stretch).round().to_string(), words, "-w"]),
        _ => return Err(RecordError::Engine(engine.clone())),
    };
    let status = command.arg(&raw).status();
    let status = status.map_err(|cause| RecordError::Missing { engine: engine.clone(), cause })?;
    if !status.success() {
        return Err(RecordError::Silent { engine: engine.clone(), words: words.to_owned() });
    }
    let mut reader = hound::WavReader::open(&raw)?;
    let rate = reader.spec().sample_rate;
    let samples = reader.samples::<i16>().collect::<Result<Vec<_>, _>>()?;
    std::fs::remove_file(raw)?;
    Ok(if rate == MASTER_RATE { samples } else { resample(&samples, rate) })
}

/// At [`MASTER_RATE`] instead of a higher rate: each sample is a windowed sinc over those around it, with its corner at 7.5 kHz.
fn resample(samples: &[i16], rate: u32) -> Vec<i16> {
    let step = f64::from(rate) / f64::from(MASTER_RATE);
    let corner = 2.0 * RESAMPLED_UP_TO / f64::from(rate);
    let weight = |distance: f64| {
        let x = std::f64::consts::PI * corner * distance;
        let sinc = if x == 0.0 { 1.0 } else { x.sin() / x };
        let window = 0.5 + 0.5 * (std::f64::consts::PI * distance / REACH).cos();
        corner * sinc * window
    };
    let at = |n: usize| {
        let middle = n as f64 * step;
        let first = (middle - REACH).ceil().max(0.0) as usize;
        let last = ((middle + REACH).floor() as usize).min(samples.len() - 1);
        let sum: f64 = (first..=last).map(|k| f64::from(samples[k]) * weight(k as f64 - middle)).sum();
        sum.round().clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16
    };
    (0..(samples.len() as f64 / step) as usize).map(at).collect()
}

/// Cuts the engine's silence and puts ours around the words.
fn trim(samples: &[i16]) -> Vec<i16> {
    let window = MASTER_RATE as usize / 200;
    let energy: Vec<f64> = samples.chunks(window).map(|w| w.iter().map(|s| f64::from(*s).powi(2)).sum()).collect();
    let floor = energy.iter().fold(0.0, |a: f64, b| a.max(*b)) * 10f64.powf(-FLOOR_DB / 10.0);
    let first = energy.iter().position(|e| *e > floor).unwrap_or(0) * window;
    let last = (energy.iter().rposition(|e| *e > floor).map_or(0, |w| w + 1) * window).min(samples.len());
    let silence = |ms: u32| vec![0; (MASTER_RATE * ms / 1000) as usize];
    [silence(LEAD_MS), samples[first..last].to_vec(), silence(TAIL_MS)].concat()
}

fn write(path: &Path, samples: &[i16]) -> Result<(), RecordError> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: MASTER_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec)?;
    samples.iter().try_for_each(|sample| writer.write_sample(*sample))?;
    Ok(writer.finalize()?)
}

/// Silence before and after the words.
const LEAD_MS: u32 = 20;
const TAIL_MS: u32 = 30;
/// What is this much under the loudest 5 ms is silence of the engine.
const FLOOR_DB: f64 = 45.0;
/// Words a minute, if nothing is said.
const ESPEAK_SPEED: f64 = 175.0;
const RESAMPLED_UP_TO: f64 = 7_500.0;
/// Samples to each side.
const REACH: f64 = 32.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_of_another_rate_is_the_same_tone() {
        for hertz in [300.0, 3_000.0, 6_000.0] {
            let tone = |rate: f64| {
                let sample = move |n: u32| 9_000.0 * (std::f64::consts::TAU * hertz * f64::from(n) / rate).sin();
                (0..rate as u32 / 4).map(move |n| sample(n) as i16).collect::<Vec<_>>()
            };
            let (resampled, expected) = (resample(&tone(22_050.0), 22_050), tone(16_000.0));
            assert!(resampled.len().abs_diff(expected.len()) <= 1);
            let furthest = (100..3_900).map(|n| (resampled[n] - expected[n]).abs()).max().unwrap();
            assert!(furthest < 100, "{hertz} Hz: {furthest}");
        }
    }

    #[test]
    fn silence_around_the_words_is_ours() {
        let click = |at: usize| (0..16_000).map(move |n| if n == at { 9_000 } else { 0 }).collect::<Vec<i16>>();
        let trimmed = trim(&click(8_000));
        assert_eq!(trimmed.len(), 320 + 80 + 480);
        assert_eq!(trimmed.iter().position(|sample| *sample != 0), Some(320));
    }
}
