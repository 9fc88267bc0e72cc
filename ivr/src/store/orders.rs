//! Orders of certificates for mailboxes, as rows. Every step is one conditional statement: whoever comes second changes
//! nothing.

use ca::email::{Address, TRIES};
use ivr_core::call::question::VerificationId as OrderId;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::purging::Over;
use super::{Columns, Conn, Row, StoreError, millis, octets, time_of};

/// An order that begins.
pub(crate) struct New<'a> {
    pub(crate) id: OrderId,
    pub(crate) secret_sha256: [u8; 32],
    pub(crate) link_sha256: [u8; 32],
    pub(crate) code_mac: [u8; 32],
    pub(crate) address: &'a Address,
    pub(crate) key_sha256: [u8; 32],
    pub(crate) request: &'a [u8],
    pub(crate) device: &'a str,
    pub(crate) publish: bool,
    pub(crate) locale: &'a str,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) expires_at: OffsetDateTime,
    pub(crate) keep_until: OffsetDateTime,
}

/// An order as it is stored.
pub(crate) struct Stored {
    pub(crate) id: OrderId,
    pub(crate) secret_sha256: [u8; 32],
    pub(crate) address: Address,
    pub(crate) key_sha256: [u8; 32],
    pub(crate) device: String,
    pub(crate) publish: bool,
    pub(crate) locale: String,
    pub(crate) state: String,
    pub(crate) tries_left: i64,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) expires_at: OffsetDateTime,
    pub(crate) serial: Option<String>,
    pub(crate) failure: Option<String>,
    /// The PKCS#10, DER or PEM, while it is needed.
    pub(crate) request: Option<Vec<u8>>,
}

/// What became of a code that was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    Right,
    Wrong {
        left: i64,
    },
    Voided,
    /// The order is not waiting, or there is none of this secret.
    NotExpected,
}

/// Begins an order.
pub(crate) async fn insert(new: &New<'_>, columns: &Columns, conn: &mut Conn) -> Result<(), StoreError> {
    let id = &new.id.0;
    sqlx::query(
        "INSERT INTO email_orders (id, secret_sha256, link_sha256, code_mac, address_sealed, key_sha256, request_sealed,
             device, publish, locale, state, tries_left, created_at, expires_at, keep_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'waiting', $11, $12, $13, $14)",
    )
    .bind(id.to_vec())
    .bind(new.secret_sha256.to_vec())
    .bind(new.link_sha256.to_vec())
    .bind(new.code_mac.to_vec())
    .bind(columns.seal("email_orders.address", id, new.address.verbatim().as_bytes()))
    .bind(new.key_sha256.to_vec())
    .bind(columns.seal("email_orders.request", id, new.request))
    .bind(new.device)
    .bind(i64::from(new.publish))
    .bind(new.locale)
    .bind(i64::from(TRIES))
    .bind(millis(new.created_at))
    .bind(millis(new.expires_at))
    .bind(millis(new.keep_until))
    .execute(conn)
    .await?;
    Ok(())
}

/// One order.
pub(crate) async fn find(id: OrderId, columns: &Columns, conn: &mut Conn) -> Result<Option<Stored>, StoreError> {
    let row = sqlx::query(
        "SELECT secret_sha256, address_sealed, key_sha256, device, publish, locale, state, tries_left, created_at,
             expires_at, serial, failure, request_sealed
         FROM email_orders WHERE id = $1",
    )
    .bind(id.0.to_vec())
    .fetch_optional(conn)
    .await?;
    row.map(|row| stored(id, &row, columns)).transpose()
}

fn stored(id: OrderId, row: &Row, columns: &Columns) -> Result<Stored, StoreError> {
    let address: Vec<u8> = row.try_get(1)?;
    let address = columns.open_text("email_orders.address", &id.0, &address)?;
    let request: Option<Vec<u8>> = row.try_get(12)?;
    let request = request.map(|sealed| columns.open("email_orders.request", &id.0, &sealed)).transpose()?;
    Ok(Stored {
        id,
        secret_sha256: octets(row, 0, "a secret's hash")?,
        address: Address::parse(&address).map_err(|_| StoreError::damaged("an address"))?,
        key_sha256: octets(row, 2, "a key's hash")?,
        device: row.try_get(3)?,
        publish: row.try_get::<i64, _>(4)? == 1,
        locale: row.try_get(5)?,
        state: row.try_get(6)?,
        tries_left: row.try_get(7)?,
        created_at: time_of(row.try_get(8)?)?,
        expires_at: time_of(row.try_get(9)?)?,
        serial: row.try_get(10)?,
        failure: row.try_get(11)?,
        request: request.map(|der| der.to_vec()),
    })
}

