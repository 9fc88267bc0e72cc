//! `/v1/verifications`: what a page does, for programs.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use ivr_core::number::Number;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::body::{Body, private};
use super::certificate::Certificate;
use super::locale::locale;
use super::old_key::{FirstLocation, signature};
use crate::event::EndpointId;
use crate::issue::OldKeyError;
use crate::puzzle::Solved;
use crate::verify::{Spoken, Start, Started, State as Standing, Typed, View};
use crate::web::App;
use crate::web::call::digits;
use crate::web::error::{Problem, WebError};
use crate::web::flood;
use crate::web::limits::Source;
use crate::web::session::ByToken;
use crate::web::sse::{self, LastEvent, Told};

/// Between two looks, for a program that does not follow the events.
const NEXT_LOOK_SECONDS: u32 = 2;
/// While a key waits, which takes a day.
const NEXT_LOOK_AT_HELD_SECONDS: u32 = 60;

/// `/v1/verifications` and what belongs to one.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/v1/verifications", post(start))
        .route("/v1/verifications/{id}", get(show).delete(cancel))
        .route("/v1/verifications/{id}/read-back", post(read_back))
        .route("/v1/verifications/{id}/old-key", post(old_key))
        .route("/v1/verifications/{id}/record", delete(withdraw))
        .route("/v1/verifications/{id}/events", get(events))
}

/// What a verification begins with.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Begin {
    /// The number in E.164: `+` and digits.
    #[schema(example = "+12025550143")]
    pub(super) number: String,
    /// A PKCS#10 request in PEM; without one there is a signed result and no certificate.
    pub(super) csr: Option<String>,
    /// Who begins it: a `page`, or an `app`, which made the key of the request. For an app the voice says four digits of
    /// its key before those to post, and the app shows what it works out itself (docs/protocol.md, "The key check").
    #[serde(default)]
    pub(super) started_by: StartedBy,
    /// Whether a record goes into the directory. There is no default.
    pub(super) publish: bool,
    /// What is to be listed beside the certificate from its first record on; later, `PUT …/location-key` changes it.
    pub(super) location: Option<FirstLocation>,
    /// Where its events are posted: the name of an endpoint of this service's operator. They hold what its owner sees. The
    /// sandbox posts none, and takes any such name.
    #[schema(example = "ep_000102030405060708090a0b0c0d0e0f")]
    webhook: Option<String>,
    /// The language that is wished for, a tag such as `en` or `de-AT`, of the voice and of what is told: each
    /// `happenings[].sentence`, too. It is a wish: where voice and sentences have none like it, they are in another, and the
    /// `locale` of the verification says in which.
    pub(super) locale: Option<String>,
    /// What a problem of the type `puzzle` asked for.
    puzzle: Option<Solved>,
}

impl Begin {
    /// The endpoint that is named.
    pub(super) fn webhook(&self) -> Result<Option<EndpointId>, WebError> {
        let webhook = self.webhook.as_deref().map(str::parse::<EndpointId>).transpose();
        webhook.map_err(|error| WebError::field(format!("webhook: {error}")))
    }
}

/// Who begins a verification.
#[derive(Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StartedBy {
    /// A page.
    #[default]
    Page,
    /// An app.
    App,
}

impl From<StartedBy> for crate::verify::StartedBy {
    fn from(started_by: StartedBy) -> Self {
        match started_by {
            StartedBy::Page => Self::Page,
            StartedBy::App => Self::App,
        }
    }
}

/// A verification that was started. Secret and code are told once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Begun {
    /// Names it.
    id: String,
    /// Opens it: a bearer token.
    secret: String,
    /// The six digits to key in.
    #[schema(example = "012345")]
    code: String,
    /// Where to call.
    dial: Dial,
    /// Until when the code may be keyed in.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    /// The language that voice and sentences are in.
    locale: String,
    #[serde(flatten)]
    guidance: Guidance,
}

/// Where to call.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Dial {
    /// The number, in E.164.
    number: String,
    /// As a link. It never holds the code.
    uri: String,
}

/// What may be done now, and when to look again.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Guidance {
    /// The digits may be posted to `read-back`.
    may_type_digits: bool,
    /// It may be deleted.
    may_cancel: bool,
    /// When to look again; absent when nothing will change.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_look_seconds: Option<u32>,
}

/// Where a verification stands.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Verification {
    /// Names it.
    id: String,
    /// `waiting`, `calling`, `read-back`, `issuing`, `held`, `issued`, `voided`, `expired`, `failed`.
    state: &'static str,
    /// The number.
    number: String,
    /// Where to call.
    dial: Dial,
    /// Whether a record goes into the directory.
    publish: bool,
    /// The language.
    locale: String,
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// Until when the code may be keyed in.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    /// Until when the digits may be posted, once they were read.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    read_back_until: Option<OffsetDateTime>,
    /// How often they may still be wrong.
    read_backs_left: u8,
    /// While it is `held`: when its certificate will be issued, unless somebody objects. Another key was certified for the
    /// number lately.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    held_until: Option<OffsetDateTime>,
    /// What happened, oldest first.
    happenings: Vec<Told>,
    #[serde(flatten)]
    guidance: Guidance,
    #[serde(flatten)]
    certificate: Option<Certificate>,
    /// Without a certificate request: the signed result, a JWS of the keys of `/.well-known/jwks.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

