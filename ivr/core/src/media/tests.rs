use std::f64::consts::TAU;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Instant;

use proptest::prelude::*;
use voice_prompts::{Library, PromptId};

use super::rtp::{Header, Packet};
use super::*;

mod secured;

/// A plain call over PCMU, with keys as payload type 101.
pub(super) fn plan() -> MediaPlan {
    MediaPlan {
        remote: "127.0.0.1:4000".parse().unwrap(),
        control: Control::At("127.0.0.1:4001".parse().unwrap()),
        codec: Codec::Pcmu,
        event_payload_type: Some(101),
        hears_tones: false,
        packet_time: Duration::from_millis(20),
        media_networks: Vec::new(),
        held: false,
        latch_any: false,
        security: None,
    }
}

pub(super) fn clips() -> Clips {
    static CLIPS: LazyLock<Clips> = LazyLock::new(|| Clips::encode(&Library::embedded(), "en"));
    CLIPS.clone()
}

/// A session and its clock.
struct Line {
    session: MediaSession,
    now: Instant,
}

/// A packet that was sent.
#[derive(Debug, PartialEq)]
struct Sent {
    to: SocketAddr,
    header: Header,
    payload: Vec<u8>,
}

impl Line {
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing")]
    fn new(plan: MediaPlan) -> Self {
        let start = RtpStart { ssrc: 9, sequence: 65_535, timestamp: u32::MAX - 100, seed: [7; 32] };
        Self { session: MediaSession::new(plan, start, clips()), now: Instant::now() }
    }

    fn answered(plan: MediaPlan) -> Self {
        let mut line = Self::new(plan);
        line.session.listen(line.now);
        line
    }

    fn tick(&mut self) -> (Option<Sent>, Tick) {
        let mut packet = [0; MediaSession::PACKET_BYTES];
        self.now += self.session.packet_time();
        let tick = self.session.tick(self.now, &mut packet);
        let sent = tick.packet.map(|(to, length)| {
            let Packet { header, payload } = Packet::read(&packet[..length]).unwrap();
            Sent { to, header, payload: payload.to_vec() }
        });
        (sent, tick)
    }

    fn hears(&mut self, from: &str, payload_type: u8, sequence: u16, payload: &[u8]) -> Option<char> {
        let header = Header { marked: false, payload_type, sequence, timestamp: 800, ssrc: 1 };
        let mut packet = [0; MediaSession::PACKET_BYTES];
        let length = header.write(payload, &mut packet);
        self.takes(from, &packet[..length])
    }

    fn takes(&mut self, from: &str, packet: &[u8]) -> Option<char> {
        Some(self.session.receive(Lane::Rtp, from.parse().unwrap(), &mut packet.to_vec(), self.now)?.0)
    }

    /// Hears this audio as the packet of that number; packets are 60 ms.
    fn hears_audio(&mut self, n: u16, payload: &[u8]) -> Option<(char, KeySource)> {
        let header = Header { marked: false, payload_type: 0, sequence: n, timestamp: 480 * u32::from(n), ssrc: 1 };
        let mut packet = [0; MediaSession::PACKET_BYTES];
        let length = header.write(payload, &mut packet);
        self.session.receive(Lane::Rtp, CALLER.parse().unwrap(), &mut packet[..length], self.now)
    }
}

const CALLER: &str = "127.0.0.1:4000";
const STRANGER: &str = "127.0.0.2:4000";
const KEY_5: &[u8] = &[5, 10, 0, 160];

#[test]
fn before_the_ack_nothing_is_sent_and_nothing_counts() {
    let mut line = Line::new(plan());
    line.session.say(1, &Utterance::default().clip(PromptId::Goodbye));
    assert_eq!(line.tick(), (None, Tick::default()));
    assert_eq!(line.hears(CALLER, 101, 1, KEY_5), None);
    assert_eq!(line.session.quality(), Quality::default());
    line.session.listen(line.now);
    assert!(line.tick().0.is_some());
    // The key held down since before counts once.
    assert_eq!(line.hears(CALLER, 101, 2, KEY_5), Some('5'));
    assert_eq!(line.hears(CALLER, 101, 3, KEY_5), None);
}

