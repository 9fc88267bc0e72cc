//! What the service listens on. Sockets are bound before anything is opened, so that a service which cannot be reached
//! does not begin, a trunk hears at once that it is about to, and the demo knows its addresses before it writes them down.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, UdpSocket};

use crate::config::Config;

/// How many ports after the usual one are tried.
const TRIED_PORTS: u16 = 100;
/// How many ports the system draws until one is free for datagrams and connections.
const DRAWS: u32 = 20;

/// Where a service is found. The sockets of the audio, which are many, are bound apart.
#[derive(Debug)]
pub struct Sockets {
    /// Pages and API.
    pub http: TcpListener,
    /// Calls.
    pub sip: SipSockets,
}

/// Where SIP arrives.
#[derive(Debug)]
pub struct SipSockets {
    /// Datagrams.
    pub udp: UdpSocket,
    /// Connections, at the same address and port (RFC 3261 18.2.1).
    pub tcp: TcpListener,
    /// Connections over TLS, if there are any.
    pub tls: Option<TcpListener>,
}

/// Why a service cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// An address is taken, or not ours.
    #[error("{what} cannot listen at {address}: {cause}; {remedy}", remedy = remedy(cause))]
    Bind {
        /// Pages or calls.
        what: &'static str,
        /// Where.
        address: SocketAddr,
        /// What the system said.
        cause: io::Error,
    },
    /// The usual port and those after it.
    #[error("{what} found no free port from {first} on: name another with {option}")]
    AllTaken {
        /// Pages or calls.
        what: &'static str,
        /// The first port that was tried.
        first: u16,
        /// The option that names one.
        option: &'static str,
    },
}

/// An address that was asked for, or the usual one with those after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// This one or none.
    Exactly(SocketAddr),
    /// On loopback, this port or the next free one.
    From(u16),
}

impl Sockets {
    /// Binds what the configuration names.
    ///
    /// # Errors
    /// The first that cannot be bound, and what to do.
    pub async fn bind(config: &Config) -> Result<Self, SocketError> {
        Ok(Self {
            http: pages(Wish::Exactly(config.http().listen())).await?,
            sip: SipSockets {
                tls: match config.sip().secure() {
                    Some(secure) => Some(exactly("the telephone over TLS", secure.listen()).await?),
                    None => None,
                },
                ..calls(Wish::Exactly(config.sip().listen())).await?
            },
        })
    }
}

/// Lets the process open as many files as it may at all: each RTP port and each connection is one, and many systems
/// begin with 1024.
pub fn allow_many() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%error, "the limit of open files stays at {:?}: {error}", limit.current);
    }
}

/// The listener of the pages.
///
/// # Errors
/// If there is none to be had.
pub async fn pages(wish: Wish) -> Result<TcpListener, SocketError> {
    wished("pages and API", "--http", wish, TcpListener::bind).await
}

/// The sockets of the calls, without TLS.
///
/// # Errors
/// If there are none to be had.
pub async fn calls(wish: Wish) -> Result<SipSockets, SocketError> {
    wished("the telephone", "--sip", wish, one_port).await
}

/// The same port for both. Port 0 lets the system draw one for datagrams; it may not be free for connections.
async fn one_port(address: SocketAddr) -> io::Result<SipSockets> {
    let mut draws = if address.port() == 0 { DRAWS } else { 1 };
    loop {
        draws -= 1;
        let udp = UdpSocket::bind(address).await?;
        match TcpListener::bind(udp.local_addr()?).await {
            Ok(tcp) => return Ok(SipSockets { udp, tcp, tls: None }),
            Err(error) if draws == 0 || error.kind() != io::ErrorKind::AddrInUse => return Err(error),
            Err(_) => {}
        }
    }
}

async fn exactly(what: &'static str, address: SocketAddr) -> Result<TcpListener, SocketError> {
    TcpListener::bind(address).await.map_err(|cause| SocketError::Bind { what, address, cause })
}

async fn wished<S, F>(
    what: &'static str,
    option: &'static str,
    wish: Wish,
    bind: impl Fn(SocketAddr) -> F,
) -> Result<S, SocketError>
where
    F: Future<Output = io::Result<S>>,
{
    let first = match wish {
        Wish::Exactly(address) => {
            return bind(address).await.map_err(|cause| SocketError::Bind { what, address, cause });
        }
        Wish::From(first) => first,
    };
    for port in first..=first.saturating_add(TRIED_PORTS) {
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        match bind(address).await {
            Ok(socket) => return Ok(socket),
            Err(cause) if cause.kind() == io::ErrorKind::AddrInUse => {}
            Err(cause) => return Err(SocketError::Bind { what, address, cause }),
        }
    }
    Err(SocketError::AllTaken { what, first, option })
}

fn remedy(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::AddrInUse => "another program has it: end that one, or choose another port",
        io::ErrorKind::PermissionDenied => "ports below 1024 need a right: choose a higher one, or grant it",
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address",
        _ => "choose another address",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_busy_usual_port_moves_on() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let moved = pages(Wish::From(port)).await.unwrap().local_addr().unwrap();
        assert!(moved.port() > port && moved.ip().is_loopback(), "{moved}");
    }

    #[tokio::test]
    async fn a_port_that_was_asked_for_does_not_move() {
        let taken = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        let error = calls(Wish::Exactly(address)).await.unwrap_err().to_string();
        assert!(error.contains(&address.to_string()) && error.contains("choose another port"), "{error}");
    }
}
