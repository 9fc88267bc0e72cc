//! Which addresses stand for a SIP URI, in the order in which they are tried (RFC 3263 4, RFC 2782). Asks no name server:
//! a [`Search`] says what it needs to know, and is told.

use std::collections::VecDeque;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use rand_core::Rng;

use super::identity::Parameters;
use super::peer::Transport;
use super::via::host_and_port;
use crate::endpoint::Addresses;

/// What stands before a domain in the name of its SRV records (RFC 3263 4.1).
fn service(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
    }
}

/// The transport of a services field in a NAPTR record.
fn of_naptr(service: &str) -> Option<Transport> {
    const SERVICES: [(&str, Transport); 3] =
        [("SIP+D2U", Transport::Udp), ("SIP+D2T", Transport::Tcp), ("SIPS+D2T", Transport::Tls)];
    SERVICES.iter().find(|(known, _)| known.eq_ignore_ascii_case(service)).map(|(_, transport)| *transport)
}

/// A place to send a request to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    /// Where.
    pub(crate) address: SocketAddr,
    /// Over what.
    pub(crate) transport: Transport,
}

/// `sip:host:port;transport=…`, the URI of a server: without a user.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUri {
    text: String,
    host: Host,
    port: Option<u16>,
    transport: Option<Transport>,
}

#[derive(Clone, PartialEq, Eq)]
enum Host {
    Name(String),
    Address(IpAddr),
}

impl fmt::Debug for ServerUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for ServerUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a text is no URI of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAServer {
    /// `tel:`, nothing, …
    #[error("a server is sip:HOST, sip:HOST:PORT or sips:HOST, with or without ;transport=udp, tcp or tls")]
    Shape,
    /// `sip:user@host`
    #[error("a server has no user: write sip:HOST")]
    User,
    /// `;transport=sctp`, `sips:host;transport=udp`
    #[error("the transport is udp, tcp or tls, and never udp with sips:")]
    Transport,
}

impl FromStr for ServerUri {
    type Err = NotAServer;

    fn from_str(text: &str) -> Result<Self, NotAServer> {
        let (scheme, rest) = text.split_once(':').ok_or(NotAServer::Shape)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "sip" => false,
            "sips" => true,
            _ => return Err(NotAServer::Shape),
        };
        if rest.contains('@') {
            return Err(NotAServer::User);
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || "-._[]:;=".contains(c);
        if !rest.chars().all(fits) || rest.len() > LONGEST_URI_BYTES {
            return Err(NotAServer::Shape);
        }
        let (host, parameters) = rest.split_once(';').unwrap_or((rest, ""));
        let (host, port) = host_and_port(host).filter(|(_, port)| *port != Some(0)).ok_or(NotAServer::Shape)?;
        let transport = match Parameters(parameters).value("transport").map(Transport::from_name) {
            None => None,
            Some(Some(Transport::Udp)) if secure => return Err(NotAServer::Transport),
            // RFC 3261 26.2.2: sips: over TCP is TLS.
            Some(Some(Transport::Tcp)) if secure => Some(Transport::Tls),
            Some(Some(transport)) => Some(transport),
            Some(None) => return Err(NotAServer::Transport),
        };
        let host = match host.trim_matches(['[', ']']).parse() {
            Ok(address) => Host::Address(address),
            Err(_) if host.contains(['[', ':']) => return Err(NotAServer::Shape),
            Err(_) => Host::Name(host.to_ascii_lowercase()),
        };
        Ok(Self { text: text.to_owned(), host, port, transport: transport.or(secure.then_some(Transport::Tls)) })
    }
}

impl ServerUri {
    /// The host as it stands in a URI, without a port: the domain of who is registered there.
    pub(crate) fn host(&self) -> String {
        match &self.host {
            Host::Name(name) => name.clone(),
            Host::Address(IpAddr::V4(address)) => address.to_string(),
            Host::Address(IpAddr::V6(address)) => format!("[{address}]"),
        }
    }

    /// The address, if it is none that a name server says.
    pub fn address(&self) -> Option<IpAddr> {
        match self.host {
            Host::Name(_) => None,
            Host::Address(address) => Some(address),
        }
    }

