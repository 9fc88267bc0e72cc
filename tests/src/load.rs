//! Honest callers, for the benchmark and for the tests with attackers: one thread that begins calls at a rate, talks in all
//! of them, and hangs up when it is time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use ivr::clock::Clock;
use ivr::phone::api::{Api, Start};
use ivr_core::number::{Country, Number};

pub mod caller;
pub mod cores;
pub mod stamped;
pub mod usage;

use caller::{Answered, Caller};
use stamped::Stamped;

/// The pace of the thread; each call has its place in one of [`SLOTS`] turns.
const TURN: Duration = Duration::from_millis(1);
const SLOTS: usize = 20;
const PACKET_TIME: Duration = Duration::from_millis(20);
const FRAME_SAMPLES: usize = 160;
/// Sessions begun at the same time.
const SESSIONS_AT_ONCE: usize = 4;
/// What is not answered by then never will be.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is to be done.
#[derive(Debug)]
pub struct Load {
    /// How many calls there are.
    pub calls: usize,
    /// How many begin in a second.
    pub per_second: u32,
    /// From the 200 to the BYE.
    pub length: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Measured {
    /// From each INVITE to its 200.
    pub setups: Vec<Duration>,
    /// Of each packet that followed the one before it.
    pub spacings: Vec<Spacing>,
    /// RTP packets that came.
    pub received: u64,
    /// Those that are missing between them.
    pub lost: u64,
    /// RTP packets that were sent.
    pub sent: u64,
    /// What all callers together should have sent in the time in which they talked.
    pub due: f64,
    /// INVITEs that were refused.
    pub refused: u64,
    /// INVITEs and BYEs without an answer.
    pub unanswered: u64,
    /// Ended by the service.
    pub cut_off: u64,
}

/// How a packet came.
#[derive(Debug, Clone, Copy)]
pub struct Spacing {
    /// When, by the wall clock in nanoseconds, as the kernel stamped it.
    pub at: i128,
    /// How far from one packet time after the one before.
    pub off: Duration,
}

impl Measured {
    /// How far packets came from one packet time after the one before.
    pub fn deviations(&self) -> Vec<Duration> {
        self.spacings.iter().map(|spacing| spacing.off).collect()
    }

