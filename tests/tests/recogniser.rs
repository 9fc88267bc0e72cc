//! A recogniser that knows nothing of our recordings (PocketSphinx, English) hears the digits out of the packets of calls.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use end_to_end::baresip::{Baresip, Ear, Media};
use end_to_end::proving::{ReadOut, prove};
use end_to_end::recogniser::{recognise, words};
use end_to_end::service::Service;
use ivr_core::media::{Clips, Codec, Control, Law, MediaPlan, MediaSession, RtpStart};
use voice_prompts::{Library, Utterance};

/// So many codes of so many digits.
const CODES: u32 = 20;
const DIGITS: usize = 6;

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs PocketSphinx: run tests/run")]
fn a_stranger_understands_ninety_seven_of_a_hundred_digits_after_mu_law() {
    // Every digit follows every other at some place.
    let codes: String = (0..CODES).map(|n| format!("{:06}", (n * 316_049 + 271_828) % 1_000_000)).collect();
    let samples = said(&codes);
    understands(&codes, &words(&samples));
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs baresip and PocketSphinx: run tests/run")]
fn a_stranger_understands_ninety_seven_of_a_hundred_digits_that_twenty_callers_are_read() {
    let demo = Service::demo();
    let numbers = (1..=CODES).map(|n| format!("+120255501{n:02}"));
    let phones: Vec<_> = numbers.map(|number| (Baresip::of(&number, Ear::Narrow, Media::Clear), number)).collect();
    let call = &|(mut phone, number): (Baresip, String)| {
        let read_out = prove(&number, &demo, &mut phone, |dialled| format!("sip:{dialled}@{}", demo.sip()));
        assert_eq!(phone.rate(), 8_000, "over G.711");
        read_out
    };
    let read_outs: Vec<ReadOut> = std::thread::scope(|scope| {
        let calls: Vec<_> = phones.into_iter().map(|phone| scope.spawn(move || call(phone))).collect();
        calls.into_iter().map(|call| call.join().expect("a call that proves its number")).collect()
    });
    let codes: Vec<&str> = read_outs.iter().map(|read_out| read_out.digits.as_str()).collect();
    // Of a million, two may be alike by chance.
    assert!(
        codes.iter().collect::<HashSet<_>>().len() + 1 >= codes.len(),
        "each caller is read another code: {codes:?}"
    );
    understands(&codes.concat(), &read_outs.iter().flat_map(last_words).collect::<Vec<_>>());
}

/// The digits, which were read last.
fn last_words(read_out: &ReadOut) -> Vec<&[i16]> {
    let mut words = words(&read_out.samples);
    words.split_off(words.len().saturating_sub(DIGITS))
}

/// Of these words, which are these digits, 97 of a hundred are heard as what they are.
fn understands(digits: &str, words: &[&[i16]]) {
    assert_eq!(words.len(), digits.len(), "each digit is a word");
    let heard = recognise(words);
    let right = digits.chars().zip(heard.chars()).filter(|(said, heard)| said == heard).count();
    println!("{right} of {} digits were understood", digits.len());
    assert!(right * 100 >= 97 * digits.len(), "{right} of {}: {digits} was heard as {heard}", digits.len());
}

/// What the packets of a call that reads these digits hold, decoded.
#[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing")]
fn said(digits: &str) -> Vec<i16> {
    let plan = MediaPlan {
        remote: "127.0.0.1:4000".parse().expect("an address"),
        control: Control::Off,
        codec: Codec::Pcmu,
        event_payload_type: Some(101),
        hears_tones: false,
        packet_time: Duration::from_millis(20),
        media_networks: Vec::new(),
        held: false,
        latch_any: false,
        security: None,
    };
    let start = RtpStart { ssrc: 1, sequence: 1, timestamp: 1, seed: [1; 32] };
    let clips = Clips::encode(&Library::embedded(), "en");
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
