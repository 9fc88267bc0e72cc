//! Octets to header lines (RFC 3261 7.3).

use super::message::{HeaderLine, HeaderLines};

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
    let (mut lines, mut whole) = (Vec::new(), true);
    while !fields.is_empty() {
        let (line, mut rest) = split_line(fields);
        let mut unfolded = line.to_vec();
        while matches!(rest.first(), Some(b' ' | b'\t')) {
            let (more, after) = split_line(rest);
            unfolded.push(b' ');
            unfolded.extend_from_slice(more.trim_ascii());
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
    COMPACT.iter().find(|(compact, _)| name.eq_ignore_ascii_case(compact)).map_or(name, |(_, long)| long)
}

/// RFC 3261 25.1.
pub(super) fn is_token(text: &str) -> bool {
    let is_mark = |b: u8| b"-.!%*_+`'~".contains(&b);
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || is_mark(b))
}

/// More headers than any trunk sends; a request with more is refused as malformed.
const MOST_HEADERS: usize = 200;
