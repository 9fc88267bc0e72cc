//! The envelope of every record on every backend: BEP 44's signed mutable item.
//!
//! A *slot* is a public key and a salt; an item is a value in a slot, with a sequence number, signed by the slot's key.
//! Anybody can check an item, so anybody can carry it from one DHT to another; only the key's holder can make one.

use std::fmt;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha1::{Digest, Sha1};
use time::OffsetDateTime;

/// The largest value. BEP 44 allows 1000 bytes *bencoded*: four digits at most and a colon leave 996 ("996:" and the value).
pub const VALUE_LIMIT: usize = 996;
/// The longest salt (BEP 44).
pub const SALT_LIMIT: usize = 64;
/// How far in the future a sequence number, which is a time, may lie. One far in the future would lock its slot for ever.
pub const SKEW_SECONDS: i64 = 300;

/// A place in a DHT that one key may write.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    key: [u8; 32],
    salt: Vec<u8>,
}

impl Slot {
    /// The slot of a public key and a salt.
    ///
    /// # Errors
    /// [`ItemError::SaltTooLong`] above 64 bytes.
    pub fn new(key: [u8; 32], salt: &[u8]) -> Result<Self, ItemError> {
        if salt.len() > SALT_LIMIT {
            return Err(ItemError::SaltTooLong { size: salt.len() });
        }
        Ok(Self { key, salt: salt.to_vec() })
    }

    /// The public key that signs this slot's items.
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// The salt; empty means none (BEP 44).
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// Where the slot lies in a DHT: `SHA1(key ‖ salt)`.
    pub fn id(&self) -> SlotId {
        SlotId(Sha1::new().chain_update(self.key).chain_update(&self.salt).finalize().into())
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slot({})", self.id())
    }
}

/// The 20-byte key under which a DHT keeps a slot. It tells nothing of the identity to who does not hash it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(pub [u8; 20]);

impl SlotId {
    /// Reads what `Display` writes: 40 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 40 || !text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
            return None;
        }
        let mut id = [0; 20];
        for (byte, pair) in id.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(id))
    }
}

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A signed value in a slot. One that exists is well formed and its signature holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    slot: Slot,
    seq: i64,
    signature: [u8; 64],
    value: Vec<u8>,
}

/// Why bytes are no item, or no item can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// The value does not fit.
    #[error("a value of {size} bytes is more than the {VALUE_LIMIT} that a DHT stores")]
    TooLarge {
        /// Its size.
        size: usize,
    },
    /// The salt does not fit.
    #[error("a salt of {size} bytes is more than the {SALT_LIMIT} that a DHT allows")]
    SaltTooLong {
        /// Its size.
        size: usize,
    },
    /// The sequence number is negative or later than now and the skew.
    #[error("sequence number {seq} is outside 0 to {latest}; is the clock right?")]
    SeqOutOfTime {
        /// The number.
        seq: i64,
        /// The highest that is allowed now.
        latest: i64,
    },
    /// The slot's key is no point of the curve, or one that signs anything.
    #[error("the slot's key is not a usable Ed25519 key")]
    BadKey,
    /// The signature is not the slot's key's over these bytes.
    #[error("the item is not signed by its slot's key")]
    BadSignature,
    /// The bytes are not the one form of an item.
    #[error("the bytes are not an item in its canonical form")]
    Malformed,
}

impl Item {
    /// Signs `value` into the slot of `key` and `salt`.
    ///
    /// # Errors
    /// Whatever would make the item unacceptable to a reader.
    pub fn sign(
        key: &SigningKey,
        salt: &[u8],
        seq: i64,
        value: Vec<u8>,
        now: OffsetDateTime,
    ) -> Result<Self, ItemError> {
        let slot = Slot::new(key.verifying_key().to_bytes(), salt)?;
        check_size(&value)?;
        check_seq(seq, now)?;
        let signature = key.sign(&signing_bytes(salt, seq, &value)).to_bytes();
        Ok(Self { slot, seq, signature, value })
    }

    /// An item from its parts, if the signature holds and the sequence number is of this time.
    ///
    /// # Errors
    /// The first fault found, cheapest first.
    pub fn verify(
        slot: Slot,
        seq: i64,
        signature: [u8; 64],
        value: Vec<u8>,
        now: OffsetDateTime,
    ) -> Result<Self, ItemError> {
        check_size(&value)?;
        check_seq(seq, now)?;
        let key = VerifyingKey::from_bytes(&slot.key).map_err(|_| ItemError::BadKey)?;
        // Strict: refuses keys and nonces of small order, with which one signature fits many messages.
        key.verify_strict(&signing_bytes(&slot.salt, seq, &value), &Signature::from_bytes(&signature))
            .map_err(|_| if key.is_weak() { ItemError::BadKey } else { ItemError::BadSignature })?;
        Ok(Self { slot, seq, signature, value })
    }

