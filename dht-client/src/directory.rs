//! The directory record: identity → certificate, written by the CA, sealed so that only who knows the identity reads it.
//!
//! Layout (docs/records.md): `0x01 ‖ nonce ‖ XChaCha20-Poly1305(seal key, aad = key ‖ slot ‖ seq, CBOR)`.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use ciborium::Value;
use ed25519_dalek::SigningKey;
use time::OffsetDateTime;

use crate::item::{Item, ItemError, Slot, VALUE_LIMIT};
use crate::slot::Derived;

/// The first byte of a sealed record of this layout.
const VERSION: u8 = 0x01;
const NONCE_SIZE: usize = 24;
const TAG_SIZE: usize = 16;

/// Keys of the CBOR map; their order is the order in the bytes.
mod field {
    pub(super) const STATUS: i64 = 1;
    pub(super) const NOT_BEFORE: i64 = 2;
    pub(super) const NOT_AFTER: i64 = 3;
    pub(super) const CERTIFICATE: i64 = 4;
    pub(super) const LOCATION_KEY: i64 = 5;
    pub(super) const KEM_KEY: i64 = 6;
    pub(super) const PENDING_SINCE: i64 = 7;
    pub(super) const PENDING_KEY: i64 = 8;
    pub(super) const LEAF_HASH: i64 = 9;
}

/// What the directory says about an identity, between two times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// From when, Unix seconds.
    pub not_before: i64,
    /// Until when, Unix seconds.
    pub not_after: i64,
    /// What it says.
    pub status: Status,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// This certificate is the identity's.
    Valid(Entry),
    /// This certificate is on hold; its owner can lift that.
    Suspended(Entry),
    /// There is none any more: the tombstone.
    Revoked,
}

/// A certificate and what belongs to it.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The leaf, DER.
    pub certificate: Vec<u8>,
    /// The Ed25519 key that writes the owner's location records.
    pub location_key: Option<[u8; 32]>,
    /// The X25519 key to which friends encrypt.
    pub kem_key: Option<[u8; 32]>,
    /// Another key asks for this identity and is being held back.
    pub pending: Option<Pending>,
    /// The leaf hash of the certificate's entry in the transparency log.
    pub leaf_hash: Option<[u8; 32]>,
}

/// A change of key that waits for its hold to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// Since when, Unix seconds.
    pub since: i64,
    /// `SHA-256(new SPKI)[..16]`.
    pub key: [u8; 16],
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry([private], {} bytes)", self.certificate.len())
    }
}

impl Entry {
    /// A certificate with nothing beside it.
    pub fn new(certificate: Vec<u8>) -> Self {
        Self { certificate, location_key: None, kem_key: None, pending: None, leaf_hash: None }
    }
}

/// Why a value is no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The sealed record would not fit into an item.
    #[error("the sealed record would be {size} bytes, {VALUE_LIMIT} fit")]
    TooLarge {
        /// Its size.
        size: usize,
    },
    /// A version of the layout that this program does not know.
    #[error("the record's layout {0:#04x} is unknown to this version")]
    UnknownVersion(u8),
    /// Not sealed by this key for this slot and sequence number.
    #[error("the record does not open with this identity's key")]
    Sealed,
    /// What was sealed is not a record in its one form.
    #[error("the record is not in its canonical form")]
    Malformed,
    /// The envelope could not be made.
    #[error(transparent)]
    Item(#[from] ItemError),
}

impl Record {
    /// The record as a signed item in the identity's directory slot, ready to put.
    ///
    /// `nonce` must be fresh for every call, `seq` comes from [`crate::next_seq`].
    ///
    /// # Errors
    /// If it is too large, or `seq` is not of this time.
    pub fn publish(
        &self,
        derived: &Derived,
        key: &SigningKey,
        seq: i64,
        nonce: [u8; NONCE_SIZE],
        now: OffsetDateTime,
    ) -> Result<Item, RecordError> {
        let slot = derived.directory_slot(&key.verifying_key().to_bytes());
        let value = self.seal(&derived.seal_key(), &slot, seq, nonce)?;
        Ok(Item::sign(key, slot.salt(), seq, value, now)?)
    }

    /// Whether it fits into an item.
    pub fn fits(&self) -> bool {
        sealed_size(&self.to_cbor()) <= VALUE_LIMIT
    }

    /// The sealed bytes for a slot and a sequence number.
    ///
    /// # Errors
    /// [`RecordError::TooLarge`].
    pub fn seal(
        &self,
        seal_key: &[u8; 32],
        slot: &Slot,
        seq: i64,
        nonce: [u8; NONCE_SIZE],
    ) -> Result<Vec<u8>, RecordError> {
        let plain = self.to_cbor();
        let size = sealed_size(&plain);
        if size > VALUE_LIMIT {
            return Err(RecordError::TooLarge { size });
        }
        let sealed = XChaCha20Poly1305::new(&(*seal_key).into())
            .encrypt(&XNonce::from(nonce), Payload { msg: &plain, aad: &associated(slot, seq) })
            .map_err(|_| RecordError::TooLarge { size })?;
        Ok([&[VERSION], &nonce[..], &sealed].concat())
    }

