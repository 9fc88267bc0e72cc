//! What the media thread does, over and over: obey, send what is due, read what arrived, wait.

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use ivr_core::media::{
    CallKey, Clips, DueReport, Lane, MediaCommand, MediaEvent, MediaPlan, MediaSession, PortIndex, Quality, RtpStart,
};
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::pace::Pace;
use super::sockets::Pair;
use super::{Counters, RtpSockets};
use crate::address::{canonical, of_family};
use crate::clock::Clock;

/// The token of the one who wakes us; ports have twice their index, and their RTCP one more.
pub(super) const WAKER: Token = Token(usize::MAX);

/// The finest wait of a poll; what is shorter is slept.
const POLL_UNIT: Duration = Duration::from_millis(1);

/// Datagrams read before packets that have become due are sent: a flood of one port takes turns with the others and
/// delays no packet by more than this many reads.
const READS_A_TURN: usize = 256;

/// The rest after a turn that left something unread: half a million datagrams a second are more than any honest load, and
/// a flood must not take the whole core from those that wait behind a real-time thread. The kernel drops what is too much.
const REST: Duration = Duration::from_micros(500);

/// Discarded at most when a call takes a port: more than the socket's buffer holds, unless it is being flooded now.
const LATE_PACKETS: usize = 1_024;

/// Larger than what any network carries in one piece; what is longer is cut, and no RTP of ours.
const DATAGRAM_BYTES: usize = 2_048;

/// The calls and their sockets.
pub(super) struct Exchange {
    poll: Poll,
    ready: Events,
    sockets: Vec<Pair<UdpSocket>>,
    /// They take IPv6, and IPv4 by its other name.
    is_ipv6: bool,
    /// By port.
    calls: Vec<Option<Call>>,
    /// One entry a call.
    ports: HashMap<CallKey, PortIndex>,
    /// Sockets that may hold datagrams: each once, while its call exists.
    unread: VecDeque<(PortIndex, Lane)>,
    pace: Pace,
    commands: Receiver<(CallKey, MediaCommand)>,
    events: mpsc::Sender<(CallKey, MediaEvent)>,
    /// What found the channel full. Keys never wait here. Of a call that hears nothing from the endpoint, there is an
    /// end of its utterance, a silence and a farewell at most.
    untold: VecDeque<(CallKey, MediaEvent)>,
    clips: Clips,
    counters: Arc<Counters>,
    clock: Clock,
}

struct Call {
    key: CallKey,
    session: MediaSession,
    /// It has its place in the pace.
    speaks: bool,
    /// They have their places in `unread`.
    unread: Pair<bool>,
}

/// The handle is gone.
struct Dismissed;

impl Exchange {
    pub(super) fn new(
        poll: Poll,
        sockets: RtpSockets,
        clips: Clips,
        commands: Receiver<(CallKey, MediaCommand)>,
        events: mpsc::Sender<(CallKey, MediaEvent)>,
        counters: Arc<Counters>,
        clock: Clock,
    ) -> Self {
        let is_ipv6 = sockets.are_ipv6();
        let sockets: Vec<_> = sockets.into_pairs().map(|pair| pair.map(UdpSocket::from_std)).collect();
        let count = sockets.len();
        Self {
            poll,
            ready: Events::with_capacity(2 * count + 1),
            sockets,
            is_ipv6,
            calls: std::iter::repeat_with(|| None).take(count).collect(),
            ports: HashMap::with_capacity(count),
            unread: VecDeque::with_capacity(2 * count),
            pace: Pace::new(count, clock.now()),
            commands,
            events,
            untold: VecDeque::new(),
            clips,
            counters,
            clock,
        }
    }

    /// Runs until the handle is dropped, or polling fails.
    pub(super) fn run(mut self) -> io::Result<()> {
        loop {
            if let Err(Dismissed) = self.obey() {
                return Ok(());
            }
            self.speak();
            self.listen();
            self.tell_again();
            self.wait()?;
        }
    }

    fn obey(&mut self) -> Result<(), Dismissed> {
        loop {
            match self.commands.try_recv() {
                Ok((key, command)) => {
                    self.follow(key, command);
                    // A hundred calls that begin or end at once hold up nobody's packet.
                    self.speak();
                }
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => return Err(Dismissed),
            }
        }
    }

