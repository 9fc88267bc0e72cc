//! The outbox of mails. A row is there until the relay took the mail, or never will.

use ivr_core::call::question::VerificationId as OrderId;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::{Columns, Conn, StoreError, millis, octets, time_of};
use crate::mail::Letter;

/// A mail whose turn it is.
pub(crate) struct Due {
    pub(crate) id: [u8; 16],
    pub(crate) order: OrderId,
    /// Attempts, this one included: the next one to touch the row must know it.
    pub(crate) attempts: i64,
    written_at: OffsetDateTime,
    mail_sealed: Vec<u8>,
}

impl Due {
    /// The letter itself.
    pub(crate) fn letter(&self, columns: &Columns) -> Result<Letter, StoreError> {
        let json = columns.open(COLUMN, &self.id, &self.mail_sealed)?;
        let mail = serde_json::from_slice(&json).map_err(|_| StoreError::damaged("a mail"))?;
        Ok(Letter { id: self.id, written_at: self.written_at, mail })
    }
}

const COLUMN: &str = "mail_outbox.mail";

/// Puts a mail of an order into the outbox; after `expires_at` nobody needs it.
pub(crate) async fn insert(
    letter: &Letter,
    order: OrderId,
    expires_at: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    let json =
        serde_json::to_vec(&letter.mail).map_err(|_| StoreError::Failed("a mail cannot be written".to_owned()))?;
    sqlx::query(
        "INSERT INTO mail_outbox (id, order_id, mail_sealed, written_at, next_at, expires_at, attempts)
         VALUES ($1, $2, $3, $4, $4, $5, 0)",
    )
    .bind(letter.id.to_vec())
    .bind(order.0.to_vec())
    .bind(columns.seal(COLUMN, &letter.id, &json))
    .bind(millis(letter.written_at))
    .bind(millis(expires_at))
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the mail that waits longest, until `lease_ends`: then it is anybody's again, if its taker died.
pub(crate) async fn claim(
    now: OffsetDateTime,
    lease_ends: OffsetDateTime,
    conn: &mut Conn,
) -> Result<Option<Due>, StoreError> {
    let row = sqlx::query(
        "UPDATE mail_outbox SET attempts = attempts + 1, next_at = $2
         WHERE next_at <= $1 AND id = (SELECT id FROM mail_outbox WHERE next_at <= $1 ORDER BY next_at, id LIMIT 1)
         RETURNING id, order_id, attempts, written_at, mail_sealed",
    )
    .bind(millis(now))
    .bind(millis(lease_ends))
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Due {
        id: octets(&row, 0, "a mail's id")?,
        order: OrderId(octets(&row, 1, "an order's id")?),
        attempts: row.try_get(2)?,
        written_at: time_of(row.try_get(3)?)?,
        mail_sealed: row.try_get(4)?,
    }))
}

/// The relay has it, or never will.
pub(crate) async fn done(due: &Due, conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM mail_outbox WHERE id = $1").bind(due.id.to_vec()).execute(conn).await?;
    Ok(())
}

/// It is tried again. Changes nothing if somebody else has taken it since.
pub(crate) async fn postpone(
    due: &Due,
    next_at: OffsetDateTime,
    reason: &str,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE mail_outbox SET next_at = $2, last_error = $3 WHERE id = $1 AND attempts = $4")
        .bind(due.id.to_vec())
        .bind(millis(next_at))
        .bind(reason)
        .bind(due.attempts)
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets what nobody needs any more; tells how many mails that were.
pub(crate) async fn purge(now: OffsetDateTime, conn: &mut Conn) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM mail_outbox WHERE expires_at <= $1").bind(millis(now)).execute(conn).await?;
    Ok(done.rows_affected())
}

/// When the next mail is due.
pub(crate) async fn next_due(conn: &mut Conn) -> Result<Option<OffsetDateTime>, StoreError> {
    let row = sqlx::query("SELECT MIN(next_at) FROM mail_outbox").fetch_one(conn).await?;
    row.try_get::<Option<i64>, _>(0)?.map(time_of).transpose()
}

/// Every octet that is stored of orders, mails and uses, for the test that nobody can be read in it.
#[cfg(test)]
pub(crate) async fn stored_octets(conn: &mut Conn) -> Result<Vec<u8>, StoreError> {
    let mut stored = Vec::new();
    for statement in [
        "SELECT id, secret_sha256, link_sha256, code_mac, address_sealed, request_sealed FROM email_orders",
        "SELECT id, order_id, mail_sealed FROM mail_outbox",
        "SELECT tag FROM mail_uses",
    ] {
        for row in sqlx::query(statement).fetch_all(&mut *conn).await? {
            for column in 0..row.len() {
                stored.extend(row.try_get::<Vec<u8>, _>(column)?);
            }
        }
    }
    Ok(stored)
}
