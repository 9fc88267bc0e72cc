//! What the link of a confirmation opens. In the browser that began the order there is a button; anywhere else only the
//! code, to be typed where the order began, because a click there would give a stranger's key this mailbox.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use ca::email::fingerprint;

use super::session;
use crate::enrol_email::{Asked, Here, State as Standing};
use crate::web::App;
use crate::web::error::WebError;
use crate::web::form::Fields;
use crate::web::page::{self, Frame, Translated};

/// `/email/confirm/{token}`
pub(super) fn routes() -> Router<App> {
    Router::new().route("/email/confirm/{token}", get(show).post(confirm))
}

#[derive(Template)]
#[template(path = "email/confirm.html")]
struct ConfirmPage {
    frame: Frame,
    path: String,
    address: String,
    device: String,
    key: String,
    asked_at: String,
    state: Standing,
    code: Option<String>,
}

async fn show(
    State(app): State<App>,
    Path(token): Path<String>,
    headers: HeaderMap,
    Translated(frame): Translated,
) -> Result<Response, WebError> {
    let asked = open(&app, &token, &headers).await?;
    page::html(&ConfirmPage {
        path: path(&token),
        address: asked.address.verbatim().to_owned(),
        device: asked.device,
        key: fingerprint(&asked.key_sha256),
        asked_at: frame.words.day(asked.created_at),
        state: asked.state,
        code: match asked.here {
            Here::Confirm => None,
            Here::ShowCode(code) => Some(code.grouped()),
        },
        frame,
    })
}

async fn confirm(
    State(app): State<App>,
    Path(token): Path<String>,
    headers: HeaderMap,
    _: Fields,
) -> Result<Response, WebError> {
    let asked = open(&app, &token, &headers).await?;
    let Some(secret) = session::secret(&headers, asked.id) else {
        // No page of ours has this button here.
        return Ok(Redirect::to(&path(&token)).into_response());
    };
    super::offered(&app)?.confirm_by_link(&token, &secret, app.clock.wall()).await?;
    Ok(Redirect::to(&session::path(asked.id)).into_response())
}

async fn open(app: &App, token: &str, headers: &HeaderMap) -> Result<Asked, WebError> {
    let enrol = super::offered(app)?;
    Ok(enrol.open_link(token, |id| session::secret(headers, id), app.clock.wall()).await?)
}

fn path(token: &str) -> String {
    format!("/email/confirm/{token}")
}
