//! The console's people, their sessions and one-time links. Tokens are stored as SHA-256 only.

use sqlx::Row as _;
use time::OffsetDateTime;

use super::{Conn, StoreError, millis, time_of};

/// Adds somebody, or gives a new password. Their sessions end: a new password shuts out whoever had the old one.
pub(crate) async fn put(
    name: &str,
    password_hash: &str,
    now: OffsetDateTime,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO operators (name, password_hash, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET password_hash = excluded.password_hash",
    )
    .bind(name)
    .bind(password_hash)
    .bind(millis(now))
    .execute(&mut *conn)
    .await?;
    sqlx::query("DELETE FROM operator_sessions WHERE operator = $1").bind(name).execute(conn).await?;
    Ok(())
}

/// Everybody, by name: since when, and how many of their logins go on.
pub(crate) async fn list(
    now: OffsetDateTime,
    conn: &mut Conn,
) -> Result<Vec<(String, OffsetDateTime, i64)>, StoreError> {
    let rows = sqlx::query(
        "SELECT name, created_at,
             (SELECT COUNT(*) FROM operator_sessions WHERE operator = operators.name AND expires_at > $1)
         FROM operators ORDER BY name",
    )
    .bind(millis(now))
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, time_of(row.try_get(1)?)?, row.try_get(2)?))).collect()
}

/// Removes somebody, their links and their logins. `false` if there is nobody of this name.
///
/// The logins go last: a login under way holds the row of its operator or of its link, and has begun its session when that
/// comes free.
pub(crate) async fn remove(name: &str, conn: &mut Conn) -> Result<bool, StoreError> {
    let done = sqlx::query("DELETE FROM operators WHERE name = $1").bind(name).execute(&mut *conn).await?;
    for statement in
        ["DELETE FROM operator_links WHERE operator = $1", "DELETE FROM operator_sessions WHERE operator = $1"]
    {
        sqlx::query(statement).bind(name).execute(&mut *conn).await?;
    }
    Ok(done.rows_affected() == 1)
}

/// Keeps somebody from being removed or given another password until the end of the transaction. `false` if that was done
/// already: there is nobody with this name and hash.
pub(crate) async fn hold(name: &str, password_hash: &str, conn: &mut Conn) -> Result<bool, StoreError> {
    let done = sqlx::query("UPDATE operators SET name = name WHERE name = $1 AND password_hash = $2")
        .bind(name)
        .bind(password_hash)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The hash of somebody's password.
pub(crate) async fn password_hash(name: &str, conn: &mut Conn) -> Result<Option<String>, StoreError> {
    let row =
        sqlx::query("SELECT password_hash FROM operators WHERE name = $1").bind(name).fetch_optional(conn).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// A login.
pub(crate) async fn add_session(
    token_sha256: [u8; 32],
    operator: &str,
    expires_at: OffsetDateTime,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO operator_sessions (token_sha256, operator, expires_at) VALUES ($1, $2, $3)")
        .bind(token_sha256.to_vec())
        .bind(operator)
        .bind(millis(expires_at))
        .execute(conn)
        .await?;
    Ok(())
}

/// Whose session this is.
pub(crate) async fn session(
    token_sha256: [u8; 32],
    now: OffsetDateTime,
    conn: &mut Conn,
) -> Result<Option<String>, StoreError> {
    let row = sqlx::query("SELECT operator FROM operator_sessions WHERE token_sha256 = $1 AND expires_at > $2")
        .bind(token_sha256.to_vec())
        .bind(millis(now))
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// A logout.
pub(crate) async fn end_session(token_sha256: [u8; 32], conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM operator_sessions WHERE token_sha256 = $1")
        .bind(token_sha256.to_vec())
        .execute(conn)
        .await?;
    Ok(())
}

/// A link that logs somebody in once.
pub(crate) async fn add_link(
    token_sha256: [u8; 32],
    operator: &str,
    expires_at: OffsetDateTime,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO operator_links (token_sha256, operator, expires_at) VALUES ($1, $2, $3)")
        .bind(token_sha256.to_vec())
        .bind(operator)
        .bind(millis(expires_at))
        .execute(conn)
        .await?;
    Ok(())
}

/// Spends a link: of two who come at once, one finds it.
pub(crate) async fn spend_link(
    token_sha256: [u8; 32],
    now: OffsetDateTime,
    conn: &mut Conn,
) -> Result<Option<String>, StoreError> {
    let row = sqlx::query("DELETE FROM operator_links WHERE token_sha256 = $1 AND expires_at > $2 RETURNING operator")
        .bind(token_sha256.to_vec())
        .bind(millis(now))
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Forgets what is over.
pub(crate) async fn purge(now: OffsetDateTime, conn: &mut Conn) -> Result<(), StoreError> {
    for statement in
        ["DELETE FROM operator_sessions WHERE expires_at <= $1", "DELETE FROM operator_links WHERE expires_at <= $1"]
    {
        sqlx::query(statement).bind(millis(now)).execute(&mut *conn).await?;
    }
    Ok(())
}
