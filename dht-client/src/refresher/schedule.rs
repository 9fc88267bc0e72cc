//! When what is put again: a queue that knows neither a clock nor a DHT.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hash::Hash;
use std::time::Duration;

use time::OffsetDateTime;

/// Until then nobody else takes what was taken: longer than a put with all its tries.
const LEASE: Duration = Duration::from_secs(60);
/// After the first failure; it doubles.
const FIRST_BACKOFF: Duration = Duration::from_secs(2);

/// When each of many things is due. Every time that it gives is drawn from a `chance` of 0 to 1 that its caller draws, so
/// that a million things that came together part.
#[derive(Debug)]
pub struct Schedule<K> {
    every: Duration,
    limit: usize,
    entries: HashMap<K, Entry>,
    /// Earliest first; an entry that is due at another time by now is passed over.
    order: BinaryHeap<Reverse<(OffsetDateTime, K)>>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    due: OffsetDateTime,
    expires: OffsetDateTime,
    failures: u32,
    /// It was stored once, and has a place of its own in the interval.
    has_place: bool,
}

/// The schedule holds as much as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no more than {0} records are kept; forget some first")]
pub struct Full(pub usize);

impl<K: Copy + Ord + Hash> Schedule<K> {
    /// Puts each thing again `every` so often, and takes `limit` things at most.
    pub fn new(every: Duration, limit: usize) -> Self {
        Self { every, limit, entries: HashMap::new(), order: BinaryHeap::new() }
    }

    /// How many things there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// From now on this is due, first within `within`, until it expires. What was there is replaced.
    ///
    /// # Errors
    /// [`Full`].
    pub fn add(
        &mut self,
        key: K,
        expires: OffsetDateTime,
        within: Duration,
        chance: f64,
        now: OffsetDateTime,
    ) -> Result<(), Full> {
        if self.entries.len() >= self.limit && !self.entries.contains_key(&key) {
            return Err(Full(self.limit));
        }
        self.plan(key, Entry { due: now + within.mul_f64(chance), expires, failures: 0, has_place: false });
        Ok(())
    }

    /// When something is due next.
    pub fn deadline(&mut self) -> Option<OffsetDateTime> {
        while let Some(Reverse((due, key))) = self.order.peek() {
            if self.entries.get(key).is_some_and(|entry| entry.due == *due) {
                return Some(*due);
            }
            self.order.pop();
        }
        None
    }

    /// Takes what is due the longest; nobody else gets it until [`Schedule::stored`], [`Schedule::failed`] or a minute later.
    pub fn take(&mut self, now: OffsetDateTime) -> Option<K> {
        Some(self.take_with_due(now)?.0)
    }

    fn take_with_due(&mut self, now: OffsetDateTime) -> Option<(K, OffsetDateTime)> {
        while self.deadline()? <= now {
            let Reverse((due, key)) = self.order.pop()?;
            let entry = *self.entries.get(&key)?;
            if entry.expires <= now {
                self.entries.remove(&key);
                continue;
            }
            self.plan(key, Entry { due: now + LEASE, ..entry });
            return Some((key, due));
        }
        None
    }

    /// Takes all that is due, and says since when each is.
    pub fn take_all(&mut self, now: OffsetDateTime) -> Vec<(K, OffsetDateTime)> {
        std::iter::from_fn(|| self.take_with_due(now)).collect()
    }

    /// What was taken was not tried: it is due as it was.
    pub fn put_back(&mut self, key: K, due: OffsetDateTime) {
        if let Some(entry) = self.entries.get(&key).copied() {
            self.plan(key, Entry { due, ..entry });
        }
    }

    /// This is not due any more.
    pub fn forget(&mut self, key: K) {
        self.entries.remove(&key);
    }

    /// This is due now; its place in the interval stays its own.
    pub fn hasten(&mut self, key: K, now: OffsetDateTime) {
        if let Some(entry) = self.entries.get(&key).copied() {
            self.plan(key, Entry { due: now, failures: 0, ..entry });
        }
    }

    /// What was taken is stored: due again after three quarters to the whole of the interval. The first time it is due
    /// anywhere in the interval: a quarter's width would leave what came together in a heap for half a day.
    pub fn stored(&mut self, key: K, chance: f64, now: OffsetDateTime) {
        if let Some(entry) = self.entries.get(&key).copied() {
            let part = if entry.has_place { 1.0 - 0.25 * chance } else { 1.0 - chance };
            self.plan(key, Entry { due: now + self.every.mul_f64(part), failures: 0, has_place: true, ..entry });
        }
    }

    /// What was taken is not stored: due again after a pause that doubles, up to the interval.
    pub fn failed(&mut self, key: K, chance: f64, now: OffsetDateTime) {
        if let Some(entry) = self.entries.get(&key).copied() {
            let pause = FIRST_BACKOFF.saturating_mul(2_u32.saturating_pow(entry.failures)).min(self.every);
            let due = now + pause.mul_f64(1.0 - 0.25 * chance);
            self.plan(key, Entry { due, failures: entry.failures.saturating_add(1), ..entry });
        }
    }

