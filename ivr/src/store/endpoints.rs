//! Where events are posted. URLs and keys are encrypted.

use ivr_core::private::Private;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::{Columns, Conn, Row, StoreError, millis, octets, time_of};
use crate::event::EndpointId;

/// An endpoint as it is stored, but for its keys.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) id: EndpointId,
    pub(crate) url: Private<String>,
    pub(crate) hears_all: bool,
    pub(crate) created_at: OffsetDateTime,
    /// Since when nothing is sent, and why.
    pub(crate) off: Option<(OffsetDateTime, String)>,
    pub(crate) failing_since: Option<OffsetDateTime>,
    /// Events that wait, and such as it did not get for good.
    pub(crate) waiting: i64,
    pub(crate) missed: i64,
}

/// What a delivery needs of it.
pub(crate) struct Target {
    pub(crate) url: Private<String>,
    /// The keys that sign, the newest first.
    pub(crate) secrets: Vec<Vec<u8>>,
}

const URL: &str = "webhook_endpoints.url";
const SECRET: &str = "webhook_endpoints.secret";
const OLD_SECRET: &str = "webhook_endpoints.old_secret";

/// How many there are.
pub(crate) async fn count(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(sqlx::query("SELECT COUNT(*) FROM webhook_endpoints").fetch_one(conn).await?.try_get(0)?)
}

/// How many stand how: `on`, `failing`, `off`.
pub(crate) async fn count_by_state(conn: &mut Conn) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = sqlx::query(
        "SELECT CASE WHEN off_at IS NOT NULL THEN 'off' WHEN failing_since IS NOT NULL THEN 'failing' ELSE 'on' END \
         AS stands, COUNT(*) AS many FROM webhook_endpoints GROUP BY stands",
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok((row.try_get("stands")?, row.try_get("many")?))).collect()
}

/// One more.
pub(crate) async fn insert(
    id: EndpointId,
    (url, secret): (&str, &[u8]),
    hears_all: bool,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO webhook_endpoints (id, url_sealed, secret_sealed, hears_all, created_at, rests_until)
         VALUES ($1, $2, $3, $4, $5, 0)",
    )
    .bind(id.0.to_vec())
    .bind(columns.seal(URL, &id.0, url.as_bytes()))
    .bind(columns.seal(SECRET, &id.0, secret))
    .bind(i64::from(hears_all))
    .bind(millis(now))
    .execute(conn)
    .await?;
    Ok(())
}

/// Is there one of this name, to which something is sent?
pub(crate) async fn is_on(id: EndpointId, conn: &mut Conn) -> Result<bool, StoreError> {
    let found = sqlx::query("SELECT id FROM webhook_endpoints WHERE id = $1 AND off_at IS NULL")
        .bind(id.0.to_vec())
        .fetch_optional(conn)
        .await?;
    Ok(found.is_some())
}

/// Is there one of this name?
pub(crate) async fn exists(id: EndpointId, conn: &mut Conn) -> Result<bool, StoreError> {
    let found =
        sqlx::query("SELECT id FROM webhook_endpoints WHERE id = $1").bind(id.0.to_vec()).fetch_optional(conn).await?;
    Ok(found.is_some())
}

/// All, the oldest first.
pub(crate) async fn list(columns: &Columns, conn: &mut Conn) -> Result<Vec<Stored>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, url_sealed, hears_all, created_at, off_at, off_why, failing_since,
             (SELECT COUNT(*) FROM webhook_deliveries WHERE endpoint = webhook_endpoints.id AND state = 'waiting'),
             (SELECT COUNT(*) FROM webhook_deliveries
              WHERE endpoint = webhook_endpoints.id AND state IN ('given-up', 'stopped'))
         FROM webhook_endpoints ORDER BY created_at, id",
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| stored(row, columns)).collect()
}

fn stored(row: &Row, columns: &Columns) -> Result<Stored, StoreError> {
    let id = id_of(row, 0)?;
    let url: Vec<u8> = row.try_get(1)?;
    let (off_at, why): (Option<i64>, Option<String>) = (row.try_get(4)?, row.try_get(5)?);
    let failing_since: Option<i64> = row.try_get(6)?;
    Ok(Stored {
        id,
        url: Private::new(columns.open_text(URL, &id.0, &url)?),
        hears_all: row.try_get::<i64, _>(2)? == 1,
        created_at: time_of(row.try_get(3)?)?,
        off: off_at.map(time_of).transpose()?.map(|at| (at, why.unwrap_or_default())),
        failing_since: failing_since.map(time_of).transpose()?,
        waiting: row.try_get(7)?,
        missed: row.try_get(8)?,
    })
}

