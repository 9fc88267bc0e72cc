//! What an event says, and for whom it is written.

use ivr_core::call::question::VerificationId;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::BODY;
use crate::event::{self, EventCertificate, EventData, EventId, WebhookEvent};
use crate::pem;
use crate::store::endpoints::id_of;
use crate::store::{Columns, Conn, Row, StoreError, level_of, millis, time_of};

/// A verification came to this state at that time: those who want to hear of it will, from now on. Call it in the transaction
/// that says so, when all rows of it are written.
///
/// That one expired is told to whom it names alone. Anybody may begin verifications and leave them: an event for each of those
/// would keep others' events waiting.
pub(in crate::store) async fn note(
    id: VerificationId,
    state: &str,
    at: OffsetDateTime,
    now: OffsetDateTime,
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
