//! `/v1/certificates`: what was issued, for operators' programs, and revoking it. Identities are masked.

use axum::extract::{Path, Query, State};
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use ca::Serial;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::body::Body;
use super::calls::paged;
use super::certificate::Pending;
use crate::issue::{Certified, DhtRecord};
use crate::web::App;
use crate::web::console::certificate::reason;
use crate::web::console::certificates::{Asked, status};
use crate::web::console::session::LoggedIn;
use crate::web::console::{cut, masked};
use crate::web::error::{Problem, WebError};

/// Certificates of a page.
const ROWS: u32 = 100;

/// `/v1/certificates` and what can be done with one.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/v1/certificates", get(list)).route("/v1/certificates/{serial}/revoke", post(revoke))
}

/// A page of certificates.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Certificates {
    /// Newest first.
    certificates: Vec<Issued>,
    /// The address of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// An issued certificate.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Issued {
    /// Hexadecimal.
    serial: String,
    /// A number by its last four digits, a mailbox by its domain.
    #[schema(example = "***0143")]
    identity: String,
    /// `L0` to `L4`.
    level: String,
    /// A code alone was asked for, and no digits were read back.
    code_only: bool,
    /// `valid`, `suspended`, `revoked`, `expired`.
    status: &'static str,
    /// When it was issued.
    #[serde(with = "time::serde::rfc3339")]
    issued_at: OffsetDateTime,
    /// Its first moment.
    #[serde(with = "time::serde::rfc3339")]
    not_before: OffsetDateTime,
    /// Its last.
    #[serde(with = "time::serde::rfc3339")]
    not_after: OffsetDateTime,
    /// Since when it is suspended. Its key can lift that within a day.
    #[serde(with = "time::serde::rfc3339::option")]
    suspended_at: Option<OffsetDateTime>,
    /// When and why it was revoked.
    revoked: Option<Revoked>,
    /// Another key that waits to take the identity.
    pending: Option<Pending>,
    /// Its record; absent if it was not to be published, or another certificate has its place.
    directory: Option<Directory>,
}

/// A revocation.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Revoked {
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    /// The name of RFC 5280 5.3.1.
    reason: &'static str,
}

/// What the directory has.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Directory {
    /// Whether the record is there as it should be.
    published: bool,
    /// The DHTs that have it.
    backend: Option<String>,
    /// Hexadecimal.
    slot: Option<String>,
    /// Sequence number of what was put last.
    seq: Option<i64>,
    /// Size of the value.
    bytes: Option<u64>,
    /// What it says: `valid`, `suspended`, `revoked`.
    says: &'static str,
    /// What went wrong last.
    last_error: Option<String>,
}

/// Why a certificate is revoked.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// `unspecified`, `keyCompromise` (the key is never certified again), `superseded`, `cessationOfOperation`,
    /// `privilegeWithdrawn`.
    #[schema(example = "keyCompromise")]
    reason: String,
}

#[utoipa::path(
    get, path = "/v1/certificates", tag = "certificates", params(Asked), security(("operator" = [])),
    responses(
        (status = 200, description = "A page of certificates; Link names the next", body = Certificates),
        (status = 401, description = "Nobody is logged in", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A filter cannot be read", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(app): State<App>,
    _operator: LoggedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let now = app.clock.wall();
    let (found, has_next) = cut(app.issue.certificates(&asked.filter(ROWS + 1)?, now).await?, ROWS);
    let last = found.last().filter(|_| has_next);
    let next = last.map(|last| format!("/v1/certificates{}", asked.from_behind(last).query()));
    let certificates = found.iter().map(|certificate| Issued::of(certificate, &app, now)).collect();
    Ok(paged(next.as_deref(), &Certificates { certificates, next: next.clone() }))
}

#[utoipa::path(
    post, path = "/v1/certificates/{serial}/revoke", tag = "certificates", request_body = Revocation,
    params(("serial" = String, Path, description = "Hexadecimal")), security(("operator" = [])),
    responses(
        (status = 200, description = "It is revoked: lists and tombstone follow", body = Issued),
        (status = 401, description = "Nobody is logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such certificate", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is revoked already", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The reason is none", body = Problem, content_type = "application/problem+json"),
    )
)]
// A foreign page cannot send this with our cookie: it is SameSite=Strict, and only JSON is read, for which a browser
// asks us first.
pub(super) async fn revoke(
    State(app): State<App>,
    LoggedIn(operator): LoggedIn,
    Path(serial): Path<String>,
    Body(revocation): Body<Revocation>,
) -> Result<Response, WebError> {
    let serial = Serial::parse(&serial).ok_or(WebError::NotFound)?;
    let reason = reason(&revocation.reason).ok_or_else(|| {
        WebError::field("reason: unspecified, keyCompromise, superseded, cessationOfOperation or privilegeWithdrawn")
    })?;
    let now = app.clock.wall();
    app.issue.revoke(&serial, reason, &operator.name, now).await?;
    let certificate = app.issue.certificate(&serial).await?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(Issued::of(&certificate, &app, now))).into_response())
}

impl Issued {
    fn of(certificate: &Certified, app: &App, now: OffsetDateTime) -> Self {
        Self {
            serial: certificate.serial.clone(),
            identity: masked::identity(certificate.identity.expose()),
            level: certificate.level.to_string(),
            code_only: app.issue.authority().states_code_only(&certificate.certificate_pem),
            status: status(certificate, now),
            issued_at: certificate.issued_at,
            not_before: certificate.not_before,
            not_after: certificate.not_after,
            suspended_at: certificate.suspended,
            revoked: certificate.revoked.map(|(at, reason)| Revoked { at, reason: reason.name() }),
            pending: certificate.pending.map(Pending::from),
            directory: certificate.record.clone().map(Directory::of),
        }
    }
}

impl Directory {
    fn of(record: DhtRecord) -> Self {
        let DhtRecord { backend, slot, seq, bytes, says, published, last_error } = record;
        Self { published, backend, slot, seq, bytes, says: says.name(), last_error }
    }
}
