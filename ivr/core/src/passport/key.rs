//! ECDSA over P-256 with SHA-256, with which tokens are signed (ES256), and RSA, with which authorities may sign certificates (RFC
//! 8226 4). By ring: p256 takes 330 µs where this takes a fifth of it.

use ring::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::RSAPublicKey;

/// A public key. That it is none shows when it verifies nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// An uncompressed point (SEC 1 2.3.3).
    P256([u8; 65]),
    /// An `RSAPublicKey` in DER (RFC 8017 A.1.1).
    Rsa(Vec<u8>),
}

/// How a certificate or a list is signed, with SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// In DER (RFC 3279 2.2.3).
    Ecdsa,
    /// PKCS #1 v1.5 (RFC 8017 8.2), with 2,048 bits at least.
    Rsa,
}

impl Key {
    /// From the subjectPublicKey of a key for P-256.
    pub(super) fn p256(point: &[u8]) -> Option<Self> {
        point.try_into().ok().filter(|point: &[u8; 65]| point[0] == UNCOMPRESSED).map(Self::P256)
    }

    /// From that of one for RSA. Strangers show them: a larger one takes longer to verify with, and so does a longer exponent.
    pub(super) fn rsa(der: &[u8]) -> Option<Self> {
        let (rest, key) = RSAPublicKey::from_der(der).ok().filter(|_| RSA_BYTES.contains(&der.len()))?;
        let is_quick = rest.is_empty() && key.exponent.len() <= LONGEST_EXPONENT_BYTES;
        is_quick.then(|| Self::Rsa(der.to_vec()))
    }

    /// May it sign tokens (RFC 8226 4, RFC 8225 6)?
    pub(super) fn is_for_tokens(&self) -> bool {
        matches!(self, Self::P256(_))
    }

    /// Is this signature, R and S with 32 octets each (RFC 7518 3.4), this key's?
    pub(super) fn has_signed_jws(&self, octets: &[u8], signature: &[u8; 64]) -> bool {
        match self {
            Self::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(octets, signature).is_ok()
            }
            Self::Rsa(_) => false,
        }
    }

    /// The same of one under a certificate or a list.
    pub(super) fn has_signed(&self, octets: &[u8], algorithm: Algorithm, signature: &[u8]) -> bool {
        let verified = match (self, algorithm) {
            (Self::P256(point), Algorithm::Ecdsa) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &point[..]).verify(octets, signature)
            }
            (Self::Rsa(key), Algorithm::Rsa) => {
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &key[..]).verify(octets, signature)
            }
            (Self::P256(_), Algorithm::Rsa) | (Self::Rsa(_), Algorithm::Ecdsa) => return false,
        };
        verified.is_ok()
    }
}

const UNCOMPRESSED: u8 = 4;
/// From 2,048 bits, and a public exponent of one octet, to 4,096 and three.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 268..=526;
/// 65,537, which nearly all have, takes three.
const LONGEST_EXPONENT_BYTES: usize = 3;

#[cfg(test)]
pub(super) mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::super::testing::tlv;
    use super::*;

    /// The token of RFC 8225 7.1, which RFC 8224 4.1.1 has in full form and in compact form.
    pub(in crate::passport) const TOKEN: &str = concat!(
        "eyJhbGciOiJFUzI1NiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiaHR0cHM6Ly9jZXJ0LmV4YW1wbGUub3JnL3Bhc3Nwb3J0LmNlciJ9.",
        "eyJkZXN0Ijp7InVyaSI6WyJzaXA6YWxpY2VAZXhhbXBsZS5jb20iXX0sImlhdCI6IjE0NDMyMDgzNDUiLCJvcmlnIjp7InRuIjoiMTIxNTU1NTEyMTIifX0.",
        "rq3pjT1hoRwakEGjHCnWSwUnshd0-zJ6F1VOgFWSjHBr8Qjpjlk-cpFYpFYsojNCpTzO3QfPOlckGaS6hEck7w"
    );
    /// That of its Appendix A.
    const OF_THE_APPENDIX: &str = concat!(
        "eyJhbGciOiJFUzI1NiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiaHR0cHM6Ly9jZXJ0LmV4YW1wbGUub3JnL3Bhc3Nwb3J0LmNlciJ9.",
        "eyJkZXN0Ijp7InVyaSI6WyJzaXA6YWxpY2VAZXhhbXBsZS5jb20iXX0sImlhdCI6MTQ3MTM3NTQxOCwib3JpZyI6eyJ0biI6IjEyMTU1NTUxMjEyIn19.",
        "VLBCIVDCaeK6M4hLJb6SHQvacAQVvoiiEOWQ_iUkqk79UD81fHQ0E1b3_GluIkba7UWYRM47ZbNFdOJquE35cw"
    );
    /// Its public key, A.2; and the one of its private key, A.1, which is another.
    const KEYS: [&str; 2] = [
        "BPBzW0Hf05rwisDyh5DBfX0nGrxnh+/GE1PKi0vCORyx0kppQEy3LJUDITQvzoZVgWAutupyJaO13nm2Eu0m9+4=",
        "BBZ9qPUdQROmg0Ks62n0oDyjRXv0i5YBEq30LVwU+TJ3cUE/hJ6I1nFCEOsPS10EeWzf/AV7z74rYWs/JAX2+6E=",
    ];

    /// Of the RFC's two tokens one is signed by the one key; the other, as OpenSSL says too, by neither.
    #[test]
    fn the_token_of_the_rfc_is_by_its_public_key_and_that_of_its_appendix_is_not() {
        for (token, by) in [(TOKEN, [true, false]), (OF_THE_APPENDIX, [false, false])] {
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let signature: [u8; 64] = URL_SAFE_NO_PAD.decode(signature).unwrap().try_into().unwrap();
            let keys = KEYS.map(|key| Key::p256(&STANDARD.decode(key).unwrap()).unwrap());
            assert_eq!(keys.each_ref().map(|key| key.has_signed_jws(signed.as_bytes(), &signature)), by, "{token}");
            let changed = signed.replacen('e', "f", 1);
            assert!(keys.iter().all(|key| !key.has_signed_jws(changed.as_bytes(), &signature)));
        }
    }

    #[test]
    fn a_key_for_rsa_that_is_slow_to_verify_with_is_none() {
        let key = |bits: usize, exponent: &[u8]| {
            // In front of an odd number whose highest bit is set stands a zero.
            let modulus = [&[0][..], &vec![0xff; bits / 8]].concat();
            tlv(0x30, &[&tlv(0x02, &[&modulus]), &tlv(0x02, &[exponent])])
        };
        let f4: &[u8] = &[1, 0, 1];
        for (bits, exponent, expected) in [
            (2048, &[3][..], true),
            (2048, f4, true),
            (4096, f4, true),
            (2016, f4, false),
            (4104, f4, false),
            (2048, &[1, 0, 0, 1], false),
            (2048, &[0, 0xff, 0xff, 0xff], false),
        ] {
            assert_eq!(Key::rsa(&key(bits, exponent)).is_some(), expected, "{bits} {exponent:?}");
        }
        assert_eq!(Key::rsa(&[&key(2048, f4)[..], &[0]].concat()), None, "something follows");
    }

    #[test]
    fn what_is_no_uncompressed_point_is_no_key() {
        let point = STANDARD.decode(KEYS[0]).unwrap();
        let compressed = [&[2][..], &point[1..33]].concat();
        for octets in [&point[1..], &compressed[..], &[], &[&[5][..], &point[1..]].concat()[..]] {
            assert_eq!(Key::p256(octets), None);
        }
    }
}
