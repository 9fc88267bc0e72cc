//! Wrong codes, suspensions and fruitless calls of a number on one day: their row is also a lock, and whoever touched it has the
//! number to itself until the end of the transaction. And who may hear of its certificates beyond them.

use std::collections::BTreeMap;

use ivr_core::caller::Level;
use ivr_core::number::Number;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::columns::Tagger;
use super::purging::Over;
use super::rows::{Placeholders, shaped};
use super::{Columns, Conn, StoreError, millis};

/// Wrong codes that calls of a number may key in on one day.
pub(crate) const WRONG_CODES_A_DAY: i64 = 10;

/// A number with certificates is answered so many times as often as may be for nothing, to hear of them and to suspend them:
/// calls that key in no code use up their keying in, and not this.
pub(crate) const TOLD_FOR_EACH: i64 = 10;

/// When even those are used up, one call of each level is told in so much time: who makes calls in a number's name has to go on all
/// day to keep its owner from suspending, and at the owner's level.
pub(crate) const TURN: time::Duration = time::Duration::minutes(15);

/// Suspensions by calls of a number on one day.
const SUSPENSIONS_A_DAY: i64 = 1;

/// What a number has used up today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) wrong_codes: i64,
    /// Calls that were answered and ended without a right code.
    pub(crate) fruitless_calls: i64,
}

/// Locks a number and tells what it has used up today.
pub(crate) async fn lock(
    number: &Number,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Used, StoreError> {
    count(number, 0, now, columns, conn).await
}

/// Counts a wrong code; tells how many there are today.
pub(crate) async fn count_wrong_code(
    number: &Number,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<i64, StoreError> {
    Ok(count(number, 1, now, columns, conn).await?.wrong_codes)
}

/// A clock that goes back, or another node's that is behind, does not begin a day anew.
async fn count(
    number: &Number,
    wrong: i64,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Used, StoreError> {
    let row = sqlx::query(
        "INSERT INTO number_days (number_tag, day, wrong_codes) VALUES ($1, $2, $3)
         ON CONFLICT (number_tag) DO UPDATE SET
             wrong_codes = excluded.wrong_codes
                 + CASE WHEN number_days.day >= excluded.day THEN number_days.wrong_codes ELSE 0 END,
             suspensions = CASE WHEN number_days.day >= excluded.day THEN number_days.suspensions ELSE 0 END,
             fruitless_calls = CASE WHEN number_days.day >= excluded.day THEN number_days.fruitless_calls ELSE 0 END,
             day = CASE WHEN number_days.day > excluded.day THEN number_days.day ELSE excluded.day END
         RETURNING wrong_codes, fruitless_calls",
    )
    .bind(tag(number, &tagger(columns)))
    .bind(day(now))
    .bind(wrong)
    .fetch_one(conn)
    .await?;
    Ok(Used { wrong_codes: row.try_get(0)?, fruitless_calls: row.try_get(1)? })
}

/// Counts calls that were answered and ended without a right code; tells the numbers that have used up so many by now.
pub(crate) async fn count_fruitless<'a>(
    calls: &'a [Number],
    most: i64,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Vec<&'a Number>, StoreError> {
    let tagger = tagger(columns);
    // A statement may touch a row once (PostgreSQL), and every node touches them in the same order.
    let mut of_tags: BTreeMap<Vec<u8>, (&Number, i64)> = BTreeMap::new();
    for number in calls {
        of_tags.entry(tag(number, &tagger)).or_insert((number, 0)).1 += 1;
    }
    let rows: Vec<_> = of_tags.into_iter().collect();
    let mut used_up = Vec::new();
    for rows in shaped(&rows) {
        let statement = format!(
            "INSERT INTO number_days (number_tag, day, wrong_codes, fruitless_calls) VALUES {}
             ON CONFLICT (number_tag) DO UPDATE SET
                 wrong_codes = CASE WHEN number_days.day >= excluded.day THEN number_days.wrong_codes ELSE 0 END,
                 suspensions = CASE WHEN number_days.day >= excluded.day THEN number_days.suspensions ELSE 0 END,
                 fruitless_calls = excluded.fruitless_calls
                     + CASE WHEN number_days.day >= excluded.day THEN number_days.fruitless_calls ELSE 0 END,
                 day = CASE WHEN number_days.day > excluded.day THEN number_days.day ELSE excluded.day END
             RETURNING number_tag, fruitless_calls",
            Placeholders::of(conn).rows(rows.len(), 4),
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
        for (tag, (_, calls)) in rows {
            query = query.bind(&tag[..]).bind(day(now)).bind(0_i64).bind(*calls);
        }
        for row in query.fetch_all(&mut *conn).await? {
            let (tag, calls): (Vec<u8>, i64) = (row.try_get(0)?, row.try_get(1)?);
            used_up.extend(rows.iter().filter(|(of, _)| calls >= most && *of == tag).map(|(_, (number, _))| *number));
        }
    }
    Ok(used_up)
}

/// Counts a suspension; `false` if the number has used up its own for today. Call it under the number's [`lock`].
pub(crate) async fn count_suspension(number: &Number, columns: &Columns, conn: &mut Conn) -> Result<bool, StoreError> {
    let done =
        sqlx::query("UPDATE number_days SET suspensions = suspensions + 1 WHERE number_tag = $1 AND suspensions < $2")
            .bind(tag(number, &tagger(columns)))
            .bind(SUSPENSIONS_A_DAY)
            .execute(conn)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Is it the turn of this level?
pub(crate) async fn has_turn(
    number: &Number,
    level: Level,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<bool, StoreError> {
    let taken = sqlx::query("SELECT at FROM told_turns WHERE number_tag = $1 AND level = $2 AND at > $3")
        .bind(tag(number, &tagger(columns)))
        .bind(i64::from(level.number()))
        .bind(millis(now - TURN))
        .fetch_optional(conn)
        .await?;
    Ok(taken.is_none())
}

/// Takes the turn of this level. Of calls at once that were all told, the first takes it.
pub(crate) async fn take_turn(
    number: &Number,
    level: Level,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO told_turns (number_tag, level, at) VALUES ($1, $2, $3)
         ON CONFLICT (number_tag, level) DO UPDATE SET at = excluded.at WHERE told_turns.at <= $4",
    )
    .bind(tag(number, &tagger(columns)))
    .bind(i64::from(level.number()))
    .bind(millis(now))
    .bind(millis(now - TURN))
    .execute(conn)
    .await?;
    Ok(())
}

/// The turns that are over, and the days before.
pub(crate) fn over(now: OffsetDateTime) -> [Over; 2] {
    [
        Over { table: "told_turns", key: "number_tag, level", is_over: "at <= $1", by: millis(now - TURN) },
        Over { table: "number_days", key: "number_tag", is_over: "day < $1", by: day(now) },
    ]
}

/// Makes the tags of numbers.
pub(super) fn tagger(columns: &Columns) -> Tagger {
    columns.tagger("number-day")
}

/// What stands for a number in `number_days`.
pub(super) fn tag(number: &Number, tagger: &Tagger) -> Vec<u8> {
    tagger.tag(&[number.as_str().as_bytes()])
}

/// The day of this time as it is stored.
pub(super) fn day(now: OffsetDateTime) -> i64 {
    now.unix_timestamp().div_euclid(24 * 60 * 60)
}