    fn follow(&mut self, key: CallKey, command: MediaCommand) {
        match command {
            MediaCommand::Open { port, plan, start } => self.open(key, port, plan, start),
            MediaCommand::Close => self.close(key),
            MediaCommand::Listen => {
                let now = self.clock.now();
                let Some((call, port)) = call(&mut self.calls, &self.ports, key) else { return };
                call.session.listen(now);
                if !std::mem::replace(&mut call.speaks, true) {
                    self.pace.begin(key, port, call.session.packet_time(), now);
                }
            }
            MediaCommand::Change(plan) => {
                let now = self.clock.now();
                self.session(key, |session| session.change(plan, now));
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

    fn open(&mut self, key: CallKey, port: PortIndex, plan: MediaPlan, start: RtpStart) {
        let index = usize::from(port.0);
        let (Some(sockets), Some(seat @ None), false) =
            (self.sockets.get_mut(index), self.calls.get_mut(index), self.ports.contains_key(&key))
        else {
            tracing::error!(call.key = key.0, port = port.0, "call {} was given a port that it cannot have", key.0);
            return;
        };
        let registry = self.poll.registry();
        for lane in LANES {
            let socket = sockets.of(lane);
            discard(socket);
            if let Err(error) = registry.register(socket, token(port, lane), Interest::READABLE) {
                tracing::error!(call.key = key.0, %error, "call {} has no media: {error}", key.0);
                // What stays registered could not be registered for the port's next call.
                for lane in LANES {
                    let _was_not_there = registry.deregister(sockets.of(lane));
                }
                return;
            }
        }
        let session = MediaSession::new(plan, start, self.clips.clone());
        *seat = Some(Call { key, session, speaks: false, unread: Pair::default() });
        self.ports.insert(key, port);
    }

    /// Every `Close` is answered, also that of a call that never had a port. Until the port is taken again, what
    /// arrives there stays in the kernel: nobody is woken for it.
    fn close(&mut self, key: CallKey) {
        let mut quality = Quality::default();
        if let Some(port) = self.ports.remove(&key) {
            let index = usize::from(port.0);
            if let Some(mut call) = self.calls[index].take() {
                let mut packet = [0; MediaSession::REPORT_BYTES];
                let last = call.session.part(self.clock.now(), &mut packet);
                self.send_report(port, last, &packet);
                quality = call.session.quality();
            }
            for lane in LANES {
                if let Err(error) = self.poll.registry().deregister(self.sockets[index].of(lane)) {
                    tracing::error!(call.key = key.0, %error, "a port of call {} cannot be left: {error}", key.0);
                }
            }
            self.unread.retain(|(unread, _)| *unread != port);
        }
        self.tell(key, MediaEvent::Closed(quality));
    }

    /// Sends the packets that are due.
    fn speak(&mut self) {
        let now = self.clock.now();
        let (mut packet, mut report) = ([0; MediaSession::PACKET_BYTES], [0; MediaSession::REPORT_BYTES]);
        while let Some(due) = self.pace.pop(now) {
            let index = usize::from(due.port.0);
            let Some(call) = self.calls[index].as_mut().filter(|call| call.key == due.call) else { continue };
            let tick = call.session.tick(now, &mut packet);
            let due_report = call.session.report(now, &mut report);
            let skipped = self.pace.go_on(due, call.session.packet_time(), now);
            Counters::add(&self.counters.skipped, skipped);
            if let Some((to, length)) = tick.packet
                && self.sockets[index].of(Lane::Rtp).send_to(&packet[..length], of_family(self.is_ipv6, to)).is_err()
            {
                // Lost, as in a network: there is no route, or the kernel's buffer is full.
                Counters::add(&self.counters.unsent, 1);
            }
            self.send_report(due.port, due_report, &report);
            if let Some(play) = tick.play_ended {
                self.tell(due.call, MediaEvent::PlayEnded(play));
            }
            if tick.fell_silent {
                self.tell(due.call, MediaEvent::Silent);
            }
        }
    }

    /// A lost report is followed by another.
    fn send_report(&mut self, port: PortIndex, due: Option<DueReport>, packet: &[u8]) {
        let Some(DueReport { lane, to, length }) = due else { return };
        let to = of_family(self.is_ipv6, to);
        if self.sockets[usize::from(port.0)].of(lane).send_to(&packet[..length], to).is_err() {
            Counters::add(&self.counters.unsent, 1);
        }
    }

    /// Reads what arrived, one datagram of each socket after the other.
    fn listen(&mut self) {
        let mut datagram = [0; DATAGRAM_BYTES];
        for _ in 0..READS_A_TURN {
            let Some((port, lane)) = self.unread.pop_front() else { return };
            let index = usize::from(port.0);
            let Some(call) = self.calls[index].as_mut() else { continue };
            match self.sockets[index].of(lane).recv_from(&mut datagram) {
                Ok((length, from)) => {
                    self.unread.push_back((port, lane));
                    let foreign_before = call.session.packets_foreign();
                    let pressed = call.session.receive(lane, canonical(from), &datagram[..length], self.clock.now());
                    Counters::add(&self.counters.foreign, call.session.packets_foreign() - foreign_before);
                    if let Some(key) = pressed {
                        let call = call.key;
                        self.tell(call, MediaEvent::Key(key));
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => self.unread.push_back((port, lane)),
                // Nothing more; the next datagram makes the socket ready again.
                Err(_) => *call.unread.of(lane) = false,
            }
        }
    }

    fn tell(&mut self, call: CallKey, event: MediaEvent) {
        let refused = if self.untold.is_empty() {
            self.events.try_send((call, event))
        } else {
            Err(TrySendError::Full((call, event)))
        };
        match refused {
            Err(TrySendError::Full((_, MediaEvent::Key(_)))) => Counters::add(&self.counters.unheard_keys, 1),
            Err(TrySendError::Full(event)) => self.untold.push_back(event),
            // Nobody is there any more, or it was told.
            Err(TrySendError::Closed(_)) | Ok(()) => {}
        }
    }

    fn tell_again(&mut self) {
        while let Some(event) = self.untold.pop_front() {
            if let Err(TrySendError::Full(event)) = self.events.try_send(event) {
                return self.untold.push_front(event);
            }
        }
    }

    /// Waits for the next packet to be due, a command, or a datagram.
    fn wait(&mut self) -> io::Result<()> {
        let due = self.pace.deadline().map(|at| at.saturating_duration_since(self.clock.now()));
        let patience = if !self.unread.is_empty() {
            Some(due.map_or(REST, |due| due.min(REST)))
        } else if !self.untold.is_empty() {
            Some(POLL_UNIT)
        } else {
            due
        };
        // A poll counts milliseconds and would be late by a part of one, differently for each packet. So it waits for
        // the whole ones, and the rest is slept; with many calls, what arrives meanwhile is then read in one go.
        let patience = match patience {
            Some(rest) if rest < POLL_UNIT => {
                std::thread::sleep(rest);
                Some(Duration::ZERO)
            }
            Some(long) => Some(Duration::from_millis(u64::try_from(long.as_millis()).unwrap_or(u64::MAX))),
            None => None,
        };
        match self.poll.poll(&mut self.ready, patience) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            Err(_) | Ok(()) => {}
        }
        for event in &self.ready {
            let Some((port, lane)) = place(event.token()) else { continue };
            if let Some(Some(call)) = self.calls.get_mut(usize::from(port.0))
                && !std::mem::replace(call.unread.of(lane), true)
            {
                self.unread.push_back((port, lane));
            }
        }
        Ok(())
    }
}

const LANES: [Lane; 2] = [Lane::Rtp, Lane::Rtcp];

fn token(port: PortIndex, lane: Lane) -> Token {
    Token(2 * usize::from(port.0) + usize::from(lane == Lane::Rtcp))
}

/// Whose token this is; `None` for the waker's.
fn place(Token(token): Token) -> Option<(PortIndex, Lane)> {
    let port = u16::try_from(token / 2).ok()?;
    Some((PortIndex(port), LANES[token % 2]))
}

/// The media of a call, and its port.
fn call<'a>(
    calls: &'a mut [Option<Call>],
    ports: &HashMap<CallKey, PortIndex>,
    key: CallKey,
) -> Option<(&'a mut Call, PortIndex)> {
    let port = *ports.get(&key)?;
    Some((calls[usize::from(port.0)].as_mut()?, port))
}

/// Throws away what came before the call: late packets of the last one must not reach it.
fn discard(socket: &UdpSocket) {
    for _ in 0..LATE_PACKETS {
        match socket.recv_from(&mut [0; 1]) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::mpsc::sync_channel;

    use ivr_core::media::{Codec, Control};
    use voice_prompts::Library;

    use super::*;

    #[test]
    fn a_port_that_once_could_not_be_polled_serves_the_next_call() {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let (_commands, obeyed) = sync_channel(1);
        let (told, _events) = mpsc::channel(1);
        let clips = Clips::encode(&Library::embedded(), "en");
        let (poll, sockets) = (Poll::new().unwrap(), RtpSockets::drawn(loopback, 1).unwrap());
        let mut exchange = Exchange::new(poll, sockets, clips, obeyed, told, Arc::default(), Clock);
        let mut open = |key, is_in_the_way: bool| {
            if is_in_the_way {
                let rtcp = exchange.sockets[0].of(Lane::Rtcp);
                exchange.poll.registry().register(rtcp, Token(9), Interest::READABLE).unwrap();
            }
            let plan = MediaPlan {
                remote: (loopback, 9).into(),
                control: Control::Off,
                codec: Codec::Pcmu,
                event_payload_type: None,
                packet_time: Duration::from_millis(20),
                media_networks: Vec::new(),
                held: false,
                latch_any: false,
            };
            let start = RtpStart { ssrc: 1, sequence: 1, timestamp: 1, seed: [1; 32] };
            exchange.open(CallKey(key), PortIndex(0), plan, start);
            exchange.ports.contains_key(&CallKey(key))
        };
        assert!(!open(1, true));
        assert!(open(2, false));
    }
}
