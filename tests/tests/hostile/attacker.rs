//! One who sends what nobody asked for, and counts what comes back.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use ivr::clock::Clock;
use nix::sys::socket::{setsockopt, sockopt};

/// What is sent before what came back is looked at.
const SENT_A_LOOK: u64 = 32;

/// A socket that sends as fast as it can.
#[derive(Debug)]
pub(crate) struct Attacker {
    socket: UdpSocket,
    pub(crate) sent: Traffic,
    pub(crate) back: Traffic,
    /// The last answer's first line.
    pub(crate) last_words: String,
}

/// Datagrams and their octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Traffic {
    pub(crate) datagrams: u64,
    pub(crate) octets: u64,
}

impl Attacker {
    /// At this address.
    pub(crate) fn at(address: IpAddr) -> Self {
        let socket = UdpSocket::bind((address, 0)).expect("an address of loopback");
        socket.set_nonblocking(true).expect("a socket");
        // What comes back is counted, so it must not be dropped.
        setsockopt(&socket, sockopt::RcvBuf, &(4 << 20)).expect("a socket");
        Self { socket, sent: Traffic::default(), back: Traffic::default(), last_words: String::new() }
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.socket.local_addr().expect("a bound socket")
    }

    /// Sends one datagram. What the kernel does not take is not counted.
    pub(crate) fn send(&mut self, bytes: &[u8], to: SocketAddr) {
        if self.socket.send_to(bytes, to).is_ok() {
            self.sent.add(bytes.len());
        }
        if self.sent.datagrams.is_multiple_of(SENT_A_LOOK) {
            self.listen();
        }
    }

    /// Sends the same number of datagrams at the beginning of each second, one after the other, for so many seconds;
    /// `make` gives the nth.
    pub(crate) fn in_waves(
        &mut self,
        seconds: u32,
        a_second: u64,
        to: SocketAddr,
        mut make: impl FnMut(u64) -> Vec<u8>,
    ) {
        let began = Clock.now();
        for second in 0..seconds {
            self.rest_until(began + Duration::from_secs(second.into()));
            for _ in 0..a_second {
                let bytes = make(self.sent.datagrams);
                self.send(&bytes, to);
            }
        }
        self.rest_until(began + Duration::from_secs(seconds.into()));
    }

    /// Only counts what comes back, until then.
    pub(crate) fn rest_until(&mut self, until: std::time::Instant) {
        while Clock.now() < until {
            self.listen();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn listen(&mut self) {
        let mut buffer = [0; 65_535];
        loop {
            match self.socket.recv(&mut buffer) {
                Ok(length) => {
                    self.back.add(length);
                    let text = String::from_utf8_lossy(&buffer[..length.min(200)]);
                    self.last_words = text.lines().next().unwrap_or_default().to_owned();
                }
                // ICMP may tell of a port that is closed.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
                Err(_) => return,
            }
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
