//! What the page of a verification shows live, line by line.

use ivr_core::call::question::VerificationId;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::{Columns, Conn, StoreError, deliveries, millis, time_of};

/// Lines that a verification keeps. A caller who dials again and again adds no more; the states still change.
const LIMIT: i64 = 200;
/// Refused calls stop here: anybody may claim the number of a call, and the real call's lines must still find room.
const LIMIT_OF_REFUSALS: i64 = 50;

/// One line.
pub(crate) struct Line {
    pub(crate) number: i64,
    pub(crate) at: OffsetDateTime,
    pub(crate) kind: String,
    pub(crate) what: String,
}

/// A verification has come to this state: a line of its page, and an event for those who asked for one. Call it when all
/// other rows are written that tell of it.
pub(crate) async fn state(
    id: VerificationId,
    state: &str,
    at: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    add(id, "state", state, at, conn).await?;
    deliveries::note(id, state, at, at, columns, conn).await
}

/// The time of a verification was over then, which is found out now: as [`state`].
pub(crate) async fn expired(
    id: VerificationId,
    at: OffsetDateTime,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    add(id, "state", "expired", at, conn).await?;
    deliveries::note(id, "expired", at, now, columns, conn).await
}

/// A step of its call.
pub(crate) async fn step(
    id: VerificationId,
    step: &str,
    at: OffsetDateTime,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    add(id, "step", step, at, conn).await
}

/// A call that bore its number was refused, for the reason of this code.
pub(crate) async fn refused(
    id: VerificationId,
    reason: &str,
    at: OffsetDateTime,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    add(id, "refused", reason, at, conn).await
}

/// Adds a line. The verification's own counter numbers it, so that two at once get two numbers.
async fn add(
    id: VerificationId,
    kind: &'static str,
    what: &str,
    at: OffsetDateTime,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    let counted = sqlx::query(
        "UPDATE verifications SET happenings = happenings + 1 WHERE id = $1 AND happenings < $2 RETURNING happenings",
    )
    .bind(id.0.to_vec())
    .bind(if kind == "refused" { LIMIT_OF_REFUSALS } else { LIMIT })
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = counted else { return Ok(()) };
    let number: i64 = row.try_get(0)?;
    sqlx::query("INSERT INTO happenings (verification, number, at, kind, what) VALUES ($1, $2, $3, $4, $5)")
        .bind(id.0.to_vec())
        .bind(number)
        .bind(millis(at))
        .bind(kind)
        .bind(what)
        .execute(conn)
        .await?;
    Ok(())
}

/// All lines, oldest first.
pub(crate) async fn of(id: VerificationId, conn: &mut Conn) -> Result<Vec<Line>, StoreError> {
    let rows = sqlx::query("SELECT number, at, kind, what FROM happenings WHERE verification = $1 ORDER BY number")
        .bind(id.0.to_vec())
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Line {
                number: row.try_get(0)?,
                at: time_of(row.try_get(1)?)?,
                kind: row.try_get(2)?,
                what: row.try_get(3)?,
            })
        })
        .collect()
}