#[test]
fn packets_are_numbered_and_stamped_through_the_turn_of_the_counters() {
    for (milliseconds, samples) in [(10, 80), (20, 160), (30, 240), (0, 80), (1_000, 480)] {
        let mut line = Line::answered(MediaPlan { packet_time: Duration::from_millis(milliseconds), ..plan() });
        for n in 0..3_u16 {
            let sent = line.tick().0.unwrap();
            let timestamp = (u32::MAX - 100).wrapping_add(u32::from(n) * samples);
            let sequence = 65_535_u16.wrapping_add(n);
            let header = Header { marked: n == 0, payload_type: 0, sequence, timestamp, ssrc: 9 };
            assert_eq!(sent.header, header, "{milliseconds} ms");
            assert_eq!(sent.payload, vec![0xff; samples as usize], "{milliseconds} ms");
        }
        assert_eq!(line.session.packet_time(), Duration::from_micros(u64::from(samples) * 125));
    }
}

#[test]
fn an_utterance_goes_on_through_a_change_of_codec_and_a_hold() {
    let mut line = Line::answered(plan());
    line.session.say(3, &Utterance::default().clip(PromptId::Verified));
    let expected = |law: Law, frame: usize| {
        let samples = Library::embedded().samples(PromptId::Verified, "en");
        let octets = samples[frame * 160..][..160].iter().map(|sample| law.encode(*sample));
        octets.collect::<Vec<_>>()
    };
    assert_eq!(line.tick().0.unwrap().payload, expected(Law::Mu, 0));
    line.session.change(MediaPlan { held: true, ..plan() }, line.now);
    assert_eq!(line.tick().0, None);
    line.session.change(MediaPlan { codec: Codec::Pcma, ..plan() }, line.now);
    let sent = line.tick().0.unwrap();
    assert_eq!(sent.payload, expected(Law::A, 2));
    // Nothing was sent, so no number is missing; the clock ran on.
    let timestamp = (u32::MAX - 100).wrapping_add(320);
    assert_eq!(sent.header, Header { marked: true, payload_type: 8, sequence: 0, timestamp, ssrc: 9 });
    let ended = (0..500).find_map(|_| line.tick().1.play_ended);
    assert_eq!(ended, Some(3));
}

#[test]
fn wideband_has_packets_and_a_clock_like_those_of_the_others() {
    let mut line = Line::answered(MediaPlan { codec: Codec::G722, ..plan() });
    line.session.say(3, &Utterance::default().clip(PromptId::Verified));
    let mut samples = Library::embedded().wide_samples(PromptId::Verified, "en").to_vec();
    samples.resize(samples.len().next_multiple_of(320), 0);
    let mut encoder = g722::Encoder::new();
    for (n, said) in samples.chunks_exact(320).enumerate() {
        let (sent, tick) = line.tick();
        let (mut octets, n) = (vec![0; 160], n as u16);
        encoder.encode(said, &mut octets);
        let timestamp = (u32::MAX - 100).wrapping_add(u32::from(n) * 160);
        let header =
            Header { marked: n == 0, payload_type: 9, sequence: 65_535_u16.wrapping_add(n), timestamp, ssrc: 9 };
        assert_eq!(sent.unwrap(), Sent { to: CALLER.parse().unwrap(), header, payload: octets });
        assert_eq!(tick.play_ended.is_some(), usize::from(n) == samples.len() / 320 - 1);
    }
}

#[test]
fn keys_of_others_are_counted_and_not_heard() {
    let mut line = Line::answered(plan());
    assert_eq!(line.hears(STRANGER, 101, 1, KEY_5), None);
    assert_eq!(line.hears(CALLER, 101, 1, KEY_5), Some('5'));
    assert_eq!(line.hears(STRANGER, 101, 2, &[6, 10, 0, 160]), None);
    assert_eq!(line.hears(CALLER, 0, 3, &[0xff; 160]), None);
    let Quality { packets_received, packets_foreign, packets_lost, .. } = line.session.quality();
    assert_eq!((packets_received, packets_foreign, packets_lost), (2, 2, 1));
}

