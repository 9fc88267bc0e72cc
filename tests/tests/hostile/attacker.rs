//! One who sends what nobody asked for, from one address or several, and counts what comes back.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use ivr::clock::Clock;
use nix::sys::socket::{setsockopt, sockopt};

/// What is sent before what came back is looked at.
const SENT_A_LOOK: u64 = 32;
const MILLISECOND: Duration = Duration::from_millis(1);

/// Somebody with sockets.
#[derive(Debug)]
pub(crate) struct Attacker {
    /// They take turns.
    sockets: Vec<UdpSocket>,
    pub(crate) sent: Traffic,
    pub(crate) back: Traffic,
    /// The first line of the last answer.
    pub(crate) last_words: String,
}

/// Datagrams and their octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Traffic {
    pub(crate) datagrams: u64,
    pub(crate) octets: u64,
}

impl Attacker {
    /// With a socket at each of these addresses.
    pub(crate) fn at(addresses: &[IpAddr]) -> Self {
        let bound = |address: &IpAddr| {
            let socket = UdpSocket::bind((*address, 0)).expect("an address of loopback");
            socket.set_nonblocking(true).expect("a socket");
            // What comes back is counted, so it must not be dropped.
            setsockopt(&socket, sockopt::RcvBuf, &(4 << 20)).expect("a socket");
            socket
        };
        let sockets = addresses.iter().map(bound).collect();
        Self { sockets, sent: Traffic::default(), back: Traffic::default(), last_words: String::new() }
    }

    /// Where its first socket is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.sockets[0].local_addr().expect("a bound socket")
    }

    /// Sends the same number of datagrams at the beginning of each second, as fast as the socket takes them; `make` gives
    /// the nth and where it goes. On a slow machine the last waves are smaller: the attack does not take longer.
    pub(crate) fn in_waves(
        &mut self,
        length: Duration,
        a_second: u64,
        mut make: impl FnMut(u64) -> (Vec<u8>, SocketAddr),
    ) {
        let (began, mut nth) = (Clock.now(), 0_u64);
        for second in 0..length.as_secs() {
            self.rest_until(began + Duration::from_secs(second));
            for _ in 0..a_second {
                if nth.is_multiple_of(SENT_A_LOOK) && Clock.now() >= began + length {
                    return;
                }
                let (bytes, to) = make(nth);
                self.send(nth, &bytes, to);
                nth += 1;
            }
        }
        self.rest_until(began + length);
    }

    /// The same, but a thousandth of them at the beginning of each millisecond; `goes_on` ends it.
    pub(crate) fn steadily(
        &mut self,
        a_second: u64,
        mut goes_on: impl FnMut() -> bool,
        mut make: impl FnMut(u64) -> (Vec<u8>, SocketAddr),
    ) {
        let began = Clock.now();
        let (mut turn, mut nth) = (0, 0);
        while goes_on() {
            for _ in 0..a_second / 1_000 {
                let (bytes, to) = make(nth);
                self.send(nth, &bytes, to);
                nth += 1;
            }
            turn += 1;
            self.rest_until(began + MILLISECOND * turn);
        }
    }

    /// Counts what came back since.
    pub(crate) fn listen(&mut self) {
        let mut buffer = [0; 65_535];
        for socket in &self.sockets {
            loop {
                match socket.recv(&mut buffer) {
                    Ok(length) => {
                        self.back.add(length);
                        let text = String::from_utf8_lossy(&buffer[..length.min(200)]);
                        self.last_words = text.lines().next().unwrap_or_default().to_owned();
                    }
                    // ICMP tells of a port that is closed.
                    Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
                    Err(_) => break,
                }
            }
        }
    }

    /// What the kernel does not take is not counted.
    fn send(&mut self, nth: u64, bytes: &[u8], to: SocketAddr) {
        let socket = &self.sockets[nth as usize % self.sockets.len()];
        if socket.send_to(bytes, to).is_ok() {
            self.sent.add(bytes.len());
        }
        if nth.is_multiple_of(SENT_A_LOOK) {
            self.listen();
        }
    }

    fn rest_until(&mut self, until: Instant) {
        self.listen();
        while Clock.now() < until {
            std::thread::sleep(until.saturating_duration_since(Clock.now()).min(5 * MILLISECOND));
            self.listen();
        }
    }
}

impl Traffic {
    fn add(&mut self, octets: usize) {
        self.datagrams += 1;
        self.octets += octets as u64;
    }
}

impl std::fmt::Display for Traffic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} datagrams, {:.2} MB", self.datagrams, self.octets as f64 / 1e6)
    }
}
