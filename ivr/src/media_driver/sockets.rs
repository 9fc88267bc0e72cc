//! The RTP sockets and, at the odd port above each, that of its reports (RFC 3550 11): bound at start, so that an answered
//! call never finds its ports taken.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;

use ivr_core::media::Lane;
use socket2::SockRef;

use super::stamped;

/// A second of packets, as the kernel counts them. What a flood fills beyond is dropped by the kernel, and costs no
/// more memory than this for each socket.
const RECEIVE_BUFFER_BYTES: usize = 64 * 1_024;

/// Of the ports that the operating system draws, about half are odd, and above some of the others somebody sits.
const DRAWS_A_PORT: usize = 64;

/// One pair for each call at a time, and one for each call whose ports rest.
#[derive(Debug)]
pub struct RtpSockets {
    pairs: Vec<Pair<UdpSocket>>,
    ports: Vec<u16>,
}

/// What belongs to a call's two ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Pair<T> {
    rtp: T,
    rtcp: T,
}

/// Why the RTP sockets cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// One of the ports is taken, or the address is not ours, or there are more sockets than the process may open.
    #[error("the media port {address} cannot be bound: {cause}; {remedy}", remedy = remedy(*address, cause))]
    Bind {
        /// The address and port.
        address: SocketAddr,
        /// Why.
        cause: io::Error,
    },
    /// There is no even port with its odd neighbour in the range, or the system drew none.
    #[error(
        "no even port and the one above it are free at {0}: RTP takes the even ones, RTCP the odd ones (RFC 3550 11)"
    )]
    NoEvenPort(IpAddr),
}

fn remedy(address: SocketAddr, cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::AddrInUse => {
            format!(
                "another program holds port {}: end that one, or choose another range in sip.rtp_ports",
                address.port()
            )
        }
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address".to_owned(),
        _ => "choose other ports, or let the process open more files (ulimit -n)".to_owned(),
    }
}

impl RtpSockets {
    /// Binds every even port of the range for RTP, and the one above it for RTCP (RFC 3550 11).
    ///
    /// # Errors
    /// If one cannot be bound, or there is none.
    pub fn in_range(address: IpAddr, ports: RangeInclusive<u16>) -> Result<Self, BindError> {
        let even = ports.clone().filter(|port| port % 2 == 0);
        let with_odd =
            even.filter_map(|port| port.checked_add(1).filter(|odd| ports.contains(odd)).map(|odd| (port, odd)));
        let bound = |(port, odd)| Ok((Pair { rtp: bind(address, port)?.0, rtcp: bind(address, odd)?.0 }, port));
        Self::of(address, with_odd.map(bound).collect::<Result<_, _>>()?)
    }

    /// Binds so many even ports, each with the one above it, as the operating system draws them, for the demo and for tests.
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

    /// Were they bound to IPv6 (which may take IPv4, too)?
    pub(super) fn are_ipv6(&self) -> bool {
        self.pairs.first().is_some_and(|pair| pair.rtp.local_addr().is_ok_and(|address| address.is_ipv6()))
    }

    pub(super) fn into_pairs(self) -> impl Iterator<Item = Pair<UdpSocket>> {
        self.pairs.into_iter()
    }

    fn of(address: IpAddr, bound: Vec<(Pair<UdpSocket>, u16)>) -> Result<Self, BindError> {
        if bound.is_empty() {
            return Err(BindError::NoEvenPort(address));
        }
        let (pairs, ports) = bound.into_iter().unzip();
        Ok(Self { pairs, ports })
    }
}

impl<T> Pair<T> {
    pub(super) fn of(&self, lane: Lane) -> &T {
        match lane {
            Lane::Rtp => &self.rtp,
            Lane::Rtcp => &self.rtcp,
        }
    }

    pub(super) fn of_mut(&mut self, lane: Lane) -> &mut T {
        match lane {
            Lane::Rtp => &mut self.rtp,
            Lane::Rtcp => &mut self.rtcp,
        }
    }
}

fn draw(address: IpAddr) -> Result<(Pair<UdpSocket>, u16), BindError> {
    // What does not fit is held until the end, else the system might draw it again.
    let mut unfit = Vec::new();
    for _ in 0..DRAWS_A_PORT {
        let (rtp, port) = bind(address, 0)?;
        if port % 2 == 0
            && let Ok((rtcp, _)) = bind(address, port + 1)
        {
            return Ok((Pair { rtp, rtcp }, port));
        }
        unfit.push(rtp);
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
        stamped::stamp(&socket)?;
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
    fn drawn_ports_are_even_and_each_is_bound_with_the_one_above() {
        let sockets = RtpSockets::drawn(LOOPBACK, 20).unwrap();
        assert_eq!(sockets.ports().len(), 20);
        for (Pair { rtp, rtcp }, port) in sockets.pairs.iter().zip(sockets.ports()) {
            assert_eq!((port % 2, rtp.local_addr().unwrap().port()), (0, *port));
            assert_eq!(rtcp.local_addr().unwrap().port(), port + 1);
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
        let error = RtpSockets::in_range(LOOPBACK, even..=even + 1).unwrap_err().to_string();
        assert!(error.contains(&format!("127.0.0.1:{even}")), "{error}");
        assert!(error.contains(&format!("another program holds port {even}")) && !error.contains("ulimit"), "{error}");
        // Its neighbour is not in the range: nothing is bound that the range does not name.
        assert!(matches!(RtpSockets::in_range(LOOPBACK, even..=even), Err(BindError::NoEvenPort(_))));
    }

    #[test]
    fn a_range_without_an_even_port_is_refused() {
        assert!(matches!(RtpSockets::in_range(LOOPBACK, 20_001..=20_001), Err(BindError::NoEvenPort(_))));
        assert!(matches!(RtpSockets::drawn(LOOPBACK, 0), Err(BindError::NoEvenPort(_))));
    }
}
