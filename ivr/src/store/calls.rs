//! Calls as rows: written by the recorder, read by the console.

use std::time::Duration;

use ivr_core::call::question::VerificationId;
use ivr_core::caller::{Caps, Level};
use ivr_core::number::Number;
use ivr_core::private::Private;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::columns::tel;
use super::{Columns, Conn, Row, StoreError, millis, time_of};

mod lines;
mod purging;
mod quality;
mod signed;
mod writing;

pub(crate) use lines::{Line, What, events};
pub(crate) use purging::{Which, forget, forget_messages, forget_sources, keep_serial, old_messages, over};
pub use quality::Rated;
pub use signed::Signed;
pub(crate) use writing::{Began, Change, write};

/// Names a call in the database. Ids grow with time, so that what is written one after the other lies side by side, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallId(pub [u8; 16]);

/// A call as the console lists it.
#[derive(Debug, Clone)]
pub struct Call {
    /// Names it.
    pub id: CallId,
    /// The SIP Call-ID, as the peer chose it.
    pub sip_call_id: String,
    /// When the INVITE came.
    pub began_at: OffsetDateTime,
    /// The trunk profile's name.
    pub trunk: Option<String>,
    /// Where the INVITE came from; empty once that is forgotten.
    pub source: String,
    /// Country (ISO 3166) of the number.
    pub country: Option<String>,
    /// Its last four digits.
    pub last4: Option<String>,
    /// What the call could prove.
    pub level: Option<Level>,
    /// What held it there.
    pub caps: Caps,
    /// What stood beside its number, such as `npdi cpc=ordinary`: known words, and no number.
    pub line: Option<String>,
    /// What was found out about its signed identity.
    pub signed: Option<Signed>,
    /// `live`, `refused`, `lost`, `cancelled`, or how the conversation ended.
    pub outcome: String,
    /// Status and reason code of a refusal.
    pub refusal: Option<(i64, String)>,
    /// From the INVITE to the 200.
    pub setup: Option<Duration>,
    /// From the INVITE to the end.
    pub duration: Option<Duration>,
    /// What its media was like.
    pub quality: Option<Rated>,
    /// The verification whose code was keyed in.
    pub verification: Option<VerificationId>,
    /// Serial number of what that verification issued.
    pub serial: Option<String>,
}

/// A line of a call.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its place.
    pub number: i64,
    /// When.
    pub at: OffsetDateTime,
    /// `sent`, `received`, `signed`, `answered`, `step`, `key`, `refused`, `over`.
    pub kind: String,
    /// A step's name, a reason code.
    pub what: Option<String>,
    /// A SIP message's start line and CSeq.
    pub message: Option<Private<String>>,
}

/// Which calls are listed. Empty fields let everything pass.
#[derive(Debug, Clone, Default)]
pub struct CallFilter {
    /// A full number, found by its HMAC.
    pub number: Option<Number>,
    /// Its last four digits.
    pub last4: String,
    /// The SIP Call-ID.
    pub call_id: String,
    /// Part of what may be shown: Call-ID, source, trunk, outcome, reason; in any case.
    pub text: String,
    /// How it ended.
    pub outcome: String,
    /// A reason code.
    pub reason: String,
    /// ISO 3166.
    pub country: String,
    /// The trunk profile's name.
    pub trunk: String,
    /// What it could prove.
    pub level: Option<Level>,
    /// From when.
    pub from: Option<OffsetDateTime>,
    /// Until before when.
    pub until: Option<OffsetDateTime>,
    /// Calls that come after this one in the list: the last of the page before.
    pub after: Option<(OffsetDateTime, CallId)>,
    /// How many.
    pub limit: u32,
}

/// Closes what this node had on the line when it died. Says how many calls that were.
pub(crate) async fn close_lost(node: &str, conn: &mut Conn) -> Result<u64, StoreError> {
    let done = sqlx::query("UPDATE calls SET outcome = 'lost' WHERE node = $1 AND outcome = 'live'")
        .bind(node)
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}

