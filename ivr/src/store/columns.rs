//! Private columns: what is compared is an HMAC, what is read again is encrypted. A stolen database alone tells no number
//! and no address; the keys are in the key file.

use std::sync::Arc;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, KeyInit, Mac};
use ivr_core::number::Number;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::StoreError;
use crate::clock::Clock;
use crate::key_file::KeyFile;

/// How many peppers look-ups try. A certificate lives at most 90 days: more are never of use at once.
const EPOCHS: usize = 3;
const NONCE_SIZE: usize = 24;

/// Hashes and encrypts private columns.
pub(crate) struct Columns {
    keys: Arc<KeyFile>,
    /// HMACs under the peppers, the newest first, to which nothing was given yet: half of a short HMAC is its key.
    peppers: Vec<Hmac<Sha256>>,
    clock: Clock,
}

/// Makes the tags of one purpose.
pub(crate) struct Tagger(Hmac<Sha256>);

impl Tagger {
    /// The keyed hash of these parts.
    pub(crate) fn tag(&self, parts: &[&[u8]]) -> Vec<u8> {
        self.over(parts).finalize().into_bytes().to_vec()
    }

    fn over(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

/// An identity (`tel:+…` or `mailto:…`) as a new row holds it.
pub(crate) struct IdentityColumns {
    /// HMAC under the newest pepper.
    pub(crate) hash: Vec<u8>,
    /// Which pepper that is.
    pub(crate) epoch: i64,
}

impl Columns {
    pub(super) fn new(keys: Arc<KeyFile>, clock: Clock) -> Result<Self, StoreError> {
        if keys.peppers().len() > EPOCHS {
            return Err(StoreError::Failed(format!(
                "the key file has more than {EPOCHS} peppers: remove the oldest, no live row uses it"
            )));
        }
        Ok(Self::of(keys, clock))
    }

    fn of(keys: Arc<KeyFile>, clock: Clock) -> Self {
        let peppers = keys.peppers().iter().map(|pepper| keyed(&pepper.key)).collect();
        Self { keys, peppers, clock }
    }

    /// The keys themselves, for proofs.
    pub(crate) fn keys(&self) -> &KeyFile {
        &self.keys
    }

    /// The clock's chance.
    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// The hash that a new row of this identity holds.
    pub(crate) fn identity(&self, identity: &str) -> IdentityColumns {
        IdentityColumns { hash: hash(&self.peppers[0], identity), epoch: i64::from(self.keys.peppers()[0].epoch) }
    }

    /// The hashes under which older rows may hold it, newest first: for `IN ($1, $2, $3)`. With fewer peppers the last
    /// one repeats.
    pub(crate) fn sought(&self, identity: &str) -> [Vec<u8>; EPOCHS] {
        let hashes = self.hashes(identity);
        std::array::from_fn(|index| hashes[index.min(hashes.len() - 1)].clone())
    }

    /// The same hashes, as many as there are peppers.
    pub(crate) fn hashes(&self, identity: &str) -> Vec<Vec<u8>> {
        self.peppers.iter().map(|pepper| hash(pepper, identity)).collect()
    }

    /// The keyed hash of something that is compared within one purpose: a code, a read-back, a source.
    pub(crate) fn tag(&self, purpose: &str, parts: &[&[u8]]) -> Vec<u8> {
        self.tagger(purpose).tag(parts)
    }

    /// Whether this is the beginning of such a hash, compared in constant time.
    pub(crate) fn is_tag(&self, beginning: &[u8], purpose: &str, parts: &[&[u8]]) -> bool {
        self.tagger(purpose).over(parts).verify_truncated_left(beginning).is_ok()
    }

    /// The same for many of one purpose.
    pub(crate) fn tagger(&self, purpose: &str) -> Tagger {
        Tagger(keyed(&self.keys.derived(purpose)))
    }

    /// Encrypts a value for one column of one row: elsewhere it does not open.
    pub(crate) fn seal(&self, column: &str, row: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_SIZE] = self.clock.bytes();
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &place(column, row) })
            .expect("a column is shorter than 256 GiB");
        [&nonce[..], &sealed].concat()
    }

    /// What [`seal`](Self::seal) encrypted for this place.
    pub(crate) fn open(&self, column: &str, row: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let opened = sealed.split_first_chunk::<NONCE_SIZE>().and_then(|(nonce, sealed)| {
            let payload = Payload { msg: sealed, aad: &place(column, row) };
            self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()
        });
        opened.map(Zeroizing::new).ok_or_else(|| {
            StoreError::Failed(format!("{column} does not open: was the key file replaced, or a row changed?"))
        })
    }

    /// A text that was sealed.
    pub(crate) fn open_text(&self, column: &str, row: &[u8], sealed: &[u8]) -> Result<String, StoreError> {
        String::from_utf8(self.open(column, row, sealed)?.to_vec()).map_err(|_| StoreError::damaged(column))
    }

    /// A number that was sealed.
    pub(crate) fn open_number(&self, column: &str, row: &[u8], sealed: &[u8]) -> Result<Number, StoreError> {
        Number::parse(&self.open_text(column, row, sealed)?).map_err(|_| StoreError::damaged(column))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.keys.column_key().into())
    }
}