    /// The item as one byte string, for backends that keep opaque values: the bencoded dictionary of BEP 44's fields.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.value.len() + 240);
        out.push(b'd');
        put_pair(&mut out, b"k", &self.slot.key);
        if !self.slot.salt.is_empty() {
            put_pair(&mut out, b"salt", &self.slot.salt);
        }
        out.extend_from_slice(format!("3:seqi{}e", self.seq).as_bytes());
        put_pair(&mut out, b"sig", &self.signature);
        put_pair(&mut out, b"v", &self.value);
        out.push(b'e');
        out
    }

    /// Reads what [`Item::to_bytes`] writes, and nothing else; the slot must be the one asked for.
    ///
    /// # Errors
    /// [`ItemError::Malformed`] for bytes of another form or slot, else as [`Item::verify`].
    pub fn from_bytes(bytes: &[u8], slot: &Slot, now: OffsetDateTime) -> Result<Self, ItemError> {
        let parts = Parts::read(bytes).ok_or(ItemError::Malformed)?;
        if parts.key != slot.key || parts.salt != slot.salt {
            return Err(ItemError::Malformed);
        }
        let item = Self::verify(slot.clone(), parts.seq, parts.signature, parts.value.to_vec(), now)?;
        // One form for one item: a digit string such as "032" would be a second.
        if item.to_bytes() == bytes { Ok(item) } else { Err(ItemError::Malformed) }
    }

    /// Reads a stored item of whatever slot, as a keeper of other people's items does.
    ///
    /// # Errors
    /// As [`Item::from_bytes`].
    pub fn from_any_bytes(bytes: &[u8], now: OffsetDateTime) -> Result<Self, ItemError> {
        let parts = Parts::read(bytes).ok_or(ItemError::Malformed)?;
        Self::from_bytes(bytes, &Slot::new(parts.key, parts.salt)?, now)
    }

    /// Where the item lies.
    pub fn slot(&self) -> &Slot {
        &self.slot
    }

    /// Its sequence number: later items have higher ones.
    pub fn seq(&self) -> i64 {
        self.seq
    }

    /// The signature by the slot's key.
    pub fn signature(&self) -> &[u8; 64] {
        &self.signature
    }

    /// The value.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// What readers prefer: the higher sequence number and, of two items with the same, the larger value.
    pub fn rank(&self) -> (i64, &[u8]) {
        (self.seq, &self.value)
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item({} seq {}, {} bytes)", self.slot.id(), self.seq, self.value.len())
    }
}

/// The sequence number to sign next: the time, and always more than the last.
pub fn next_seq(last: Option<i64>, now: OffsetDateTime) -> i64 {
    let time = now.unix_timestamp();
    last.map_or(time, |last| time.max(last.saturating_add(1)))
}

/// What the signature covers (BEP 44): the fields that matter, bencoded, without the dictionary around them.
pub fn signing_bytes(salt: &[u8], seq: i64, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + salt.len() + 48);
    if !salt.is_empty() {
        put_pair(&mut out, b"salt", salt);
    }
    out.extend_from_slice(format!("3:seqi{seq}e").as_bytes());
    put_pair(&mut out, b"v", value);
    out
}

fn check_size(value: &[u8]) -> Result<(), ItemError> {
    if value.len() > VALUE_LIMIT { Err(ItemError::TooLarge { size: value.len() }) } else { Ok(()) }
}

fn check_seq(seq: i64, now: OffsetDateTime) -> Result<(), ItemError> {
    let latest = now.unix_timestamp().saturating_add(SKEW_SECONDS);
    if (0..=latest).contains(&seq) { Ok(()) } else { Err(ItemError::SeqOutOfTime { seq, latest }) }
}

fn put_pair(out: &mut Vec<u8>, name: &[u8], bytes: &[u8]) {
    for string in [name, bytes] {
        out.extend_from_slice(string.len().to_string().as_bytes());
        out.push(b':');
        out.extend_from_slice(string);
    }
}

/// An item's fields as read, not yet believed.
struct Parts<'a> {
    key: [u8; 32],
    salt: &'a [u8],
    seq: i64,
    signature: [u8; 64],
    value: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Keys come in the order k, salt, seq, sig, v; all but salt must be there.
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(b"d")?.strip_suffix(b"e")?;
        let key = expect(&mut rest, b"1:k").and_then(|()| string(&mut rest))?.try_into().ok()?;
        let salt = match expect(&mut rest, b"4:salt") {
            Some(()) => string(&mut rest)?,
            None => &[],
        };
        expect(&mut rest, b"3:seqi")?;
        let seq = number(&mut rest, b'e')?;
        expect(&mut rest, b"3:sig")?;
        let signature = string(&mut rest)?.try_into().ok()?;
        expect(&mut rest, b"1:v")?;
        let value = string(&mut rest)?;
        rest.is_empty().then_some(Self { key, salt, seq, signature, value })
    }
}

fn expect(rest: &mut &[u8], token: &[u8]) -> Option<()> {
    *rest = rest.strip_prefix(token)?;
    Some(())
}

fn number(rest: &mut &[u8], end: u8) -> Option<i64> {
    let digits = rest.iter().position(|&byte| byte == end)?;
    let parsed = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
    *rest = &rest[digits + 1..];
    Some(parsed)
}

fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(number(rest, b':')?).ok()?;
    let (string, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_time_and_always_above_the_last() {
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        for (last, next) in [
            (None, 1_800_000_000),
            (Some(1_799_999_999), 1_800_000_000),
            (Some(1_800_000_000), 1_800_000_001),
            (Some(1_800_000_500), 1_800_000_501),
            (Some(i64::MAX), i64::MAX),
        ] {
            assert_eq!(next_seq(last, now), next, "{last:?}");
        }
    }

    #[test]
    fn a_number_of_five_minutes_ahead_is_the_highest() {
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        let key = SigningKey::from_bytes(&[1; 32]);
        let signed = |seq, at| Item::sign(&key, b"slot", seq, vec![], at);
        let edge = signed(1_800_000_300, now).unwrap();
        assert_eq!(Item::from_any_bytes(&edge.to_bytes(), now), Ok(edge));
        let outside = |seq| Err(ItemError::SeqOutOfTime { seq, latest: 1_800_000_300 });
        assert_eq!(signed(1_800_000_301, now), outside(1_800_000_301));
        let later = signed(1_800_000_301, now + std::time::Duration::from_secs(1)).unwrap();
        assert_eq!(Item::from_any_bytes(&later.to_bytes(), now), outside(1_800_000_301));
    }
}
