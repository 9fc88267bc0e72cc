//! `/v1/items`: the records of the directory, byte for byte as DHTs keep them, for who speaks only HTTP.
//!
//! Pages of any origin may ask: an item is signed and sealed, and no cookie has a meaning here.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue,
};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use dht_client::item::SALT_LIMIT;
use dht_client::{Item, Slot};

use crate::gateway::GatewayError;
use crate::hex;
use crate::web::App;
use crate::web::error::{Problem, WebError};
use crate::web::limits::{self, Source};

/// The largest item: a value of 996 bytes, and what stands around it.
const ITEM_BYTES: usize = 1300;
const ITEM: &str = "application/octet-stream";
/// Where all of it lies.
const ROOT: &str = "/v1/items/";
/// What a page of another origin may read beside the answer: whether it is whole, and when to come again.
const EXPOSED: &str = "dialproof-complete, retry-after";

/// Whether all who had to be asked answered, a boolean of RFC 8941: if not, a later item may be hidden.
const COMPLETE: &str = "dialproof-complete";

/// `/v1/items/{key}/{salt}`
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/v1/items/{key}/{salt}", get(show).put(put).options(preflight))
        .layer(DefaultBodyLimit::max(ITEM_BYTES))
}

/// The layer that lets pages of any origin see every answer about items, also of those layers that refuse before a route is
/// reached: without it, such a page would hear that its request failed, and not that it shall wait.
pub(in crate::web) async fn for_all_origins(request: Request, next: Next) -> Response {
    let is_ours = request.uri().path().starts_with(ROOT);
    let mut response = next.run(request).await;
    if is_ours {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
    response
}

/// The item that counts in a slot of this directory: of its directory key, or of a location key that it lists.
#[utoipa::path(get, path = "/v1/items/{key}/{salt}", tag = "directory", params(
    ("key" = String, Path, description = "The slot's Ed25519 key, hexadecimal"),
    ("salt" = String, Path, description = "The slot's salt, hexadecimal"),
), responses(
    (status = 200, description = "The item's bytes (docs/records.md); check its signature", body = Vec<u8>, content_type = "application/octet-stream", headers(
        ("Dialproof-Complete" = String, description = "`?1` if all who had to be asked answered, `?0` if a later item may be hidden"),
    )),
    (status = 404, description = "`empty-slot`: all who had to be asked say that there is nothing; `foreign-slot`: not of this directory", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too much was asked from here: see Retry-After", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Nobody can say now: see Retry-After", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn show(
    State(app): State<App>,
    Source(source): Source,
    Path((key, salt)): Path<(String, String)>,
) -> Result<Response, WebError> {
    // Each look-up asks many nodes: it counts as much as a post.
    limits::admit(&app, source)?;
    let slot = slot(&key, &salt)?;
    let (item, complete) = app.gateway.get(&slot, app.clock.wall()).await?;
    let headers = [
        (CONTENT_TYPE, ITEM),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static(COMPLETE), if complete { "?1" } else { "?0" }),
    ];
    Ok((headers, item.to_bytes()).into_response())
}

/// Put an item again, or a later one. Whoever has its bytes may: it is signed.
#[utoipa::path(put, path = "/v1/items/{key}/{salt}", tag = "directory", params(
    ("key" = String, Path, description = "The slot's Ed25519 key, hexadecimal"),
    ("salt" = String, Path, description = "The slot's salt, hexadecimal"),
), request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The item's bytes (docs/records.md)"), responses(
    (status = 204, description = "It is there"),
    (status = 404, description = "`foreign-slot`: not of this directory", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "A later item is there", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Not an item of this slot, or not signed by its key", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too much was put from here, or into too many slots of a location key today: see Retry-After", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Busy: see Retry-After", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn put(
    State(app): State<App>,
    Path((key, salt)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, WebError> {
    let now = app.clock.wall();
    let item = Item::from_bytes(&body, &slot(&key, &salt)?, now);
    let item = item.map_err(|error| WebError::field(format!("the body: {error}")))?;
    app.gateway.put(&item, now).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What a browser asks before a page of another origin puts (Fetch, "CORS-preflight").
async fn preflight() -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, PUT"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
        (ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

fn slot(key: &str, salt: &str) -> Result<Slot, WebError> {
    let key = hex::read_array(key);
    let salt = hex::read(salt).filter(|salt| salt.len() <= SALT_LIMIT);
    let (Some(key), Some(salt)) = (key, salt) else {
        return Err(WebError::field("a slot is a key of 64 and a salt of 2 to 128 lower-case hexadecimal digits"));
    };
    Slot::new(key, &salt).map_err(|error| WebError::field(error.to_string()))
}

impl From<GatewayError> for WebError {
    fn from(error: GatewayError) -> Self {
        match error {
            GatewayError::Foreign => Self::Missing { kind: "foreign-slot", detail: error.to_string() },
            GatewayError::Nothing => Self::Missing { kind: "empty-slot", detail: error.to_string() },
            GatewayError::TooMany { retry_after } => Self::TooMany { retry_after },
            GatewayError::Stale { .. } => Self::Conflict { kind: "not-expected", detail: error.to_string() },
            GatewayError::Busy => Self::Busy,
            GatewayError::Store(error) => error.into(),
        }
    }
}
