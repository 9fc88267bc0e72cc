//! The gate: octets of a datagram to a checked message. Whatever passes has one From, To, Call-ID and CSeq, a Via that
//! says where an answer goes, a body as long as it says, and no extension that we would have to know. Whatever else
//! can be answered is answered here; the rest is dropped.

use super::header_lines::{HeaderLines, headers, is_token, split_head, split_line, tag_of};
use super::identity::Pieces;
use super::message::{Method, Request, Response, SUPPORTED};
use super::multipart::{Unreadable, session_description};
use super::via::Via;

/// What a datagram turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// Empty lines that keep a NAT open (RFC 5626 3.5.1 sends them over UDP, too): nothing to do.
    KeepAlive,
    /// No SIP message, or one that cannot be answered.
    Garbage,
    /// A request to go on with.
    Request(Box<Request>),
    /// A response to go on with.
    Response(Box<Response>),
    /// A request that ends here.
    Refused(Box<Refused>),
}

/// A request that the gate does not let in, but that has a Via to answer along.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Its topmost Via.
    pub(crate) via: Via,
    /// Its headers, as far as they could be read.
    pub(crate) lines: HeaderLines,
    /// Why.
    pub(crate) fault: Fault,
}

/// Why a request does not pass.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// 400: not as RFC 3261 wants it.
    Malformed,
    /// 415: a body that is encoded or not a session description.
    MediaType,
    /// 416: the Request-URI is neither `sip:`, `sips:` nor `tel:`.
    Scheme,
    /// 420: these extensions are required, and we do not know them.
    Extensions(Vec<String>),
    /// 501: no method that we know.
    UnknownMethod,
    /// 505: another version of SIP.
    Version,
    /// 513: more headers than a call needs; we would have to keep and repeat them.
    TooLarge,
}

/// Reads a datagram.
pub(crate) fn read(datagram: &[u8]) -> Read {
    // RFC 3261 7.5: empty lines before the start line are ignored.
    let start = datagram.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
    let Some(start) = start else { return if datagram.is_empty() { Read::Garbage } else { Read::KeepAlive } };
    let message = &datagram[start..];
    // Cut off before the empty line: no body, and not whole.
    let (head, body) = split_head(message).unwrap_or((message, b""));
    let is_cut = head.len() == message.len();
    let is_large = head.len() > LARGEST_HEAD_BYTES;
    let (start_line, fields) = split_line(head);
    let Ok(start_line) = std::str::from_utf8(start_line) else { return Read::Garbage };
    let (lines, whole) = headers(fields);
    if start_line.starts_with("SIP/") && !is_cut {
        return response(start_line, lines, body).map_or(Read::Garbage, |response| Read::Response(Box::new(response)));
    }
    let Some(line) = RequestLine::parse(start_line) else { return Read::Garbage };
    let via = lines.entries("Via").next().and_then(Via::parse);
    // Without a Via there is no way back.
    let Some(via) = via else { return Read::Garbage };
    let parts = Parts { line, via, lines, body, whole: whole && !is_cut };
    match if is_large { Err(Fault::TooLarge) } else { parts.checked() } {
        Ok(checked) => parts.request(checked).map_or(Read::Garbage, |request| Read::Request(Box::new(request))),
        // RFC 3261 17: an ACK is never answered.
        Err(_) if parts.line.method == "ACK" => Read::Garbage,
        Err(fault) => Read::Refused(Box::new(Refused { via: parts.via, lines: parts.lines, fault })),
    }
}

/// Method, Request-URI and version as they stand.
struct RequestLine<'a> {
    method: &'a str,
    uri: &'a str,
    version: &'a str,
    /// Exactly one space between the three (RFC 3261 7.1).
    tidy: bool,
}

impl<'a> RequestLine<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (method, rest) = line.split_once(' ')?;
        let (uri, version) = rest.trim_end().rsplit_once(' ')?;
        let is_sip = version.len() > 4 && version.as_bytes()[..4].eq_ignore_ascii_case(b"SIP/");
        if !is_sip || !is_token(method) {
            return None;
        }
        let tidy = rest == rest.trim_end() && !uri.is_empty() && !uri.contains(is_white_or_bracket);
        Some(Self { method, uri: uri.trim(), version, tidy })
    }
}

/// A request taken apart.
struct Parts<'a> {
    line: RequestLine<'a>,
    via: Via,
    lines: HeaderLines,
    /// Everything after the empty line.
    body: &'a [u8],
    /// Every header line could be read, and the empty line after them is there.
    whole: bool,
}

/// What the checks of a request read.
struct Checked {
    method: Method,
    /// The number of CSeq.
    cseq: u32,
    /// The body as far as it matters.
    body: Vec<u8>,
}

