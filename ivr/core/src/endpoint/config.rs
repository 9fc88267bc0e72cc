//! What the operator decides about the endpoint, checked by the configuration.

use std::net::{IpAddr, SocketAddr};

use crate::caller::{Passports, Policy};
use crate::link::LinkProfile;
use crate::proof::Binding;
use crate::sip::peer::{Peer, Transport};

/// The endpoint's addresses, carriers and limits.
#[derive(Debug, Clone)]
pub struct EndpointConfig {
    /// Where the trunks reach our sockets.
    pub addresses: Addresses,
    /// The ports of the RTP sockets that the media thread bound, in the order of its
    /// [`PortIndex`](crate::media::PortIndex). None of them: they come with
    /// [`Input::TakeCalls`](super::Input::TakeCalls), and until then calls are refused.
    pub rtp_ports: Vec<u16>,
    /// The trunk profiles, and who may call over them.
    pub policy: Policy,
    /// Where we register, and whom we probe.
    pub links: Vec<LinkProfile>,
    /// Whether signed identities are verified: is there any anchor? If not, they are as if nobody had signed.
    pub passports: Passports,
    /// What ends a proof.
    pub binding: Binding,
    /// How much is taken on at a time.
    pub limits: Limits,
    /// What an address that belongs to no trunk is told.
    pub strangers: Strangers,
    /// Text of the `Server` and `User-Agent` headers; `None` says nothing about us.
    pub server: Option<String>,
}

/// Where the trunks reach our sockets: Contact, and Via of our own requests; without the port also the c= line of our
/// session descriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// SIP over UDP and TCP.
    pub sip: SocketAddr,
    /// The same for trunks whose addresses are of the other family, IPv6 or IPv4; without it they are not served.
    pub sip_other: Option<SocketAddr>,
    /// The port of SIP over TLS at both, if it is served.
    pub tls_port: Option<u16>,
}

impl Addresses {
    /// Only one, without TLS.
    pub fn only(sip: SocketAddr) -> Self {
        Self { sip, sip_other: None, tls_port: None }
    }

    /// Ours of the family of this one.
    pub(crate) fn like(&self, ip: IpAddr) -> Option<SocketAddr> {
        [Some(self.sip), self.sip_other].into_iter().flatten().find(|ours| ours.is_ipv4() == ip.is_ipv4())
    }

    /// Where that one reaches us, over the same transport.
    pub(crate) fn towards(&self, peer: &Peer) -> SocketAddr {
        let mut ours = self.like(peer.ip()).unwrap_or(self.sip);
        match (peer.transport, self.tls_port) {
            (Transport::Tls, Some(port)) => ours.set_port(port),
            (Transport::Udp | Transport::Tcp, _) | (_, None) => {}
        }
        ours
    }
}

/// How much the endpoint takes on at a time, beside what each trunk may
/// ([`TrunkProfile::max_calls`](crate::caller::TrunkProfile::max_calls), [`Pace`](crate::caller::Pace)). What happens beyond is
/// written beside each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Calls of the node, from the INVITE to the end of the dialog. One more is answered 503 with Retry-After.
    pub calls: usize,
    /// Calls of one number, as the checks believe it. One more takes the place of the oldest that may be forged (a datagram began it,
    /// and its ACK has not come), or is answered 486: a person needs one line and, after losing it, another; a caller who opens more,
    /// or somebody who forges that number's calls, must not take up those two. Nor the trunk: those that gave way are in it until
    /// they are given up, and beyond six of them nothing gives way.
    pub calls_of_a_number: usize,
    /// How many refused calls get a record in a second; more are only counted, because a forged source address must
    /// not fill the database.
    pub recorded_refusals_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { calls: 500, calls_of_a_number: 2, recorded_refusals_per_second: 50 }
    }
}

/// What an address that belongs to no trunk is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strangers {
    /// 403 to every request.
    #[default]
    Refuse,
    /// Nothing: scanners do not learn that SIP is spoken here.
    Ignore,
}
