//! Every recording of every language: its format, level, peak, length, and that it says the words of the wording file.
#![allow(clippy::unwrap_used, reason = "a test stops at what it cannot use")]

use std::path::{Path, PathBuf};

use voice_prompts::level::{ACTIVE_LEVEL_DBM0, ACTIVE_LEVEL_TOLERANCE_DB, PEAK_LIMIT_DBFS, active_dbm0, peak_dbfs};
use voice_prompts::{Fingerprints, Library, MASTER_RATE, PromptId, RATE, Standing, Wording, decimate};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The wording files and the folders of their recordings.
fn languages() -> Vec<(Wording, PathBuf)> {
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let wording = Wording::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(path.file_stem().unwrap(), wording.language(), "a wording file is named by its language");
        let folder = root().join("audio").join(wording.language());
        (wording, folder)
    };
    let found: Vec<_> = std::fs::read_dir(root().join("wording")).unwrap().map(read).collect();
    assert!(!found.is_empty());
    found
}

fn master(folder: &Path, id: PromptId) -> Vec<i16> {
    let mut reader = hound::WavReader::open(folder.join(format!("{}.wav", id.name()))).unwrap();
    let spec = reader.spec();
    assert_eq!(
        (spec.channels, spec.sample_rate, spec.bits_per_sample, spec.sample_format),
        (1, MASTER_RATE, 16, hound::SampleFormat::Int),
        "{}",
        id.name()
    );
    reader.samples().collect::<Result<_, _>>().unwrap()
}

#[test]
fn every_recording_is_of_the_words_it_stands_for() {
    for (wording, folder) in languages() {
        let kept = Fingerprints::read(&folder).unwrap();
        for id in PromptId::ALL {
            assert_eq!(
                kept.standing(id, &wording, &folder).unwrap(),
                Standing::Fresh,
                "{}: the words changed since it was recorded, or it is another file: cargo run -p voice-prompts --example record -- {}",
                id.name(),
                wording.language()
            );
        }
        let lines = std::fs::read_to_string(folder.join("fingerprints.txt")).unwrap().lines().count();
        assert_eq!(lines, PromptId::ALL.len(), "fingerprints of clips that are no more");
    }
}

#[test]
fn a_recording_in_the_place_of_another_is_found() {
    let (wording, folder) = languages().into_iter().find(|(wording, _)| wording.language() == "fr").unwrap();
    let swapped = tempfile::tempdir().unwrap();
    for (from, to) in [
        ("fingerprints.txt", "fingerprints.txt"),
        ("digit-6.wav", "digit-7.wav"),
        ("digit-7.wav", "digit-6.wav"),
        ("digit-8.wav", "digit-8.wav"),
    ] {
        std::fs::copy(folder.join(from), swapped.path().join(to)).unwrap();
    }
    let kept = Fingerprints::read(swapped.path()).unwrap();
    let standing = |digit| kept.standing(PromptId::Digit(digit), &wording, swapped.path()).unwrap();
    assert_eq!([5, 6, 7, 8].map(standing), [Standing::Missing, Standing::Own, Standing::Own, Standing::Fresh]);
}

#[test]
fn every_recording_has_the_level_of_the_others_and_does_not_clip() {
    for (_, folder) in languages() {
        for id in PromptId::ALL {
            let master = master(&folder, id);
            let heard = decimate(&master);
            let level = active_dbm0(&heard, RATE).unwrap();
            assert!((level - ACTIVE_LEVEL_DBM0).abs() <= ACTIVE_LEVEL_TOLERANCE_DB, "{}: {level} dBm0", id.name());
            for samples in [&master, &heard] {
                let peak = peak_dbfs(samples).unwrap();
                assert!(peak <= PEAK_LIMIT_DBFS, "{}: peak {peak} dBFS", id.name());
            }
        }
    }
}

#[test]
fn every_recording_is_trimmed_and_as_long_as_its_words_take() {
    for (wording, folder) in languages() {
        for id in PromptId::ALL {
            let master = master(&folder, id);
            let loud = |s: &i16| s.unsigned_abs() > 60;
            let lead_ms = master.iter().position(loud).unwrap() * 1000 / MASTER_RATE as usize;
            let tail_ms = master.iter().rev().position(loud).unwrap() * 1000 / MASTER_RATE as usize;
            assert!((15..=35).contains(&lead_ms), "{}: {lead_ms} ms of silence before", id.name());
            assert!((25..=60).contains(&tail_ms), "{}: {tail_ms} ms of silence after", id.name());
            let length_ms = master.len() * 1000 / MASTER_RATE as usize;
            let letters = wording.words(id).spoken().chars().filter(|c| c.is_alphabetic()).count();
            // A short word is spoken slower: its beginning and end take about 150 ms, whatever is between.
            let a_letter = (length_ms - 150) / letters;
            assert!((35..=175).contains(&a_letter), "{}: {a_letter} ms a letter", id.name());
        }
    }
}

#[test]
fn every_language_with_a_wording_is_in_the_binary() {
    let library = Library::embedded();
    for (wording, folder) in languages() {
        assert!(library.languages().any(|language| language == wording.language()));
        for id in PromptId::ALL {
            assert_eq!(*library.samples(id, wording.language()), *decimate(&master(&folder, id)), "{}", id.name());
            assert_eq!(library.barge_in(id, wording.language()), wording.words(id).barge_in);
        }
    }
}
