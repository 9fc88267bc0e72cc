//! One certificate: its dates, its record in the directory, and the form that revokes it. Whom it names is shown to who
//! says why.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ca::{Reason, Serial};
use serde::Deserialize;

use super::call::{Why, Worth};
use super::session::Person;
use super::words::Moment;
use super::{Who, certificates, masked};
use crate::hex;
use crate::issue::Certified;
use crate::web::App;
use crate::web::csrf::Checked;
use crate::web::error::WebError;
use crate::web::page::{self, Frame};

/// Why operators revoke, by name and in words. On hold it is put by a call from its number alone.
const REASONS: [(Reason, &str); 5] = [
    (Reason::CessationOfOperation, "Its owner gives it up"),
    (Reason::KeyCompromise, "Somebody else may have its key: the key is never certified again"),
    (Reason::PrivilegeWithdrawn, "The number or address was not its owner's"),
    (Reason::Superseded, "Another certificate stands for it"),
    (Reason::Unspecified, "Another reason"),
];

/// The reason of this name, if operators may give it.
pub fn reason(name: &str) -> Option<Reason> {
    REASONS.iter().map(|(reason, _)| *reason).find(|reason| reason.name() == name)
}

#[derive(Template)]
#[template(path = "console/certificate.html")]
struct CertificatePage {
    frame: Frame,
    who: Who,
    certificate: Certified,
    worth: Worth,
    is_code_only: bool,
    identity: String,
    is_revealed: bool,
    why_hint: Option<&'static str>,
    reason_hint: Option<&'static str>,
    status: &'static str,
    issued: Moment,
    not_before: Moment,
    not_after: Moment,
    suspended: Option<Moment>,
    revoked: Option<(Moment, &'static str)>,
    pending: Option<(Moment, Moment, String)>,
    spki: String,
    reasons: Vec<(&'static str, &'static str)>,
}

/// What a certificate is revoked for.
#[derive(Deserialize)]
pub struct Revocation {
    #[serde(default)]
    reason: String,
}

/// What a page says beside the certificate.
#[derive(Default)]
struct Said {
    is_revealed: bool,
    why_hint: Option<&'static str>,
    reason_hint: Option<&'static str>,
}

pub(super) async fn page(
    State(app): State<App>,
    Person(operator): Person,
    frame: Frame,
    Path(serial): Path<String>,
) -> Result<Response, WebError> {
    let (_, certificate) = found(&app, &serial).await?;
    show(&app, frame, operator.name, certificate, Said::default()).await
}

pub(super) async fn reveal(
    State(app): State<App>,
    Person(operator): Person,
    frame: Frame,
    Path(serial): Path<String>,
    Checked(why): Checked<Why>,
) -> Result<Response, WebError> {
    let (serial, certificate) = found(&app, &serial).await?;
    match why.read() {
        Ok(why) => {
            let subject = format!("certificate {}: {why}", serial.hex());
            app.operators.note(&operator, "reveal", &subject).await?;
            show(&app, frame, operator.name, certificate, Said { is_revealed: true, ..Said::default() }).await
        }
        Err(hint) => {
            let said = Said { why_hint: Some(hint), ..Said::default() };
            let page = show(&app, frame, operator.name, certificate, said).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

pub(super) async fn revoke(
    State(app): State<App>,
    Person(operator): Person,
    frame: Frame,
    Path(serial): Path<String>,
    Checked(revocation): Checked<Revocation>,
) -> Result<Response, WebError> {
    let (serial, certificate) = found(&app, &serial).await?;
    let Some(reason) = reason(&revocation.reason) else {
        let said = Said { reason_hint: Some("Choose why."), ..Said::default() };
        let page = show(&app, frame, operator.name, certificate, said).await?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    };
    app.issue.revoke(&serial, reason, &operator.name, app.clock.wall()).await?;
    Ok(Redirect::to(&format!("{}/{}", certificates::PATH, serial.hex())).into_response())
}

async fn found(app: &App, serial: &str) -> Result<(Serial, Certified), WebError> {
    let serial = Serial::parse(serial).ok_or(WebError::NotFound)?;
    let certificate = app.issue.certificate(&serial).await?;
    Ok((serial, certificate))
}

async fn show(app: &App, frame: Frame, name: String, certificate: Certified, said: Said) -> Result<Response, WebError> {
    let caps = app.calls.caps_of_certificate(&certificate.serial).await?;
    let Said { is_revealed, why_hint, reason_hint } = said;
    let whole = certificate.identity.expose();
    page::html(&CertificatePage {
        frame,
        who: Who { name, here: "certificates" },
        worth: Worth::of(certificate.level, caps),
        is_code_only: app.issue.authority().states_code_only(&certificate.certificate_pem),
        identity: if is_revealed { whole.clone() } else { masked::identity(whole) },
        is_revealed,
        why_hint,
        reason_hint,
        status: certificates::status(&certificate, app.clock.wall()),
        issued: Moment::of(certificate.issued_at),
        not_before: Moment::of(certificate.not_before),
        not_after: Moment::of(certificate.not_after),
        suspended: certificate.suspended.map(Moment::of),
        revoked: certificate.revoked.map(|(at, reason)| (Moment::of(at), reason.name())),
        pending: certificate
            .pending
            .map(|change| (Moment::of(change.since), Moment::of(change.until), hex::of(&change.spki_sha256))),
        spki: hex::of(&certificate.spki_sha256),
        reasons: REASONS.map(|(reason, words)| (reason.name(), words)).into(),
        certificate,
    })
}