    /// The transport that it asks for.
    pub fn transport(&self) -> Option<Transport> {
        self.transport
    }
}

/// What a name server is asked. Names have no dot at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// NAPTR records.
    Naptr(String),
    /// SRV records.
    Srv(String),
    /// A and AAAA records.
    Addresses(String),
}

/// What it answers: nothing where there is none, or no answer was had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Records {
    /// To [`Query::Naptr`].
    Naptr(Vec<Naptr>),
    /// To [`Query::Srv`].
    Srv(Vec<Srv>),
    /// To [`Query::Addresses`], the preferred first.
    Addresses(Vec<IpAddr>),
}

/// A NAPTR record (RFC 3403 4.1) of the kind that RFC 3263 uses: no expression, but a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naptr {
    /// The lowest first.
    pub order: u16,
    /// Then the lowest of these.
    pub preference: u16,
    /// What comes next: `s` is SRV.
    pub flags: String,
    /// Which service, such as `SIP+D2U`.
    pub services: String,
    /// The name to go on with.
    pub replacement: String,
}

/// An SRV record (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Srv {
    /// The lowest first.
    pub priority: u16,
    /// How often this one among those of its priority.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host; `.` or nothing says that there is no such service.
    pub target: String,
}

/// A search for the addresses of a URI.
#[derive(Debug)]
pub(crate) struct Search {
    /// What is still to be asked, the next first. At most [`MOST_RECORDS`].
    steps: VecDeque<Step>,
    /// What was found. At most [`MOST_TARGETS`].
    targets: Vec<Target>,
    domain: String,
    fallback: Option<Step>,
    transports: &'static [Transport],
    us: Addresses,
    queries: usize,
}

/// A question, and what it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Naptr,
    /// The SRV records of one transport. `guessed`: no NAPTR record named them, so the first transport that has any is it.
    Srv {
        name: String,
        transport: Transport,
        guessed: bool,
    },
    Addresses {
        host: String,
        port: u16,
        transport: Transport,
    },
}

impl Search {
    /// Begins one for what we can reach: over these transports, the preferred first, and of the families that we have.
    pub(crate) fn new(uri: &ServerUri, transports: &'static [Transport], us: Addresses) -> Self {
        let mut search = Self {
            steps: VecDeque::new(),
            targets: Vec::new(),
            domain: String::new(),
            fallback: None,
            transports,
            us,
            queries: 0,
        };
        // RFC 3263 4.1: a URI that names no transport, but an address or a port, means UDP.
        let transport = uri.transport.unwrap_or(Transport::Udp);
        let port = uri.port.unwrap_or(transport.default_port());
        match &uri.host {
            Host::Address(address) => search.add(*address, port, transport),
            Host::Name(host) => {
                search.domain.clone_from(host);
                let addresses = Step::Addresses { host: host.clone(), port, transport };
                if uri.port.is_some() {
                    search.steps.push_back(addresses);
                } else {
                    // RFC 3263 4.2: where there are no SRV records.
                    search.fallback = Some(addresses);
                    search.steps.push_back(match uri.transport {
                        Some(transport) => search.guess(transport),
                        None => Step::Naptr,
                    });
                }
            }
        }
        search
    }

    fn guess(&self, transport: Transport) -> Step {
        Step::Srv { name: format!("{}.{}", service(transport), self.domain), transport, guessed: true }
    }

    /// What it waits for; `None` when it is over.
    pub(crate) fn query(&self) -> Option<Query> {
        self.steps.front().map(|step| match step {
            Step::Naptr => Query::Naptr(self.domain.clone()),
            Step::Srv { name, .. } => Query::Srv(name.clone()),
            Step::Addresses { host, .. } => Query::Addresses(host.clone()),
        })
    }

    /// What was found: the first is tried first.
    pub(crate) fn into_targets(self) -> Vec<Target> {
        self.targets
    }

