//! What the link of a notice opens: the certificate, and the button that revokes it.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use ca::email::fingerprint;

use super::order::minute;
use crate::enrol_email::RevokeReason;
use crate::issue::IssueError;
use crate::web::App;
use crate::web::error::WebError;
use crate::web::form::Fields;
use crate::web::page::{self, Frame};

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
    reason_hint: Option<&'static str>,
}

async fn show(State(app): State<App>, Path(token): Path<String>, frame: Frame) -> Result<Response, WebError> {
    render(&app, &token, frame, None).await
}

async fn render(app: &App, token: &str, frame: Frame, reason_hint: Option<&'static str>) -> Result<Response, WebError> {
    let opened = super::offered(app)?.open_revoke_link(token).await?;
    let certificate = opened.certificate;
    let identity = certificate.identity.expose();
    page::html(&RevokePage {
        frame,
        path: path(token),
        address: identity.strip_prefix("mailto:").unwrap_or(identity).to_owned(),
        device: opened.device,
        serial: certificate.serial.clone(),
        key: fingerprint(&certificate.spki_sha256),
        valid_until: minute(certificate.not_after),
        revoked: certificate.revoked.map(|(at, _)| minute(at)),
        reason_hint,
    })
}

async fn revoke(
    State(app): State<App>,
    Path(token): Path<String>,
    frame: Frame,
    fields: Fields,
) -> Result<Response, WebError> {
    let Some(reason) = RevokeReason::from_name(fields.text("reason")) else {
        return render(&app, &token, frame, Some("Choose a reason.")).await;
    };
    match super::offered(&app)?.revoke(&token, reason, app.clock.wall()).await {
        Ok(()) | Err(IssueError::AlreadyRevoked) => Ok(Redirect::to(&path(&token)).into_response()),
        Err(error) => Err(error.into()),
    }
}

fn path(token: &str) -> String {
    format!("/email/revoke/{token}")
}
