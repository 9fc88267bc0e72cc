//! What the rows know of numbers that call: many are looked up at once.

use std::collections::{HashMap, HashSet};

use ivr_core::number::Number;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::rows::Placeholders;
use super::{Columns, Conn, StoreError, budgets, millis, tel, time_of};

/// What the rows know of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// So many of its calls were answered today and ended without a right code that no more may key one in.
    pub(crate) is_used_up: bool,
    /// And so many more that it is told of its certificates only when it is its turn ([`budgets::TURN`]).
    pub(crate) is_silenced: bool,
    /// It has used up its wrong codes for today.
    pub(crate) is_exhausted: bool,
    /// Somebody waits for a call from it.
    pub(crate) is_expected: bool,
    /// It has a certificate, or a key that waits for one.
    pub(crate) is_certified: bool,
}

/// What exists for a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Enrolment {
    /// Certificates that have not ended and keys that wait.
    pub(crate) count: i64,
    /// When the last was made, or proved.
    pub(crate) last: OffsetDateTime,
}

/// Numbers that one statement looks up at most.
pub(crate) const AT_ONCE: usize = 64;

/// In the place of a count of wrong codes: that a verification is there.
const EXPECTED: i64 = -1;
/// That a certificate is, or a key that waits.
const CERTIFIED: i64 = -2;
/// That its calls of today are used up.
const USED_UP: i64 = -3;
/// That those in which it is told of its certificates are, too.
const SILENCED: i64 = -4;

/// The standing of each of these numbers, at most [`AT_ONCE`], of which so many calls a day may be fruitless.
pub(crate) async fn standing(
    numbers: &[&Number],
    fruitless_calls: i64,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Vec<Standing>, StoreError> {
    let Some(last) = numbers.last() else { return Ok(Vec::new()) };
    // The last number repeats: a statement is prepared for every power of two, not for every count.
    let sought = numbers.iter().chain(std::iter::repeat(last)).take(numbers.len().next_power_of_two());
    let tagger = budgets::tagger(columns);
    let (mut tags, mut hashes) = (Vec::new(), Vec::new());
    for number in sought {
        tags.push(budgets::tag(number, &tagger));
        hashes.push(columns.hashes(&tel(number)));
    }
    let epochs = hashes[0].len();

    let mut placeholders = Placeholders::of(conn);
    let statement = format!(
        "SELECT number_tag, CASE WHEN fruitless_calls >= {} THEN {SILENCED} WHEN fruitless_calls >= {} THEN {USED_UP}
             ELSE wrong_codes END
         FROM number_days WHERE day >= {} AND number_tag IN ({})
         UNION ALL
         SELECT number_hash, CAST({EXPECTED} AS BIGINT) FROM verifications
         WHERE expires_at > {} AND number_hash IN ({}) AND state IN ('waiting', 'calling', 'read-back')
         UNION ALL
         SELECT identity_hash, CAST({CERTIFIED} AS BIGINT) FROM certificates
         WHERE not_after > {} AND identity_hash IN ({}) AND live = 1
         UNION ALL
         SELECT number_hash, CAST({CERTIFIED} AS BIGINT) FROM verifications
         WHERE number_hash IN ({}) AND state = 'held'",
        placeholders.next(),
        placeholders.next(),
        placeholders.next(),
        placeholders.list(tags.len()),
        placeholders.next(),
        placeholders.list(tags.len() * epochs),
        placeholders.next(),
        placeholders.list(tags.len() * epochs),
        placeholders.list(tags.len() * epochs),
    );
    let told = fruitless_calls.saturating_mul(budgets::TOLD_FOR_EACH);
    let mut query =
        sqlx::query(sqlx::AssertSqlSafe(statement)).bind(told).bind(fruitless_calls).bind(budgets::day(now));
    for tag in &tags {
        query = query.bind(&tag[..]);
    }
    for times in [Some(millis(now)), Some(millis(now)), None] {
        if let Some(now) = times {
            query = query.bind(now);
        }
        for hash in hashes.iter().flatten() {
            query = query.bind(&hash[..]);
        }
    }
    let mut found = Found::default();
    for row in query.fetch_all(conn).await? {
        found.note(row.try_get(0)?, row.try_get(1)?);
    }
    let each = tags.iter().zip(&hashes).take(numbers.len());
    Ok(each.map(|(tag, hashes)| found.standing(tag, hashes)).collect())
}

/// What the rows say, by the tag or the hash that stands in them.
#[derive(Default)]
struct Found {
    wrong_codes: HashMap<Vec<u8>, i64>,
    used_up: HashSet<Vec<u8>>,
    silenced: HashSet<Vec<u8>>,
    expected: HashSet<Vec<u8>>,
    certified: HashSet<Vec<u8>>,
}

impl Found {
    /// `what` is one of the constants above, or a count of wrong codes.
    fn note(&mut self, hash: Vec<u8>, what: i64) {
        let place = match what {
            EXPECTED => &mut self.expected,
            CERTIFIED => &mut self.certified,
            USED_UP => &mut self.used_up,
            SILENCED => &mut self.silenced,
            codes => {
                self.wrong_codes.insert(hash, codes);
                return;
            }
        };
        place.insert(hash);
    }

    /// Of the number with this tag, and these hashes: one under each pepper.
    fn standing(&self, tag: &[u8], hashes: &[Vec<u8>]) -> Standing {
        let is_silenced = self.silenced.contains(tag);
        Standing {
            is_used_up: is_silenced || self.used_up.contains(tag),
            is_silenced,
            is_exhausted: self.wrong_codes.get(tag).is_some_and(|codes| *codes >= budgets::WRONG_CODES_A_DAY),
            is_expected: hashes.iter().any(|hash| self.expected.contains(hash)),
            is_certified: hashes.iter().any(|hash| self.certified.contains(hash)),
        }
    }
}

/// What exists for a number; `None` if nothing does.
pub(crate) async fn enrolment(
    number: &Number,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Option<Enrolment>, StoreError> {
    let [first, second, third] = columns.sought(&tel(number));
    let row = sqlx::query(
        "SELECT COUNT(*), MAX(at) FROM (
             SELECT issued_at AS at FROM certificates
             WHERE identity_hash IN ($1, $2, $3) AND live = 1 AND not_after > $4
             UNION ALL
             SELECT held_since AS at FROM verifications WHERE number_hash IN ($1, $2, $3) AND state = 'held') AS found",
    )
    .bind(first)
    .bind(second)
    .bind(third)
    .bind(millis(now))
    .fetch_one(conn)
    .await?;
    let last: Option<i64> = row.try_get(1)?;
    last.map(|last| Ok(Enrolment { count: row.try_get(0)?, last: time_of(last)? })).transpose()
}
