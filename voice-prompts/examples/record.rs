//! Renders the clips of a language with its speech engine and writes them beside the wording, with the fingerprint of
//! the words: `cargo run -p voice-prompts --example record -- en [clip …]`. Without clips, all whose words changed or
//! whose recording is missing; `--all` renders every one. Needs the engine (`apt install flite`); using the voice needs nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use voice_prompts::level::{ACTIVE_LEVEL_DBM0, PEAK_LIMIT_DBFS, active_dbm0, peak_dbfs};
use voice_prompts::{MASTER_RATE, PromptId, RATE, Wording, decimate};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// Silence before and after the words.
const LEAD_MS: u32 = 20;
const TAIL_MS: u32 = 30;
/// What is this much under the loudest 5 ms is silence of the engine.
const FLOOR_DB: f64 = 45.0;

fn main() -> Fallible<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let all = arguments.iter().any(|a| a == "--all");
    arguments.retain(|a| a != "--all");
    let (language, chosen) = arguments.split_first().ok_or("say which language: record -- en [clip …] [--all]")?;
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let wording = Wording::parse(&std::fs::read_to_string(root.join(format!("wording/{language}.toml")))?)?;
    let folder = root.join("audio").join(language);
    std::fs::create_dir_all(&folder)?;

    let kept = folder.join("fingerprints.txt");
    let mut fingerprints: BTreeMap<String, String> = std::fs::read_to_string(&kept)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, hash)| (name.to_owned(), hash.to_owned()))
        .collect();
    for id in PromptId::ALL {
        let wav = folder.join(format!("{}.wav", id.name()));
        let fresh = fingerprints.get(id.name()) == Some(&wording.fingerprint(id)) && wav.exists();
        if all || chosen.iter().any(|name| name == id.name()) || (chosen.is_empty() && !fresh) {
            record(&wording, id, &wav)?;
            fingerprints.insert(id.name().to_owned(), wording.fingerprint(id));
        }
    }
    fingerprints.retain(|name, _| PromptId::from_name(name).is_some());
    let lines: String = fingerprints.iter().map(|(name, hash)| format!("{name} {hash}\n")).collect();
    Ok(std::fs::write(kept, lines)?)
}

fn record(wording: &Wording, id: PromptId, wav: &Path) -> Fallible<()> {
    let rendered = trim(&render(wording, wording.words(id).spoken(), wav)?);
    let heard = decimate(&rendered);
    let level = active_dbm0(&heard, RATE).ok_or("the engine was silent")?;
    let wanted_db = ACTIVE_LEVEL_DBM0 - level;
    let limit_db =
        PEAK_LIMIT_DBFS - 0.1 - peak_dbfs(&rendered).into_iter().chain(peak_dbfs(&heard)).fold(f64::MIN, f64::max);
    let gain = 10f64.powf(wanted_db.min(limit_db) / 20.0);
    let samples: Vec<i16> = rendered.iter().map(|s| (f64::from(*s) * gain).round() as i16).collect();
    write(wav, &samples)?;
    let short_db = (wanted_db - limit_db).max(0.0);
    println!(
        "{:22} {:5} ms  {short_db:.1} dB kept back by the peak",
        id.name(),
        samples.len() * 1000 / MASTER_RATE as usize
    );
    Ok(())
}

fn render(wording: &Wording, words: &str, wav: &Path) -> Fallible<Vec<i16>> {
    let voice = wording.voice();
    if voice.engine != "flite" {
        return Err(format!("this program drives flite, not {:?}", voice.engine).into());
    }
    let raw = wav.with_extension("raw.wav");
    let status = Command::new(&voice.engine)
        .args(["-voice", &voice.name, "--setf", &format!("duration_stretch={}", voice.stretch)])
        .args(["-t", words, "-o"])
        .arg(&raw)
        .status()
        .map_err(|e| format!("{}: {e}; install it with: apt install flite", voice.engine))?;
    if !status.success() {
        return Err(format!("{} failed on {words:?}", voice.engine).into());
    }
    let mut reader = hound::WavReader::open(&raw)?;
    if (reader.spec().channels, reader.spec().sample_rate) != (1, MASTER_RATE) {
        return Err(format!("the voice {:?} is not of 16 kHz and one channel", voice.name).into());
    }
    let samples = reader.samples::<i16>().collect::<Result<_, _>>()?;
    std::fs::remove_file(raw)?;
    Ok(samples)
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

fn write(path: &Path, samples: &[i16]) -> Fallible<()> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: MASTER_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec)?;
    samples.iter().try_for_each(|s| writer.write_sample(*s))?;
    Ok(writer.finalize()?)
}
