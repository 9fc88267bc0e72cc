//! A dialog of which we are the called side (RFC 3261 12): its name, the way back, the numbers of its requests.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::header_lines::{HeaderLine, HeaderLines};
use super::identity::{Parameters, split_at_bracket};
use super::message::{Method, Request, write_request};
use super::transaction::Sending;
use super::via::{DEFAULT_PORT, host_and_port};

/// What both sides know of each other.
pub(crate) struct Dialog {
    call_id: String,
    local_tag: String,
    remote_tag: Option<String>,
    /// From of our requests: their To, with our tag.
    local: HeaderLine,
    /// To of our requests: their From.
    remote: HeaderLine,
    /// The URI of their Contact.
    target: String,
    /// UPDATE stands in their Allow.
    serves_update: bool,
    /// The proxies that want to see every request, the nearest first: URIs in angle brackets, with parameters.
    routes: Vec<String>,
    local_cseq: u32,
    remote_cseq: u32,
    /// Where the INVITE came from.
    peer: SocketAddr,
}

/// Its target and its parties are people's addresses.
impl fmt::Debug for Dialog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { local_tag, peer, .. } = self;
        f.debug_struct("Dialog").field("local_tag", local_tag).field("peer", peer).finish_non_exhaustive()
    }
}

/// The INVITE does not say where requests of the dialog go (RFC 3261 8.1.1.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoContact;

impl Dialog {
    /// The dialog that an INVITE opens (RFC 3261 12.1.1). `local_tag` must be impossible to guess.
    pub(crate) fn open(request: &Request, local_tag: String, peer: SocketAddr) -> Result<Self, NoContact> {
        let line = |name| request.lines.named(name).next().cloned().ok_or(NoContact);
        let (mut local, mut remote) = (line("To")?, line("From")?);
        (local.name, remote.name) = ("From".to_owned(), "To".to_owned());
        let tag = format!(";tag={local_tag}");
        local.value += &tag;
        local.octets.iter_mut().for_each(|octets| octets.extend_from_slice(tag.as_bytes()));
        Ok(Self {
            call_id: request.call_id.clone(),
            remote_tag: request.from_tag.clone(),
            local,
            remote,
            target: contact(&request.lines).ok_or(NoContact)?,
            serves_update: serves_update(&request.lines),
            routes: request.lines.entries("Record-Route").map(str::to_owned).collect(),
            local_cseq: 0,
            remote_cseq: request.cseq,
            local_tag,
            peer,
        })
    }

    /// Our tag.
    pub(crate) fn local_tag(&self) -> &str {
        &self.local_tag
    }

    /// Is this request, whose To tag is ours, of this dialog?
    pub(crate) fn has(&self, request: &Request) -> bool {
        request.call_id == self.call_id && request.from_tag == self.remote_tag
    }

    /// Requests come in order (RFC 3261 12.2.2): is this one newer than the last?
    pub(crate) fn advance(&mut self, request: &Request) -> bool {
        let newer = request.cseq > self.remote_cseq;
        self.remote_cseq = self.remote_cseq.max(request.cseq);
        newer
    }

    /// A re-INVITE or UPDATE, or the 2xx to ours, may say that the other side moved (RFC 3261 12.2.2, 12.2.1.2).
    pub(crate) fn refresh_target(&mut self, lines: &HeaderLines) {
        if let Some(target) = contact(lines) {
            self.target = target;
        }
        if lines.value("Allow").is_some() {
            self.serves_update = serves_update(lines);
        }
    }

    /// Does the other side take an UPDATE (RFC 3311 4)?
    pub(crate) fn serves_update(&self) -> bool {
        self.serves_update
    }

    /// The number of our next request.
    pub(crate) fn next_cseq(&mut self) -> u32 {
        self.local_cseq += 1;
        self.local_cseq
    }

    /// A request of ours, with its line for the ladder. It goes to the next hop if that is an address of the trunk, else
    /// to where the INVITE came from. Names are not looked up, and nobody can aim our requests at a stranger.
    pub(crate) fn write(
        &self,
        draft: Draft<'_>,
        us: SocketAddr,
        server: Option<&str>,
        is_trunk: impl Fn(IpAddr) -> bool,
    ) -> (Sending, String) {
        let Draft { method, cseq, branch, more, body } = draft;
        // RFC 3261 12.2.1.1: a first route without `lr` wants the Request-URI for itself.
        let strict = self.routes.first().filter(|route| !is_loose(route)).and_then(|route| bare(route));
        let (uri, routes): (String, Vec<String>) = match strict {
            Some(first) => {
                let rest = self.routes.iter().skip(1).cloned();
                (first.to_owned(), rest.chain([format!("<{}>", self.target)]).collect())
            }
            None => (self.target.clone(), self.routes.clone()),
        };
        let hop = self.routes.first().and_then(|route| bare(route)).unwrap_or(&self.target);
        let to = address(hop).filter(|address| is_trunk(address.ip()));
        let to = to.and_then(|address| of_one_family(address, self.peer)).unwrap_or(self.peer);
        let mut lines = vec![
            HeaderLine::new("Via", format!("SIP/2.0/UDP {us};branch={branch};rport")),
            HeaderLine::new("Max-Forwards", "70"),
            self.local.clone(),
            self.remote.clone(),
            HeaderLine::new("Call-ID", self.call_id.as_str()),
            HeaderLine::new("CSeq", format!("{cseq} {method}")),
        ];
        lines.extend(routes.into_iter().map(|route| HeaderLine::new("Route", route)));
        lines.extend(more);
        let summary = format!("{method} {uri} SIP/2.0 ({cseq})");
        ((to, write_request(method, &uri, &lines, body, server)), summary)
    }
}

