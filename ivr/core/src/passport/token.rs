//! A SHAKEN token in full form: a JWS (RFC 7515) over its header and claims (RFC 8225).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::claims::Claims;
use super::header::IdentityHeader;
use super::key::Key;
use super::{FRESH_SECONDS, Fault, OrigId, json};
use crate::caller::Attest;

/// A token whose shape is right. Nothing of it is proved.
#[derive(Clone, PartialEq, Eq)]
pub struct Passport {
    claims: Claims,
    x5u: String,
    signed: String,
    signature: [u8; 64],
}

/// Who calls whom, as the INVITE says: E.164 digits without `+`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed<'a> {
    /// The caller.
    pub orig: &'a str,
    /// The number that was called.
    pub dest: &'a str,
}

/// Without numbers.
impl std::fmt::Debug for Passport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passport")
            .field("attest", &self.claims.attest)
            .field("iat", &self.claims.iat)
            .finish_non_exhaustive()
    }
}

impl Passport {
    /// Reads an Identity header's value.
    ///
    /// # Errors
    /// What is wrong with its shape.
    pub fn read(identity: &str) -> Result<Self, Fault> {
        let IdentityHeader { token, info } = IdentityHeader::read(identity)?;
        let parts: Vec<&str> = token.split('.').collect();
        let &[header, payload, signature] = parts.as_slice() else { return Err(Fault::Token) };
        if header.is_empty() && payload.is_empty() {
            return Err(Fault::Compact);
        }
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Fault::Token);
        let x5u = x5u(&decoded(header)?)?;
        let claims = Claims::read(&decoded(payload)?)?;
        if x5u != info {
            return Err(Fault::InfoDiffers);
        }
        // RFC 7518 3.4: R and S, 32 octets each.
        let signature = decoded(signature)?.try_into().map_err(|_| Fault::Signature)?;
        let signed = token[..header.len() + 1 + payload.len()].to_owned();
        Ok(Self { claims, x5u, signed, signature })
    }

    /// Is it fresh, and about this call? `at` is in seconds since 1970.
    ///
    /// # Errors
    /// What is not so.
    pub fn check(&self, claimed: Claimed<'_>, at: i64) -> Result<(), Fault> {
        match at.saturating_sub(self.claims.iat) {
            age if age > FRESH_SECONDS => return Err(Fault::Stale),
            age if age < -FRESH_SECONDS => return Err(Fault::Future),
            _ => {}
        }
        if self.claims.orig != claimed.orig {
            return Err(Fault::OtherOrig);
        }
        if !self.claims.dest.iter().any(|dest| dest == claimed.dest) {
            return Err(Fault::OtherDest);
        }
        Ok(())
    }

    /// Where its certificate lies: an https URL, as far as its first letters tell.
    pub fn x5u(&self) -> &str {
        &self.x5u
    }

    /// What the signer says of its right to the number.
    pub fn attest(&self) -> Attest {
        self.claims.attest
    }

    /// When it was made, in seconds since 1970.
    pub fn iat(&self) -> i64 {
        self.claims.iat
    }

    /// See [`OrigId`].
    pub fn origid(&self) -> &OrigId {
        &self.claims.origid
    }

    /// Tells it from every other: of what is signed, because a second signature over it makes no other token.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.signed.as_bytes()).into()
    }

    /// The number that calls, digits without `+`.
    pub(super) fn orig(&self) -> &str {
        &self.claims.orig
    }

    pub(super) fn check_signature(&self, key: &Key) -> Result<(), Fault> {
        let holds = key.has_signed_jws(self.signed.as_bytes(), &self.signature);
        if holds { Ok(()) } else { Err(Fault::Signature) }
    }
}

/// The JWS's header, of which only the certificate's place is left open (RFC 8225 4 and 8.1).
fn x5u(header: &[u8]) -> Result<String, Fault> {
    let header = json::object(header)?;
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    if header.contains_key("crit") {
        return Err(Fault::Critical);
    }
    if text("alg") != Some("ES256") {
        return Err(Fault::Algorithm);
    }
    if text("typ") != Some("passport") {
        return Err(Fault::Type);
    }
    if text("ppt") != Some("shaken") {
        return Err(Fault::Extension);
    }
    // With a query, or a fragment, one certificate would lie at as many places as somebody cares to write.
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#');
    let is_url = |url: &&str| url.len() <= LONGEST_URL && url.starts_with("https://") && url.bytes().all(is_plain);
    text("x5u").filter(is_url).map(str::to_owned).ok_or(Fault::X5u)
}

/// It is kept in records.
const LONGEST_URL: usize = 512;