/// Where to post, and what to sign with now.
pub(crate) async fn target(
    id: EndpointId,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Option<Target>, StoreError> {
    let row = sqlx::query(
        "SELECT url_sealed, secret_sealed, old_secret_sealed, old_secret_until FROM webhook_endpoints WHERE id = $1",
    )
    .bind(id.0.to_vec())
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let (url, secret): (Vec<u8>, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
    let (old, old_until): (Option<Vec<u8>>, Option<i64>) = (row.try_get(2)?, row.try_get(3)?);
    let mut secrets = vec![columns.open(SECRET, &id.0, &secret)?.to_vec()];
    if let (Some(old), Some(until)) = (old, old_until)
        && until > millis(now)
    {
        secrets.push(columns.open(OLD_SECRET, &id.0, &old)?.to_vec());
    }
    Ok(Some(Target { url: Private::new(columns.open_text(URL, &id.0, &url)?), secrets }))
}

/// What became of a wish for a new key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rotated {
    Done,
    /// There is no such endpoint.
    Unknown,
    /// The key before this one was promised to sign until then, and there is room for one.
    Promised(OffsetDateTime),
}

/// A new key; the one before signs, too, until then. A promise of the same kind is kept, unless there is to be no key but the
/// new one.
pub(crate) async fn rotate(
    id: EndpointId,
    secret: &[u8],
    (now, old_until): (OffsetDateTime, OffsetDateTime),
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Rotated, StoreError> {
    // The row lock keeps two who do this at once from losing a key: the second sees the first's.
    let row =
        sqlx::query("UPDATE webhook_endpoints SET id = id WHERE id = $1 RETURNING secret_sealed, old_secret_until")
            .bind(id.0.to_vec())
            .fetch_optional(&mut *conn)
            .await?;
    let Some(row) = row else { return Ok(Rotated::Unknown) };
    let (sealed, promised): (Vec<u8>, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
    let promised = promised.map(time_of).transpose()?.filter(|until| *until > now);
    if let Some(until) = promised.filter(|_| old_until > now) {
        return Ok(Rotated::Promised(until));
    }
    let old = columns.open(SECRET, &id.0, &sealed)?;
    sqlx::query(
        "UPDATE webhook_endpoints SET secret_sealed = $2, old_secret_sealed = $3, old_secret_until = $4 WHERE id = $1",
    )
    .bind(id.0.to_vec())
    .bind(columns.seal(SECRET, &id.0, secret))
    .bind(columns.seal(OLD_SECRET, &id.0, &old))
    .bind(millis(old_until))
    .execute(conn)
    .await?;
    Ok(Rotated::Done)
}

/// Another URL. What failed or wanted rest was somebody else. `false` if there is no such endpoint.
pub(crate) async fn change_url(
    id: EndpointId,
    url: &str,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE webhook_endpoints SET url_sealed = $2, failing_since = NULL, rests_until = 0 WHERE id = $1",
    )
    .bind(id.0.to_vec())
    .bind(columns.seal(URL, &id.0, url.as_bytes()))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets one, and what was on its way there. `false` if there is no such endpoint.
pub(crate) async fn remove(id: EndpointId, conn: &mut Conn) -> Result<bool, StoreError> {
    let done =
        sqlx::query("DELETE FROM webhook_endpoints WHERE id = $1").bind(id.0.to_vec()).execute(&mut *conn).await?;
    sqlx::query("DELETE FROM webhook_deliveries WHERE endpoint = $1").bind(id.0.to_vec()).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// Something is sent again. `false` if there is no such endpoint.
pub(crate) async fn turn_on(id: EndpointId, conn: &mut Conn) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE webhook_endpoints SET off_at = NULL, off_why = NULL, failing_since = NULL, rests_until = 0 WHERE id = $1",
    )
    .bind(id.0.to_vec())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Nothing is sent any more; what waits has to be asked for again. `false` if it was off before.
pub(crate) async fn turn_off(
    id: EndpointId,
    why: &str,
    now: OffsetDateTime,
    conn: &mut Conn,
) -> Result<bool, StoreError> {
    let done = sqlx::query("UPDATE webhook_endpoints SET off_at = $2, off_why = $3 WHERE id = $1 AND off_at IS NULL")
        .bind(id.0.to_vec())
        .bind(millis(now))
        .bind(why)
        .execute(&mut *conn)
        .await?;
    sqlx::query(
        "UPDATE webhook_deliveries SET state = 'stopped', due_at = NULL, since = $2
         WHERE endpoint = $1 AND state = 'waiting'",
    )
    .bind(id.0.to_vec())
    .bind(millis(now))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Locks its row. Whoever changes it and a row of its events does this first, or changes it first: two of them would wait for
/// each other otherwise.
pub(crate) async fn hold(id: EndpointId, conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query("UPDATE webhook_endpoints SET id = id WHERE id = $1").bind(id.0.to_vec()).execute(conn).await?;
    Ok(())
}

/// It is not failing any more: a delivery succeeded, or what failed is given up. If it asked for rest, it is still left alone.
pub(crate) async fn forgive(id: EndpointId, conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query("UPDATE webhook_endpoints SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL")
        .bind(id.0.to_vec())
        .execute(conn)
        .await?;
    Ok(())
}

/// A delivery failed; the endpoint rests until then, if it asked for that. Tells since when all fail.
pub(crate) async fn failed(
    id: EndpointId,
    now: OffsetDateTime,
    rests_until: Option<OffsetDateTime>,
    conn: &mut Conn,
) -> Result<Option<OffsetDateTime>, StoreError> {
    let row = sqlx::query(
        "UPDATE webhook_endpoints SET failing_since = COALESCE(failing_since, $2),
             rests_until = CASE WHEN rests_until > $3 THEN rests_until ELSE $3 END
         WHERE id = $1 RETURNING failing_since",
    )
    .bind(id.0.to_vec())
    .bind(millis(now))
    .bind(rests_until.map_or(0, millis))
    .fetch_optional(conn)
    .await?;
    row.map(|row| time_of(row.try_get(0)?)).transpose()
}

pub(super) fn id_of(row: &Row, index: usize) -> Result<EndpointId, StoreError> {
    octets(row, index, "an endpoint's id").map(EndpointId)
}
