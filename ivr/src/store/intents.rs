//! What is about to be signed, written down before it is.

use ca::Issuing;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::{Conn, StoreError, millis};

/// An intent without result.
pub(crate) struct Open {
    pub(crate) serial: String,
    pub(crate) issuing: Issuing,
}

/// Writes an intent. `false` if another one of this cause is open.
pub(crate) async fn insert(
    serial: &str,
    issuing: Issuing,
    tbs_sha256: &[u8; 32],
    cause: &str,
    at: OffsetDateTime,
    conn: &mut Conn,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO intents (serial, issuing, tbs_sha256, cause, state, at) VALUES ($1, $2, $3, $4, 'open', $5)
         ON CONFLICT DO NOTHING",
    )
    .bind(serial)
    .bind(issuing_name(issuing))
    .bind(tbs_sha256.to_vec())
    .bind(cause)
    .bind(millis(at))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The intent has its result. `false` if it was voided meanwhile: then what was signed does not count.
pub(crate) async fn fulfil(serial: &str, conn: &mut Conn) -> Result<bool, StoreError> {
    change(serial, "done", conn).await
}

/// There will be no result. `false` if there is one.
pub(crate) async fn void(serial: &str, conn: &mut Conn) -> Result<bool, StoreError> {
    change(serial, "void", conn).await
}

async fn change(serial: &str, state: &str, conn: &mut Conn) -> Result<bool, StoreError> {
    let done = sqlx::query("UPDATE intents SET state = $1 WHERE serial = $2 AND state = 'open'")
        .bind(state)
        .bind(serial)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// All that have no result.
pub(crate) async fn open(conn: &mut Conn) -> Result<Vec<Open>, StoreError> {
    let rows = sqlx::query("SELECT serial, issuing FROM intents WHERE state = 'open' ORDER BY at, serial")
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| Ok(Open { serial: row.try_get(0)?, issuing: issuing_of(row.try_get(1)?)? })).collect()
}

/// The open intent of a cause, if it was written before this time.
pub(crate) async fn stale(cause: &str, before: OffsetDateTime, conn: &mut Conn) -> Result<Option<String>, StoreError> {
    let row = sqlx::query("SELECT serial FROM intents WHERE cause = $1 AND state = 'open' AND at < $2")
        .bind(cause)
        .bind(millis(before))
        .fetch_optional(conn)
        .await?;
    row.map(|row| Ok(row.try_get(0)?)).transpose()
}

/// `tel`, `email`.
pub(crate) fn issuing_name(issuing: Issuing) -> &'static str {
    match issuing {
        Issuing::Tel => "tel",
        Issuing::Email => "email",
    }
}

/// The intermediate of this name.
pub(crate) fn issuing_of(name: &str) -> Result<Issuing, StoreError> {
    Issuing::ALL
        .into_iter()
        .find(|issuing| issuing_name(*issuing) == name)
        .ok_or_else(|| StoreError::damaged("an intermediate's name"))
}
