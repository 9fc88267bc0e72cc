//! Replays `scenarios/keys-*.txt`: telephone events as text. `UPDATE_TRANSCRIPTS=1` rewrites them.
//!
//! `0.020 > 5 ts 800 seq 10 dur 160 marked` is a packet (`ended` is its E bit; `ssrc 2` another synchronisation source, `from
//! 192.0.2.9:4000` somebody else than the call's other side, which is at 192.0.2.1:4000), `< 5` is a key press that is reported.

use std::fmt::Write as _;
use std::path::Path;

use super::super::tests::{clips, plan};
use super::super::{Lane, MediaPlan, MediaSession, RtpStart};
use super::*;

/// The other side, as the description says.
const CALLER: &str = "192.0.2.1:4000";

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

#[test]
fn of_a_sender_that_breaks_the_rfc_any_packet_may_be_lost() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios"));
    for name in BROKEN_SENDERS {
        let written = std::fs::read_to_string(folder.join(format!("keys-{name}.txt"))).unwrap();
        let packets: Vec<&str> = written.lines().filter(|line| line.contains(" > ")).collect();
        for lost in &packets {
            let arrived: Vec<&str> = packets.iter().copied().filter(|packet| packet != lost).collect();
            assert_eq!(keys(&replay(&arrived.join("\n"))), keys(&written), "{name} without {lost}");
        }
    }
}

/// The keys that a transcript reports.
fn keys(transcript: &str) -> Vec<&str> {
    transcript.lines().filter_map(|line| Some(line.split_once(" < ")?.1)).collect()
}

/// Of [`keys_are_heard_as_their_transcripts_say`]. Where the timestamp stays and the same key follows, the marker alone tells.
const BROKEN_SENDERS: [&str; 10] = [
    "no-markers",
    "marker-everywhere",
    "timestamp-kept-other-key",
    "timestamp-steps",
    "timestamp-steps-duration-stays",
    "ends-stamped-anew",
    "ends-of-a-short-press-stamped-anew",
    "last-ends-stamped-anew",
    "duration-stays",
    "duration-zero",
];

#[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing; only differences count")]
fn replay(written: &str) -> String {
    let (began, mut text) = (Instant::now(), String::new());
    let start = RtpStart { ssrc: 9, sequence: 0, timestamp: 0, seed: [7; 32] };
    let mut session = MediaSession::new(MediaPlan { remote: CALLER.parse().unwrap(), ..plan() }, start, clips());
    session.listen(began);
    for line in written.lines().filter(|line| !line.contains(" < ")) {
        writeln!(text, "{line}").unwrap();
        if let Some((time, packet)) = line.split_once(" > ") {
            let at = Duration::from_secs_f64(time.trim().parse().unwrap());
            let (from, mut packet) = read(packet);
            let key = session.receive(Lane::Rtp, from.parse().unwrap(), &mut packet, began + at);
            key.into_iter().for_each(|(key, _)| writeln!(text, "{time} < {key}").unwrap());
        }
    }
    text
}

/// Whom a packet comes from, and its octets.
fn read(line: &str) -> (&str, Vec<u8>) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let field = |name: &str| words.iter().position(|word| *word == name).map(|at| words[at + 1]);
    let number = |name: &str| field(name).map(|number| number.parse::<u32>().unwrap());
    let event = match words[0] {
        "*" => 10,
        "#" => 11,
        event => event.parse().unwrap(),
    };
    let [high, low] = u16::try_from(number("dur").unwrap()).unwrap().to_be_bytes();
    let flags = if words.contains(&"ended") { 0x8a } else { 0x0a };
    let header = Header {
        marked: words.contains(&"marked"),
        payload_type: 101,
        sequence: u16::try_from(number("seq").unwrap()).unwrap(),
        timestamp: number("ts").unwrap(),
        ssrc: number("ssrc").unwrap_or(1),
    };
    let mut packet = [0; MediaSession::PACKET_BYTES];
    let length = header.write(&[event, flags, high, low], &mut packet);
    (field("from").unwrap_or(CALLER), packet[..length].to_vec())
}
