//! What calls and typed digits do to verifications.

use ivr_core::call::flow::LONGER_THAN_A_CALL;
use ivr_core::call::question::{Session, VerificationId};
use ivr_core::code::Code;
use ivr_core::key_check::KeyCheck;
use ivr_core::number::Number;
use sqlx::Row as _;
use time::OffsetDateTime;
use voice_prompts::Language;

use super::{KEY_CHECK, code_hash, id_of};
use crate::store::{Columns, Conn, StoreError, happenings, millis, tel};

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

/// The verifications that a call from this number may be for: those that had begun by then.
pub(crate) async fn expecting(
    number: &Number,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Vec<VerificationId>, StoreError> {
    let [first, second, third] = columns.sought(&tel(number));
    let rows = sqlx::query(
        "SELECT id FROM verifications
         WHERE number_hash IN ($1, $2, $3) AND state IN ('waiting', 'calling', 'read-back')
             AND expires_at > $4 AND created_at <= $4
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
) -> Result<Option<Session>, StoreError> {
    let [first, second, third] = columns.sought(&tel(number));
    let row = sqlx::query(
        "UPDATE verifications SET state = 'calling', read_back_hash = NULL, read_back_until = NULL,
             live_until = CASE WHEN expires_at > $1 THEN expires_at ELSE $1 END
         WHERE number_hash IN ($2, $3, $4) AND code_hash = $5 AND expires_at > $6
             AND state IN ('waiting', 'calling', 'read-back')
         RETURNING id, key_check_sealed, locale",
    )
    .bind(millis(now + LONGER_THAN_A_CALL))
    .bind(first)
    .bind(second)
    .bind(third)
    .bind(code_hash(number, code, columns))
    .bind(millis(now))
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let (id, sealed): (_, Option<Vec<u8>>) = (id_of(&row, 0)?, row.try_get(1)?);
    let key_check = sealed.map(|sealed| {
        let digits = columns.open_text(KEY_CHECK, &id.0, &sealed)?;
        KeyCheck::parse(&digits).ok_or_else(|| StoreError::damaged("a key check"))
    });
    Ok(Some(Session { id, key_check: key_check.transpose()?, language: Language::of(row.try_get(2)?) }))
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
         WHERE number_hash IN ($2, $3, $4) AND state IN ('waiting', 'calling', 'read-back') AND expires_at > $5
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
            happenings::state(id, "voided", now, columns, conn).await?;
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

fn read_back_hash(id: VerificationId, digits: &Code, columns: &Columns) -> Vec<u8> {
    columns.tag("read-back", &[&id.0, digits.as_str().as_bytes()])
}

const TOO_MANY_WRONG_CODES: &str = "The code was keyed in wrong too often. Begin again.";
const TOO_MANY_WRONG_READ_BACKS: &str = "The digits were typed wrong three times. Begin again.";
