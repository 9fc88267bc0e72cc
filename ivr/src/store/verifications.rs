//! Verifications as rows. Every step is one conditional statement: whoever comes second changes nothing.

mod calls;
mod counting;
mod holding;
mod issuing;
mod purging;

use ivr_core::call::question::VerificationId;
use ivr_core::code::{Code, WRONG_CODES, WRONG_READ_BACKS};
use ivr_core::key_check::KeyCheck;
use ivr_core::number::Number;
use sqlx::Row as _;
use time::OffsetDateTime;

pub(crate) use self::calls::{
    Checked, Missed, check_read_back, expecting, hang_up, keep_proof, keep_read_back, match_code, miss_code,
};
pub(crate) use self::counting::count_by_state;
pub(crate) use self::holding::{
    Hold, Which, all_ripe, await_beside, end_held, hold, keep_signature, release, waits_above,
};
pub(crate) use self::issuing::{
    Closed, ToIssue, all_to_issue, fail, issued, keep_result, location_keys, state, to_issue,
};
pub(crate) use self::purging::{forget, over};
use super::columns::tel;
use super::location_keys::FirstKeys;
use super::{Columns, Conn, Row, StoreError, happenings, millis, octets, time_of};
use crate::event::EndpointId;

/// A verification that begins.
pub(crate) struct New<'a> {
    pub(crate) id: VerificationId,
    pub(crate) secret_sha256: [u8; 32],
    pub(crate) number: &'a Number,
    pub(crate) source_tag: &'a [u8],
    pub(crate) provider_tag: &'a [u8],
    pub(crate) request: Option<&'a [u8]>,
    pub(crate) key_check: Option<KeyCheck>,
    /// To be listed beside its certificate.
    pub(crate) location_keys: Option<FirstKeys>,
    /// Where its events go.
    pub(crate) webhook: Option<EndpointId>,
    pub(crate) publish: bool,
    pub(crate) locale: &'a str,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) expires_at: OffsetDateTime,
}

/// A verification as it is stored.
pub(crate) struct Stored {
    pub(crate) id: VerificationId,
    pub(crate) number: Number,
    pub(crate) code: Code,
    pub(crate) wants_certificate: bool,
    pub(crate) publish: bool,
    pub(crate) locale: String,
    pub(crate) state: String,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) expires_at: OffsetDateTime,
    pub(crate) live_until: OffsetDateTime,
    pub(crate) read_back_until: Option<OffsetDateTime>,
    pub(crate) read_backs_left: i64,
    pub(crate) held_until: Option<OffsetDateTime>,
    /// SHA-256 of the SPKI of the key that waits, or has waited.
    pub(crate) held_key: Option<Vec<u8>>,
    pub(crate) serial: Option<String>,
    pub(crate) result: Option<String>,
    pub(crate) failure: Option<String>,
}

/// How many verifications of a number are alive.
pub(crate) struct Crowd {
    pub(crate) of_number: i64,
    /// From the source that asks.
    pub(crate) of_source: i64,
    /// When the first of those ends.
    pub(crate) source_frees_at: Option<OffsetDateTime>,
}