/// What a request of ours says besides what all of its dialog say.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) method: Method,
    /// A new number; of an ACK, that of its INVITE.
    pub(crate) cseq: u32,
    /// Names its transaction; impossible to guess.
    pub(crate) branch: &'a str,
    /// Further headers.
    pub(crate) more: Vec<HeaderLine>,
    pub(crate) body: &'a [u8],
}

/// The URI of the first Contact, if it is one that a request line can hold.
fn contact(lines: &HeaderLines) -> Option<String> {
    let entry = lines.entries("Contact").next()?;
    let uri = bare(entry).unwrap_or_else(|| entry.split(';').next().unwrap_or(entry)).trim();
    let is_sip =
        ["sip:", "sips:"].iter().any(|scheme| uri.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)));
    let fits = !uri.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"'));
    (is_sip && fits).then(|| uri.to_owned())
}

/// Methods are case-sensitive (RFC 3261 7.1).
fn serves_update(lines: &HeaderLines) -> bool {
    lines.entries("Allow").any(|method| method == "UPDATE")
}

/// What stands in angle brackets.
fn bare(entry: &str) -> Option<&str> {
    split_at_bracket(entry).and_then(|(_, rest)| rest.split_once('>')).map(|(uri, _)| uri)
}

/// RFC 3261 19.1.1, `lr`.
fn is_loose(route: &str) -> bool {
    bare(route)
        .and_then(|uri| uri.split_once(';'))
        .is_some_and(|(_, parameters)| Parameters(parameters).value("lr").is_some())
}

/// The address in a URI whose host is one.
fn address(uri: &str) -> Option<SocketAddr> {
    let (_, rest) = uri.split_once(':')?;
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let host = host.split([';', '?']).next()?;
    let (host, port) = host_and_port(host)?;
    let ip: IpAddr = host.trim_matches(['[', ']']).parse().ok()?;
    Some(SocketAddr::new(ip, port.unwrap_or(DEFAULT_PORT)))
}

/// The address as a socket of `peer`'s family can reach it.
fn of_one_family(address: SocketAddr, peer: SocketAddr) -> Option<SocketAddr> {
    match (address.ip(), peer.ip()) {
        (IpAddr::V4(v4), IpAddr::V6(_)) => Some(SocketAddr::new(v4.to_ipv6_mapped().into(), address.port())),
        (IpAddr::V6(_), IpAddr::V4(_)) => None,
        _ => Some(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_host_that_is_an_address_is_a_hop() {
        for (uri, expected) in [
            ("sip:a@192.0.2.1", Some("192.0.2.1:5060")),
            ("sip:a;b=c@192.0.2.1:5070;transport=udp", Some("192.0.2.1:5070")),
            ("sip:[2001:db8::1]", Some("[2001:db8::1]:5060")),
            ("sip:gw.example", None),
            ("tel:+12025550143", None),
        ] {
            assert_eq!(address(uri), expected.map(|text| text.parse().unwrap()), "{uri}");
        }
    }

    #[test]
    fn a_hop_is_reached_over_the_socket_that_there_is() {
        let text = |text: &str| text.parse::<SocketAddr>().unwrap();
        for (hop, peer, expected) in [
            ("192.0.2.3:5080", "192.0.2.1:5060", Some("192.0.2.3:5080")),
            ("192.0.2.3:5080", "[::ffff:192.0.2.1]:5060", Some("[::ffff:192.0.2.3]:5080")),
            ("[2001:db8::3]:5080", "[2001:db8::1]:5060", Some("[2001:db8::3]:5080")),
            ("[2001:db8::3]:5080", "192.0.2.1:5060", None),
        ] {
            assert_eq!(of_one_family(text(hop), text(peer)), expected.map(text), "{hop} from {peer}");
        }
    }

    #[test]
    fn a_loose_route_says_so_inside_the_uri() {
        assert!(is_loose("<sip:p.example;lr>"));
        assert!(is_loose("<sip:p.example;transport=udp;LR=on>"));
        assert!(!is_loose("<sip:p.example>;lr"));
    }
}
