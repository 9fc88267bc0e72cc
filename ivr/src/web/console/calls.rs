//! The list of calls: its address is its filter.

use askama::Template;
use axum::extract::{Query, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::filter::{Asked, Unreadable};
use super::session::Person;
use super::words::{self, Moment};
use super::{LEVELS, ROWS, Who, cut, has_empty_field, masked};
use crate::store::calls::Call;
use crate::web::App;
use crate::web::error::WebError;
use crate::web::page::{self, Frame};

/// Where the list is.
pub(super) const PATH: &str = "/console/calls";

#[derive(Template)]
#[template(path = "console/calls.html")]
struct CallsPage {
    frame: Frame,
    who: Who,
    asked: Asked,
    outcomes: &'static [(&'static str, &'static str)],
    levels: [&'static str; 5],
    hint: Option<Hint>,
    rows: Vec<Row>,
    /// The address of the older ones, if there are any.
    older: Option<String>,
    /// The address of the newest, if these are not.
    newest: Option<String>,
    /// The address of the same calls as a file.
    csv: String,
}

/// What is wrong with a field.
struct Hint {
    field: &'static str,
    text: String,
}

struct Row {
    id: String,
    began: Moment,
    number: String,
    country: String,
    trunk: String,
    level: String,
    outcome: String,
    reason: String,
    why: &'static str,
    is_live: bool,
    is_verified: bool,
    duration: String,
    serial: Option<String>,
}

pub(super) async fn page(
    State(app): State<App>,
    Person(operator): Person,
    frame: Frame,
    RawQuery(raw): RawQuery,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let asked = asked.tidied();
    if has_empty_field(raw.as_deref()) {
        return Ok(Redirect::to(&(PATH.to_owned() + &asked.query())).into_response());
    }
    let (calls, hint) = match asked.filter(app.settings.default_country, ROWS + 1) {
        Ok(filter) => (app.calls.list(&filter).await?, None),
        Err(Unreadable { field, hint }) => (Vec::new(), Some(Hint { field, text: hint + "." })),
    };
    let (calls, has_older) = cut(calls, ROWS);
    let older = calls.last().filter(|_| has_older).map(|last| PATH.to_owned() + &asked.from_behind(last).query());
    let first = asked.from_the_first();
    let status = if hint.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = page::html(&CallsPage {
        frame,
        who: Who { name: operator.name, here: "calls" },
        outcomes: &words::OUTCOMES,
        levels: LEVELS,
        hint,
        rows: calls.into_iter().map(Row::of).collect(),
        older,
        newest: (!asked.after.is_empty()).then(|| PATH.to_owned() + &first.query()),
        csv: format!("{PATH}.csv{}", first.query()),
        asked,
    })?;
    Ok((status, page).into_response())
}

impl CallsPage {
    /// The attributes of a field that cannot be read.
    fn mark(&self, field: &str) -> &'static str {
        match &self.hint {
            Some(hint) if hint.field == field => " aria-invalid=\"true\" aria-errormessage=\"hint\"",
            _ => "",
        }
    }

    fn short(&self, serial: &str) -> String {
        words::short(serial)
    }
}

impl Row {
    fn of(call: Call) -> Self {
        let reason = call.refusal.map(|(_, reason)| reason).unwrap_or_default();
        Self {
            id: call.id.to_string(),
            began: Moment::of(call.began_at),
            number: call.last4.as_deref().map_or_else(|| "no number".to_owned(), masked::number),
            country: call.country.unwrap_or_default(),
            trunk: call.trunk.unwrap_or_else(|| "none".to_owned()),
            level: call.level.map(|level| level.to_string()).unwrap_or_default(),
            outcome: words::outcome(&call.outcome).to_owned(),
            why: words::reason(&reason),
            reason,
            is_live: call.outcome == "live",
            is_verified: call.outcome == "verified",
            duration: call.duration.map(words::length).unwrap_or_default(),
            serial: call.serial,
        }
    }
}
