use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use ivr_core::media::{Codec, Control, MediaPlan, PortIndex, Quality, RtpStart};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use voice_prompts::{Language, Library, PromptId, Utterance};

use super::*;
use crate::phone::Law;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Far longer than anything takes; only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
const EVENT_PAYLOAD_TYPE: u8 = 101;
const START: RtpStart = RtpStart { ssrc: 0x0102_0304, sequence: 65_530, timestamp: u32::MAX - 1_000, seed: [7; 32] };

/// The media thread with two ports.
struct Service {
    driver: MediaDriver,
    events: mpsc::Receiver<(CallKey, MediaEvent)>,
}

/// The other end of a call's audio.
struct Caller {
    socket: UdpSocket,
    /// Of its reports.
    control: UdpSocket,
    service: SocketAddr,
    sequence: u16,
}

/// A packet as the caller got it.
struct Packet {
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    payload: Vec<u8>,
}

impl Service {
    fn start() -> Self {
        let voices = Voices::new(Library::embedded());
        voices.prepare(Language::ENGLISH);
        let (driver, events) = MediaDriver::start(RtpSockets::drawn(LOOPBACK, 2).unwrap(), voices, Clock).unwrap();
        Self { driver, events }
    }

    /// A call on this port.
    fn open(&self, call: u64, port: u16) -> Caller {
        let caller = Caller::at("127.0.0.1", self.driver.ports()[usize::from(port)]);
        let [remote, control] = [&caller.socket, &caller.control].map(|socket| socket.local_addr().unwrap());
        self.open_for(call, port, remote, Control::At(control));
        caller
    }

    /// The ACK: the first packet shows that it has been obeyed.
    fn listen(&self, call: u64, caller: &Caller) {
        self.tell(call, MediaCommand::Listen);
        caller.packet();
    }

    fn open_for(&self, call: u64, port: u16, remote: SocketAddr, control: Control) {
        let plan = plan(remote, control);
        self.tell(call, MediaCommand::Open { port: PortIndex(port), plan, start: START, language: Language::ENGLISH });
    }

    fn tell(&self, call: u64, command: MediaCommand) {
        self.driver.send(CallKey(call), command);
        self.driver.wake();
    }

    /// What a call says next, and which call it is.
    async fn event(&mut self) -> (u64, MediaEvent) {
        let event = tokio::time::timeout(PATIENCE, self.events.recv()).await;
        let (CallKey(call), event) = event.expect("no event").expect("the media thread ended");
        (call, event)
    }

    async fn key(&mut self) -> (u64, char) {
        match self.event().await {
            (call, MediaEvent::Key(key, _)) => (call, key),
            other => panic!("{other:?} is no key"),
        }
    }

    async fn close(&mut self, call: u64) -> Quality {
        self.tell(call, MediaCommand::Close);
        match self.event().await {
            (closed, MediaEvent::Closed(quality)) if closed == call => quality,
            other => panic!("{other:?} is not the end of {call}"),
        }
    }
}

fn plan(remote: SocketAddr, control: Control) -> MediaPlan {
    MediaPlan {
        remote,
        control,
        codec: Codec::Pcmu,
        event_payload_type: Some(EVENT_PAYLOAD_TYPE),
        hears_tones: false,
        packet_time: Duration::from_millis(20),
        media_networks: Vec::new(),
        held: false,
        latch_any: false,
        security: None,
    }
}

impl Caller {
    fn at(address: &str, service: u16) -> Self {
        let bound = || UdpSocket::bind((address, 0)).unwrap();
        let (socket, control) = (bound(), bound());
        for socket in [&socket, &control] {
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
        }
        Self { socket, control, service: (LOOPBACK, service).into(), sequence: 0 }
    }

    fn packet(&self) -> Packet {
        let mut bytes = [0; 2_048];
        let length = self.socket.recv(&mut bytes).expect("no packet");
        let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!((bytes[0], bytes[1] & 0x7f), (0x80, 0));
        let [high, low] = [bytes[2], bytes[3]];
        Packet {
            sequence: u16::from_be_bytes([high, low]),
            timestamp: word(4),
            ssrc: word(8),
            payload: bytes[12..length].to_vec(),
        }
    }

    /// The next report, and the port that it came from.
    fn report(&self) -> (Vec<u8>, u16) {
        let mut bytes = [0; 2_048];
        let (length, from) = self.control.recv_from(&mut bytes).expect("no report");
        (bytes[..length].to_vec(), from.port())
    }

