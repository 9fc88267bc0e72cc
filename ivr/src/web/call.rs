//! The page of one verification, from the code to the end: the number to dial, live steps, the field for the read-back.
//! Its address stays the same; what it shows follows the state.

mod ended;
mod held;
mod simulate;
mod steps;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use ivr_core::code::Code;
use qrcode::{Color, EcLevel, QrCode};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use self::steps::PageStep;
use super::App;
use super::certificate;
use super::error::WebError;
use super::form::Fields;
use super::limits::Source;
use super::page::{self, Frame};
use super::session::{self, ByCookie};
use super::sse::{self, LastEvent};
use crate::verify::{State as Standing, Typed, View};
use crate::words::{Filled, Words};

/// Without a call for so long, the page tells how to show a withheld number.
const REMEDY_AFTER: time::Duration = time::Duration::seconds(60);

/// `/verifications/{id}` and what belongs to it.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/verifications/{id}", get(show))
        .route("/verifications/{id}/events", get(events))
        .route("/verifications/{id}/read-back", post(read_back))
        .route("/verifications/{id}/cancel", post(cancel))
        .route("/verifications/{id}/simulate", post(simulate::simulate))
        .route("/verifications/{id}/old-key", post(held::old_key))
        .route("/verifications/{id}/withdraw", post(certificate::withdraw))
        .route("/verifications/{id}/certificate.pem", get(certificate::pem))
}

#[derive(Template)]
#[template(path = "call.html")]
struct CallPage {
    frame: Frame,
    path: String,
    number: String,
    dial: String,
    dial_uri: String,
    code: Option<String>,
    qr: Option<Qr>,
    steps: Vec<PageStep>,
    told: Vec<String>,
    state: &'static str,
    last_event: i64,
    expires: String,
    expires_iso: String,
    seconds_left: i64,
    demo_sip: Option<String>,
    dial_user: String,
    number_user: String,
    /// A call of the demonstration's own is on the line, whose caller types the digits.
    is_simulated: bool,
    /// It was asked for another all the same.
    simulates_in_vain: bool,
    shows_remedy: bool,
    /// A call keyed in this page's code. A refused call is none: anybody may have made it.
    was_called: bool,
    remedy_in_seconds: i64,
    types_digits: bool,
    digits_hint: Option<Filled>,
}

/// What is wrong with digits that were typed.
#[derive(Debug, Clone, Copy)]
enum Slip {
    /// They are not six.
    NotSix,
    /// They are not those; so many tries are left.
    Wrong { left: u8 },
}

impl Slip {
    fn hint(self, words: &Words) -> Filled {
        match self {
            Self::NotSix => words.digits_missing.into(),
            Self::Wrong { left: 1 } => words.digits_wrong_once.into(),
            Self::Wrong { left } => words.digits_wrong.with("count", left),
        }
    }
}

/// The telephone link as a picture: a side of so many modules, and the dark ones as an SVG path.
struct Qr {
    side: usize,
    path: String,
}

impl CallPage {
    fn new(app: &App, frame: Frame, view: &View, now: OffsetDateTime) -> Self {
        let waited = now - view.created_at;
        let was_called = view.happenings.iter().any(|happening| happening.kind != "refused");
        let dial_uri = format!("tel:{}", view.dial.as_str());
        Self {
            steps: steps::of(view, app.settings.binding, frame.words),
            frame,
            path: session::path(view.id),
            number: view.number.international(),
            dial: view.dial.international(),
            qr: Qr::of(&dial_uri),
            dial_uri,
            code: view.code.as_ref().map(|code| grouped(code.expose())),
            told: view.happenings.iter().map(|happening| happening.sentence.clone()).collect(),
            state: view.state.name(),
            last_event: view.happenings.last().map_or(0, |happening| happening.number),
            expires: clock_time(view.expires_at),
            expires_iso: view.expires_at.format(&Rfc3339).unwrap_or_default(),
            seconds_left: (view.expires_at - now).whole_seconds().max(0),
            demo_sip: app.settings.demo.as_ref().map(|demo| demo.sip.to_string()),
            dial_user: view.dial.as_str().to_owned(),
            number_user: view.number.as_str().to_owned(),
            is_simulated: app.simulated().has(view.id),
            simulates_in_vain: false,
            shows_remedy: view.state == Standing::Waiting && !was_called && waited >= REMEDY_AFTER,
            was_called,
            remedy_in_seconds: (REMEDY_AFTER - waited).whole_seconds().max(0),
            types_digits: view.state == Standing::ReadBack,
            digits_hint: None,
        }
    }
}