/// How many verifications of a number are alive. Call it under the number's lock.
pub(crate) async fn crowd(
    number: &Number,
    source_tag: &[u8],
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Crowd, StoreError> {
    let [first, second, third] = columns.sought(&tel(number));
    let row = sqlx::query(
        "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN source_tag = $1 THEN 1 ELSE 0 END), 0) AS BIGINT),
             MIN(CASE WHEN source_tag = $1 THEN live_until END)
         FROM verifications
         WHERE number_hash IN ($2, $3, $4) AND state IN ('waiting', 'calling', 'read-back') AND live_until > $5",
    )
    .bind(source_tag)
    .bind(first)
    .bind(second)
    .bind(third)
    .bind(millis(now))
    .fetch_one(conn)
    .await?;
    let frees_at: Option<i64> = row.try_get(2)?;
    Ok(Crowd {
        of_number: row.try_get(0)?,
        of_source: row.try_get(1)?,
        source_frees_at: frees_at.map(time_of).transpose()?,
    })
}

/// How many verifications of a number are alive, whoever began them.
pub(crate) async fn alive_of_number(
    number: &Number,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<i64, StoreError> {
    let [first, second, third] = columns.sought(&tel(number));
    let row = sqlx::query(
        "SELECT COUNT(*) FROM verifications
         WHERE number_hash IN ($1, $2, $3) AND live_until > $4 AND state IN ('waiting', 'calling', 'read-back')",
    )
    .bind(first)
    .bind(second)
    .bind(third)
    .bind(millis(now))
    .fetch_one(conn)
    .await?;
    Ok(row.try_get(0)?)
}

/// How many verifications of a source, whatever their numbers, are alive.
pub(crate) async fn alive_of_source(
    source_tag: &[u8],
    now: OffsetDateTime,
    conn: &mut Conn,
) -> Result<i64, StoreError> {
    let row = sqlx::query(
        "SELECT COUNT(*) FROM verifications
         WHERE source_tag = $1 AND live_until > $2 AND state IN ('waiting', 'calling', 'read-back')",
    )
    .bind(source_tag)
    .bind(millis(now))
    .fetch_one(conn)
    .await?;
    Ok(row.try_get(0)?)
}

/// Ends the oldest waiting verification of the source that has most of a number's; of sources that have as many, of one whose
/// provider has most (what an older version of the program began names none: its source counts). Call it under the number's lock.
pub(crate) async fn evict(
    number: &Number,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Option<VerificationId>, StoreError> {
    let [first, second, third] = columns.sought(&tel(number));
    let row = sqlx::query(
        "UPDATE verifications SET state = 'expired' WHERE id = (
             SELECT id FROM (
                 SELECT id, created_at, COUNT(*) OVER (PARTITION BY source_tag) AS of_source,
                     COUNT(*) OVER (PARTITION BY COALESCE(provider_tag, source_tag)) AS of_provider
                 FROM verifications
                 WHERE number_hash IN ($1, $2, $3) AND state = 'waiting' AND live_until > $4) AS crowd
             ORDER BY of_source DESC, of_provider DESC, created_at, id LIMIT 1)
         RETURNING id",
    )
    .bind(first)
    .bind(second)
    .bind(third)
    .bind(millis(now))
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let id = id_of(&row, 0)?;
    happenings::state(id, "expired", now, columns, conn).await?;
    Ok(Some(id))
}

/// Begins one. `false` if another live verification of the number has this code: draw again.
pub(crate) async fn insert(new: &New<'_>, code: &Code, columns: &Columns, conn: &mut Conn) -> Result<bool, StoreError> {
    let id = &new.id.0;
    let identity = columns.identity(&tel(new.number));
    let done = sqlx::query(
        "INSERT INTO verifications (id, secret_sha256, number_hash, pepper_epoch, number_sealed, country, last4,
             source_tag, code_hash, code_sealed, request_sealed, publish, locale, state, created_at, expires_at,
             live_until, code_tries_left, read_backs_left, happenings, key_check_sealed,
             location_keys_sealed, location_asked_at, webhook, provider_tag)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'waiting', $14, $15, $15, $16, $17, 0, $18, $19,
             $20, $21, $22)
         ON CONFLICT DO NOTHING",
    )
    .bind(id.to_vec())
    .bind(new.secret_sha256.to_vec())
    .bind(identity.hash)
    .bind(identity.epoch)
    .bind(columns.seal("verifications.number", id, new.number.as_str().as_bytes()))
    .bind(new.number.country().to_string())
    .bind(new.number.last4())
    .bind(new.source_tag)
    .bind(code_hash(new.number, code, columns))
    .bind(columns.seal("verifications.code", id, code.as_str().as_bytes()))
    .bind(new.request.map(|der| columns.seal("verifications.request", id, der)))
    .bind(i64::from(new.publish))
    .bind(new.locale)
    .bind(millis(new.created_at))
    .bind(millis(new.expires_at))
    .bind(i64::from(WRONG_CODES))
    .bind(i64::from(WRONG_READ_BACKS))
    .bind(new.key_check.map(|check| columns.seal(KEY_CHECK, id, check.as_str().as_bytes())))
    .bind(new.location_keys.map(|first| first.keys.seal_at((LOCATION_KEYS, id), columns)))
    .bind(new.location_keys.map(|first| millis(first.asked_at)))
    .bind(new.webhook.map(|endpoint| endpoint.0.to_vec()))
    .bind(new.provider_tag)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The verification of this id, if the secret is its own.
pub(crate) async fn find(
    id: VerificationId,
    secret_sha256: &[u8; 32],
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Option<Stored>, StoreError> {
    let row = sqlx::query(
        "SELECT number_sealed, code_sealed, CASE WHEN request_sealed IS NULL THEN 0 ELSE 1 END AS wants_certificate,
             publish, locale, state, created_at, expires_at, live_until, read_back_until, read_backs_left, serial,
             result_sealed, failure, held_until, held_key
         FROM verifications WHERE id = $1 AND secret_sha256 = $2",
    )
    .bind(id.0.to_vec())
    .bind(secret_sha256.to_vec())
    .fetch_optional(conn)
    .await?;
    row.map(|row| stored(id, &row, columns)).transpose()
}

fn stored(id: VerificationId, row: &Row, columns: &Columns) -> Result<Stored, StoreError> {
    let number: Vec<u8> = row.try_get("number_sealed")?;
    let code: Vec<u8> = row.try_get("code_sealed")?;
    let read_back_until: Option<i64> = row.try_get("read_back_until")?;
    let result: Option<Vec<u8>> = row.try_get("result_sealed")?;
    let held_until: Option<i64> = row.try_get("held_until")?;
    let code = columns.open_text("verifications.code", &id.0, &code)?;
    Ok(Stored {
        id,
        number: columns.open_number("verifications.number", &id.0, &number)?,
        code: Code::parse(&code).ok_or_else(|| StoreError::damaged("a code"))?,
        wants_certificate: row.try_get::<i64, _>("wants_certificate")? == 1,
        publish: row.try_get::<i64, _>("publish")? == 1,
        locale: row.try_get("locale")?,
        state: row.try_get("state")?,
        created_at: time_of(row.try_get("created_at")?)?,
        expires_at: time_of(row.try_get("expires_at")?)?,
        live_until: time_of(row.try_get("live_until")?)?,
        read_back_until: read_back_until.map(time_of).transpose()?,
        read_backs_left: row.try_get("read_backs_left")?,
        held_until: held_until.map(time_of).transpose()?,
        held_key: row.try_get("held_key")?,
        serial: row.try_get("serial")?,
        result: result.map(|sealed| columns.open_text("verifications.result", &id.0, &sealed)).transpose()?,
        failure: row.try_get("failure")?,
    })
}

/// Ends it by its owner's wish.
pub(crate) async fn cancel(
    id: VerificationId,
    secret_sha256: &[u8; 32],
    conn: &mut Conn,
) -> Result<Closed, StoreError> {
    let row = sqlx::query(
        "UPDATE verifications SET state = 'expired'
         WHERE id = $1 AND secret_sha256 = $2 AND state IN ('waiting', 'calling', 'read-back', 'held')
         RETURNING held_against",
    )
    .bind(id.0.to_vec())
    .bind(secret_sha256.to_vec())
    .fetch_optional(conn)
    .await?;
    row.map_or(Ok(Closed::Before), |row| Ok(Closed::Now { beside: row.try_get(0)? }))
}

/// Says of some whose time is over, and of whose end somebody wants to hear, that they have expired when it was.
pub(crate) async fn expire(
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Vec<VerificationId>, StoreError> {
    let rows = sqlx::query(
        "UPDATE verifications SET state = 'expired'
         WHERE state IN ('waiting', 'calling', 'read-back') AND live_until <= $1 AND id IN (
             SELECT id FROM verifications
             WHERE state IN ('waiting', 'calling', 'read-back') AND webhook IS NOT NULL AND live_until <= $1
             ORDER BY live_until LIMIT 50)
         RETURNING id, live_until",
    )
    .bind(millis(now))
    .fetch_all(&mut *conn)
    .await?;
    let mut ended = Vec::new();
    for row in &rows {
        let (id, live_until) = (id_of(row, 0)?, time_of(row.try_get(1)?)?);
        happenings::expired(id, live_until, now, columns, conn).await?;
        ended.push(id);
    }
    Ok(ended)
}

fn code_hash(number: &Number, code: &Code, columns: &Columns) -> Vec<u8> {
    columns.tag("code", &[number.as_str().as_bytes(), code.as_str().as_bytes()])
}

fn id_of(row: &Row, index: usize) -> Result<VerificationId, StoreError> {
    octets(row, index, "an id").map(VerificationId)
}

/// The places of what seals them, and opens them again.
const KEY_CHECK: &str = "verifications.key_check";
const LOCATION_KEYS: &str = "verifications.location_keys";
