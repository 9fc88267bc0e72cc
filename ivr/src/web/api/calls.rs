//! `/v1/calls`: the call records, for operators' programs. Numbers are masked.

use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, LINK};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use ivr_core::caller::Reason;
use ivr_core::media::{Mos, Suite};
use serde::Serialize;
use time::OffsetDateTime;

use super::level::Held;
use crate::call_record::Story;
use crate::store::calls::{self, CallId};
use crate::web::App;
use crate::web::console::filter::Asked;
use crate::web::console::session::LoggedIn;
use crate::web::console::{cut, masked};
use crate::web::error::{Problem, WebError};

/// Calls of a page.
const ROWS: u32 = 100;

/// `/v1/calls` and what belongs to one.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/v1/calls", get(list)).route("/v1/calls/{id}", get(show))
}

/// A page of calls.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Calls {
    /// Newest first.
    calls: Vec<Call>,
    /// The address of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A call.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Call {
    /// Names it.
    id: String,
    /// The SIP Call-ID, as the peer chose it.
    call_id: String,
    /// When the INVITE came.
    #[serde(with = "time::serde::rfc3339")]
    began_at: OffsetDateTime,
    /// The trunk profile's name.
    trunk: Option<String>,
    /// Where the INVITE came from; empty after 30 days.
    source: String,
    /// The number by its last four digits.
    #[schema(example = "***0143")]
    number: Option<String>,
    /// Its country (ISO 3166).
    country: Option<String>,
    /// `L0` to `L4`.
    level: Option<String>,
    /// Why it is no higher.
    held_by: Vec<Held>,
    /// What stood beside the number: `npdi`, `rn`, `cpc`, `isup-oli`, without any number.
    #[schema(example = "npdi cpc=ordinary")]
    line: Option<String>,
    /// What was found out about its signed identity (STIR/SHAKEN).
    signed: Option<Signed>,
    /// `live`, `refused`, `lost`, `cancelled`, or how the conversation ended: such as `verified`, `hung-up`, `no-audio`.
    outcome: String,
    /// Status and reason code of a refusal.
    refusal: Option<Refusal>,
    /// From the INVITE to the 200, in milliseconds.
    setup_ms: Option<f64>,
    /// From the INVITE to the end, in milliseconds.
    duration_ms: Option<f64>,
    /// The RTP figures.
    media: Option<Media>,
    /// The verification whose code was keyed in.
    verification: Option<String>,
    /// The serial number of what it issued.
    certificate: Option<String>,
}

/// A signed identity, without the numbers that it is about.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SignedIdentity)]
pub struct Signed {
    /// `A`, `B` or `C` if it holds; or the code of the first check that failed.
    #[schema(example = "A")]
    verdict: String,
    /// What it says: `A`, `B` or `C`.
    attest: Option<String>,
    /// What it calls the caller's customer or gateway: free text of whoever wrote it, as is `x5u`.
    origid: Option<String>,
    /// When it was made, in seconds since 1970.
    iat: Option<i64>,
    /// Where its certificate lies, as it says.
    x5u: Option<String>,
    /// The service provider codes of the certificate, or of a delegate its provider's, if the signature is by its key.
    spc: Option<String>,
    /// SHA-256 of the certificate, in hexadecimal digits, if the signature is by its key.
    certificate: Option<String>,
}

/// Why a call was refused.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Refusal {
    /// The SIP status.
    status: i64,
    /// The reason code, such as `no-session`.
    reason: String,
    /// The same in words, in English.
    explanation: &'static str,
}

/// What the media of a call was like.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Media {
    /// RTP packets sent.
    packets_sent: u64,
    /// RTP packets taken.
    packets_received: u64,
    /// Packets missing by sequence number.
    packets_lost: u64,
    /// Packets from elsewhere, dropped.
    packets_foreign: u64,
    /// Packets that were not authentic, or came again, where they had to be protected; dropped.
    packets_unauthentic: u64,
    /// The suite that protected the media (SRTP), such as `AES_CM_128_HMAC_SHA1_80`; null if any of it could be in the clear.
    srtp: Option<&'static str>,
    /// Interarrival jitter (RFC 3550 6.4.1), in milliseconds.
    jitter_ms: f64,
    /// Estimated mean opinion score of what was received, 1 to 4.41 (E-model).
    mos_received: Option<f64>,
    /// The same of what was sent.
    mos_sent: Option<f64>,
    /// What the other side reported of the packets sent (RTCP).
    reported: Option<Reported>,
}

/// What the other side of a call reported, last.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Reported {
    /// Packets that should have arrived by then.
    packets_expected: u64,
    /// Those that had not.
    packets_lost: u64,
    /// Interarrival jitter, in milliseconds.
    jitter_ms: f64,
    /// To the other side and back, in milliseconds.
    round_trip_ms: Option<f64>,
}

/// A call with everything that happened in it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct WholeCall {
    #[serde(flatten)]
    call: Call,
    /// Oldest first.
    events: Vec<Event>,
}

