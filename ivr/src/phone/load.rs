//! Many callers in one thread: it begins calls at a rate, talks in all of them, presses keys, and hangs up when it is time.
//! What comes back is stamped by the kernel, so that the measure does not depend on how busy this thread is. Beside
//! [`call`](super::call), a caller here neither listens nor understands, which is why thousands of them fit on a core.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::Context;
use ivr_core::number::Number;
use ivr_core::private::Private;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::g711::Law;
use super::rtp::Mouth;
use super::sdp::Agreed;
use crate::clock::Clock;

mod arrivals;
pub mod caller;
mod impairment;
pub mod sessions;
pub mod stamped;

pub use arrivals::{Arrivals, Spacing};
pub use impairment::Impairment;

use caller::{Answered, Caller};
use impairment::Path;
use stamped::{Letters, Stamped};

/// The pace of the thread; each call that talks has its place in one of [`SLOTS`] turns.
const TURN: Duration = Duration::from_millis(1);
const SLOTS: usize = 20;
const PACKET_TIME: Duration = Duration::from_millis(20);
/// What is not answered by then never will be: over loopback nothing is lost, so nothing is repeated.
const PATIENCE: Duration = Duration::from_secs(5);
/// All calls' SIP arrives at one socket.
const SIP_ROOM_BYTES: usize = 4 << 20;

/// What is to be done.
#[derive(Debug)]
pub struct Load<'a> {
    /// Where the service takes SIP.
    pub service: SocketAddr,
    /// The number that is dialled: the user part of the Request-URI.
    pub dialled: &'a str,
    /// Where the callers are; `None`: at the address from which the service is reached.
    pub local: Option<IpAddr>,
    /// Who calls, one after the other and then again from the first.
    pub numbers: &'a [Number],
    /// How many calls there are.
    pub calls: usize,
    /// How many begin in a second.
    pub per_second: f64,
    /// From the 200 to the BYE.
    pub length: Duration,
    /// What is done in between.
    pub talk: Talk<'a>,
}

/// What callers do on the line.
#[derive(Debug, Clone, Copy)]
pub enum Talk<'a> {
    /// They send nothing, and look at nothing that comes.
    Nothing,
    /// They send a packet of silence every 20 ms, and note when those of the service come.
    Silence,
    /// The same, and they press keys.
    Keys {
        /// So long after the 200.
        after: Duration,
        /// Each its own: of the first call, the second, …
        keys: &'a [Private<String>],
        /// What the network does to their packets.
        impairment: Impairment,
    },
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Measured {
    /// From each INVITE to its 200.
    pub setups: Vec<Duration>,
    /// The packets of each call that was answered.
    pub arrivals: Vec<Arrivals>,
    /// RTP packets that were sent.
    pub sent: u64,
    /// What all callers together should have sent in the time in which they talked.
    pub due: f64,
    /// INVITEs that were refused, by status.
    pub refused: BTreeMap<u16, u64>,
    /// INVITEs and BYEs without an answer.
    pub unanswered: u64,
    /// Ended by the service.
    pub cut_off: u64,
    /// 200s that came again: the service did not get the ACK in time.
    pub repeated: u64,
}

impl Measured {
    /// How far each packet came from one packet time after the one before.
    pub fn deviations(&self) -> Vec<Duration> {
        self.spacings().map(|spacing| spacing.off).collect()
    }

    /// The same, and when.
    pub fn spacings(&self) -> impl Iterator<Item = Spacing> {
        self.arrivals.iter().flat_map(Arrivals::spacings)
    }

    /// How late each packet was against the pace of its call.
    pub fn latenesses(&self) -> Vec<Duration> {
        self.arrivals.iter().flat_map(Arrivals::latenesses).collect()
    }

    /// RTP packets that came, and those that are missing between them.
    pub fn packets(&self) -> (u64, u64) {
        let sum = |of: fn(&Arrivals) -> u64| self.arrivals.iter().map(of).sum();
        (sum(Arrivals::received), sum(Arrivals::lost))
    }

    /// How much of its own pace the load kept: far below one, its core was too busy to put the load on.
    pub fn pace(&self) -> f64 {
        self.sent as f64 / self.due.max(1.0)
    }

    /// Calls that did not go as they should.
    pub fn failures(&self) -> u64 {
        self.refused.values().sum::<u64>() + self.unanswered + self.cut_off
    }
}

