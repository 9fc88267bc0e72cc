//! From who somebody is to where their record lies: the identity's bytes, and the slow hash that names its slots.
//!
//! Telephone numbers can be counted through, so the hash is priced: it makes harvesting of a whole directory expensive.
//! It hides no single number that somebody guesses.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::item::{ItemError, Slot};

/// Whom a record is about, in the one spelling that is hashed: `tel:+12025550143` or `mailto:someone@example.org`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Identity(String);

/// Why a text names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Neither of the two schemes.
    #[error("an identity is written tel:+12025550143 or mailto:someone@example.org")]
    Scheme,
    /// Not a global number.
    #[error("a telephone number is written with + and 7 to 15 digits, without separators")]
    Number,
    /// Not a plain address.
    #[error("an email address is written local@domain, without quotes, comments or spaces")]
    Address,
}

impl Identity {
    /// Reads either form.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        match text.split_once(':') {
            Some(("tel", number)) => Self::tel(number),
            Some(("mailto", address)) => Self::mailto(address),
            _ => Err(IdentityError::Scheme),
        }
    }

    /// The identity of a telephone number in the form `+12025550143` (RFC 3966 global number, no separators).
    ///
    /// # Errors
    /// [`IdentityError::Number`].
    pub fn tel(number: &str) -> Result<Self, IdentityError> {
        let digits = number.strip_prefix('+').ok_or(IdentityError::Number)?;
        let well_formed = (7..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if well_formed { Ok(Self(format!("tel:+{digits}"))) } else { Err(IdentityError::Number) }
    }

    /// The identity of an email address: the local part in NFC with ASCII letters in lower case, the domain as lower-case
    /// A-labels. Everything else in the local part stays, because only its own server knows what it means.
    ///
    /// # Errors
    /// [`IdentityError::Address`].
    pub fn mailto(address: &str) -> Result<Self, IdentityError> {
        let (local, domain) = address.rsplit_once('@').ok_or(IdentityError::Address)?;
        let plain = |c: char| {
            !c.is_whitespace()
                && !c.is_control()
                && !matches!(c, '"' | '(' | ')' | ',' | ':' | ';' | '<' | '>' | '@' | '[' | ']' | '\\')
        };
        if local.is_empty() || !local.chars().all(plain) {
            return Err(IdentityError::Address);
        }
        let local: String = local.nfc().collect::<String>().to_ascii_lowercase();
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| IdentityError::Address)?;
        let folded = format!("mailto:{local}@{domain}");
        // RFC 5321 4.5.3.1.3: a path has at most 256 octets, so an address 254.
        let well_formed = domain.contains('.') && folded.len() <= "mailto:".len() + 254;
        if well_formed { Ok(Self(folded)) } else { Err(IdentityError::Address) }
    }

    /// Whether it is an email address, not a number.
    pub fn is_address(&self) -> bool {
        self.0.starts_with("mailto:")
    }

    /// The spelling that is hashed. It is private: never log it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}

/// What one slow hash costs. The CA's bundle states it, because writer and readers must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl HashCost {
    /// What a directory of real people uses: 64 MiB, three passes, one lane.
    pub const STRONG: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };

    /// For tests, which have nobody to protect.
    pub const CHEAP: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };

    /// Whether the parameters are ones that Argon2 accepts and that do not stop a phone for minutes.
    pub fn is_reasonable(self) -> bool {
        self.memory_kib <= 256 * 1024 && self.passes <= 16 && self.lanes <= 4 && self.params().is_some()
    }

    fn params(self) -> Option<Params> {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(Derived::SIZE)).ok()
    }
}

/// What the slow hash of an identity gives. Secret as the identity is: with it the record can be found and read.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Derived([u8; Derived::SIZE]);

impl Derived {
    /// How many bytes a store keeps of it.
    pub const SIZE: usize = 72;

    /// Hashes an identity for the directory of `directory_key`. Takes a third of a second with [`HashCost::STRONG`]:
    /// a server calls it through [`crate::Hasher`].
    ///
    /// # Errors
    /// [`UnreasonableCost`] if the parameters are outside what [`HashCost::is_reasonable`] allows.
    pub fn hash(identity: &Identity, directory_key: &[u8; 32], cost: HashCost) -> Result<Self, UnreasonableCost> {
        let params = cost.params().filter(|_| cost.is_reasonable()).ok_or(UnreasonableCost(cost))?;
        let salt = Sha256::new().chain_update(b"dialproof-dir-v1").chain_update(directory_key).finalize();
        let mut out = [0; Self::SIZE];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(identity.0.as_bytes(), &salt[..16], &mut out)
            .map_err(|_| UnreasonableCost(cost))?;
        Ok(Self(out))
    }

    /// One that a store kept (encrypted).
    pub fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        Self(bytes)
    }

    /// The bytes to keep, encrypted.
    pub fn as_bytes(&self) -> &[u8; Self::SIZE] {
        &self.0
    }

    /// Salt of the directory record's slot.
    pub fn dir_salt(&self) -> [u8; 20] {
        self.part(0)
    }

    /// Key under which the records are sealed.
    pub fn seal_key(&self) -> [u8; 32] {
        self.part(20)
    }

    /// Salt of the slot of the log's inclusion proof.
    pub fn proof_salt(&self) -> [u8; 20] {
        self.part(52)
    }

    /// The slot of the directory record.
    pub fn directory_slot(&self, directory_key: &[u8; 32]) -> Slot {
        slot(directory_key, self.dir_salt())
    }

    /// The slot of the inclusion proof.
    pub fn proof_slot(&self, directory_key: &[u8; 32]) -> Slot {
        slot(directory_key, self.proof_salt())
    }

    fn part<const N: usize>(&self, from: usize) -> [u8; N] {
        std::array::from_fn(|index| self.0[from + index])
    }
}

impl fmt::Debug for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}

fn slot(key: &[u8; 32], salt: [u8; 20]) -> Slot {
    let made: Result<Slot, ItemError> = Slot::new(*key, &salt);
    made.expect("20 bytes are fewer than 64")
}

/// Parameters that Argon2 refuses or that would take minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the hash parameters {0:?} are not usable")]
pub struct UnreasonableCost(pub HashCost);
