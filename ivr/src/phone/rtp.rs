//! The telephone's audio: silence and key presses out, as events or as tones, packets in (RFC 3550, RFC 4733), without sockets and
//! clock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use voice_prompts::{Heard, Hearing, Vocabulary};

use super::sdp::Agreed;

/// Length of a packet.
pub(super) const FRAME: Duration = Duration::from_millis(20);
/// The same in samples.
const FRAME_SAMPLES: u32 = 160;
/// A key is pressed for this many packets; the last is sent three times (RFC 4733 2.5.1.4).
const KEY_FRAMES: u32 = 5;
const LAST_REPEATED: u32 = 3;
/// And this many packets of silence follow it.
const BETWEEN_KEYS: u32 = 4;
/// RFC 4733: −10 dBm0.
const VOLUME: u8 = 10;
/// The same, of a sine whose full scale is 3.14 dBm0.
const TONE_AMPLITUDE: f64 = 7_200.0;
/// In Hz, in the order of the events.
const TONES: [[f64; 2]; 16] = [
    [941.0, 1_336.0],
    [697.0, 1_209.0],
    [697.0, 1_336.0],
    [697.0, 1_477.0],
    [770.0, 1_209.0],
    [770.0, 1_336.0],
    [770.0, 1_477.0],
    [852.0, 1_209.0],
    [852.0, 1_336.0],
    [852.0, 1_477.0],
    [941.0, 1_209.0],
    [941.0, 1_477.0],
    [697.0, 1_633.0],
    [770.0, 1_633.0],
    [852.0, 1_633.0],
    [941.0, 1_633.0],
];
/// A longer gap than this is not filled: the stream began anew.
const LONGEST_GAP_SAMPLES: u32 = 16_000;

/// What is sent, one packet a [`FRAME`].
#[derive(Debug)]
pub(super) struct Mouth {
    agreed: Agreed,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    keys: VecDeque<u8>,
    pressing: Option<Pressing>,
    pub(super) packets: u64,
}

#[derive(Debug, Clone, Copy)]
struct Pressing {
    event: u8,
    /// The packet of the press, from 0.
    packet: u32,
    began: u32,
}

impl Mouth {
    /// `start` is random: SSRC, timestamp, sequence.
    pub(super) fn new(agreed: Agreed, start: [u8; 10]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j] = start;
        Self {
            agreed,
            ssrc: u32::from_be_bytes([a, b, c, d]),
            timestamp: u32::from_be_bytes([e, f, g, h]),
            sequence: u16::from_be_bytes([i, j]),
            keys: VecDeque::new(),
            pressing: None,
            packets: 0,
        }
    }

    /// Presses these keys (`0`–`9`, `*`, `#`, `A`–`D`) one after the other; others are not on the pad.
    pub(super) fn press(&mut self, keys: &str) {
        let event = |key| "0123456789*#ABCD".find(key).and_then(|at| u8::try_from(at).ok());
        self.keys.extend(keys.chars().filter_map(event));
    }

    /// The next packet.
    pub(super) fn packet(&mut self) -> Vec<u8> {
        if self.pressing.is_none()
            && let Some(event) = self.keys.pop_front()
        {
            self.pressing = Some(Pressing { event, packet: 0, began: self.timestamp });
        }
        let packet = match (self.pressing, self.agreed.events) {
            (Some(pressing), Some(payload_type)) if pressing.packet < KEY_FRAMES + LAST_REPEATED - 1 => {
                self.key_packet(pressing, payload_type)
            }
            (Some(pressing), None) if pressing.packet < KEY_FRAMES => self.tone_packet(pressing),
            _ => {
                let silence = [self.agreed.law.silence(); FRAME_SAMPLES as usize];
                self.assemble(self.agreed.law.payload_type(), false, self.timestamp, &silence)
            }
        };
        self.pressing = self
            .pressing
            .map(|p| Pressing { packet: p.packet + 1, ..p })
            .filter(|p| p.packet < KEY_FRAMES + LAST_REPEATED - 1 + BETWEEN_KEYS);
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(FRAME_SAMPLES);
        self.packets += 1;
        packet
    }

    fn key_packet(&self, pressing: Pressing, payload_type: u8) -> Vec<u8> {
        let last = pressing.packet + 1 >= KEY_FRAMES;
        let duration = (pressing.packet + 1).min(KEY_FRAMES) * FRAME_SAMPLES;
        let [high, low] = (duration as u16).to_be_bytes();
        let payload = [pressing.event, u8::from(last) << 7 | VOLUME, high, low];
        self.assemble(payload_type, pressing.packet == 0, pressing.began, &payload)
    }

    /// Part of a key that is two tones of −10 dBm0 (ITU-T Q.23).
    fn tone_packet(&self, pressing: Pressing) -> Vec<u8> {
        let [low, high] = TONES[usize::from(pressing.event)];
        let law = self.agreed.law;
        let first = pressing.packet * FRAME_SAMPLES;
        let sample = |n: u32| {
            let wave = |hertz: f64| (std::f64::consts::TAU * hertz * f64::from(n) / 8_000.0).sin();
            (TONE_AMPLITUDE * (wave(low) + wave(high))) as i16
        };
        let octets: Vec<u8> = (first..first + FRAME_SAMPLES).map(|n| law.encode(sample(n))).collect();
        self.assemble(law.payload_type(), false, self.timestamp, &octets)
    }

    fn assemble(&self, payload_type: u8, marker: bool, timestamp: u32, payload: &[u8]) -> Vec<u8> {
        let mut packet = Vec::with_capacity(12 + payload.len());
        packet.extend([0x80, u8::from(marker) << 7 | payload_type]);
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(payload);
        packet
    }
}

