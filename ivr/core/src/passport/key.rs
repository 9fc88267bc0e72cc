//! ECDSA over P-256 with SHA-256, the one signature that SHAKEN knows (ES256; ATIS-1000080). By ring: p256 takes 330 µs where this
//! takes a fifth of it.

use ring::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

/// A public key: an uncompressed point (SEC 1 2.3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key([u8; 65]);

impl Key {
    /// From a subjectPublicKey. That it is no point of the curve shows when it verifies nothing.
    pub(super) fn read(point: &[u8]) -> Option<Self> {
        point.try_into().ok().filter(|point: &[u8; 65]| point[0] == UNCOMPRESSED).map(Self)
    }

    /// Is this signature, R and S with 32 octets each (RFC 7518 3.4), this key's?
    pub(super) fn has_signed_jws(&self, octets: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.0).verify(octets, signature).is_ok()
    }

    /// The same of one in DER (RFC 3279 2.2.3).
    pub(super) fn has_signed(&self, octets: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.0).verify(octets, signature).is_ok()
    }
}

const UNCOMPRESSED: u8 = 4;
