//! Forms of strangers: their fields, whether they were sent as `application/x-www-form-urlencoded` or, with a file, as
//! `multipart/form-data` (RFC 7578). The whole body is in memory, and small: the router's body limit holds for it.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use super::App;
use super::csrf::Visitor;
use super::error::WebError;

/// More fields than any form of ours has are refused.
const MOST_FIELDS: usize = 32;

/// The fields of a form, and only after its token was right.
#[derive(Debug)]
pub struct Fields(Vec<(String, Vec<u8>)>);

/// A form as a struct, after its token was right. A field that may be missing has `#[serde(default)]`.
#[derive(Debug)]
pub struct Checked<T>(pub T);

impl Fields {
    /// A field as text; empty if it is missing or no text.
    pub fn text(&self, name: &str) -> &str {
        std::str::from_utf8(self.bytes(name)).unwrap_or_default()
    }

    /// A field as it is, such as a file; empty if it is missing.
    pub fn bytes(&self, name: &str) -> &[u8] {
        self.0.iter().find(|(found, _)| found == name).map_or(&[], |(_, value)| value)
    }
}

impl FromRequest<App> for Fields {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let visitor = request.extensions().get::<Visitor>().copied();
        let kind =
            request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
        let body = Bytes::from_request(request, app).await.map_err(IntoResponse::into_response)?;
        let malformed = || WebError::Malformed("the form cannot be read".into()).into_response();
        let fields = if kind.starts_with("application/x-www-form-urlencoded") {
            let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(&body).map_err(|_| malformed())?;
            pairs.into_iter().map(|(name, value)| (name, value.into_bytes())).collect()
        } else if kind.starts_with("multipart/form-data") {
            boundary(&kind).and_then(|boundary| parts(&body, boundary)).ok_or_else(malformed)?
        } else {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response());
        };
        if fields.len() > MOST_FIELDS {
            return Err(malformed());
        }
        let fields = Self(fields);
        match visitor {
            Some(visitor) if visitor.sent(fields.text("csrf"), &app.csrf) => Ok(fields),
            _ => Err(WebError::FormExpired.into_response()),
        }
    }
}

impl<T: DeserializeOwned> FromRequest<App> for Checked<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let Fields(fields) = Fields::from_request(request, app).await?;
        let pairs: Vec<(String, String)> =
            fields.into_iter().filter_map(|(name, value)| Some((name, String::from_utf8(value).ok()?))).collect();
        let read = serde_urlencoded::to_string(pairs)
            .map_err(|error| error.to_string())
            .and_then(|pairs| serde_urlencoded::from_str(&pairs).map_err(|error| error.to_string()));
        read.map(Self).map_err(|error| WebError::field(format!("the form cannot be read: {error}")).into_response())
    }
}

/// RFC 2046 5.1.1: 1 to 70 characters, quoted or not.
fn boundary(kind: &str) -> Option<&str> {
    let parameter =
        |part: &'_ str| part.trim().split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("boundary")).is_some();
    let (_, value) = kind.split(';').find(|part| parameter(part))?.trim().split_once('=')?;
    let value = value.trim_matches('"');
    (1..=70).contains(&value.len()).then_some(value)
}

/// Every part's name and content. `None` if it is no such body.
fn parts(body: &[u8], boundary: &str) -> Option<Vec<(String, Vec<u8>)>> {
    // RFC 2046 5.1.1: a delimiter is CRLF, "--" and the boundary; the first may lack the CRLF.
    let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
    let mut rest = body.strip_prefix(&delimiter[2..])?;
    let mut fields = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Some(fields);
        }
        if fields.len() == MOST_FIELDS {
            return None;
        }
        let part = rest.strip_prefix(b"\r\n")?;
        let end = find(part, &delimiter)?;
        // A part without header lines begins with the empty line.
        let (head, content) = match part[..end].strip_prefix(b"\r\n") {
            Some(content) => (&part[..0], content),
            None => {
                let head_end = find(&part[..end], b"\r\n\r\n")?;
                (&part[..head_end], &part[head_end + 4..end])
            }
        };
        fields.push((name(std::str::from_utf8(head).ok()?)?, content.to_vec()));
        rest = &part[end + delimiter.len()..];
    }
}

/// RFC 7578 4.2: `Content-Disposition: form-data; name="…"`. Our own names need no unescaping.
fn name(head: &str) -> Option<String> {
    let line = head.split("\r\n").find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let (_, from) = line.split_once("; name=\"").or_else(|| line.split_once(";name=\""))?;
    Some(from.split_once('"')?.0.to_owned())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text and a file, up to the last delimiter.
    const FIELDS: &[u8] = b"--x\r\nContent-Disposition: form-data; name=\"number\"\r\n\r\n+1 202\r\n--x\r\n\
        content-disposition: form-data; name=\"file\"; filename=\"a; name=b\"\r\n\
        Content-Type: application/pkcs10\r\n\r\n0\x82\r\n--y";

    #[test]
    fn a_form_with_a_file_gives_its_fields() {
        let body = [FIELDS, b"\r\n--x--\r\n"].concat();
        let fields = Fields(parts(&body, "x").unwrap());
        assert_eq!(fields.text("number"), "+1 202");
        assert_eq!(fields.bytes("file"), b"0\x82\r\n--y");
        assert_eq!((fields.text("missing"), fields.text("file")), ("", ""));
    }

    #[test]
    fn what_is_no_form_is_refused() {
        let many = format!(
            "--x{}--\r\n",
            "\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n--x".repeat(MOST_FIELDS + 1)
        );
        let table: [(&str, &[u8]); 6] = [
            ("nothing", b""),
            ("no end", b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1"),
            ("no name", b"--x\r\nContent-Type: text/plain\r\n\r\n1\r\n--x--"),
            ("no head", b"--x\r\n\r\n1\r\n--x--"),
            ("something after a delimiter", &[FIELDS, b"\r\n--xy\r\n--x--"].concat()),
            ("too many fields", many.as_bytes()),
        ];
        for (name, body) in table {
            assert!(parts(body, "x").is_none(), "{name}");
        }
    }

    #[test]
    fn boundaries_are_read_quoted_or_not() {
        assert_eq!(boundary("multipart/form-data; boundary=----WebKit7"), Some("----WebKit7"));
        assert_eq!(boundary("multipart/form-data; charset=utf-8; Boundary=\"a b\""), Some("a b"));
        for kind in ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; xboundary=a"] {
            assert_eq!(boundary(kind), None, "{kind}");
        }
    }
}