/// What is received.
#[derive(Debug)]
pub(super) struct Ear {
    agreed: Agreed,
    hearing: Hearing,
    stream: Option<Stream>,
    pub(super) packets: u64,
    pub(super) lost: u64,
    /// How far each packet came from 20 ms after the one before it.
    pub(super) spacing_errors: Vec<Duration>,
}

#[derive(Debug, Clone, Copy)]
struct Stream {
    ssrc: u32,
    next_sequence: u16,
    next_timestamp: u32,
    arrived: Instant,
}

impl Ear {
    pub(super) fn new(agreed: Agreed, vocabulary: Arc<Vocabulary>) -> Self {
        let hearing = Hearing::new(vocabulary);
        Self { agreed, hearing, stream: None, packets: 0, lost: 0, spacing_errors: Vec::new() }
    }

    /// Takes a packet that arrived at `at`; what is not the agreed audio is dropped.
    pub(super) fn receive(&mut self, packet: &[u8], at: Instant, heard: &mut Vec<Heard>) {
        let Some(header) = Header::parse(packet).filter(|h| h.payload_type == self.agreed.law.payload_type()) else {
            return;
        };
        let audio: Vec<i16> = packet[header.length..].iter().map(|octet| self.agreed.law.decode(*octet)).collect();
        let stream = self.stream.filter(|stream| stream.ssrc == header.ssrc);
        if let Some(stream) = stream {
            let missing = header.sequence.wrapping_sub(stream.next_sequence);
            if missing > u16::MAX / 2 {
                // It comes too late: it was already given up.
                return;
            }
            let gap = header.timestamp.wrapping_sub(stream.next_timestamp);
            if missing == 0 {
                let apart = at.saturating_duration_since(stream.arrived);
                self.spacing_errors.push(apart.abs_diff(FRAME));
            } else if gap < LONGEST_GAP_SAMPLES {
                self.lost += u64::from(missing);
                self.hearing.lose(gap as usize, heard);
            }
        }
        self.packets += 1;
        self.stream = Some(Stream {
            ssrc: header.ssrc,
            next_sequence: header.sequence.wrapping_add(1),
            next_timestamp: header.timestamp.wrapping_add(audio.len() as u32),
            arrived: at,
        });
        self.hearing.hear(&audio, heard);
    }
}

struct Header {
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    /// With contributing sources and extension: where the payload begins.
    length: usize,
}

