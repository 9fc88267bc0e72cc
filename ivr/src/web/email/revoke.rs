//! What the link of a notice opens: the certificate, and the button that revokes it.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use ca::email::fingerprint;

use crate::enrol_email::RevokeReason;
use crate::issue::IssueError;
use crate::web::App;
use crate::web::error::WebError;
use crate::web::form::Fields;
use crate::web::page::{self, Frame, Translated};

/// `/email/revoke/{token}`
pub(super) fn routes() -> Router<App> {
    Router::new().route("/email/revoke/{token}", get(show).post(revoke))
}

#[derive(Template)]
#[template(path = "email/revoke.html")]
struct RevokePage {
    frame: Frame,
    path: String,
    address: String,
    device: String,
    serial: String,
    key: String,
    valid_until: String,
    revoked: Option<String>,
    reason_is_missing: bool,
}

async fn show(
    State(app): State<App>,
    Path(token): Path<String>,
    Translated(frame): Translated,
) -> Result<Response, WebError> {
    render(&app, &token, frame, false).await
}

async fn render(app: &App, token: &str, frame: Frame, reason_is_missing: bool) -> Result<Response, WebError> {
    let opened = super::offered(app)?.open_revoke_link(token).await?;
    let certificate = opened.certificate;
    let identity = certificate.identity.expose();
    page::html(&RevokePage {
        path: path(token),
        address: identity.strip_prefix("mailto:").unwrap_or(identity).to_owned(),
        device: opened.device,
        serial: certificate.serial.clone(),
        key: fingerprint(&certificate.spki_sha256),
        valid_until: frame.words.day(certificate.not_after),
        revoked: certificate.revoked.map(|(at, _)| frame.words.day(at)),
        reason_is_missing,
        frame,
    })
}

async fn revoke(
    State(app): State<App>,
    Path(token): Path<String>,
    Translated(frame): Translated,
    fields: Fields,
) -> Result<Response, WebError> {
    let Some(reason) = RevokeReason::from_name(fields.text("reason")) else {
        return render(&app, &token, frame, true).await;
    };
    match super::offered(&app)?.revoke(&token, reason, app.clock.wall()).await {
        Ok(()) | Err(IssueError::AlreadyRevoked) => Ok(Redirect::to(&path(&token)).into_response()),
        Err(error) => Err(error.into()),
    }
}

fn path(token: &str) -> String {
    format!("/email/revoke/{token}")
}