    /// The answer to its query. One of another kind counts as none.
    pub(crate) fn on_records(&mut self, records: Records, chance: &mut impl Rng) {
        let Some(step) = self.steps.pop_front() else { return };
        match (step, records) {
            (Step::Naptr, Records::Naptr(records)) => self.on_naptr(records),
            (Step::Naptr, _) => self.on_naptr(Vec::new()),
            (Step::Srv { transport, guessed, .. }, Records::Srv(records)) if !records.is_empty() => {
                self.fallback = None;
                if guessed {
                    self.steps.clear();
                }
                for srv in drawn(records, chance).into_iter().rev() {
                    let host = srv.target.trim_end_matches('.').to_owned();
                    if !host.is_empty() {
                        self.steps.push_front(Step::Addresses { host, port: srv.port, transport });
                    }
                }
            }
            (Step::Addresses { port, transport, .. }, Records::Addresses(addresses)) => {
                addresses.into_iter().take(MOST_RECORDS).for_each(|address| self.add(address, port, transport));
            }
            (Step::Srv { .. } | Step::Addresses { .. }, _) => {}
        }
        if self.steps.is_empty() {
            self.steps.extend(self.fallback.take());
        }
        self.queries += 1;
        if self.queries >= MOST_QUERIES || self.targets.len() >= MOST_TARGETS {
            self.steps.clear();
        }
    }

    /// RFC 3263 4.1: the records of transports that we have, by order and preference. What comes after the first of them is
    /// for when that one fails.
    fn on_naptr(&mut self, mut records: Vec<Naptr>) {
        records.sort_by_key(|record| (record.order, record.preference));
        let steps = records.into_iter().filter_map(|record| {
            let transport = of_naptr(&record.services)?;
            let name = record.replacement.trim_end_matches('.').to_owned();
            let fits = self.transports.contains(&transport) && record.flags.eq_ignore_ascii_case("s");
            (fits && !name.is_empty()).then_some(Step::Srv { name, transport, guessed: false })
        });
        self.steps = steps.take(MOST_RECORDS).collect();
        if self.steps.is_empty() {
            self.steps = self.transports.iter().map(|transport| self.guess(*transport)).collect();
        }
    }

    fn add(&mut self, address: IpAddr, port: u16, transport: Transport) {
        let address = address.to_canonical();
        let target = Target { address: SocketAddr::new(address, port), transport };
        let is_reached = self.transports.contains(&transport) && self.us.like(address).is_some() && port != 0;
        if is_reached && self.targets.len() < MOST_TARGETS && !self.targets.contains(&target) {
            self.targets.push(target);
        }
    }
}

/// The records in the order in which they are tried: by priority, and among those of one priority drawn by weight
/// (RFC 2782, "Weight").
fn drawn(mut records: Vec<Srv>, chance: &mut impl Rng) -> Vec<Srv> {
    // Those of weight 0 stand first, so that they are drawn rarely and not never.
    records.sort_by_key(|record| (record.priority, record.weight != 0));
    records.truncate(MOST_RECORDS);
    let mut order = Vec::with_capacity(records.len());
    while let Some(first) = records.first() {
        let priority = first.priority;
        let group = records.iter().take_while(|record| record.priority == priority);
        let sum: u32 = group.map(|record| u32::from(record.weight)).sum();
        let mut left = ((u64::from(chance.next_u32()) * (u64::from(sum) + 1)) >> 32) as u32;
        let mut chosen = 0;
        for (i, record) in records.iter().enumerate().take_while(|(_, record)| record.priority == priority) {
            chosen = i;
            match left.checked_sub(u32::from(record.weight)) {
                Some(rest) if rest > 0 => left = rest,
                _ => break,
            }
        }
        order.push(records.remove(chosen));
    }
    order
}

/// Records of one answer that are used: whoever writes the zone could write thousands.
const MOST_RECORDS: usize = 8;
/// Places that are tried; the rest of them is left out.
const MOST_TARGETS: usize = 8;
/// Questions of one search. After them it is over, with what it has found.
const MOST_QUERIES: usize = 16;
/// A name has at most 253 octets (RFC 1035 3.1).
const LONGEST_URI_BYTES: usize = 300;

#[cfg(test)]
mod tests;
