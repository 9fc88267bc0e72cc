//! Work that a visitor's machine does before a verification begins, while too many begin (`web/flood.rs` says when): cheap for
//! one, dear for a flood.
//!
//! A challenge is not stored: it holds its end, its difficulty, and a keyed hash over both and the number that it is for. Only
//! what was solved is remembered, for as long as its challenge lives, so that it begins one verification.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use ivr_core::number::Number;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::hex;

/// How long a challenge may be solved.
const LIFE: Duration = Duration::from_secs(5 * 60);
/// Solved ones that are remembered, some 10 MB. When there are more, the first are forgotten, and whatever was made until
/// their end counts as used.
const MOST_SPENT: usize = 100_000;
/// The beginning of a keyed hash.
const TAG: usize = 16;
/// What makes a challenge unlike all others.
pub const RANDOM: usize = 16;
/// Digits of a counter.
const LONGEST_SOLUTION: usize = 20;

/// When work is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// Verifications that begin in a minute without it; `0` asks everybody.
    pub starts_a_minute: u32,
    /// The same of one network (/24, /56).
    pub of_a_network: u32,
    /// Leading zero bits that are to be found: each doubles the work.
    pub bits: u8,
}

/// A piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Puzzle {
    /// Find a counter (decimal digits) so that SHA-256 of this text, a dot and the counter begins with `bits` zero bits.
    pub challenge: String,
    /// See there.
    pub bits: u8,
    /// Until when it is taken.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// A challenge, and the counter that was found for it.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Solved {
    /// As it was given.
    pub challenge: String,
    /// The counter.
    pub solution: String,
}

/// Gives work, and looks at what was done.
pub struct Puzzles {
    key: [u8; 32],
    bits: u8,
    spent: Mutex<Spent>,
}

/// The key is nobody's business.
impl fmt::Debug for Puzzles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Puzzles").field("bits", &self.bits).finish_non_exhaustive()
    }
}

impl Puzzles {
    /// With a key of its own, `KeyFile::derived("puzzle")`, and so many bits to be found.
    pub fn new(key: [u8; 32], bits: u8) -> Self {
        Self { key, bits, spent: Mutex::default() }
    }

    /// Work for whoever wants to begin a verification of this number. `random` makes it unlike all other.
    pub fn challenge(&self, number: &Number, random: [u8; RANDOM], now: OffsetDateTime) -> Puzzle {
        let (ends, bits) = ((now + LIFE).unix_timestamp(), self.bits);
        let body = format!("{ends:x}-{bits}-{}", hex::of(&random));
        let tag = hex::of(&self.tag(&body, number));
        let expires_at = OffsetDateTime::from_unix_timestamp(ends).unwrap_or(now);
        Puzzle { challenge: format!("{body}-{tag}"), bits, expires_at }
    }

    /// Was it done for this number, in time, and not used before? It is used from now on.
    pub fn take(&self, Solved { challenge, solution }: &Solved, number: &Number, now: OffsetDateTime) -> bool {
        let parts: Vec<&str> = challenge.split('-').collect();
        let &[ends, bits, random, tag] = &parts[..] else { return false };
        let body = &challenge[..challenge.len() - tag.len() - 1];
        let (Ok(ends), Ok(bits)) = (i64::from_str_radix(ends, 16), bits.parse::<u8>()) else { return false };
        let is_ours =
            bool::from(subtle::ConstantTimeEq::ct_eq(hex::of(&self.tag(body, number)).as_bytes(), tag.as_bytes()));
        let is_counter = solution.len() <= LONGEST_SOLUTION && solution.bytes().all(|byte| byte.is_ascii_digit());
        is_ours
            && now.unix_timestamp() < ends
            && is_counter
            && zero_bits(challenge, solution) >= u32::from(bits)
            && self.spent.lock().unwrap_or_else(PoisonError::into_inner).take((ends, random), now.unix_timestamp())
    }

    fn tag(&self, body: &str, number: &Number) -> [u8; TAG] {
        let mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        let mac = mac.chain_update(body).chain_update([0]).chain_update(number.as_str()).finalize().into_bytes();
        let mut tag = [0; TAG];
        tag.copy_from_slice(&mac[..TAG]);
        tag
    }
}

/// Does the work: the first counter that fits.
pub fn solve(challenge: &str, bits: u8) -> String {
    let fits = |counter: &u64| zero_bits(challenge, &counter.to_string()) >= u32::from(bits);
    (0_u64..).find(fits).unwrap_or_default().to_string()
}

