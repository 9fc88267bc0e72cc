//! Which proxies were silent lately: puts leave them out for a while, so that one that hangs costs a moment a minute and not
//! one a put. Readers ask all of them each time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use time::OffsetDateTime;

/// So many seconds a proxy is left out.
const SECONDS: i64 = 60;

/// The silences of a list of proxies, each known by its place there. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Silences(Arc<[Silence]>);

/// Until when a proxy is left out, Unix seconds.
#[derive(Debug, Default)]
struct Silence {
    /// It did not begin in time to show what lies in a slot: it is not asked for anything, unless all others are silent as well.
    reads: AtomicI64,
    /// It did not take in time what it was given: what others stored it may show.
    puts: AtomicI64,
}

impl Silences {
    /// Of so many proxies, none of which was silent.
    pub(super) fn of(proxies: usize) -> Self {
        Self((0..proxies).map(|_| Silence::default()).collect())
    }

    /// Through whom to read what a put has to know, from the one whose turn it is: who was not silent; everybody, if all were.
    pub(super) fn readers(&self, first: usize, now: OffsetDateTime) -> Vec<usize> {
        let heard = self.heard(first, now);
        if heard.is_empty() { self.from(first).collect() } else { heard }
    }

    /// Who was not silent, from the one whose turn it is.
    pub(super) fn heard(&self, first: usize, now: OffsetDateTime) -> Vec<usize> {
        self.from(first).filter(|&proxy| !lasts(&self.0[proxy].reads, now)).collect()
    }

    /// Through whom to put, from the one whose turn it is; who was silent comes last.
    pub(super) fn writers(&self, first: usize, now: OffsetDateTime) -> Vec<usize> {
        let mut writers: Vec<_> = self.from(first).collect();
        writers.sort_by_key(|&proxy| lasts(&self.0[proxy].reads, now) || lasts(&self.0[proxy].puts, now));
        writers
    }

    /// One that is not this, silent or not, from the one whose turn it is.
    pub(super) fn other(&self, but: usize, first: usize) -> Option<usize> {
        self.from(first).find(|&proxy| proxy != but)
    }

    /// All, from one on.
    fn from(&self, first: usize) -> impl Iterator<Item = usize> {
        let count = self.0.len();
        (0..count).map(move |step| (first % count + step) % count)
    }

    /// This one did not begin in time to show what lies in a slot.
    pub(super) fn note_read(&self, proxy: usize, now: OffsetDateTime) {
        self.0[proxy].reads.store(now.unix_timestamp() + SECONDS, Ordering::Relaxed);
    }

    /// This one began to show what lies in a slot.
    pub(super) fn forget_read(&self, proxy: usize) {
        self.0[proxy].reads.store(0, Ordering::Relaxed);
    }

    /// This one did not take an item in time.
    pub(super) fn note_put(&self, proxy: usize, now: OffsetDateTime) {
        self.0[proxy].puts.store(now.unix_timestamp() + SECONDS, Ordering::Relaxed);
    }
}

fn lasts(until: &AtomicI64, now: OffsetDateTime) -> bool {
    until.load(Ordering::Relaxed) > now.unix_timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_silent_is_left_out_for_a_minute_unless_all_were() {
        let at = |seconds: i64| OffsetDateTime::from_unix_timestamp(1_800_000_000 + seconds).unwrap();
        let silences = Silences::of(3);
        silences.note_read(0, at(0));
        silences.note_put(1, at(30));
        assert_eq!((silences.readers(2, at(59)), silences.writers(0, at(59))), (vec![2, 1], vec![2, 0, 1]));
        assert_eq!((silences.readers(3, at(60)), silences.writers(1, at(60))), (vec![0, 1, 2], vec![2, 0, 1]));
        for proxy in 0..3 {
            silences.note_read(proxy, at(60));
        }
        assert_eq!(silences.heard(0, at(61)), [0; 0]);
        assert_eq!([silences.other(0, 0), silences.other(0, 2), Silences::of(1).other(0, 7)], [Some(1), Some(2), None]);
        assert_eq!((silences.readers(1, at(61)), silences.writers(1, at(61))), (vec![1, 2, 0], vec![1, 2, 0]));
        silences.forget_read(2);
        assert_eq!(silences.heard(0, at(61)), [2]);
    }
}
