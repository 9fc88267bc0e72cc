//! The floor: what the kernel alone takes for a packet each way on this machine, now. A program that did nothing but send
//! and receive could not be cheaper, so the service is shown as a ratio to it.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::{Context, ensure};
use nix::time::{ClockId, clock_gettime};

/// An RTP packet with 20 ms of G.711.
const PACKET_BYTES: usize = 172;

/// Sockets are served in so many groups, one after the other, as a service with packets of 20 ms serves a part of its
/// calls in each millisecond: what a packet needs is then no warmer in the caches than it is there.
const GROUPS: usize = 20;

/// Processor time of one thread, user and system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floor {
    /// One packet by sendto(2), which over the loopback includes bringing it to the other socket.
    pub(crate) send: Duration,
    /// One packet by recvfrom(2).
    pub(crate) receive: Duration,
}

impl Floor {
    /// A packet each way.
    pub(crate) fn both(&self) -> Duration {
        self.send + self.receive
    }
}

/// Sends and receives a packet by each of so many unconnected sockets, so many times.
///
/// # Errors
/// If there are not so many sockets, or a packet is lost.
pub(crate) fn measure(sockets: usize, rounds: usize) -> anyhow::Result<Floor> {
    let sockets: Vec<(UdpSocket, SocketAddr)> = (0..sockets).map(|_| bound()).collect::<Result<_, _>>()?;
    let group = sockets.len().div_ceil(GROUPS).max(1);
    let (mut send, mut receive) = (Duration::ZERO, Duration::ZERO);
    let mut packet = [0; PACKET_BYTES];
    for group in (0..rounds).flat_map(|_| sockets.chunks(group)) {
        let others = group.iter().cycle().skip(1);
        let began = processor_time()?;
        for ((socket, _), (_, to)) in group.iter().zip(others) {
            socket.send_to(&packet, to)?;
        }
        let sent = processor_time()?;
        for (socket, _) in group {
            // Anybody may send something here, and on a busy machine somebody does.
            while socket.recv_from(&mut packet).context("a packet of the floor was lost")?.0 != PACKET_BYTES {}
        }
        send += sent - began;
        receive += processor_time()? - sent;
    }
    let packets = u32::try_from(sockets.len() * rounds).context("so many packets")?;
    ensure!(packets > 0, "no packets");
    Ok(Floor { send: send / packets, receive: receive / packets })
}

fn bound() -> anyhow::Result<(UdpSocket, SocketAddr)> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("a socket of the floor (ulimit -n)")?;
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// Of this thread. The kernel knows it to the nanosecond here, where getrusage(2) counts ticks.
fn processor_time() -> anyhow::Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}
