//! The CA bundle: everything a stranger needs to look somebody up, in one PEM file.
//!
//! It holds the root's certificate first, then the intermediates and the directory certificates, and the authority's
//! *terms*: where the directory lies and how identities are hashed, signed by a directory key that the root certified.
//! Only the root is trusted, because its reader pinned it; all else follows from it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use x509_parser::pem::Pem;

use crate::backend::network::Network;
use crate::chain::{Authority, ChainError};
use crate::slot::HashCost;

/// The label of the terms' PEM block: `key (32) ‖ signature (64) ‖ text`.
pub const TERMS_LABEL: &str = "DIALPROOF DIRECTORY TERMS";
/// The largest bundle that is read.
const SIZE_LIMIT: usize = 256 * 1024;
/// The most certificates in one bundle.
const CERTIFICATES: usize = 32;
/// The most DHTs in one bundle.
const NETWORKS: usize = 8;

/// What the signed block says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Grows with every new version of the bundle.
    pub number: u64,
    /// The arc of the authority's own object identifiers.
    pub oid_arc: Vec<u64>,
    /// What a hash of an identity costs.
    pub cost: HashCost,
    /// Where the directory lies.
    pub networks: Vec<Network>,
}

/// A bundle whose every part was checked from the root on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Root, intermediates and object identifiers.
    pub authority: Authority,
    /// The keys that write the directory, the newest first.
    pub directory_keys: Vec<[u8; 32]>,
    /// The signed terms.
    pub terms: Terms,
}

/// What makes a root trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    /// The reader got the bundle's file from somebody trusted: its root is taken as it is.
    File,
    /// SHA-256 of the root's certificate (DER).
    Root([u8; 32]),
}

/// Why a bundle is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// It is no such file.
    #[error("this is not a CA bundle: {0}")]
    Malformed(&'static str),
    /// The root is another one than the pinned.
    #[error("the bundle's root has the fingerprint {found}, which is not the pinned one")]
    OtherRoot {
        /// SHA-256 of the root found.
        found: Fingerprint,
    },
    /// A directory certificate does not hold.
    #[error("a directory certificate of the bundle does not hold: {0}")]
    Directory(ChainError),
    /// The terms are not signed by a certified directory key.
    #[error("the bundle's terms are not signed by a directory key that the root certified")]
    Unsigned,
    /// An update that is not newer.
    #[error("the bundle has number {offered}, the one in use {current}")]
    Older {
        /// The number of the one in use.
        current: u64,
        /// The number of the offered one.
        offered: u64,
    },
}

/// A SHA-256 in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Pin {
    /// Reads 64 hexadecimal digits, with or without colons between the bytes.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| *c != ':').collect();
        if digits.len() != 64 || !digits.is_ascii() {
            return None;
        }
        let mut root = [0; 32];
        for (byte, pair) in root.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self::Root(root))
    }
}

impl Bundle {
    /// Reads a bundle and checks it: root against the pin, directory certificates against the root, terms against them.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn read(pem: &[u8], pin: Pin, now: OffsetDateTime) -> Result<Self, BundleError> {
        let parts = Parts::read(pem)?;
        let root = Sha256::digest(&parts.root).into();
        if let Pin::Root(pinned) = pin
            && pinned != root
        {
            return Err(BundleError::OtherRoot { found: Fingerprint(root) });
        }
        // The text is read before its signature is known, because it names the arc of the directory certificates'
        // purpose; nothing of it counts until the signature holds.
        let (key, signature, text) = split_terms(&parts.terms)?;
        let terms = Terms::parse(text).ok_or(BundleError::Malformed("its terms cannot be read"))?;
        let authority =
            Authority { root: parts.root, intermediates: parts.intermediates, oid_arc: terms.oid_arc.clone() };
        let mut directory_keys = Vec::new();
        for certificate in &parts.directory {
            match authority.check_directory(certificate, now) {
                Ok(key) => directory_keys.push(key),
                // An old directory certificate may run out while its successor is in use.
                Err(ChainError::Time { .. }) => {}
                Err(error) => return Err(BundleError::Directory(error)),
            }
        }
        if !directory_keys.contains(&key) || !signs(&key, &signature, text) {
            return Err(BundleError::Unsigned);
        }
        Ok(Self { authority, directory_keys, terms })
    }

    /// Takes an update in the place of this bundle: same root, and a number that has grown.
    ///
    /// # Errors
    /// If it does not hold, or is not newer.
    pub fn update(&self, pem: &[u8], now: OffsetDateTime) -> Result<Self, BundleError> {
        let offered = Self::read(pem, Pin::Root(self.fingerprint().0), now)?;
        let (current, number) = (self.terms.number, offered.terms.number);
        if number > current { Ok(offered) } else { Err(BundleError::Older { current, offered: number }) }
    }

    /// SHA-256 of the root's certificate: what is pinned.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Sha256::digest(&self.authority.root).into())
    }
}

