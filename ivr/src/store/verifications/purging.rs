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
        for row in &rows {
            let (id, serial): (_, Option<String>) = (id_of(row, 0)?, row.try_get(1)?);
            if let Some(serial) = serial {
                calls::keep_serial(id, &serial, conn).await?;
            }
            sqlx::query("DELETE FROM happenings WHERE verification = $1")
                .bind(id.0.to_vec())
                .execute(&mut *conn)
                .await?;
            deliveries::forget(id, conn).await?;
            forgotten += 1;
        }
    }
    Ok(forgotten)
}

#[cfg(test)]
mod tests {
    use ivr_core::code::Code;
    use ivr_core::number::Number;

    use super::*;
    use crate::store::test_database::{TestDatabase, on_both_databases};
    use crate::store::verifications::{New, insert};

    on_both_databases!(a_backlog_is_forgotten_in_pieces);

    async fn a_backlog_is_forgotten_in_pieces(database: TestDatabase) {
        let (store, began) = (&database.store, OffsetDateTime::UNIX_EPOCH);
        let most = usize::try_from(PIECE).unwrap();
        let mut writer = store.begin().await.unwrap();
        for n in 0..=most {
            let new = New {
                id: VerificationId(
                    [u8::try_from(n % 251).unwrap(), u8::try_from(n / 251).unwrap()].repeat(8).try_into().unwrap(),
                ),
                secret_sha256: [0; 32],
                number: &Number::parse("+12025550143").unwrap(),
                source_tag: b"source",
                request: None,
                key_check: None,
                location_keys: None,
                webhook: None,
                publish: false,
                locale: "en",
                created_at: began,
                expires_at: began + Duration::minutes(10),
            };
            let code = Code::parse(&format!("{n:06}")).unwrap();
            assert!(insert(&new, &code, store.columns(), &mut writer).await.unwrap());
        }
        writer.commit().await.unwrap();
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
