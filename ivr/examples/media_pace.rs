//! Prints what the media thread takes of a core for a packet each way, beside what the kernel alone takes, what a call's beginning
//! and end cost it, and what a call takes in memory. The thread has one core, the callers another.
//! `cargo run --release -p ivr --example media_pace -- [CALLS] [SECONDS]`

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;
use std::{env, fs, thread};

use anyhow::Context;
use ivr::clock::Clock;
use ivr::media_driver::{MediaDriver, RtpSockets};
use ivr_core::media::{CallKey, Codec, Control, MediaCommand, MediaEvent, MediaPlan, PortIndex, RtpStart, Voices};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use tokio::sync::mpsc;
use voice_prompts::{Language, Library, PromptId, Utterance};

#[path = "../../tests/bench/calls/floor.rs"]
mod floor;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SLOTS: u32 = 20;
const SLOT: Duration = Duration::from_millis(1);
const SHORT_CALLS: u64 = 20_000;
/// Commands between two pauses: 2,500 calls a second of three commands.
const BEGUN_A_SLOT: u64 = 5;

struct Caller {
    socket: UdpSocket,
    service: SocketAddr,
    packet: [u8; 172],
}

fn main() -> anyhow::Result<()> {
    let mut arguments = env::args().skip(1).map(|argument| argument.parse::<u16>());
    let calls = arguments.next().transpose()?.unwrap_or(2_000);
    let seconds = arguments.next().transpose()?.unwrap_or(10);
    let cores = sched_getaffinity(Pid::from_raw(0))?;
    let cores: Vec<usize> = (0..CpuSet::count()).filter(|core| cores.is_set(*core).unwrap_or(false)).collect();
    pin(cores[0])?;
    let floor = floor::measure(calls.into(), 100)?;
    println!("the kernel alone: {:.2?} to send, {:.2?} to receive a packet", floor.send, floor.receive);

    let sockets = RtpSockets::drawn(LOOPBACK, calls)?;
    let voices = Voices::new(Library::embedded());
    voices.prepare(Language::ENGLISH);
    let (driver, mut events) = MediaDriver::start(sockets, voices, Clock)?;
    pin(cores[cores.len() - 1])?;
    let before = resident_kib()?;
    let mut callers = (0..calls).map(|port| Caller::begin(&driver, port)).collect::<anyhow::Result<Vec<_>>>()?;
    talk(&mut callers, Duration::from_secs(1))?;
    let began = media_time()?;
    let talked = talk(&mut callers, Duration::from_secs(seconds.into()))?;
    let took = media_time()? - began;
    let packets = u32::from(calls) * u32::from(seconds) * 50;
    let packet = took / packets;
    println!(
        "{calls} calls: {packet:.2?} for a packet each way, {:.2} of the kernel's, {:.1} % of a core; {} KiB a call",
        packet.as_secs_f64() / floor.both().as_secs_f64(),
        took.as_secs_f64() / talked.as_secs_f64() * 100.0,
        (resident_kib()? - before) / u64::from(calls)
    );
    (0..calls).for_each(|call| driver.send(CallKey(call.into()), MediaCommand::Close));
    driver.wake();
    let mut received = 0;
    ended(&mut events, calls.into(), |quality| received += quality.packets_received);
    println!("{received} packets were received, {:?}", driver.figures());

    let began = media_time()?;
    for call in 0..SHORT_CALLS {
        let (key, port) = (CallKey(1_000_000 + call), (call % u64::from(calls)) as u16);
        open(&driver, key, port, SocketAddr::new(LOOPBACK, 9));
        driver.send(key, MediaCommand::Listen);
        driver.send(key, say());
        driver.send(key, MediaCommand::Close);
        driver.wake();
        if call % BEGUN_A_SLOT == 0 {
            thread::sleep(2 * SLOT);
            while events.try_recv().is_ok() {}
        }
    }
    thread::sleep(10 * SLOT);
    println!("a call's beginning and end: {:.2?}", (media_time()? - began) / u32::try_from(SHORT_CALLS)?);
    Ok(())
}

impl Caller {
    fn begin(driver: &MediaDriver, port: u16) -> anyhow::Result<Self> {
        let socket = UdpSocket::bind((LOOPBACK, 0))?;
        socket.set_nonblocking(true)?;
        let key = CallKey(port.into());
        open(driver, key, port, socket.local_addr()?);
        driver.send(key, MediaCommand::Listen);
        driver.send(key, say());
        driver.wake();
        let mut packet = [0xff; 172];
        packet[..12].copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        let service = (LOOPBACK, driver.ports()[usize::from(port)]).into();
        Ok(Self { socket, service, packet })
    }

    fn talk(&mut self, n: u32) -> anyhow::Result<()> {
        self.packet[2..4].copy_from_slice(&(n as u16).to_be_bytes());
        self.packet[4..8].copy_from_slice(&(n * 160).to_be_bytes());
        self.socket.send_to(&self.packet, self.service)?;
        while self.socket.recv_from(&mut [0; 172]).is_ok() {}
        Ok(())
    }
}

fn open(driver: &MediaDriver, key: CallKey, port: u16, remote: SocketAddr) {
    let plan = MediaPlan {
        remote,
        control: Control::At(SocketAddr::new(LOOPBACK, 9)),
        codec: Codec::Pcmu,
        event_payload_type: Some(101),
        hears_tones: false,
        packet_time: Duration::from_millis(20),
        media_networks: Vec::new(),
        held: false,
        latch_any: false,
        security: None,
    };
    let start = RtpStart { ssrc: 1, sequence: 1, timestamp: 1, seed: [7; 32] };
    driver.send(key, MediaCommand::Open { port: PortIndex(port), plan, start, language: Language::ENGLISH });
}

fn say() -> MediaCommand {
    MediaCommand::Say { play: 1, utterance: Utterance::default().clip(PromptId::WarningScam) }
}

/// A packet of each caller every 20 ms, for so long; gives how long it was.
fn talk(callers: &mut [Caller], length: Duration) -> anyhow::Result<Duration> {
    let began = Clock.now();
    let mut slot = 0;
    while Clock.now() < began + length {
        for caller in callers.iter_mut().skip((slot % SLOTS) as usize).step_by(SLOTS as usize) {
            caller.talk(slot / SLOTS)?;
        }
        slot += 1;
        thread::sleep((began + SLOT * slot).saturating_duration_since(Clock.now()));
    }
    Ok(Clock.now() - began)
}

fn ended(
    events: &mut mpsc::Receiver<(CallKey, MediaEvent)>,
    mut calls: u64,
    mut each: impl FnMut(ivr_core::media::Quality),
) {
    while calls > 0 {
        if let Some((_, MediaEvent::Closed(quality))) = events.blocking_recv() {
            each(quality);
            calls -= 1;
        }
    }
}

fn pin(core: usize) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    set.set(core)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

/// What the media thread has run.
fn media_time() -> anyhow::Result<Duration> {
    for task in fs::read_dir("/proc/self/task")? {
        let task = task?.path();
        if fs::read_to_string(task.join("comm"))?.trim() == "media" {
            let ran = fs::read_to_string(task.join("schedstat"))?;
            return Ok(Duration::from_nanos(ran.split_whitespace().next().context("schedstat")?.parse()?));
        }
    }
    anyhow::bail!("there is no media thread")
}

fn resident_kib() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
