//! The media of one call: packets and ticks in, packets and key presses out.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use voice_prompts::Utterance;

use super::clips::Clips;
use super::dtmf::{KeyRule, Report};
use super::player::Player;
use super::reception::Reception;
use super::rtp::{HEADER_BYTES, Header, Packet};
use super::source::Source;
use super::{MediaPlan, Quality, RtpStart, SAMPLES_PER_SECOND};

/// One call's RTP, both ways. It allocates when it is told to say something, never for a packet.
#[derive(Debug)]
pub struct MediaSession {
    plan: MediaPlan,
    next: RtpStart,
    clips: Clips,
    player: Player,
    source: Source,
    keys: KeyRule,
    reception: Reception,
    packets_sent: u64,
    packets_foreign: u64,
    /// Set by the ACK: since then we speak and listen.
    last_heard: Option<Instant>,
    told_silence: bool,
    /// The next packet is the first after silence that was not sent (RFC 3551 4.1).
    resumes: bool,
}

/// What a tick brought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tick {
    /// Send so many octets of the buffer there.
    pub packet: Option<(SocketAddr, usize)>,
    /// The utterance with this number was played to its end.
    pub play_ended: Option<u32>,
    /// Nothing was heard for [`MediaSession::TIMEOUT`]: told once, until something is heard again.
    pub fell_silent: bool,
}

impl MediaSession {
    /// A caller that sends nothing for so long is not there any more.
    pub const TIMEOUT: Duration = Duration::from_secs(30);
    /// Room for the longest packet: 60 ms.
    pub const PACKET_BYTES: usize = HEADER_BYTES + LONGEST_FRAME;

    /// The media of a call that was just answered. Nothing is sent and nothing counts before [`listen`](Self::listen).
    pub fn new(plan: MediaPlan, start: RtpStart, clips: Clips) -> Self {
        Self {
            source: Source::new(&plan),
            plan,
            next: start,
            clips,
            player: Player::default(),
            keys: KeyRule::default(),
            reception: Reception::default(),
            packets_sent: 0,
            packets_foreign: 0,
            last_heard: None,
            told_silence: false,
            resumes: true,
        }
    }

    /// The ACK arrived: the address of the offer is the caller's and no forged one's victim.
    pub fn listen(&mut self, now: Instant) {
        self.last_heard.get_or_insert(now);
    }

    /// A re-INVITE agreed on something else. What is being said goes on.
    pub fn change(&mut self, plan: MediaPlan, now: Instant) {
        let moved = (plan.remote, &plan.media_networks, plan.latch_any)
            != (self.plan.remote, &self.plan.media_networks, self.plan.latch_any);
        if moved {
            self.source = Source::new(&plan);
        }
        self.plan = plan;
        self.last_heard = self.last_heard.map(|_| now);
    }

    /// Says this instead of what is being said.
    pub fn say(&mut self, play: u32, utterance: &Utterance) {
        self.player.say(play, utterance, &self.clips);
    }

    /// Says nothing more.
    pub fn hush(&mut self) {
        self.player.hush();
    }

    /// A datagram arrived at the call's port. Gives the key that it reports, if it is the first to do so.
    pub fn receive(&mut self, from: SocketAddr, bytes: &[u8], now: Instant) -> Option<char> {
        let last_heard = self.last_heard.as_mut()?;
        let packet = Packet::read(bytes)?;
        if !self.source.admits(from, now) {
            self.packets_foreign += 1;
            return None;
        }
        *last_heard = now;
        self.told_silence = false;
        let is_event = self.plan.event_payload_type == Some(packet.header.payload_type);
        self.reception.count(&packet.header, !is_event, now);
        if is_event { self.keys.hear(&Report::read(&packet)?, now) } else { None }
    }

    /// Time for the next packet: writes it, if one is due.
    pub fn tick(&mut self, now: Instant, packet: &mut [u8; Self::PACKET_BYTES]) -> Tick {
        let Some(last_heard) = self.last_heard else { return Tick::default() };
        let mut frame = [0; LONGEST_FRAME];
        let frame = &mut frame[..self.frame_samples()];
        let play_ended = self.player.fill(self.plan.codec, frame);
        let packet = self.is_audible().then(|| (self.destination(), self.write(frame, packet)));
        self.resumes = packet.is_none();
        // The clock of the timestamps runs on, sent or not; a frame is at most 480 samples.
        self.next.timestamp = self.next.timestamp.wrapping_add(frame.len() as u32);
        Tick { packet, play_ended, fell_silent: self.falls_silent(last_heard, now) }
    }

    /// The time from packet to packet.
    pub fn packet_time(&self) -> Duration {
        Duration::from_micros(self.frame_samples() as u64 * 1_000_000 / u64::from(SAMPLES_PER_SECOND))
    }

    /// The figures so far.
    pub fn quality(&self) -> Quality {
        Quality {
            packets_sent: self.packets_sent,
            packets_received: self.reception.received(),
            packets_lost: self.reception.lost(),
            packets_foreign: self.packets_foreign,
            jitter: self.reception.jitter(),
        }
    }

    fn write(&mut self, frame: &[u8], packet: &mut [u8]) -> usize {
        let RtpStart { ssrc, sequence, timestamp } = self.next;
        let payload_type = self.plan.codec.payload_type();
        let header = Header { marked: self.resumes, payload_type, sequence, timestamp, ssrc };
        self.next.sequence = sequence.wrapping_add(1);
        self.packets_sent += 1;
        header.write(frame, packet)
    }

    /// Held calls hear nothing, and nobody is at port 0 or at no address (RFC 3264 8.4).
    fn is_audible(&self) -> bool {
        let to = self.destination();
        !self.plan.held && to.port() != 0 && !to.ip().is_unspecified()
    }

    /// The SDP's address, as RFC 3264 has it. Behind NAT that is a private one: then where the packets come from.
    fn destination(&self) -> SocketAddr {
        let latched = self.source.latched().filter(|_| self.plan.latch_any);
        latched.unwrap_or(self.plan.remote)
    }

    /// Who is on hold need not send.
    fn falls_silent(&mut self, last_heard: Instant, now: Instant) -> bool {
        let falls = !self.plan.held && !self.told_silence && now.saturating_duration_since(last_heard) >= Self::TIMEOUT;
        self.told_silence |= falls;
        falls
    }

    fn frame_samples(&self) -> usize {
        let samples = self.plan.packet_time.as_micros() * u128::from(SAMPLES_PER_SECOND) / 1_000_000;
        usize::try_from(samples).unwrap_or(LONGEST_FRAME).clamp(SHORTEST_FRAME, LONGEST_FRAME)
    }
}

/// 10 ms and 60 ms.
const SHORTEST_FRAME: usize = 80;
const LONGEST_FRAME: usize = 480;
