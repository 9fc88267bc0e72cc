//! A recogniser that knows nothing of our recordings (PocketSphinx, English) hears the digits out of the packets of calls.

use std::process::Command;
use std::time::{Duration, Instant};

use ivr_core::media::{Codec, Control, Law, MediaPlan, MediaSession, RtpStart, Voices};
use voice_prompts::{Language, Library, Utterance};

/// So many codes of six digits.
const CODES: u32 = 20;
/// Between two digits there is more silence than this, in samples, and in none so much.
const PAUSE: usize = 1_200;

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs PocketSphinx: run tests/run")]
fn a_stranger_understands_ninety_seven_of_a_hundred_digits_after_mu_law() {
    // Every digit follows every other at some place.
    let codes: String = (0..CODES).map(|n| format!("{:06}", (n * 316_049 + 271_828) % 1_000_000)).collect();
    let samples = said(&codes);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files: Vec<_> = (0..)
        .zip(words(&samples))
        .map(|(n, word)| {
            let path = folder.path().join(format!("{n:03}.raw"));
            let octets: Vec<u8> = twice_as_many(word).iter().flat_map(|sample| sample.to_le_bytes()).collect();
            std::fs::write(&path, octets).expect("a file");
            path
        })
        .collect();
    assert_eq!(files.len(), codes.len(), "each digit is a word");
    let output = Command::new("/usr/bin/python3")
        .env("PYTHONPATH", "/usr/local/lib/dialproof-tests")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/recognise.py"))
        .args(&files)
        .output()
        .expect("Python is installed: run tests/setup");
    let heard = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let right = codes.chars().zip(heard.chars()).filter(|(said, heard)| said == heard).count();
    assert!(right * 100 >= 97 * codes.len(), "{right} of {}: {codes} was heard as {heard}", codes.len());
}

/// What the packets of a call that reads these digits hold, decoded.
#[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing")]
fn said(digits: &str) -> Vec<i16> {
    let plan = MediaPlan {
        remote: "127.0.0.1:4000".parse().expect("an address"),
        control: Control::Off,
        codec: Codec::Pcmu,
        event_payload_type: Some(101),
        packet_time: Duration::from_millis(20),
        media_networks: Vec::new(),
        held: false,
        latch_any: false,
        security: None,
    };
    let start = RtpStart { ssrc: 1, sequence: 1, timestamp: 1, seed: [1; 32] };
    let clips = Voices::new(Library::embedded()).of(Language::ENGLISH).clone();
    let (mut session, mut now) = (MediaSession::new(plan, start, clips), Instant::now());
    session.listen(now);
    session.say(1, &Utterance::default().digits(digits));
    let mut heard = Vec::new();
    loop {
        let mut packet = [0; MediaSession::PACKET_BYTES];
        now += Duration::from_millis(20);
        let tick = session.tick(now, &mut packet);
        let (_, length) = tick.packet.expect("a packet each 20 ms");
        heard.extend(packet[12..length].iter().map(|octet| Law::Mu.decode(*octet)));
        if tick.play_ended.is_some() {
            return heard;
        }
    }
}

/// At 16 kHz, which the recogniser wants, with nothing above 4: a windowed sinc.
fn twice_as_many(samples: &[i16]) -> Vec<i16> {
    use std::f64::consts::PI;
    const REACH: isize = 16;
    let weight = |distance: f64| {
        let x = PI * distance / 2.0;
        let sinc = if x == 0.0 { 1.0 } else { x.sin() / x };
        sinc * (0.5 + 0.5 * (PI * distance / (2 * REACH) as f64).cos())
    };
    let at = |n: isize| {
        let near = (n / 2 - REACH..=n / 2 + REACH).filter(|k| (2 * k - n).abs() < 2 * REACH);
        let heard = near.filter_map(|k| Some((k, *samples.get(usize::try_from(k).ok()?)?)));
        heard.map(|(k, sample)| f64::from(sample) * weight((2 * k - n) as f64)).sum::<f64>() as i16
    };
    (0..2 * samples.len() as isize).map(at).collect()
}

/// What is between the pauses.
fn words(samples: &[i16]) -> Vec<&[i16]> {
    let (mut words, mut begin, mut silent) = (Vec::new(), None, 0);
    for (n, sample) in samples.iter().enumerate() {
        silent = if sample.unsigned_abs() > 8 { 0 } else { silent + 1 };
        match begin {
            None if silent == 0 => begin = Some(n),
            Some(from) if silent == PAUSE => {
                words.push(&samples[from..n + 1 - PAUSE]);
                begin = None;
            }
            _ => {}
        }
    }
    words.extend(begin.map(|from| &samples[from..]));
    words
}