/// The digits that the voice read.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadBack {
    /// Six digits.
    #[schema(example = "654321")]
    pub(super) digits: String,
}

/// What the key of the number's last certificate signed for the new key.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Base64: ECDSA with SHA-256 in DER, or Ed25519. What is signed is in docs/protocol.md, "The old key".
    signature: String,
}

/// Begin a verification.
#[utoipa::path(post, path = "/v1/verifications", tag = "verifications", request_body = Begin, responses(
    (status = 201, description = "Begun: dial the number and key in the code", body = Begun),
    (status = 400, description = "No JSON", body = Problem, content_type = "application/problem+json"),
    (status = 413, description = "More than 32 KiB", body = Problem, content_type = "application/problem+json"),
    (status = 415, description = "Not application/json", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Number, request or field refused: the detail says what to change", body = Problem, content_type = "application/problem+json"),
    (status = 428, description = "Too many begin, or many of this number wait: do the work of `puzzle` and post it with the same fields", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many from this source, or open of this number: see Retry-After", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Busy: see Retry-After", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn start(
    State(app): State<App>,
    Source(source): Source,
    Body(begin): Body<Begin>,
) -> Result<Response, WebError> {
    let begun = begin_it(&app, begin, source).await;
    app.traffic().start(begun.is_ok());
    let begun = begun?;
    let location = format!("/v1/verifications/{}", begun.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], private(begun)).into_response())
}

async fn begin_it(app: &App, begin: Begin, source: std::net::IpAddr) -> Result<Begun, WebError> {
    let number = Number::parse(&begin.number).map_err(WebError::Number)?;
    let locale = locale(app, begin.locale.as_deref())?;
    flood::demand(app, (&number, source), begin.puzzle.as_ref()).await?;
    let location = begin.location.as_ref().map(FirstLocation::read).transpose()?;
    let webhook = begin.webhook()?;
    let csr = begin.csr.map(String::into_bytes);
    let started_by = begin.started_by.into();
    let start = Start { number, csr, location, webhook, started_by, publish: begin.publish, locale, source };
    Ok(app.verify.start(start, app.clock.wall()).await?.into())
}