fn zero_bits(challenge: &str, solution: &str) -> u32 {
    let hash = Sha256::new().chain_update(challenge).chain_update(".").chain_update(solution).finalize();
    let mut bits = 0;
    for octet in hash {
        bits += octet.leading_zeros();
        if octet != 0 {
            break;
        }
    }
    bits
}

/// What was used: its end, and what it has of its own.
#[derive(Debug, Default)]
struct Spent {
    known: HashSet<String>,
    order: VecDeque<(i64, String)>,
    /// What ends then or before is no longer known, so it is taken for used.
    forgotten_until: i64,
}

impl Spent {
    fn take(&mut self, (ends, random): (i64, &str), now: i64) -> bool {
        while let Some((_, old)) = self.order.pop_front_if(|(ends, _)| *ends <= now) {
            self.known.remove(&old);
        }
        if ends <= self.forgotten_until || self.known.contains(random) {
            return false;
        }
        if self.order.len() >= MOST_SPENT
            && let Some((until, old)) = self.order.pop_front()
        {
            self.known.remove(&old);
            self.forgotten_until = until.max(self.forgotten_until);
        }
        self.known.insert(random.to_owned());
        self.order.push_back((ends, random.to_owned()));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    fn puzzles() -> (Puzzles, Number, OffsetDateTime) {
        (
            Puzzles::new([3; 32], 8),
            number("+12025550143"),
            OffsetDateTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
        )
    }

    fn solved(puzzle: &Puzzle) -> Solved {
        Solved { challenge: puzzle.challenge.clone(), solution: solve(&puzzle.challenge, puzzle.bits) }
    }

    #[test]
    fn work_is_taken_once_in_its_time_and_for_its_number() {
        let (puzzles, ours, now) = puzzles();
        let puzzle = puzzles.challenge(&ours, [1; RANDOM], now);
        let work = solved(&puzzle);
        assert!(!puzzles.take(&work, &number("+12025550144"), now), "another number's");
        assert!(!puzzles.take(&work, &ours, now + LIFE), "too late");
        let other = Puzzles::new([4; 32], 8);
        assert!(!other.take(&work, &ours, now), "another service's");
        assert!(puzzles.take(&work, &ours, now + LIFE - Duration::from_secs(1)));
        assert!(!puzzles.take(&work, &ours, now), "again");
    }

    #[test]
    fn what_was_not_worked_for_is_not_taken() {
        let (puzzles, ours, now) = puzzles();
        let puzzle = puzzles.challenge(&ours, [1; RANDOM], now);
        let work = solved(&puzzle);
        let fails = (0..).map(|n: u32| n.to_string()).find(|text| zero_bits(&puzzle.challenge, text) < 8).unwrap();
        let easier = puzzle.challenge.replacen("-8-", "-1-", 1);
        let later = puzzle.challenge.replacen("6b", "7b", 1);
        assert_ne!(later, puzzle.challenge);
        for (challenge, solution) in [
            (puzzle.challenge.as_str(), fails.as_str()),
            (&puzzle.challenge, ""),
            (&puzzle.challenge, "0x1"),
            (&puzzle.challenge, "123456789012345678901"),
            (&easier, &solve(&easier, 1)),
            (&later, &solve(&later, 8)),
            (&puzzle.challenge[..puzzle.challenge.len() - 1], &work.solution),
            ("", "0"),
            ("---", "0"),
            ("a-b-c-d-e", "0"),
            ("\u{e9}-1-1-\u{e9}", "0"),
        ] {
            let work = Solved { challenge: challenge.to_owned(), solution: solution.to_owned() };
            assert!(!puzzles.take(&work, &ours, now), "{work:?}");
        }
        assert!(puzzles.take(&work, &ours, now));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_what_is_forgotten_is_used() {
        let mut spent = Spent::default();
        for n in 0..=MOST_SPENT {
            assert!(spent.take((100 + i64::from(n > 0), &n.to_string()), 0), "{n}");
        }
        assert_eq!((spent.known.len(), spent.order.len()), (MOST_SPENT, MOST_SPENT));
        assert!(!spent.take((100, "0"), 0), "it is forgotten, and not taken again");
        assert!(!spent.take((100, "new"), 0));
        assert!(spent.take((500, "new"), 101), "and those that are over make room");
        assert_eq!((spent.known.len(), spent.order.len()), (1, 1));
    }

    #[test]
    fn zero_bits_are_counted_across_octets() {
        // Found by trying.
        let counter = solve("abc", 17);
        assert!(zero_bits("abc", &counter) >= 17);
        assert!((0..counter.parse::<u64>().unwrap()).all(|n| zero_bits("abc", &n.to_string()) < 17));
    }
}
