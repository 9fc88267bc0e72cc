//! What is over is deleted piece by piece: after a long pause, or a flood, it may be millions of rows, and whoever waits to write
//! meanwhile has a caller or a page waiting.

use super::{Conn, Store, StoreError};

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

/// Rows of a table that are over.
pub(crate) struct Over {
    pub(super) table: &'static str,
    /// The columns that name a row.
    pub(super) key: &'static str,
    /// The condition. It has an index: whoever looks for the rows holds up all who wait to write.
    pub(super) is_over: &'static str,
    /// Its `$1`.
    pub(super) by: i64,
}

impl Over {
    /// Deletes a piece of them.
    pub(super) async fn delete_some(&self, conn: &mut Conn) -> Result<u64, StoreError> {
        let statement = sqlx::AssertSqlSafe(self.statement());
        let done = sqlx::query(statement).bind(self.by).bind(PIECE).execute(conn).await?;
        Ok(done.rows_affected())
    }

    /// The condition stands twice: PostgreSQL looks at the outer one again once it has waited for a row that somebody changes, and
    /// such a row may not be over any more.
    fn statement(&self) -> String {
        let Self { table, key, is_over, .. } = self;
        format!(
            "DELETE FROM {table} WHERE {is_over} AND ({key}) IN (SELECT {key} FROM {table} WHERE {is_over} LIMIT $2)"
        )
    }
}

impl Store {
    /// Deletes all that is over, one table after the other: pieces of one must not look through the others again. Tells how many
    /// rows went.
    pub(crate) async fn purge(&self, all: &[Over]) -> Result<u64, StoreError> {
        let mut gone = 0;
        for over in all {
            gone += piecemeal(|| self.delete_some(over)).await?;
        }
        Ok(gone)
    }

    async fn delete_some(&self, over: &Over) -> Result<u64, StoreError> {
        let mut writer = self.begin().await?;
        let gone = over.delete_some(&mut writer).await?;
        writer.commit().await?;
        Ok(gone)
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{Executor as _, Row as _};
    use time::{Duration, OffsetDateTime};

    use super::*;
    use crate::store::calls::{self, Which};
    use crate::store::test_database::{TestDatabase, on_both_databases};
    use crate::store::{budgets, certificates, passports, records};

    on_both_databases!(what_came_to_life_meanwhile_is_kept);

    #[tokio::test]
    async fn what_is_over_or_looked_for_is_found_by_an_index() {
        let (database, now) = (TestDatabase::sqlite().await, OffsetDateTime::UNIX_EPOCH);
        let mut statements = vec![calls::old_messages(now).statement(), passports::over(now).statement()];
        statements.extend(budgets::over(now).iter().map(Over::statement));
        statements.extend(certificates::over(now).iter().map(Over::statement));
        statements.extend([Which::Refused, Which::Any].map(|which| which.statement().to_owned()));
        statements.extend(records::FIRST_DUE.map(str::to_owned));
        statements.extend([certificates::BY_SERIAL, certificates::BY_CAUSE].map(str::to_owned));
        statements.push("UPDATE records SET withdrawn_at = $1 WHERE serial = $2".to_owned());
        statements.push("SELECT id FROM verifications WHERE state = 'issuing' ORDER BY created_at, id".to_owned());
        let mut reader = database.store.read().await.unwrap();
        for statement in statements {
            let plan = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
            let rows = sqlx::query(plan).bind(0).bind(0).fetch_all(&mut *reader).await.unwrap();
            let steps: Vec<String> = rows.iter().map(|row| row.try_get("detail").unwrap()).collect();
            // In that index are none but those that are looked for.
            let is_scan = |step: &String| step.starts_with("SCAN") && !step.contains("INDEX verifications_issuing");
            let is_row_by_row = |step: &String| is_scan(step) || step.contains("AUTOMATIC");
            assert!(!steps.iter().any(is_row_by_row), "{statement}: {steps:?}");
            let is_sorted = steps.iter().any(|step| step.contains("TEMP B-TREE"));
            assert!(!is_sorted || !records::FIRST_DUE.contains(&&*statement), "{statement}: {steps:?}");
            let is_by_its_key = |step: &String| step.contains("sqlite_autoindex");
            assert!(!statement.starts_with("DELETE") || steps.iter().any(is_by_its_key), "{statement}: {steps:?}");
        }
    }

    /// The transaction that deletes has found the record and waits for its row, which another one is changing.
    async fn what_came_to_life_meanwhile_is_kept(database: TestDatabase) {
        let store = &database.store;
        let mut writer = store.begin().await.unwrap();
        writer
            .execute(
                "INSERT INTO records (identity_hash, pepper_epoch, identity_sealed, not_before, not_after, version,
                     published_version, seq, attempts)
                 VALUES ('a', 1, 'a', 0, 0, 1, 1, 1, 0), ('b', 1, 'b', 0, 0, 1, 1, 1, 0)",
            )
            .await
            .unwrap();
        writer.commit().await.unwrap();
        let mut renewing = store.begin().await.unwrap();
        renewing.execute("UPDATE records SET due_at = 1 WHERE identity_hash = 'a'").await.unwrap();
        let deleting = tokio::spawn({
            let store = store.clone();
            async move { store.purge(&certificates::over(OffsetDateTime::UNIX_EPOCH + Duration::days(400))).await.unwrap() }
        });
        database.somebody_waits_for_a_row().await;
        renewing.commit().await.unwrap();
        assert_eq!(deleting.await.unwrap(), 1);
        let left = "SELECT due_at FROM records";
        let left: Vec<i64> = sqlx::query_scalar(left).fetch_all(&mut *store.read().await.unwrap()).await.unwrap();
        assert_eq!(left, [1]);
    }
}