/// The value that this part of them does not exceed.
pub fn percentile(values: &mut [Duration], part: f64) -> Duration {
    let rank = (part * values.len() as f64).ceil() as usize;
    match rank.saturating_sub(1) {
        at if at < values.len() => *values.select_nth_unstable(at).1,
        _ => Duration::default(),
    }
}

/// Puts the load on the service. `look` is called twice, at the beginning and at the end of the time in which all talk, and
/// told where their packets go.
///
/// # Errors
/// If a socket fails, or `look` does.
pub fn run(load: &Load<'_>, mut look: impl FnMut(&[SocketAddr]) -> anyhow::Result<()>) -> anyhow::Result<Measured> {
    let mut callers = Callers::new(load)?;
    let began = Clock.now();
    let mut turn = 0_u32;
    let mut all_talk = false;
    loop {
        let now = Clock.now();
        while callers.begun() < load.calls
            && now >= began + Duration::from_secs_f64(callers.begun() as f64 / load.per_second)
        {
            callers.begin(now)?;
        }
        callers.hear(now)?;
        callers.talk(turn as usize % SLOTS, now)?;
        if !all_talk && callers.talking == load.calls {
            all_talk = true;
            look(&callers.media())?;
        }
        if callers.someone_leaves(now) && std::mem::take(&mut all_talk) {
            look(&[])?;
        }
        callers.give_up(now)?;
        if callers.begun() == load.calls && callers.live == 0 {
            return Ok(callers.measured);
        }
        turn += 1;
        std::thread::sleep((began + TURN * turn).saturating_duration_since(Clock.now()));
    }
}

/// All of them.
struct Callers<'a> {
    load: &'a Load<'a>,
    sip: Stamped,
    address: SocketAddr,
    /// Tells this load's calls from an earlier one's.
    run: i128,
    /// By number; `None` when it is over.
    calls: Vec<Option<Box<Call>>>,
    /// Those that talk, by their turn.
    slots: [Vec<usize>; SLOTS],
    talking: usize,
    /// Those that are not over.
    live: usize,
    /// The same patience for all, so each is in the order of its times.
    inviting: VecDeque<(Instant, usize)>,
    hanging_up: VecDeque<(Instant, usize)>,
    leaving: VecDeque<(Instant, usize)>,
    letters: Letters,
    chance: ChaCha20Rng,
    measured: Measured,
}

struct Call {
    caller: Caller,
    state: State,
    /// When it began, by the wall clock in nanoseconds: as the kernel stamps.
    invited_at: i128,
    media: Option<Media>,
}

enum State {
    Inviting,
    Talking(Answered),
    Leaving,
}

/// The audio of a call.
struct Media {
    socket: Stamped,
    /// Since the 200.
    mouth: Option<Mouth>,
    path: Path,
    arrivals: Arrivals,
    /// When keys are pressed.
    presses_at: Option<Instant>,
}

impl<'a> Callers<'a> {
    fn new(load: &'a Load<'a>) -> anyhow::Result<Self> {
        let local = load.local.map_or_else(|| facing(load.service), Ok).context("an address of ours")?;
        let sip = Stamped::bind(local)?.with_room(SIP_ROOM_BYTES)?;
        Ok(Self {
            address: sip.address()?,
            sip,
            load,
            run: Clock.wall().unix_timestamp_nanos(),
            calls: Vec::with_capacity(load.calls),
            slots: Default::default(),
            talking: 0,
            live: 0,
            inviting: VecDeque::new(),
            hanging_up: VecDeque::new(),
            leaving: VecDeque::new(),
            letters: Letters::default(),
            chance: ChaCha20Rng::seed_from_u64(1),
            measured: Measured::default(),
        })
    }

    fn begun(&self) -> usize {
        self.calls.len()
    }

