//! The outbox of events: a row for each event and endpoint, written with the state that it tells of, and there as long as its
//! verification.

mod telling;

use ivr_core::call::question::VerificationId;
use sqlx::Row as _;
use time::OffsetDateTime;

pub(super) use self::telling::note;
use super::endpoints::id_of;
use super::{Columns, Conn, Row, StoreError, millis, octets, time_of};
use crate::event::{EndpointId, EventId};

/// An event whose turn it is.
#[derive(Clone)]
pub(crate) struct Due {
    pub(crate) id: EventId,
    pub(crate) endpoint: EndpointId,
    /// Attempts, this one included: the next one to touch the row must know it.
    pub(crate) attempts: i64,
    /// Since when it is tried. What is `stopped` or `given-up` is so since then.
    pub(crate) since: OffsetDateTime,
    body_sealed: Vec<u8>,
}

impl Due {
    /// What is to be posted.
    pub(crate) fn body(&self, columns: &Columns) -> Result<Vec<u8>, StoreError> {
        Ok(columns.open(BODY, &self.id.0, &self.body_sealed)?.to_vec())
    }
}

/// An event as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) id: EventId,
    pub(crate) endpoint: EndpointId,
    pub(crate) verification: VerificationId,
    pub(crate) kind: String,
    pub(crate) happened_at: OffsetDateTime,
    /// `waiting`, `delivered`, `given-up`, `stopped`.
    pub(crate) state: String,
    pub(crate) due_at: Option<OffsetDateTime>,
    pub(crate) attempts: i64,
    pub(crate) last_error: Option<String>,
}

/// How long an event is on its way at most, since it happened or was last asked for again; and how long what was missed is kept,
/// so that it can be asked for.
pub(crate) const LONGEST: time::Duration = time::Duration::days(5);

const BODY: &str = "webhook_deliveries.body";

/// The endpoints to which something is to be sent now.
pub(crate) async fn endpoints_due(now: OffsetDateTime, conn: &mut Conn) -> Result<Vec<EndpointId>, StoreError> {
    let rows = sqlx::query(
        "SELECT id FROM webhook_endpoints WHERE off_at IS NULL AND rests_until <= $1
             AND EXISTS (SELECT 1 FROM webhook_deliveries WHERE endpoint = webhook_endpoints.id AND due_at <= $1)",
    )
    .bind(millis(now))
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| id_of(row, 0)).collect()
}

/// Takes the event of an endpoint that waits longest, until `lease_ends`: then it is anybody's again, if its taker died.
pub(crate) async fn claim(
    endpoint: EndpointId,
    now: OffsetDateTime,
    lease_ends: OffsetDateTime,
    conn: &mut Conn,
) -> Result<Option<Due>, StoreError> {
    let row = sqlx::query(
        "UPDATE webhook_deliveries SET attempts = attempts + 1, due_at = $3
         WHERE due_at <= $2 AND id = (
             SELECT id FROM webhook_deliveries WHERE endpoint = $1 AND due_at <= $2
                 AND EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = $1 AND off_at IS NULL)
             ORDER BY due_at LIMIT 1)
         RETURNING id, attempts, since, body_sealed",
    )
    .bind(endpoint.0.to_vec())
    .bind(millis(now))
    .bind(millis(lease_ends))
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Due {
        id: event_id(&row, 0)?,
        endpoint,
        attempts: row.try_get(1)?,
        since: time_of(row.try_get(2)?)?,
        body_sealed: row.try_get(3)?,
    }))
}

/// When something is to be sent next, after now. Of each endpoint the index gives the first.
pub(crate) async fn next_due(now: OffsetDateTime, conn: &mut Conn) -> Result<Option<OffsetDateTime>, StoreError> {
    let rows = sqlx::query(
        "SELECT rests_until, (
             SELECT MIN(due_at) FROM webhook_deliveries
             WHERE endpoint = webhook_endpoints.id AND due_at > CASE WHEN rests_until > $1 THEN 0 ELSE $1 END)
         FROM webhook_endpoints WHERE off_at IS NULL",
    )
    .bind(millis(now))
    .fetch_all(conn)
    .await?;
    let mut next: Option<i64> = None;
    for row in &rows {
        let (rests_until, due): (i64, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
        if let Some(due) = due.map(|due| due.max(rests_until)) {
            next = Some(next.map_or(due, |next| next.min(due)));
        }
    }
    next.map(time_of).transpose()
}

