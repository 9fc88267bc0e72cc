//! `[sip]`: where calls arrive and where their audio goes.

use std::net::{AddrParseError, IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use ivr_core::endpoint::{Addresses, Strangers};
use serde::Deserialize;

use super::File;
use super::findings::Findings;
use super::http::{Http, Tls};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    listen: String,
    advertise: Option<OneOrTwo>,
    tls_listen: Option<String>,
    tls_certificate: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    rtp_address: Option<String>,
    #[serde(default = "default_rtp_ports")]
    rtp_ports: String,
    #[serde(default = "default_max_calls")]
    max_calls: usize,
    #[serde(default = "default_unknown_peers")]
    unknown_peers: String,
    #[serde(default)]
    nameservers: Vec<String>,
}

/// An address, or one of each family.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrTwo {
    One(String),
    Two([String; 2]),
}

impl OneOrTwo {
    fn texts(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Two(texts) => texts,
        }
    }
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
    advertise: Addresses,
    secure: Option<Secure>,
    rtp_bind: IpAddr,
    rtp_ports: RangeInclusive<u16>,
    max_calls: usize,
    unknown_peers: Strangers,
    nameservers: Vec<SocketAddr>,
}

/// SIP over TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secure {
    listen: SocketAddr,
    tls: Tls,
}

impl Secure {
    /// Where to listen.
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Our certificate and its key: shown to those who connect, and to those we connect to.
    pub fn tls(&self) -> &Tls {
        &self.tls
    }
}

impl Sip {
    /// Where SIP over UDP and TCP listens.
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// What Via, Contact and our SDP say: the addresses at which trunks reach the sockets.
    pub fn advertise(&self) -> Addresses {
        self.advertise
    }

    /// SIP over TLS, if it is served.
    pub fn secure(&self) -> Option<&Secure> {
        self.secure.as_ref()
    }

    /// Where the RTP sockets are bound.
    pub fn rtp_bind(&self) -> IpAddr {
        self.rtp_bind
    }

    /// The media ports, bound at start: the even ones for RTP, the odd ones for RTCP.
    pub fn rtp_ports(&self) -> RangeInclusive<u16> {
        self.rtp_ports.clone()
    }

    /// Calls at a time; one more is answered 503.
    pub fn max_calls(&self) -> usize {
        self.max_calls
    }

    /// Who is asked where a trunk's servers are; if it is nobody, whom the system asks.
    pub fn nameservers(&self) -> &[SocketAddr] {
        &self.nameservers
    }

    /// What strangers hear.
    pub fn unknown_peers(&self) -> Strangers {
        self.unknown_peers
    }
}

/// Whoever listens last would find the port taken, by this service itself.
pub(super) fn check_together(http: &Http, sip: &Sip, findings: &mut Findings) {
    let mut listeners = vec![("http.listen", http.listen()), ("sip.listen", sip.listen())];
    listeners.extend(sip.secure().map(|secure| ("sip.tls_listen", secure.listen())));
    for (n, (place, address)) in listeners.iter().enumerate() {
        for (other, taken) in &listeners[..n] {
            if meet(*address, *taken) {
                findings.fault(
                    *place,
                    format!("{address} is that of {other} ({taken}), and both take TCP: choose another port"),
                );
            }
        }
    }
}

/// Whether two listeners want the same port of an address. Port 0 is another each time.
fn meet(one: SocketAddr, other: SocketAddr) -> bool {
    // [::] takes IPv4, too.
    let covers = |wide: IpAddr, narrow: IpAddr| wide.is_unspecified() && (wide.is_ipv6() || narrow.is_ipv4());
    let (a, b) = (one.ip(), other.ip());
    one.port() != 0 && one.port() == other.port() && (a == b || covers(a, b) || covers(b, a))
}

