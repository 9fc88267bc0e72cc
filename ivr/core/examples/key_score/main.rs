//! Scores the in-band key detector, and says what it costs:
//! `cargo run --release -p ivr-core --example key_score` prints the table of `docs/dtmf.md`;
//! `… -- --speech FOLDER` lets it hear all WAV files of a folder (`tests/speech-corpus` makes some), in which there is no key.

use std::path::Path;
use std::time::{Duration, Instant};

use ivr_core::media::{Pressed, ToneDetector};

#[path = "../../tests/corpus/mod.rs"]
mod corpus;

use corpus::conditions::{Condition, Expected, conditions};
use corpus::score::Score;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            print_scores();
            Ok(())
        }
        ["--speech", folder] => hear_speech(Path::new(folder)),
        _ => Err("key_score [--speech FOLDER]".into()),
    }
}

fn print_scores() {
    println!("| group | condition | expected | dialproof | spandsp | multimon-ng |\n|---|---|---|---|---|---|");
    let (mut failed, mut total) = (0, Score::default());
    for (seed, condition) in (1..).zip(conditions()) {
        let score = Score::of(&condition, seed);
        failed += u32::from(!score.passes(condition.expected));
        (total.delay, total.heard) = (total.delay + score.delay, total.heard + score.heard);
        println!("{}", row(&condition, &score));
    }
    let must = conditions().iter().filter(|condition| condition.expected != Expected::Info).count();
    let peers = [0, 1].map(|n| conditions().iter().filter(|condition| condition.peers[n].ends_with('!')).count());
    println!("\nFailed of {must}: dialproof {failed}, spandsp {}, multimon-ng {}.", peers[0], peers[1]);
    println!("Mean delay: {:?} from the beginning of a key to its report.", total.mean_delay().unwrap_or_default());
}

fn row(Condition { group, name, expected, peers, .. }: &Condition, score: &Score) -> String {
    let expectation = match expected {
        Expected::Accept => "accept",
        Expected::Reject => "reject",
        Expected::Info => "info",
    };
    let per_cent = (score.heard as f64 * 100.0 / score.keys as f64).round();
    let fails = if score.passes(*expected) { "" } else { "!" };
    let Score { wrong, doubled, extra, .. } = score;
    let [spandsp, multimon] = peers;
    format!(
        "| {group} | {name} | {expectation} | {per_cent} / {wrong} / {doubled} / {extra}{fails} | {spandsp} | {multimon} |"
    )
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
        let (false_keys, took) = listen(&samples, 0);
        keys += tell(&false_keys, "");
        keys_with_loss += tell(&listen(&samples, ONE_LOST_OF).0, ", with losses");
        busy += took;
        samples_heard += samples.len();
    }
    let heard = Duration::from_secs_f64(samples_heard as f64 / 8_000.0);
    println!(
        "{keys} false keys in {:.2} hours of speech, {keys_with_loss} with every {ONE_LOST_OF}th packet lost",
        heard.as_secs_f64() / 3_600.0
    );
    println!("{:.4} % of a core a call", busy.as_secs_f64() / heard.as_secs_f64() * 100.0);
    Ok(())
}

/// What the detector hears in packets of 20 ms of which one of so many (0: none) is lost, and how long it took.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn listen(samples: &[i16], one_lost_of: usize) -> (Vec<Pressed>, Duration) {
    let (mut detector, mut keys, began) = (ToneDetector::default(), Vec::new(), Instant::now());
    for (n, packet) in samples.chunks(160).enumerate() {
        if one_lost_of > 0 && n % one_lost_of == 1 {
            detector.lose(packet.len(), &mut |key| keys.push(key));
        } else {
            detector.hear(packet, &mut |key| keys.push(key));
        }
    }
    (keys, began.elapsed())
}

/// 8 %: more than a call can be held with.
const ONE_LOST_OF: usize = 13;
