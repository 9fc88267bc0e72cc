//! Failures as people and programs see them. [`WebError`] alone knows status and public words; [`present`] turns it into
//! a problem document (RFC 9457) under `/v1` and into a page elsewhere, and does the same for what axum refuses by
//! itself (404, 405, 413, 415, malformed bodies). Every failure of ours says one constant sentence; its cause is logged.
//!
//! To add one: a variant, its arm in [`WebError::problem`], its row in [`KINDS`] (`error/kinds.rs`).

mod kinds;

use std::time::Duration;

use axum::Json;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ivr_core::number::NumberError;
use serde::Serialize;

pub use self::kinds::{KINDS, Kind};
use super::App;
use super::page::{self, Frame};
use crate::issue::{IssueError, OldKeyError};
use crate::puzzle::Puzzle;
use crate::store::StoreError;
use crate::verify::{AccessError, StartError};

/// Why a request is not answered as its sender hoped.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WebError {
    /// No such page or resource, or one that this sender may not know of.
    #[error("there is nothing here")]
    NotFound,
    /// Nothing, and it is no secret why. The kind is a name of [`KINDS`].
    #[error("{detail}")]
    Missing {
        /// A name of [`KINDS`].
        kind: &'static str,
        /// Why there is nothing.
        detail: String,
    },
    /// The operator has no sandbox.
    #[error("no [sandbox] is configured at this service")]
    NoSandbox,
    /// The body cannot be read.
    #[error("{0}")]
    Malformed(String),
    /// The number is none.
    #[error("{0}")]
    Number(NumberError),
    /// The digits are not those that the voice read.
    #[error("these are not the digits that the voice read")]
    WrongDigits {
        /// How often they may still be wrong.
        left: u8,
    },
    /// Something in it is not accepted. The kind is a name of [`KINDS`], the sentence says what to change.
    #[error("{detail}")]
    Refused {
        /// A name of [`KINDS`].
        kind: &'static str,
        /// What to change.
        detail: String,
    },
    /// It is well-formed, but not now. The kind is a name of [`KINDS`].
    #[error("{detail}")]
    Conflict {
        /// A name of [`KINDS`].
        kind: &'static str,
        /// Why not now.
        detail: String,
    },
    /// Nobody said who they are.
    #[error("{0}")]
    Unauthorized(&'static str),
    /// They may not do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The token of the form is missing, old or another visitor's.
    #[error("the page was open for too long, or cookies are off: open it again, and send it again")]
    FormExpired,
    /// Too many begin, or many of this number wait: some work first.
    #[error(
        "many verifications begin just now, or wait for this number: find a solution of the puzzle, and send the same again with it"
    )]
    Puzzle(Puzzle),
    /// As many verifications of a number are open as may be.
    #[error(
        "as many verifications of this number are open as may be: finish or stop one of yours, or wait {}",
        in_words(*retry_after)
    )]
    NumberFull {
        /// When one of them ends by itself.
        retry_after: Duration,
    },
    /// Too many from this source.
    #[error("too many requests came from here: wait {}", in_words(*retry_after))]
    TooMany {
        /// When it may be tried again.
        retry_after: Duration,
    },
    /// The database is busy: the same again in a moment may succeed.
    #[error("the service is busy: try again in a moment")]
    Busy,
    /// The database has no room: the same succeeds once its operator has made some.
    #[error("the service has no room left to store anything: its operator sees that, too; try again in a while")]
    Full,
    /// A fault of ours. The text is for the log.
    #[error("{0}")]
    Fault(String),
}

/// What everybody hears of our own failures.
const OUR_FAULT: &str = "The service cannot do this now. Try again in a few minutes.";
/// After a busy database.
const SOON: Duration = Duration::from_secs(2);
/// After a full disk, which takes somebody to clean up.
const A_WHILE: Duration = Duration::from_secs(60);
/// Longer explanations of axum's own refusals are cut.
const LONGEST_DETAIL: usize = 500;

