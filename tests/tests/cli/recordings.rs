//! Keys in recordings, and the recordings that an operator makes.

use std::path::Path;

use end_to_end::service::run;

use super::{Operator, told};

/// A key 5 of 300 ms after 100 ms of silence, 8 kHz; `level` is that of each tone.
pub(super) fn write_five(path: &Path, level: f64) {
    write_fives(path, level, 1);
}

/// The same so many times, half a second each.
fn write_fives(path: &Path, level: f64, times: u32) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec).expect("a file");
    for n in (0..times).flat_map(|_| 0..4_000) {
        let wave = |hertz: f64| (std::f64::consts::TAU * hertz * f64::from(n) / 8_000.0).sin();
        let is_pressed = (800..3_200).contains(&n);
        let sample = if is_pressed { level * (wave(770.0) + wave(1_336.0)) } else { 0.0 };
        wav.write_sample(sample as i16).expect("a file");
    }
    wav.finalize().expect("a file");
}

#[test]
fn the_keys_of_a_recording_are_printed_with_their_seconds() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (wav, lost) = (folder.path().join("five.wav"), folder.path().join("lost"));
    write_five(&wav, 6_000.0);
    std::fs::write(&lost, "1600 160\n2080 320\n").expect("a file");
    let (wav, lost) = (wav.to_str().expect("a plain path"), lost.to_str().expect("a plain path"));
    for arguments in [&["dtmf", wav][..], &["dtmf", wav, "--lost", lost]] {
        let output = run(arguments);
        let said = told(&output);
        let seconds = said.trim().strip_suffix(" 5").and_then(|seconds| seconds.parse::<f64>().ok());
        // Certain at most 50 ms after it began.
        assert!(seconds.is_some_and(|seconds| (0.1..0.15).contains(&seconds)), "{arguments:?}: {said}");
    }
    std::fs::write(lost, "1600 9000\n").expect("a file");
    let output = run(&["dtmf", wav, "--lost", lost]);
    assert!(!output.status.success() && told(&output).contains("beyond the recording"), "{}", told(&output));

    let whole = std::fs::read(wav).expect("the file");
    std::fs::write(wav, &whole[..whole.len() - 1_001]).expect("a file");
    let output = run(&["dtmf", wav]);
    assert!(!output.status.success() && told(&output).contains("to its end"), "{}", told(&output));
    assert!(String::from_utf8_lossy(&output.stdout).trim().ends_with(" 5"), "{}", told(&output));
    write_five(Path::new(wav), 0.0);
    let output = run(&["dtmf", wav]);
    assert!(output.status.success() && output.stdout.is_empty(), "{}", told(&output));
    assert!(told(&output).contains("no key heard"), "{}", told(&output));
}