#[test]
fn only_the_negotiated_payload_type_carries_keys() {
    let table =
        [("another", 96, KEY_5, None), ("short", 101, &KEY_5[..3], None), ("event 16", 101, &[16, 0, 0, 160], None)];
    for (name, payload_type, payload, heard) in table {
        assert_eq!(Line::answered(plan()).hears(CALLER, payload_type, 1, payload), heard, "{name}");
    }
    let without = MediaPlan { event_payload_type: None, hears_tones: true, ..plan() };
    assert_eq!(Line::answered(without).hears(CALLER, 101, 1, KEY_5), None);
    for (event, key) in "0123456789*#ABCD".chars().enumerate() {
        let payload = [u8::try_from(event).unwrap(), 0x8a, 0, 160];
        assert_eq!(Line::answered(plan()).hears(CALLER, 101, 1, &payload), Some(key));
    }
}

#[test]
fn packets_go_to_the_sdp_and_behind_nat_to_where_they_come_from() {
    let from = "127.0.0.1:5555";
    for (latch_any, to) in [(false, CALLER), (true, from)] {
        let mut line = Line::answered(MediaPlan { latch_any, ..plan() });
        assert_eq!(line.tick().0.unwrap().to, CALLER.parse().unwrap());
        line.hears(from, 0, 1, &[0xff; 160]);
        assert_eq!(line.tick().0.unwrap().to, to.parse().unwrap());
    }
}

#[test]
fn nothing_is_sent_to_nowhere() {
    for remote in ["0.0.0.0:4000", "127.0.0.1:0", "[::]:4000"] {
        assert_eq!(Line::answered(MediaPlan { remote: remote.parse().unwrap(), ..plan() }).tick().0, None, "{remote}");
    }
}

#[test]
fn a_caller_that_sends_nothing_is_missed_once_unless_it_is_on_hold() {
    let ticks = usize::try_from(MediaSession::TIMEOUT.as_millis() / 20).unwrap();
    let silences = |line: &mut Line| (0..3 * ticks).filter_map(|_| line.tick().1.fell_silent).collect::<Vec<_>>();
    let mut line = Line::answered(plan());
    assert!((1..ticks).all(|_| line.tick().1.fell_silent.is_none()));
    assert_eq!(line.tick().1.fell_silent, Some(Silence::NoAudio));
    assert_eq!(silences(&mut line), []);
    // What comes from elsewhere is no audio of the caller's.
    line.hears(STRANGER, 0, 1, &[0xff; 160]);
    assert_eq!(silences(&mut line), []);
    line.hears(CALLER, 0, 1, &[0xff; 160]);
    assert_eq!(silences(&mut line), [Silence::AudioStopped]);
    let mut held = Line::answered(MediaPlan { held: true, ..plan() });
    assert_eq!(silences(&mut held), []);
    held.session.change(plan(), held.now);
    assert_eq!(silences(&mut held), [Silence::NoAudio]);
}

#[test]
fn a_call_that_moves_to_another_gateway_is_heard_from_there() {
    let mut line = Line::answered(plan());
    assert_eq!(line.hears(CALLER, 101, 1, KEY_5), Some('5'));
    line.session.change(MediaPlan { remote: STRANGER.parse().unwrap(), ..plan() }, line.now);
    assert_eq!(line.hears(CALLER, 101, 2, &[6, 10, 0, 160]), None);
    assert_eq!(line.hears(STRANGER, 101, 3, &[7, 10, 0, 160]), Some('7'));
    assert_eq!(line.tick().0.unwrap().to, STRANGER.parse().unwrap());
}

/// 1 and 2, sung for 50 ms each with as much silence before, between and after them, as packets of 60 ms.
fn one_and_two() -> Vec<Vec<u8>> {
    let silence = || std::iter::repeat_n(0.0, 400);
    let sung = |hertz: f64| {
        (0..400).map(move |n| [697.0, hertz].map(|tone| (TAU * tone * f64::from(n) / 8_000.0).sin()).iter().sum())
    };
    let samples = silence().chain(sung(1_209.0)).chain(silence()).chain(sung(1_336.0)).chain(silence());
    let octets: Vec<u8> = samples.map(|sample: f64| Law::Mu.encode((5_000.0 * sample) as i16)).collect();
    octets.chunks(480).map(<[u8]>::to_vec).collect()
}

