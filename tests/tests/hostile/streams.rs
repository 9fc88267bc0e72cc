//! Connections that take up a place and say nothing, or never come to an end; and an honest caller over TCP.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use end_to_end::load::DIALLED;
use ivr::clock::Clock;
use ivr::phone::load::caller::{Caller, answered, status};
use ivr_core::number::Number;
use tokio::net::TcpSocket;
use tokio::task::JoinSet;

/// Who is told nothing for so long is not served.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a bad connection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Sends nothing.
    Silent,
    /// Asks whether we are there, every second.
    Pinging,
    /// Sends the header of a message, an octet a second.
    SlowHeader,
    /// Begins a TLS handshake and leaves it there.
    HalfHandshake,
    /// Says that a long body comes, and sends it an octet a second.
    Endless,
}

/// Some of them: from where, to where, doing what, how many at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bad {
    pub(crate) from: IpAddr,
    pub(crate) to: SocketAddr,
    pub(crate) habit: Habit,
    pub(crate) count: usize,
}

/// What became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Fate {
    /// The kernel connected them.
    pub(crate) begun: u64,
    /// The service ended them.
    pub(crate) ended: u64,
}

impl Bad {
    /// Keeps so many connections at a time until then, each as long as the service lets it, and begins another afterwards.
    pub(crate) fn attack(self, until: Instant) -> Fate {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut all: JoinSet<Fate> = (0..self.count).map(|_| self.one_after_the_other(until)).collect();
            let mut sum = Fate::default();
            while let Some(fate) = all.join_next().await {
                let Fate { begun, ended } = fate.expect("no attacker panics");
                sum = Fate { begun: sum.begun + begun, ended: sum.ended + ended };
            }
            sum
        })
    }

    async fn one_after_the_other(self, until: Instant) -> Fate {
        let mut fate = Fate::default();
        let work = async {
            loop {
                if let Ok(stream) = self.connect().await {
                    fate.begun += 1;
                    self.misbehave(stream).await;
                    fate.ended += 1;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        // The end of the attack ends all.
        let _ended: Result<(), _> = tokio::time::timeout_at(until.into(), work).await;
        fate
    }

    async fn connect(self) -> std::io::Result<tokio::net::TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((self.from, 0).into())?;
        socket.connect(self.to).await
    }

    /// Until the service has had enough.
    async fn misbehave(self, stream: tokio::net::TcpStream) {
        let head = "INVITE sip:+12025550100@h SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKslow\r\nSubject: ";
        let whole = format!("{head}x\r\nContent-Length: 60000\r\n\r\n");
        // The first octets of a ClientHello: a record of 512 octets, of which no more comes.
        let hello = [22, 3, 1, 2, 0, 1, 0, 1, 252];
        let (first, trickles): (&[u8], bool) = match self.habit {
            Habit::Silent => (b"", false),
            Habit::Pinging => (b"\r\n\r\n", true),
            Habit::SlowHeader => (head.as_bytes(), true),
            Habit::HalfHandshake => (&hello, false),
            Habit::Endless => (whole.as_bytes(), true),
        };
        let mut sends = first;
        let mut second = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                readable = stream.readable() => {
                    // A refusal may come before the end.
                    let read = stream.try_read(&mut [0; 4_096]);
                    match read {
                        Ok(1..) => {}
                        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                        Ok(0) | Err(_) => return,
                    }
                    if readable.is_err() {
                        return;
                    }
                }
                _ = second.tick() => {
                    match stream.try_write(sends) {
                        Err(error) if error.kind() != ErrorKind::WouldBlock => return,
                        _ if self.habit == Habit::Pinging => {}
                        _ => sends = if trickles { b"x" } else { b"" },
                    }
                }
            }
        }
    }
}

/// Calls over TCP, hears the voice, hangs up. Gives the time from the connection to the 200; the status that refused it; or
/// nothing, if there was none.
pub(crate) fn call_over_tcp(service: SocketAddr, number: Number) -> Result<Duration, Option<u16>> {
    let began = Clock.now();
    let unanswered = |_: std::io::Error| None;
    let mut stream = TcpStream::connect_timeout(&service, PATIENCE).map_err(unanswered)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(unanswered)?;
    let rtp = UdpSocket::bind((service.ip(), 0)).map_err(unanswered)?;
    rtp.set_read_timeout(Some(PATIENCE)).map_err(unanswered)?;
    let sip = stream.local_addr().map_err(unanswered)?;
    let run = Clock.wall().unix_timestamp_nanos();
    let address = rtp.local_addr().map_err(unanswered)?;
    let caller = Caller { index: 0, number, sip, rtp: address, service, dialled: DIALLED.to_owned(), run };
    let over_tcp = |text: String| text.replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    stream.write_all(over_tcp(caller.invite()).as_bytes()).map_err(unanswered)?;
    let answer = loop {
        let message = next_message(&mut stream).map_err(unanswered)?;
        match status(&message) {
            Some((200, "INVITE")) => break answered(&message).ok_or(None)?,
            Some((code @ 300.., "INVITE")) => return Err(Some(code)),
            _ => {}
        }
    };
    let setup = Clock.now() - began;
    stream.write_all(over_tcp(caller.ack(&answer)).as_bytes()).map_err(unanswered)?;
    rtp.recv(&mut [0; 2_048]).map_err(unanswered)?;
    stream.write_all(over_tcp(caller.bye(&answer)).as_bytes()).map_err(unanswered)?;
    while !matches!(status(&next_message(&mut stream).map_err(unanswered)?), Some((200, "BYE"))) {}
    Ok(setup)
}

/// The next message, head and body.
fn next_message(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut message = Vec::new();
    while !message.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        stream.read_exact(&mut octet)?;
        message.extend(octet);
    }
    let head = String::from_utf8_lossy(&message).into_owned();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(head + &String::from_utf8_lossy(&body))
}