async fn show(State(app): State<App>, ByCookie(session): ByCookie, frame: Frame) -> Result<Response, WebError> {
    let view = session.view(&app).await?;
    render(&app, frame, &view, None)
}

/// The page in the language of its verification.
fn render(app: &App, frame: Frame, view: &View, slip: Option<Slip>) -> Result<Response, WebError> {
    let frame = frame.speaking(&view.locale);
    match view.state {
        Standing::Waiting | Standing::Calling | Standing::ReadBack | Standing::Issuing => {
            let digits_hint = slip.map(|slip| slip.hint(frame.words));
            page::html(&CallPage { digits_hint, ..CallPage::new(app, frame, view, app.clock.wall()) })
        }
        Standing::Held => held::page(frame, view, None),
        Standing::Issued => certificate::page(app, frame, view),
        Standing::Voided | Standing::Expired | Standing::Failed => ended::page(frame, view),
    }
}

async fn events(
    State(app): State<App>,
    ByCookie(session): ByCookie,
    source: Source,
    last: LastEvent,
) -> Result<Response, WebError> {
    sse::stream(app, session, source, last).await
}

async fn read_back(
    State(app): State<App>,
    ByCookie(session): ByCookie,
    frame: Frame,
    fields: Fields,
) -> Result<Response, WebError> {
    let slip = match digits(fields.text("digits")) {
        None => Some(Slip::NotSix),
        Some(digits) => {
            let typed = app.verify.type_in(session.id, session.secret.expose(), &digits, app.clock.wall()).await?;
            app.traffic().typed(typed);
            match typed {
                Typed::Right | Typed::Voided | Typed::NotExpected(_) => None,
                Typed::Wrong { left } => Some(Slip::Wrong { left }),
            }
        }
    };
    match slip {
        None => Ok(Redirect::to(&session::path(session.id)).into_response()),
        Some(slip) => {
            let page = render(&app, frame, &session.view(&app).await?, Some(slip))?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

async fn cancel(State(app): State<App>, ByCookie(session): ByCookie, _: Fields) -> Result<Redirect, WebError> {
    app.verify.cancel(session.id, session.secret.expose(), app.clock.wall()).await?;
    Ok(Redirect::to("/"))
}

/// Six digits, however they are grouped.
pub(super) fn digits(typed: &str) -> Option<Code> {
    // Nothing longer is a code, whatever stands in it.
    let digits: String = typed.chars().take(32).filter(|c| !c.is_whitespace() && *c != '-').collect();
    Code::parse(&digits)
}

/// `123 456`
fn grouped(code: &Code) -> String {
    let (left, right) = code.as_str().split_at(3);
    format!("{left} {right}")
}

fn clock_time(at: OffsetDateTime) -> String {
    at.format(format_description!("[hour]:[minute] UTC")).unwrap_or_default()
}

impl Qr {
    /// `None` if it does not fit, and no telephone number is so long.
    fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let side = code.width();
        let dark = code.to_colors().into_iter().enumerate().filter(|(_, color)| *color == Color::Dark);
        let path = dark.map(|(at, _)| format!("M{},{}h1v1h-1z", at % side, at / side)).collect();
        Some(Self { side, path })
    }
}
