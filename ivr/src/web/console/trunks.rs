//! The trunks, and the probe of one: the operator announces a call, makes it, and the page shows what arrived and the profile
//! that it proposes. Numbers are shown by their spelling and last four digits.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ivr_core::caller::Reason;
use ivr_core::caller::probe::{Call, Expected, Step, propose};
use ivr_core::number::Number;
use serde::Deserialize;

use super::login::Nothing;
use super::session::Person;
use super::{Who, masked, words};
use crate::operators::Operator;
use crate::trunk_probe::ProbeError;
use crate::web::App;
use crate::web::csrf::Checked;
use crate::web::error::{WebError, sentence};
use crate::web::page::{self, Frame};

/// Where the list is.
pub(super) const PATH: &str = "/console/trunks";

#[derive(Template)]
#[template(path = "console/trunks.html")]
struct TrunksPage {
    frame: Frame,
    who: Who,
    trunks: Vec<Trunk>,
}

struct Trunk {
    name: String,
    numbers: Vec<String>,
    sources: Vec<String>,
}

#[derive(Template)]
#[template(path = "console/trunk.html")]
struct TrunkPage {
    frame: Frame,
    who: Who,
    name: String,
    dial: String,
    /// Who probes it, if not this operator.
    other: Option<String>,
    /// Which call is waited for, and for how long still.
    awaited: Option<(&'static str, String)>,
    steps: Vec<Choice>,
    asked: Asked,
    hint: Option<Hint>,
    arrived: Vec<Arrived>,
    toml: String,
    notes: Vec<&'static str>,
}

/// A way to call, in the form.
struct Choice {
    name: &'static str,
    words: &'static str,
    is_chosen: bool,
    is_done: bool,
}

/// What is wrong with a field.
struct Hint {
    field: &'static str,
    text: String,
}

/// What arrived with a call.
struct Arrived {
    title: &'static str,
    source: String,
    request_uri: String,
    secret: Option<bool>,
    verdict: String,
    headers: Vec<(String, String)>,
    left_out: usize,
}

/// A call that is to be waited for.
#[derive(Deserialize, Default)]
pub struct Asked {
    #[serde(default)]
    step: String,
    #[serde(default)]
    number: String,
    #[serde(default)]
    forwarder: String,
}

pub(super) async fn list(State(app): State<App>, Person(operator): Person, frame: Frame) -> Result<Response, WebError> {
    let trunks = app.probes.trunks().iter().map(|trunk| Trunk {
        name: trunk.name.clone(),
        numbers: trunk.numbers.iter().map(Number::international).collect(),
        sources: trunk.sources.iter().map(ToString::to_string).collect(),
    });
    let who = Who { name: operator.name, here: "trunks" };
    page::html(&TrunksPage { frame, who, trunks: trunks.collect() })
}

pub(super) async fn page(
    State(app): State<App>,
    Person(operator): Person,
    frame: Frame,
    Path(name): Path<String>,
) -> Result<Response, WebError> {
    show(&app, frame, operator, &name, Asked::default(), None)
}

pub(super) async fn probe(
    State(app): State<App>,
    Person(operator): Person,
    frame: Frame,
    Path(name): Path<String>,
    Checked(asked): Checked<Asked>,
) -> Result<Response, WebError> {
    let (trunk, _) = app.probes.named(&name).ok_or(WebError::NotFound)?;
    let expected = match asked.read(&app) {
        Ok(expected) => expected,
        Err(hint) => {
            let page = show(&app, frame, operator, &name, asked, Some(hint))?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    app.operators.note(&operator, "probe", &format!("trunk {name}: {}", expected.step.name())).await?;
    match app.probes.expect(trunk, &operator.name, expected, app.clock.now()) {
        Ok(()) => Ok(Redirect::to(&path(&name)).into_response()),
        Err(error) => {
            let status = match error {
                ProbeError::Busy { .. } => StatusCode::CONFLICT,
                ProbeError::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            };
            let hint = Hint { field: "step", text: sentence(&error.to_string()) };
            Ok((status, show(&app, frame, operator, &name, asked, Some(hint))?).into_response())
        }
    }
}

pub(super) async fn forget(
    State(app): State<App>,
    Person(_): Person,
    Path(name): Path<String>,
    Checked(Nothing {}): Checked<Nothing>,
) -> Result<Response, WebError> {
    let (trunk, _) = app.probes.named(&name).ok_or(WebError::NotFound)?;
    app.probes.forget(trunk, app.clock.now());
    Ok(Redirect::to(&path(&name)).into_response())
}

/// The page of a trunk, whose name may be anything that stands in one line.
fn path(name: &str) -> String {
    let escaped = name.bytes().map(|byte| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    format!("{PATH}/{}", escaped.collect::<String>())
}

impl Asked {
    fn read(&self, app: &App) -> Result<Expected, Hint> {
        let number = |field: &'static str, text: &str| {
            Number::read(text, app.settings.default_country)
                .map_err(|error| Hint { field, text: sentence(&error.to_string()) })
        };
        let step = Step::from_name(&self.step)
            .ok_or_else(|| Hint { field: "step", text: "Choose how you are going to call.".to_owned() })?;
        let forwarder = match step {
            Step::Forwarded => Some(number("forwarder", &self.forwarder)?),
            Step::Normal | Step::Withheld | Step::Abroad => None,
        };
        Ok(Expected { step, number: number("number", &self.number)?, forwarder })
    }
}

/// Title of a step, and how to make its call.
fn told(step: Step) -> (&'static str, &'static str) {
    match step {
        Step::Normal => ("Just so", "Dial the trunk’s number from your own mobile."),
        Step::Withheld => {
            ("Number withheld", "Dial #31# or *67 and then the trunk’s number, so that yours is withheld.")
        }
        Step::Forwarded => {
            ("Forwarded", "Let another telephone forward to the trunk’s number, and dial that telephone.")
        }
        Step::Abroad => {
            ("From abroad", "Have somebody abroad dial the trunk’s number, written with + and country code.")
        }
    }
}

fn show(
    app: &App,
    frame: Frame,
    operator: Operator,
    name: &str,
    asked: Asked,
    hint: Option<Hint>,
) -> Result<Response, WebError> {
    let (index, trunk) = app.probes.named(name).ok_or(WebError::NotFound)?;
    let view = app.probes.view(index, app.clock.now());
    let next = Step::ALL.into_iter().find(|step| view.calls.iter().all(|call| call.expected.step != *step));
    let steps = Step::ALL.map(|step| Choice {
        name: step.name(),
        words: told(step).1,
        is_chosen: Step::from_name(&asked.step).or(next) == Some(step),
        is_done: view.calls.iter().any(|call| call.expected.step == step),
    });
    let proposal = propose(&view.calls);
    page::html(&TrunkPage {
        frame,
        name: name.to_owned(),
        dial: trunk.numbers.first().map(Number::international).unwrap_or_default(),
        other: view.operator.filter(|other| *other != operator.name),
        awaited: view.awaited.map(|(step, left)| (told(step).0, words::length(left))),
        steps: steps.into(),
        asked,
        hint,
        arrived: view.calls.iter().map(Arrived::of).collect(),
        toml: if view.calls.is_empty() { String::new() } else { proposal.toml(trunk) },
        notes: if view.calls.is_empty() { Vec::new() } else { proposal.notes },
        who: Who { name: operator.name, here: "trunks" },
    })
}

impl TrunkPage {
    /// What marks a field that is wrong.
    fn mark(&self, field: &str) -> &'static str {
        let is_wrong = self.hint.as_ref().is_some_and(|hint| hint.field == field);
        if is_wrong { " aria-invalid=\"true\" aria-describedby=\"hint\"" } else { "" }
    }
}

impl Arrived {
    fn of(Call { expected, capture }: &Call) -> Self {
        let verdict = match capture.verdict {
            Ok(level) => format!("Taken, at {level}."),
            Err(reason) => refusal(reason),
        };
        Self {
            title: told(expected.step).0,
            source: capture.source.to_string(),
            request_uri: masked::spelling(capture.request_uri.expose()),
            secret: capture.bore_secret,
            verdict,
            headers: capture
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), masked::spelling(value.expose())))
                .collect(),
            left_out: capture.left_out,
        }
    }
}

fn refusal(reason: Reason) -> String {
    format!("Refused with {}, {}: {}", reason.status(), reason.code(), words::reason(reason.code()))
}
