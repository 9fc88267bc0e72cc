//! The outbox of events: a row for each event and endpoint, written with the state that it tells of, and there as long as its
//! verification.

use ivr_core::call::question::VerificationId;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::endpoints::id_of;
use super::{Columns, Conn, Row, StoreError, level_of, millis, octets, time_of};
use crate::event::{self, EndpointId, EventCertificate, EventData, EventId, WebhookEvent};
use crate::pem;

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

/// A verification has come to this state: those who want to hear of it will, from now on. Call it in the transaction that says
/// so, when all rows of it are written.
///
/// That one expired is told to whom it names alone. Anybody may begin verifications and leave them: an event for each of those
/// would keep others' events waiting.
pub(super) async fn note(
    id: VerificationId,
    state: &str,
    (at, now): (OffsetDateTime, OffsetDateTime),
    columns: &Columns,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    let Some((kind, state)) = event::of_state(state) else { return Ok(()) };
    let hearers = sqlx::query(
        "SELECT e.id, CASE WHEN v.webhook = e.id THEN 1 ELSE 0 END, CASE WHEN e.off_at IS NULL THEN 0 ELSE 1 END
         FROM verifications v JOIN webhook_endpoints e
             ON e.id = v.webhook OR (e.hears_all = 1 AND CAST($2 AS BIGINT) = 1)
         WHERE v.id = $1",
    )
    .bind(id.0.to_vec())
    .bind(i64::from(state != "expired"))
    .fetch_all(&mut *conn)
    .await?;
    for hearer in hearers {
        let endpoint = id_of(&hearer, 0)?;
        let shown = if hearer.try_get::<i64, _>(1)? == 1 { Shown::Whole } else { Shown::Masked };
        let is_off = hearer.try_get::<i64, _>(2)? == 1;
        let event = WebhookEvent { kind, timestamp: at, data: told(id, state, shown, columns, conn).await? };
        let body =
            serde_json::to_vec(&event).map_err(|_| StoreError::Failed("an event cannot be written".to_owned()))?;
        let event_id = EventId(columns.clock().bytes());
        sqlx::query(
            "INSERT INTO webhook_deliveries (id, endpoint, verification, kind, happened_at, body_sealed, state, due_at,
                 attempts, since)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)",
        )
        .bind(event_id.0.to_vec())
        .bind(endpoint.0.to_vec())
        .bind(id.0.to_vec())
        .bind(kind)
        .bind(millis(at))
        .bind(columns.seal(BODY, &event_id.0, &body))
        .bind(if is_off { "stopped" } else { "waiting" })
        .bind((!is_off).then_some(millis(now)))
        .bind(millis(now))
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// How much of a verification an endpoint is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// What its owner sees, who named the endpoint.
    Whole,
    /// What operators see of it unasked.
    Masked,
}

async fn told(
    id: VerificationId,
    state: &'static str,
    shown: Shown,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<EventData, StoreError> {
    let row = sqlx::query(
        "SELECT v.number_sealed, v.last4, v.publish, v.created_at, v.held_until, v.failure, v.result_sealed, v.serial,
             c.certificate_sealed, c.level, c.not_before, c.not_after
         FROM verifications v LEFT JOIN certificates c ON c.serial = v.serial WHERE v.id = $1",
    )
    .bind(id.0.to_vec())
    .fetch_one(conn)
    .await?;
    let number = match shown {
        Shown::Whole => columns.open_text("verifications.number", &id.0, &row.try_get::<Vec<u8>, _>(0)?)?,
        Shown::Masked => format!("***{}", row.try_get::<String, _>(1)?),
    };
    let held_until: Option<i64> = row.try_get(4)?;
    let result: Option<Vec<u8>> = row.try_get(6)?;
    let result = result.filter(|_| shown == Shown::Whole);
    Ok(EventData {
        id: id.to_string(),
        state,
        number,
        publish: row.try_get::<i64, _>(2)? == 1,
        created_at: time_of(row.try_get(3)?)?,
        held_until: held_until.filter(|_| state == "held").map(time_of).transpose()?,
        failure: row.try_get(5)?,
        result: result.map(|sealed| columns.open_text("verifications.result", &id.0, &sealed)).transpose()?,
        certificate: certificate(&row, shown, columns)?,
    })
}

fn certificate(row: &Row, shown: Shown, columns: &Columns) -> Result<Option<EventCertificate>, StoreError> {
    let (serial, sealed): (Option<String>, Option<Vec<u8>>) = (row.try_get(7)?, row.try_get(8)?);
    let (Some(serial), Some(sealed)) = (serial, sealed) else { return Ok(None) };
    let der = || columns.open("certificates.certificate", serial.as_bytes(), &sealed);
    let certificate_pem = match shown {
        Shown::Whole => Some(pem::certificate(&der()?)),
        Shown::Masked => None,
    };
    Ok(Some(EventCertificate {
        certificate_pem,
        level: level_of(row, 9)?.to_string(),
        not_before: time_of(row.try_get(10)?)?,
        not_after: time_of(row.try_get(11)?)?,
        serial,
    }))
}

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
