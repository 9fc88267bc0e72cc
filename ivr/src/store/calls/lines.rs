//! The lines of calls as rows: as many as were written at once lie in one row, so that they are sealed and stored at once.
//! Before there were such rows each line had one of its own; those that were written then are still read.

use std::borrow::Cow;

use ivr_core::private::Private;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::writing::Change;
use super::{CallId, Event};
use crate::store::rows::Placeholders;
use crate::store::{Columns, Conn, StoreError, millis, time_of};

/// A line on its way into the rows.
#[derive(Debug)]
pub(crate) struct Line {
    /// Its place in the call.
    pub(crate) number: i64,
    pub(crate) at: OffsetDateTime,
    /// As in [`Event`].
    pub(crate) kind: &'static str,
    pub(crate) what: What,
}

/// What a line says beside its kind.
#[derive(Debug)]
pub(crate) enum What {
    Nothing,
    /// A step's name, a reason code.
    Word(Cow<'static, str>),
    /// A SIP message's start line and CSeq.
    Message(Private<String>),
}

/// A line in the JSON of its row: its place, Unix milliseconds, its kind, and what it says.
type Stored<'a> = (i64, i64, Cow<'a, str>, Option<Cow<'a, str>>);

/// Adds the lines of these calls, which have some each.
pub(super) async fn insert(calls: &[&Change], columns: &Columns, conn: &mut Conn) -> Result<(), StoreError> {
    let values = Placeholders::of(conn).rows(calls.len(), 5);
    let statement = format!(
        "INSERT INTO call_lines (call, first, at, lines, messages) VALUES {values} ON CONFLICT (call, first) DO NOTHING"
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
    for change in calls {
        let (first, at) = change.lines.first().map_or((0, 0), |line| (line.number, millis(line.at)));
        let (mut lines, mut messages): (Vec<Stored<'_>>, Vec<Stored<'_>>) = Default::default();
        for line in &change.lines {
            let (rows, what) = match &line.what {
                What::Nothing => (&mut lines, None),
                What::Word(word) => (&mut lines, Some(word.as_ref())),
                What::Message(message) => (&mut messages, Some(message.expose().as_str())),
            };
            rows.push((line.number, millis(line.at), line.kind.into(), what.map(Cow::Borrowed)));
        }
        let sealed = |messages| columns.seal(MESSAGES, &place(change.id, first), json(messages).as_bytes());
        query = query
            .bind(change.id.0.to_vec())
            .bind(first)
            .bind(at)
            .bind(json(&lines))
            .bind((!messages.is_empty()).then(|| sealed(&messages)));
    }
    query.execute(conn).await?;
    Ok(())
}

/// The lines of a call, oldest first.
pub(crate) async fn events(id: CallId, columns: &Columns, conn: &mut Conn) -> Result<Vec<Event>, StoreError> {
    let mut events = each_in_its_row(id, columns, conn).await?;
    let rows = sqlx::query("SELECT first, lines, messages FROM call_lines WHERE call = $1")
        .bind(id.0.to_vec())
        .fetch_all(conn)
        .await?;
    for row in rows {
        let (first, lines): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
        for (number, at, kind, what) in parsed(lines.as_bytes())? {
            let what = what.map(Cow::into_owned);
            events.push(Event { number, at: time_of(at)?, kind: kind.into_owned(), what, message: None });
        }
        let Some(sealed): Option<Vec<u8>> = row.try_get(2)? else { continue };
        for (number, at, kind, what) in parsed(&columns.open(MESSAGES, &place(id, first), &sealed)?)? {
            let message = what.map(|message| Private::new(message.into_owned()));
            events.push(Event { number, at: time_of(at)?, kind: kind.into_owned(), what: None, message });
        }
    }
    events.sort_by_key(|event| event.number);
    Ok(events)
}

/// Lines of the time when each had a row of its own.
async fn each_in_its_row(id: CallId, columns: &Columns, conn: &mut Conn) -> Result<Vec<Event>, StoreError> {
    let rows = sqlx::query("SELECT number, at, kind, what, sealed FROM call_events WHERE call = $1")
        .bind(id.0.to_vec())
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| {
            let number = row.try_get(0)?;
            let sealed: Option<Vec<u8>> = row.try_get(4)?;
            let message = sealed.map(|sealed| columns.open_text(MESSAGE, &place(id, number), &sealed)).transpose()?;
            Ok(Event {
                number,
                at: time_of(row.try_get(1)?)?,
                kind: row.try_get(2)?,
                what: row.try_get(3)?,
                message: message.map(Private::new),
            })
        })
        .collect()
}

const MESSAGES: &str = "call_lines.messages";
const MESSAGE: &str = "call_events.message";

/// What the encryption binds: the call, and the place of the line, or of the first of its row.
fn place(id: CallId, number: i64) -> Vec<u8> {
    [&id.0[..], &number.to_be_bytes()].concat()
}

fn json(lines: &[Stored<'_>]) -> String {
    serde_json::to_string(lines).expect("numbers and texts are JSON")
}

fn parsed(json: &[u8]) -> Result<Vec<Stored<'_>>, StoreError> {
    serde_json::from_slice(json).map_err(|_| StoreError::damaged("a line of a call"))
}