impl Terms {
    /// The PEM block that states these terms, signed by a directory key.
    pub fn sign(&self, key: &SigningKey) -> String {
        let text = self.to_string();
        let block =
            [&key.verifying_key().to_bytes()[..], &key.sign(text.as_bytes()).to_bytes(), text.as_bytes()].concat();
        let base64 = STANDARD.encode(block);
        let lines: Vec<&str> = (0..base64.len()).step_by(64).map(|at| &base64[at..base64.len().min(at + 64)]).collect();
        format!("-----BEGIN {TERMS_LABEL}-----\n{}\n-----END {TERMS_LABEL}-----\n", lines.join("\n"))
    }

    /// Reads what `Display` writes, and nothing else.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next()? != HEADLINE {
            return None;
        }
        let number = lines.next()?.strip_prefix("number ")?.parse().ok()?;
        let arc = lines.next()?.strip_prefix("oid-arc ")?;
        let oid_arc = arc.split('.').map(str::parse).collect::<Result<Vec<u64>, _>>().ok()?;
        let mut cost = lines.next()?.strip_prefix("argon2id ")?.split(' ').map(str::parse::<u32>);
        let mut next_cost = || cost.next()?.ok();
        let cost = HashCost { memory_kib: next_cost()?, passes: next_cost()?, lanes: next_cost()? };
        let networks = lines.map(|line| line.strip_prefix("dht ")?.parse().ok()).collect::<Option<Vec<Network>>>()?;
        let terms = Self { number, oid_arc, cost, networks };
        let sound =
            terms.cost.is_reasonable() && terms.networks.len() <= NETWORKS && (2..=24).contains(&terms.oid_arc.len());
        (sound && terms.to_string() == text).then_some(terms)
    }
}

/// The first line of the terms. No record begins like this, so a signature of one is never a signature of the other.
const HEADLINE: &str = "dialproof-bundle-v1";

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arc: Vec<String> = self.oid_arc.iter().map(u64::to_string).collect();
        let HashCost { memory_kib, passes, lanes } = self.cost;
        writeln!(f, "{HEADLINE}\nnumber {}\noid-arc {}", self.number, arc.join("."))?;
        writeln!(f, "argon2id {memory_kib} {passes} {lanes}")?;
        self.networks.iter().try_for_each(|network| writeln!(f, "dht {network}"))
    }
}

/// The blocks of the file, sorted, not yet checked.
struct Parts {
    root: Vec<u8>,
    intermediates: Vec<Vec<u8>>,
    directory: Vec<Vec<u8>>,
    terms: Vec<u8>,
}

impl Parts {
    fn read(pem: &[u8]) -> Result<Self, BundleError> {
        if pem.len() > SIZE_LIMIT {
            return Err(BundleError::Malformed("it is too large"));
        }
        let (mut certificates, mut terms) = (Vec::new(), None);
        for block in Pem::iter_from_buffer(pem) {
            let block = block.map_err(|_| BundleError::Malformed("a PEM block cannot be read"))?;
            match block.label.as_str() {
                "CERTIFICATE" if certificates.len() < CERTIFICATES => certificates.push(block.contents),
                TERMS_LABEL if terms.is_none() => terms = Some(block.contents),
                _ => return Err(BundleError::Malformed("it holds a block that does not belong there")),
            }
        }
        let terms = terms.ok_or(BundleError::Malformed(
            "the block DIALPROOF DIRECTORY TERMS is missing: a root certificate alone is none",
        ))?;
        let mut certificates = certificates.into_iter();
        let root = certificates.next().ok_or(BundleError::Malformed("it holds no root certificate"))?;
        let (intermediates, directory) = certificates.partition(|der| crate::chain::is_authority(der));
        Ok(Self { root, intermediates, directory, terms })
    }
}

fn split_terms(block: &[u8]) -> Result<([u8; 32], [u8; 64], &str), BundleError> {
    let split = || {
        let (key, rest) = block.split_first_chunk::<32>()?;
        let (signature, text) = rest.split_first_chunk::<64>()?;
        Some((*key, *signature, std::str::from_utf8(text).ok()?))
    };
    split().ok_or(BundleError::Malformed("its terms cannot be read"))
}

fn signs(key: &[u8; 32], signature: &[u8; 64], text: &str) -> bool {
    VerifyingKey::from_bytes(key)
        .is_ok_and(|key| key.verify_strict(text.as_bytes(), &Signature::from_bytes(signature)).is_ok())
}
