//! The media of one call: packets and ticks in, packets and key presses out.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use voice_prompts::Utterance;

use super::clips::Clips;
use super::dtmf::{KeyRule, Report};
use super::g722::Encoder;
use super::in_band::InBand;
use super::player::Player;
use super::protection::Protection;
use super::reception::Reception;
use super::reports::{Outgoing, Part, Reports};
use super::rtcp::{self, Told};
use super::rtp::{HEADER_BYTES, Header, Packet, is_control};
use super::source::Source;
use super::srtp::{NotAuthentic, OVERHEAD, REPORT_OVERHEAD};
use super::{Codec, Control, KeySource, Lane, Law, MediaPlan, Quality, RtpStart, SAMPLES_PER_SECOND, Silence};

/// One call's RTP and RTCP, both ways. It allocates when it is told to say something and for its reports, never for a
/// packet of audio.
#[derive(Debug)]
pub struct MediaSession {
    plan: MediaPlan,
    next: RtpStart,
    clips: Clips,
    player: Player,
    /// Since the call spoke G.722.
    wideband: Option<Encoder>,
    source: Source,
    /// As the plan says.
    protection: Option<Box<Protection>>,
    /// Packets could be in the clear, now or before.
    was_clear: bool,
    keys: KeyRule,
    /// While tones are heard, since the first packet.
    in_band: Option<Box<InBand>>,
    /// Keys that a packet brought besides the first, for the packets and ticks after it: one packet can complete several.
    untold: VecDeque<char>,
    reception: Reception,
    reports: Reports,
    /// Where the other side's reports came from.
    reports_from: Option<SocketAddr>,
    packets_sent: u64,
    octets_sent: u64,
    packets_foreign: u64,
    packets_unauthentic: u64,
    /// Set by the ACK: since then we speak and listen.
    last_heard: Option<Instant>,
    told_silence: bool,
    /// The next packet is the first after silence that was not sent (RFC 3551 4.1).
    resumes: bool,
    /// The last tick, and the timestamp that belongs to it.
    ticked: Option<(Instant, u32)>,
}

/// A report that is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueReport {
    /// By this port of ours.
    pub lane: Lane,
    /// There.
    pub to: SocketAddr,
    /// So many octets of the buffer.
    pub length: usize,
}

/// What a tick brought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tick {
    /// Send so many octets of the buffer there.
    pub packet: Option<(SocketAddr, usize)>,
    /// The utterance with this number was played to its end.
    pub play_ended: Option<u32>,
    /// Nothing was heard for [`MediaSession::TIMEOUT`]: told once, until something is heard again.
    pub fell_silent: Option<Silence>,
    /// A key that was certain only now, as [`MediaSession::receive`] gives it.
    pub key: Option<(char, KeySource)>,
}

impl MediaSession {
    /// A caller that sends nothing for so long is not there any more.
    pub const TIMEOUT: Duration = Duration::from_secs(30);
    /// Room for the longest packet: 60 ms.
    pub const PACKET_BYTES: usize = HEADER_BYTES + LONGEST_FRAME + OVERHEAD;
    /// Room for the longest report.
    pub const REPORT_BYTES: usize = rtcp::REPORT_BYTES + REPORT_OVERHEAD;

    /// The media of a call that was just answered. Nothing is sent and nothing counts before [`listen`](Self::listen).
    pub fn new(plan: MediaPlan, start: RtpStart, clips: Clips) -> Self {
        Self {
            source: Source::new(&plan),
            protection: plan.security.as_ref().map(Protection::new),
            was_clear: plan.security.is_none(),
            plan,
            next: start,
            clips,
            player: Player::default(),
            wideband: None,
            keys: KeyRule::default(),
            in_band: None,
            untold: VecDeque::new(),
            reception: Reception::default(),
            reports: Reports::new(start.ssrc, start.seed),
            reports_from: None,
            packets_sent: 0,
            octets_sent: 0,
            packets_foreign: 0,
            packets_unauthentic: 0,
            last_heard: None,
            told_silence: false,
            resumes: true,
            ticked: None,
        }
    }

