//! Calls on their way into the rows: what is new of many calls, in few statements.

use std::net::SocketAddr;
use std::time::Duration;

use ivr_core::call::question::VerificationId;
use ivr_core::caller::{Caps, Level, LineParameters};
use ivr_core::media::Quality;
use ivr_core::number::Number;
use sqlx::Any;
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use time::OffsetDateTime;

use super::lines::{self, Line};
use super::{CallId, NUMBER, Signed, micros, quality};
use crate::store::rows::{Placeholders, shaped};
use crate::store::{Columns, Conn, StoreError, millis, tel};

/// What is new of a call.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) id: CallId,
    /// `None` if it has a row.
    pub(crate) began: Option<Began>,
    /// The number that it bears.
    pub(crate) number: Option<Number>,
    /// What it could prove, and what held it there.
    pub(crate) worth: Option<(Level, Caps)>,
    /// What stood beside its number.
    pub(crate) line: LineParameters,
    /// What was found out about its signed identity.
    pub(crate) signed: Option<Signed>,
    /// Status and reason code of a refusal.
    pub(crate) refusal: Option<(u16, &'static str)>,
    /// From the INVITE to the 200.
    pub(crate) setup: Option<Duration>,
    /// From the INVITE to the end.
    pub(crate) duration: Option<Duration>,
    /// What its media was like.
    pub(crate) quality: Option<Quality>,
    /// The verification whose code was keyed in.
    pub(crate) verification: Option<VerificationId>,
    /// What became of it. Once one is stored, no other takes its place.
    pub(crate) outcome: Option<&'static str>,
    /// What happened, in order.
    pub(crate) lines: Vec<Line>,
    /// Entries of the record that say all this.
    pub(crate) entries: usize,
}

/// How a call began.
#[derive(Debug)]
pub(crate) struct Began {
    pub(crate) at: OffsetDateTime,
    pub(crate) sip_call_id: String,
    /// The trunk profile's name.
    pub(crate) trunk: Option<String>,
    pub(crate) source: SocketAddr,
}

impl Change {
    /// Nothing yet.
    pub(crate) fn of(id: CallId) -> Self {
        Self {
            id,
            began: None,
            number: None,
            worth: None,
            line: LineParameters::default(),
            signed: None,
            refusal: None,
            setup: None,
            duration: None,
            quality: None,
            verification: None,
            outcome: None,
            lines: Vec::new(),
            entries: 0,
        }
    }

    /// Whether a row that stands changes.
    fn changes_its_row(&self) -> bool {
        self.number.is_some()
            || self.worth.is_some()
            || self.signed.is_some()
            || self.refusal.is_some()
            || self.setup.is_some()
            || self.duration.is_some()
            || self.quality.is_some()
            || self.verification.is_some()
            || self.outcome.is_some()
    }
}

/// Writes what is new of these calls, each of which is there once. What was written before (because its commit was not
/// heard of) is not written again.
pub(crate) async fn write(
    changes: &[Change],
    node: &str,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    let new: Vec<(&Change, &Began)> =
        changes.iter().filter_map(|change| Some((change, change.began.as_ref()?))).collect();
    for calls in shaped(&new) {
        insert(calls, node, columns, conn).await?;
    }
    let old = changes.iter().filter(|change| change.began.is_none());
    let changed: Vec<&Change> = old.filter(|change| change.changes_its_row()).collect();
    for calls in shaped(&changed) {
        update(calls, columns, conn).await?;
    }
    let spoken: Vec<&Change> = changes.iter().filter(|change| !change.lines.is_empty()).collect();
    for calls in shaped(&spoken) {
        lines::insert(calls, columns, conn).await?;
    }
    Ok(())
}

async fn insert(calls: &[(&Change, &Began)], node: &str, columns: &Columns, conn: &mut Conn) -> Result<(), StoreError> {
    let values = Placeholders::of(conn).rows(calls.len(), 6 + FIGURES.len());
    let statement = format!(
        "INSERT INTO calls (id, node, sip_call_id, began_at, trunk, source, {}) VALUES {values}
         ON CONFLICT (id) DO NOTHING",
        FIGURES.join(", ")
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
    for (change, began) in calls {
        query = query
            .bind(change.id.0.to_vec())
            .bind(node)
            .bind(began.sip_call_id.as_str())
            .bind(millis(began.at))
            .bind(began.trunk.as_deref())
            .bind(began.source.to_string())
            .bind(change.outcome.unwrap_or("live"));
        query = bind_figures(query, change, columns);
    }
    query.execute(conn).await?;
    Ok(())
}

async fn update(calls: &[&Change], columns: &Columns, conn: &mut Conn) -> Result<(), StoreError> {
    let values = Placeholders::of(conn).rows(calls.len(), 1 + FIGURES.len());
    // Both databases call the columns of VALUES so.
    let figures = FIGURES.iter().zip(2..).map(|(figure, n)| match *figure {
        "outcome" => format!(
            "outcome = CASE WHEN calls.outcome = 'live' THEN COALESCE(new.column{n}, 'live') ELSE calls.outcome END"
        ),
        figure => format!("{figure} = COALESCE(new.column{n}, calls.{figure})"),
    });
    let statement = format!(
        "UPDATE calls SET {} FROM (VALUES {values}) AS new WHERE calls.id = new.column1",
        figures.collect::<Vec<_>>().join(", ")
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
    for change in calls {
        query = bind_figures(query.bind(change.id.0.to_vec()).bind(change.outcome), change, columns);
    }
    query.execute(conn).await?;
    Ok(())
}

/// What may become known of a call after it began.
const FIGURES: [&str; 28] = [
    "outcome",
    "number_hash",
    "pepper_epoch",
    "number_sealed",
    "country",
    "last4",
    "level",
    "caps",
    "line",
    "passport",
    "status",
    "reason",
    "setup_us",
    "duration_ms",
    "verification",
    "packets_sent",
    "packets_received",
    "packets_lost",
    "packets_foreign",
    "jitter_us",
    "reported_expected",
    "reported_lost",
    "reported_jitter_us",
    "round_trip_us",
    "mos_received",
    "mos_sent",
    "srtp",
    "packets_unauthentic",
];

/// All [`FIGURES`] but the outcome.
fn bind_figures<'q>(query: Values<'q>, change: &'q Change, columns: &Columns) -> Values<'q> {
    let number = change.number.as_ref();
    let identity = number.map(|number| columns.identity(&tel(number)));
    let (hash, epoch) = identity.map(|identity| (identity.hash, identity.epoch)).unzip();
    let query = query
        .bind(hash)
        .bind(epoch)
        .bind(number.map(|number| columns.seal(NUMBER, &change.id.0, number.as_str().as_bytes())))
        .bind(number.map(|number| number.country().to_string()))
        .bind(number.map(Number::last4))
        .bind(change.worth.map(|(level, _)| i64::from(level.number())))
        .bind(change.worth.map(|(_, caps)| caps.to_string()))
        .bind(Some(change.line.to_string()).filter(|line| !line.is_empty()))
        .bind(change.signed.as_ref().map(Signed::json))
        .bind(change.refusal.map(|(status, _)| i64::from(status)))
        .bind(change.refusal.map(|(_, reason)| reason))
        .bind(change.setup.map(micros))
        .bind(change.duration.map(|duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
        .bind(change.verification.map(|verification| verification.0.to_vec()));
    quality::bind(query, change.quality.as_ref())
}

/// A statement that is given its values.
pub(super) type Values<'q> = Query<'q, Any, AnyArguments>;
