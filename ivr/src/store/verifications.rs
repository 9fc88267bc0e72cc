//! Verifications as rows. Every step is one conditional statement: whoever comes second changes nothing.

use ivr_core::call::question::VerificationId;
use ivr_core::code::Code;
use ivr_core::number::Number;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::columns::tel;
use super::{Columns, Conn, Row, StoreError, happenings, millis, time_of};

/// A verification that begins.
pub(crate) struct New<'a> {
    pub(crate) id: VerificationId,
    pub(crate) secret_sha256: [u8; 32],
    pub(crate) number: &'a Number,
    pub(crate) source_tag: &'a [u8],
    pub(crate) request: Option<&'a [u8]>,
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

/// What became of a code that was keyed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missed {
    /// Live verifications are left, with at most so many tries.
    TriesLeft(i64),
    /// None is alive.
    NoneAlive,
}

/// What became of digits that were typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    Right,
    Wrong {
        left: i64,
    },
    Voided,
    /// No read-back is open.
    NotExpected,
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

/// Ends the oldest waiting verification of the source that has most of a number's. Call it under the number's lock.
pub(crate) async fn evict(
    number: &Number,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Option<VerificationId>, StoreError> {
    let [first, second, third] = columns.sought(&tel(number));
    let row = sqlx::query(
        "UPDATE verifications SET state = 'expired' WHERE id = (
             SELECT id FROM verifications
             WHERE number_hash IN ($1, $2, $3) AND state = 'waiting' AND live_until > $4 AND source_tag = (
                 SELECT source_tag FROM verifications
                 WHERE number_hash IN ($1, $2, $3) AND state = 'waiting' AND live_until > $4
                 GROUP BY source_tag ORDER BY COUNT(*) DESC, MIN(created_at) LIMIT 1)
             ORDER BY created_at, id LIMIT 1)
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
    happenings::add(id, "state", "expired", now, conn).await?;
    Ok(Some(id))
}

/// Begins one. `false` if another live verification of the number has this code: draw again.
pub(crate) async fn insert(new: &New<'_>, code: &Code, columns: &Columns, conn: &mut Conn) -> Result<bool, StoreError> {
    let id = &new.id.0;
    let identity = columns.identity(&tel(new.number));
    let done = sqlx::query(
        "INSERT INTO verifications (id, secret_sha256, number_hash, pepper_epoch, number_sealed, country, last4,
             source_tag, code_hash, code_sealed, request_sealed, publish, locale, state, created_at, expires_at,
             live_until, code_tries_left, read_backs_left, happenings)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'waiting', $14, $15, $15, $16, $17, 0)
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
    .bind(CODE_TRIES)
    .bind(READ_BACK_TRIES)
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
        "SELECT number_sealed, code_sealed, CASE WHEN request_sealed IS NULL THEN 0 ELSE 1 END, publish, locale, state,
             created_at, expires_at, live_until, read_back_until, read_backs_left, serial, result_sealed, failure
         FROM verifications WHERE id = $1 AND secret_sha256 = $2",
    )
    .bind(id.0.to_vec())
    .bind(secret_sha256.to_vec())
    .fetch_optional(conn)
    .await?;
    row.map(|row| stored(id, &row, columns)).transpose()
}

fn stored(id: VerificationId, row: &Row, columns: &Columns) -> Result<Stored, StoreError> {
    let number: Vec<u8> = row.try_get(0)?;
    let code: Vec<u8> = row.try_get(1)?;
    let read_back_until: Option<i64> = row.try_get(9)?;
    let result: Option<Vec<u8>> = row.try_get(12)?;
    let code = columns.open_text("verifications.code", &id.0, &code)?;
    Ok(Stored {
        id,
        number: columns.open_number("verifications.number", &id.0, &number)?,
        code: Code::parse(&code).ok_or_else(|| StoreError::damaged("a code"))?,
        wants_certificate: row.try_get::<i64, _>(2)? == 1,
        publish: row.try_get::<i64, _>(3)? == 1,
        locale: row.try_get(4)?,
        state: row.try_get(5)?,
        created_at: time_of(row.try_get(6)?)?,
        expires_at: time_of(row.try_get(7)?)?,
        live_until: time_of(row.try_get(8)?)?,
        read_back_until: read_back_until.map(time_of).transpose()?,
        read_backs_left: row.try_get(10)?,
        serial: row.try_get(11)?,
        result: result.map(|sealed| columns.open_text("verifications.result", &id.0, &sealed)).transpose()?,
        failure: row.try_get(13)?,
    })
}

/// Ends it by its owner's wish.
pub(crate) async fn cancel(id: VerificationId, secret_sha256: &[u8; 32], conn: &mut Conn) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE verifications SET state = 'expired'
         WHERE id = $1 AND secret_sha256 = $2 AND state IN ('waiting', 'calling', 'read-back')",
    )
    .bind(id.0.to_vec())
    .bind(secret_sha256.to_vec())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The verifications that a call from this number may be for.
