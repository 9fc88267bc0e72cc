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

/// A press as its packets: eight while it is held, the last three times (RFC 4733 2.5.1.4).
fn packets_of(press: u16, event: u8) -> impl Iterator<Item = (Header, [u8; 4])> {
    (0..10_u16).map(move |n| {
        let (timestamp, sequence) = (u32::from(press) * 2_400, press * 10 + n);
        let header = Header { marked: n == 0, payload_type: 101, sequence, timestamp, ssrc: 1 };
        let [high, low] = ((n + 1).min(8) * 160).to_be_bytes();
        (header, [event, if n >= 7 { 0x8a } else { 0x0a }, high, low])
    })
}

proptest::proptest! {
    /// Of every ten packets one is lost, one comes twice, one overtakes up to three.
    #[test]
    fn no_key_is_lost_or_doubled_on_a_bad_line(
        events in proptest::collection::vec(0..16_u8, 1..20),
        fates in proptest::collection::vec((0..100_u8, 1..4_usize), 200),
    ) {
        let mut line = Vec::new();
        for (press, event) in (0..).zip(&events) {
            line.extend(packets_of(press, *event));
        }
        let mut arrivals: Vec<_> = (0..line.len()).zip(&fates).filter(|(_, (fate, _))| *fate >= 10).collect();
        arrivals = arrivals.into_iter().flat_map(|(n, fate)| vec![(n, fate); if fate.0 < 20 { 2 } else { 1 }]).collect();
        arrivals.sort_by_key(|(n, (fate, later))| if (20..30).contains(fate) { n + later } else { *n });
        #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing")]
        let (began, mut rule, mut heard) = (Instant::now(), KeyRule::default(), String::new());
        for (n, _) in arrivals {
            let (header, payload) = &line[n];
            let report = Report::read(&Packet { header: *header, payload }).unwrap();
            heard.extend(rule.hear(&report, began + Duration::from_millis(n as u64 * 20)));
        }
        // A press of which all ten packets are lost is one in 10^10.
        let pressed: String = events.iter().map(|event| char::from(b"0123456789*#ABCD"[usize::from(*event)])).collect();
        proptest::prop_assert_eq!(heard, pressed);
    }
}
