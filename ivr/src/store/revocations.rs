//! Serials that are no longer good, the lists that say so, and the keys that are never certified again.

use ca::{Issuing, Reason, Revoked, Serial};
use sqlx::Row as _;
use sqlx::any::AnyQueryResult;
use time::OffsetDateTime;

use super::intents::issuing_name;
use super::{Conn, StoreError, millis, time_of};

/// A revocation list.
pub(crate) struct List {
    /// 0 before the first.
    pub(crate) number: i64,
    /// How many revocations there are.
    pub(crate) revocations: i64,
    /// How many of them it knows.
    pub(crate) listed: i64,
    pub(crate) der: Option<Vec<u8>>,
    pub(crate) next_at: OffsetDateTime,
}

/// Revokes a serial, or puts it on hold: the list is stale from now on. `false` if it was revoked before, or is on hold and
/// nothing more is asked.
pub(crate) async fn insert(
    serial: &str,
    issuing: Issuing,
    reason: Reason,
    listed_until: OffsetDateTime,
    at: OffsetDateTime,
    conn: &mut Conn,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO revocations (serial, issuing, at, reason, listed_until) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (serial) DO UPDATE SET reason = excluded.reason
             WHERE revocations.reason = $6 AND excluded.reason <> $6",
    )
    .bind(serial)
    .bind(issuing_name(issuing))
    .bind(millis(at))
    .bind(i64::from(reason.code()))
    .bind(millis(listed_until))
    .bind(HOLD)
    .execute(&mut *conn)
    .await?;
    staling(done, issuing, conn).await
}

/// Takes a serial off hold: the list is stale from now on, for it must not name it any more. `false` if it is not on hold, or
/// has been since `cutoff` or before, or only since after `asked`, when the nonce for this was given.
pub(crate) async fn lift(
    serial: &str,
    issuing: Issuing,
    (cutoff, asked): (OffsetDateTime, OffsetDateTime),
    conn: &mut Conn,
) -> Result<bool, StoreError> {
    let done = sqlx::query("DELETE FROM revocations WHERE serial = $1 AND reason = $2 AND at > $3 AND at <= $4")
        .bind(serial)
        .bind(HOLD)
        .bind(millis(cutoff))
        .bind(millis(asked))
        .execute(&mut *conn)
        .await?;
    staling(done, issuing, conn).await
}

/// Revokes a serial that has been on hold since `cutoff` or before: the list is stale from now on. `false` if it is not on
/// hold, or since later.
pub(crate) async fn finalise(
    serial: &str,
    (issuing, reason): (Issuing, Reason),
    cutoff: OffsetDateTime,
    conn: &mut Conn,
) -> Result<bool, StoreError> {
    let done = sqlx::query("UPDATE revocations SET reason = $1 WHERE serial = $2 AND reason = $3 AND at <= $4")
        .bind(i64::from(reason.code()))
        .bind(serial)
        .bind(HOLD)
        .bind(millis(cutoff))
        .execute(&mut *conn)
        .await?;
    staling(done, issuing, conn).await
}

/// Whether a serial is revoked or on hold.
pub(crate) async fn is_listed(serial: &str, conn: &mut Conn) -> Result<bool, StoreError> {
    let found = sqlx::query("SELECT at FROM revocations WHERE serial = $1").bind(serial).fetch_optional(conn).await?;
    Ok(found.is_some())
}

/// The serials that have been on hold since `cutoff` or before.
pub(crate) async fn on_hold(cutoff: OffsetDateTime, conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    // The reason stands in the text, not beside it: so the index of what is on hold is used.
    let rows = sqlx::query("SELECT serial FROM revocations WHERE reason = 6 AND at <= $1 ORDER BY at, serial")
        .bind(millis(cutoff))
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// A list is stale if a statement has changed what it must name. Tells whether it has.
async fn staling(done: AnyQueryResult, issuing: Issuing, conn: &mut Conn) -> Result<bool, StoreError> {
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("UPDATE revocation_lists SET revocations = revocations + 1 WHERE issuing = $1")
        .bind(issuing_name(issuing))
        .execute(conn)
        .await?;
    Ok(true)
}

/// `certificateHold` (RFC 5280 5.3.1), the one reason that may go away or become another.
const HOLD: i64 = 6;

/// The present list of an intermediate.
pub(crate) async fn list(issuing: Issuing, conn: &mut Conn) -> Result<List, StoreError> {
    let row = sqlx::query("SELECT number, revocations, listed, der, next_at FROM revocation_lists WHERE issuing = $1")
        .bind(issuing_name(issuing))
        .fetch_one(conn)
        .await?;
    Ok(List {
        number: row.try_get(0)?,
        revocations: row.try_get(1)?,
        listed: row.try_get(2)?,
        der: row.try_get(3)?,
        next_at: time_of(row.try_get(4)?)?,
    })
}

/// What a list has to name. RFC 5280 3.3: an entry stays until it was on a list made after the certificate's end.
pub(crate) async fn listed(issuing: Issuing, now: OffsetDateTime, conn: &mut Conn) -> Result<Vec<Revoked>, StoreError> {
    let rows = sqlx::query(
        "SELECT serial, at, reason FROM revocations WHERE issuing = $1 AND listed_until > $2 ORDER BY at, serial",
    )
    .bind(issuing_name(issuing))
    .bind(millis(now - time::Duration::days(2)))
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            let reason = u8::try_from(row.try_get::<i64, _>(2)?).ok().and_then(Reason::from_code);
            Ok(Revoked {
                serial: Serial::parse(row.try_get(0)?).ok_or_else(|| StoreError::damaged("a serial number"))?,
                at: time_of(row.try_get(1)?)?,
                reason: reason.ok_or_else(|| StoreError::damaged("a reason"))?,
            })
        })
        .collect()
}

/// Puts a new list in the place of number `old`. `false` if somebody was faster.
pub(crate) async fn replace_list(
    issuing: Issuing,
    old: i64,
    der: &[u8],
    listed: i64,
    (made_at, next_at): (OffsetDateTime, OffsetDateTime),
    conn: &mut Conn,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE revocation_lists SET number = number + 1, der = $1, listed = $2, made_at = $3, next_at = $4
         WHERE issuing = $5 AND number = $6",
    )
    .bind(der)
    .bind(listed)
    .bind(millis(made_at))
    .bind(millis(next_at))
    .bind(issuing_name(issuing))
    .bind(old)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// This key is never certified again.
pub(crate) async fn block_key(spki_sha256: &[u8; 32], at: OffsetDateTime, conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO blocked_keys (spki_sha256, at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(spki_sha256.to_vec())
        .bind(millis(at))
        .execute(conn)
        .await?;
    Ok(())
}

/// Whether a key was revoked as compromised.
pub(crate) async fn is_blocked(spki_sha256: &[u8; 32], conn: &mut Conn) -> Result<bool, StoreError> {
    let found = sqlx::query("SELECT at FROM blocked_keys WHERE spki_sha256 = $1")
        .bind(spki_sha256.to_vec())
        .fetch_optional(conn)
        .await?;
    Ok(found.is_some())
}