    fn begin(&mut self, now: Instant) -> anyhow::Result<()> {
        let index = self.calls.len();
        let media = match self.load.talk {
            Talk::Nothing => None,
            Talk::Silence | Talk::Keys { .. } => Some(Media {
                socket: Stamped::bind(self.address.ip()).context("a socket for RTP: ulimit -n may be too low")?,
                mouth: None,
                path: Path::default(),
                arrivals: Arrivals::default(),
                presses_at: None,
            }),
        };
        let caller = Caller {
            index,
            number: self.load.numbers[index % self.load.numbers.len()].clone(),
            sip: self.address,
            rtp: media.as_ref().map_or(Ok(self.address), |media| media.socket.address())?,
            service: self.load.service,
            dialled: self.load.dialled.to_owned(),
            run: self.run,
        };
        let invite = caller.invite();
        let invited_at = Clock.wall().unix_timestamp_nanos();
        self.sip.send_to(invite.as_bytes(), self.load.service).context("sending an INVITE")?;
        self.inviting.push_back((now + PATIENCE, index));
        self.live += 1;
        self.calls.push(Some(Box::new(Call { caller, state: State::Inviting, invited_at, media })));
        Ok(())
    }

    /// Takes in the service's messages.
    fn hear(&mut self, now: Instant) -> anyhow::Result<()> {
        let mut messages = Vec::new();
        self.sip.receive(&mut self.letters, |bytes, at| {
            messages.push((String::from_utf8_lossy(bytes).into_owned(), at));
        })?;
        for (message, at) in messages {
            let Some(index) = caller::index_of(&message, self.run).filter(|index| *index < self.calls.len()) else {
                continue;
            };
            for reply in self.hear_one(index, &message, at, now)? {
                self.sip.send_to(reply.as_bytes(), self.load.service).context("sending SIP")?;
            }
        }
        Ok(())
    }

    /// Takes a message of a call and gives what is to be sent back.
    fn hear_one(&mut self, index: usize, message: &str, at: i128, now: Instant) -> anyhow::Result<Vec<String>> {
        let Some(call) = &mut self.calls[index] else { return Ok(caller::agree(message).into_iter().collect()) };
        Ok(match (caller::status(message), &call.state) {
            (None, State::Talking(_)) if message.starts_with("BYE ") => {
                self.measured.cut_off += 1;
                self.end(index);
                caller::agree(message).into_iter().collect()
            }
            (None, _) => caller::agree(message).into_iter().collect(),
            (Some((200, "INVITE")), State::Inviting) => {
                let answered = caller::answered(message).context("the service's answer")?;
                self.measured.setups.push(between(call.invited_at, at));
                let ack = call.caller.ack(&answered);
                if self.load.length.is_zero() {
                    let bye = call.caller.bye(&answered);
                    call.state = State::Leaving;
                    self.leaving.push_back((now + PATIENCE, index));
                    return Ok(vec![ack, bye]);
                }
                if let Some(media) = &mut call.media {
                    media.begin(&self.load.talk, answered.rtp, index, now)?;
                    self.slots[self.talking % SLOTS].push(index);
                }
                self.talking += 1;
                call.state = State::Talking(answered);
                self.hanging_up.push_back((now + self.load.length, index));
                vec![ack]
            }
            (Some((200, "INVITE")), State::Talking(answered)) => {
                self.measured.repeated += 1;
                vec![call.caller.ack(answered)]
            }
            (Some((status @ 300.., "INVITE")), State::Inviting) => {
                *self.measured.refused.entry(status).or_default() += 1;
                let ack = call.caller.ack_refusal(message);
                self.end(index);
                ack.into_iter().collect()
            }
            (Some((_, "BYE")), State::Leaving) => {
                self.end(index);
                Vec::new()
            }
            (Some(_), _) => Vec::new(),
        })
    }

    /// Those whose turn it is send a packet and take in what has arrived.
    fn talk(&mut self, slot: usize, now: Instant) -> anyhow::Result<()> {
        for place in (0..self.slots[slot].len()).rev() {
            let index = self.slots[slot][place];
            let talks = |call: &Call| matches!(call.state, State::Talking(_));
            let Some(call) = self.calls[index].as_deref_mut().filter(|call| talks(call)) else {
                self.slots[slot].swap_remove(place);
                continue;
            };
            if let Some(media) = &mut call.media {
                self.measured.sent += media.send(&self.load.talk, index, now, &mut self.chance)?;
                media.receive(&mut self.letters)?;
            }
        }
        Ok(())
    }

    /// Whose time is over hangs up next?
    fn someone_leaves(&self, now: Instant) -> bool {
        self.hanging_up.front().is_some_and(|(at, _)| *at <= now)
    }