/// A problem document.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// `/problems/` and a name that never changes.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for every problem of this type.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened here, and what to do.
    pub detail: String,
    /// Of `wrong-digits`: how often they may still be wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_backs_left: Option<u8>,
    /// Of `number`: the number that was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub did_you_mean: Option<String>,
    /// Of `puzzle`: the work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub puzzle: Option<Puzzle>,
    #[serde(skip)]
    #[schema(ignore)]
    retry_after: Option<Duration>,
}

impl WebError {
    /// A field that is missing or wrong.
    pub fn field(detail: impl Into<String>) -> Self {
        Self::Refused { kind: "invalid-field", detail: detail.into() }
    }

    /// What goes out.
    pub fn problem(&self) -> Problem {
        let (status, kind, retry_after) = match self {
            Self::NotFound | Self::NoSandbox => (StatusCode::NOT_FOUND, "not-found", None),
            Self::Missing { kind, .. } => (StatusCode::NOT_FOUND, *kind, None),
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed", None),
            Self::Number(_) => (StatusCode::UNPROCESSABLE_ENTITY, "number", None),
            Self::WrongDigits { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "wrong-digits", None),
            Self::Refused { kind, .. } => (StatusCode::UNPROCESSABLE_ENTITY, *kind, None),
            Self::Conflict { kind, .. } => (StatusCode::CONFLICT, *kind, None),
            Self::Unauthorized(_) => (StatusCode::UNAUTHORIZED, "unauthorized", None),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden", None),
            Self::FormExpired => (StatusCode::FORBIDDEN, "form-expired", None),
            // RFC 6585 3.
            Self::Puzzle(_) => (StatusCode::PRECONDITION_REQUIRED, "puzzle", None),
            Self::NumberFull { retry_after } => (StatusCode::TOO_MANY_REQUESTS, "number-full", Some(*retry_after)),
            Self::TooMany { retry_after } => (StatusCode::TOO_MANY_REQUESTS, "too-many-requests", Some(*retry_after)),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy", Some(SOON)),
            Self::Full => (StatusCode::SERVICE_UNAVAILABLE, "full", Some(A_WHILE)),
            Self::Fault(_) => (StatusCode::INTERNAL_SERVER_ERROR, "fault", None),
        };
        let detail = match self {
            Self::Fault(_) => OUR_FAULT.to_owned(),
            other => sentence(&other.to_string()),
        };
        let mut problem = Problem { retry_after, ..Problem::new(status, kind, detail) };
        match self {
            Self::Number(error) => problem.did_you_mean = error.did_you_mean().map(str::to_owned),
            Self::WrongDigits { left } => problem.read_backs_left = Some(*left),
            Self::Puzzle(puzzle) => problem.puzzle = Some(puzzle.clone()),
            _ => {}
        }
        problem
    }
}

impl Problem {
    fn new(status: StatusCode, kind: &str, detail: String) -> Self {
        let title = Kind::of(kind).map_or(kind, |kind| kind.title);
        let (kind, title) = (format!("/problems/{kind}"), title.to_owned());
        Self {
            kind,
            title,
            status: status.as_u16(),
            detail,
            read_backs_left: None,
            did_you_mean: None,
            puzzle: None,
            retry_after: None,
        }
    }

    /// A refusal that axum made by itself, in its words.
    fn of_status(status: StatusCode, words: String) -> Self {
        let (kind, constant) = match status {
            StatusCode::NOT_FOUND => ("not-found", Some("There is nothing here.")),
            StatusCode::METHOD_NOT_ALLOWED => ("method-not-allowed", Some("See the Allow header.")),
            StatusCode::PAYLOAD_TOO_LARGE => ("too-large", Some("Send less.")),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ("unsupported-media-type", None),
            StatusCode::UNPROCESSABLE_ENTITY => ("invalid-field", None),
            status if status.is_server_error() => ("fault", Some(OUR_FAULT)),
            _ => ("malformed", None),
        };
        Self::new(status, kind, constant.map_or(words, str::to_owned))
    }
}

