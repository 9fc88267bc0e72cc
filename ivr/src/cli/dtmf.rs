//! `dialproof dtmf`: hears the keys in a recording as a call's audio would be heard, so that anybody can score the detector.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use ivr_core::media::{Pressed, ToneDetector};

/// What the command takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The recording: a WAV file, one channel of 16-bit PCM at 8000 Hz
    file: PathBuf,
    /// Samples of it that were lost on their way: lines of FIRST_SAMPLE COUNT, in order
    #[arg(long, value_name = "FILE")]
    lost: Option<PathBuf>,
}

/// Prints a line `<seconds> <key>` for each key: when it was certain, from the beginning of the recording. Of a file that is
/// cut short, too, before the error.
///
/// # Errors
/// A file that cannot be read, or is something else.
pub async fn run(args: Args) -> Result<ExitCode> {
    let (samples, cut) = samples(&args.file)?;
    let lost = match &args.lost {
        Some(path) => {
            let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
            lost(&text, samples.len()).with_context(|| format!("in {}", path.display()))?
        }
        None => Vec::new(),
    };
    let keys = keys(&samples, &lost);
    for Pressed { key, at } in &keys {
        println!("{:.3} {key}", *at as f64 / f64::from(RATE));
    }
    if keys.is_empty() {
        eprintln!("no key heard in {} samples", samples.len());
    }
    match cut {
        Some(error) => Err(error).with_context(|| format!("reading {} to its end", args.file.display())),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// The samples, and why there are no more of them, if the file ends before it should.
fn samples(path: &Path) -> Result<(Vec<i16>, Option<hound::Error>)> {
    let mut reader = match hound::WavReader::open(path) {
        Err(hound::Error::Unsupported) => bail!("{} is a WAV file of another coding: {CONVERT}", path.display()),
        Err(error) if is_of_content(&error) => bail!("{} is no WAV file: {CONVERT}", path.display()),
        other => other.with_context(|| format!("reading {}", path.display()))?,
    };
    let spec = reader.spec();
    let is_wanted = (spec.channels, spec.sample_rate, spec.bits_per_sample) == (1, RATE, 16);
    if !is_wanted || spec.sample_format != hound::SampleFormat::Int {
        let hound::WavSpec { channels, sample_rate, bits_per_sample, .. } = spec;
        bail!("{} has {channels} channel(s) of {bits_per_sample} bits at {sample_rate} Hz: {CONVERT}", path.display());
    }
    let mut samples = Vec::new();
    for sample in reader.samples() {
        match sample {
            Ok(sample) => samples.push(sample),
            Err(error) => return Ok((samples, Some(error))),
        }
    }
    Ok((samples, None))
}

/// Whether the file was read, but is something else, or ends before it says what it is: of that the library makes an error that the
/// system never gave.
fn is_of_content(error: &hound::Error) -> bool {
    match error {
        hound::Error::FormatError(_) => true,
        hound::Error::IoError(error) => error.raw_os_error().is_none(),
        _ => false,
    }
}

/// The ranges that the lines name.
fn lost(text: &str, length: usize) -> Result<Vec<Range<usize>>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let numbers = line.split_whitespace().map(str::parse).collect::<Result<Vec<usize>, _>>();
        let Ok(&[first, count]) = numbers.as_deref() else {
            bail!("{line:?} is no line of two numbers, FIRST_SAMPLE COUNT");
        };
        let end = first.saturating_add(count);
        ensure!(end <= length, "{line:?} goes beyond the recording, which has {length} samples");
        ensure!(ranges.last().is_none_or(|last| last.end <= first), "{line:?} begins before the line above it ends");
        ranges.push(first..end);
    }
    Ok(ranges)
}

fn keys(samples: &[i16], lost: &[Range<usize>]) -> Vec<Pressed> {
    let (mut detector, mut keys, mut next) = (ToneDetector::default(), Vec::new(), 0);
    for gap in lost {
        detector.hear(&samples[next..gap.start], &mut |key| keys.push(key));
        detector.lose(gap.len(), &mut |key| keys.push(key));
        next = gap.end;
    }
    detector.hear(&samples[next..], &mut |key| keys.push(key));
    keys
}

const RATE: u32 = 8_000;
const CONVERT: &str = "convert it with: sox FILE -r 8000 -c 1 -b 16 -e signed-integer OTHER.wav";

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    /// A key 5 of 300 ms after 100 ms of silence.
    fn five() -> Vec<i16> {
        let sung = (0..2_400u16).map(|n| {
            let wave = |hertz: f32| (TAU * hertz / 8_000.0 * f32::from(n)).sin();
            (6_000.0 * (wave(770.0) + wave(1_336.0))) as i16
        });
        std::iter::repeat_n(0, 800).chain(sung).chain(std::iter::repeat_n(0, 800)).collect()
    }

    #[test]
    fn a_key_is_told_once_whatever_of_it_was_lost() {
        let mut recording = five();
        assert_eq!(keys(&recording, &[]).iter().map(|pressed| pressed.key).collect::<String>(), "5");
        let gaps = lost("1600 160\n\n2080 320\n", recording.len()).unwrap();
        gaps.iter().for_each(|gap| recording[gap.clone()].fill(0));
        assert_eq!(keys(&recording, &gaps).iter().map(|pressed| pressed.key).collect::<String>(), "5");
        assert_eq!(keys(&recording, &[]).len(), 2, "who is not told hears a pause");
    }

    #[test]
    fn lines_that_name_no_samples_are_refused() {
        for (line, what) in [
            ("12", "two numbers"),
            ("a 3", "two numbers"),
            ("1 2 3", "two numbers"),
            ("90 20", "beyond"),
            ("10 10\n15 2", "before"),
            ("18446744073709551615 9", "beyond"),
        ] {
            let told = lost(line, 100).unwrap_err().to_string();
            assert!(told.contains(what), "{line}: {told}");
        }
    }

    #[test]
    fn another_kind_of_file_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wide.wav");
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 16_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        hound::WavWriter::create(&path, spec).unwrap().finalize().unwrap();
        assert!(samples(&path).unwrap_err().to_string().contains("16000 Hz: convert it with: sox"));
        for text in ["", "RI", "a list of things to buy\n"] {
            std::fs::write(&path, text).unwrap();
            let told = samples(&path).unwrap_err().to_string();
            assert!(told.contains("is no WAV file: convert it with: sox"), "{text:?}: {told}");
        }
        let nowhere = samples(&folder.path().join("nowhere")).unwrap_err().to_string();
        assert!(nowhere.starts_with("reading "), "{nowhere}");
    }
}