pub(crate) async fn expecting(
    number: &Number,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Vec<VerificationId>, StoreError> {
    let [first, second, third] = columns.sought(&tel(number));
    let rows = sqlx::query(
        "SELECT id FROM verifications
         WHERE number_hash IN ($1, $2, $3) AND state IN ('waiting', 'calling', 'read-back') AND expires_at > $4
         ORDER BY created_at, id",
    )
    .bind(first)
    .bind(second)
    .bind(third)
    .bind(millis(now))
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| id_of(row, 0)).collect()
}

/// The verification of this number that this code opens; from now on a call is going on, and an earlier read-back counts
/// no more.
pub(crate) async fn match_code(
    number: &Number,
    code: &Code,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Option<VerificationId>, StoreError> {
    let [first, second, third] = columns.sought(&tel(number));
    let row = sqlx::query(
        "UPDATE verifications SET state = 'calling', read_back_hash = NULL, read_back_until = NULL,
             live_until = CASE WHEN expires_at > $1 THEN expires_at ELSE $1 END
         WHERE number_hash IN ($2, $3, $4) AND code_hash = $5 AND expires_at > $6
             AND state IN ('waiting', 'calling', 'read-back')
         RETURNING id",
    )
    .bind(millis(now + CALL_LIMIT))
    .bind(first)
    .bind(second)
    .bind(third)
    .bind(code_hash(number, code, columns))
    .bind(millis(now))
    .fetch_optional(conn)
    .await?;
    row.map(|row| id_of(&row, 0)).transpose()
}

/// Counts a wrong code against every verification that it could have been for; one without tries left is void.
pub(crate) async fn miss_code(
    number: &Number,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<(Missed, Vec<VerificationId>), StoreError> {
    let [first, second, third] = columns.sought(&tel(number));
    let rows = sqlx::query(
        "UPDATE verifications SET code_tries_left = code_tries_left - 1,
             state = CASE WHEN code_tries_left <= 1 THEN 'voided' ELSE state END,
             failure = CASE WHEN code_tries_left <= 1 THEN $1 ELSE failure END
         WHERE number_hash IN ($2, $3, $4) AND state = 'waiting' AND expires_at > $5
         RETURNING id, code_tries_left",
    )
    .bind(TOO_MANY_WRONG_CODES)
    .bind(first)
    .bind(second)
    .bind(third)
    .bind(millis(now))
    .fetch_all(&mut *conn)
    .await?;
    let (mut best, mut voided) = (None, Vec::new());
    for row in &rows {
        let left: i64 = row.try_get(1)?;
        best = best.max(Some(left));
        if left == 0 {
            let id = id_of(row, 0)?;
            happenings::add(id, "state", "voided", now, conn).await?;
            voided.push(id);
        }
    }
    Ok((best.map_or(Missed::NoneAlive, Missed::TriesLeft), voided))
}

/// A call that ended before anything was read back: the code may be keyed in again.
pub(crate) async fn hang_up(id: VerificationId, conn: &mut Conn) -> Result<bool, StoreError> {
    let done = sqlx::query("UPDATE verifications SET state = 'waiting' WHERE id = $1 AND state = 'calling'")
        .bind(id.0.to_vec())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps what a call proved and the digits that the voice is about to read. `false` if the verification is over.
pub(crate) async fn keep_read_back(
    id: VerificationId,
    number: &Number,
    proof: &str,
    digits: &Code,
    (now, until): (OffsetDateTime, OffsetDateTime),
    columns: &Columns,
    conn: &mut Conn,
) -> Result<bool, StoreError> {
    let [first, second, third] = columns.sought(&tel(number));
    let done = sqlx::query(
        "UPDATE verifications SET state = 'read-back', proof = $1, read_back_hash = $2, read_back_until = $3,
             live_until = CASE WHEN live_until > $3 THEN live_until ELSE $3 END
         WHERE id = $4 AND number_hash IN ($5, $6, $7) AND state = 'calling' AND live_until > $8",
    )
    .bind(proof)
    .bind(read_back_hash(id, digits, columns))
    .bind(millis(until))
    .bind(id.0.to_vec())
    .bind(first)
    .bind(second)
    .bind(third)
    .bind(millis(now))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// `code-only`: what the call proved is enough, it is being issued. `false` if the verification is over.
pub(crate) async fn keep_proof(
    id: VerificationId,
    number: &Number,
    proof: &str,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<bool, StoreError> {
    let [first, second, third] = columns.sought(&tel(number));
    let done = sqlx::query(
        "UPDATE verifications SET state = 'issuing', proof = $1
         WHERE id = $2 AND number_hash IN ($3, $4, $5) AND state = 'calling' AND live_until > $6",
    )
    .bind(proof)
    .bind(id.0.to_vec())
    .bind(first)
    .bind(second)
    .bind(third)
    .bind(millis(now))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Compares typed digits and counts them in the same statement: of many at once one is right, and the tries are three.
pub(crate) async fn check_read_back(
    id: VerificationId,
    secret_sha256: &[u8; 32],
    digits: &Code,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Checked, StoreError> {
    let row = sqlx::query(
        "UPDATE verifications SET
             state = CASE WHEN read_back_hash = $1 THEN 'issuing' WHEN read_backs_left <= 1 THEN 'voided'
                 ELSE state END,
             read_backs_left = CASE WHEN read_back_hash = $1 THEN read_backs_left ELSE read_backs_left - 1 END,
             failure = CASE WHEN read_back_hash <> $1 AND read_backs_left <= 1 THEN $2 ELSE failure END
         WHERE id = $3 AND secret_sha256 = $4 AND state = 'read-back' AND read_back_until > $5
         RETURNING state, read_backs_left",
    )
    .bind(read_back_hash(id, digits, columns))
    .bind(TOO_MANY_WRONG_READ_BACKS)
    .bind(id.0.to_vec())
    .bind(secret_sha256.to_vec())
    .bind(millis(now))
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(Checked::NotExpected) };
    let left = row.try_get(1)?;
    Ok(match row.try_get::<String, _>(0)?.as_str() {
        "issuing" => Checked::Right,
        "voided" => Checked::Voided,
        _ => Checked::Wrong { left },
    })
}

/// A verification that is proved and has no result yet.
pub(crate) struct ToIssue {
    pub(crate) number: Number,
    /// What the call proved, as it was sealed.
    pub(crate) proof: String,
    /// The request as it came; `None` if a signed result is wanted.
    pub(crate) request: Option<Vec<u8>>,
    pub(crate) publish: bool,
}

/// What is to be issued for a verification; `None` if nothing is, or no more.
pub(crate) async fn to_issue(
    id: VerificationId,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Option<ToIssue>, StoreError> {
    let row = sqlx::query(
        "SELECT number_sealed, proof, request_sealed, publish FROM verifications
         WHERE id = $1 AND state = 'issuing' AND proof IS NOT NULL",
    )
    .bind(id.0.to_vec())
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let number: Vec<u8> = row.try_get(0)?;
    let request: Option<Vec<u8>> = row.try_get(2)?;
    let open_request = |sealed: Vec<u8>| columns.open("verifications.request", &id.0, &sealed);
    Ok(Some(ToIssue {
        number: columns.open_number("verifications.number", &id.0, &number)?,
        proof: row.try_get(1)?,
        request: request.map(open_request).transpose()?.map(|request| request.to_vec()),
        publish: row.try_get::<i64, _>(3)? == 1,
    }))
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

/// It cannot be issued, for this reason, which its page shows. `false` if it was over before.
pub(crate) async fn fail(id: VerificationId, why: &str, conn: &mut Conn) -> Result<bool, StoreError> {
    let done =
        sqlx::query("UPDATE verifications SET state = 'failed', failure = $1 WHERE id = $2 AND state = 'issuing'")
            .bind(why)
            .bind(id.0.to_vec())
            .execute(conn)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes what is over: after a day what brought no result, after the longest life of a certificate what did.
pub(crate) async fn purge(now: OffsetDateTime, conn: &mut Conn) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "DELETE FROM verifications
         WHERE (state NOT IN ('issuing', 'issued') AND live_until < $1) OR (state = 'issued' AND created_at < $2)",
    )
    .bind(millis(now - time::Duration::days(1)))
    .bind(millis(now - time::Duration::days(31)))
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "DELETE FROM happenings WHERE NOT EXISTS (SELECT 1 FROM verifications WHERE id = happenings.verification)",
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

fn code_hash(number: &Number, code: &Code, columns: &Columns) -> Vec<u8> {
    columns.tag("code", &[number.as_str().as_bytes(), code.as_str().as_bytes()])
}

fn read_back_hash(id: VerificationId, digits: &Code, columns: &Columns) -> Vec<u8> {
    columns.tag("read-back", &[&id.0, digits.as_str().as_bytes()])
}

pub(crate) fn id_of(row: &Row, index: usize) -> Result<VerificationId, StoreError> {
    let id: Vec<u8> = row.try_get(index)?;
    id.try_into().map(VerificationId).map_err(|_| StoreError::damaged("an id"))
}

/// Wrong codes that calls may key in against one verification.
const CODE_TRIES: i64 = 6;
/// Wrong digits that a page may post.
const READ_BACK_TRIES: i64 = 3;
/// A call's own limit and a little: it keeps the verification alive that it matched.
const CALL_LIMIT: time::Duration = time::Duration::seconds(200);
const TOO_MANY_WRONG_CODES: &str = "The code was keyed in wrong too often. Begin again.";
const TOO_MANY_WRONG_READ_BACKS: &str = "The digits were typed wrong three times. Begin again.";