impl IntoResponse for WebError {
    /// Only [`present`] knows whether a page or a document is wanted.
    fn into_response(self) -> Response {
        match &self {
            Self::Fault(cause) => tracing::error!(cause, "a request failed"),
            Self::Full => tracing::error!("a request failed: the disk of the database is full"),
            Self::Busy => tracing::warn!("a request met a busy database or directory"),
            _ => {}
        }
        let problem = self.problem();
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(problem);
        response
    }
}

/// The layer that writes every failure's body.
pub async fn present(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_for_program = ["/v1", "/openapi.json", "/.well-known"].iter().any(|at| request.uri().path().starts_with(at));
    let mut response = next.run(request).await;
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if is_bare_failure(&response) => {
            let (parts, body) = response.into_parts();
            // axum's refusals are short; anything else is not for the public.
            let words = to_bytes(body, LONGEST_DETAIL).await.unwrap_or_default();
            let problem = Problem::of_status(parts.status, sentence(&String::from_utf8_lossy(&words)));
            response = parts.status.into_response();
            *response.headers_mut() = parts.headers;
            problem
        }
        None => return response,
    };
    let mut presented = if is_for_program { document(&problem) } else { error_page(&app, &problem) };
    for (name, value) in response.headers() {
        if !["content-type", "content-length"].contains(&name.as_str()) {
            presented.headers_mut().append(name, value.clone());
        }
    }
    if let Some(wait) = problem.retry_after {
        presented.headers_mut().insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
    }
    if problem.status == StatusCode::UNAUTHORIZED.as_u16() && is_for_program {
        presented.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    presented
}

/// For every path that is no page.
pub async fn not_found() -> WebError {
    WebError::NotFound
}

fn is_bare_failure(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_failure = response.status().is_client_error() || response.status().is_server_error();
    is_failure && !kind.starts_with("text/html") && !kind.starts_with("application/")
}

fn document(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(problem)).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

#[derive(askama::Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    frame: Frame,
    problem: &'a Problem,
}

fn error_page(app: &App, problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match page::text(&ErrorPage { frame: Frame::without_forms(app), problem }) {
        Ok(text) => (status, axum::response::Html(text)).into_response(),
        Err(_) => (status, problem.detail.clone()).into_response(),
    }
}

/// Rounded up: who comes a moment too early is refused again.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0 || wait.is_zero())
}

fn in_words(wait: Duration) -> String {
    match whole_seconds(wait) {
        1 => "a second".to_owned(),
        seconds @ ..100 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}

/// A lower-case error as a sentence. The name of a field at its beginning, as in `number: …`, is left as a program writes it.
pub fn sentence(error: &str) -> String {
    let mut chars = error.trim().chars();
    let Some(first) = chars.next() else { return String::new() };
    let begins_with_a_name = error.split_whitespace().next().is_some_and(|word| word.ends_with(':'));
    let text: String =
        if begins_with_a_name { error.trim().to_owned() } else { first.to_uppercase().chain(chars).collect() };
    if text.ends_with(['.', '?', '!']) { text } else { text + "." }
}

impl From<StoreError> for WebError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::Busy,
            StoreError::Full => Self::Full,
            StoreError::Failed(_) => Self::Fault(error.to_string()),
        }
    }
}

impl From<Puzzle> for WebError {
    fn from(puzzle: Puzzle) -> Self {
        Self::Puzzle(puzzle)
    }
}

impl From<AccessError> for WebError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Unknown => Self::NotFound,
            AccessError::Store(error) => error.into(),
        }
    }
}