pub(super) fn check(raw: Raw, file: &mut File<'_>) -> Option<Sip> {
    let listen = file.findings.parse("sip.listen", &raw.listen).map(|At(address)| address);
    let rtp_bind = match &raw.rtp_address {
        Some(text) => file.findings.parse("sip.rtp_address", text),
        None => listen.map(|listen| listen.ip()),
    };
    let secure = secure(raw.tls_listen.as_deref(), (raw.tls_certificate, raw.tls_key), file);
    let advertise = advertise(raw.advertise.as_ref(), listen, rtp_bind, file);
    // Port 0 was a wish for any, and is known only once it is bound.
    let tls_port = secure.as_ref().and_then(|secure| secure.as_ref()).map(|secure| secure.listen.port());
    let advertise = advertise.map(|addresses| Addresses { tls_port, ..addresses });
    let rtp_ports = ports(&raw.rtp_ports, file);
    // A call takes an even one and the odd one above it (RFC 3550 11), and there are twice as many as calls, so that ports
    // rest after their call.
    if let Some(ports) = &rtp_ports
        && ports.clone().filter(|port| port % 2 == 0 && port < ports.end()).count() < raw.max_calls.saturating_mul(2)
    {
        file.findings.fault(
            "sip.rtp_ports",
            format!(
                "sip.max_calls = {} needs a range of {} ports: each call takes an even one and the next, and half of those rest after a call",
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
    let nameservers: Option<Vec<NameServer>> = file.findings.parse_all("sip.nameservers", &raw.nameservers);
    Some(Sip {
        listen: listen?,
        advertise: advertise?,
        secure: secure?,
        rtp_bind: rtp_bind?,
        rtp_ports: rtp_ports?,
        max_calls: raw.max_calls,
        unknown_peers: unknown_peers?,
        nameservers: nameservers?.into_iter().map(NameServer::address).collect(),
    })
}

/// A socket bound to all addresses, or to a private one behind NAT, must say where it is reached; so must its audio, which
/// is reached there, too.
fn advertise(
    raw: Option<&OneOrTwo>,
    listen: Option<SocketAddr>,
    rtp_bind: Option<IpAddr>,
    file: &mut File<'_>,
) -> Option<Addresses> {
    let addresses: Vec<SocketAddr> = match raw {
        Some(raw) => {
            file.findings.parse_all("sip.advertise", raw.texts())?.into_iter().map(|At(address)| address).collect()
        }
        None => vec![listen?],
    };
    let mut fault = |text: &str| file.findings.fault("sip.advertise", text);
    if addresses.iter().any(|address| address.ip().is_unspecified()) {
        fault(
            "nobody can answer to 0.0.0.0 or [::]: set advertise to the address at which the trunks reach this machine, \
             or to two, one IPv4 and one IPv6",
        );
    }
    // A socket at [::] takes both families.
    let serves = |ip: IpAddr, of: SocketAddr| of.is_ipv4() == ip.is_ipv4() || ip.is_ipv6() && ip.is_unspecified();
    let bound = [listen.map(|listen| listen.ip()), rtp_bind];
    if bound.into_iter().flatten().any(|ip| addresses.iter().any(|of| !serves(ip, *of))) {
        fault("listen and rtp_address take the other family only: listen at \"[::]:5060\" to take IPv4 and IPv6");
    }
    match addresses[..] {
        [sip, other] if sip.is_ipv4() == other.is_ipv4() => {
            fault("two addresses are one IPv4 and one IPv6; name the one that the trunks use");
            None
        }
        [sip, ref other @ ..] => Some(Addresses { sip, sip_other: other.first().copied(), tls_port: None }),
        [] => None,
    }
}

fn secure(
    listen: Option<&str>,
    files: (Option<PathBuf>, Option<PathBuf>),
    file: &mut File<'_>,
) -> Option<Option<Secure>> {
    match (listen, files) {
        (None, (None, None)) => Some(None),
        (Some(listen), (Some(certificate), Some(key))) => {
            let tls = Tls::of(file.path(&certificate), file.path(&key));
            let At(listen) = file.findings.parse("sip.tls_listen", listen)?;
            Some(Some(Secure { listen, tls }))
        }
        _ => {
            file.findings.fault("sip.tls_listen", "TLS needs all of tls_listen, tls_certificate and tls_key, or none");
            None
        }
    }
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

/// An address with a port.
struct At(SocketAddr);

/// A host name, an address without a port, …
#[derive(Debug, thiserror::Error)]
#[error("write an IP address and a port, such as 198.51.100.1:5060 or [2001:db8::1]:5060; a host name does not do")]
struct NotAnAddress;

impl FromStr for At {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        text.parse().map(Self).map_err(|_| NotAnAddress)
    }
}

/// An address, with or without a port.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NameServer(SocketAddr);

impl NameServer {
    /// With the port.
    pub(crate) fn address(self) -> SocketAddr {
        self.0
    }
}

impl FromStr for NameServer {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        let with_port = |ip| SocketAddr::new(ip, DNS_PORT);
        text.parse::<IpAddr>().map(with_port).or_else(|_| text.parse()).map(Self)
    }
}

/// RFC 1035 4.2.
const DNS_PORT: u16 = 53;
/// Above this, one process is the wrong tool.
const MOST_CALLS: usize = 10_000;
