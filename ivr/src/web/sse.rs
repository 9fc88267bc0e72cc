//! The live steps of a verification, for its page and its program alike: server-sent events.
//!
//! `happening` events carry what happened, with an id, so that a browser that reconnects with `Last-Event-ID` gets what
//! it missed. `status` events carry where it stands now, at the start and whenever that changes.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use ivr_core::call::question::VerificationId;
use serde::Serialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::App;
use super::error::WebError;
use super::limits::Source;
use super::session::Session;
use crate::verify::{Happening, State, View};

/// Something is sent at least this often, so that proxies keep the connection and a dead one is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The rows are read at least this often: another node may have written them without ringing our bell.
const LOOK_AGAIN: Duration = Duration::from_secs(3);
/// A browser whose stream ended comes back after this.
const COME_BACK: Duration = Duration::from_secs(2);

/// The last event that the other side has seen (0: none).
#[derive(Debug, Clone, Copy)]
pub struct LastEvent(pub i64);

/// Where a verification stands, as scripts and programs read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Status {
    /// `waiting`, `calling`, `read-back`, `issuing`, `held`, `issued`, `voided`, `expired`, `failed`.
    pub state: &'static str,
    /// The step of the page's list that is going on, from 0.
    pub step: usize,
    /// Read-backs that may still be typed wrong.
    pub read_backs_left: u8,
    /// Whether the certificate lies in the directory.
    pub published: bool,
    /// Of a demonstration: whether a call that it makes itself is on the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulated: Option<bool>,
}

/// What happened, as scripts and programs read it. Of a refused call, which may have been anybody's, a page learns one
/// sentence.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Told {
    /// Grows; the id of the event.
    pub number: i64,
    /// When, by RFC 3339; absent where a call was refused.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub at: Option<time::OffsetDateTime>,
    /// `step`, `refused` or `state`.
    pub kind: &'static str,
    /// The name of the step, the state's name, or `refused`.
    pub what: String,
    /// The sentence for the person, in the verification's language.
    pub sentence: String,
}

impl Status {
    /// Of a verification as it is.
    pub(super) fn of(view: &View, app: &App) -> Self {
        Self {
            state: view.state.name(),
            step: step(view),
            read_backs_left: view.read_backs_left,
            published: is_published(view),
            simulated: app.settings.demo.as_ref().map(|_| app.simulated().has(view.id)),
        }
    }
}

impl From<&Happening> for Told {
    fn from(happening: &Happening) -> Self {
        let Happening { number, at, kind, what, sentence } = happening.clone();
        match kind {
            "refused" => Self { number, at: None, kind, what: kind.to_owned(), sentence },
            _ => Self { number, at: Some(at), kind, what, sentence },
        }
    }
}

/// The place in the page's list: call, code, confirm, digits, certificate.
pub fn step(view: &View) -> usize {
    let last = view.happenings.iter().rev().find(|happening| happening.kind == "step");
    match view.state {
        State::Waiting => 0,
        State::Calling => match last.map(|happening| happening.what.as_str()) {
            Some("code-matched" | "confirming" | "confirmed") => 2,
            Some("reading-back") => 3,
            _ => 1,
        },
        State::ReadBack => 3,
        State::Issuing | State::Held | State::Issued | State::Voided | State::Expired | State::Failed => 4,
    }
}

fn is_published(view: &View) -> bool {
    let record = view.certificate.as_ref().and_then(|certificate| certificate.record.as_ref());
    record.is_some_and(|record| record.published)
}

/// Nothing more will happen.
pub(super) fn is_over(view: &View) -> bool {
    match view.state {
        State::Waiting | State::Calling | State::ReadBack | State::Issuing | State::Held => false,
        State::Issued => {
            let record = view.certificate.as_ref().and_then(|certificate| certificate.record.as_ref());
            record.is_none_or(|record| record.published)
        }
        State::Voided | State::Expired | State::Failed => true,
    }
}

/// The stream. It ends when nothing more can happen, and while a key waits: that takes a day, and whoever wants to know looks
/// once a minute.
///
/// # Errors
/// [`WebError::NotFound`] for a foreign secret, [`WebError::Busy`] when there are too many streams.
pub async fn stream(
    app: App,
    session: Session,
    Source(source): Source,
    LastEvent(seen): LastEvent,
) -> Result<Response, WebError> {
    let place = app.streams().enter(source).ok_or(WebError::Busy)?;
    // The bell first: what happens between the two is not missed.
    let mut bell = app.verify.bell();
    let mut view = session.view(&app).await?;
    let events = async_stream::stream! {
        let _place = place;
        let mut seen = seen;
        let mut told = None;
        yield Ok::<_, Infallible>(Event::default().retry(COME_BACK));
        loop {
            for happening in view.happenings.iter().filter(|happening| happening.number > seen) {
                yield Ok(event("happening", &Told::from(happening)).id(happening.number.to_string()));
            }
            seen = view.happenings.last().map_or(seen, |happening| happening.number.max(seen));
            let status = Status::of(&view, &app);
            if told.as_ref() != Some(&status) {
                yield Ok(event("status", &status));
                told = Some(status);
            }
            if is_over(&view) || view.state == State::Held {
                break;
            }
            let _slept = tokio::time::timeout(LOOK_AGAIN, rung(&mut bell, session.id)).await;
            view = match session.view(&app).await {
                Ok(view) => view,
                // The page asks again, and is told what is wrong then.
                Err(_) => break,
            };
        }
    };
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A proxy that collects answers would keep the steps until the call is over.
    response.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// Until the bell rings for this verification.
async fn rung(bell: &mut Receiver<VerificationId>, id: VerificationId) {
    loop {
        match bell.recv().await {
            Ok(other) if other != id => {}
            Ok(_) | Err(RecvError::Lagged(_)) => return,
            // The service is ending.
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}

fn event(name: &str, data: &impl Serialize) -> Event {
    Event::default().event(name).json_data(data).expect("texts and numbers are JSON")
}

impl FromRequestParts<App> for LastEvent {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        let header = parts.headers.get("last-event-id").and_then(|header| header.to_str().ok()?.parse().ok());
        Ok(Self(header.unwrap_or(0)))
    }
}