    /// Reports that 12 packets of the service arrived and 3 did not, to this port of it.
    fn reports(&self, port: u16) {
        let highest = u32::from(START.sequence.wrapping_add(14)) + 0x1_0000;
        let words = [0x81c9_0007_u32, 1, START.ssrc, 3, highest, 80, 0, 0];
        let packet: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        self.control.send_to(&packet, (LOOPBACK, port)).unwrap();
    }

    /// Reads one, if there is one.
    fn has_packet(&self) -> bool {
        self.socket.set_nonblocking(true).unwrap();
        let has = self.socket.recv(&mut [0; 1]).is_ok();
        self.socket.set_nonblocking(false).unwrap();
        has
    }

    /// One packet of a key press: the same press has the same number.
    fn press(&mut self, key: u8, press: u32) {
        let mut packet = vec![0x80, EVENT_PAYLOAD_TYPE];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend((press * 4_000).to_be_bytes());
        packet.extend([0, 0, 0, 1, key, 10, 0, 160]);
        self.sequence = self.sequence.wrapping_add(1);
        self.socket.send_to(&packet, self.service).unwrap();
    }
}

#[tokio::test]
async fn a_clip_is_heard_whole_and_in_order_and_its_end_is_told() {
    let mut service = Service::start();
    let caller = service.open(1, 0);
    service.tell(1, MediaCommand::Say { play: 7, utterance: Utterance::default().clip(PromptId::Goodbye) });
    service.tell(1, MediaCommand::Listen);
    assert!(matches!(service.event().await, (1, MediaEvent::PlayEnded(7))));

    let mut samples = Library::embedded().samples(PromptId::Goodbye, "en").to_vec();
    samples.resize(samples.len().next_multiple_of(160), 0);
    let packets: Vec<Packet> = (0..samples.len() / 160).map(|_| caller.packet()).collect();
    for (n, (packet, said)) in packets.iter().zip(samples.chunks_exact(160)).enumerate() {
        let RtpStart { ssrc, sequence, timestamp, .. } = START;
        let expected = (ssrc, sequence.wrapping_add(n as u16), timestamp.wrapping_add(160 * n as u32));
        assert_eq!((packet.ssrc, packet.sequence, packet.timestamp), expected);
        for (octet, sample) in packet.payload.iter().zip(said) {
            let (heard, said) = (i32::from(Law::Mu.decode(*octet)), i32::from(*sample));
            // G.711 rounds to a sixteenth of each octave.
            assert!((heard - said).abs() <= 8 + said.abs() / 16, "packet {n}: {heard} for {said}");
        }
        assert_eq!(packet.payload.len(), said.len());
    }
    assert_eq!(caller.packet().payload, [0xff; 160], "silence follows");
}

#[tokio::test]
async fn packets_come_by_the_clock_and_not_all_at_once() {
    let service = Service::start();
    let caller = service.open(1, 0);
    let began = Clock.now();
    service.tell(1, MediaCommand::Listen);
    (0..51).for_each(|_| drop(caller.packet()));
    // A sanity check and no mark: how well the pace is held, the benchmark measures. We may have been held up ourselves, and find
    // many of them at once: but none is there before its time.
    let second = Clock.now() - began;
    assert!(second > Duration::from_millis(500), "a second of audio came in {second:?}");
}

#[tokio::test]
async fn a_key_is_told_once_and_before_the_ack_nothing_is_sent_or_heard() {
    let mut service = Service::start();
    let (mut early, mut other) = (service.open(1, 0), service.open(2, 1));
    service.listen(2, &other);
    early.press(4, 1);
    other.press(9, 1);
    // The first call's packet was there before: what is not read until the ACK is thrown away then.
    assert_eq!(service.key().await, (2, '9'));
    assert!(!early.has_packet(), "a packet was sent before the ACK");

    service.listen(1, &early);
    for _ in 0..3 {
        early.press(5, 2);
    }
    early.press(6, 3);
    assert_eq!(service.key().await, (1, '5'));
    assert_eq!(service.key().await, (1, '6'));
    assert_eq!(service.close(1).await.packets_received, 4);
}

