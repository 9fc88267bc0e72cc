//! The slow hashes of those looked up before, so that the next look-up takes milliseconds: one line a contact in a file that
//! only its owner reads.
//!
//! The file tells of whom who can guess them, at the price of one fast hash a guess, and opens their records: it is worth as
//! much as an address book. Without a file the memory lasts as long as the process.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::files;
use crate::slot::{Derived, HashCost, Identity};

/// How many are remembered; past it whichever goes: making one anew costs a third of a second.
const CONTACTS: usize = 5_000;
/// The largest file that is read; a line has 142 characters.
const SIZE_LIMIT: u64 = 1024 * 1024;

/// The memory. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Contacts {
    known: Arc<Mutex<HashMap<Key, Derived>>>,
    file: Option<PathBuf>,
}

/// SHA-256 over all that a hash depends on.
type Key = [u8; 32];

impl Contacts {
    /// A memory in a file, which need not exist yet. Lines that cannot be read are ignored.
    ///
    /// # Errors
    /// If the file is there, but cannot be read, or holds something else.
    pub fn open(file: &Path) -> io::Result<Self> {
        let (known, _) = files::read_lines(file, SIZE_LIMIT, parse)?;
        let known = known.into_iter().collect();
        Ok(Self { known: Arc::new(Mutex::new(known)), file: Some(file.to_owned()) })
    }

    /// The hash of somebody, if it is known.
    pub(crate) fn get(&self, identity: &Identity, directory_key: &[u8; 32], cost: HashCost) -> Option<Derived> {
        self.lock().get(&key(identity, directory_key, cost)).cloned()
    }

    /// Remembers a hash.
    ///
    /// # Errors
    /// If the file cannot be written; it is remembered in the process all the same.
    pub(crate) fn put(
        &self,
        (identity, directory_key, cost): (&Identity, &[u8; 32], HashCost),
        derived: &Derived,
    ) -> io::Result<()> {
        let mut known = self.lock();
        if known.len() >= CONTACTS
            && let Some(any) = known.keys().next().copied()
        {
            known.remove(&any);
        }
        known.insert(key(identity, directory_key, cost), derived.clone());
        let Some(file) = &self.file else { return Ok(()) };
        let text: String = known.iter().map(|(key, derived)| line(key, derived)).collect();
        files::replace(file, &text)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Derived>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(identity: &Identity, directory_key: &[u8; 32], cost: HashCost) -> Key {
    let HashCost { memory_kib, passes, lanes } = cost;
    let mut digest = Sha256::new().chain_update(b"dialproof-contact-v1").chain_update(directory_key);
    for number in [memory_kib, passes, lanes] {
        digest = digest.chain_update(number.to_be_bytes());
    }
    digest.chain_update(identity.expose()).finalize().into()
}

fn line(key: &Key, derived: &Derived) -> String {
    format!("{} {}\n", STANDARD.encode(key), STANDARD.encode(derived.as_bytes()))
}

fn parse(line: &str) -> Option<(Key, Derived)> {
    let (key, derived) = line.split_once(' ')?;
    let derived = STANDARD.decode(derived).ok()?.try_into().ok()?;
    Some((STANDARD.decode(key).ok()?.try_into().ok()?, Derived::from_bytes(derived)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_hashed_once_is_known_for_the_same_directory_and_price_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("contacts");
        let ann = Identity::parse("mailto:ann@example.org").unwrap();
        let derived = Derived::hash(&ann, &[1; 32], HashCost::CHEAP).unwrap();
        Contacts::open(&file).unwrap().put((&ann, &[1; 32], HashCost::CHEAP), &derived).unwrap();
        let later = Contacts::open(&file).unwrap();
        assert_eq!(later.get(&ann, &[1; 32], HashCost::CHEAP), Some(derived));
        let bob = Identity::parse("mailto:bob@example.org").unwrap();
        assert_eq!(later.get(&bob, &[1; 32], HashCost::CHEAP), None);
        assert_eq!(later.get(&ann, &[2; 32], HashCost::CHEAP), None);
        assert_eq!(later.get(&ann, &[1; 32], HashCost::STRONG), None);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.contains("ann"), "{text}");
        std::fs::write(&file, format!("rubbish\n{text}\nAAAA AAAA\n")).unwrap();
        assert!(Contacts::open(&file).unwrap().get(&ann, &[1; 32], HashCost::CHEAP).is_some());
        std::fs::write(&file, "-----BEGIN PRIVATE KEY-----\n").unwrap();
        assert!(Contacts::open(&file).is_err(), "it would be replaced");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_the_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("contacts");
        let ann = Identity::parse("mailto:ann@example.org").unwrap();
        let derived = Derived::from_bytes([1; Derived::SIZE]);
        Contacts::open(&file).unwrap().put((&ann, &[1; 32], HashCost::CHEAP), &derived).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
