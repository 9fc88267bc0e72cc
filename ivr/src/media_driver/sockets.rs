//! The RTP sockets: bound at start, so that an answered call never finds its port taken.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;

use socket2::SockRef;

/// A second of packets, as the kernel counts them. What a flood fills beyond is dropped by the kernel, and costs no
/// more memory than this for each socket.
const RECEIVE_BUFFER_BYTES: usize = 64 * 1_024;

/// Of the ports that the operating system draws, about half are odd.
const DRAWS_A_PORT: usize = 64;

/// One socket for each call at a time, and one for each call whose port rests.
#[derive(Debug)]
pub struct RtpSockets {
    sockets: Vec<UdpSocket>,
    ports: Vec<u16>,
}

/// Why the RTP sockets cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// One of the ports is taken, or the address is not ours, or there are more sockets than the process may open.
    #[error(
        "the RTP port {address} cannot be bound: {cause}; choose other ports, or let the process open more files (ulimit -n)"
    )]
    Bind {
        /// The address and port.
        address: SocketAddr,
        /// Why.
        cause: io::Error,
    },
    /// There is no even port in the range, or the system drew none.
    #[error("no even port is free at {0}: RTP takes even ports and leaves the odd ones to RTCP (RFC 3550 11)")]
    NoEvenPort(IpAddr),
}

impl RtpSockets {
    /// Binds every even port of the range; the odd ones are left to RTCP (RFC 3550 11).
    ///
    /// # Errors
    /// If one cannot be bound, or there is none.
    pub fn in_range(address: IpAddr, ports: RangeInclusive<u16>) -> Result<Self, BindError> {
        let even = ports.filter(|port| port % 2 == 0);
        Self::of(address, even.map(|port| bind(address, port)).collect::<Result<_, _>>()?)
    }

    /// Binds so many even ports as the operating system draws them, for the demo and for tests.
    ///
    /// # Errors
    /// If the system has not so many.
    pub fn drawn(address: IpAddr, count: u16) -> Result<Self, BindError> {
        Self::of(address, (0..count).map(|_| draw(address)).collect::<Result<_, _>>()?)
    }

    /// The ports, in the order of [`PortIndex`](ivr_core::media::PortIndex).
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    pub(super) fn into_sockets(self) -> impl Iterator<Item = UdpSocket> {
        self.sockets.into_iter()
    }

    fn of(address: IpAddr, bound: Vec<(UdpSocket, u16)>) -> Result<Self, BindError> {
        if bound.is_empty() {
            return Err(BindError::NoEvenPort(address));
        }
        let (sockets, ports) = bound.into_iter().unzip();
        Ok(Self { sockets, ports })
    }
}

fn draw(address: IpAddr) -> Result<(UdpSocket, u16), BindError> {
    // Odd ones are held until the end, else the system might draw them again.
    let mut odd = Vec::new();
    for _ in 0..DRAWS_A_PORT {
        let (socket, port) = bind(address, 0)?;
        if port % 2 == 0 {
            return Ok((socket, port));
        }
        odd.push(socket);
    }
    Err(BindError::NoEvenPort(address))
}

/// The socket and its port; port 0 lets the system draw one.
fn bind(address: IpAddr, port: u16) -> Result<(UdpSocket, u16), BindError> {
    let address = SocketAddr::new(address, port);
    let bound = || -> io::Result<(UdpSocket, u16)> {
        let socket = UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
        let port = socket.local_addr()?.port();
        Ok((socket, port))
    };
    bound().map_err(|cause| BindError::Bind { address, cause })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn drawn_ports_are_even_and_each_is_bound() {
        let sockets = RtpSockets::drawn(LOOPBACK, 20).unwrap();
        assert_eq!(sockets.ports().len(), 20);
        for (socket, port) in sockets.sockets.iter().zip(sockets.ports()) {
            assert_eq!((port % 2, socket.local_addr().unwrap().port()), (0, *port));
        }
    }

    #[test]
    fn of_a_range_the_even_ports_are_bound_and_a_taken_one_is_named() {
        // What was just bound is free again, unless somebody else is quick: then another is tried.
        let free = || {
            let even = RtpSockets::drawn(LOOPBACK, 1).unwrap().ports()[0];
            RtpSockets::in_range(LOOPBACK, even - 1..=even + 1).map(|sockets| (even, sockets)).ok()
        };
        let (even, sockets) = (0..50).find_map(|_| free()).unwrap();
        assert_eq!(sockets.ports(), [even]);
        let error = RtpSockets::in_range(LOOPBACK, even..=even).unwrap_err().to_string();
        assert!(error.contains(&format!("127.0.0.1:{even}")), "{error}");
    }

    #[test]
    fn a_range_without_an_even_port_is_refused() {
        assert!(matches!(RtpSockets::in_range(LOOPBACK, 20_001..=20_001), Err(BindError::NoEvenPort(_))));
        assert!(matches!(RtpSockets::drawn(LOOPBACK, 0), Err(BindError::NoEvenPort(_))));
    }
}
