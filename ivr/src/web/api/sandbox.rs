//! `/v1/sandbox`: verifications without a telephone, for those who write programs against `/v1/verifications`. The answers
//! are the same, with `"sandbox": true`; nothing behind them is (`crate::sandbox`).

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use ivr_core::number::Number;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::body::{Body, private};
use super::locale::locale;
use super::verifications::{Begin, Begun, ReadBack, Verification, typed};
use crate::sandbox::{Does, Hears, Meanwhile, Sandbox, SandboxError};
use crate::verify::Start;
use crate::web::App;
use crate::web::call::digits;
use crate::web::error::{Problem, WebError};
use crate::web::limits::Source;
use crate::web::session::{ByToken, Session};

/// `/v1/sandbox` and what belongs to it.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/v1/sandbox/authority", get(authority))
        .route("/v1/sandbox/verifications", post(start))
        .route("/v1/sandbox/verifications/{id}", get(show).delete(cancel))
        .route("/v1/sandbox/verifications/{id}/call", post(call))
        .route("/v1/sandbox/verifications/{id}/meanwhile", post(meanwhile))
        .route("/v1/sandbox/verifications/{id}/read-back", post(read_back))
}

/// A rehearsal that was started.
#[derive(Serialize, utoipa::ToSchema)]
pub struct RehearsalBegun {
    /// Always true: nothing of it proves anything.
    sandbox: bool,
    #[serde(flatten)]
    begun: Begun,
}

/// Where a rehearsal stands. Its certificate is signed by the authority of the sandbox, and never published.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Rehearsal {
    /// Always true: nothing of it proves anything.
    sandbox: bool,
    #[serde(flatten)]
    verification: Verification,
}

/// A call that nobody makes.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// What the caller does.
    does: CallerDoes,
}

/// What a caller does.
#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CallerDoes {
    /// Keys in the code and the digit that confirms.
    Code,
    /// Keys in a wrong code.
    WrongCode,
    /// Withholds its number.
    Withheld,
    /// Keys in nothing, hears what is certified for its number, and presses 9 and the digit that confirms.
    Suspend,
}

impl From<CallerDoes> for Does {
    fn from(does: CallerDoes) -> Self {
        match does {
            CallerDoes::Code => Self::Code,
            CallerDoes::WrongCode => Self::WrongCode,
            CallerDoes::Withheld => Self::Withheld,
            CallerDoes::Suspend => Self::Suspend,
        }
    }
}

/// What the caller would have heard. In the service only the telephone says it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Heard {
    /// Always true: there was no call.
    sandbox: bool,
    /// The SIP status of the call.
    status: u16,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// After a wrong code: how many may still be wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    tries_left: Option<u8>,
    /// The check of an app's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_check: Option<String>,
    /// The digits to post.
    #[serde(skip_serializing_if = "Option::is_none")]
    digits: Option<String>,
    /// To a caller who keys in nothing: how many certificates, and keys that wait, the number has.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificates: Option<u16>,
    /// Whether the call has suspended them.
    #[serde(skip_serializing_if = "Option::is_none")]
    suspended: Option<bool>,
}

/// What happens beside the calls of a number. In the service others do it, and time.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Beside {
    /// What happens.
    happens: Happens,
}

/// What happens.
#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Happens {
    /// Another key was certified for the number lately, so that this one will be held once it is proved.
    AnotherKey,
    /// The hold is over, and its certificate is issued.
    HoldOver,
    /// Nobody has lifted the suspension within its day, and the certificate is revoked.
    SuspensionFinal,
}

impl From<Happens> for Meanwhile {
    fn from(happens: Happens) -> Self {
        match happens {
            Happens::AnotherKey => Self::AnotherKey,
            Happens::HoldOver => Self::HoldOver,
            Happens::SuspensionFinal => Self::SuspensionFinal,
        }
    }
}

/// What certificates and results of the sandbox are verified with. It ends with the process.
#[derive(Serialize, utoipa::ToSchema)]
pub struct SandboxAuthority {
    /// Always true: trust it in tests only.
    sandbox: bool,
    /// The root's certificate, PEM.
    root_pem: String,
    /// The key of results, a JWK set.
    #[schema(value_type = Object)]
    jwks: serde_json::Value,
}

