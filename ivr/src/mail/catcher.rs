//! The demonstration's mailbox: every mail is kept in memory and shown on a page instead of being sent.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use time::OffsetDateTime;

use super::letter::Sender;
use super::{Letter, Undelivered};

/// Mails that are kept; when there are more, the oldest is forgotten.
const MOST: usize = 200;

/// Keeps mails. Clones share them.
#[derive(Clone)]
pub struct Catcher {
    sender: Sender,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    mails: VecDeque<Arc<Caught>>,
    count: u64,
}

/// A mail that was kept.
pub struct Caught {
    /// 1, 2, …
    pub number: u64,
    /// Its Date.
    pub at: OffsetDateTime,
    /// What it says.
    pub mail: ca::email::Mail,
    /// The whole message, as a relay would have got it.
    pub message: Vec<u8>,
}

impl Catcher {
    /// Catches the mails of a service of this name.
    pub fn new(service_name: &str) -> Self {
        let sender = Sender::new(service_name, "noreply@dialproof.invalid").expect("a constant address");
        Self { sender, kept: Arc::default() }
    }

    /// The mails, newest first.
    pub fn mails(&self) -> Vec<Arc<Caught>> {
        self.lock().mails.iter().rev().cloned().collect()
    }

    /// One mail, unless it is forgotten.
    pub fn mail(&self, number: u64) -> Option<Arc<Caught>> {
        self.lock().mails.iter().find(|caught| caught.number == number).cloned()
    }

    pub(super) fn keep(&self, letter: &Letter) -> Result<(), Undelivered> {
        let message = self.sender.write(letter)?.formatted();
        let mut kept = self.lock();
        kept.count += 1;
        let caught = Caught { number: kept.count, at: letter.written_at, mail: letter.mail.clone(), message };
        kept.mails.push_back(Arc::new(caught));
        if kept.mails.len() > MOST {
            kept.mails.pop_front();
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        // Nothing between lock and unlock leaves the mails half changed.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Catcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Catcher({} mails)", self.lock().mails.len())
    }
}

impl fmt::Debug for Caught {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caught({})", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::super::letter::tests::letter;
    use super::*;

    #[test]
    fn the_newest_mails_are_kept_and_the_oldest_forgotten() {
        let catcher = Catcher::new("Example");
        for _ in 0..MOST + 3 {
            catcher.keep(&letter("somebody@example.org")).unwrap();
        }
        let numbers: Vec<u64> = catcher.mails().iter().map(|caught| caught.number).collect();
        assert_eq!(numbers.len(), MOST);
        assert_eq!((numbers[0], numbers[MOST - 1]), (203, 4));
        assert!(catcher.mail(3).is_none());
        let caught = catcher.mail(203).unwrap();
        assert!(caught.message.starts_with(b"From: "));
        assert_eq!(caught.mail.to, "somebody@example.org");
        assert!(!format!("{catcher:?} {caught:?}").contains("somebody@"));
    }
}