    /// The ACK arrived: the address of the offer is the caller's and no forged one's victim.
    pub fn listen(&mut self, now: Instant) {
        self.last_heard.get_or_insert(now);
        self.reports.begin(now);
    }

    /// A re-INVITE agreed on something else. What is being said goes on.
    pub fn change(&mut self, plan: MediaPlan, now: Instant) {
        let moved = (plan.remote, &plan.media_networks, plan.latch_any)
            != (self.plan.remote, &self.plan.media_networks, self.plan.latch_any);
        if moved {
            self.source = Source::new(&plan);
            self.reports_from = None;
        }
        match (&plan.security, &mut self.protection) {
            (Some(security), Some(protection)) => protection.change(security),
            (security, protection) => *protection = security.as_ref().map(Protection::new),
        }
        self.was_clear |= plan.security.is_none();
        self.plan = plan;
        if !self.plan.hears_tones {
            self.forget_tones();
        }
        self.last_heard = self.last_heard.map(|_| now);
    }

    /// What is said from now on is said with these.
    pub fn speak(&mut self, clips: Clips) {
        self.clips = clips;
    }

    /// Says this instead of what is being said.
    pub fn say(&mut self, play: u32, utterance: &Utterance) {
        self.player.say(play, utterance, &self.clips);
    }

    /// Says nothing more.
    pub fn hush(&mut self) {
        self.player.hush();
    }

    /// A datagram arrived at one of the call's ports. Gives the key that it reports, if it is the first to do so. What was
    /// protected is opened in its place.
    pub fn receive(
        &mut self,
        lane: Lane,
        from: SocketAddr,
        bytes: &mut [u8],
        now: Instant,
    ) -> Option<(char, KeySource)> {
        self.last_heard?;
        if lane == Lane::Rtcp || is_control(bytes) {
            self.hear_report(lane, from, bytes, now);
            return None;
        }
        if !self.source.admits(from, now) {
            self.count_foreign(Packet::read(bytes).is_some());
            return None;
        }
        let length = self.open(bytes, Protection::open)?;
        let packet = Packet::read(&bytes[..length])?;
        self.hear(&packet, from, now)
    }

    /// A packet of the caller's.
    fn hear(&mut self, packet: &Packet<'_>, from: SocketAddr, now: Instant) -> Option<(char, KeySource)> {
        self.source.latch(from, now);
        self.last_heard = Some(now);
        self.told_silence = false;
        let is_event = self.plan.event_payload_type == Some(packet.header.payload_type);
        self.reception.count(&packet.header, !is_event, now);
        let report = if is_event { Report::read(packet) } else { None };
        if let Some(key) = report.and_then(|report| self.keys.hear(&report, now)) {
            // Who sends events sends each press as one: its tones are the same presses.
            self.plan.hears_tones = false;
            self.forget_tones();
            return Some((key, KeySource::TelephoneEvent));
        }
        if self.plan.hears_tones { self.hear_tones(packet, now) } else { None }
    }

    /// What was heard of the audio is not told any more.
    fn forget_tones(&mut self) {
        self.in_band = None;
        self.untold.clear();
    }

    /// Keys in the audio.
    fn hear_tones(&mut self, packet: &Packet<'_>, now: Instant) -> Option<(char, KeySource)> {
        let codec = self.plan.codec;
        let in_band = match &mut self.in_band {
            Some(in_band) if in_band.codec() == codec => in_band,
            other => other.insert(Box::new(InBand::new(codec, now))),
        };
        let untold = &mut self.untold;
        in_band.hear(packet, now, &mut |key| untold.push_back(key));
        self.tell_tones()
    }

    /// Keys in audio that waits for a packet which does not come.
    fn hear_what_waits(&mut self, now: Instant) -> Option<(char, KeySource)> {
        if let Some(in_band) = &mut self.in_band {
            let untold = &mut self.untold;
            in_band.tick(now, &mut |key| untold.push_back(key));
        }
        self.tell_tones()
    }