/// The identity of a number as it is hashed: the same as in certificates and directory.
pub(crate) fn tel(number: &Number) -> String {
    format!("tel:{}", number.as_str())
}

fn hash(pepper: &Hmac<Sha256>, identity: &str) -> Vec<u8> {
    pepper.clone().chain_update(b"dialproof-identity-v1/").chain_update(identity).finalize().into_bytes().to_vec()
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length")
}

/// What the seal binds.
fn place(column: &str, row: &[u8]) -> Vec<u8> {
    [b"dialproof-column-v1/", column.as_bytes(), b"/", row].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys with these peppers, made as an operator makes them: by adding to the file.
    fn columns(epochs: &[u32]) -> Columns {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        let mut next = 0_u8;
        let keys = KeyFile::generate(|| {
            next += 1;
            [next; 32]
        });
        keys.write_new(&path).unwrap();
        let mut text = std::fs::read_to_string(&path).unwrap();
        for epoch in epochs.iter().filter(|epoch| **epoch != 1) {
            text += &format!("\n[[pepper]]\nepoch = {epoch}\nkey = \"{}\"\n", format!("{epoch:02x}").repeat(32));
        }
        std::fs::write(&path, text).unwrap();
        Columns::of(Arc::new(KeyFile::read(&path).unwrap()), Clock)
    }

    #[test]
    fn a_value_opens_in_its_own_place_only() {
        let columns = columns(&[1]);
        let sealed = columns.seal("calls.number", b"row", b"+12025550143");
        assert_eq!(columns.open_text("calls.number", b"row", &sealed).unwrap(), "+12025550143");
        for (column, row) in [("calls.name", &b"row"[..]), ("calls.number", b"other")] {
            assert!(columns.open(column, row, &sealed).is_err(), "{column}");
        }
        let mut changed = sealed.clone();
        changed[30] ^= 1;
        assert!(columns.open("calls.number", b"row", &changed).is_err());
        assert!(columns.open("calls.number", b"row", &sealed[..10]).is_err());
        assert_ne!(
            columns.seal("calls.number", b"row", b"+12025550143"),
            sealed,
            "the same value twice looks different"
        );
    }

    #[test]
    fn a_row_of_an_older_pepper_is_still_found() {
        let (before, after) = (columns(&[1]), columns(&[2, 1]));
        let old = before.identity("tel:+12025550143");
        let new = after.identity("tel:+12025550143");
        assert_eq!((old.epoch, new.epoch), (1, 2));
        assert_ne!(old.hash, new.hash);
        assert_eq!(after.sought("tel:+12025550143"), [new.hash, old.hash.clone(), old.hash]);
    }

    #[test]
    fn tags_differ_by_purpose_and_by_where_a_part_ends() {
        let columns = columns(&[1]);
        let tag = columns.tag("code", &[b"ab", b"c"]);
        assert_eq!(tag, columns.tag("code", &[b"ab", b"c"]));
        assert_ne!(tag, columns.tag("code", &[b"a", b"bc"]));
        assert_ne!(tag, columns.tag("read-back", &[b"ab", b"c"]));
        assert!(columns.is_tag(&tag[..16], "code", &[b"ab", b"c"]));
        assert!(!columns.is_tag(&tag[..16], "code", &[b"a", b"bc"]) && !columns.is_tag(&[], "code", &[b"ab", b"c"]));
    }

    #[test]
    fn more_peppers_than_are_tried_are_refused() {
        let keys = columns(&[4, 3, 2, 1]).keys;
        assert!(Columns::new(keys, Clock).is_err());
    }
}
