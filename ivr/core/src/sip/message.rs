//! The messages: what the gate let in, and what we send. What others write is kept as they wrote it, byte for byte.

use std::fmt;
use std::io::Write as _;

use rand_core::Rng;

use super::header_lines::{HeaderLine, HeaderLines, tag_of};
use super::identity::{Headers, Pieces};
use super::info_key;
use super::peer::Peer;
use super::session_timer::SHORTEST_SESSION_SECONDS;
use super::via::Via;
pub(crate) use super::vocabulary::{Method, Status};

/// A request that passed the gate.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// What is asked.
    pub(crate) method: Method,
    /// The Request-URI.
    pub(crate) uri: String,
    /// The topmost Via.
    pub(crate) via: Via,
    /// The number of CSeq; its method is `method`.
    pub(crate) cseq: u32,
    /// The Call-ID.
    pub(crate) call_id: String,
    /// The sender's tag; RFC 2543 had none.
    pub(crate) from_tag: Option<String>,
    /// The receiver's tag: there is one inside a dialog.
    pub(crate) to_tag: Option<String>,
    /// All headers.
    pub(crate) lines: HeaderLines,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Start line and CSeq, for the ladder.
    pub(crate) fn summary(&self) -> String {
        let Self { method, cseq, .. } = self;
        format!("{method} {} SIP/2.0 ({cseq})", shortened(&recorded_uri(&self.uri)))
    }

    /// Does its sender know this extension (RFC 3261 20.37)? What is required of us is known to who requires it.
    pub(crate) fn supports(&self, extension: &str) -> bool {
        self.requires(extension) || self.lines.lists("Supported", extension)
    }

    /// Must we know this extension (RFC 3261 20.32)?
    pub(crate) fn requires(&self, extension: &str) -> bool {
        self.lines.lists("Require", extension)
    }

    /// Is the body encoded in a way that we do not read (RFC 3261 20.12)?
    pub(crate) fn is_encoded(&self) -> bool {
        self.lines.says_encoded()
    }

    /// Who calls, judged by `f`.
    pub(crate) fn with_headers<T>(&self, f: impl FnOnce(Headers<'_>) -> T) -> T {
        f(Headers(&self.lines.pairs()))
    }
}

/// The URIs and the body name people and keys.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, cseq, lines, .. } = self;
        f.debug_struct("Request")
            .field("method", method)
            .field("cseq", cseq)
            .field("lines", lines)
            .finish_non_exhaustive()
    }
}

/// A response that passed the gate.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Response {
    /// 100 to 699.
    pub(crate) status: u16,
    /// The branch of the topmost Via, which is ours.
    pub(crate) branch: String,
    /// The number of CSeq.
    pub(crate) cseq: u32,
    /// The method of CSeq.
    pub(crate) method: Method,
    /// All headers.
    pub(crate) lines: HeaderLines,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// The body is a session description, which may hold keys.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, cseq, method, .. } = self;
        f.debug_struct("Response")
            .field("status", status)
            .field("cseq", cseq)
            .field("method", method)
            .finish_non_exhaustive()
    }
}

/// What the record keeps of a Request-URI: scheme, host, and a user that is a number. Everything else may be the trunk's
/// ingress secret.
pub(crate) fn recorded_uri(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once(':') else { return "…".to_owned() };
    match rest.rsplit_once('@') {
        Some((user, host)) => [scheme, ":", recorded_number(user), "@", without_parameters(host)].concat(),
        None if scheme.eq_ignore_ascii_case("tel") => [scheme, ":", recorded_number(rest)].concat(),
        None => [scheme, ":", without_parameters(rest)].concat(),
    }
}

fn recorded_number(user: &str) -> &str {
    let user = without_parameters(user);
    let is_number = !user.is_empty() && user.bytes().all(|byte| b"+0123456789-.()*#".contains(&byte));
    if is_number { user } else { "…" }
}

fn without_parameters(text: &str) -> &str {
    text.split([';', '?']).next().unwrap_or_default()
}

/// The beginning of a text, short enough for a record.
pub(crate) fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_RECORDED_BYTES)]
}

/// What we answer to a request, before it is written.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// 100 to 699.
    pub(crate) status: u16,
    /// Lines of its own, as they are sent.
    headers: Vec<u8>,
    body: Vec<u8>,
}