impl Parts<'_> {
    /// What they read, or the first thing that is wrong. The order is that of RFC 3261 8.2, with what cannot even be read before it.
    fn checked(&self) -> Result<Checked, Fault> {
        if !self.line.version.eq_ignore_ascii_case("SIP/2.0") {
            return Err(Fault::Version);
        }
        let method = Method::from_name(self.line.method).ok_or(Fault::UnknownMethod)?;
        let cseq = cseq(&self.lines).filter(|(_, of)| *of == method.name()).map(|(number, _)| number);
        let (Some(cseq), Some(body)) = (cseq, framed(&self.lines, self.body)) else { return Err(Fault::Malformed) };
        if !self.line.tidy || !self.whole || !self.is_well_formed() {
            return Err(Fault::Malformed);
        }
        let scheme = self.line.uri.split_once(':').map_or("", |(scheme, _)| scheme);
        if !["sip", "sips", "tel"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return Err(Fault::Scheme);
        }
        // RFC 3261 8.2.2.3: not in a CANCEL, nor in the ACK that goes with it. What the ACK of a 2xx may require is
        // what its INVITE required, and was known.
        if !matches!(method, Method::Cancel | Method::Ack) {
            let is_unknown = |extension: &&str| !SUPPORTED.iter().any(|known| known.eq_ignore_ascii_case(extension));
            let unknown: Vec<String> = self.lines.entries("Require").filter(is_unknown).map(str::to_owned).collect();
            if !unknown.is_empty() {
                return Err(Fault::Extensions(unknown));
            }
        }
        Ok(Checked { method, cseq, body: self.relevant(body, method)?.to_vec() })
    }

    fn is_well_formed(&self) -> bool {
        let once = ["From", "To", "Call-ID", "CSeq"];
        let call_id = self.lines.value("Call-ID").unwrap_or_default();
        let hops = self.lines.value("Max-Forwards").is_none_or(|hops| hops.parse::<u8>().is_ok());
        let scheme_ends = self.line.uri.find(':').is_some_and(|i| i > 0);
        once.into_iter().all(|name| self.lines.named(name).count() == 1)
            && once.into_iter().all(|name| self.lines.value(name).is_some_and(|value| !value.is_empty()))
            && !call_id.contains(|c: char| c.is_ascii_whitespace())
            && self.lines.named("Max-Forwards").count() <= 1
            && hops
            && scheme_ends
            && self.via.is_tidy()
            && self.lines.value("Via").is_some_and(|via| Pieces::of(via, b',').all(|entry| !entry.is_empty()))
            && ["From", "To"].into_iter().all(|name| self.lines.value(name).is_some_and(is_address))
    }

    /// The body as far as it matters: where an offer or answer may stand, that. RFC 3261 8.2.3: what must be understood and is
    /// not, refuses the request. An ACK cannot be refused; without the answer that it should bring, the call ends.
    fn relevant<'b>(&self, body: &'b [u8], method: Method) -> Result<&'b [u8], Fault> {
        let may_describe = matches!(method, Method::Invite | Method::Prack | Method::Update | Method::Ack);
        if body.is_empty() || !may_describe {
            return Ok(body);
        }
        match session_description(&self.lines, body) {
            Ok(description) => Ok(description),
            Err(_) if method == Method::Ack => Ok(b""),
            Err(Unreadable::Malformed) => Err(Fault::Malformed),
            Err(Unreadable::MediaType) => Err(Fault::MediaType),
        }
    }

    fn request(self, Checked { method, cseq, body }: Checked) -> Option<Request> {
        Some(Request {
            method,
            uri: self.line.uri.to_owned(),
            cseq,
            call_id: self.lines.value("Call-ID")?.to_owned(),
            from_tag: self.lines.tag("From"),
            to_tag: self.lines.tag("To"),
            body,
            via: self.via,
            lines: self.lines,
        })
    }
}

/// The body (RFC 3261 18.3): without Content-Length to the end of the datagram; octets beyond it are dropped; a datagram
/// that ends before it is broken.
fn framed<'a>(lines: &HeaderLines, body: &'a [u8]) -> Option<&'a [u8]> {
    let mut lengths = lines.named("Content-Length").map(|line| decimal(&line.value));
    let Some(first) = lengths.next() else { return Some(body) };
    let first = first?;
    if lengths.any(|other| other != Some(first)) {
        return None;
    }
    body.get(..usize::try_from(first).ok()?)
}

fn response(line: &str, lines: HeaderLines, body: &[u8]) -> Option<Response> {
    let mut parts = line.splitn(3, ' ');
    let (version, code) = (parts.next()?, parts.next()?);
    let status = decimal(code).filter(|code| (100..700).contains(code))?;
    let (cseq, of) = cseq(&lines)?;
    let method = Method::from_name(of)?;
    let via = Via::parse(lines.entries("Via").next()?)?;
    let is_ours = version == "SIP/2.0" && lines.entries("Via").count() == 1;
    // RFC 3261 18.1.2 and 8.1.3.3: our requests have one Via; a response with more went astray.
    is_ours.then_some(Response {
        status: u16::try_from(status).ok()?,
        branch: via.branch()?.to_owned(),
        cseq,
        method,
        body: session_description(&lines, framed(&lines, body)?).unwrap_or_default().to_vec(),
        lines,
    })
}

fn cseq(lines: &HeaderLines) -> Option<(u32, &str)> {
    let mut parts = lines.value("CSeq")?.split_ascii_whitespace();
    let (number, of, more) = (parts.next()?, parts.next()?, parts.next());
    let number = decimal(number).filter(|number| *number < 1 << 31)?;
    more.is_none().then_some((number, of))
}

/// Digits and nothing else.
fn decimal(text: &str) -> Option<u32> {
    let text = text.trim();
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// One address whose quotes and brackets are closed, and whose tag, if there is one, is not empty: we add ours to it.
fn is_address(value: &str) -> bool {
    let (mut quoted, mut escaped, mut open) = (false, false, 0);
    for byte in value.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'<' if !quoted => open += 1,
            b'>' if !quoted => open -= 1,
            _ => {}
        }
        if !(0..=1).contains(&open) {
            return false;
        }
    }
    !quoted && open == 0 && tag_of(value) != Some("")
}

fn is_white_or_bracket(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"')
}

/// Start line and headers of the largest request that is let in. A signed identity takes 1 to 8 KiB of it.
const LARGEST_HEAD_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests;
