//! The highest sequence number a reader ever saw in each slot: who replays an older record is found out.
//!
//! The file is text, a line a slot: `<40 hexadecimal digits> <number>`. It tells no identity.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::files;
use crate::item::SlotId;

/// How many slots are remembered; past it the one with the lowest number, the longest not renewed, is forgotten.
const SLOTS: usize = 20_000;
/// The largest file that is read.
const SIZE_LIMIT: u64 = 2 * 1024 * 1024;

/// The memory. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    highest: Arc<Mutex<HashMap<SlotId, i64>>>,
    file: Option<PathBuf>,
}

impl Seen {
    /// A memory that lasts as long as the process.
    pub fn new() -> Self {
        Self::default()
    }

    /// A memory in a file, which need not exist yet. Lines that cannot be read are ignored: they protect nobody.
    ///
    /// # Errors
    /// If the file is there, but cannot be read, or holds something else.
    pub fn open(file: &Path) -> io::Result<Self> {
        let highest = Arc::new(Mutex::new(read(file)?));
        Ok(Self { highest, file: Some(file.to_owned()) })
    }

    /// The highest number seen in a slot.
    pub fn highest(&self, slot: SlotId) -> Option<i64> {
        self.lock().get(&slot).copied()
    }

    /// Remembers a number, and writes the file if that is news.
    ///
    /// # Errors
    /// If the file cannot be written; the number is remembered in the process all the same.
    pub fn note(&self, slot: SlotId, seq: i64) -> io::Result<()> {
        let mut highest = self.lock();
        if highest.get(&slot).is_some_and(|&seen| seen >= seq) {
            return Ok(());
        }
        highest.insert(slot, seq);
        let Some(file) = &self.file else {
            forget(&mut highest);
            return Ok(());
        };
        // Another process may have written meanwhile.
        for (slot, seen) in read(file)? {
            let ours = highest.entry(slot).or_insert(seen);
            *ours = seen.max(*ours);
        }
        forget(&mut highest);
        let text: String = highest.iter().map(|(slot, seq)| format!("{slot} {seq}\n")).collect();
        files::replace(file, &text)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SlotId, i64>> {
        self.highest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forget(highest: &mut HashMap<SlotId, i64>) {
    while highest.len() > SLOTS {
        let Some(oldest) = highest.iter().min_by_key(|(_, seq)| **seq).map(|(slot, _)| *slot) else { return };
        highest.remove(&oldest);
    }
}

fn read(file: &Path) -> io::Result<HashMap<SlotId, i64>> {
    let parse = |line: &str| {
        let (slot, seq) = line.split_once(' ')?;
        Some((SlotId::parse(slot)?, seq.parse().ok()?))
    };
    let (seen, _) = files::read_lines(file, SIZE_LIMIT, parse)?;
    Ok(seen.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_process_saw_another_knows() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("seen");
        let (one, two) = (Seen::open(&file).unwrap(), Seen::open(&file).unwrap());
        one.note(SlotId([1; 20]), 5).unwrap();
        two.note(SlotId([2; 20]), 7).unwrap();
        one.note(SlotId([1; 20]), 4).unwrap();
        let later = Seen::open(&file).unwrap();
        assert_eq!((later.highest(SlotId([1; 20])), later.highest(SlotId([2; 20]))), (Some(5), Some(7)));
        assert_eq!(later.highest(SlotId([3; 20])), None);
    }

    #[test]
    fn of_many_notes_at_once_the_file_keeps_each() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("seen");
        let seen = Seen::open(&file).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let seen = &seen;
                scope.spawn(move || (0..10).for_each(|note| seen.note(slot(thread * 10 + note), 9).unwrap()));
            }
        });
        assert_eq!(read(&file).unwrap().len(), 40);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_damaged_line_costs_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("seen");
        let good = SlotId([0xab; 20]);
        std::fs::write(&file, format!("rubbish\n{good} 9\n{good}\nzz 3\n")).unwrap();
        assert_eq!(Seen::open(&file).unwrap().highest(good), Some(9));
    }

    #[test]
    fn a_file_of_something_else_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("seen");
        let seen = Seen::open(&file).unwrap();
        let key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----\n";
        std::fs::write(&file, key).unwrap();
        assert!(seen.note(SlotId([1; 20]), 5).is_err() && Seen::open(&file).is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), key);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_said_but_the_number_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let seen = Seen::open(&folder.path().join("no such folder").join("seen")).unwrap();
        assert!(seen.note(SlotId([1; 20]), 5).is_err());
        assert_eq!(seen.highest(SlotId([1; 20])), Some(5));
    }

    #[test]
    fn the_longest_not_renewed_is_forgotten_first() {
        let mut highest: HashMap<_, _> = (0..SLOTS).map(|n| (slot(n), i64::try_from(n).unwrap() + 10)).collect();
        highest.insert(slot(SLOTS), 3);
        forget(&mut highest);
        assert_eq!((highest.len(), highest.get(&slot(SLOTS))), (SLOTS, None));
    }

    fn slot(number: usize) -> SlotId {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        SlotId(bytes)
    }
}
