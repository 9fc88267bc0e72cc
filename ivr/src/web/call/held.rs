//! The page of a key that waits, because another key was certified for its number lately.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ca::old_key::Signature;

use crate::issue::OldKeyError;
use crate::verify::{Spoken, State as Standing, View};
use crate::web::App;
use crate::web::certificate::day;
use crate::web::error::{WebError, sentence};
use crate::web::form::Fields;
use crate::web::page::{self, Frame};
use crate::web::session::{self, ByCookie};

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
    hint: Option<String>,
}

/// Until when it waits, who may stop it, and what the old key may sign.
pub(super) fn page(frame: Frame, view: &View, hint: Option<String>) -> Result<Response, WebError> {
    let key = view.held_key.unwrap_or_default();
    page::html(&HeldPage {
        frame,
        path: session::path(view.id),
        number: view.number.international(),
        dial: view.dial.international(),
        until: view.held_until.map(day).unwrap_or_default(),
        id: view.id.to_string(),
        key: page::hex(&key),
        hint,
    })
}

/// What the old key signed for the new one, by the page's script.
pub(super) async fn old_key(
    State(app): State<App>,
    ByCookie(session): ByCookie,
    frame: Frame,
    fields: Fields,
) -> Result<Response, WebError> {
    let signature = Signature::parse(fields.text("signature")).map_err(|error| error.to_string());
    let hint = match signature {
        Err(hint) => Some(hint),
        Ok(signature) => {
            let spoken =
                app.verify.old_key_signed(session.id, session.secret.expose(), &signature, app.clock.wall()).await?;
            (spoken == Spoken::NotSigned).then(|| OldKeyError::NotSigned.to_string())
        }
    };
    let view = session.view(&app).await?;
    match hint.filter(|_| view.state == Standing::Held) {
        Some(hint) => {
            let page = page(frame, &view, Some(sentence(&hint)))?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        None => Ok(Redirect::to(&session::path(session.id)).into_response()),
    }
}
