//! The topmost Via of a request: which transaction it names and where the response goes (RFC 3261 18.2, RFC 3581).

use std::net::{IpAddr, SocketAddr};

use super::identity::{Parameters, Pieces};
use super::peer::Peer;

/// One entry of Via, `SIP/2.0/UDP host:port;parameters`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Via {
    /// `SIP/2.0/UDP host:port`, spaces tidied. Another version is kept: the request is refused along it.
    head: String,
    host: String,
    port: Option<u16>,
    /// Each with its `;`.
    parameters: String,
    branch: Option<String>,
    rport: bool,
    is_tidy: bool,
}

impl Via {
    /// Reads one entry, or says that it is none. White space may stand around every separator (RFC 3261 25.1, SLASH).
    pub(crate) fn parse(entry: &str) -> Option<Self> {
        let (head, parameters) = entry.find(';').map_or((entry, ""), |i| entry.split_at(i));
        let mut parts = head.splitn(3, '/').map(str::trim);
        let (sip, version, rest) = (parts.next()?, parts.next()?, parts.next()?);
        let is_version = version.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        let is_tidy = Pieces::of(parameters, b';').skip(1).all(|parameter| !parameter.is_empty());
        if !sip.eq_ignore_ascii_case("SIP") || !is_version {
            return None;
        }
        let (transport, sent_by) = rest.split_once(|c: char| c.is_ascii_whitespace())?;
        let sent_by: String = sent_by.split_ascii_whitespace().collect();
        let (host, port) = host_and_port(&sent_by)?;
        let mut via = Self {
            head: ["SIP/", version, "/", transport, " ", &sent_by].concat(),
            is_tidy,
            host: host.to_owned(),
            port,
            branch: None,
            rport: false,
            parameters: String::with_capacity(parameters.len()),
        };
        for (name, value) in Parameters(parameters).iter() {
            via.take(name, value);
        }
        Some(via)
    }

    fn take(&mut self, name: &str, value: &str) {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        self.rport |= is("rport");
        if is("rport") || is("received") {
            return;
        }
        if is("branch") && self.branch.is_none() {
            self.branch = Some(value.to_owned());
        }
        self.parameters.extend([";", name]);
        if !value.is_empty() {
            self.parameters.extend(["=", value]);
        }
    }

    /// The transaction's name, if its maker followed RFC 3261 (8.1.1.7: the magic cookie).
    pub(crate) fn branch(&self) -> Option<&str> {
        let is_new = |branch: &&str| branch.len() > MAGIC_COOKIE.len() && branch.starts_with(MAGIC_COOKIE);
        self.branch.as_deref().filter(is_new)
    }

    /// Has it no empty parameters?
    pub(crate) fn is_tidy(&self) -> bool {
        self.is_tidy
    }

    /// `host:port` of who sent it: part of the transaction's name (RFC 3261 17.2.3).
    pub(crate) fn sent_by(&self) -> &str {
        self.head.rsplit(' ').next().unwrap_or_default()
    }

    /// Where the response goes: always to the address that the request came from, so that nobody can aim our answers
    /// at somebody else (`maddr` is not obeyed). Over a stream that is the connection it came over, as long as that
    /// stands (RFC 3261 18.2.2); over datagrams, and afterwards, the stated port, or where `rport` asked for it
    /// (RFC 3581 4) the port it came from.
    pub(crate) fn reply_to(&self, from: Peer) -> Peer {
        let wants_same = self.rport && !from.transport.is_reliable();
        let port = if wants_same { from.address.port() } else { self.port.unwrap_or(from.transport.default_port()) };
        Peer { address: SocketAddr::new(from.ip(), port), ..from }
    }

    /// The entry as it stands in the response: with the address it came from (RFC 3261 18.2.1, RFC 3581 4).
    pub(crate) fn stamped(&self, from: SocketAddr) -> String {
        let ip = from.ip();
        let (head, parameters) = (&self.head, &self.parameters);
        if self.rport {
            format!("{head}{parameters};received={ip};rport={}", from.port())
        } else if self.host.trim_matches(['[', ']']).parse::<IpAddr>() != Ok(ip) {
            format!("{head}{parameters};received={ip}")
        } else {
            format!("{head}{parameters}")
        }
    }
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`.
pub(crate) fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let host_end = if text.starts_with('[') { text.find(']')? + 1 } else { text.find(':').unwrap_or(text.len()) };
    let (host, port) = text.split_at(host_end);
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':');
    if host.is_empty() || !host.chars().all(is_host) {
        return None;
    }
    match port.strip_prefix(':') {
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => Some((host, Some(port.parse().ok()?))),
        None if port.is_empty() => Some((host, None)),
        _ => None,
    }
}

/// RFC 3261 8.1.1.7.
pub(crate) const MAGIC_COOKIE: &str = "z9hG4bK";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::peer::{Flow, Transport};

    #[test]
    fn the_response_goes_to_where_the_request_came_from() {
        for (via, port, stamped) in [
            ("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", 5060, "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"),
            ("SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1", 5070, "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1"),
            (
                "SIP/2.0/UDP gw.example:5070;rport;branch=z9hG4bK1",
                40000,
                "SIP/2.0/UDP gw.example:5070;branch=z9hG4bK1;received=192.0.2.1;rport=40000",
            ),
            (
                "SIP / 2.0 / UDP  gw.example : 5070 ;received=203.0.113.9; maddr=203.0.113.9;branch=z9hG4bK1",
                5070,
                "SIP/2.0/UDP gw.example:5070;maddr=203.0.113.9;branch=z9hG4bK1;received=192.0.2.1",
            ),
        ] {
            let (from, via): (SocketAddr, _) = ("192.0.2.1:40000".parse().unwrap(), Via::parse(via).unwrap());
            assert_eq!(via.reply_to(from.into()), SocketAddr::new(from.ip(), port).into(), "{via:?}");
            assert_eq!(via.stamped(from), stamped);
            assert_eq!(via.branch(), Some("z9hG4bK1"));
        }
    }

    #[test]
    fn over_a_stream_the_connection_comes_first_and_then_the_stated_port() {
        for (via, transport, port) in [
            ("SIP/2.0/TCP 192.0.2.1;rport;branch=z9hG4bK1", Transport::Tcp, 5060),
            ("SIP/2.0/TCP 192.0.2.1:5070;branch=z9hG4bK1", Transport::Tcp, 5070),
            ("SIP/2.0/TLS gw.example;branch=z9hG4bK1", Transport::Tls, 5061),
        ] {
            let address = "192.0.2.1:40000".parse().unwrap();
            let from = Peer { address, transport, flow: Some(Flow(7)), certified: None };
            let to = Via::parse(via).unwrap().reply_to(from);
            assert_eq!(to, Peer { address: SocketAddr::new(from.ip(), port), ..from }, "{via}");
        }
    }

    #[test]
    fn what_is_no_via_is_not_read() {
        for text in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/two/UDP h",
            "SIP/2./UDP h",
            "HTTP/2.0/UDP h",
            "SIP/2.0/UDP h:x",
            "SIP/2.0/UDP h:99999",
            "SIP/2.0/UDP [::1",
        ] {
            assert_eq!(Via::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_old_branch_names_no_transaction() {
        assert_eq!(Via::parse("SIP/2.0/UDP h;branch=1").unwrap().branch(), None);
        assert_eq!(Via::parse("SIP/2.0/UDP h;branch=").unwrap().branch(), None);
    }
}
