//! The page of one order: the field for the code, then the certificate. Its address stays the same.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use ca::email::{Code, fingerprint};
use ivr_core::caller::Caps;

use super::session::{self, ByCookie};
use crate::enrol_email::{Confirmation, State as Standing, View};
use crate::web::App;
use crate::web::certificate;
use crate::web::error::{WebError, sentence};
use crate::web::form::Fields;
use crate::web::page::{self, Frame};
use crate::words::{Filled, Text};

/// `/email/orders/{id}` and what belongs to it.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/email/orders/{id}", get(show))
        .route("/email/orders/{id}/code", post(code))
        .route("/email/orders/{id}/certificate.pem", get(pem))
}

#[derive(Template)]
#[template(path = "email/order.html")]
struct OrderPage {
    frame: Frame,
    path: String,
    address: String,
    key: String,
    until: String,
    is_issuing: bool,
    shows_mails: bool,
    code_hint: Option<Filled>,
}

#[derive(Template)]
#[template(path = "email/ended.html")]
struct EndedPage {
    frame: Frame,
    title: Text,
    reason: Text,
    /// In its place, in English.
    failure: Option<String>,
    address: String,
}

async fn show(State(app): State<App>, ByCookie(session): ByCookie, frame: Frame) -> Result<Response, WebError> {
    let view = session::view(&session, &app).await?;
    render(&app, frame.speaking(&view.locale), &view, None)
}

/// In the language in which it began, whose mails are in it, too.
fn render(app: &App, frame: Frame, view: &View, code_hint: Option<Filled>) -> Result<Response, WebError> {
    match view.state {
        Standing::Waiting | Standing::Issuing => page::html(&OrderPage {
            path: session::path(view.id),
            address: view.address.verbatim().to_owned(),
            key: fingerprint(&view.key_sha256),
            until: frame.words.day(view.expires_at),
            is_issuing: view.state == Standing::Issuing,
            shows_mails: app.settings.demo.as_ref().is_some_and(|demo| demo.mails.is_some()),
            code_hint,
            frame,
        }),
        Standing::Issued => {
            let certificate = view.certificate.as_ref().ok_or(WebError::NotFound)?;
            let shown = certificate::Shown {
                path: session::path(view.id),
                name: view.address.verbatim(),
                noun: "address",
                last_event: None,
                dial: None,
                certificate,
                is_code_only: false,
                caps: Caps::default(),
                locale: &view.locale,
            };
            certificate::show(app, frame, shown)
        }
        Standing::Voided | Standing::Expired | Standing::Failed => ended(frame, view),
    }
}

fn ended(frame: Frame, view: &View) -> Result<Response, WebError> {
    let words = frame.words;
    let (title, reason) = match view.state {
        Standing::Voided => (words.mail_voided, words.mail_voided_why),
        Standing::Expired => (words.expired, words.mail_expired_why),
        _ => (words.failed, words.failed_why),
    };
    let failure = view.failure.as_deref().map(sentence);
    page::html(&EndedPage { frame, title, reason, failure, address: view.address.verbatim().to_owned() })
}

async fn code(
    State(app): State<App>,
    ByCookie(session): ByCookie,
    frame: Frame,
    fields: Fields,
) -> Result<Response, WebError> {
    let view = session::view(&session, &app).await?;
    let frame = frame.speaking(&view.locale);
    let hint = match Code::parse(fields.text("code")) {
        None => Some(frame.words.mail_code_missing.into()),
        Some(code) => {
            let secret = session.secret.expose();
            match super::offered(&app)?.confirm_by_code(session.id, secret, &code, app.clock.wall()).await? {
                Confirmation::Wrong { left: 1 } => Some(frame.words.mail_code_wrong_once.into()),
                Confirmation::Wrong { left } => Some(frame.words.mail_code_wrong.with("count", left)),
                Confirmation::Done(_) | Confirmation::Voided | Confirmation::NotExpected(_) => None,
            }
        }
    };
    match hint {
        None => Ok(Redirect::to(&session::path(session.id)).into_response()),
        Some(hint) => render(&app, frame, &view, Some(hint)),
    }
}

async fn pem(State(app): State<App>, ByCookie(session): ByCookie) -> Result<Response, WebError> {
    certificate::pem_of(session::view(&session, &app).await?.certificate)
}