    fn plan(&mut self, key: K, entry: Entry) {
        self.entries.insert(key, entry);
        self.order.push(Reverse((entry.due, key)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn what_is_stored_comes_again_before_it_is_forgotten_and_until_it_expires() {
        let mut schedule = Schedule::new(HOUR, 10);
        schedule.add(1, at(9000), HOUR, 0.0, at(0)).unwrap();
        assert_eq!((schedule.take(at(0)), schedule.take(at(0))), (Some(1), None));
        schedule.stored(1, 0.9, at(1));
        assert_eq!((schedule.deadline(), schedule.take(at(361))), (Some(at(361)), Some(1)));
        schedule.stored(1, 0.5, at(361));
        assert_eq!((schedule.take(at(361 + 3149)), schedule.take(at(361 + 3150))), (None, Some(1)));
        schedule.stored(1, 0.0, at(8000));
        assert_eq!((schedule.take(at(11_600)), schedule.len(), schedule.deadline()), (None, 0, None));
    }

    #[test]
    fn failures_are_tried_again_ever_more_seldom_and_a_success_begins_anew() {
        let mut schedule = Schedule::new(HOUR, 10);
        schedule.add(1, at(90_000), HOUR, 0.0, at(0)).unwrap();
        let mut now = at(0);
        let mut pauses = Vec::new();
        for _ in 0..14 {
            assert_eq!(schedule.take(now), Some(1));
            schedule.failed(1, 0.0, now);
            let due = schedule.deadline().unwrap();
            pauses.push((due - now).whole_seconds());
            now = due;
        }
        assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600]);
        assert_eq!(schedule.take(now), Some(1));
        schedule.stored(1, 0.0, now);
        let now = schedule.deadline().unwrap();
        schedule.failed(1, 1.0, now);
        assert_eq!(schedule.deadline(), Some(now + Duration::from_millis(1500)));
    }

    #[test]
    fn what_nobody_reported_on_is_taken_again() {
        let mut schedule = Schedule::new(HOUR, 10);
        schedule.add(1, at(9000), HOUR, 0.0, at(0)).unwrap();
        assert_eq!(schedule.take(at(0)), Some(1));
        assert_eq!((schedule.take(at(59)), schedule.take(at(60))), (None, Some(1)));
    }

    #[test]
    fn what_was_put_back_comes_before_what_failed_and_what_was_forgotten_never() {
        let mut schedule = Schedule::new(HOUR, 10);
        for key in 1..=3 {
            schedule.add(key, at(9000), HOUR, 0.0, at(0)).unwrap();
        }
        assert_eq!(schedule.take_all(at(5)), [(1, at(0)), (2, at(0)), (3, at(0))]);
        schedule.failed(1, 1.0, at(5));
        schedule.put_back(2, at(0));
        schedule.put_back(3, at(0));
        schedule.forget(3);
        assert_eq!((schedule.take(at(8)), schedule.take(at(8)), schedule.take(at(8))), (Some(2), Some(1), None));
    }

    #[test]
    fn it_holds_no_more_than_it_may() {
        let mut schedule = Schedule::new(HOUR, 1);
        schedule.add(1, at(10), HOUR, 0.0, at(0)).unwrap();
        assert_eq!(schedule.add(2, at(10), HOUR, 0.0, at(0)), Err(Full(1)));
        schedule.add(1, at(20), HOUR, 0.0, at(0)).unwrap();
        assert!(schedule.take(at(20)).is_none() && schedule.is_empty());
        schedule.add(2, at(30), HOUR, 0.0, at(20)).unwrap();
        assert_eq!(schedule.deadline(), Some(at(20)));
    }

    /// Multiply with carry: draws that are the same in every run.
    fn draws(mut state: u64) -> impl FnMut() -> f64 {
        move || {
            state = (state & 0xffff_ffff) * 4_294_957_665 + (state >> 32);
            f64::from(u32::try_from(state & 0xffff_ffff).unwrap()) / f64::from(u32::MAX)
        }
    }

    /// A million records that all came in one minute are from their second hour on put again at an even rate. Prints it.
    #[test]
    fn a_million_records_spread_over_the_hour() {
        const RECORDS: u32 = 1_000_000;
        const SECONDS: i64 = 5400;
        let mut chance = draws(88_172_645_463_325_252);
        let mut schedule = Schedule::new(HOUR, 1_000_000);
        for record in 0..RECORDS {
            schedule.add(record, at(1_000_000), Duration::from_secs(60), chance(), at(0)).unwrap();
        }
        let mut puts = Vec::new();
        let mut last = vec![0; 1_000_000];
        let mut longest = 0;
        for second in 0..SECONDS {
            let mut count = 0_u32;
            while let Some(record) = schedule.take(at(second)) {
                count += 1;
                let before = std::mem::replace(&mut last[usize::try_from(record).unwrap()], second);
                longest = longest.max(second - before);
                schedule.stored(record, chance(), at(second));
            }
            puts.push(count);
        }
        let rates: Vec<u32> = puts.chunks(300).map(|seconds| seconds.iter().sum::<u32>() / 300).collect();
        println!("puts a second, in each five minutes: {rates:?}");
        let first: u32 = puts[..=60].iter().sum();
        assert!(first >= RECORDS, "what came together is put at once: {first}");
        assert!(longest <= 3601, "nothing waits longer than the interval: {longest} s");
        let later = &rates[12..];
        let (least, most) = (*later.iter().min().unwrap(), *later.iter().max().unwrap());
        assert!(most < least * 2, "{later:?}");
    }
}
