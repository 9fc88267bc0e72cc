//! An operator's own clips over the shipped ones.
#![allow(clippy::unwrap_used, reason = "a test stops at what it cannot use")]

use std::path::Path;
use std::time::Duration;

use voice_prompts::{Library, MASTER_RATE, PromptId, RATE, Utterance, Warning};

fn write_tone(path: &Path, rate: u32, amplitude: f64, seconds: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let spec =
        hound::WavSpec { channels: 1, sample_rate: rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..rate * seconds {
        let phase = 2.0 * std::f64::consts::PI * 440.0 * f64::from(n) / f64::from(rate);
        writer.write_sample((amplitude * phase.sin()) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

#[test]
fn a_locale_finds_its_language_and_an_unknown_one_english() {
    let library = Library::embedded();
    for locale in ["en", "en-US", "EN_gb", "tlh", ""] {
        assert_eq!(library.language(locale), "en", "{locale}");
    }
    for (locale, language) in [("es-MX", "es"), ("fr", "fr"), ("de_CH", "de")] {
        assert_eq!(library.language(locale), language);
    }
}

#[test]
fn a_sentence_is_as_long_as_its_clips_and_pauses() {
    let library = Library::embedded();
    let sentence = Utterance::default().clip(PromptId::OnceMore).pause(Duration::from_millis(300)).digits("42");
    let clips = [PromptId::OnceMore, PromptId::Digit(4), PromptId::Digit(2)];
    let spoken: Duration = clips.iter().map(|id| library.length(*id, "en")).sum();
    assert_eq!(library.utterance_length(&sentence, "en"), spoken + Duration::from_millis(550));
}

#[test]
fn an_operators_clip_goes_over_the_shipped_one_and_only_over_that() {
    let folder = tempfile::tempdir().unwrap();
    write_tone(&folder.path().join("en/service.wav"), 16_000, 6_000.0, 1);
    write_tone(&folder.path().join("en/goodbye.wav"), 8_000, 6_000.0, 2);
    let (library, warnings) = Library::with_folder(folder.path());
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(library.samples(PromptId::Service, "en").len(), RATE as usize);
    assert_eq!(library.length(PromptId::Goodbye, "en"), Duration::from_secs(2));
    for (id, seconds) in [(PromptId::Service, 1), (PromptId::Goodbye, 2)] {
        assert_eq!(library.wide_samples(id, "en").len(), seconds * MASTER_RATE as usize);
    }
    assert!(library.is_own(PromptId::Service, "en") && !library.is_own(PromptId::ThisIs, "en"));
    assert_eq!(library.samples(PromptId::ThisIs, "en"), Library::embedded().samples(PromptId::ThisIs, "en"));
}

#[test]
fn what_cannot_be_used_is_told_and_replaced_by_the_shipped_clip() {
    let folder = tempfile::tempdir().unwrap();
    let en = folder.path().join("en");
    write_tone(&en.join("goodbye.wav"), 44_100, 6_000.0, 1);
    write_tone(&en.join("verified.wav"), 8_000, 6_000.0, 30);
    write_tone(&en.join("once-more.wav"), 8_000, 0.0, 1);
    write_tone(&en.join("try-later.wav"), 8_000, 20.0, 1);
    write_tone(&en.join("enter_code.wav"), 8_000, 6_000.0, 1);
    std::fs::write(en.join("wrong-code.wav"), b"RIFF, but not really").unwrap();
    let (library, warnings) = Library::with_folder(folder.path());
    let told: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    for (file, what) in [
        ("goodbye.wav", "44100 Hz"),
        ("verified.wav", "lasts 30s"),
        ("once-more.wav", "silent"),
        ("try-later.wav", "active level"),
        ("enter_code.wav", "no clip's name"),
        ("wrong-code.wav", "no readable WAV"),
    ] {
        assert!(told.iter().any(|line| line.contains(file) && line.contains(what)), "{file}: {told:#?}");
    }
    assert_eq!(told.len(), 6);
    let shipped = Library::embedded();
    for id in [PromptId::Goodbye, PromptId::Verified, PromptId::OnceMore, PromptId::EnterCode, PromptId::WrongCode] {
        assert_eq!(library.samples(id, "en"), shipped.samples(id, "en"), "{}", id.name());
    }
}

#[test]
fn a_language_of_the_operators_borrows_english_for_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    write_tone(&folder.path().join("nl/goodbye.wav"), 8_000, 6_000.0, 1);
    let (library, warnings) = Library::with_folder(folder.path());
    assert_eq!(library.language("nl-BE"), "nl");
    assert_eq!(library.length(PromptId::Goodbye, "nl"), Duration::from_secs(1));
    assert_eq!(library.samples(PromptId::EnterCode, "nl"), library.samples(PromptId::EnterCode, "en"));
    assert_eq!(warnings.len(), PromptId::ALL.len() - 1);
    assert!(warnings.iter().all(|w| matches!(w, Warning::Fallback { language, .. } if language == "nl")));
}

#[test]
fn a_folder_of_a_region_is_of_its_language() {
    let folder = tempfile::tempdir().unwrap();
    write_tone(&folder.path().join("pt-BR/goodbye.wav"), 8_000, 6_000.0, 1);
    write_tone(&folder.path().join("de_AT/goodbye.wav"), 8_000, 6_000.0, 2);
    let (library, _) = Library::with_folder(folder.path());
    for (locale, language, seconds) in [("pt-BR", "pt", 1), ("pt", "pt", 1), ("de", "de", 2)] {
        assert_eq!(library.language(locale), language);
        assert_eq!(library.length(PromptId::Goodbye, locale), Duration::from_secs(seconds), "{locale}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_told() {
    let (library, warnings) = Library::with_folder(Path::new("/nowhere/at/all"));
    assert!(matches!(warnings.as_slice(), [Warning::Folder { .. }]));
    assert_eq!(library.samples(PromptId::Goodbye, "en"), Library::embedded().samples(PromptId::Goodbye, "en"));
}