impl From<StartError> for WebError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Request(error) => Self::Refused { kind: "certificate-request", detail: error.to_string() },
            StartError::NoKey(_) | StartError::BlockedKey => {
                Self::Refused { kind: "certificate-request", detail: error.to_string() }
            }
            StartError::NotListed(_) | StartError::NothingBeside => Self::field(format!("location: {error}")),
            StartError::NoEndpoint => Self::field(format!("webhook: {error}")),
            StartError::Kind(_) | StartError::TestNumber | StartError::OwnNumber => {
                Self::Refused { kind: "number-kind", detail: error.to_string() }
            }
            StartError::NumberFull { retry_after } => Self::NumberFull { retry_after },
            StartError::TooMany { retry_after } => Self::TooMany { retry_after },
            StartError::Store(error) => error.into(),
        }
    }
}

impl From<IssueError> for WebError {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Unknown => Self::NotFound,
            IssueError::AlreadyRevoked => Self::Conflict { kind: "not-expected", detail: error.to_string() },
            IssueError::Refused(detail) => Self::Refused { kind: "certificate-request", detail },
            IssueError::Store(error) => error.into(),
            IssueError::Signing => Self::Fault(error.to_string()),
        }
    }
}

impl From<OldKeyError> for WebError {
    fn from(error: OldKeyError) -> Self {
        match error {
            OldKeyError::NotSigned => Self::Refused { kind: "old-key", detail: error.to_string() },
            OldKeyError::NotNow(detail) => Self::Conflict { kind: "not-expected", detail: detail.to_owned() },
            OldKeyError::TooSoon(_) => Self::Conflict { kind: "not-expected", detail: error.to_string() },
            OldKeyError::Key(refusal) => StartError::from(refusal).into(),
            OldKeyError::Issue(error) => error.into(),
        }
    }
}

impl From<askama::Error> for WebError {
    fn from(error: askama::Error) -> Self {
        Self::Fault(format!("a page could not be written: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_has_a_title_of_its_own_and_ours_say_one_sentence() {
        let errors = [
            WebError::NotFound,
            WebError::Missing { kind: "foreign-slot", detail: "x".into() },
            WebError::NoSandbox,
            WebError::Malformed("x".into()),
            WebError::field("x"),
            WebError::Number(NumberError::TooShort),
            WebError::WrongDigits { left: 2 },
            WebError::Conflict { kind: "voided", detail: "x".into() },
            WebError::Unauthorized("x"),
            WebError::Forbidden("x"),
            WebError::FormExpired,
            WebError::NumberFull { retry_after: Duration::ZERO },
            WebError::TooMany { retry_after: Duration::ZERO },
            WebError::Busy,
        ];
        for error in errors {
            let problem = error.problem();
            let kind = problem.kind.strip_prefix("/problems/").and_then(Kind::of);
            assert_eq!(kind.map(|kind| kind.title), Some(problem.title.as_str()), "{error:?}");
        }
        let none = WebError::NoSandbox.problem();
        assert!(none.status == 404 && none.detail.starts_with("No [sandbox] is configured"), "{}", none.detail);
        let fault = WebError::Fault("row 7 of numbers is torn".into()).problem();
        assert_eq!((fault.status, fault.detail.as_str()), (500, OUR_FAULT));
    }

    #[test]
    fn waits_are_rounded_up() {
        let table =
            [(0, "a second"), (1, "a second"), (1900, "2 seconds"), (99_000, "99 seconds"), (599_001, "10 minutes")];
        for (millis, words) in table {
            assert_eq!(in_words(Duration::from_millis(millis)), words, "{millis}");
        }
    }

    #[test]
    fn an_error_becomes_a_sentence() {
        assert_eq!(sentence("the number is too short"), "The number is too short.");
        assert_eq!(sentence("Is it?"), "Is it?");
        assert_eq!(sentence("wehbook: unknown field `wehbook`"), "wehbook: unknown field `wehbook`.");
        assert_eq!(sentence("location.key: no key"), "location.key: no key.");
        assert_eq!(sentence(" "), "");
    }
}
