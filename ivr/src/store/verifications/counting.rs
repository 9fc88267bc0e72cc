//! How many there are.

use sqlx::Row as _;
use time::OffsetDateTime;

use crate::store::{Conn, StoreError, millis};

/// How many verifications stand in each state. One whose time is over counts as expired, though its row does not say so.
pub(crate) async fn count_by_state(now: OffsetDateTime, conn: &mut Conn) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = sqlx::query(
        "SELECT CASE WHEN state IN ('waiting', 'calling', 'read-back') AND live_until <= $1 THEN 'expired' ELSE state END \
         AS stands, COUNT(*) AS many FROM verifications GROUP BY stands",
    )
    .bind(millis(now))
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok((row.try_get("stands")?, row.try_get("many")?))).collect()
}
