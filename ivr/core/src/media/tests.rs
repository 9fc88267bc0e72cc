use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Instant;

use proptest::prelude::*;
use voice_prompts::{Library, PromptId};

use super::rtp::{Header, Packet};
use super::*;

/// A plain call over PCMU, with keys as payload type 101.
pub(super) fn plan() -> MediaPlan {
    MediaPlan {
        remote: "127.0.0.1:4000".parse().unwrap(),
        codec: Codec::Pcmu,
        event_payload_type: Some(101),
        packet_time: Duration::from_millis(20),
        media_networks: Vec::new(),
        held: false,
        latch_any: false,
    }
}

fn clips() -> Clips {
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
        let start = RtpStart { ssrc: 9, sequence: 65_535, timestamp: u32::MAX - 100 };
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
        self.session.receive(from.parse().unwrap(), &packet[..length], self.now)
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
    let expected = |codec: Codec, frame: usize| {
        let samples = Library::embedded().samples(PromptId::Verified, "en");
        let octets = samples[frame * 160..][..160].iter().map(|sample| codec.encode(*sample));
        octets.collect::<Vec<_>>()
    };
    assert_eq!(line.tick().0.unwrap().payload, expected(Codec::Pcmu, 0));
    line.session.change(MediaPlan { held: true, ..plan() }, line.now);
    assert_eq!(line.tick().0, None);
    line.session.change(MediaPlan { codec: Codec::Pcma, ..plan() }, line.now);
    let sent = line.tick().0.unwrap();
    assert_eq!(sent.payload, expected(Codec::Pcma, 2));
    // Nothing was sent, so no number is missing; the clock ran on.
    let timestamp = (u32::MAX - 100).wrapping_add(320);
    assert_eq!(sent.header, Header { marked: true, payload_type: 8, sequence: 0, timestamp, ssrc: 9 });
    let ended = (0..500).find_map(|_| line.tick().1.play_ended);
    assert_eq!(ended, Some(3));
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
    let without = MediaPlan { event_payload_type: None, ..plan() };
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
    let silences = |line: &mut Line| (0..3 * ticks).filter(|_| line.tick().1.fell_silent).count();
    let mut line = Line::answered(plan());
    assert!((1..ticks).all(|_| !line.tick().1.fell_silent));
    assert!(line.tick().1.fell_silent);
    assert_eq!(silences(&mut line), 0);
    line.hears(CALLER, 0, 1, &[0xff; 160]);
    assert_eq!(silences(&mut line), 1);
    let mut held = Line::answered(MediaPlan { held: true, ..plan() });
    assert_eq!(silences(&mut held), 0);
    held.session.change(plan(), held.now);
    assert_eq!(silences(&mut held), 1);
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
            line.session.receive(CALLER.parse().unwrap(), &datagram, line.now);
            line.tick();
        }
        let quality = line.session.quality();
        prop_assert!(quality.jitter <= Duration::from_secs(1));
    }
}