    fn tell_tones(&mut self) -> Option<(char, KeySource)> {
        Some((self.untold.pop_front()?, KeySource::InBand))
    }

    /// Time for the next packet: writes it, if one is due.
    pub fn tick(&mut self, now: Instant, packet: &mut [u8; Self::PACKET_BYTES]) -> Tick {
        let Some(last_heard) = self.last_heard else { return Tick::default() };
        let mut frame = [0; LONGEST_FRAME];
        let frame = &mut frame[..self.frame_samples()];
        let play_ended = self.say_next(frame);
        let packet = self.is_audible().then(|| (self.destination(), self.write(frame, packet)));
        self.resumes = packet.is_none();
        self.ticked = Some((now, self.next.timestamp));
        // The clock of the timestamps runs on, sent or not; a frame is at most 480 samples.
        self.next.timestamp = self.next.timestamp.wrapping_add(frame.len() as u32);
        Tick { packet, play_ended, fell_silent: self.falls_silent(last_heard, now), key: self.hear_what_waits(now) }
    }

    /// Writes a report, if one is due: to be asked after each tick.
    pub fn report(&mut self, now: Instant, packet: &mut [u8; Self::REPORT_BYTES]) -> Option<DueReport> {
        self.reports.is_due(now).then(|| self.state(Part::Stay, now, packet)).flatten()
    }

    /// The call is over: writes the last report, with a BYE. Who never sent anything has nothing to leave (RFC 3550 6.3.7).
    pub fn part(&mut self, now: Instant, packet: &mut [u8; Self::REPORT_BYTES]) -> Option<DueReport> {
        (self.packets_sent > 0).then(|| self.state(Part::Leave, now, packet)).flatten()
    }

    /// The time from packet to packet.
    pub fn packet_time(&self) -> Duration {
        Duration::from_micros(self.frame_samples() as u64 * 1_000_000 / u64::from(SAMPLES_PER_SECOND))
    }

    /// Packets so far that came from elsewhere than the call's other side.
    pub fn packets_foreign(&self) -> u64 {
        self.packets_foreign
    }

    /// The figures so far.
    pub fn quality(&self) -> Quality {
        Quality {
            packets_sent: self.packets_sent,
            packets_received: self.reception.received(),
            packets_lost: self.reception.lost(),
            packets_foreign: self.packets_foreign,
            packets_unauthentic: self.packets_unauthentic,
            jitter: self.reception.jitter(),
            reported: self.reports.reported(),
            srtp: self.plan.security.as_ref().filter(|_| !self.was_clear).map(|security| security.suite),
        }
    }

    fn state(&mut self, part: Part, now: Instant, packet: &mut [u8; Self::REPORT_BYTES]) -> Option<DueReport> {
        let (lane, to) = self.report_route()?;
        let outgoing = self.outgoing(now);
        let room = packet.first_chunk_mut().expect("there is more room than for a report in the clear");
        let mut length = self.reports.write(self.reception.report(), outgoing, part, now, room)?;
        if let Some(protection) = &mut self.protection {
            length = protection.protect_report(packet, length);
        }
        Some(DueReport { lane, to, length })
    }

    fn hear_report(&mut self, lane: Lane, from: SocketAddr, bytes: &mut [u8], now: Instant) {
        if lane != self.report_lane() {
            return;
        }
        if !self.source.admits_report(from) {
            let is_report = Told::read(bytes, self.reports.ssrc()).is_some();
            return self.count_foreign(is_report);
        }
        let Some(length) = self.open(bytes, Protection::open_report) else { return };
        let Some(told) = Told::read(&bytes[..length], self.reports.ssrc()) else { return };
        self.reports_from = Some(from);
        let outgoing = self.outgoing(now);
        self.reports.hear(&told, outgoing, now);
    }