/// Look at a verification.
#[utoipa::path(get, path = "/v1/verifications/{id}", tag = "verifications", params(("id" = String, Path)),
    security(("secret" = [])), responses(
    (status = 200, description = "Where it stands", body = Verification),
    (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such verification, or not this secret", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn show(State(app): State<App>, ByToken(session): ByToken) -> Result<Response, WebError> {
    Ok(private(Verification::from(session.view(&app).await?)))
}

/// Post the digits that the voice read.
#[utoipa::path(post, path = "/v1/verifications/{id}/read-back", tag = "verifications", params(("id" = String, Path)),
    security(("secret" = [])), request_body = ReadBack, responses(
    (status = 200, description = "Right: issued, or about to be", body = Verification),
    (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such verification, or not this secret", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Void, or not expected now", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Wrong digits, or no six digits", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn read_back(
    State(app): State<App>,
    ByToken(session): ByToken,
    Body(read_back): Body<ReadBack>,
) -> Result<Response, WebError> {
    let digits = digits(&read_back.digits).ok_or_else(|| WebError::field("digits: write six digits"))?;
    let outcome = app.verify.type_in(session.id, session.secret.expose(), &digits, app.clock.wall()).await?;
    app.traffic().typed(outcome);
    typed(outcome)?;
    Ok(private(Verification::from(session.view(&app).await?)))
}

/// What posted digits are answered that were not right.
pub(super) fn typed(outcome: Typed) -> Result<(), WebError> {
    match outcome {
        Typed::Right => Ok(()),
        Typed::Wrong { left } => Err(WebError::WrongDigits { left }),
        Typed::Voided | Typed::NotExpected(Standing::Voided) => {
            Err(WebError::Conflict { kind: "voided", detail: "wrong digits were entered too often".to_owned() })
        }
        Typed::NotExpected(state) => Err(WebError::Conflict {
            kind: "not-expected",
            detail: format!("no digits are expected: the verification is {}", state.name()),
        }),
    }
}

/// Post what the key of the number's last certificate signed, so that the new key does not wait. Before the number is proved
/// it is kept unread; while the verification is `held`, it is looked at.
#[utoipa::path(post, path = "/v1/verifications/{id}/old-key", tag = "verifications", params(("id" = String, Path)),
    security(("secret" = [])), request_body = Consent, responses(
    (status = 200, description = "Kept, or right: issued, or about to be", body = Verification),
    (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such verification, or not this secret", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "It changes nothing any more", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "No signature, or not of that key", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn old_key(
    State(app): State<App>,
    ByToken(session): ByToken,
    Body(consent): Body<Consent>,
) -> Result<Response, WebError> {
    let signature = signature(&consent.signature)?;
    let (secret, now) = (session.secret.expose(), app.clock.wall());
    match app.verify.old_key_signed(session.id, secret, &signature, now).await? {
        Spoken::Kept | Spoken::Released => Ok(private(Verification::from(session.view(&app).await?))),
        Spoken::NotSigned => Err(OldKeyError::NotSigned.into()),
        Spoken::TooLate(state) => Err(WebError::Conflict {
            kind: "not-expected",
            detail: format!("no signature is expected: the verification is {}", state.name()),
        }),
    }
}

/// Give a verification up: its code stops working, and a key that waits does so no more.
#[utoipa::path(delete, path = "/v1/verifications/{id}", tag = "verifications", params(("id" = String, Path)),
    security(("secret" = [])), responses(
    (status = 204, description = "Given up"),
    (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such verification, or not this secret", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn cancel(State(app): State<App>, ByToken(session): ByToken) -> Result<StatusCode, WebError> {
    app.verify.cancel(session.id, session.secret.expose(), app.clock.wall()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Withdraw the consent to publish: the record goes out of the directory, the certificate stays good.
#[utoipa::path(delete, path = "/v1/verifications/{id}/record", tag = "verifications", params(("id" = String, Path)),
    security(("secret" = [])), responses(
    (status = 204, description = "A tombstone follows"),
    (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such verification, or not this secret", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The directory does not show its certificate", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn withdraw(State(app): State<App>, ByToken(session): ByToken) -> Result<StatusCode, WebError> {
    if app.verify.withdraw(session.id, session.secret.expose(), app.clock.wall()).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(WebError::Conflict {
        kind: "not-expected",
        detail: "the directory does not show a certificate of this verification".to_owned(),
    })
}

/// Follow a verification live: `happening` events with ids (send `Last-Event-ID` to go on) and `status` events.
#[utoipa::path(get, path = "/v1/verifications/{id}/events", tag = "verifications", params(("id" = String, Path)),
    security(("secret" = [])), responses(
    (status = 200, description = "Server-sent events", body = String, content_type = "text/event-stream"),
    (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such verification, or not this secret", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Too many streams: see Retry-After", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn events(
    State(app): State<App>,
    ByToken(session): ByToken,
    source: Source,
    last: LastEvent,
) -> Result<Response, WebError> {
    sse::stream(app, session, source, last).await
}

impl From<Started> for Begun {
    fn from(started: Started) -> Self {
        Self {
            id: started.id.to_string(),
            secret: started.secret.into_inner(),
            code: started.code.expose().as_str().to_owned(),
            dial: Dial::of(&started.dial),
            expires_at: started.expires_at,
            locale: started.locale,
            guidance: Guidance::of(Standing::Waiting, false),
        }
    }
}

impl Dial {
    fn of(number: &Number) -> Self {
        Self { number: number.as_str().to_owned(), uri: format!("tel:{}", number.as_str()) }
    }
}

impl Guidance {
    fn of(state: Standing, is_over: bool) -> Self {
        Self {
            may_type_digits: state == Standing::ReadBack,
            may_cancel: matches!(state, Standing::Waiting | Standing::Calling | Standing::ReadBack | Standing::Held),
            next_look_seconds: match state {
                _ if is_over => None,
                Standing::Held => Some(NEXT_LOOK_AT_HELD_SECONDS),
                _ => Some(NEXT_LOOK_SECONDS),
            },
        }
    }
}

impl From<View> for Verification {
    fn from(view: View) -> Self {
        let happenings = view.happenings.iter().map(Told::from).collect();
        let guidance = Guidance::of(view.state, sse::is_over(&view));
        let (caps, is_code_only, locale) = (view.caps, view.is_code_only, view.locale.as_str());
        let certificate = view.certificate.map(|leaf| Certificate::of(leaf, is_code_only, caps, locale));
        Self {
            id: view.id.to_string(),
            state: view.state.name(),
            number: view.number.as_str().to_owned(),
            dial: Dial::of(&view.dial),
            publish: view.publish,
            guidance,
            locale: view.locale,
            created_at: view.created_at,
            expires_at: view.expires_at,
            read_back_until: view.read_back_until,
            read_backs_left: view.read_backs_left,
            held_until: view.held_until,
            happenings,
            certificate,
            result: view.result,
            failure: view.failure,
        }
    }
}
