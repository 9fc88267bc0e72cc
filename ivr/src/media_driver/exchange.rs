//! What the media thread does in each slot of the pace, a millisecond: obey, send what is due, read what arrived, sleep.

use std::collections::{HashMap, VecDeque};
use std::net::UdpSocket;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ivr_core::media::{
    CallKey, DueReport, Lane, MediaCommand, MediaEvent, MediaPlan, MediaSession, PortIndex, Quality, RtpStart, Voices,
};
use tokio::sync::mpsc;
use voice_prompts::Language;

use super::orders::Obeyed;
use super::pace::{Pace, SLOT};
use super::sockets::Pair;
use super::stamped::{Moment, Room, Stamp};
use super::tidings::Tidings;
use super::turns::{Heard, Place, Reading, Turns};
use super::{Counters, RtpSockets};
use crate::address::{canonical, of_family};
use crate::clock::Clock;

/// Read at most from one socket when its call begins or ends: more than it holds, unless it is being flooded now.
const WAITING_PACKETS: usize = 256;

/// Reports come every few seconds, and bear the time of their arrival.
const REPORTS_ARE_READ: Duration = Duration::from_secs(1);

/// The calls and their sockets.
pub(super) struct Exchange {
    sockets: Vec<Pair<UdpSocket>>,
    /// They take IPv6, and IPv4 by its other name.
    is_ipv6: bool,
    /// By port.
    calls: Vec<Option<Box<Call>>>,
    /// One entry a call.
    ports: HashMap<CallKey, PortIndex>,
    pace: Pace,
    turns: Turns,
    room: Room,
    commands: Obeyed,
    /// Those that were taken and not yet followed.
    taken: VecDeque<(CallKey, MediaCommand)>,
    tidings: Tidings,
    voices: Voices,
    counters: Arc<Counters>,
    clock: Clock,
}

struct Call {
    key: CallKey,
    session: MediaSession,
    /// Since the ACK it has its place in the pace, and is heard.
    speaks: bool,
    readings: Pair<Reading>,
    reports_are_read: Instant,
}

/// The handle is gone.
struct Dismissed;

impl Exchange {
    pub(super) fn new(
        sockets: RtpSockets,
        voices: Voices,
        commands: Obeyed,
        events: mpsc::Sender<(CallKey, MediaEvent)>,
        counters: Arc<Counters>,
        clock: Clock,
    ) -> Self {
        let is_ipv6 = sockets.are_ipv6();
        let sockets: Vec<_> = sockets.into_pairs().collect();
        let count = sockets.len();
        Self {
            sockets,
            is_ipv6,
            calls: std::iter::repeat_with(|| None).take(count).collect(),
            ports: HashMap::new(),
            pace: Pace::new(count, clock.now()),
            turns: Turns::new(count),
            room: Room::new(),
            commands,
            taken: VecDeque::new(),
            tidings: Tidings::new(events, counters.clone()),
            voices,
            counters,
            clock,
        }
    }

    /// Runs until the handle is dropped.
    pub(super) fn run(mut self) {
        while let Ok(()) = self.obey() {
            self.speak();
            self.listen();
            self.tidings.tell_again();
            self.sleep();
        }
    }

    fn obey(&mut self) -> Result<(), Dismissed> {
        if !self.commands.take(&mut self.taken) {
            return Err(Dismissed);
        }
        while let Some((key, command)) = self.taken.pop_front() {
            self.follow(key, command);
            // A hundred calls that begin or end at once hold up nobody's packet.
            self.speak();
        }
        Ok(())
    }

    fn follow(&mut self, key: CallKey, command: MediaCommand) {
        match command {
            MediaCommand::Open { port, plan, start, language } => self.open(key, port, plan, (start, language)),
            MediaCommand::Close => self.close(key),
            MediaCommand::Listen => self.begin(key),
            MediaCommand::Change(plan) => {
                let now = self.clock.now();
                self.session(key, |session| session.change(plan, now));
            }
            MediaCommand::Speak(language) => {
                // With nothing to say it in, the call goes on in the language that it has.
                if let Some(clips) = self.voices.of(language).cloned() {
                    self.session(key, |session| session.speak(clips));
                }
            }
            MediaCommand::Say { play, utterance } => self.session(key, |session| session.say(play, &utterance)),
            MediaCommand::Hush => self.session(key, MediaSession::hush),
        }
    }