#[tokio::test]
async fn the_end_of_a_call_gives_its_figures_and_strangers_are_counted() {
    let mut service = Service::start();
    let mut caller = service.open(1, 0);
    service.listen(1, &caller);
    caller.press(1, 1);
    assert_eq!(service.key().await, (1, '1'));
    Caller::at("127.0.0.2", service.driver.ports()[0]).press(2, 1);
    caller.sequence += 3;
    caller.press(3, 2);
    assert_eq!(service.key().await, (1, '3'));
    let Quality { packets_sent, packets_received, packets_lost, packets_foreign, .. } = service.close(1).await;
    assert_eq!((packets_received, packets_lost, packets_foreign), (2, 3, 1));
    assert!(packets_sent >= 1);
}

#[tokio::test]
async fn reports_come_and_go_by_the_port_above_and_the_last_is_a_farewell() {
    let mut service = Service::start();
    let mut caller = service.open(1, 0);
    service.listen(1, &caller);
    let control = service.driver.ports()[0] + 1;
    let (report, from) = caller.report();
    assert_eq!((report[0], report[1], &report[4..8], from), (0x80, 200, &[1, 2, 3, 4][..], control));

    // Theirs is about 15 packets: however busy the machine is, so many are sent by then.
    while caller.packet().sequence != START.sequence.wrapping_add(14) {}
    caller.reports(control);
    Caller::at("127.0.0.2", 9).reports(control);
    // They are read at the end of the call at the latest.
    caller.press(1, 1);
    assert_eq!(service.key().await, (1, '1'));
    let quality = service.close(1).await;
    let reported = quality.reported.expect("a report that is believed");
    assert_eq!((reported.packets_expected, reported.packets_lost), (15, 3));
    assert_eq!((reported.jitter, quality.packets_foreign), (Duration::from_millis(10), 1));
    let last =
        std::iter::repeat_with(|| caller.report().0).find(|report| report.ends_with(&[0, 1, 1, 2, 3, 4])).unwrap();
    assert_eq!(last[last.len() - 8..], [0x81, 203, 0, 1, 1, 2, 3, 4]);
}

#[tokio::test]
async fn a_flood_of_one_port_takes_no_key_from_it_or_from_others() {
    let mut service = Service::start();
    let (mut flooded, mut other) = (service.open(1, 0), service.open(2, 1));
    service.listen(1, &flooded);
    service.listen(2, &other);
    let mut stranger = Caller::at("127.0.0.2", service.driver.ports()[0]);
    for n in 0..200 {
        for press in 0..50 {
            stranger.press((press % 10) as u8, n * 50 + press);
        }
        // The same press, as long as it takes: on a busy machine the kernel may have no room for some of its packets.
        flooded.press(1, 1);
        other.press(2, 1);
        std::thread::sleep(Duration::from_millis(2));
    }
    let mut keys = [service.key().await, service.key().await];
    keys.sort_unstable();
    assert_eq!(keys, [(1, '1'), (2, '2')]);
    let quality = service.close(1).await;
    assert!(quality.packets_foreign > quality.packets_received, "{quality:?}");
    assert_eq!(service.close(2).await.packets_foreign, 0);
}

#[tokio::test]
async fn who_is_on_hold_is_heard() {
    let mut service = Service::start();
    let mut caller = service.open(1, 0);
    service.listen(1, &caller);
    let remote = caller.socket.local_addr().unwrap();
    service.tell(1, MediaCommand::Change(MediaPlan { held: true, ..plan(remote, Control::Off) }));
    for key in [1, 2, 3] {
        caller.press(key, key.into());
        assert_eq!(service.key().await, (1, char::from(b'0' + key)));
    }
}

#[tokio::test]
async fn a_port_is_used_again_and_late_packets_do_not_reach_the_next_call() {
    let mut service = Service::start();
    let mut caller = service.open(1, 0);
    service.listen(1, &caller);
    service.close(1).await;
    for press in 1..20 {
        caller.press(7, press);
    }
    service.open_for(2, 0, caller.socket.local_addr().unwrap(), Control::Off);
    while caller.has_packet() {}
    service.listen(2, &caller);
    caller.press(8, 20);
    assert_eq!(service.key().await, (2, '8'));
    assert_eq!(service.close(2).await.packets_received, 1);
}