    /// How much of its own pace the load kept: far below one, its core was too busy to put the load on.
    pub fn pace(&self) -> f64 {
        self.sent as f64 / self.due
    }
}

#[derive(Debug)]
struct Call {
    caller: Caller,
    rtp: Option<Stamped>,
    state: State,
    /// When it began, by the wall clock in nanoseconds: as the kernel stamps.
    invited_at: i128,
    sequence: u16,
    last: Option<(u16, i128)>,
}

#[derive(Debug)]
enum State {
    Inviting { gives_up_at: Instant },
    Talking { answered: Answered, until: Instant },
    Leaving { gives_up_at: Instant },
    Over,
}

/// A number for each call, no two alike: those with the lines 555-01XX, which no telephone has. Only numbers of the United
/// States, whose word the demo's trunk is believed for.
///
/// # Errors
/// If there are not so many.
pub fn numbers(count: usize) -> anyhow::Result<Vec<Number>> {
    let home: Country = "US".parse().context("a country")?;
    let all = (201..990).flat_map(|area| (100..200).map(move |line| format!("+1{area}5550{line}")));
    let valid = all.filter_map(|text| Number::parse(&text).ok()).filter(|number| number.country() == home);
    let numbers: Vec<Number> = valid.take(count).collect();
    anyhow::ensure!(numbers.len() == count, "only {} numbers are valid", numbers.len());
    Ok(numbers)
}

/// Begins a session for each number: without one, no call is answered.
///
/// # Errors
/// If the service does not begin one.
pub async fn expect_calls(http: &str, numbers: &[Number]) -> anyhow::Result<()> {
    let api = Api::new(http);
    let begin = async |number: &Number| {
        let start = Start { number: number.as_str(), csr: None, publish: false, locale: "en" };
        api.start(&start).await.map(drop)
    };
    let sessions = stream::iter(numbers).map(begin).buffer_unordered(SESSIONS_AT_ONCE);
    sessions.try_collect::<()>().await.context("beginning a session")
}

/// The value that this part of them does not exceed.
pub fn percentile(values: &mut [Duration], part: f64) -> Duration {
    values.sort_unstable();
    let rank = (part * values.len() as f64).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// Puts the load on the service. `look` is called twice, at the beginning and at the end of the time in which all talk, and
/// told where their packets go.
///
/// # Errors
/// If a socket fails, or `look` does.
pub fn run(
    load: &Load,
    service: SocketAddr,
    numbers: &[Number],
    mut look: impl FnMut(&[SocketAddr]) -> anyhow::Result<()>,
) -> anyhow::Result<Measured> {
    let clock = Clock;
    let run = clock.wall().unix_timestamp_nanos();
    let mut sip = Stamped::bind()?;
    let local = sip.address()?;
    let mut calls: Vec<Call> = Vec::with_capacity(load.calls);
    let mut measured = Measured::default();
    let began = clock.now();
    let (mut turn, mut all_talk, mut buffer) = (0_u32, false, [0; 4_096]);
    loop {
        let now = clock.now();
        while calls.len() < load.calls && now >= began + Duration::from_secs(calls.len() as u64) / load.per_second {
            let index = calls.len();
            let rtp = Stamped::bind()?;
            let number = numbers[index % numbers.len()].clone();
            let caller = Caller { index, number, sip: local, rtp: rtp.address()?, service, run };
            let invite = caller.invite();
            let invited_at = clock.wall().unix_timestamp_nanos();
            sip.send(invite.as_bytes(), service).context("sending an INVITE")?;
            let state = State::Inviting { gives_up_at: now + PATIENCE };
            calls.push(Call { caller, rtp: Some(rtp), state, invited_at, sequence: 0, last: None });
        }
        while let Some((length, at)) = sip.receive(&mut buffer)? {
            let message = std::str::from_utf8(&buffer[..length]).context("the service's message")?;
            if let Some(call) = caller::index_of(message, run).and_then(|index| calls.get_mut(index)) {
                let reply = call.hear(message, at, now + load.length, &mut measured);
                reply.map_or(Ok(()), |reply| sip.send(reply.as_bytes(), service))?;
            }
        }
        for call in calls.iter_mut().skip(turn as usize % SLOTS).step_by(SLOTS) {
            call.talk(&mut measured)?;
        }
        if !all_talk {
            let talking: Vec<SocketAddr> = calls.iter().filter_map(Call::talks_to).collect();
            if talking.len() == load.calls {
                all_talk = true;
                look(&talking)?;
            }
        }
        for call in &mut calls {
            if let Some(bye) = call.timeout(now, load.length, &mut measured) {
                if std::mem::take(&mut all_talk) {
                    look(&[])?;
                }
                sip.send(bye.as_bytes(), service).context("sending a BYE")?;
            }
        }
        if calls.len() == load.calls && calls.iter().all(|call| matches!(call.state, State::Over)) {
            return Ok(measured);
        }
        turn += 1;
        std::thread::sleep((began + TURN * turn).saturating_duration_since(clock.now()));
    }
}

impl Call {
    fn talks_to(&self) -> Option<SocketAddr> {
        match &self.state {
            State::Talking { answered, .. } => Some(answered.rtp),
            _ => None,
        }
    }

    /// Takes a message of the service and gives what is to be sent back.
    fn hear(&mut self, message: &str, at: i128, until: Instant, measured: &mut Measured) -> Option<String> {
        match (caller::status(message), &self.state) {
            (None, State::Talking { .. }) if message.starts_with("BYE ") => {
                measured.cut_off += 1;
                self.end();
                caller::agree(message)
            }
            (None, _) => caller::agree(message),
            (Some((200, "INVITE")), State::Inviting { .. }) => {
                let answered = caller::answered(message)?;
                measured.setups.push(between(self.invited_at, at));
                let ack = self.caller.ack(&answered);
                self.state = State::Talking { answered, until };
                Some(ack)
            }
            (Some((200, "INVITE")), State::Talking { answered, .. }) => Some(self.caller.ack(answered)),
            (Some((300.., "INVITE")), State::Inviting { .. }) => {
                measured.refused += 1;
                self.end();
                None
            }
            (Some((_, "BYE")), State::Leaving { .. }) => {
                self.end();
                None
            }
            (Some(_), _) => None,
        }
    }

    /// Sends a packet of silence and takes in what has arrived.
    fn talk(&mut self, measured: &mut Measured) -> anyhow::Result<()> {
        let (State::Talking { answered, .. }, Some(rtp)) = (&self.state, &mut self.rtp) else { return Ok(()) };
        let mut packet = [0xff; 12 + FRAME_SAMPLES];
        let timestamp = u32::from(self.sequence).wrapping_mul(FRAME_SAMPLES as u32);
        packet[..2].copy_from_slice(&[0x80, 0]);
        packet[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        packet[4..8].copy_from_slice(&timestamp.to_be_bytes());
        packet[8..12].copy_from_slice(&(self.caller.index as u32).to_be_bytes());
        rtp.send(&packet, answered.rtp).context("sending RTP")?;
        self.sequence = self.sequence.wrapping_add(1);
        measured.sent += 1;

        let mut buffer = [0; 2_048];
        while let Some((length, at)) = rtp.receive(&mut buffer)? {
            // RFC 5761 4: what begins so is a report, for the call whose port is the one below.
            if length < 12 || matches!(buffer[1], 192..=223) {
                continue;
            }
            measured.received += 1;
            let sequence = u16::from_be_bytes([buffer[2], buffer[3]]);
            if let Some((last, last_at)) = self.last.replace((sequence, at)) {
                match sequence.wrapping_sub(last) {
                    1 => measured.spacings.push(Spacing { at, off: between(last_at, at).abs_diff(PACKET_TIME) }),
                    gap => measured.lost += u64::from(gap.saturating_sub(1)),
                }
            }
        }
        Ok(())
    }

    /// The BYE, if it is time to hang up after this length.
    fn timeout(&mut self, now: Instant, length: Duration, measured: &mut Measured) -> Option<String> {
        match &self.state {
            State::Inviting { gives_up_at } if now >= *gives_up_at => {
                measured.unanswered += 1;
                self.end();
                None
            }
            State::Talking { answered, until } if now >= *until => {
                let bye = self.caller.bye(answered);
                measured.due += length.as_secs_f64() / PACKET_TIME.as_secs_f64();
                self.state = State::Leaving { gives_up_at: now + PATIENCE };
                Some(bye)
            }
            State::Leaving { gives_up_at } if now >= *gives_up_at => {
                measured.unanswered += 1;
                self.end();
                None
            }
            _ => None,
        }
    }

    fn end(&mut self) {
        self.state = State::Over;
        self.rtp = None;
    }
}

fn between(earlier: i128, later: i128) -> Duration {
    Duration::from_nanos(u64::try_from(later - earlier).unwrap_or(0))
}
