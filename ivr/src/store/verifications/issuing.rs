//! Verifications that are proved, until they have their result.

use ivr_core::call::question::VerificationId;
use ivr_core::number::Number;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::{LOCATION_KEYS, id_of};
use crate::store::location_keys::{FirstKeys, LocationKeys};
use crate::store::{Columns, Conn, StoreError, time_of};

/// A verification that is proved and has no result yet.
pub(crate) struct ToIssue {
    pub(crate) number: Number,
    /// What the call proved, as it was sealed.
    pub(crate) proof: String,
    /// The request as it came; `None` if a signed result is wanted.
    pub(crate) request: Option<Vec<u8>>,
    pub(crate) publish: bool,
    /// Until when it had to wait, if it had to.
    pub(crate) held_until: Option<OffsetDateTime>,
    /// What the number's old key is said to have signed for it.
    pub(crate) old_key_signature: Option<String>,
}

/// What is to be issued for a verification that is `issuing` or `held`; `None` if it is not in this state.
pub(crate) async fn to_issue(
    id: VerificationId,
    state: &'static str,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Option<ToIssue>, StoreError> {
    let row = sqlx::query(
        "SELECT number_sealed, proof, request_sealed, publish, held_until, old_key_signature FROM verifications
         WHERE id = $1 AND state = $2 AND proof IS NOT NULL",
    )
    .bind(id.0.to_vec())
    .bind(state)
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let number: Vec<u8> = row.try_get(0)?;
    let request: Option<Vec<u8>> = row.try_get(2)?;
    let held_until: Option<i64> = row.try_get(4)?;
    let open_request = |sealed: Vec<u8>| columns.open("verifications.request", &id.0, &sealed);
    Ok(Some(ToIssue {
        number: columns.open_number("verifications.number", &id.0, &number)?,
        proof: row.try_get(1)?,
        request: request.map(open_request).transpose()?.map(|request| request.to_vec()),
        publish: row.try_get::<i64, _>(3)? == 1,
        held_until: held_until.map(time_of).transpose()?,
        old_key_signature: row.try_get(5)?,
    }))
}

/// The keys that are to be listed beside its certificate.
pub(crate) async fn location_keys(
    id: VerificationId,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Option<FirstKeys>, StoreError> {
    let row = sqlx::query(
        "SELECT location_keys_sealed, COALESCE(location_asked_at, created_at) FROM verifications
         WHERE id = $1 AND location_keys_sealed IS NOT NULL",
    )
    .bind(id.0.to_vec())
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let sealed: Vec<u8> = row.try_get(0)?;
    let keys = LocationKeys::open_at((LOCATION_KEYS, &id.0), &sealed, columns)?;
    Ok(Some(FirstKeys { keys, asked_at: time_of(row.try_get(1)?)? }))
}

/// Where it stands; `None` if there is none.
pub(crate) async fn state(id: VerificationId, conn: &mut Conn) -> Result<Option<String>, StoreError> {
    let row =
        sqlx::query("SELECT state FROM verifications WHERE id = $1").bind(id.0.to_vec()).fetch_optional(conn).await?;
    row.map(|row| Ok(row.try_get(0)?)).transpose()
}

/// All that are proved and have no result yet, oldest first.
pub(crate) async fn all_to_issue(conn: &mut Conn) -> Result<Vec<VerificationId>, StoreError> {
    let rows = sqlx::query("SELECT id FROM verifications WHERE state = 'issuing' ORDER BY created_at, id")
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| id_of(row, 0)).collect()
}

/// It has its certificate. `false` if it was over before.
pub(crate) async fn issued(id: VerificationId, serial: &str, conn: &mut Conn) -> Result<bool, StoreError> {
    let done =
        sqlx::query("UPDATE verifications SET state = 'issued', serial = $1 WHERE id = $2 AND state = 'issuing'")
            .bind(serial)
            .bind(id.0.to_vec())
            .execute(conn)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// It has its signed result. `false` if it was over before.
pub(crate) async fn keep_result(
    id: VerificationId,
    result: &str,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE verifications SET state = 'issued', result_sealed = $1 WHERE id = $2 AND state = 'issuing'",
    )
    .bind(columns.seal("verifications.result", &id.0, result.as_bytes()))
    .bind(id.0.to_vec())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// When a verification was over.
pub(crate) enum Closed {
    /// Before, or there is none.
    Before,
    /// Now. If it had to wait, it was shown beside this certificate.
    Now {
        /// The serial number.
        beside: Option<String>,
    },
}

/// It cannot be issued, for this reason, which its page shows.
pub(crate) async fn fail(id: VerificationId, why: &str, conn: &mut Conn) -> Result<Closed, StoreError> {
    let row = sqlx::query(
        "UPDATE verifications SET state = 'failed', failure = $1 WHERE id = $2 AND state = 'issuing'
         RETURNING held_against",
    )
    .bind(why)
    .bind(id.0.to_vec())
    .fetch_optional(conn)
    .await?;
    row.map_or(Ok(Closed::Before), |row| Ok(Closed::Now { beside: row.try_get(0)? }))
}