#[tokio::test]
async fn a_taken_port_is_not_taken_twice() {
    let mut service = Service::start();
    let mut first = service.open(1, 0);
    service.listen(1, &first);
    let _second = service.open(2, 0);
    service.tell(2, MediaCommand::Listen);
    assert_eq!(service.close(2).await, Quality::default());
    first.press(3, 1);
    assert_eq!(service.key().await, (1, '3'));
    assert_eq!(service.close(1).await.packets_received, 1);
}

#[tokio::test]
async fn a_voice_that_nobody_prepared_holds_up_no_other_call_and_has_none() {
    let voices = Voices::new(Library::embedded());
    let (driver, events) = MediaDriver::start(RtpSockets::drawn(LOOPBACK, 2).unwrap(), voices.clone(), Clock).unwrap();
    let mut service = Service { driver, events };
    service.open(1, 0);
    assert_eq!(service.close(1).await, Quality::default());
    assert!(!voices.is_prepared(Language::ENGLISH), "the media thread encoded a voice");

    // With English there, other languages are spoken in it.
    voices.prepare(Language::ENGLISH);
    let mut caller = service.open(2, 0);
    service.listen(2, &caller);
    service.tell(2, MediaCommand::Speak(Language::of("de")));
    caller.press(1, 1);
    assert_eq!(service.key().await, (2, '1'));
    assert_eq!(voices.languages().iter().filter(|language| voices.is_prepared(**language)).count(), 1);
}

#[tokio::test]
async fn whatever_is_commanded_each_farewell_is_answered_and_the_ports_are_free_again() {
    const CALLS: u64 = 6;
    for seed in 0..20 {
        let mut service = Service::start();
        let mut chance = ChaCha20Rng::seed_from_u64(seed);
        let somewhere = Caller::at("127.0.0.1", 9).socket.local_addr().unwrap();
        let mut farewells = 0;
        for _ in 0..200 {
            let call = u64::from(chance.next_u32()) % CALLS;
            match chance.next_u32() % 6 {
                // Also a port that does not exist, one that is taken, and a call that has one.
                0 | 1 => service.open_for(call, (chance.next_u32() % 3) as u16, somewhere, Control::Off),
                2 => service.tell(call, MediaCommand::Listen),
                3 => service.tell(call, MediaCommand::Say { play: 1, utterance: Utterance::default() }),
                4 => service.tell(call, MediaCommand::Hush),
                _ => {
                    farewells += 1;
                    service.tell(call, MediaCommand::Close);
                }
            }
        }
        for call in 0..CALLS {
            farewells += 1;
            service.tell(call, MediaCommand::Close);
        }
        while farewells > 0 {
            farewells -= i32::from(matches!(service.event().await, (_, MediaEvent::Closed(_))));
        }
        for port in 0..2 {
            let call = 100 + u64::from(port);
            let mut caller = service.open(call, port);
            service.listen(call, &caller);
            caller.press(1, 1);
            assert_eq!(service.key().await, (call, '1'), "seed {seed}");
        }
    }
}

#[tokio::test]
async fn keys_that_nobody_reads_are_dropped_and_the_end_of_the_call_is_not() {
    let mut service = Service::start();
    let mut caller = service.open(1, 0);
    service.tell(1, MediaCommand::Listen);
    let gives_up_at = Clock.now() + PATIENCE;
    let mut presses = 0;
    while service.driver.figures().unheard_keys < 10 {
        presses += 1;
        caller.press((presses % 10) as u8, presses);
        assert!(Clock.now() < gives_up_at, "no key was dropped");
    }
    service.tell(1, MediaCommand::Close);
    let mut keys = 0;
    while let (1, MediaEvent::Key(..)) = service.event().await {
        keys += 1;
    }
    // While we read there is room for what still lay in the socket; then the farewell, which ended the loop.
    assert!(keys >= EVENTS, "{keys} keys");
    assert_eq!(service.close(1).await, Quality::default(), "the call was over before");
}

#[tokio::test]
async fn dropping_the_driver_ends_the_thread_and_frees_the_ports() {
    let Service { driver, mut events } = Service::start();
    drop(driver);
    assert!(events.recv().await.is_none());

    // Another test may be quick and take a port that has just become free: then another is tried.
    let is_free_again = || {
        let Service { driver, events: _ } = Service::start();
        let port = driver.ports()[0];
        drop(driver);
        UdpSocket::bind((LOOPBACK, port)).is_ok()
    };
    assert!((0..50).any(|_| is_free_again()));
}
