//! The files of an authority in the making: keys sealed by the passphrase, certificates, and the serials and salts they need.

use ed25519_dalek::SigningKey as Ed25519Key;
use rcgen::{PKCS_ED25519, PublicKeyData, SignatureAlgorithm};
use sha2::{Digest, Sha256};

use crate::bundle::pem;
use crate::files::File;
use crate::serial::Serial;
use crate::signer::{self, KeyCost, KeyFileError, Salts, Signer};

/// Collects the files.
pub(super) struct Maker<'a> {
    entropy: [u8; 32],
    passphrase: &'a str,
    cost: KeyCost,
    pub(super) files: Vec<File>,
}

impl<'a> Maker<'a> {
    pub(super) fn new(entropy: [u8; 32], passphrase: &'a str, cost: KeyCost) -> Self {
        Self { entropy, passphrase, cost, files: Vec::new() }
    }

    pub(super) fn key(
        &mut self,
        name: &str,
        algorithm: &'static SignatureAlgorithm,
    ) -> Result<Signer, super::InitError> {
        let key = Signer::generate(algorithm)?;
        let sealed = key.seal(self.passphrase, self.cost, self.salts(name))?;
        self.put(name, sealed.into_bytes());
        Ok(key)
    }

    pub(super) fn certificate(&mut self, name: &str, der: &[u8]) {
        self.put(name, pem("CERTIFICATE", der).into_bytes());
    }

    pub(super) fn put(&mut self, name: &str, bytes: Vec<u8>) {
        self.files.push(File { name: name.to_owned(), bytes });
    }

    pub(super) fn sealed(&self, key: &Ed25519Key, purpose: &str) -> Result<String, KeyFileError> {
        signer::seal_ed25519(key, self.passphrase, self.cost, self.salts(purpose))
    }

    pub(super) fn serial(&self, purpose: &str) -> Serial {
        let [octets @ .., _, _, _, _, _, _, _, _, _, _, _, _] = self.derive(&format!("serial {purpose}"));
        Serial::from_random(octets)
    }

    fn salts(&self, name: &str) -> Salts {
        let octets = self.derive(&format!("salts {name}"));
        let half = |from: usize| std::array::from_fn(|index| octets[from + index]);
        Salts { salt: half(0), iv: half(16) }
    }

    /// Independent octets for each purpose, from the one entropy given.
    pub(super) fn derive(&self, purpose: &str) -> [u8; 32] {
        Sha256::new()
            .chain_update(b"dialproof-init-v1")
            .chain_update(self.entropy)
            .chain_update(purpose)
            .finalize()
            .into()
    }
}

/// A public Ed25519 key that is certified without its private half being at hand.
pub(super) struct PublicHalf(pub(super) [u8; 32]);

impl PublicKeyData for PublicHalf {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}