/// What the sandbox signs with.
#[utoipa::path(get, path = "/v1/sandbox/authority", tag = "sandbox", responses(
    (status = 200, description = "Root and key, of this process", body = SandboxAuthority),
    (status = 404, description = "There is no sandbox", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn authority(State(app): State<App>) -> Result<Response, WebError> {
    let (root_pem, jwks) = sandbox(&app)?.anchors();
    Ok(Json(SandboxAuthority { sandbox: true, root_pem, jwks }).into_response())
}

/// Begin a rehearsal with one of the operator's test numbers.
#[utoipa::path(post, path = "/v1/sandbox/verifications", tag = "sandbox", request_body = Begin, responses(
    (status = 201, description = "Begun", body = RehearsalBegun),
    (status = 400, description = "No JSON", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is no sandbox", body = Problem, content_type = "application/problem+json"),
    (status = 413, description = "More than 32 KiB", body = Problem, content_type = "application/problem+json"),
    (status = 415, description = "Not application/json", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Number, request or field refused: the detail says what to change", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many from this source: see Retry-After", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn start(
    State(app): State<App>,
    Source(source): Source,
    Body(begin): Body<Begin>,
) -> Result<Response, WebError> {
    let number = Number::parse(&begin.number).map_err(WebError::Number)?;
    let locale = locale(&app, begin.locale.as_deref())?;
    if begin.location.is_some() {
        return Err(WebError::field("location: the sandbox has no directory that could list it"));
    }
    // Nothing is posted there; a program's slip shows all the same, as it would at the service.
    begin.webhook()?;
    let (csr, started_by) = (begin.csr.map(String::into_bytes), begin.started_by.into());
    let start =
        Start { number, csr, location: None, webhook: None, started_by, publish: begin.publish, locale, source };
    let started = sandbox(&app)?.start(start, app.clock.wall())?;
    let location = format!("/v1/sandbox/verifications/{}", started.id);
    let begun = RehearsalBegun { sandbox: true, begun: started.into() };
    Ok((StatusCode::CREATED, [(LOCATION, location)], private(begun)).into_response())
}

/// Look at a rehearsal.
#[utoipa::path(get, path = "/v1/sandbox/verifications/{id}", tag = "sandbox", params(("id" = String, Path)),
    security(("secret" = [])), responses(
    (status = 200, description = "Where it stands", body = Rehearsal),
    (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such rehearsal, or not this secret", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn show(State(app): State<App>, ByToken(session): ByToken) -> Result<Response, WebError> {
    shown(&app, &session)
}

/// Let the caller do something, in a call that nobody makes; the answer is what the voice would say.
#[utoipa::path(post, path = "/v1/sandbox/verifications/{id}/call", tag = "sandbox", params(("id" = String, Path)),
    security(("secret" = [])), request_body = Call, responses(
    (status = 200, description = "What the caller would hear", body = Heard),
    (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such rehearsal, or not this secret", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "No such thing to do", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn call(
    State(app): State<App>,
    ByToken(session): ByToken,
    Body(call): Body<Call>,
) -> Result<Response, WebError> {
    let does = call.does.into();
    let hears = sandbox(&app)?.call(session.id, session.secret.expose(), does, app.clock.wall())?;
    Ok(private(Heard::from(hears)))
}

/// Post the digits that the voice would have read.
#[utoipa::path(post, path = "/v1/sandbox/verifications/{id}/read-back", tag = "sandbox", params(("id" = String, Path)),
    security(("secret" = [])), request_body = ReadBack, responses(
    (status = 200, description = "Right: issued by the sandbox's authority", body = Rehearsal),
    (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such rehearsal, or not this secret", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Void, or not expected now", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Wrong digits, or no six digits", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn read_back(
    State(app): State<App>,
    ByToken(session): ByToken,
    Body(read_back): Body<ReadBack>,
) -> Result<Response, WebError> {
    let digits = digits(&read_back.digits).ok_or_else(|| WebError::field("digits: write six digits"))?;
    let outcome = signing(&app, &session, move |sandbox, session, now| {
        sandbox.type_in(session.id, session.secret.expose(), &digits, now)
    });
    typed(outcome.await?)?;
    shown(&app, &session)
}

/// Let something happen beside the calls: another key that was certified, the end of a hold, or of the day in which a suspension
/// may be lifted.
#[utoipa::path(post, path = "/v1/sandbox/verifications/{id}/meanwhile", tag = "sandbox", params(("id" = String, Path)),
    security(("secret" = [])), request_body = Beside, responses(
    (status = 200, description = "It has happened", body = Rehearsal),
    (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such rehearsal, or not this secret", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "It cannot happen now", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "No such thing", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn meanwhile(
    State(app): State<App>,
    ByToken(session): ByToken,
    Body(beside): Body<Beside>,
) -> Result<Response, WebError> {
    let happens = beside.happens.into();
    let happening = signing(&app, &session, move |sandbox, session, now| {
        sandbox.meanwhile(session.id, session.secret.expose(), happens, now)
    });
    happening.await?;
    shown(&app, &session)
}

/// Lets the sandbox do something that may sign: it takes a core for a moment, and not one that serves pages.
async fn signing<T: Send + 'static>(
    app: &App,
    session: &Session,
    work: impl FnOnce(&Sandbox, &Session, OffsetDateTime) -> Result<T, SandboxError> + Send + 'static,
) -> Result<T, WebError> {
    let (app, session) = (app.clone(), session.clone());
    let working = tokio::task::spawn_blocking(move || Ok(work(sandbox(&app)?, &session, app.clock.wall())?));
    working.await.expect("signing does not panic, and nobody aborts it")
}

/// Give a rehearsal up.
#[utoipa::path(delete, path = "/v1/sandbox/verifications/{id}", tag = "sandbox", params(("id" = String, Path)),
    security(("secret" = [])), responses(
    (status = 204, description = "Given up"),
    (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such rehearsal, or not this secret", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn cancel(State(app): State<App>, ByToken(session): ByToken) -> Result<StatusCode, WebError> {
    sandbox(&app)?.cancel(session.id, session.secret.expose(), app.clock.wall())?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(app: &App, session: &Session) -> Result<Response, WebError> {
    let view = sandbox(app)?.view(session.id, session.secret.expose(), app.clock.wall())?;
    Ok(private(Rehearsal { sandbox: true, verification: view.into() }))
}

fn sandbox(app: &App) -> Result<&Sandbox, WebError> {
    app.sandbox.as_deref().ok_or(WebError::NoSandbox)
}

impl From<Hears> for Heard {
    fn from(hears: Hears) -> Self {
        let nothing = Self {
            sandbox: true,
            status: 200,
            reason: None,
            tries_left: None,
            key_check: None,
            digits: None,
            certificates: None,
            suspended: None,
        };
        match hears {
            Hears::ReadBack { key_check, digits } => Self {
                key_check: key_check.map(|check| check.as_str().to_owned()),
                digits: Some(digits.expose().as_str().to_owned()),
                ..nothing
            },
            Hears::WrongCode { left } => Self { tries_left: Some(left), ..nothing },
            Hears::Certificates { certificates, suspended } => {
                Self { certificates: Some(certificates), suspended: Some(suspended), ..nothing }
            }
            Hears::Refused(reason) => Self { status: reason.status(), reason: Some(reason.code()), ..nothing },
        }
    }
}

impl From<SandboxError> for WebError {
    fn from(error: SandboxError) -> Self {
        match error {
            SandboxError::Unknown => Self::NotFound,
            SandboxError::NotATestNumber(_) => Self::Refused { kind: "number-kind", detail: error.to_string() },
            SandboxError::Request(_) | SandboxError::NoKey(_) => {
                Self::Refused { kind: "certificate-request", detail: error.to_string() }
            }
            SandboxError::NotExpected(_) => Self::Conflict { kind: "not-expected", detail: error.to_string() },
            SandboxError::Signing(_) => Self::Fault(error.to_string()),
        }
    }
}