/// A page of calls, newest first.
pub(crate) async fn list(filter: &CallFilter, columns: &Columns, conn: &mut Conn) -> Result<Vec<Call>, StoreError> {
    let number = filter.number.as_ref().map(tel);
    let [first, second, third] = columns.sought(number.as_deref().unwrap_or_default());
    let (after, after_id) = filter.after.map_or((i64::MAX, vec![0xFF; 17]), |(at, id)| (millis(at), id.0.to_vec()));
    let statement = format!(
        "{SELECT}
         WHERE (calls.began_at, calls.id) < ($1, $2)
             AND (CAST($3 AS BIGINT) = 0 OR calls.number_hash IN ($4, $5, $6))
             AND (CAST($7 AS TEXT) = '' OR calls.last4 = $7) AND (CAST($8 AS TEXT) = '' OR calls.sip_call_id = $8)
             AND (CAST($9 AS TEXT) = '' OR calls.outcome = $9) AND (CAST($10 AS TEXT) = '' OR calls.reason = $10)
             AND (CAST($11 AS TEXT) = '' OR calls.country = $11) AND (CAST($12 AS TEXT) = '' OR calls.trunk = $12)
             AND (CAST($13 AS BIGINT) < 0 OR calls.level = $13) AND calls.began_at >= $14 AND calls.began_at < $15
             AND (CAST($16 AS TEXT) = '' OR LOWER(calls.sip_call_id || ' ' || calls.source || ' ' || COALESCE(calls.trunk, '') || ' '
                 || calls.outcome || ' ' || COALESCE(calls.reason, '')) LIKE LOWER(CAST($16 AS TEXT)) ESCAPE '!')
         ORDER BY calls.began_at DESC, calls.id DESC LIMIT $17"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(after)
        .bind(after_id)
        .bind(i64::from(number.is_some()))
        .bind(first)
        .bind(second)
        .bind(third)
        .bind(filter.last4.as_str())
        .bind(filter.call_id.as_str())
        .bind(filter.outcome.as_str())
        .bind(filter.reason.as_str())
        .bind(filter.country.as_str())
        .bind(filter.trunk.as_str())
        .bind(filter.level.map_or(-1, |level| i64::from(level.number())))
        .bind(filter.from.map_or(i64::MIN, millis))
        .bind(filter.until.map_or(i64::MAX, millis))
        .bind(pattern(&filter.text))
        .bind(i64::from(filter.limit))
        .fetch_all(conn)
        .await?;
    rows.iter().map(call).collect()
}

/// One call.
pub(crate) async fn find(id: CallId, conn: &mut Conn) -> Result<Option<Call>, StoreError> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} WHERE calls.id = $1")))
        .bind(id.0.to_vec())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(call).transpose()
}

/// What held down the call whose code opened this verification, the last if there were several; nothing if that is not
/// known any more.
pub(crate) async fn caps_of(verification: VerificationId, conn: &mut Conn) -> Result<Caps, StoreError> {
    let row = sqlx::query(
        "SELECT caps FROM calls WHERE verification = $1 AND caps IS NOT NULL ORDER BY began_at DESC, id DESC LIMIT 1",
    )
    .bind(verification.0.to_vec())
    .fetch_optional(conn)
    .await?;
    let codes: Option<String> = row.map(|row| row.try_get(0)).transpose()?;
    Ok(codes.map_or_else(Caps::default, |codes| Caps::from_codes(&codes)))
}

/// The verification that a certificate was issued for; `None` for a mailbox's, or if there is no such certificate.
pub(crate) async fn verification_of(serial: &str, conn: &mut Conn) -> Result<Option<VerificationId>, StoreError> {
    let row = sqlx::query("SELECT cause FROM certificates WHERE serial = $1").bind(serial).fetch_optional(conn).await?;
    let cause: Option<String> = row.map(|row| row.try_get(0)).transpose()?;
    Ok(cause.and_then(|cause| cause.strip_prefix("verification:")?.parse().ok()))
}

