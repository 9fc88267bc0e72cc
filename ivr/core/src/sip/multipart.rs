//! The session description in a body (RFC 3261 8.2.3), which may have several parts (RFC 2046 5.1.3, RFC 5621): carriers
//! put one beside ISUP or a location. What must be understood and is not, refuses the request.

use std::ops::Range;

use super::header_lines::{HeaderLines, headers, split_head};
use super::identity::Parameters;

/// Why a body cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// 400: not as RFC 2046 writes parts, or more of them than there can be, or two descriptions.
    Malformed,
    /// 415: something in it must be understood and is not.
    MediaType,
}

/// The session description in a body with these headers: all of it, one of its parts, or none (empty) if what is there
/// need not be understood.
pub(crate) fn session_description<'a>(lines: &HeaderLines, body: &'a [u8]) -> Result<&'a [u8], Unreadable> {
    if is_encoded(lines) || !is(lines, "multipart/mixed") {
        // RFC 3261 20.11: a body on its own is required unless it says otherwise.
        return Ok(match role(lines, Handling::Required)? {
            Role::Session => body,
            Role::Optional => b"",
        });
    }
    let mut found = None;
    for part in parts(boundary(lines)?, body)? {
        let (lines, content) = read(part)?;
        // RFC 3261 20.11 would have the same of a part, but who adds one seldom says how much it matters, and a call
        // does not fail for a location: only a part that says it is required stands in the way.
        if role(&lines, Handling::Optional)? == Role::Session && found.replace(content).is_some() {
            return Err(Unreadable::Malformed);
        }
    }
    Ok(found.unwrap_or_default())
}

/// What a body or part is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The session description.
    Session,
    /// Something else, that need not be understood.
    Optional,
}

/// The `handling` parameter of Content-Disposition (RFC 3261 20.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Handling {
    Required,
    Optional,
}

/// `unstated`: what a missing `handling` means.
fn role(lines: &HeaderLines, unstated: Handling) -> Result<Role, Unreadable> {
    let disposition = lines.value("Content-Disposition").unwrap_or("session");
    let (kind, parameters) = disposition.split_once(';').unwrap_or((disposition, ""));
    let handling = match Parameters(parameters).value("handling") {
        Some(handling) if handling.eq_ignore_ascii_case("required") => Handling::Required,
        Some(handling) if handling.eq_ignore_ascii_case("optional") => Handling::Optional,
        _ => unstated,
    };
    // RFC 3959: an early session is another one.
    let is_session = kind.trim().eq_ignore_ascii_case("session");
    match (is(lines, "application/sdp") && is_session && !is_encoded(lines), handling) {
        (true, _) => Ok(Role::Session),
        (false, Handling::Optional) => Ok(Role::Optional),
        (false, Handling::Required) => Err(Unreadable::MediaType),
    }
}

fn is(lines: &HeaderLines, media_type: &str) -> bool {
    let given = lines.value("Content-Type").unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media_type)
}

/// RFC 2045 6.2: three ways of saying that the octets stand as they are.
fn is_encoded(lines: &HeaderLines) -> bool {
    let is_plain = |coding: &str| ["7bit", "8bit", "binary"].iter().any(|plain| coding.eq_ignore_ascii_case(plain));
    lines.says_encoded() || lines.value("Content-Transfer-Encoding").is_some_and(|coding| !is_plain(coding))
}

/// RFC 2046 5.1.1: 1 to 70 characters.
fn boundary(lines: &HeaderLines) -> Result<&str, Unreadable> {
    let parameters = lines.value("Content-Type").and_then(|value| value.split_once(';')).map_or("", |(_, given)| given);
    let boundary = Parameters(parameters).value("boundary").filter(|text| (1..=70).contains(&text.len()));
    boundary.ok_or(Unreadable::Malformed)
}

/// What stands between the delimiters (RFC 2046 5.1.1). What comes before the first and after the last is no part.
fn parts<'a>(boundary: &str, body: &'a [u8]) -> Result<Vec<&'a [u8]>, Unreadable> {
    let (mut parts, mut begun) = (Vec::new(), None);
    for line in lines(body) {
        let Some(delimiter) = Delimiter::read(boundary, &body[line.clone()]) else { continue };
        if let Some(begin) = begun.replace(line.end) {
            parts.push(&body[begin..line.start]);
        }
        if parts.len() > MOST_PARTS {
            break;
        }
        if delimiter == Delimiter::Last && !parts.is_empty() {
            return Ok(parts);
        }
    }
    // Without the last delimiter it was cut off.
    Err(Unreadable::Malformed)
}

/// Where each line begins and ends, its line end included.
fn lines(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    text.split_inclusive(|byte| *byte == b'\n').map(move |line| {
        let begin = at;
        at += line.len();
        begin..at
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delimiter {
    Next,
    Last,
}

impl Delimiter {
    /// `--boundary` or `--boundary--`, and white space.
    fn read(boundary: &str, line: &[u8]) -> Option<Self> {
        match line.strip_prefix(b"--")?.strip_prefix(boundary.as_bytes())?.trim_ascii_end() {
            b"" => Some(Self::Next),
            b"--" => Some(Self::Last),
            _ => None,
        }
    }
}

/// A part's headers and its content, without the line end that belongs to the delimiter after it (RFC 2046 5.1.1).
fn read(part: &[u8]) -> Result<(HeaderLines, &[u8]), Unreadable> {
    // A part without headers begins with the empty line.
    let bare = part.strip_prefix(b"\r\n").or(part.strip_prefix(b"\n")).map(|content| (&b""[..], content));
    let (head, content) = bare.or_else(|| split_head(part)).ok_or(Unreadable::Malformed)?;
    let (lines, whole) = headers(head);
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    let content = content.strip_suffix(b"\r").unwrap_or(content);
    if whole { Ok((lines, content)) } else { Err(Unreadable::Malformed) }
}

/// More parts than any carrier sends; a body with more is refused as malformed.
const MOST_PARTS: usize = 16;

#[cfg(test)]
mod tests;
