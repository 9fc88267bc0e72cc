//! Signed identities that completed a verification: none does twice.

use time::OffsetDateTime;

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

/// Forgets those from before this.
pub(crate) async fn forget(before: OffsetDateTime, conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM served_passports WHERE at < $1").bind(millis(before)).execute(conn).await?;
    Ok(())
}