/// The order whose confirming link has this token's hash.
pub(crate) async fn of_link(sha256: &[u8; 32], conn: &mut Conn) -> Result<Option<OrderId>, StoreError> {
    let row = sqlx::query("SELECT id FROM email_orders WHERE link_sha256 = $1")
        .bind(sha256.to_vec())
        .fetch_optional(conn)
        .await?;
    row.map(|row| id_of(&row)).transpose()
}

/// The order whose revoking link has this token's hash.
pub(crate) async fn of_revoke_link(sha256: &[u8; 32], conn: &mut Conn) -> Result<Option<OrderId>, StoreError> {
    let row = sqlx::query("SELECT id FROM email_orders WHERE revoke_sha256 = $1")
        .bind(sha256.to_vec())
        .fetch_optional(conn)
        .await?;
    row.map(|row| id_of(&row)).transpose()
}

/// A code is typed by the device that holds the secret. The check and the count are one statement: of any number at
/// once, one is right, and none is free.
pub(crate) async fn check_code(
    id: OrderId,
    secret_sha256: &[u8; 32],
    code_mac: &[u8; 32],
    now: OffsetDateTime,
    conn: &mut Conn,
) -> Result<Checked, StoreError> {
    let row = sqlx::query(
        "UPDATE email_orders SET
             state = CASE WHEN code_mac = $3 THEN 'issuing' WHEN tries_left <= 1 THEN 'voided' ELSE state END,
             tries_left = CASE WHEN code_mac = $3 THEN tries_left ELSE tries_left - 1 END
         WHERE id = $1 AND secret_sha256 = $2 AND state = 'waiting' AND expires_at > $4
         RETURNING state, tries_left",
    )
    .bind(id.0.to_vec())
    .bind(secret_sha256.to_vec())
    .bind(code_mac.to_vec())
    .bind(millis(now))
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(Checked::NotExpected) };
    Ok(match row.try_get::<String, _>(0)?.as_str() {
        "issuing" => Checked::Right,
        "voided" => Checked::Voided,
        _ => Checked::Wrong { left: row.try_get(1)? },
    })
}

/// The link is followed where the device's secret is known. `false` if the order is not waiting any more.
pub(crate) async fn confirm_by_link(
    link_sha256: &[u8; 32],
    secret_sha256: &[u8; 32],
    now: OffsetDateTime,
    conn: &mut Conn,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE email_orders SET state = 'issuing'
         WHERE link_sha256 = $1 AND secret_sha256 = $2 AND state = 'waiting' AND expires_at > $3",
    )
    .bind(link_sha256.to_vec())
    .bind(secret_sha256.to_vec())
    .bind(millis(now))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The certificate exists. `false` if that was noted before: then its mails are written already.
pub(crate) async fn issued(
    id: OrderId,
    serial: &str,
    revoke_sha256: &[u8; 32],
    keep_until: OffsetDateTime,
    conn: &mut Conn,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE email_orders SET state = 'issued', serial = $2, revoke_sha256 = $3, keep_until = $4, request_sealed = NULL
         WHERE id = $1 AND state = 'issuing'",
    )
    .bind(id.0.to_vec())
    .bind(serial)
    .bind(revoke_sha256.to_vec())
    .bind(millis(keep_until))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// There will be no certificate; the sentence is for its page.
pub(crate) async fn fail(id: OrderId, sentence: &str, conn: &mut Conn) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE email_orders SET state = 'failed', failure = $2, request_sealed = NULL
         WHERE id = $1 AND state IN ('waiting', 'issuing')",
    )
    .bind(id.0.to_vec())
    .bind(sentence)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Some confirmed orders whose certificate does not exist yet, the oldest first.
pub(crate) async fn unfinished(limit: i64, conn: &mut Conn) -> Result<Vec<OrderId>, StoreError> {
    let rows = sqlx::query("SELECT id FROM email_orders WHERE state = 'issuing' ORDER BY created_at, id LIMIT $1")
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.iter().map(id_of).collect()
}

/// Forgets some of the orders that nobody can use any more.
pub(crate) async fn purge(now: OffsetDateTime, conn: &mut Conn) -> Result<u64, StoreError> {
    let is_over = "state <> 'issuing' AND keep_until <= $1";
    Over { table: "email_orders", key: "id", is_over, by: millis(now) }.delete_some(conn).await
}

fn id_of(row: &Row) -> Result<OrderId, StoreError> {
    octets(row, "id", "an order's id").map(OrderId)
}

/// Takes back that a certificate was noted, as if the process had died before.
#[cfg(test)]
pub(crate) async fn unfinish(
    id: OrderId,
    request: &[u8],
    columns: &Columns,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE email_orders SET state = 'issuing', serial = NULL, revoke_sha256 = NULL, request_sealed = $2
         WHERE id = $1",
    )
    .bind(id.0.to_vec())
    .bind(columns.seal("email_orders.request", &id.0, request))
    .execute(conn)
    .await?;
    Ok(())
}