#[test]
fn a_key_that_waits_to_be_told_is_forgotten_when_keys_come_as_events() {
    let tones = MediaPlan { event_payload_type: None, hears_tones: true, ..plan() };
    let packets = one_and_two();
    for (name, events_meanwhile, last) in [("the same media", false, Some('2')), ("events meanwhile", true, None)] {
        let mut line = Line::answered(tones.clone());
        let hears = |line: &mut Line, n: u16| Some(line.hears_audio(n, &packets[usize::from(n)])?.0);
        // When the second comes at last, both keys are whole; a packet tells one.
        assert_eq!([0, 2, 3, 1].map(|n| hears(&mut line, n)), [None, None, None, Some('1')], "{name}");
        if events_meanwhile {
            line.session.change(plan(), line.now);
            line.session.change(tones.clone(), line.now);
        }
        assert_eq!(hears(&mut line, 4), last, "{name}");
    }
}

#[test]
fn tones_beside_events_that_were_agreed_on_are_heard_until_the_first_event() {
    let mut line = Line::answered(MediaPlan { hears_tones: true, ..plan() });
    let sung = one_and_two();
    let hears = |line: &mut Line, first: u16| {
        (first..).zip(&sung).filter_map(|(n, payload)| line.hears_audio(n, payload)).collect::<Vec<_>>()
    };
    let in_band = ['1', '2'].map(|key| (key, KeySource::InBand));
    assert_eq!(hears(&mut line, 0), in_band);
    assert_eq!(line.hears(CALLER, 101, 10, &[16, 0, 0, 160]), None, "an event that is no key");
    assert_eq!(hears(&mut line, 11), in_band);
    assert_eq!(line.hears(CALLER, 101, 20, KEY_5), Some('5'));
    assert!(hears(&mut line, 21).is_empty());
}

