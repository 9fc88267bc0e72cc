//! The service's own secret keys, in one file beside the database. Whoever has both reads every stored number; whoever
//! loses the file loses them, so it belongs into the backup, apart from the database's.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use ivr_core::proof::ProofKey;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::hex;

/// The keys. Its Debug shows none of them.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct KeyFile {
    peppers: Vec<Pepper>,
    column: [u8; 32],
    proof: [u8; 32],
    service: [u8; 32],
}

/// The key of the join column HMAC(pepper, number), and the epoch that a row names it by.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Pepper {
    /// 1, 2, …: a row says with which pepper its number was hashed.
    pub epoch: u32,
    /// The key.
    pub key: [u8; 32],
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read.
    #[error("the key file {} cannot be read; `dialproof init` makes one", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// It is there, but it is none. What stands in it is not repeated.
    #[error("{} is no key file: restore it from the backup; without it the stored numbers cannot be read", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("the key file {} cannot be written", path.display())]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// What the system said; an existing file is never overwritten.
        #[source]
        cause: io::Error,
    },
}

impl KeyFile {
    /// New keys. `draw` gives 32 random octets at each call.
    pub fn generate(mut draw: impl FnMut() -> [u8; 32]) -> Self {
        Self { peppers: vec![Pepper { epoch: 1, key: draw() }], column: draw(), proof: draw(), service: draw() }
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// If there is none, or it is something else.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let text =
            std::fs::read_to_string(path).map_err(|cause| KeyFileError::Unreadable { path: path.to_owned(), cause })?;
        Self::parse(&text).ok_or_else(|| KeyFileError::Malformed { path: path.to_owned() })
    }

    /// Writes a file that does not exist yet, readable by its owner alone, and waits until it is on the disk.
    ///
    /// # Errors
    /// If it exists, or the disk refuses.
    pub fn write_new(&self, path: &Path) -> Result<(), KeyFileError> {
        let written = || -> io::Result<()> {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            let mut file = private(&mut options).open(path)?;
            file.write_all(self.text().as_bytes())?;
            file.sync_all()
        };
        written().map_err(|cause| KeyFileError::Unwritable { path: path.to_owned(), cause })
    }

    /// The peppers, the newest first: new rows use the first, look-ups try each.
    pub fn peppers(&self) -> &[Pepper] {
        &self.peppers
    }

    /// The key of the columns that hold a readable number or address.
    pub fn column_key(&self) -> &[u8; 32] {
        &self.column
    }

    /// The key that seals proofs while they wait for their read-back.
    pub fn proof_key(&self) -> ProofKey {
        ProofKey::new(self.proof)
    }

    /// A key for one purpose of the service that has no key of its own here, such as "csrf" or "read-back".
    pub fn derived(&self, purpose: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.service).expect("HMAC takes a key of any length");
        mac.update(b"dialproof-key-v1/");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn parse(text: &str) -> Option<Self> {
        let stored: Stored = toml::from_str(text).ok()?;
        let mut peppers: Vec<Pepper> = stored
            .pepper
            .iter()
            .map(|pepper| Some(Pepper { epoch: pepper.epoch, key: from_hex(&pepper.key)? }))
            .collect::<Option<_>>()?;
        peppers.sort_by_key(|pepper| std::cmp::Reverse(pepper.epoch));
        let is_ambiguous = peppers.windows(2).any(|pair| pair[0].epoch == pair[1].epoch);
        if peppers.is_empty() || is_ambiguous {
            return None;
        }
        Some(Self {
            peppers,
            column: from_hex(&stored.column_key)?,
            proof: from_hex(&stored.proof_key)?,
            service: from_hex(&stored.service_key)?,
        })
    }

    fn text(&self) -> String {
        let pepper = |pepper: &Pepper| StoredPepper { epoch: pepper.epoch, key: hex::of(&pepper.key) };
        let stored = Stored {
            column_key: hex::of(&self.column),
            proof_key: hex::of(&self.proof),
            service_key: hex::of(&self.service),
            pepper: self.peppers.iter().map(pepper).collect(),
        };
        let body = toml::to_string(&stored).expect("strings and numbers");
        format!(
            "# The keys of a Dialproof service. Keep them secret, and keep a copy apart from the database's.\n{body}"
        )
    }
}

impl std::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[private]")
    }
}

impl std::fmt::Debug for Pepper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pepper {{ epoch: {}, key: [private] }}", self.epoch)
    }
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct Stored {
    column_key: String,
    proof_key: String,
    service_key: String,
    pepper: Vec<StoredPepper>,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct StoredPepper {
    epoch: u32,
    key: String,
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    for (i, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(key)
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> KeyFile {
        let mut next = 0;
        KeyFile::generate(|| {
            next += 1;
            [next; 32]
        })
    }

    #[test]
    fn what_was_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        keys().write_new(&path).unwrap();
        assert_eq!(KeyFile::read(&path).unwrap(), keys());
        assert!(matches!(keys().write_new(&path), Err(KeyFileError::Unwritable { .. })), "a key file was overwritten");
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        keys().write_new(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_newest_pepper_comes_first() {
        let text = keys().text() + &format!("\n[[pepper]]\nepoch = 2\nkey = \"{}\"\n", "ab".repeat(32));
        let peppers: Vec<u32> = KeyFile::parse(&text).unwrap().peppers().iter().map(|pepper| pepper.epoch).collect();
        assert_eq!(peppers, [2, 1]);
    }

    #[test]
    fn a_file_that_is_not_whole_is_refused() {
        let text = keys().text();
        let table = [
            ("empty", String::new()),
            ("a key missing", text.replace("column_key", "colum_key")),
            ("a short key", text.replacen("0202", "02", 1)),
            ("not hexadecimal", text.replacen("0202", "0z02", 1)),
            ("an epoch twice", format!("{text}\n[[pepper]]\nepoch = 1\nkey = \"{}\"\n", "ab".repeat(32))),
        ];
        for (name, text) in table {
            assert!(KeyFile::parse(&text).is_none(), "{name}");
        }
    }

    #[test]
    fn keys_differ_by_purpose_and_are_never_shown() {
        assert_ne!(keys().derived("csrf"), keys().derived("read-back"));
        assert_eq!(format!("{:?} {:?}", keys(), keys().peppers()[0]), "[private] Pepper { epoch: 1, key: [private] }");
        let error = KeyFile::read(Path::new("/nonexistent/keys.toml")).unwrap_err();
        assert!(error.to_string().contains("dialproof init"), "{error}");
    }
}
