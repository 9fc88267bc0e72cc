//! Replays `scenarios/keys-*.txt`: telephone events as text. `UPDATE_TRANSCRIPTS=1` rewrites them.
//!
//! `0.020 > 5 ts 800 seq 10 dur 160 marked` is a packet (`ended` is its E bit; `ssrc 2` is another source), `< 5` is a
//! key press that is reported.

use std::fmt::Write as _;
use std::path::Path;

use super::*;

#[test]
fn keys_are_heard_as_their_transcripts_say() {
    let update = std::env::var_os("UPDATE_TRANSCRIPTS").is_some();
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios"));
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.retain(|name| name.to_string_lossy().starts_with("keys-"));
    assert!(names.len() >= 12, "the transcripts are in {}", folder.display());
    for name in names {
        let written = std::fs::read_to_string(folder.join(&name)).unwrap();
        let replayed = replay(&written);
        if update {
            std::fs::write(folder.join(&name), &replayed).unwrap();
        } else {
            assert_eq!(replayed, written, "{} (UPDATE_TRANSCRIPTS=1 rewrites it)", name.display());
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing; only differences count")]
fn replay(written: &str) -> String {
    let (began, mut rule, mut text) = (Instant::now(), KeyRule::default(), String::new());
    for line in written.lines().filter(|line| !line.contains(" < ")) {
        writeln!(text, "{line}").unwrap();
        if let Some((time, packet)) = line.split_once(" > ") {
            let at = Duration::from_secs_f64(time.trim().parse().unwrap());
            let key = report(packet).and_then(|report| rule.hear(&report, began + at));
            key.into_iter().for_each(|key| writeln!(text, "{time} < {key}").unwrap());
        }
    }
    text
}

fn report(packet: &str) -> Option<Report> {
    let words: Vec<&str> = packet.split_whitespace().collect();
    let field = |name: &str| {
        let at = words.iter().position(|word| *word == name)?;
        Some(words[at + 1].parse::<u32>().unwrap())
    };
    let event = match words[0] {
        "*" => 10,
        "#" => 11,
        event => event.parse().unwrap(),
    };
    let duration = u16::try_from(field("dur").unwrap()).unwrap().to_be_bytes();
    let flags = if words.contains(&"ended") { 0x8a } else { 0x0a };
    let header = Header {
        marked: words.contains(&"marked"),
        payload_type: 101,
        sequence: u16::try_from(field("seq").unwrap()).unwrap(),
        timestamp: field("ts").unwrap(),
        ssrc: field("ssrc").unwrap_or(1),
    };
    Report::read(&Packet { header, payload: &[event, flags, duration[0], duration[1]] })
}
