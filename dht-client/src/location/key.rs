//! The keys around a location record: the certificate's, which signs it; the friends' and the recipients', who read it.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, Serializable};
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::place::FRIENDS_SALT;
use crate::chain::{Certificate, PublicKey};

/// The key that a certificate was issued for.
#[derive(Clone)]
pub enum OwnerKey {
    /// ECDSA on P-256 with SHA-256.
    P256(p256::ecdsa::SigningKey),
    /// Ed25519.
    Ed25519(ed25519_dalek::SigningKey),
}

/// The public key of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnerPublic {
    /// ECDSA on P-256 with SHA-256.
    P256(Box<p256::ecdsa::VerifyingKey>),
    /// Ed25519.
    Ed25519(ed25519_dalek::VerifyingKey),
}

/// A certificate whose key signs nothing that we can check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a location is signed by a P-256 or an Ed25519 key; the certificate has another")]
pub struct UnknownKey;

/// What friends share with the owner of a location.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct FriendsKey([u8; 32]);

/// The secret half of a key to which locations are sealed (RFC 9180, DHKEM(X25519, HKDF-SHA256)).
#[derive(Clone)]
pub struct KemKey(pub(super) <X25519HkdfSha256 as Kem>::PrivateKey);

impl OwnerKey {
    /// The public half.
    pub fn public(&self) -> OwnerPublic {
        match self {
            Self::P256(key) => OwnerPublic::P256(Box::new(*key.verifying_key())),
            Self::Ed25519(key) => OwnerPublic::Ed25519(key.verifying_key()),
        }
    }

    /// 64 octets: of Ed25519, or r ‖ s (RFC 9053 2.1). That of P-256 is deterministic (RFC 6979).
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Self::Ed25519(key) => ed25519_dalek::Signer::sign(key, message).to_bytes().to_vec(),
        }
    }
}

impl OwnerPublic {
    /// The key of a certificate.
    ///
    /// # Errors
    /// [`UnknownKey`].
    pub fn of(certificate: &Certificate) -> Result<Self, UnknownKey> {
        match certificate.public_key().ok_or(UnknownKey)? {
            PublicKey::P256(point) => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).map_err(|_| UnknownKey)?;
                Ok(Self::P256(Box::new(key)))
            }
            PublicKey::Ed25519(key) => {
                ed25519_dalek::VerifyingKey::from_bytes(&key).map(Self::Ed25519).map_err(|_| UnknownKey)
            }
        }
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Self::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
        }
    }
}

impl FriendsKey {
    /// A key that was drawn.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key, to be handed to a friend.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The salt of the friends' slot on a day.
    pub(super) fn salt(&self, epoch: i64) -> [u8; FRIENDS_SALT] {
        self.mac(b"loc", epoch)
    }

    /// The key that seals what lies there.
    pub(super) fn seal_key(&self, epoch: i64) -> [u8; 32] {
        self.mac(b"seal", epoch)
    }

    fn mac(&self, purpose: &[u8], epoch: i64) -> [u8; 32] {
        let keyed = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        keyed.chain_update(purpose).chain_update(epoch.to_be_bytes()).finalize().into_bytes().into()
    }
}

impl KemKey {
    /// A key that was drawn, or kept.
    ///
    /// # Panics
    /// Never: any 32 octets are a secret key of X25519 (RFC 7748 5).
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let key = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(&bytes);
        Self(key.expect("any 32 octets are a secret key of X25519"))
    }

    /// What goes into the owner's directory record.
    pub fn public(&self) -> [u8; 32] {
        X25519HkdfSha256::sk_to_pk(&self.0).to_bytes().into()
    }
}

impl fmt::Debug for OwnerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}

impl fmt::Debug for FriendsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}

impl fmt::Debug for KemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}