    /// What is told to a call that has no media is lost, as it is to one that has ended.
    fn session(&mut self, key: CallKey, told: impl FnOnce(&mut MediaSession)) {
        if let Some((call, _)) = call(&mut self.calls, &self.ports, key) {
            told(&mut call.session);
        }
    }

    /// Until the call is to be heard, what arrives at its port stays in the kernel.
    fn open(&mut self, key: CallKey, port: PortIndex, plan: MediaPlan, (start, language): (RtpStart, Language)) {
        let (Some(seat @ None), false) = (self.calls.get_mut(usize::from(port.0)), self.ports.contains_key(&key))
        else {
            tracing::error!(call.key = key.0, port = port.0, "call {} was given a port that it cannot have", key.0);
            return;
        };
        // To encode one takes longer than the packets of the other calls can wait.
        let Some(clips) = self.voices.of(language).cloned() else {
            tracing::error!(call.key = key.0, "call {} was answered before a voice was prepared for it", key.0);
            return;
        };
        let session = MediaSession::new(plan, start, clips);
        let (readings, reports_are_read) = (Pair::default(), self.clock.now());
        *seat = Some(Box::new(Call { key, session, speaks: false, readings, reports_are_read }));
        self.ports.insert(key, port);
    }

    /// The call speaks and is heard from now on. What came before does not count: late packets of the port's last call,
    /// and what this one sent before its ACK.
    fn begin(&mut self, key: CallKey) {
        let Some((call, port)) = call(&mut self.calls, &self.ports, key) else { return };
        if !std::mem::replace(&mut call.speaks, true) {
            let sockets = &self.sockets[usize::from(port.0)];
            for lane in LANES {
                let mut unheard = 0..WAITING_PACKETS;
                while unheard.next().is_some() && self.room.read(sockets.of(lane)).is_some() {}
            }
            let moment = Moment::of(self.clock);
            self.pace.begin(key, port, call.session.packet_time(), moment.now);
        }
        call.session.listen(self.clock.now());
    }

    /// Every `Close` is answered, also that of a call that never had a port.
    fn close(&mut self, key: CallKey) {
        let quality = self.ports.get(&key).copied().map(|port| self.end(key, port));
        self.tidings.tell(key, MediaEvent::Closed(quality.unwrap_or_default()));
    }

    fn end(&mut self, key: CallKey, port: PortIndex) -> Quality {
        let moment = Moment::of(self.clock);
        for lane in LANES {
            // Its last words, and what the other side reports of ours.
            self.hear((port, lane), WAITING_PACKETS, Stamp::NEVER, moment);
        }
        self.turns.remove(port);
        self.ports.remove(&key);
        let Some(mut call) = self.calls[usize::from(port.0)].take() else { return Quality::default() };
        let mut packet = [0; MediaSession::REPORT_BYTES];
        let last = call.session.part(moment.now, &mut packet);
        self.send_report(port, last, &packet);
        call.session.quality()
    }

