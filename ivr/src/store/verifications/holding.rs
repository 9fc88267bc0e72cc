//! Verifications whose key waits, because another key was certified for their number lately.

use ivr_core::call::question::VerificationId;
use ivr_core::caller::Level;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::id_of;
use crate::store::{Columns, Conn, StoreError, millis};

/// A key that is to wait.
pub(crate) struct Hold<'a> {
    pub(crate) id: VerificationId,
    /// SHA-256 of its SPKI.
    pub(crate) key: [u8; 32],
    /// The level of its proof.
    pub(crate) level: Level,
    /// The serial number of the newest certificate of the number.
    pub(crate) against: &'a str,
    pub(crate) since: OffsetDateTime,
    pub(crate) until: OffsetDateTime,
}

/// Which of the keys that wait.
pub(crate) enum Which {
    /// All others than this verification's, whose proof is of this level at most.
    But(VerificationId, Level),
    /// Those whose proof is of this level at most.
    UpTo(Level),
    /// This one, SHA-256 of its SPKI, if it has waited since this moment or before.
    Of([u8; 32], OffsetDateTime),
}

/// Holds a proved verification back. `false` if it was over before. Call it under the identity's lock.
pub(crate) async fn hold(hold: &Hold<'_>, conn: &mut Conn) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE verifications SET state = 'held', held_since = $1, held_until = $2, held_key = $3, held_level = $4,
             held_against = $5, live_until = CASE WHEN live_until > $2 THEN live_until ELSE $2 END
         WHERE id = $6 AND state = 'issuing'",
    )
    .bind(millis(hold.since))
    .bind(millis(hold.until))
    .bind(hold.key.to_vec())
    .bind(i64::from(hold.level.number()))
    .bind(hold.against)
    .bind(hold.id.0.to_vec())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Those whose time of waiting is over, oldest first.
pub(crate) async fn all_ripe(now: OffsetDateTime, conn: &mut Conn) -> Result<Vec<VerificationId>, StoreError> {
    let rows =
        sqlx::query("SELECT id FROM verifications WHERE state = 'held' AND held_until <= $1 ORDER BY held_until, id")
            .bind(millis(now))
            .fetch_all(conn)
            .await?;
    rows.iter().map(|row| id_of(row, 0)).collect()
}

/// It waits no longer, and is to be issued. `false` if it does not wait any more.
pub(crate) async fn release(id: VerificationId, conn: &mut Conn) -> Result<bool, StoreError> {
    let done = sqlx::query("UPDATE verifications SET state = 'issuing' WHERE id = $1 AND state = 'held'")
        .bind(id.0.to_vec())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends what else of this identity waits, or has waited and is not issued yet. Call it under the identity's lock.
pub(crate) async fn end_held(
    identity: &str,
    which: Which,
    why: &str,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Vec<VerificationId>, StoreError> {
    let [first, second, third] = columns.sought(identity);
    let (but, of, up_to, since) = match which {
        Which::But(id, level) => (id.0.to_vec(), Vec::new(), level, i64::MAX),
        Which::Of(key, since) => (Vec::new(), key.to_vec(), Level::L4, millis(since)),
        Which::UpTo(level) => (Vec::new(), Vec::new(), level, i64::MAX),
    };
    let rows = sqlx::query(
        "UPDATE verifications SET state = 'failed', failure = $1
         WHERE number_hash IN ($2, $3, $4) AND state IN ('held', 'issuing') AND held_until IS NOT NULL
             AND id <> $5 AND (CAST($6 AS BIGINT) = 0 OR held_key = $7) AND held_level <= $8 AND held_since <= $9
         RETURNING id",
    )
    .bind(why)
    .bind(first)
    .bind(second)
    .bind(third)
    .bind(but)
    .bind(i64::from(!of.is_empty()))
    .bind(of)
    .bind(i64::from(up_to.number()))
    .bind(since)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| id_of(row, 0)).collect()
}

/// Whether a key of this identity waits, or has waited and is not issued yet, whose proof is above this level. Call it under
/// the identity's lock.
pub(crate) async fn waits_above(
    identity: &str,
    level: Level,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<bool, StoreError> {
    let [first, second, third] = columns.sought(identity);
    let found = sqlx::query(
        "SELECT id FROM verifications
         WHERE number_hash IN ($1, $2, $3) AND state IN ('held', 'issuing') AND held_until IS NOT NULL AND held_level > $4
         LIMIT 1",
    )
    .bind(first)
    .bind(second)
    .bind(third)
    .bind(i64::from(level.number()))
    .fetch_optional(conn)
    .await?;
    Ok(found.is_some())
}

/// What waits is shown beside this certificate from now on. Call it under the identity's lock.
pub(crate) async fn await_beside(
    serial: &str,
    identity: &str,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    let [first, second, third] = columns.sought(identity);
    sqlx::query("UPDATE verifications SET held_against = $1 WHERE number_hash IN ($2, $3, $4) AND state = 'held'")
        .bind(serial)
        .bind(first)
        .bind(second)
        .bind(third)
        .execute(conn)
        .await?;
    Ok(())
}

/// Keeps what the old key signed for a verification of this secret that is not proved yet, or waits. Tells its state, if it
/// is one of these.
pub(crate) async fn keep_signature(
    id: VerificationId,
    secret_sha256: &[u8; 32],
    signature: &str,
    conn: &mut Conn,
) -> Result<Option<String>, StoreError> {
    let row = sqlx::query(
        "UPDATE verifications SET old_key_signature = $1
         WHERE id = $2 AND secret_sha256 = $3 AND state IN ('waiting', 'calling', 'read-back', 'held')
         RETURNING state",
    )
    .bind(signature)
    .bind(id.0.to_vec())
    .bind(secret_sha256.to_vec())
    .fetch_optional(conn)
    .await?;
    row.map(|row| Ok(row.try_get(0)?)).transpose()
}
