//! What is forgotten of calls, and when: some at a time.

use ivr_core::call::question::VerificationId;
use time::OffsetDateTime;

use super::CallId;
use crate::store::purging::{Over, PIECE};
use crate::store::rows::{Placeholders, shaped};
use crate::store::{Conn, StoreError, millis, octets};

/// Which calls are forgotten.
#[derive(Clone, Copy)]
pub(crate) enum Which {
    /// Only those that were refused. They have an index of their own, so that no piece passes those that are kept.
    Refused,
    /// Any.
    Any,
}

impl Which {
    pub(in crate::store) fn statement(self) -> &'static str {
        match self {
            Self::Refused => {
                "SELECT id FROM calls WHERE outcome = 'refused' AND began_at < $1 ORDER BY began_at DESC LIMIT $2"
            }
            Self::Any => "SELECT id FROM calls WHERE began_at < $1 ORDER BY began_at DESC LIMIT $2",
        }
    }
}

/// Some of these calls that began before this, the latest first.
pub(crate) async fn over(which: Which, before: OffsetDateTime, conn: &mut Conn) -> Result<Vec<CallId>, StoreError> {
    let rows = sqlx::query(which.statement()).bind(millis(before)).bind(PIECE).fetch_all(conn).await?;
    rows.iter().map(|row| octets(row, 0, "an id").map(CallId)).collect()
}

/// Forgets these calls and their lines.
pub(crate) async fn forget(calls: &[CallId], conn: &mut Conn) -> Result<u64, StoreError> {
    let mut forgotten = 0;
    for some in shaped(calls) {
        for (table, key) in [("call_events", "call"), ("call_lines", "call"), ("calls", "id")] {
            let list = Placeholders::of(conn).list(some.len());
            let statement = format!("DELETE FROM {table} WHERE {key} IN ({list})");
            let query = sqlx::query(sqlx::AssertSqlSafe(statement));
            let done = some.iter().fold(query, |query, call| query.bind(call.0.to_vec())).execute(&mut *conn).await?;
            forgotten += if table == "calls" { done.rows_affected() } else { 0 };
        }
    }
    Ok(forgotten)
}

/// SIP messages from before this that an older version wrote.
pub(crate) fn old_messages(before: OffsetDateTime) -> Over {
    Over { table: "call_events", key: "call, number", is_over: "sealed IS NOT NULL AND at < $1", by: millis(before) }
}

/// Forgets SIP messages from before this; some of them.
pub(crate) async fn forget_messages(before: OffsetDateTime, conn: &mut Conn) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE call_lines SET messages = NULL WHERE (call, first) IN (
             SELECT call, first FROM call_lines WHERE messages IS NOT NULL AND at < $1 LIMIT $2)",
    )
    .bind(millis(before))
    .bind(PIECE)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Forgets where calls came from that began before this: their source, and the host that a Call-ID may name after its `@`; some
/// of them.
pub(crate) async fn forget_sources(before: OffsetDateTime, conn: &mut Conn) -> Result<u64, StoreError> {
    // Both databases strip, from the end, all characters that the text has but for the `@`.
    let done = sqlx::query(
        "UPDATE calls SET source = '', sip_call_id = CASE WHEN sip_call_id LIKE '%@%'
             THEN rtrim(sip_call_id, replace(sip_call_id, '@', '')) ELSE sip_call_id END
         WHERE id IN (SELECT id FROM calls WHERE source <> '' AND began_at < $1 ORDER BY began_at DESC LIMIT $2)",
    )
    .bind(millis(before))
    .bind(PIECE)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Keeps the certificate of a verification that is forgotten, with its calls.
pub(crate) async fn keep_serial(id: VerificationId, serial: &str, conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query("UPDATE calls SET serial = $1 WHERE serial IS NULL AND verification = $2")
        .bind(serial)
        .bind(id.0.to_vec())
        .execute(conn)
        .await?;
    Ok(())
}