    /// Sends the packets that are due. Their calls are those whose sockets are read next: with a packet each way in a
    /// packet time, that finds one.
    fn speak(&mut self) {
        let now = self.clock.now();
        while let Some(due) = self.pace.pop(now) {
            let (mut packet, mut report) = ([0; MediaSession::PACKET_BYTES], [0; MediaSession::REPORT_BYTES]);
            let index = usize::from(due.port.0);
            let Some(call) = self.calls[index].as_mut().filter(|call| call.key == due.call) else { continue };
            let tick = call.session.tick(now, &mut packet);
            let due_report = call.session.report(now, &mut report);
            let skipped = self.pace.go_on(due, call.session.packet_time(), now);
            Counters::add(&self.counters.skipped, skipped);
            self.turns.add((due.port, Lane::Rtp), call.readings.of_mut(Lane::Rtp));
            if now >= call.reports_are_read {
                call.reports_are_read = now + REPORTS_ARE_READ;
                self.turns.add((due.port, Lane::Rtcp), call.readings.of_mut(Lane::Rtcp));
            }
            if let Some((to, length)) = tick.packet
                && self.sockets[index].of(Lane::Rtp).send_to(&packet[..length], of_family(self.is_ipv6, to)).is_err()
            {
                // Lost, as in a network: there is no route, or the kernel's buffer is full.
                Counters::add(&self.counters.unsent, 1);
            }
            self.send_report(due.port, due_report, &report);
            if let Some((key, source)) = tick.key {
                self.tidings.tell(due.call, MediaEvent::Key(key, source));
            }
            if let Some(play) = tick.play_ended {
                self.tidings.tell(due.call, MediaEvent::PlayEnded(play));
            }
            if let Some(silence) = tick.fell_silent {
                self.tidings.tell(due.call, MediaEvent::Silent(silence));
            }
        }
    }

    /// A lost report is followed by another.
    fn send_report(&self, port: PortIndex, due: Option<DueReport>, packet: &[u8]) {
        let Some(DueReport { lane, to, length }) = due else { return };
        let to = of_family(self.is_ipv6, to);
        if self.sockets[usize::from(port.0)].of(lane).send_to(&packet[..length], to).is_err() {
            Counters::add(&self.counters.unsent, 1);
        }
    }

    /// Reads what arrived, of one socket after the other.
    fn listen(&mut self) {
        let moment = Moment::of(self.clock);
        self.turns.begin_slot();
        while let Some(((port, lane), most)) = self.turns.next() {
            let Some(call) = &self.calls[usize::from(port.0)] else { continue };
            let heard = self.hear((port, lane), most, call.readings.of(lane).until(), moment);
            if let Some(call) = &mut self.calls[usize::from(port.0)] {
                self.turns.end((port, lane), call.readings.of_mut(lane), heard, moment.stamp);
            }
        }
    }

    /// Reads a socket of a call, so many times at most, until there is nothing or something that came after `until`.
    fn hear(&mut self, (port, lane): Place, most: usize, until: Stamp, moment: Moment) -> Heard {
        let index = usize::from(port.0);
        let mut heard = Heard { reads: 0, is_all: true };
        let Some(call) = self.calls[index].as_mut().filter(|call| call.speaks) else { return heard };
        while heard.reads < most {
            heard.reads += 1;
            let Some(datagram) = self.room.read(self.sockets[index].of(lane)) else { return heard };
            let foreign_before = call.session.packets_foreign();
            let arrived = moment.arrival(datagram.stamp);
            let pressed = call.session.receive(lane, canonical(datagram.from), datagram.bytes, arrived);
            Counters::add(&self.counters.foreign, call.session.packets_foreign() - foreign_before);
            if let Some((key, source)) = pressed {
                self.tidings.tell(call.key, MediaEvent::Key(key, source));
            }
            // Where the kernel stamps nothing, all may be old.
            if datagram.stamp.is_some_and(|stamp| stamp > until) {
                return heard;
            }
        }
        heard.is_all = false;
        heard
    }

    /// Sleeps until there is something to do. Commands wake nobody from a slot: with many calls there may be thousands of
    /// them in a second, and each waits a millisecond at most.
    fn sleep(&self) {
        let is_done = self.tidings.are_told() && self.turns.are_over();
        let due = self.pace.rest(self.clock.now());
        match if is_done { due } else { Some(due.map_or(SLOT, |due| due.min(SLOT))) } {
            Some(short) if short <= SLOT => thread::sleep(short),
            Some(long) => thread::park_timeout(long),
            None => thread::park(),
        }
    }
}

const LANES: [Lane; 2] = [Lane::Rtp, Lane::Rtcp];

/// The media of a call, and its port.
fn call<'a>(
    calls: &'a mut [Option<Box<Call>>],
    ports: &HashMap<CallKey, PortIndex>,
    key: CallKey,
) -> Option<(&'a mut Call, PortIndex)> {
    let port = *ports.get(&key)?;
    Some((calls[usize::from(port.0)].as_mut()?, port))
}
