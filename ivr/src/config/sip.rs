//! `[sip]`: where calls arrive and where their audio goes.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use ivr_core::endpoint::Strangers;
use serde::Deserialize;

use super::File;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    listen: String,
    advertise: Option<String>,
    rtp_address: Option<String>,
    #[serde(default = "default_rtp_ports")]
    rtp_ports: String,
    #[serde(default = "default_max_calls")]
    max_calls: usize,
    #[serde(default = "default_unknown_peers")]
    unknown_peers: String,
}

fn default_rtp_ports() -> String {
    "20000-20999".to_owned()
}

fn default_max_calls() -> usize {
    200
}

fn default_unknown_peers() -> String {
    "403".to_owned()
}

/// The checked section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sip {
    listen: SocketAddr,
    advertise: SocketAddr,
    rtp_bind: IpAddr,
    rtp_advertise: IpAddr,
    rtp_ports: RangeInclusive<u16>,
    max_calls: usize,
    unknown_peers: Strangers,
}

impl Sip {
    /// The UDP socket of SIP.
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// What Via and Contact say: the address at which trunks reach the socket.
    pub fn advertise(&self) -> SocketAddr {
        self.advertise
    }

    /// Where the RTP sockets are bound.
    pub fn rtp_bind(&self) -> IpAddr {
        self.rtp_bind
    }

    /// What our SDP says.
    pub fn rtp_advertise(&self) -> IpAddr {
        self.rtp_advertise
    }

    /// The media ports, bound at start: the even ones for RTP, the odd ones for RTCP.
    pub fn rtp_ports(&self) -> RangeInclusive<u16> {
        self.rtp_ports.clone()
    }

    /// Calls at a time; one more is answered 503.
    pub fn max_calls(&self) -> usize {
        self.max_calls
    }

    /// What strangers hear.
    pub fn unknown_peers(&self) -> Strangers {
        self.unknown_peers
    }
}

pub(super) fn check(raw: Raw, file: &mut File<'_>) -> Option<Sip> {
    let listen: Option<SocketAddr> = file.findings.parse("sip.listen", &raw.listen);
    let advertise = match &raw.advertise {
        Some(text) => file.findings.parse("sip.advertise", text),
        None => listen,
    };
    if advertise.is_some_and(|address| address.ip().is_unspecified()) {
        file.findings.fault(
            "sip.advertise",
            "nobody can answer to 0.0.0.0 or [::]: set advertise to the address at which the trunks reach this machine",
        );
    }
    let rtp_bind = match &raw.rtp_address {
        Some(text) => file.findings.parse("sip.rtp_address", text),
        None => listen.map(|listen| listen.ip()),
    };
    // A socket bound to all addresses, or to a private one behind NAT, is reached where SIP is reached.
    let rtp_advertise = advertise.map(|address| address.ip());
    let rtp_ports = ports(&raw.rtp_ports, file);
    // A call takes an even one and the odd one above it (RFC 3550 11), and there are twice as many as calls, so that ports
    // rest after their call.
    if let Some(ports) = &rtp_ports
        && ports.clone().filter(|port| port % 2 == 0 && port < ports.end()).count() < raw.max_calls.saturating_mul(2)
    {
        file.findings.fault(
            "sip.rtp_ports",
            format!(
                "{} calls need a range of {} ports: each takes an even one and the next, and half of those rest after a call",
                raw.max_calls,
                raw.max_calls.saturating_mul(4)
            ),
        );
    }
    if raw.max_calls == 0 || raw.max_calls > MOST_CALLS {
        file.findings.fault("sip.max_calls", format!("between 1 and {MOST_CALLS} calls"));
    }
    let unknown_peers = file.findings.choose(
        "sip.unknown_peers",
        &raw.unknown_peers,
        &[("403", Strangers::Refuse), ("silence", Strangers::Ignore)],
    );
    Some(Sip {
        listen: listen?,
        advertise: advertise?,
        rtp_bind: rtp_bind?,
        rtp_advertise: rtp_advertise?,
        rtp_ports: rtp_ports?,
        max_calls: raw.max_calls,
        unknown_peers: unknown_peers?,
    })
}

fn ports(text: &str, file: &mut File<'_>) -> Option<RangeInclusive<u16>> {
    let range =
        text.split_once('-').and_then(|(first, last)| Some(first.trim().parse().ok()?..=last.trim().parse().ok()?));
    match range {
        Some(range) if *range.start() >= 1024 && !range.is_empty() => Some(range),
        _ => {
            file.findings
                .fault("sip.rtp_ports", format!("{text:?}: write FIRST-LAST, from 1024 up, such as 20000-20999"));
            None
        }
    }
}

/// Above this, one process is the wrong tool.
const MOST_CALLS: usize = 10_000;
