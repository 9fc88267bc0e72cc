//! A recogniser that knows nothing of our recordings (PocketSphinx, English) hears the digits out of the packets of calls.

use std::time::{Duration, Instant};

use end_to_end::recogniser::{recognise, words};
use ivr_core::media::{Codec, Control, Law, MediaPlan, MediaSession, RtpStart, Voices};
use voice_prompts::{Language, Library, Utterance};

/// So many codes of six digits.
const CODES: u32 = 20;

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs PocketSphinx: run tests/run")]
fn a_stranger_understands_ninety_seven_of_a_hundred_digits_after_mu_law() {
    // Every digit follows every other at some place.
    let codes: String = (0..CODES).map(|n| format!("{:06}", (n * 316_049 + 271_828) % 1_000_000)).collect();
    let samples = said(&codes);
    let words = words(&samples);
    assert_eq!(words.len(), codes.len(), "each digit is a word");
    let heard = recognise(&words);
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