/// Something that happened in a call.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Event {
    /// Its place.
    number: i64,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    /// `sent`, `received`, `signed`, `answered`, `step`, `key`, `refused`, `over`.
    kind: String,
    /// A step's name, a reason code, a verdict on a signed identity; how a key came (`telephone-event`, `in-band`, `info`) and, where one digit was asked
    /// for, `right` or `wrong` after it; never the key.
    what: Option<String>,
    /// Start line and CSeq of a SIP message, with numbers masked.
    message: Option<String>,
}

#[utoipa::path(
    get, path = "/v1/calls", tag = "calls", params(Asked), security(("operator" = [])),
    responses(
        (status = 200, description = "A page of calls; Link names the next", body = Calls),
        (status = 401, description = "Nobody is logged in", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A filter cannot be read", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(app): State<App>,
    _operator: LoggedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let asked = asked.tidied();
    let filter = asked.filter(app.settings.default_country, ROWS + 1)?;
    let (found, has_next) = cut(app.calls.list(&filter).await?, ROWS);
    let next = found.last().filter(|_| has_next).map(|last| format!("/v1/calls{}", asked.from_behind(last).query()));
    Ok(paged(next.as_deref(), &Calls { calls: found.into_iter().map(Call::of).collect(), next: next.clone() }))
}

#[utoipa::path(
    get, path = "/v1/calls/{id}", tag = "calls", params(("id" = String, Path, description = "Names the call")),
    security(("operator" = [])),
    responses(
        (status = 200, description = "The call", body = WholeCall),
        (status = 401, description = "Nobody is logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such call", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn show(
    State(app): State<App>,
    _operator: LoggedIn,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id = CallId::parse(&id).ok_or(WebError::NotFound)?;
    let Story { call, events } = app.calls.story(id).await?.ok_or(WebError::NotFound)?;
    let whole = WholeCall { call: Call::of(call), events: events.into_iter().map(Event::of).collect() };
    Ok(([(CACHE_CONTROL, "no-store")], Json(whole)).into_response())
}

/// A page of a list, with its successor in the Link header (RFC 8288).
pub(super) fn paged(next: Option<&str>, page: &impl Serialize) -> Response {
    let mut response = ([(CACHE_CONTROL, "no-store")], Json(page)).into_response();
    if let Some(link) = next.and_then(|next| format!("<{next}>; rel=\"next\"").parse().ok()) {
        response.headers_mut().insert(LINK, link);
    }
    response
}

fn millis(duration: std::time::Duration) -> f64 {
    // A call's figures have microseconds.
    duration.as_micros() as f64 / 1e3
}

impl Call {
    fn of(call: calls::Call) -> Self {
        Self {
            id: call.id.to_string(),
            call_id: call.sip_call_id,
            began_at: call.began_at,
            trunk: call.trunk,
            source: call.source,
            number: call.last4.as_deref().map(masked::number),
            country: call.country,
            level: call.level.map(|level| level.to_string()),
            held_by: Held::all(call.caps, "en", |sentences| sentences.console),
            line: call.line,
            signed: call.signed.map(Signed::of),
            outcome: call.outcome,
            refusal: call.refusal.map(Refusal::of),
            setup_ms: call.setup.map(millis),
            duration_ms: call.duration.map(millis),
            media: call.quality.map(Media::of),
            verification: call.verification.map(|id| id.to_string()),
            certificate: call.serial,
        }
    }
}

impl Signed {
    fn of(signed: calls::Signed) -> Self {
        let calls::Signed { verdict, attest, origid, iat, x5u, spc, certificate } = signed;
        Self { verdict, attest, origid, iat, x5u, spc, certificate }
    }
}

impl Refusal {
    fn of((status, reason): (i64, String)) -> Self {
        // A node of another version may know reasons that this one does not.
        let explanation = Reason::from_code(&reason).map_or("", |reason| reason.sentences("en").console);
        Self { status, reason, explanation }
    }
}

impl Media {
    fn of(calls::Rated { quality, mos_received, mos_sent }: calls::Rated) -> Self {
        let mos = |mos: Option<Mos>| mos.map(|mos| f64::from(mos.hundredths) / 100.0);
        Self {
            packets_sent: quality.packets_sent,
            packets_received: quality.packets_received,
            packets_lost: quality.packets_lost,
            packets_foreign: quality.packets_foreign,
            packets_unauthentic: quality.packets_unauthentic,
            srtp: quality.srtp.map(Suite::name),
            jitter_ms: millis(quality.jitter),
            mos_received: mos(mos_received),
            mos_sent: mos(mos_sent),
            reported: quality.reported.map(|reported| Reported {
                packets_expected: reported.packets_expected,
                packets_lost: reported.packets_lost,
                jitter_ms: millis(reported.jitter),
                round_trip_ms: reported.round_trip.map(millis),
            }),
        }
    }
}

impl Event {
    fn of(event: calls::Event) -> Self {
        let calls::Event { number, at, kind, what, message } = event;
        Self { number, at, kind, what, message: message.map(|message| masked::summary(message.expose())) }
    }
}
