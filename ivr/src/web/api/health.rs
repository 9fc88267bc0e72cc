//! Whether the service works, and how much it does.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use ca::Issuing;
use serde::Serialize;
use tokio::time::timeout;

use crate::web::error::WebError;
use crate::web::limits::Source;
use crate::web::{App, metrics};

/// What does not answer by then does not work.
const PATIENCE: Duration = Duration::from_secs(3);

/// `/healthz` and `/metrics`
pub(super) fn routes() -> Router<App> {
    Router::new().route("/healthz", get(healthz)).route("/metrics", get(metrics))
}

/// What works.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Health {
    /// `ok`; `degraded` if certificates are issued but not published now; `failing` if none can be issued.
    status: &'static str,
    /// The database answers.
    database: bool,
    /// The authority signs.
    authority: bool,
    /// Each DHT.
    directory: Vec<Directory>,
}

/// A DHT.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Directory {
    /// Its name.
    backend: &'static str,
    /// Nodes or proxies that answer.
    reachable: usize,
    /// Of how many, where there is a list.
    configured: usize,
}

/// Whether the service works: for whoever restarts it or routes to it.
#[utoipa::path(get, path = "/healthz", tag = "operation", responses(
    (status = 200, description = "It issues certificates", body = Health),
    (status = 503, description = "It does not", body = Health),
))]
pub(super) async fn healthz(State(app): State<App>) -> Response {
    let now = app.clock.wall();
    let (database, authority, directory) = tokio::join!(
        timeout(PATIENCE, app.store.ping()),
        // A list is signed, or was a moment ago.
        timeout(PATIENCE, app.issue.crl(Issuing::Tel, now)),
        timeout(PATIENCE, (app.directory)()),
    );
    let (database, authority) = (matches!(database, Ok(Ok(()))), matches!(authority, Ok(Ok(_))));
    let directory: Vec<Directory> = directory
        .unwrap_or_default()
        .into_iter()
        .map(|health| Directory { backend: health.backend, reachable: health.reachable, configured: health.configured })
        .collect();
    let status = match (database && authority, directory.iter().any(|directory| directory.reachable > 0)) {
        (true, true) => "ok",
        (true, false) => "degraded",
        (false, _) => "failing",
    };
    let code = if status == "failing" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let health = Health { status, database, authority, directory };
    (code, [(CACHE_CONTROL, "no-store")], Json(health)).into_response()
}

/// Counters in Prometheus' text format, for this machine and private networks.
#[utoipa::path(get, path = "/metrics", tag = "operation", responses(
    (status = 200, description = "Counters", body = String, content_type = "text/plain"),
    (status = 404, description = "Asked from the Internet", body = String),
))]
pub(super) async fn metrics(State(app): State<App>, Source(source): Source) -> Result<Response, WebError> {
    if !is_near(source) {
        return Err(WebError::NotFound);
    }
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics::text(&app).await?).into_response())
}

/// How much a service does is its operator's business (RFC 1918, RFC 4193).
fn is_near(source: IpAddr) -> bool {
    match source {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_sources_read_the_counters() {
        for source in ["127.0.0.1", "::1", "10.1.2.3", "fd00::1"] {
            assert!(is_near(source.parse().unwrap()), "{source}");
        }
        for source in ["192.0.2.1", "2001:db8::1", "0.0.0.0"] {
            assert!(!is_near(source.parse().unwrap()), "{source}");
        }
    }
}
