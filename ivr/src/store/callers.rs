//! What the rows know of numbers that call: many are looked up at once.

use std::collections::HashMap;

use ivr_core::number::Number;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::rows::Placeholders;
use super::{Columns, Conn, StoreError, budgets, millis, tel};

/// What the rows know of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// It has used up its wrong codes for today.
    pub(crate) is_exhausted: bool,
    /// Somebody waits for a call from it.
    pub(crate) is_expected: bool,
}

/// Numbers that one statement looks up at most.
pub(crate) const AT_ONCE: usize = 64;

/// The standing of each of these numbers, at most [`AT_ONCE`].
pub(crate) async fn standing(
    numbers: &[&Number],
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
        "SELECT number_tag, wrong_codes FROM number_days WHERE day >= {} AND number_tag IN ({})
         UNION ALL
         SELECT DISTINCT number_hash, CAST(NULL AS BIGINT) FROM verifications
         WHERE expires_at > {} AND number_hash IN ({}) AND state IN ('waiting', 'calling', 'read-back')",
        placeholders.next(),
        placeholders.list(tags.len()),
        placeholders.next(),
        placeholders.list(tags.len() * epochs),
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(budgets::day(now));
    for tag in &tags {
        query = query.bind(&tag[..]);
    }
    query = query.bind(millis(now));
    for hash in hashes.iter().flatten() {
        query = query.bind(&hash[..]);
    }
    let mut found = HashMap::new();
    for row in query.fetch_all(conn).await? {
        found.insert(row.try_get::<Vec<u8>, _>(0)?, row.try_get::<Option<i64>, _>(1)?.unwrap_or(0));
    }
    let standing = |(tag, hashes): (&Vec<u8>, &Vec<Vec<u8>>)| Standing {
        is_exhausted: found.get(tag).is_some_and(|wrong| *wrong >= budgets::WRONG_CODES_A_DAY),
        is_expected: hashes.iter().any(|hash| found.contains_key(hash)),
    };
    Ok(tags.iter().zip(&hashes).take(numbers.len()).map(standing).collect())
}
