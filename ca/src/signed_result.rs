//! Results for web sites that want to know who called and need no certificate: a JWS (RFC 7515) in the compact form,
//! signed with ES256 by a key of its own, which is published as a JWK set (RFC 7517). The same key signs heads of the
//! service's audit; `typ` tells the two apart.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::pkcs8::DecodePrivateKey;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::signer::Signer;

/// The key that signs results. Its Debug tells the public half only.
pub struct ResultKey(SigningKey);

/// What claims are about: `typ` of the header (RFC 8725 3.11), so that one kind never passes for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statement {
    /// Who called: for a web site.
    Result,
    /// How an audit ended at some time: for whoever keeps watch on its keepers.
    AuditHead,
}

impl Statement {
    fn typ(self) -> &'static str {
        match self {
            Self::Result => "dialproof-result+jwt",
            Self::AuditHead => "dialproof-audit-head+jwt",
        }
    }
}

/// Why claims are not signed.
#[derive(Debug, thiserror::Error)]
pub enum ResultError {
    /// They are no JSON object.
    #[error("the claims of a result must be a JSON object")]
    NotAnObject,
    /// They cannot be written as JSON.
    #[error("the claims of a result cannot be written as JSON")]
    Encoding(#[from] serde_json::Error),
}

impl ResultKey {
    pub(crate) fn from_signer(signer: &Signer) -> Option<Self> {
        SigningKey::from_pkcs8_der(signer.pkcs8()).ok().map(Self)
    }

    /// Signs claims, which are an object such as `{"sub": "tel:+…", "level": "L2", "iat": …}`.
    ///
    /// # Errors
    /// If they are no object.
    pub fn sign(&self, statement: Statement, claims: &impl Serialize) -> Result<String, ResultError> {
        let claims = serde_json::to_value(claims)?;
        if !claims.is_object() {
            return Err(ResultError::NotAnObject);
        }
        let header = json!({ "alg": "ES256", "kid": self.key_id(), "typ": statement.typ() });
        let signed =
            format!("{}.{}", base64url(&serde_json::to_vec(&header)?), base64url(&serde_json::to_vec(&claims)?));
        // RFC 7518 3.4: r and s, 32 octets each. RFC 6979 makes it need no randomness.
        let signature: Signature = self.0.sign(signed.as_bytes());
        Ok(format!("{signed}.{}", base64url(&signature.to_bytes())))
    }

    /// The claims of a statement of this kind that this key signed; `None` for everything else.
    pub fn verify(&self, statement: Statement, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        self.0.verifying_key().verify(signed.as_bytes(), &signature).ok()?;
        let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        if read(header)?["typ"] == statement.typ() { read(claims) } else { None }
    }

    /// The public key as a JWK set.
    pub fn jwks(&self) -> Value {
        let (x, y) = self.coordinates();
        json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", "alg": "ES256", "kid": self.key_id(),
        }] })
    }

    /// RFC 7638: the hash of the key's required members in the order of the alphabet.
    pub fn key_id(&self) -> String {
        let (x, y) = self.coordinates();
        base64url(&Sha256::digest(format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)))
    }

    pub(crate) fn is(&self, point: &[u8]) -> bool {
        self.0.verifying_key().to_sec1_point(false).as_bytes() == point
    }

    fn coordinates(&self) -> (String, String) {
        let key: &VerifyingKey = self.0.verifying_key();
        // SEC 1 2.3.3: 04 ‖ x ‖ y.
        let point = key.to_sec1_point(false);
        let (x, y) = point.as_bytes()[1..].split_at(32);
        (base64url(x), base64url(y))
    }
}

impl fmt::Debug for ResultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResultKey({})", self.key_id())
    }
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests;
