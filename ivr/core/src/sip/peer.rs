//! The other end of a way: which address, over which transport, on which connection, and whose certificate it showed.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::caller::TrunkIndex;

/// How SIP travels (RFC 3261 18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams: a message may be lost, and is repeated.
    Udp,
    /// A stream.
    Tcp,
    /// A stream that nobody else reads.
    Tls,
}

impl Transport {
    /// As Via names it (RFC 3261 20.42).
    pub fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }

    /// As the `transport` parameter of a URI names it (RFC 3261 19.1.1), in any case of letters.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Udp, Self::Tcp, Self::Tls].into_iter().find(|transport| transport.name().eq_ignore_ascii_case(name))
    }

    /// Whatever is sent arrives, or the connection breaks: nothing is repeated hop by hop (RFC 3261 17).
    pub fn is_reliable(self) -> bool {
        self != Self::Udp
    }

    /// The port that a URI without one means (RFC 3261 19.1.2).
    pub(crate) fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
        }
    }
}

/// A connection. A number is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flow(pub u64);

/// Whoever is at the other end of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Where it is. An IPv4 address is written as one, whatever the socket calls it.
    pub address: SocketAddr,
    /// How it is reached.
    pub transport: Transport,
    /// The connection that it came over. What we send takes it as long as it stands, and then a new one to `address`.
    pub flow: Option<Flow>,
    /// The trunk whose certificate it has shown, or must show when we connect to it.
    pub certified: Option<TrunkIndex>,
}

impl Peer {
    /// Over datagrams.
    pub fn udp(address: SocketAddr) -> Self {
        Self { address, transport: Transport::Udp, flow: None, certified: None }
    }

    /// Its address without the port.
    pub fn ip(&self) -> IpAddr {
        self.address.ip()
    }
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        Self::udp(address)
    }
}

/// `192.0.2.1:5060`, `192.0.2.1:40000 (TCP)`
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.transport {
            Transport::Udp => self.address.fmt(f),
            stream => write!(f, "{} ({})", self.address, stream.name()),
        }
    }
}