impl Header {
    fn parse(packet: &[u8]) -> Option<Self> {
        let fixed: &[u8; 12] = packet.first_chunk()?;
        let [first, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = *fixed;
        let sources = usize::from(first & 0x0f) * 4;
        let extension = match first & 0x10 {
            0 => 0,
            _ => {
                let words = packet.get(12 + sources + 2..12 + sources + 4)?;
                4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]))
            }
        };
        let length = 12 + sources + extension;
        (first >> 6 == 2 && length < packet.len()).then_some(Self {
            payload_type: second & 0x7f,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
            length,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::g711::Law;
    use voice_prompts::{Library, PromptId};

    fn agreed() -> Agreed {
        Agreed { remote: "127.0.0.1:4000".parse().unwrap(), law: Law::Mu, events: Some(101) }
    }

    #[test]
    fn a_key_is_five_packets_and_two_repetitions_of_the_last_and_then_silence() {
        let mut mouth = Mouth::new(agreed(), [7; 10]);
        mouth.press("5x*");
        let packets: Vec<_> = (0..24).map(|_| mouth.packet()).collect();
        let parsed: Vec<_> = packets.iter().map(|p| (Header::parse(p).unwrap(), p)).collect();
        let keys: Vec<_> = parsed.iter().filter(|(header, _)| header.payload_type == 101).collect();
        assert_eq!(keys.len(), 14);
        for (press, event) in keys.chunks(7).zip([5, 10]) {
            let (first, _) = press[0];
            for (n, (header, packet)) in press.iter().enumerate() {
                let duration = (n as u16 + 1).min(5) * 160;
                let [high, low] = duration.to_be_bytes();
                let end = if n >= 4 { 0x8a } else { 0x0a };
                assert_eq!(packet[12..], [event, end, high, low], "packet {n}");
                assert_eq!((packet[1] & 0x80 != 0, header.timestamp), (n == 0, first.timestamp), "packet {n}");
            }
        }
        for pair in parsed.windows(2) {
            assert_eq!(pair[1].0.sequence, pair[0].0.sequence.wrapping_add(1));
        }
        let silence: Vec<_> = parsed.iter().map(|(header, _)| header.payload_type == 0).collect();
        assert_eq!(silence[7..11], [true; 4], "between the keys");
        assert_eq!(silence[18..], [true; 6], "after them");
    }

    #[test]
    fn where_no_events_were_agreed_on_a_key_is_its_tones() {
        let mut mouth = Mouth::new(Agreed { events: None, ..agreed() }, [7; 10]);
        mouth.press("0123456789*#ABCD");
        let (mut detector, mut heard) = (ivr_core::media::ToneDetector::default(), String::new());
        for _ in 0..16 * 12 {
            let packet = mouth.packet();
            let samples: Vec<i16> = packet[12..].iter().map(|octet| Law::Mu.decode(*octet)).collect();
            detector.hear(&samples, &mut |pressed| heard.push(pressed.key));
        }
        assert_eq!(heard, "0123456789*#ABCD");
    }

    fn packet_without_audio() -> Vec<u8> {
        Mouth::new(agreed(), [0xff; 10]).packet()[..12].to_vec()
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to begin with")]
    fn what_another_mouth_says_is_heard_and_losses_are_counted() {
        let now = Instant::now();
        let mut ear = Ear::new(agreed(), Vocabulary::of(&Library::embedded(), "en"));
        let samples = Library::embedded().samples(PromptId::Goodbye, "en");
        let mut header = Mouth::new(agreed(), [0xff; 10]);
        let mut heard = Vec::new();
        let padded = [&samples[..], &[0; 400]].concat();
        for (n, frame) in padded.chunks_exact(160).enumerate() {
            let mut packet = header.packet();
            for (octet, sample) in packet[12..].iter_mut().zip(frame) {
                *octet = Law::Mu.encode(*sample);
            }
            if n != 11 && n != 12 {
                ear.receive(&packet, now + FRAME * n as u32, &mut heard);
            }
        }
        assert_eq!(heard, [Heard::Began(PromptId::Goodbye), Heard::Ended(PromptId::Goodbye)]);
        assert_eq!((ear.lost, ear.spacing_errors.iter().max()), (2, Some(&Duration::ZERO)));
        ear.receive(b"noise", now, &mut heard);
        ear.receive(&packet_without_audio(), now, &mut heard);
        ear.receive(&[0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], now, &mut heard);
        assert_eq!(ear.packets, padded.len() as u64 / 160 - 2);
    }
}
