//! What the holder of an earlier certificate's key signs to speak for its number (docs/protocol.md, "The old key"; why it is
//! no CMS: docs/adr/0008-the-old-key-signs-a-text.md).
//!
//! A statement is five lines of ASCII, so that a person can read what a device signs and `openssl` can sign it. It says
//! what for, of which certificate or verification, the nonce that the service gave, and the new key; the first line keeps
//! such a signature from meaning anything elsewhere.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use ring::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::request::{KeyKind, LeafKey, Request};
use crate::serial::hex;

/// The first line.
const DOMAIN: &str = "dialproof-old-key-v1";
/// An ECDSA signature in DER has at most 72 octets, one of Ed25519 has 64: 96 characters of base64 at most.
const LONGEST_TEXT: usize = 96;

/// What the old key's holder wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// That the new key of a verification follows at once.
    Change,
    /// Another certificate, for the new key.
    Renew,
    /// That the new key, which waits, never follows.
    Veto,
    /// That the certificate, which is suspended, is in force again.
    Lift,
    /// That the directory shows the certificate no more.
    Withdraw,
    /// That the directory shows these keys beside the certificate, or none: where its owner's location lies, and to which
    /// friends encrypt.
    Locate,
}

/// What is signed.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'a> {
    /// What is wanted.
    pub action: Action,
    /// The verification's id, or the serial number of the old certificate; of [`Action::Locate`] before there is a certificate,
    /// SHA-256 of the SPKI of its request, hexadecimal.
    pub about: &'a str,
    /// What the service gave for this; of a verification, whose id the service drew, nothing.
    pub nonce: Option<&'a str>,
    /// SHA-256 of the new key's SPKI, where there is one; of `locate`, [`listed_keys`].
    pub key: Option<[u8; 32]>,
}

/// A signature as it came. Whether it holds, [`Signature::is_over`] tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature(Vec<u8>);

/// It is no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signature is base64 of 64 octets (Ed25519), or of a DER sequence of two integers (ECDSA with SHA-256)")]
pub struct NoSignature;

impl Action {
    /// All.
    pub const ALL: [Self; 6] = [Self::Change, Self::Renew, Self::Veto, Self::Lift, Self::Withdraw, Self::Locate];

    /// The second line of a statement.
    pub fn name(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Renew => "renew",
            Self::Veto => "veto",
            Self::Lift => "lift",
            Self::Withdraw => "withdraw",
            Self::Locate => "locate",
        }
    }
}

impl Statement<'_> {
    /// The octets that are signed: five lines, each with its end (LF). What there is none of is `-`.
    pub fn text(&self) -> String {
        let key = self.key.map_or_else(|| "-".to_owned(), |key| hex(&key));
        format!("{DOMAIN}\n{}\n{}\n{}\n{key}\n", self.action.name(), self.about, self.nonce.unwrap_or("-"))
    }
}

impl Signature {
    /// Reads base64 (RFC 4648 4, with padding) of a signature.
    ///
    /// # Errors
    /// [`NoSignature`].
    pub fn parse(text: &str) -> Result<Self, NoSignature> {
        if text.len() > LONGEST_TEXT {
            return Err(NoSignature);
        }
        let octets = STANDARD.decode(text).map_err(|_| NoSignature)?;
        // Eight octets are the shortest sequence of two integers.
        if octets.len() != 64 && !(octets.first() == Some(&0x30) && (8..=72).contains(&octets.len())) {
            return Err(NoSignature);
        }
        Ok(Self(octets))
    }

    /// The same as text.
    pub fn text(&self) -> String {
        STANDARD.encode(&self.0)
    }

    /// Whether the key of this certificate (DER) signed this statement.
    pub fn is_over(&self, statement: &Statement<'_>, certificate: &[u8]) -> bool {
        let Ok(([], certificate)) = X509Certificate::from_der(certificate) else { return false };
        let Ok(key) = LeafKey::read(certificate.public_key()) else { return false };
        self.is_of(statement, &key)
    }

    /// Whether the key of this request signed this statement.
    pub fn is_over_request(&self, statement: &Statement<'_>, request: &Request) -> bool {
        self.is_of(statement, request.key())
    }

    fn is_of(&self, statement: &Statement<'_>, key: &LeafKey) -> bool {
        let method: &'static dyn VerificationAlgorithm = match key.kind {
            KeyKind::P256 => &ECDSA_P256_SHA256_ASN1,
            KeyKind::Ed25519 => &ED25519,
        };
        UnparsedPublicKey::new(method, key.octets()).verify(statement.text().as_bytes(), &self.0).is_ok()
    }

    /// Whether this Ed25519 key signed this statement.
    pub fn is_by(&self, statement: &Statement<'_>, key: &[u8; 32]) -> bool {
        UnparsedPublicKey::new(&ED25519, key).verify(statement.text().as_bytes(), &self.0).is_ok()
    }
}

/// What stands for a location key and a kem key in a statement: SHA-256 over a domain and both.
pub fn listed_keys(location: &[u8; 32], kem: Option<&[u8; 32]>) -> [u8; 32] {
    let kem = kem.map_or(&[][..], |kem| kem);
    let digest = digest(&SHA256, &[&b"dialproof-loc-v1"[..], location, kem].concat());
    digest.as_ref().try_into().expect("SHA-256 has 32 octets")
}

#[cfg(test)]
mod tests;
