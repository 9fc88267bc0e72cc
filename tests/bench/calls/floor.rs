//! The floor: what the kernel takes for a packet each way, from a program that does nothing else. The same packets, one plain
//! sendto and one plain recvfrom each, over as many sockets; the other end is on the load's core.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Barrier;
use std::time::Duration;

use anyhow::{Context, anyhow};
use end_to_end::load::cores;
use nix::time::{ClockId, clock_gettime};

/// RTP's header and 20 ms of G.711.
const PACKET_BYTES: usize = 12 + 160;

/// Of one core, for one packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floor {
    pub(crate) send: Duration,
    pub(crate) receive: Duration,
}

impl Floor {
    /// Both, in microseconds.
    pub(crate) fn pair_us(&self) -> f64 {
        (self.send + self.receive).as_secs_f64() * 1e6
    }
}

/// So many rounds over so many sockets on one core, against another.
pub(crate) fn on(core: usize, other: usize, (sockets, rounds): (usize, u32)) -> anyhow::Result<Floor> {
    let (near, far) = (bind(sockets)?, bind(sockets)?);
    let addresses = |sockets: &[UdpSocket]| sockets.iter().map(UdpSocket::local_addr).collect::<Result<Vec<_>, _>>();
    let (near_at, far_at): (Vec<SocketAddr>, Vec<SocketAddr>) = (addresses(&near)?, addresses(&far)?);
    let turn = Barrier::new(2);
    std::thread::scope(|scope| {
        let measured = scope.spawn(|| -> anyhow::Result<Floor> {
            cores::pin(core)?;
            let (mut send, mut receive) = (Duration::ZERO, Duration::ZERO);
            for _ in 0..rounds {
                let began = ran()?;
                to_all(&near, &far_at)?;
                send += ran()? - began;
                turn.wait();
                turn.wait();
                let began = ran()?;
                from_all(&near)?;
                receive += ran()? - began;
            }
            let packets = rounds * u32::try_from(sockets)?;
            Ok(Floor { send: send / packets, receive: receive / packets })
        });
        let answered = scope.spawn(|| -> anyhow::Result<()> {
            cores::pin(other)?;
            for _ in 0..rounds {
                turn.wait();
                from_all(&far)?;
                to_all(&far, &near_at)?;
                turn.wait();
            }
            Ok(())
        });
        answered.join().map_err(|_| anyhow!("the other end panicked"))??;
        measured.join().map_err(|_| anyhow!("the floor panicked"))?
    })
}

fn bind(count: usize) -> anyhow::Result<Vec<UdpSocket>> {
    (0..count)
        .map(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("a socket: ulimit -n may be too low"))
        .collect()
}

fn to_all(from: &[UdpSocket], to: &[SocketAddr]) -> anyhow::Result<()> {
    for (socket, to) in from.iter().zip(to) {
        socket.send_to(&[0; PACKET_BYTES], to)?;
    }
    Ok(())
}

fn from_all(sockets: &[UdpSocket]) -> anyhow::Result<()> {
    for socket in sockets {
        socket.recv_from(&mut [0; 2_048])?;
    }
    Ok(())
}

/// What this thread has run.
fn ran() -> anyhow::Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}
