//! The page of a key that waits, because another key was certified for its number lately.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ca::old_key::Signature;

use crate::hex;
use crate::verify::{Spoken, State as Standing, View};
use crate::web::App;
use crate::web::error::WebError;
use crate::web::form::Fields;
use crate::web::page::{self, Frame};
use crate::web::session::{self, ByCookie};
use crate::words::Text;

#[derive(Template)]
#[template(path = "held.html")]
struct HeldPage {
    frame: Frame,
    path: String,
    number: String,
    dial: String,
    until: String,
    id: String,
    /// SHA-256 of the new key's SPKI, hexadecimal.
    key: String,
    /// What was sent is not what was asked for.
    hint: Option<Text>,
}

/// Until when it waits, who may stop it, and what the old key may sign.
pub(super) fn page(frame: Frame, view: &View, hint: Option<Text>) -> Result<Response, WebError> {
    let key = view.held_key.unwrap_or_default();
    page::html(&HeldPage {
        path: session::path(view.id),
        number: view.number.international(),
        dial: view.dial.international(),
        until: view.held_until.map(|until| frame.words.day(until)).unwrap_or_default(),
        id: view.id.to_string(),
        key: hex::of(&key),
        hint,
        frame,
    })
}

/// What the old key signed for the new one, by the page's script.
pub(super) async fn old_key(
    State(app): State<App>,
    ByCookie(session): ByCookie,
    frame: Frame,
    fields: Fields,
) -> Result<Response, WebError> {
    let is_signed = match Signature::parse(fields.text("signature")) {
        Err(_) => false,
        Ok(signature) => {
            let spoken =
                app.verify.old_key_signed(session.id, session.secret.expose(), &signature, app.clock.wall()).await?;
            spoken != Spoken::NotSigned
        }
    };
    let view = session.view(&app).await?;
    if is_signed || view.state != Standing::Held {
        return Ok(Redirect::to(&session::path(session.id)).into_response());
    }
    let frame = frame.speaking(&view.locale);
    let hint = frame.words.not_signed;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(frame, &view, Some(hint))?).into_response())
}