/// A report of a listener with this source about the source that we are.
fn their_report(of: u32) -> Vec<u8> {
    let words = [0x81c9_0007_u32, 1, of, 0, 65_535, 8, 0, 0];
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

impl Line {
    /// Goes on until a report was sent; gives it and the ticks until then.
    fn report(&mut self) -> Option<(DueReport, Vec<u8>)> {
        let mut packet = [0; MediaSession::REPORT_BYTES];
        (0..400).find_map(|_| {
            self.tick();
            let due = self.session.report(self.now, &mut packet)?;
            Some((due, packet[..due.length].to_vec()))
        })
    }

    fn reported(&mut self, lane: Lane, from: &str, bytes: &[u8]) -> Quality {
        self.session.receive(lane, from.parse().unwrap(), &mut bytes.to_vec(), self.now);
        self.session.quality()
    }
}

#[test]
fn reports_go_to_where_rtp_goes_by_the_port_that_was_agreed() {
    let at = |address: &str| Control::At(address.parse().unwrap());
    let network = vec![("127.0.0.0".parse().unwrap(), 30)];
    let mut packet = [0; MediaSession::REPORT_BYTES];
    for (name, control, media_networks, expected) in [
        ("the next port", at("127.0.0.1:4001"), Vec::new(), Some((Lane::Rtcp, "127.0.0.1:4001"))),
        ("another port", at("127.0.0.1:9"), Vec::new(), Some((Lane::Rtcp, "127.0.0.1:9"))),
        ("with RTP", Control::Muxed, Vec::new(), Some((Lane::Rtp, CALLER))),
        ("none wanted", Control::Off, Vec::new(), None),
        ("somebody else's address", at("127.0.0.2:4001"), Vec::new(), None),
        ("an address of the trunk", at("127.0.0.2:4001"), network, Some((Lane::Rtcp, "127.0.0.2:4001"))),
        ("port 0", at("127.0.0.1:0"), Vec::new(), None),
    ] {
        let mut line = Line::answered(MediaPlan { control, media_networks, ..plan() });
        let expected = expected.map(|(lane, to)| (lane, to.parse().unwrap()));
        assert_eq!(line.report().map(|(due, _)| (due.lane, due.to)), expected, "{name}");
        assert_eq!(line.session.part(line.now, &mut packet).map(|due| (due.lane, due.to)), expected, "{name}");
    }
}

#[test]
fn behind_nat_reports_go_to_where_the_packets_come_from() {
    let mut line = Line::answered(MediaPlan { latch_any: true, ..plan() });
    line.hears("127.0.0.3:7000", 0, 1, &[0xff; 160]);
    assert_eq!(line.report().unwrap().0.to, "127.0.0.3:4001".parse().unwrap());
    assert_eq!(line.reported(Lane::Rtcp, CALLER, &their_report(9)).packets_foreign, 1);
    assert!(line.reported(Lane::Rtcp, "127.0.0.3:7777", &their_report(9)).reported.is_some());
    assert_eq!(line.report().unwrap().0.to, "127.0.0.3:7777".parse().unwrap());
}

#[test]
fn before_the_ack_no_report_is_sent_or_believed() {
    let mut line = Line::new(plan());
    assert_eq!(line.report(), None);
    assert_eq!(line.reported(Lane::Rtcp, CALLER, &their_report(9)), Quality::default());
    assert_eq!(line.session.part(line.now, &mut [0; MediaSession::REPORT_BYTES]), None);
}

#[test]
fn only_reports_of_the_other_side_on_their_port_are_believed() {
    for (name, control, lane, from, of, believed, foreign) in [
        ("as agreed", plan().control, Lane::Rtcp, "127.0.0.1:4001", 9, true, 0),
        ("from another port", plan().control, Lane::Rtcp, "127.0.0.1:5", 9, true, 0),
        ("on the port of RTP", plan().control, Lane::Rtp, CALLER, 9, false, 0),
        ("with RTP", Control::Muxed, Lane::Rtp, CALLER, 9, true, 0),
        ("not with RTP", Control::Muxed, Lane::Rtcp, CALLER, 9, false, 0),
        ("of another source", plan().control, Lane::Rtcp, CALLER, 10, false, 0),
        ("a stranger", plan().control, Lane::Rtcp, STRANGER, 9, false, 1),
        ("a stranger with RTP", Control::Muxed, Lane::Rtp, STRANGER, 9, false, 1),
    ] {
        let mut line = Line::answered(MediaPlan { control, ..plan() });
        line.tick();
        let quality = line.reported(lane, from, &their_report(of));
        assert_eq!((quality.reported.is_some(), quality.packets_foreign), (believed, foreign), "{name}");
        assert_eq!(quality.packets_received, 0, "{name}");
    }
}

#[test]
fn reports_go_on_in_a_held_call_and_the_last_says_goodbye() {
    let mut line = Line::answered(plan());
    line.hears(CALLER, 0, 7, &[0xff; 160]);
    let (_, packet) = line.report().unwrap();
    assert_eq!((packet[1], &packet[4..8], &packet[28..32]), (200, &[0, 0, 0, 9][..], &[0, 0, 0, 1][..]));
    line.session.change(MediaPlan { held: true, ..plan() }, line.now);
    assert!((0..3).all(|_| line.report().is_some()));
    let mut packet = [0; MediaSession::REPORT_BYTES];
    let last = line.session.part(line.now, &mut packet).unwrap();
    assert_eq!((packet[1], &packet[last.length - 8..last.length]), (201, b"\x81\xcb\0\x01\0\0\0\x09".as_slice()));
}

#[test]
fn a_report_says_what_the_clock_of_the_audio_shows() {
    let mut line = Line::answered(plan());
    line.tick();
    line.now += Duration::from_secs(10) + Duration::from_millis(5);
    let mut packet = [0; MediaSession::REPORT_BYTES];
    line.session.report(line.now, &mut packet).unwrap();
    let timestamp = u32::from_be_bytes(packet[16..20].try_into().unwrap());
    assert_eq!(timestamp, (u32::MAX - 100).wrapping_add(80_040));
}

proptest! {
    #[test]
    fn no_datagrams_make_a_session_panic(datagrams in proptest::collection::vec(
        (proptest::collection::vec(any::<u8>(), 0..40), 0x80u8..0xa0, prop_oneof![Just(0u8), Just(101), any::<u8>()]),
        0..40,
    )) {
        let mut line = Line::answered(plan());
        for (mut datagram, first, second) in datagrams {
            if let [a, b, ..] = datagram.as_mut_slice() {
                (*a, *b) = (first, second);
            }
            for lane in [Lane::Rtp, Lane::Rtcp] {
                line.session.receive(lane, CALLER.parse().unwrap(), &mut datagram.clone(), line.now);
            }
            line.tick();
        }
        let quality = line.session.quality();
        prop_assert!(quality.jitter <= Duration::from_secs(1));
    }
}
