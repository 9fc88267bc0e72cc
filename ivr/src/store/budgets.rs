//! Wrong codes and suspensions of a number on one day. The row is also a lock: whoever touched it has the number to itself
//! until the end of the transaction.

use ivr_core::number::Number;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::columns::Tagger;
use super::{Columns, Conn, StoreError};

/// Wrong codes that calls of a number may key in on one day.
pub(crate) const WRONG_CODES_A_DAY: i64 = 10;

/// Suspensions by calls of a number on one day.
const SUSPENSIONS_A_DAY: i64 = 1;

/// Locks a number and tells how many wrong codes it has used up today.
pub(crate) async fn lock(
    number: &Number,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<i64, StoreError> {
    count(number, 0, now, columns, conn).await
}

/// Counts a wrong code; tells how many there are today.
pub(crate) async fn count_wrong_code(
    number: &Number,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<i64, StoreError> {
    count(number, 1, now, columns, conn).await
}

/// A clock that goes back, or another node's that is behind, does not begin a day anew.
async fn count(
    number: &Number,
    wrong: i64,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<i64, StoreError> {
    let row = sqlx::query(
        "INSERT INTO number_days (number_tag, day, wrong_codes) VALUES ($1, $2, $3)
         ON CONFLICT (number_tag) DO UPDATE SET
             wrong_codes = excluded.wrong_codes
                 + CASE WHEN number_days.day >= excluded.day THEN number_days.wrong_codes ELSE 0 END,
             suspensions = CASE WHEN number_days.day >= excluded.day THEN number_days.suspensions ELSE 0 END,
             day = CASE WHEN number_days.day > excluded.day THEN number_days.day ELSE excluded.day END
         RETURNING wrong_codes",
    )
    .bind(tag(number, &tagger(columns)))
    .bind(day(now))
    .bind(wrong)
    .fetch_one(conn)
    .await?;
    Ok(row.try_get(0)?)
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

/// Forgets the days before.
pub(crate) async fn purge(now: OffsetDateTime, conn: &mut Conn) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM number_days WHERE day < $1").bind(day(now)).execute(conn).await?;
    Ok(done.rows_affected())
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
