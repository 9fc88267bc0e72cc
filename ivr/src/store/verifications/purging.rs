//! Verifications that are over are forgotten: after a day what brought no result, after the longest life of a certificate what
//! did. Both stay while an event of theirs is on its way, and while one that its receiver missed can still be asked for: days
//! each at most.

use ivr_core::call::question::VerificationId;
use sqlx::Row as _;
use time::{Duration, OffsetDateTime};

use super::id_of;
use crate::store::purging::PIECE;
use crate::store::rows::{Placeholders, shaped};
use crate::store::{Conn, StoreError, calls, deliveries, millis};

/// Until when what is over now was alive, until when what brought a result was begun, and since when an event may be on its way
/// or missed.
fn limits(now: OffsetDateTime) -> (i64, i64, i64) {
    (millis(now - Duration::days(1)), millis(now - Duration::days(31)), millis(now - deliveries::LONGEST))
}

fn is_over(placeholders: &mut Placeholders) -> String {
    let (alive, begun, sent) = (placeholders.next(), placeholders.next(), placeholders.next());
    format!(
        "((state NOT IN ('issuing', 'held', 'issued') AND live_until < {alive}) \
          OR (state = 'issued' AND created_at < {begun})) \
         AND NOT EXISTS (SELECT 1 FROM webhook_deliveries \
             WHERE verification = verifications.id AND state IN ('waiting', 'stopped', 'given-up') AND since > {sent})"
    )
}

/// Some that are over, the oldest first. None lives for longer than it was begun ago.
pub(crate) async fn over(now: OffsetDateTime, conn: &mut Conn) -> Result<Vec<VerificationId>, StoreError> {
    let mut placeholders = Placeholders::of(conn);
    let statement = format!(
        "SELECT id FROM verifications WHERE {} AND created_at < {} ORDER BY created_at LIMIT {}",
        is_over(&mut placeholders),
        placeholders.next(),
        placeholders.next()
    );
    let (alive, begun, sent) = limits(now);
    let query = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(alive).bind(begun).bind(sent).bind(alive).bind(PIECE);
    query.fetch_all(conn).await?.iter().map(|row| id_of(row, 0)).collect()
}

/// Forgets those of them that are over, with what happened in them. Their calls are kept for longer, and keep the certificate.
pub(crate) async fn forget(ids: &[VerificationId], now: OffsetDateTime, conn: &mut Conn) -> Result<u64, StoreError> {
    let (alive, begun, sent) = limits(now);
    let mut forgotten = 0;
    for some in shaped(ids) {
        let mut placeholders = Placeholders::of(conn);
        let statement = format!(
            "DELETE FROM verifications WHERE {} AND id IN ({}) RETURNING id, serial",
            is_over(&mut placeholders),
            placeholders.list(some.len())
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(alive).bind(begun).bind(sent);
        let rows = some.iter().fold(query, |query, id| query.bind(id.0.to_vec())).fetch_all(&mut *conn).await?;
        let gone = rows.iter().map(|row| id_of(row, 0)).collect::<Result<Vec<_>, _>>()?;
        for (row, id) in rows.iter().zip(&gone) {
            if let Some(serial) = row.try_get::<Option<String>, _>(1)? {
                calls::keep_serial(*id, &serial, conn).await?;
            }
        }
        forget_what_belongs_to(&gone, conn).await?;
        forgotten += gone.len() as u64;
    }
    Ok(forgotten)
}

async fn forget_what_belongs_to(ids: &[VerificationId], conn: &mut Conn) -> Result<(), StoreError> {
    for some in shaped(ids) {
        for table in ["happenings", "webhook_deliveries"] {
            let list = Placeholders::of(conn).list(some.len());
            let statement = format!("DELETE FROM {table} WHERE verification IN ({list})");
            let query = sqlx::query(sqlx::AssertSqlSafe(statement));
            some.iter().fold(query, |query, id| query.bind(id.0.to_vec())).execute(&mut *conn).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::test_database::{TestDatabase, on_both_databases};

    on_both_databases!(a_backlog_is_forgotten_in_pieces);

    async fn a_backlog_is_forgotten_in_pieces(database: TestDatabase) {
        let (store, began) = (&database.store, OffsetDateTime::UNIX_EPOCH);
        let most = usize::try_from(PIECE).unwrap();
        store.add_verifications(most + 1, began).await;
        let now = began + Duration::days(2);
        for expected in [most, 1, 0] {
            let over = over(now, &mut store.read().await.unwrap()).await.unwrap();
            assert_eq!(over.len(), expected);
            let mut writer = store.begin().await.unwrap();
            assert_eq!(forget(&over, began, &mut writer).await.unwrap(), 0, "they are looked at again");
            assert_eq!(forget(&over, now, &mut writer).await.unwrap(), over.len() as u64);
            writer.commit().await.unwrap();
        }
    }
}