/// The body is a session description, which may hold keys.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Reply {
    /// An answer without headers of its own.
    pub(crate) fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// A refusal. A 503 says when to come again: in 1 to 5 s, not the same for everybody, lest all come back at once. A
    /// 422 says how long a session must be (RFC 4028 6).
    pub(crate) fn refusal(status: u16, chance: &mut impl Rng) -> Self {
        let reply = Self::new(status);
        match status {
            503 => reply.retry_after(chance.next_u32() % 5 + 1),
            422 => reply.header("Min-SE", SHORTEST_SESSION_SECONDS),
            _ => reply,
        }
    }

    /// One more header.
    pub(crate) fn header(mut self, name: &str, value: impl fmt::Display) -> Self {
        write_line(name, value, &mut self.headers);
        self
    }

    /// Which methods we serve (RFC 3261 20.5).
    pub(crate) fn allow(self) -> Self {
        self.header("Allow", SERVED.map(Method::name).join(", "))
    }

    /// Which bodies and encodings we read (RFC 3261 20.1, 20.2).
    pub(crate) fn accept(self) -> Self {
        self.accept_only(&["application/sdp", "multipart/mixed", info_key::RELAY, info_key::BARE])
    }

    /// Which of them in a request of one kind.
    pub(crate) fn accept_only(self, media_types: &[&str]) -> Self {
        self.header("Accept", media_types.join(", ")).header("Accept-Encoding", "identity")
    }

    /// The extensions that we know (RFC 3261 20.37).
    pub(crate) fn supported(self) -> Self {
        self.header("Supported", SUPPORTED.join(", "))
    }

    /// The extensions that the other side must know to read this (RFC 3261 20.32).
    pub(crate) fn require(self, extension: &str) -> Self {
        self.header("Require", extension)
    }

    /// The extensions that were required and are not supported (RFC 3261 8.2.2.3).
    pub(crate) fn unsupported(self, extensions: &[String]) -> Self {
        self.header("Unsupported", extensions.join(", "))
    }

    /// The URI at which in-dialog requests reach us.
    pub(crate) fn contact(self, uri: &str) -> Self {
        self.header("Contact", format_args!("<{uri}>"))
    }

    /// When to try again.
    pub(crate) fn retry_after(self, seconds: u32) -> Self {
        self.header("Retry-After", seconds)
    }

    /// A session description.
    pub(crate) fn sdp(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self.header("Content-Type", "application/sdp")
    }

    /// The octets of the response to a request with these headers (RFC 3261 8.2.6). `to_tag` is ours; it stands in
    /// unless To has a tag already or this is a 100.
    pub(crate) fn write(&self, asked: &Asked<'_>, to_tag: &str, server: Option<&str>) -> Vec<u8> {
        let mut out = Vec::with_capacity(USUAL_BYTES + self.headers.len() + self.body.len());
        put(&mut out, format_args!("SIP/2.0 {}\r\n", Status(self.status)));
        write_line("Via", asked.via.stamped(asked.from.address), &mut out);
        for (i, line) in asked.lines.named("Via").enumerate() {
            if i > 0 {
                line.write(&mut out);
                continue;
            }
            let mut pieces = Pieces::of(&line.value, b',');
            pieces.next();
            if let Some(rest) = pieces.rest() {
                write_line("Via", rest.trim(), &mut out);
            }
        }
        for name in ["From", "To", "Call-ID", "CSeq"] {
            for line in asked.lines.named(name).take(1) {
                let wants_tag = name == "To" && self.status > 100 && tag_of(&line.value).is_none();
                if wants_tag { line.write_tagged(to_tag, &mut out) } else { line.write(&mut out) }
            }
        }
        if self.status == 100 {
            // RFC 3261 8.2.6.1.
            asked.lines.named("Timestamp").take(1).for_each(|line| line.write(&mut out));
        }
        if (101..300).contains(&self.status) {
            // RFC 3261 12.1.1: the proxies that want to see the rest of the dialog.
            asked.lines.named("Record-Route").for_each(|line| line.write(&mut out));
        }
        out.extend_from_slice(&self.headers);
        if let Some(server) = server {
            write_line("Server", server, &mut out);
        }
        write_body(&self.body, &mut out);
        out
    }
}

/// The request that is answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// Its source.
    pub(crate) from: Peer,
    /// Its topmost Via.
    pub(crate) via: &'a Via,
    /// Its headers.
    pub(crate) lines: &'a HeaderLines,
}

impl<'a> Asked<'a> {
    /// A request that passed the gate.
    pub(crate) fn of(request: &'a Request, from: Peer) -> Self {
        Self { from, via: &request.via, lines: &request.lines }
    }
}

/// The octets of a request of ours: its start line, its headers as given, and who we are.
pub(crate) fn write_request(
    method: Method,
    uri: &str,
    lines: &[HeaderLine],
    body: &[u8],
    server: Option<&str>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(USUAL_BYTES + body.len());
    put(&mut out, format_args!("{method} {uri} SIP/2.0\r\n"));
    lines.iter().for_each(|line| line.write(&mut out));
    if let Some(server) = server {
        write_line("User-Agent", server, &mut out);
    }
    write_body(body, &mut out);
    out
}

fn write_line(name: &str, value: impl fmt::Display, out: &mut Vec<u8>) {
    put(out, format_args!("{name}: {value}\r\n"));
}

fn write_body(body: &[u8], out: &mut Vec<u8>) {
    write_line("Content-Length", body.len(), out);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
}

fn put(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a vector takes every octet");
}

/// Room for the headers of most messages.
const USUAL_BYTES: usize = 1_024;
/// What the other side writes goes into the database only so far.
const LONGEST_RECORDED_BYTES: usize = 200;
/// The extensions that we know: session timers (RFC 4028) and reliable provisional responses (RFC 3262).
pub(crate) const SUPPORTED: [&str; 2] = ["timer", "100rel"];
/// The methods that a dialog or an OPTIONS may use with us.
pub(crate) const SERVED: [Method; 8] = [
    Method::Invite,
    Method::Ack,
    Method::Bye,
    Method::Cancel,
    Method::Info,
    Method::Options,
    Method::Prack,
    Method::Update,
];
