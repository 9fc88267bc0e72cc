//! Signed identities that completed a verification: none does twice.

use time::OffsetDateTime;

use super::{Conn, StoreError, millis, purging};

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

/// Forgets some of those from before this.
pub(crate) async fn forget(before: OffsetDateTime, conn: &mut Conn) -> Result<u64, StoreError> {
    purging::delete(("served_passports", "token"), "at < $1", millis(before), conn).await
}