    /// Hangs up where it is time, and gives up where nobody answers.
    fn give_up(&mut self, now: Instant) -> anyhow::Result<()> {
        while let Some((_, index)) = self.hanging_up.pop_front_if(|(at, _)| *at <= now) {
            let Some(call) = self.calls[index].as_deref_mut() else { continue };
            let State::Talking(answered) = &call.state else { continue };
            let bye = call.caller.bye(answered);
            self.measured.due += self.load.length.as_secs_f64() / PACKET_TIME.as_secs_f64();
            call.state = State::Leaving;
            self.leaving.push_back((now + PATIENCE, index));
            self.sip.send_to(bye.as_bytes(), self.load.service).context("sending a BYE")?;
        }
        while let Some((_, index)) = self.inviting.pop_front_if(|(at, _)| *at <= now) {
            self.lose(index, |state| matches!(state, State::Inviting));
        }
        while let Some((_, index)) = self.leaving.pop_front_if(|(at, _)| *at <= now) {
            self.lose(index, |state| matches!(state, State::Leaving));
        }
        Ok(())
    }

    fn lose(&mut self, index: usize, waits: impl Fn(&State) -> bool) {
        if self.calls[index].as_ref().is_some_and(|call| waits(&call.state)) {
            self.measured.unanswered += 1;
            self.end(index);
        }
    }

    fn end(&mut self, index: usize) {
        let ended = self.calls[index].take();
        self.live -= usize::from(ended.is_some());
        let ended = ended.and_then(|call| call.media);
        self.measured.arrivals.extend(ended.map(|media| media.arrivals));
    }

    fn media(&self) -> Vec<SocketAddr> {
        let talking = self.calls.iter().flatten().filter_map(|call| match &call.state {
            State::Talking(answered) => Some(answered.rtp),
            State::Inviting | State::Leaving => None,
        });
        talking.collect()
    }
}

impl Media {
    /// The call was answered.
    fn begin(&mut self, talk: &Talk<'_>, remote: SocketAddr, index: usize, now: Instant) -> anyhow::Result<()> {
        let agreed = Agreed { remote, law: Law::Mu, events: Some(super::sdp::EVENTS) };
        let [a, b, c, d] = (index as u32).to_be_bytes();
        self.mouth = Some(Mouth::new(agreed, [a, b, c, d, 0, 0, 0, 0, 0, 0]));
        self.presses_at = match talk {
            Talk::Keys { after, .. } => Some(now + *after),
            Talk::Nothing | Talk::Silence => None,
        };
        self.socket.connect(remote).context("connecting to the service's port")
    }

    /// Sends what is due. Gives how many packets that were, before the network took its share.
    fn send(&mut self, talk: &Talk<'_>, index: usize, now: Instant, chance: &mut ChaCha20Rng) -> anyhow::Result<u64> {
        let Some(mouth) = &mut self.mouth else { return Ok(0) };
        let arrives = match talk {
            Talk::Nothing | Talk::Silence => vec![mouth.packet()],
            Talk::Keys { keys, impairment, .. } => {
                if self.presses_at.take_if(|at| *at <= now).is_some() {
                    mouth.press(keys[index % keys.len()].expose());
                }
                self.path.send(mouth.packet(), impairment, chance)
            }
        };
        for packet in arrives {
            self.socket.send(&packet).context("sending RTP")?;
        }
        Ok(1)
    }

    fn receive(&mut self, letters: &mut Letters) -> anyhow::Result<()> {
        let arrivals = &mut self.arrivals;
        self.socket.receive(letters, |packet, at| {
            let Some([_, kind, s0, s1, t0, t1, t2, t3]) = packet.first_chunk() else { return };
            // RFC 5761 4: what begins so is a report.
            if !matches!(kind, 192..=223) {
                arrivals.note(u16::from_be_bytes([*s0, *s1]), u32::from_be_bytes([*t0, *t1, *t2, *t3]), at);
            }
        })?;
        Ok(())
    }
}

/// Our address on the way there.
fn facing(there: SocketAddr) -> io::Result<IpAddr> {
    let any: IpAddr = if there.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(there)?;
    Ok(socket.local_addr()?.ip())
}

fn between(earlier: i128, later: i128) -> Duration {
    Duration::from_nanos(u64::try_from(later - earlier).unwrap_or(0))
}
