//! Who answers SIP while the service starts. Keys, database and clips take a few hundred milliseconds to open, somebody
//! may have to type a passphrase, and a trunk that hears nothing meanwhile takes the number for dead. Over UDP it hears
//! 503 with Retry-After; connections wait until the service is ready.

use std::io;
use std::net::SocketAddr;

use ivr_core::endpoint::{Endpoint, EndpointConfig, Input, Limits, Outbox, Output};
use ivr_core::sip::peer::Peer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::sockets::SipSockets;
use crate::address::{canonical, of_family};
use crate::clock::Clock;
use crate::config::Config;
use crate::sip_driver::DATAGRAM_BYTES;

/// Has the SIP sockets until the service is ready. Dropped, it closes them.
#[derive(Debug)]
pub struct Doorman {
    address: SocketAddr,
    secure: Option<SocketAddr>,
    relieved: CancellationToken,
    work: AbortOnDropHandle<io::Result<(SipSockets, Endpoint)>>,
}

impl Doorman {
    /// Begins to answer at these sockets.
    ///
    /// # Errors
    /// If a socket does not tell its address.
    pub fn begin(config: &Config, sip: SipSockets, clock: Clock) -> io::Result<Self> {
        let address = sip.udp.local_addr()?;
        let secure = sip.tls.as_ref().map(TcpListener::local_addr).transpose()?;
        let endpoint = Endpoint::new(endpoint_config(config, address.port()), clock.bytes());
        let relieved = CancellationToken::new();
        let work = tokio::spawn(answer(sip, endpoint, relieved.clone(), clock));
        Ok(Self { address, secure, relieved, work: AbortOnDropHandle::new(work) })
    }

    /// Where calls arrive.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where they arrive over TLS, if anywhere.
    pub(super) fn secure(&self) -> Option<SocketAddr> {
        self.secure
    }

    /// Gives the sockets to whoever takes calls now, and the endpoint that knows the refusals whose ACKs are on their way.
    ///
    /// # Errors
    /// If the socket broke.
    pub(super) async fn relieve(self) -> io::Result<(SipSockets, Endpoint)> {
        self.relieved.cancel();
        self.work.await.map_err(io::Error::other)?
    }
}

async fn answer(
    sip: SipSockets,
    mut endpoint: Endpoint,
    relieved: CancellationToken,
    clock: Clock,
) -> io::Result<(SipSockets, Endpoint)> {
    let is_ipv6 = sip.udp.local_addr()?.is_ipv6();
    let (mut datagram, mut outbox) = (vec![0; DATAGRAM_BYTES], Outbox::new());
    loop {
        let (length, from) = tokio::select! {
            received = sip.udp.recv_from(&mut datagram) => received?,
            () = relieved.cancelled() => return Ok((sip, endpoint)),
        };
        let message = Input::Message { from: Peer::udp(canonical(from)), bytes: &datagram[..length] };
        endpoint.handle(message, clock.now(), &mut outbox);
        for output in outbox.drain(..) {
            // There is no database yet for the record of a refusal: the endpoint has counted it.
            let Output::Message { to, bytes } = output else { continue };
            if let Err(error) = sip.udp.send_to(&bytes, of_family(is_ipv6, to.address)).await {
                tracing::debug!(%error, "an answer is lost, as in a network; SIP repeats the request: {error}");
            }
        }
    }
}

/// Without media ports: the endpoint refuses calls until it has some.
fn endpoint_config(config: &Config, bound_port: u16) -> EndpointConfig {
    // Port 0 was a wish for any.
    let mut addresses = config.sip().advertise();
    for address in [Some(&mut addresses.sip), addresses.sip_other.as_mut()].into_iter().flatten() {
        if address.port() == 0 {
            address.set_port(bound_port);
        }
    }
    EndpointConfig {
        addresses,
        rtp_ports: Vec::new(),
        policy: config.policy().clone(),
        links: config.links().to_vec(),
        passports: config.passports().treatment(),
        binding: config.verification().binding(),
        limits: Limits { calls: config.sip().max_calls(), ..Limits::default() },
        strangers: config.sip().unknown_peers(),
        server: None,
    }
}