    /// Opens what [`Record::seal`] made for the same slot and sequence number.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn unseal(value: &[u8], seal_key: &[u8; 32], slot: &Slot, seq: i64) -> Result<Self, RecordError> {
        let (&version, rest) = value.split_first().ok_or(RecordError::Malformed)?;
        if version != VERSION {
            return Err(RecordError::UnknownVersion(version));
        }
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_SIZE>().ok_or(RecordError::Malformed)?;
        let plain = XChaCha20Poly1305::new(&(*seal_key).into())
            .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &associated(slot, seq) })
            .map_err(|_| RecordError::Sealed)?;
        Self::from_cbor(&plain).ok_or(RecordError::Malformed)
    }

    fn to_cbor(&self) -> Vec<u8> {
        let (status, entry) = match &self.status {
            Status::Valid(entry) => (0, Some(entry)),
            Status::Suspended(entry) => (1, Some(entry)),
            Status::Revoked => (2, None),
        };
        let mut map = vec![
            (field::STATUS, Value::from(status)),
            (field::NOT_BEFORE, Value::from(self.not_before)),
            (field::NOT_AFTER, Value::from(self.not_after)),
        ];
        if let Some(entry) = entry {
            map.push((field::CERTIFICATE, Value::Bytes(entry.certificate.clone())));
            map.extend(entry.location_key.map(|key| (field::LOCATION_KEY, Value::Bytes(key.to_vec()))));
            map.extend(entry.kem_key.map(|key| (field::KEM_KEY, Value::Bytes(key.to_vec()))));
            if let Some(pending) = entry.pending {
                map.push((field::PENDING_SINCE, Value::from(pending.since)));
                map.push((field::PENDING_KEY, Value::Bytes(pending.key.to_vec())));
            }
            map.extend(entry.leaf_hash.map(|hash| (field::LEAF_HASH, Value::Bytes(hash.to_vec()))));
        }
        let map = Value::Map(map.into_iter().map(|(key, value)| (Value::from(key), value)).collect());
        let mut bytes = Vec::new();
        ciborium::into_writer(&map, &mut bytes).expect("a vector takes every byte");
        bytes
    }

    /// Reads a record; anything that [`Record::to_cbor`] would write otherwise (order, lengths, unknown fields, trailing
    /// bytes) is refused, so a record has one form.
    fn from_cbor(bytes: &[u8]) -> Option<Self> {
        // No field is deeper than the map itself.
        let value: Value = ciborium::de::from_reader_with_recursion_limit(bytes, 4).ok()?;
        let fields = Fields(value.into_map().ok()?);
        let entry = || {
            let pending = match (fields.number(field::PENDING_SINCE), fields.array(field::PENDING_KEY)) {
                (Some(since), Some(key)) => Some(Pending { since, key }),
                _ => None,
            };
            Some(Entry {
                certificate: fields.bytes(field::CERTIFICATE)?.to_vec(),
                location_key: fields.array(field::LOCATION_KEY),
                kem_key: fields.array(field::KEM_KEY),
                pending,
                leaf_hash: fields.array(field::LEAF_HASH),
            })
        };
        let status = match fields.number(field::STATUS)? {
            0 => Status::Valid(entry()?),
            1 => Status::Suspended(entry()?),
            2 => Status::Revoked,
            _ => return None,
        };
        let record =
            Self { not_before: fields.number(field::NOT_BEFORE)?, not_after: fields.number(field::NOT_AFTER)?, status };
        (record.to_cbor() == bytes).then_some(record)
    }
}

fn sealed_size(plain: &[u8]) -> usize {
    1 + NONCE_SIZE + plain.len() + TAG_SIZE
}

/// What the seal binds: a sealed value means nothing in another slot or under another sequence number.
fn associated(slot: &Slot, seq: i64) -> Vec<u8> {
    [&slot.key()[..], &slot.id().0, &seq.to_be_bytes()].concat()
}

struct Fields(Vec<(Value, Value)>);

impl Fields {
    fn find(&self, key: i64) -> Option<&Value> {
        self.0.iter().find(|(name, _)| *name == Value::from(key)).map(|(_, value)| value)
    }

    fn number(&self, key: i64) -> Option<i64> {
        i64::try_from(self.find(key)?.as_integer()?).ok()
    }

    fn bytes(&self, key: i64) -> Option<&[u8]> {
        self.find(key)?.as_bytes().map(Vec::as_slice)
    }

    fn array<const N: usize>(&self, key: i64) -> Option<[u8; N]> {
        self.bytes(key)?.try_into().ok()
    }
}