/// The number of a call. The caller writes into the audit why it was looked at.
pub(crate) async fn number(id: CallId, columns: &Columns, conn: &mut Conn) -> Result<Option<Number>, StoreError> {
    let row = sqlx::query("SELECT number_sealed FROM calls WHERE id = $1 AND number_sealed IS NOT NULL")
        .bind(id.0.to_vec())
        .fetch_optional(conn)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let sealed: Vec<u8> = row.try_get(0)?;
    Ok(Some(columns.open_number(NUMBER, &id.0, &sealed)?))
}

/// The LIKE pattern of what contains this text; empty for an empty one. The database folds cases, its own way on both
/// sides: SQLite folds ASCII only.
fn pattern(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut pattern = "%".to_owned();
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern + "%"
}

const SELECT: &str = "SELECT calls.id, calls.sip_call_id, calls.began_at, calls.trunk, calls.source, calls.country,
    calls.last4, calls.level, calls.outcome, calls.status, calls.reason, calls.setup_us, calls.duration_ms,
    calls.packets_sent, calls.packets_received, calls.packets_lost, calls.packets_foreign, calls.jitter_us,
    calls.verification, COALESCE(calls.serial, verifications.serial),
    calls.reported_expected, calls.reported_lost, calls.reported_jitter_us, calls.round_trip_us,
    calls.mos_received, calls.mos_sent, calls.srtp, calls.packets_unauthentic, calls.caps, calls.line,
    calls.passport
    FROM calls LEFT JOIN verifications ON verifications.id = calls.verification";

fn call(row: &Row) -> Result<Call, StoreError> {
    let level: Option<i64> = row.try_get(7)?;
    let status: Option<i64> = row.try_get(9)?;
    let reason: Option<String> = row.try_get(10)?;
    let setup: Option<i64> = row.try_get(11)?;
    let duration: Option<i64> = row.try_get(12)?;
    let verification: Option<Vec<u8>> = row.try_get(18)?;
    let octets = |octets: Vec<u8>| <[u8; 16]>::try_from(octets).map_err(|_| StoreError::damaged("an id"));
    Ok(Call {
        id: CallId(octets(row.try_get(0)?)?),
        sip_call_id: row.try_get(1)?,
        began_at: time_of(row.try_get(2)?)?,
        trunk: row.try_get(3)?,
        source: row.try_get(4)?,
        country: row.try_get(5)?,
        last4: row.try_get(6)?,
        level: level.and_then(|level| Level::from_number(u8::try_from(level).ok()?)),
        caps: row.try_get::<Option<String>, _>(28)?.map_or_else(Caps::default, |codes| Caps::from_codes(&codes)),
        line: row.try_get(29)?,
        signed: row.try_get::<Option<String>, _>(30)?.map(|json| Signed::parse(&json)).transpose()?,
        outcome: row.try_get(8)?,
        refusal: status.zip(reason),
        setup: setup.map(from_micros),
        duration: duration.map(|millis| Duration::from_millis(unsigned(millis))),
        quality: quality::of(row)?,
        verification: verification.map(octets).transpose()?.map(VerificationId),
        serial: row.try_get(19)?,
    })
}

const NUMBER: &str = "calls.number";
fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn from_micros(micros: i64) -> Duration {
    Duration::from_micros(unsigned(micros))
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

impl CallId {
    /// Of a call that began then: 48 bits of Unix milliseconds and 80 of chance.
    pub(crate) fn new(began_at: OffsetDateTime, chance: [u8; 10]) -> Self {
        let mut id = [0; 16];
        id[..6].copy_from_slice(&millis(began_at).to_be_bytes()[2..]);
        id[6..].copy_from_slice(&chance);
        Self(id)
    }

    /// From 32 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(|VerificationId(octets)| Self(octets))
    }
}

impl std::fmt::Display for CallId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        VerificationId(self.0).fmt(f)
    }
}

#[cfg(test)]
pub(crate) mod tests;
