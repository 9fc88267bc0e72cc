//! The page of one order: the field for the code, then the certificate. Its address stays the same.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use ca::email::{Code, fingerprint};
use ivr_core::caller::Caps;
use time::OffsetDateTime;
use time::macros::format_description;

use super::session::{self, ByCookie};
use crate::enrol_email::{Confirmation, State as Standing, View};
use crate::web::App;
use crate::web::certificate;
use crate::web::error::{WebError, sentence};
use crate::web::form::Fields;
use crate::web::page::{self, Frame};

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
    code_hint: Option<String>,
}

#[derive(Template)]
#[template(path = "email/ended.html")]
struct EndedPage {
    frame: Frame,
    title: &'static str,
    reason: String,
    address: String,
}

async fn show(State(app): State<App>, ByCookie(session): ByCookie, frame: Frame) -> Result<Response, WebError> {
    render(&app, frame, &session::view(&session, &app).await?, None)
}

fn render(app: &App, frame: Frame, view: &View, code_hint: Option<String>) -> Result<Response, WebError> {
    match view.state {
        Standing::Waiting | Standing::Issuing => page::html(&OrderPage {
            frame,
            path: session::path(view.id),
            address: view.address.verbatim().to_owned(),
            key: fingerprint(&view.key_sha256),
            until: minute(view.expires_at),
            is_issuing: view.state == Standing::Issuing,
            shows_mails: app.settings.demo.as_ref().is_some_and(|demo| demo.mails.is_some()),
            code_hint,
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
            certificate::show(app, frame.speaking(&view.locale), shown)
        }
        Standing::Voided | Standing::Expired | Standing::Failed => ended(frame, view),
    }
}

fn ended(frame: Frame, view: &View) -> Result<Response, WebError> {
    let (title, reason) = match view.state {
        Standing::Voided => (
            "Too many wrong codes",
            "The code was wrong five times, so this order is void. If the mail is yours, start again.".to_owned(),
        ),
        Standing::Expired => {
            ("Time is over", "Nobody used the link or the code within a day. Neither works any more.".to_owned())
        }
        _ => (
            "It did not work",
            view.failure.as_deref().map_or_else(|| "The certificate could not be made.".to_owned(), sentence),
        ),
    };
    page::html(&EndedPage { frame, title, reason, address: view.address.verbatim().to_owned() })
}

async fn code(
    State(app): State<App>,
    ByCookie(session): ByCookie,
    frame: Frame,
    fields: Fields,
) -> Result<Response, WebError> {
    let hint = match Code::parse(fields.text("code")) {
        None => Some(sentence(super::NO_CODE)),
        Some(code) => {
            let secret = session.secret.expose();
            match super::offered(&app)?.confirm_by_code(session.id, secret, &code, app.clock.wall()).await? {
                Confirmation::Wrong { left } => Some(sentence(&super::wrong_code(left))),
                Confirmation::Done(_) | Confirmation::Voided | Confirmation::NotExpected(_) => None,
            }
        }
    };
    match hint {
        None => Ok(Redirect::to(&session::path(session.id)).into_response()),
        Some(hint) => render(&app, frame, &session::view(&session, &app).await?, Some(hint)),
    }
}

async fn pem(State(app): State<App>, ByCookie(session): ByCookie) -> Result<Response, WebError> {
    certificate::pem_of(session::view(&session, &app).await?.certificate)
}

/// `1 March 2026, 12:00 UTC`
pub(super) fn minute(at: OffsetDateTime) -> String {
    at.format(format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC"))
        .unwrap_or_default()
}
