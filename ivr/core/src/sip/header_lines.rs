//! The header lines of a message or of a part of its body, and how they are read from octets (RFC 3261 7.3).

use std::borrow::Cow;
use std::fmt;

use super::identity::Pieces;

/// One header of a message, unfolded.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct HeaderLine {
    /// The long form of a compact name; else as written.
    pub(crate) name: String,
    /// The value, trimmed; what is not UTF-8 is read as ISO 8859-1, as old gateways write it.
    pub(crate) value: String,
    /// The octets, where they were not UTF-8: a copy of the header must not change them.
    pub(crate) octets: Option<Vec<u8>>,
}

impl HeaderLine {
    /// A header from text.
    pub(crate) fn new(name: &str, value: impl Into<String>) -> Self {
        Self { name: name.to_owned(), value: value.into(), octets: None }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.write_open(out);
        out.extend_from_slice(b"\r\n");
    }

    /// The same with a tag after the address.
    pub(super) fn write_tagged(&self, tag: &str, out: &mut Vec<u8>) {
        self.write_open(out);
        out.extend_from_slice(b";tag=");
        out.extend_from_slice(tag.as_bytes());
        out.extend_from_slice(b"\r\n");
    }

    /// Without the end of the line.
    fn write_open(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(self.octets.as_deref().unwrap_or(self.value.as_bytes()));
    }
}

/// Values say who calls, so only the name is shown.
impl fmt::Debug for HeaderLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: [private]", self.name)
    }
}

/// The headers of a message in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HeaderLines(pub(crate) Vec<HeaderLine>);

impl HeaderLines {
    /// Every header of this name.
    pub(crate) fn named(&self, name: &'static str) -> impl Iterator<Item = &HeaderLine> {
        self.0.iter().filter(move |line| line.name.eq_ignore_ascii_case(name))
    }

    /// The first value of this name.
    pub(crate) fn value(&self, name: &'static str) -> Option<&str> {
        self.named(name).map(|line| line.value.as_str()).next()
    }

    /// The entries of every header of this name, comma-separated lists taken apart.
    pub(crate) fn entries(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.named(name).flat_map(|line| Pieces::of(&line.value, b',')).filter(|entry| !entry.is_empty())
    }

    /// Does a list of this name hold this token?
    pub(crate) fn lists(&self, name: &'static str, token: &str) -> bool {
        self.entries(name).any(|entry| entry.eq_ignore_ascii_case(token))
    }

    /// Does Content-Encoding name another coding than none at all?
    pub(crate) fn says_encoded(&self) -> bool {
        self.entries("Content-Encoding").any(|coding| !coding.eq_ignore_ascii_case("identity"))
    }

    /// Name and value of each, for [`Headers`](super::identity::Headers).
    pub(crate) fn pairs(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|line| (line.name.as_str(), line.value.as_str())).collect()
    }

    /// The tag of From or To.
    pub(crate) fn tag(&self, name: &'static str) -> Option<String> {
        self.value(name).and_then(tag_of).map(str::to_owned)
    }
}

/// The `tag` of an address: a header parameter, so it stands after `>`, or after the first `;` if there is no `<`
/// (RFC 3261 20.10).
pub(crate) fn tag_of(value: &str) -> Option<&str> {
    let parameters = match super::identity::split_at_bracket(value) {
        Some((_, rest)) => rest.split_once('>').map(|(_, parameters)| parameters)?,
        None => value.split_once(';').map(|(_, parameters)| parameters)?,
    };
    super::identity::Parameters(parameters).value("tag")
}

/// What stands before the empty line, and what after. A message without one was cut off.
pub(super) fn split_head(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut at = 0;
    loop {
        let end = at + message[at..].iter().position(|byte| *byte == b'\n')?;
        let next = &message[end + 1..];
        let skip = if next.starts_with(b"\r\n") { 2 } else { usize::from(next.starts_with(b"\n")) };
        if skip > 0 {
            return Some((&message[..=end], &next[skip..]));
        }
        at = end + 1;
    }
}

/// The first line without its end, and what follows.
pub(super) fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| *byte == b'\n');
    let (line, rest) = end.map_or((text, &b""[..]), |end| (&text[..end], &text[end + 1..]));
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

/// The headers, unfolded (RFC 3261 7.3.1), and whether every line was one.
pub(super) fn headers(mut fields: &[u8]) -> (HeaderLines, bool) {
    let (mut lines, mut whole) = (Vec::with_capacity(USUAL_HEADERS), true);
    while !fields.is_empty() {
        let (line, mut rest) = split_line(fields);
        let mut unfolded = Cow::Borrowed(line);
        while matches!(rest.first(), Some(b' ' | b'\t')) {
            let (more, after) = split_line(rest);
            unfolded.to_mut().push(b' ');
            unfolded.to_mut().extend_from_slice(more.trim_ascii());
            rest = after;
        }
        fields = rest;
        if lines.len() == MOST_HEADERS {
            return (HeaderLines(lines), false);
        }
        match header(&unfolded) {
            Some(line) => lines.push(line),
            None => whole = false,
        }
    }
    (HeaderLines(lines), whole)
}

fn header(line: &[u8]) -> Option<HeaderLine> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = std::str::from_utf8(line[..colon].trim_ascii_end()).ok().filter(|name| is_token(name))?;
    let octets = line[colon + 1..].trim_ascii();
    // A lone CR could end the line for the next reader of a header that we copy.
    if octets.contains(&b'\r') {
        return None;
    }
    let name = long_form(name);
    Some(match std::str::from_utf8(octets) {
        Ok(value) => HeaderLine::new(name, value),
        Err(_) => HeaderLine {
            name: name.to_owned(),
            value: octets.iter().copied().map(char::from).collect(),
            octets: Some(octets.to_vec()),
        },
    })
}

/// The long form of a compact name (RFC 3261 7.3.3 and the IANA registry).
fn long_form(name: &str) -> &str {
    const COMPACT: [(&str, &str); 17] = [
        ("a", "Accept-Contact"),
        ("b", "Referred-By"),
        ("c", "Content-Type"),
        ("d", "Request-Disposition"),
        ("e", "Content-Encoding"),
        ("f", "From"),
        ("i", "Call-ID"),
        ("k", "Supported"),
        ("l", "Content-Length"),
        ("m", "Contact"),
        ("o", "Event"),
        ("r", "Refer-To"),
        ("s", "Subject"),
        ("t", "To"),
        ("v", "Via"),
        ("x", "Session-Expires"),
        ("y", "Identity"),
    ];
    if name.len() > 1 {
        return name;
    }
    COMPACT.iter().find(|(compact, _)| name.eq_ignore_ascii_case(compact)).map_or(name, |(_, long)| long)
}

/// RFC 3261 25.1.
pub(super) fn is_token(text: &str) -> bool {
    let is_mark = |b: u8| b"-.!%*_+`'~".contains(&b);
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || is_mark(b))
}

/// As many as most requests have.
const USUAL_HEADERS: usize = 24;
/// More headers than any trunk sends; a request with more is refused as malformed.
const MOST_HEADERS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_stands_after_the_address() {
        for (value, tag) in [
            ("<sip:a@h>;tag=1", Some("1")),
            ("<sip:a@h;tag=2>", None),
            ("sip:a@h;tag=3", Some("3")),
            (r#""<;tag=4>" <sip:a@h>;x=y;TAG=5"#, Some("5")),
            ("<sip:a@h", None),
        ] {
            assert_eq!(tag_of(value), tag, "{value}");
        }
    }
}
