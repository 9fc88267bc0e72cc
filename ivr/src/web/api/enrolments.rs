//! `/v1/enrolments`: what the email pages do, for programs. A program has no browser that a link could know again, so it
//! confirms by the code.

use axum::Router;
use axum::extract::State;
use axum::http::header::{LOCATION, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ca::email::{Address, Code};
use ivr_core::caller::Caps;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::body::{Body, private};
use super::certificate::Certificate;
use super::locale::locale;
use crate::enrol_email::{Begin, Begun, Confirmation, State as Standing, View};
use crate::web::App;
use crate::web::email::{NO_CODE, offered, wrong_code};
use crate::web::error::{Problem, WebError};
use crate::web::limits::Source;
use crate::web::session::{ByToken, Session};

/// `/v1/enrolments` and what belongs to one.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/v1/enrolments", post(begin))
        .route("/v1/enrolments/{id}", get(show))
        .route("/v1/enrolments/{id}/confirm", post(confirm))
}

/// What an enrolment begins with.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEnrolment {
    /// The email address, as it is to stand in the certificate.
    #[schema(example = "somebody@example.org")]
    address: String,
    /// A PKCS#10 request in PEM, with a P-256 key.
    csr: String,
    /// Whether a record goes into the directory. There is no default.
    publish: bool,
    /// The language of the mails, such as `de`; they say the same in English below.
    locale: Option<String>,
}

/// An enrolment that was begun. The answer is the same for every address; the secret is told once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct BegunEnrolment {
    /// Names it.
    id: String,
    /// Opens it: a bearer token.
    secret: String,
    /// Until when it may be confirmed.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

/// Where an enrolment stands.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Enrolment {
    /// Names it.
    id: String,
    /// `waiting`, `issuing`, `issued`, `voided`, `expired`, `failed`.
    state: &'static str,
    /// The email address.
    address: String,
    /// Whether a record goes into the directory.
    publish: bool,
    /// The language.
    locale: String,
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// Until when it may be confirmed.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    /// How often the code may still be wrong.
    tries_left: u8,
    #[serde(flatten)]
    certificate: Option<Certificate>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

/// The code of the mail.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailedCode {
    /// Eight letters and digits, in either case, with or without a hyphen.
    #[schema(example = "1234-ABCD")]
    code: String,
}

/// Begin an enrolment: link and code go to the mailbox, unless it was written to often enough.
#[utoipa::path(post, path = "/v1/enrolments", tag = "enrolments", request_body = NewEnrolment, responses(
    (status = 202, description = "Begun, whatever the address", body = BegunEnrolment),
    (status = 404, description = "This service sends no mail", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "The address or the request is refused", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many from this source: see Retry-After", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Busy: see Retry-After", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn begin(
    State(app): State<App>,
    Source(source): Source,
    headers: HeaderMap,
    Body(new): Body<NewEnrolment>,
) -> Result<Response, WebError> {
    let enrol = offered(&app)?;
    let address = Address::parse(&new.address)
        .map_err(|error| WebError::Refused { kind: "address", detail: error.to_string() })?;
    let locale = locale(&app, new.locale.as_deref())?;
    let user_agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    let csr = new.csr.as_bytes();
    let asked = Begin { address, csr, publish: new.publish, locale: &locale, source, user_agent };
    let begun = BegunEnrolment::from(enrol.begin(asked, app.clock.wall()).await?);
    let location = format!("/v1/enrolments/{}", begun.id);
    Ok((StatusCode::ACCEPTED, [(LOCATION, location)], private(begun)).into_response())
}

/// Look at an enrolment.
#[utoipa::path(get, path = "/v1/enrolments/{id}", tag = "enrolments", params(("id" = String, Path)),
    security(("secret" = [])), responses(
    (status = 200, description = "Where it stands", body = Enrolment),
    (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such enrolment, or not this secret", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn show(State(app): State<App>, ByToken(session): ByToken) -> Result<Response, WebError> {
    Ok(private(view(&app, &session).await?))
}

/// Post the code that lies in the mailbox.
#[utoipa::path(post, path = "/v1/enrolments/{id}/confirm", tag = "enrolments", params(("id" = String, Path)),
    security(("secret" = [])), request_body = MailedCode, responses(
    (status = 200, description = "Right: issued, or about to be", body = Enrolment),
    (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such enrolment, or not this secret", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Void, or not expected now", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Wrong code, or none", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn confirm(
    State(app): State<App>,
    ByToken(session): ByToken,
    Body(typed): Body<MailedCode>,
) -> Result<Response, WebError> {
    let code = Code::parse(&typed.code).ok_or_else(|| WebError::field(format!("code: {NO_CODE}")))?;
    let secret = session.secret.expose();
    let enrol = offered(&app)?;
    match enrol.confirm_by_code(session.id, secret, &code, app.clock.wall()).await? {
        Confirmation::Done(_) => Ok(private(view(&app, &session).await?)),
        Confirmation::Wrong { left } => Err(WebError::Refused { kind: "wrong-code", detail: wrong_code(left) }),
        Confirmation::Voided | Confirmation::NotExpected(Standing::Voided) => {
            Err(WebError::Conflict { kind: "voided", detail: "the code was wrong five times".to_owned() })
        }
        Confirmation::NotExpected(state) => Err(WebError::Conflict {
            kind: "not-expected",
            detail: format!("no code is expected: the enrolment is {}", state.name()),
        }),
    }
}

async fn view(app: &App, session: &Session) -> Result<Enrolment, WebError> {
    let view = offered(app)?.view(session.id, session.secret.expose(), app.clock.wall()).await?;
    Ok(Enrolment::from(view))
}

impl From<Begun> for BegunEnrolment {
    fn from(begun: Begun) -> Self {
        Self { id: begun.id.to_string(), secret: begun.secret.into_inner(), expires_at: begun.expires_at }
    }
}

impl From<View> for Enrolment {
    fn from(view: View) -> Self {
        let certificate = view.certificate.map(|leaf| Certificate::of(leaf, false, Caps::default(), &view.locale));
        Self {
            id: view.id.to_string(),
            state: view.state.name(),
            address: view.address.verbatim().to_owned(),
            publish: view.publish,
            locale: view.locale,
            created_at: view.created_at,
            expires_at: view.expires_at,
            tries_left: view.tries_left,
            certificate,
            failure: view.failure,
        }
    }
}