#[test]
fn an_operators_recordings_are_verified_and_what_is_wrong_with_them_is_said_and_logged() {
    let operator = Operator::new();
    let prompts = operator.path("prompts");
    let verify = || run(&["prompts", "verify", prompts.to_str().expect("a plain path")]);
    std::fs::create_dir_all(prompts.join("en")).expect("a folder");
    write_five(&prompts.join("en/service.wav"), 2_500.0);
    let good = verify();
    assert!(good.status.success(), "{}", told(&good));
    assert!(told(&good).contains("en: ") && told(&good).contains("1 of them from the folder"), "{}", told(&good));
    assert!(["de: ", "es: ", "fr: "].iter().all(|language| told(&good).contains(language)), "{}", told(&good));
    let each = run(&["prompts", "verify", "--clips", prompts.to_str().expect("a plain path")]);
    let lines = |clip: &str| told(&each).lines().filter(|line| line.trim_start().starts_with(clip)).count();
    assert_eq!([lines("service "), lines("digit-")], [4, 40], "{}", told(&each));
    assert!(told(&each).lines().any(|line| {
        line.contains("service ") && line.contains(" 0.50 s ") && line.ends_with("dBFS  from the folder")
    }));

    std::fs::create_dir_all(prompts.join("nl")).expect("a folder");
    write_five(&prompts.join("nl/goodbye.wav"), 2_500.0);
    write_five(&prompts.join("en/verified.wav"), 40.0);
    write_five(&prompts.join("en/goodby.wav"), 2_500.0);
    std::fs::write(prompts.join("en/once-more.wav"), "RIFF, but not really").expect("a file");
    std::fs::create_dir_all(prompts.join("fr")).expect("a folder");
    for clip in ["warning-number", "warning-scam"] {
        write_fives(&prompts.join(format!("fr/{clip}.wav")), 2_500.0, 40);
    }
    let faults = [
        "in \"fr\" the warning lasts 4",
        "the language \"nl\" has no clip \"service\": it is spoken in \"en\"",
        "verified.wav: its active level",
        "goodby.wav is no clip's name",
        "once-more.wav: ",
    ];
    let bad = verify();
    assert_eq!(bad.status.code(), Some(1), "{}", told(&bad));
    assert!(faults.iter().all(|fault| told(&bad).contains(fault)), "{}", told(&bad));
    let nowhere = run(&["prompts", "verify", "/nowhere/at/all"]);
    assert!(!nowhere.status.success() && told(&nowhere).contains("the shipped clips are used"), "{}", told(&nowhere));

    // A service begins all the same, and logs them.
    assert!(operator.init_without(&[]).status.success());
    let text = std::fs::read_to_string(operator.config()).expect("a file");
    let service = operator.serve(&text.replace("[service]\n", "[service]\nprompts_dir = \"../prompts\"\n"));
    let log = service.log().replace("\\\"", "\"");
    assert!(faults.iter().all(|fault| log.contains(fault)), "{log}");
    assert!(service.terminate().success());

    // A folder that the file names, and that is not there, is a slip of the pen.
    for (named, told_of) in [("", false), ("prompts_dir = \"../promts\"\n", true)] {
        std::fs::write(operator.config(), text.replace("[service]\n", &format!("[service]\n{named}"))).expect("a file");
        let checked = told(&operator.with_config(&["check-config"]));
        assert_eq!(
            checked.contains("promts: ") && checked.contains("the shipped clips are used"),
            told_of,
            "{checked}"
        );
    }
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs flite and espeak-ng: run tests/run")]
fn the_shipped_voices_say_a_services_name_for_its_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let prompts = folder.path().join("prompts");
    let prompts = prompts.to_str().expect("a plain path");
    let recorded = run(&["prompts", "record", "--service", "Acme Telecom", prompts]);
    assert!(recorded.status.success(), "{}", told(&recorded));
    let verified = run(&["prompts", "verify", prompts]);
    assert!(verified.status.success(), "{}", told(&verified));
    assert_eq!(told(&verified).matches("1 of them from the folder").count(), 4, "{}", told(&verified));
    let unknown = run(&["prompts", "record", "--service", "Acme", "--language", "nl", prompts]);
    assert!(!unknown.status.success() && told(&unknown).contains("no voice is shipped"), "{}", told(&unknown));
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs flite: run tests/run")]
fn the_shipped_voice_says_everything_that_nobody_recorded() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let english = folder.path().join("en");
    std::fs::create_dir_all(&english).expect("a folder");
    write_five(&english.join("goodbye.wav"), 2_500.0);
    let record = || run(&["prompts", "record", "--language", "en", folder.path().to_str().expect("a plain path")]);
    let all = record();
    // Nobody's service is called what the shipped wording calls it.
    let said = told(&all);
    assert!(all.status.success() && !said.contains("goodbye") && !said.contains("service.wav"), "{said}");
    assert_eq!(told(&all).matches(".wav: ").count(), 33, "{}", told(&all));
    let verified = run(&["prompts", "verify", folder.path().to_str().expect("a plain path")]);
    assert!(verified.status.success() && told(&verified).contains("34 of them from the folder"), "{}", told(&verified));
    // Again only what is missing, not what somebody put there.
    std::fs::remove_file(english.join("digit-7.wav")).expect("it was recorded");
    write_five(&english.join("digit-6.wav"), 2_500.0);
    let again = told(&record());
    assert!(again.matches(".wav: ").count() == 1 && again.contains("en/digit-7.wav: "), "{again}");
}
