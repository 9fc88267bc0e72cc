//! A dialog of which we are the called side (RFC 3261 12): its name, the way back, the numbers of its requests.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::header_lines::{HeaderLine, HeaderLines};
use super::identity::{Parameters, split_at_bracket};
use super::message::{Method, Request, write_request};
use super::peer::{Peer, Transport};
use super::resending::Sending;
use super::via::host_and_port;
use crate::endpoint::Addresses;

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
    /// Where the INVITE came from; over a stream, where the last request did.
    peer: Peer,
    /// It was asked for by a `sips:` URI (RFC 3261 12.1.1).
    secure: bool,
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
    pub(crate) fn open(request: &Request, local_tag: String, peer: Peer) -> Result<Self, NoContact> {
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
            secure: is_secure(request),
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

    /// A request of this dialog came over another connection: the one before may be gone.
    pub(crate) fn come_over(&mut self, from: Peer) {
        if from.flow.is_some() {
            self.peer = from;
        }
    }

    /// The URI at which the other side reaches us within the dialog (RFC 3261 8.1.1.8, 12.1.1).
    pub(crate) fn contact(&self, us: &Addresses) -> String {
        let ours = us.towards(&self.peer);
        match self.peer.transport {
            Transport::Udp => format!("sip:{ours}"),
            Transport::Tcp => format!("sip:{ours};transport=tcp"),
            Transport::Tls if self.secure => format!("sips:{ours}"),
            // RFC 3261 26.2.2 gave this up, and nothing took its place: everybody writes it.
            Transport::Tls => format!("sip:{ours};transport=tls"),
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

    /// A request of ours, with its line for the ladder. It goes to the next hop if `may_go` there after the peer that
    /// the dialog is with, else to that. Names are not looked up, and nobody can aim our requests at a stranger.
    pub(crate) fn write(
        &self,
        draft: Draft<'_>,
        us: &Addresses,
        server: Option<&str>,
        may_go: impl Fn(&Peer, &Peer) -> bool,
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
        let to = hop_of(hop, &self.peer).filter(|hop| may_go(hop, &self.peer) && us.like(hop.ip()).is_some());
        let to = to.unwrap_or(self.peer);
        let mut lines = vec![
            HeaderLine::new(
                "Via",
                format!("SIP/2.0/{} {};branch={branch};rport", to.transport.name(), us.towards(&to)),
            ),
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

/// Was the dialog asked for by a `sips:` URI: that of the request, of the proxy before us, or of the other side
/// (RFC 3261 12.1.1)?
fn is_secure(request: &Request) -> bool {
    let is_sips = |uri: &str| uri.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("sips:"));
    let proxy = request.lines.entries("Record-Route").next().and_then(bare);
    is_sips(&request.uri)
        || proxy.map(str::to_owned).or_else(|| contact(&request.lines)).is_some_and(|uri| is_sips(&uri))
}

/// The next hop, in a URI whose host is an address. What the URI leaves open stays as with `peer`; if both are on one
/// machine, the connection is the same, too.
fn hop_of(uri: &str, peer: &Peer) -> Option<Peer> {
    let (scheme, rest) = uri.split_once(':')?;
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let (host, parameters) = host.find([';', '?']).map_or((host, ""), |i| host.split_at(i));
    let (host, port) = host_and_port(host)?;
    let ip: IpAddr = host.trim_matches(['[', ']']).parse().ok()?;
    let transport = match Parameters(parameters.split('?').next().unwrap_or_default()).value("transport") {
        _ if scheme.eq_ignore_ascii_case("sips") => Transport::Tls,
        Some(name) => Transport::from_name(name)?,
        None => peer.transport,
    };
    let address = SocketAddr::new(ip, port.unwrap_or(transport.default_port()));
    if transport == peer.transport && ip == peer.ip() {
        return Some(Peer { address, ..*peer });
    }
    Some(Peer { address, transport, flow: None, certified: peer.certified.filter(|_| transport == Transport::Tls) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::TrunkIndex;
    use crate::sip::peer::Flow;

    fn peer(address: &str, transport: Transport) -> Peer {
        let (address, certified) =
            (address.parse().unwrap(), Some(TrunkIndex(3)).filter(|_| transport == Transport::Tls));
        Peer { address, transport, flow: transport.is_reliable().then_some(Flow(1)), certified }
    }

    #[test]
    fn only_a_host_that_is_an_address_is_a_hop() {
        let from = peer("192.0.2.9:5060", Transport::Udp);
        for (uri, expected) in [
            ("sip:a@192.0.2.1", Some("192.0.2.1:5060")),
            ("sip:a;b=c@192.0.2.1:5070;transport=udp", Some("192.0.2.1:5070")),
            ("sip:[2001:db8::1]", Some("[2001:db8::1]:5060")),
            ("sip:a@192.0.2.1;transport=sctp", None),
            ("sip:gw.example", None),
            ("tel:+12025550143", None),
        ] {
            let expected: Option<Peer> = expected.map(|text| text.parse::<SocketAddr>().unwrap().into());
            assert_eq!(hop_of(uri, &from), expected, "{uri}");
        }
    }

    #[test]
    fn a_hop_is_reached_as_it_says_else_as_before() {
        let anew = |peer: Peer| Peer { flow: None, certified: None, ..peer };
        let (tcp, tls) = (peer("192.0.2.1:40000", Transport::Tcp), peer("192.0.2.1:40000", Transport::Tls));
        for (uri, from, expected) in [
            ("sip:a@192.0.2.1:5070", tcp, peer("192.0.2.1:5070", Transport::Tcp)),
            ("sip:a@192.0.2.1;transport=TCP?x=y", tcp, peer("192.0.2.1:5060", Transport::Tcp)),
            ("sip:a@192.0.2.1;transport=udp", tcp, peer("192.0.2.1:5060", Transport::Udp)),
            ("sip:a@192.0.2.2;lr", tcp, anew(peer("192.0.2.2:5060", Transport::Tcp))),
            ("sips:a@192.0.2.1", tls, peer("192.0.2.1:5061", Transport::Tls)),
            ("sips:a@192.0.2.1", tcp, anew(peer("192.0.2.1:5061", Transport::Tls))),
            ("sip:a@192.0.2.2;transport=tls", tls, Peer { flow: None, ..peer("192.0.2.2:5061", Transport::Tls) }),
        ] {
            assert_eq!(hop_of(uri, &from), Some(expected), "{uri} from {from}");
        }
    }

    #[test]
    fn a_loose_route_says_so_inside_the_uri() {
        assert!(is_loose("<sip:p.example;lr>"));
        assert!(is_loose("<sip:p.example;transport=udp;LR=on>"));
        assert!(!is_loose("<sip:p.example>;lr"));
    }
}
