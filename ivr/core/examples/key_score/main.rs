//! Scores the in-band key detector, says what it costs, and fails where it does not keep to its marks:
//! `cargo run --release -p ivr-core --example key_score` prints the table of `docs/dtmf.md`;
//! `… -- --speech FOLDER` lets it hear all WAV files of a folder (`tests/speech-corpus` makes some), in which there is no key: three
//! hours or more.

use std::path::Path;
use std::time::Duration;

use ivr_core::media::{Pressed, ToneDetector};

#[path = "../../tests/corpus/mod.rs"]
mod corpus;

use corpus::table::Table;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => print_scores(),
        ["--speech", folder] => hear_speech(Path::new(folder)),
        _ => Err("key_score [--speech FOLDER]".into()),
    }
}

fn print_scores() -> Result<(), Box<dyn std::error::Error>> {
    let table = Table::of_the_corpus();
    print!("{}", table.text);
    if table.failed > 0 { Err(format!("{} conditions are not met", table.failed).into()) } else { Ok(()) }
}

fn hear_speech(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let (mut samples_heard, mut busy) = (0, Duration::ZERO);
    let (mut keys, mut keys_with_loss) = (0, 0);
    let mut paths = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "wav"));
    paths.sort();
    for path in paths {
        let mut reader = hound::WavReader::open(&path)?;
        if (reader.spec().sample_rate, reader.spec().channels) != (8_000, 1) {
            return Err(format!("{}: one channel of 8 kHz is wanted", path.display()).into());
        }
        let samples: Vec<i16> = reader.samples().collect::<Result<_, _>>()?;
        let tell = |false_keys: &[Pressed], how: &str| {
            for Pressed { key, at } in false_keys {
                println!("{}: {key} at {:.3} s{how}", path.display(), *at as f64 / 8_000.0);
            }
            false_keys.len()
        };
        let (false_keys, took) = listen(&samples, 0)?;
        keys += tell(&false_keys, "");
        keys_with_loss += tell(&listen(&samples, ONE_LOST_OF)?.0, ", with losses");
        busy += took;
        samples_heard += samples.len();
    }
    let seconds = samples_heard as f64 / 8_000.0;
    let (hours, cost) = (seconds / 3_600.0, busy.as_secs_f64() / seconds);
    println!(
        "{keys} false keys in {hours:.2} hours of speech, {keys_with_loss} with every {ONE_LOST_OF}th packet lost; {:.4} % of a core a \
         call",
        cost * 100.0
    );
    if keys + keys_with_loss > 0 {
        return Err("a voice was taken for a key".into());
    }
    if hours < LEAST_HOURS {
        return Err(format!("less than {LEAST_HOURS} hours say little").into());
    }
    if cost > MOST_COST {
        return Err("a call may cost 0.1 % of a core".into());
    }
    Ok(())
}

/// What the detector hears in packets of 20 ms of which one of so many (0: none) is lost, and how much of a core it took.
fn listen(samples: &[i16], one_lost_of: usize) -> Result<(Vec<Pressed>, Duration), Box<dyn std::error::Error>> {
    let (mut detector, mut keys, before) = (ToneDetector::default(), Vec::new(), cpu()?);
    for (n, packet) in samples.chunks(160).enumerate() {
        if one_lost_of > 0 && n % one_lost_of == 1 {
            detector.lose(packet.len(), &mut |key| keys.push(key));
        } else {
            detector.hear(packet, &mut |key| keys.push(key));
        }
    }
    Ok((keys, cpu()?.saturating_sub(before)))
}

/// What this thread has used: a busy machine takes longer, but no more.
fn cpu() -> Result<Duration, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos = stat.split(' ').next().ok_or("schedstat has three figures")?.parse()?;
    // A kernel that does not keep count says so for every thread, and nothing would cost anything.
    if nanos == 0 {
        return Err(
            "/proc/thread-self/schedstat counts nothing: this kernel does not measure what a thread uses".into()
        );
    }
    Ok(Duration::from_nanos(nanos))
}

/// 8 %: more than a call can be held with.
const ONE_LOST_OF: usize = 13;
const LEAST_HOURS: f64 = 3.0;
/// Of one core.
const MOST_COST: f64 = 0.001;
