//! Signed identities that completed a verification: none does twice.

use time::OffsetDateTime;

use super::purging::Over;
use super::{Conn, StoreError, millis};

/// Has this token completed a verification?
pub(crate) async fn has_served(token: &[u8; 32], conn: &mut Conn) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT 1 FROM served_passports WHERE token = $1")
        .bind(token.to_vec())
        .fetch_optional(conn)
        .await?;
    Ok(row.is_some())
}

/// Notes that it does now. False if it did before.
pub(crate) async fn serve(token: &[u8; 32], at: OffsetDateTime, conn: &mut Conn) -> Result<bool, StoreError> {
    let added = sqlx::query("INSERT INTO served_passports (token, at) VALUES ($1, $2) ON CONFLICT (token) DO NOTHING")
        .bind(token.to_vec())
        .bind(millis(at))
        .execute(conn)
        .await?;
    Ok(added.rows_affected() == 1)
}

/// Those from before this.
pub(crate) fn over(before: OffsetDateTime) -> Over {
    Over { table: "served_passports", key: "token", is_over: "at < $1", by: millis(before) }
}