/// The receiver has it.
pub(crate) async fn delivered(due: &Due, now: OffsetDateTime, conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE webhook_deliveries SET state = 'delivered', due_at = NULL, delivered_at = $2, last_error = NULL
         WHERE id = $1",
    )
    .bind(due.id.0.to_vec())
    .bind(millis(now))
    .execute(conn)
    .await?;
    Ok(())
}

/// It is tried again then, or given up if there is no time. Changes nothing if somebody else has taken it since, or its
/// endpoint was turned off.
pub(crate) async fn postpone(
    due: &Due,
    next_at: Option<OffsetDateTime>,
    reason: &str,
    now: OffsetDateTime,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE webhook_deliveries SET state = $2, due_at = $3, last_error = $4, since = $6
         WHERE id = $1 AND attempts = $5 AND state = 'waiting'",
    )
    .bind(due.id.0.to_vec())
    .bind(if next_at.is_some() { "waiting" } else { "given-up" })
    .bind(next_at.map(millis))
    .bind(reason)
    .bind(due.attempts)
    .bind(millis(if next_at.is_some() { due.since } else { now }))
    .execute(conn)
    .await?;
    Ok(())
}

/// An event is sent anew, whatever became of it. `false` if there is none of this name whose endpoint is on.
pub(crate) async fn replay(id: EventId, now: OffsetDateTime, conn: &mut Conn) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE webhook_deliveries SET state = 'waiting', due_at = $2, since = $2, attempts = 0
         WHERE id = $1 AND EXISTS (
             SELECT 1 FROM webhook_endpoints WHERE id = webhook_deliveries.endpoint AND off_at IS NULL)",
    )
    .bind(id.0.to_vec())
    .bind(millis(now))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// All that an endpoint missed is sent anew, if it is on. Tells how many events that are.
pub(crate) async fn replay_missed(
    endpoint: EndpointId,
    now: OffsetDateTime,
    conn: &mut Conn,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE webhook_deliveries SET state = 'waiting', due_at = $2, since = $2, attempts = 0
         WHERE endpoint = $1 AND state IN ('given-up', 'stopped')
             AND EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = $1 AND off_at IS NULL)",
    )
    .bind(endpoint.0.to_vec())
    .bind(millis(now))
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// The newest events, of one endpoint or of all.
pub(crate) async fn list(of: Option<EndpointId>, limit: u32, conn: &mut Conn) -> Result<Vec<Listed>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, endpoint, verification, kind, happened_at, state, due_at, attempts, last_error
         FROM webhook_deliveries WHERE CAST($1 AS BIGINT) = 1 OR endpoint = $2 ORDER BY happened_at DESC, id LIMIT $3",
    )
    .bind(i64::from(of.is_none()))
    .bind(of.map_or(Vec::new(), |id| id.0.to_vec()))
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await?;
    rows.iter().map(listed).collect()
}

fn listed(row: &Row) -> Result<Listed, StoreError> {
    let due_at: Option<i64> = row.try_get(6)?;
    Ok(Listed {
        id: event_id(row, 0)?,
        endpoint: id_of(row, 1)?,
        verification: VerificationId(octets(row, 2, "an id")?),
        kind: row.try_get(3)?,
        happened_at: time_of(row.try_get(4)?)?,
        state: row.try_get(5)?,
        due_at: due_at.map(time_of).transpose()?,
        attempts: row.try_get(7)?,
        last_error: row.try_get(8)?,
    })
}

/// How many events stand in each state.
pub(crate) async fn count_by_state(conn: &mut Conn) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = sqlx::query("SELECT state, COUNT(*) FROM webhook_deliveries GROUP BY state").fetch_all(conn).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

fn event_id(row: &Row, index: usize) -> Result<EventId, StoreError> {
    octets(row, index, "an event's id").map(EventId)
}
