//! The in-band key detector on its corpus: every condition that must hold, in a few seconds. `docs/dtmf.md` has the whole table
//! and the hours of speech.
#![allow(clippy::unwrap_used, reason = "a test stops at what it cannot use")]

use std::path::Path;
use std::time::Duration;

use ivr_core::media::{Law, Pressed, ToneDetector};
use voice_prompts::{Library, PromptId};

mod corpus;

use corpus::conditions::{Expected, conditions};
use corpus::score::{Score, heard};
use corpus::sound::Recording;
use corpus::table::Table;

#[test]
fn every_condition_is_met_and_a_key_is_certain_within_50_ms() {
    let (mut failed, mut delays) = (Vec::new(), Vec::new());
    for (seed, condition) in (1..).zip(conditions()) {
        let score = Score::of(&condition, seed);
        if !score.passes(condition.expected) {
            failed.push(format!("{} {} (seed {seed}): {score:?}", condition.group, condition.name));
        }
        delays.extend(score.mean_delay());
    }
    let must = conditions().iter().filter(|condition| condition.expected != Expected::Info).count();
    assert_eq!((conditions().len(), must), (167, 90));
    let peers = [0, 1].map(|n| conditions().iter().filter(|condition| condition.peers[n].ends_with('!')).count());
    assert_eq!(peers, [24, 22], "what spandsp and multimon-ng fail");
    assert!(failed.is_empty(), "{failed:#?}");
    let mean = delays.iter().sum::<Duration>() / u32::try_from(delays.len()).unwrap();
    assert!(mean < Duration::from_millis(50), "{mean:?}");
}

/// `UPDATE_SCORES=1` writes it; the diff is the review. Where nothing must be heard or not, another library of mathematics may hear
/// one key more.
#[test]
fn the_table_of_the_document_is_what_the_detector_scores() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dtmf.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    let Table { text, failed } = Table::of_the_corpus();
    assert_eq!(failed, 0);
    let expected = format!("{before}{BEGIN}{text}{END}{after}");
    if std::env::var_os("UPDATE_SCORES").is_some() {
        std::fs::write(path, expected).unwrap();
    } else {
        let must =
            |table: &str| table.lines().filter(|row| !row.contains("| info |")).map(str::to_owned).collect::<Vec<_>>();
        assert!(
            must(written) == must(&text),
            "docs/dtmf.md is stale: UPDATE_SCORES=1 cargo test -p ivr-core --test tones"
        );
    }
}

const BEGIN: &str = "<!-- score: begin -->\n";
const END: &str = "<!-- score: end -->";

/// Between what must be heard and what must not, the corpus asks for nothing; we do.
#[test]
fn quiet_keys_down_to_36_dbm0_are_heard_and_a_hole_of_20_ms_is_no_second_press() {
    for name in ["-27dBm0", "-29dBm0", "-32dBm0", "-36dBm0", "20ms_in_160ms"] {
        let condition = conditions().into_iter().find(|condition| condition.name == name).unwrap();
        let score = Score::of(&condition, 7);
        assert!(score.passes(Expected::Accept), "{name}: {score:?}");
    }
}

#[test]
fn what_is_told_to_be_lost_doubles_nothing() {
    for condition in conditions().iter().filter(|condition| condition.name.ends_with("_zero")) {
        let score = Score::of(condition, 99);
        assert_eq!(score.doubled + score.wrong + score.extra, 0, "{}: {score:?}", condition.name);
    }
}

#[test]
fn it_does_not_matter_how_the_samples_are_packed() {
    let (name, seed) = ("5pc_100ms_zero", 5);
    let condition = conditions().into_iter().find(|condition| condition.name == name).unwrap();
    let recording = Recording::of(&condition.sound, seed);
    let by_packets = heard(&recording);
    for length in [1, 7, 40, 333] {
        let (mut detector, mut keys) = (ToneDetector::default(), Vec::<Pressed>::new());
        let mut next = 0;
        let ends = recording.lost.iter().map(|gap| gap.start).chain([recording.samples.len()]);
        let losses = recording.lost.iter().map(|gap| gap.len()).chain([0]);
        for (end, lost) in ends.zip(losses) {
            for part in recording.samples[next..end].chunks(length) {
                detector.hear(part, &mut |key| keys.push(key));
            }
            detector.lose(lost, &mut |key| keys.push(key));
            next = end + lost;
        }
        assert_eq!(keys, by_packets, "{length} samples at a time");
    }
}

#[test]
fn our_own_voice_is_no_key_at_any_speed_or_level() {
    let library = Library::embedded();
    for language in library.languages() {
        let said: Vec<i16> = PromptId::ALL.iter().flat_map(|id| library.samples(*id, language).to_vec()).collect();
        for (speed, gain) in [(0.8, 1.0), (0.9, 0.3), (1.0, 1.0), (1.1, 0.1), (1.25, 1.0)] {
            let mut keys = Vec::new();
            let line: Vec<i16> =
                faster(&said, speed).map(|sample| Law::Mu.decode(Law::Mu.encode((sample * gain) as i16))).collect();
            ToneDetector::default().hear(&line, &mut |key| keys.push(key));
            assert_eq!(keys, [], "{language}, {speed} times as fast");
        }
    }
}

/// Played so many times as fast, by linear interpolation.
fn faster(samples: &[i16], speed: f64) -> impl Iterator<Item = f64> {
    (0..).map(move |n| f64::from(n) * speed).map_while(|at| {
        let (before, after) = (samples.get(at as usize)?, samples.get(at as usize + 1)?);
        Some(f64::from(*before) + at.fract() * (f64::from(*after) - f64::from(*before)))
    })
}
