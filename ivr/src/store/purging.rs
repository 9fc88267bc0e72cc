//! What is over is deleted piece by piece: after a long pause, or a flood, it may be millions of rows, and whoever waits to write
//! meanwhile has a caller or a page waiting.

use super::{Conn, StoreError};

/// Rows of a table that one piece takes: some tens of milliseconds.
pub(crate) const PIECE: i64 = 500;

/// Does one piece of work after the other, each in a transaction of its own, until one has found nothing to do. Tells how many
/// rows all of them took.
pub(crate) async fn piecemeal<F: Future<Output = Result<u64, StoreError>>>(
    mut piece: impl FnMut() -> F,
) -> Result<u64, StoreError> {
    let mut all = 0;
    loop {
        match piece().await? {
            0 => return Ok(all),
            done => all += done,
        }
    }
}

/// A piece of a table: deletes rows that are over by this time (`$1` of the condition), named by their key.
pub(super) async fn delete(
    (table, key): (&str, &str),
    is_over: &str,
    by: i64,
    conn: &mut Conn,
) -> Result<u64, StoreError> {
    let statement =
        format!("DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {is_over} LIMIT $2)");
    let done = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(by).bind(PIECE).execute(conn).await?;
    Ok(done.rows_affected())
}
