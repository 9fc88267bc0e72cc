//! What a SHAKEN token says of a call (RFC 8225 5, RFC 8588 4).

use serde_json::{Map, Value};

use super::{Fault, json};
use crate::caller::Attest;

/// The claims. Others than these mean nothing to us and are no fault (RFC 7519 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) attest: Attest,
    /// Seconds since 1970.
    pub(super) iat: i64,
    /// Digits, without `+`.
    pub(super) orig: String,
    /// The same of each number called.
    pub(super) dest: Vec<String>,
    pub(super) origid: OrigId,
}

/// `origid`: what the signer calls the caller's gateway or customer. It proves nothing and is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrigId(String);

impl Claims {
    /// Reads the payload.
    pub(super) fn read(payload: &[u8]) -> Result<Self, Fault> {
        let claims = json::object(payload)?;
        Ok(Self {
            iat: claims.get("iat").and_then(Value::as_i64).ok_or(Fault::Iat)?,
            orig: orig(&claims)?,
            dest: dest(&claims)?,
            attest: match claims.get("attest").and_then(Value::as_str) {
                Some("A") => Attest::A,
                Some("B") => Attest::B,
                Some("C") => Attest::C,
                _ => return Err(Fault::Attest),
            },
            origid: claims.get("origid").and_then(Value::as_str).and_then(OrigId::read).ok_or(Fault::OrigId)?,
        })
    }
}

/// RFC 8225 5.2.1: one identity, and SHAKEN's is a number.
fn orig(claims: &Map<String, Value>) -> Result<String, Fault> {
    let orig = claims.get("orig").and_then(Value::as_object).filter(|orig| orig.len() == 1);
    orig.and_then(|orig| digits(orig.get("tn")?)).ok_or(Fault::Orig)
}

/// RFC 8225 5.2.1: `tn` is an array even of one number; `uri` may stand beside it.
fn dest(claims: &Map<String, Value>) -> Result<Vec<String>, Fault> {
    let numbers = claims.get("dest").and_then(|dest| dest.as_object()?.get("tn")?.as_array());
    numbers.and_then(|numbers| numbers.iter().map(digits).collect()).ok_or(Fault::Dest)
}

/// RFC 8224 8.3: a canonical number has no `+` and no visual separators. Its `*` and `#` are of no number that calls here.
fn digits(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let is_number = (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.to_owned())
}

impl OrigId {
    /// RFC 8588 5 wants a UUID. What others write is as good for finding the call in their records, if it is short and
    /// harmless to show.
    fn read(text: &str) -> Option<Self> {
        let is_harmless = (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_harmless.then(|| Self(text.to_owned()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8588 6, without its line breaks, with the commas that it lacks, and with `iat` as a number (erratum 6656; RFC 8225 5.1.1).
    const EXAMPLE: &str = r#"{"attest":"A","dest":{"tn":["12155550131"]},"iat":1443208345,"orig":{"tn":"12155550121"},"origid":"123e4567-e89b-12d3-a456-426655440000"}"#;

    #[test]
    fn the_example_of_the_rfc_is_read() {
        let claims = Claims::read(EXAMPLE.as_bytes()).unwrap();
        assert_eq!((claims.attest, claims.iat, claims.orig.as_str()), (Attest::A, 1_443_208_345, "12155550121"));
        assert_eq!(claims.dest, ["12155550131"]);
        assert_eq!(claims.origid.as_str(), "123e4567-e89b-12d3-a456-426655440000");
    }

    #[test]
    fn a_claim_of_another_shape_is_named() {
        for (from, to, fault) in [
            (r#""attest":"A""#, r#""attest":"Z""#, Fault::Attest),
            (r#""attest":"A""#, r#""attest":"a""#, Fault::Attest),
            (r#""attest":"A","#, "", Fault::Attest),
            (r#"{"tn":["12155550131"]}"#, r#"{"tn":"12155550131"}"#, Fault::Dest),
            (r#"{"tn":["12155550131"]}"#, r#"["12155550131"]"#, Fault::Dest),
            (r#"{"tn":["12155550131"]}"#, r#"{"uri":["sip:a@b"]}"#, Fault::Dest),
            (r#"["12155550131"]"#, r#"[12155550131]"#, Fault::Dest),
            (r#""orig":{"tn":"12155550121"}"#, r#""orig":"12155550121""#, Fault::Orig),
            (r#"{"tn":"12155550121"}"#, r#"{"tn":["12155550121"]}"#, Fault::Orig),
            (r#"{"tn":"12155550121"}"#, r#"{"tn":"12155550121","uri":"sip:a@b"}"#, Fault::Orig),
            (r#""12155550121""#, r#""+12155550121""#, Fault::Orig),
            ("1443208345", "\"1443208345\"", Fault::Iat),
            ("1443208345", "1443208345.5", Fault::Iat),
            (r#""123e4567-e89b-12d3-a456-426655440000""#, "\"\"", Fault::OrigId),
            (r#""123e4567-e89b-12d3-a456-426655440000""#, "\"a b\"", Fault::OrigId),
            (r#""iat""#, r#""attest":"A","iat""#, Fault::DuplicateKey),
        ] {
            let changed = EXAMPLE.replacen(from, to, 1);
            assert_ne!(changed, EXAMPLE, "{from}");
            assert_eq!(Claims::read(changed.as_bytes()), Err(fault), "{changed}");
        }
    }
}
