//! SIP messages as a telephone writes and reads them: no more than one call over UDP needs. Written apart from the
//! service's own parser, so that each checks the other.

/// A message: start line, headers in order, body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) start: Start,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

/// The start line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    Request { method: String, uri: String },
    Response { status: u16, reason: String },
}

impl Message {
    pub(super) fn request(method: &str, uri: &str) -> Self {
        Self { start: Start::Request { method: method.into(), uri: uri.into() }, headers: vec![], body: String::new() }
    }

    /// The answer to a request, with what RFC 3261 8.2.6.2 has copied from it.
    pub(super) fn response(status: u16, reason: &str, request: &Self) -> Self {
        let start = Start::Response { status, reason: reason.into() };
        let copied = ["Via", "From", "To", "Call-ID", "CSeq"];
        let headers =
            copied.iter().flat_map(|name| request.all(name).map(|value| ((*name).to_owned(), value.to_owned())));
        Self { start, headers: headers.collect(), body: String::new() }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(super) fn with_body(mut self, kind: &str, body: String) -> Self {
        self.body = body;
        self.with("Content-Type", kind)
    }

    /// `None` if it is no SIP message.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let first = lines.next()?;
        let start = match first.strip_prefix("SIP/2.0 ") {
            Some(rest) => {
                let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
                Start::Response { status: status.parse().ok()?, reason: reason.into() }
            }
            None => {
                let mut parts = first.strip_suffix(" SIP/2.0")?.splitn(2, ' ');
                Start::Request { method: parts.next()?.into(), uri: parts.next()?.into() }
            }
        };
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((long_form(name.trim()).to_owned(), value.trim().to_owned()))
        };
        Some(Self { start, headers: lines.map(header).collect::<Option<_>>()?, body: body.to_owned() })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let first = match &self.start {
            Start::Request { method, uri } => format!("{method} {uri} SIP/2.0\r\n"),
            Start::Response { status, reason } => format!("SIP/2.0 {status} {reason}\r\n"),
        };
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{first}{headers}Content-Length: {}\r\n\r\n{}", self.body.len(), self.body).into_bytes()
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(super) fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// The method that this message is, or answers.
    pub(super) fn method(&self) -> Option<&str> {
        match &self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => self.header("CSeq")?.split_whitespace().nth(1),
        }
    }

    /// The branch of the topmost Via.
    pub(super) fn branch(&self) -> Option<&str> {
        parameter(self.header("Via")?, "branch")
    }

    /// The URI in the Contact.
    pub(super) fn contact(&self) -> Option<&str> {
        let value = self.header("Contact")?;
        match value.split_once('<') {
            Some((_, rest)) => rest.split_once('>').map(|(uri, _)| uri),
            None => value.split(';').next(),
        }
    }
}

/// A parameter after the last `>` of a header's value.
pub(super) fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let after = value.rsplit_once('>').map_or(value, |(_, rest)| rest);
    after.split(';').skip(1).find_map(|p| p.trim().strip_prefix(name)?.strip_prefix('='))
}

/// RFC 3261 7.3.3: the compact forms.
fn long_form(name: &str) -> &str {
    match name.to_ascii_lowercase().as_str() {
        "v" => "Via",
        "f" => "From",
        "t" => "To",
        "i" => "Call-ID",
        "m" => "Contact",
        "c" => "Content-Type",
        "l" => "Content-Length",
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        let sent = Message::request("INVITE", "sip:7042@127.0.0.1")
            .with("Via", "SIP/2.0/UDP 127.0.0.1:5070;rport;branch=z9hG4bK77")
            .with("CSeq", "1 INVITE")
            .with_body("application/sdp", "v=0\r\n".into());
        let read = Message::parse(&sent.to_bytes()).unwrap();
        assert_eq!(read.start, sent.start);
        assert_eq!((read.branch(), read.method(), read.body.as_str()), (Some("z9hG4bK77"), Some("INVITE"), "v=0\r\n"));
        assert_eq!(read.header("content-length"), Some("5"));
    }

    #[test]
    fn compact_headers_and_contacts_are_understood() {
        let text = "SIP/2.0 200 OK\r\nv: SIP/2.0/UDP a;branch=z9\r\nt: <sip:x;tag=no>;tag=yes\r\nm: \"A\" <sip:a@b;x=y>;q=1\r\n\r\n";
        let read = Message::parse(text.as_bytes()).unwrap();
        assert_eq!(read.start, Start::Response { status: 200, reason: "OK".into() });
        assert_eq!((read.branch(), read.contact()), (Some("z9"), Some("sip:a@b;x=y")));
        assert_eq!(parameter(read.header("To").unwrap(), "tag"), Some("yes"));
    }

    #[test]
    fn other_bytes_are_no_message() {
        for bytes in [&b""[..], b"\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"SIP/2.0 abc X\r\n\r\n", b"\xff\xfe\r\n\r\n"]
        {
            assert_eq!(Message::parse(bytes), None);
        }
    }
}