    /// How long the packet is that was in these octets; `None`, and counted, if it had to be protected and was not.
    fn open(
        &mut self,
        bytes: &mut [u8],
        open: impl Fn(&mut Protection, &mut [u8]) -> Result<usize, NotAuthentic>,
    ) -> Option<usize> {
        let Some(protection) = &mut self.protection else { return Some(bytes.len()) };
        let opened = open(protection, bytes).ok();
        self.packets_unauthentic += u64::from(opened.is_none());
        opened
    }

    /// Noise does not count, but what is encrypted looks like it.
    fn count_foreign(&mut self, is_packet: bool) {
        self.packets_foreign += u64::from(is_packet || self.protection.is_some());
    }

    /// Where reports come and go.
    fn report_lane(&self) -> Lane {
        if self.plan.control == Control::Muxed { Lane::Rtp } else { Lane::Rtcp }
    }

    /// Only to where RTP goes: the address of the SDP, or one where the trunk's media may be. Behind NAT, to where the
    /// packets come from, and there to the port that reports come from.
    fn report_route(&self) -> Option<(Lane, SocketAddr)> {
        let audio = self.destination();
        let to = match self.plan.control {
            Control::Off => return None,
            Control::Muxed => audio,
            Control::At(control) if self.plan.latch_any => {
                SocketAddr::new(audio.ip(), self.reports_from.unwrap_or(control).port())
            }
            Control::At(control) => Some(control).filter(|control| self.source.admits_report(*control))?,
        };
        (to.port() != 0 && !to.ip().is_unspecified()).then_some((self.report_lane(), to))
    }

    fn outgoing(&self, now: Instant) -> Outgoing {
        let passed = |at| now.saturating_duration_since(at).as_micros() * u128::from(SAMPLES_PER_SECOND) / 1_000_000;
        let timestamp =
            self.ticked.map_or(self.next.timestamp, |(at, timestamp)| timestamp.wrapping_add(passed(at) as u32));
        Outgoing { packets: self.packets_sent, octets: self.octets_sent, sequence: self.next.sequence, timestamp }
    }

    /// The next frame of what is said.
    fn say_next(&mut self, frame: &mut [u8]) -> Option<u32> {
        let law = match self.plan.codec {
            Codec::Pcmu => Law::Mu,
            Codec::Pcma => Law::A,
            Codec::G722 => {
                let mut samples = [0; 2 * LONGEST_FRAME];
                let samples = &mut samples[..2 * frame.len()];
                let ended = self.player.fill_wide(samples);
                self.wideband.get_or_insert_with(Encoder::new).encode(samples, frame);
                return ended;
            }
        };
        self.player.fill(law, frame)
    }

    fn write(&mut self, frame: &[u8], packet: &mut [u8]) -> usize {
        let RtpStart { ssrc, sequence, timestamp, .. } = self.next;
        let payload_type = self.plan.codec.payload_type();
        let header = Header { marked: self.resumes, payload_type, sequence, timestamp, ssrc };
        self.next.sequence = sequence.wrapping_add(1);
        self.packets_sent += 1;
        self.octets_sent += frame.len() as u64;
        let length = header.write(frame, packet);
        self.protection.as_mut().map_or(length, |protection| protection.protect(packet, length))
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
    fn falls_silent(&mut self, last_heard: Instant, now: Instant) -> Option<Silence> {
        let falls = !self.plan.held && !self.told_silence && now.saturating_duration_since(last_heard) >= Self::TIMEOUT;
        self.told_silence |= falls;
        let silence = if self.reception.received() == 0 { Silence::NoAudio } else { Silence::AudioStopped };
        falls.then_some(silence)
    }

    fn frame_samples(&self) -> usize {
        let samples = self.plan.packet_time.as_micros() * u128::from(SAMPLES_PER_SECOND) / 1_000_000;
        usize::try_from(samples).unwrap_or(LONGEST_FRAME).clamp(SHORTEST_FRAME, LONGEST_FRAME)
    }
}

/// 10 ms and 60 ms.
const SHORTEST_FRAME: usize = 80;
const LONGEST_FRAME: usize = 480;
