//! What the authority publishes: the bundle, the revocation lists, the key of signed results.

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ca::Issuing;

use crate::web::App;
use crate::web::error::{Problem, WebError};

/// `/ca/…` and `/.well-known/jwks.json`
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/ca/bundle.pem", get(bundle))
        .route(ca::authority::TEL_CRL_PATH, get(tel_list))
        .route(ca::authority::EMAIL_CRL_PATH, get(email_list))
        .route("/.well-known/jwks.json", get(keys))
}

/// Everything that a stranger needs to look somebody up.
#[utoipa::path(get, path = "/ca/bundle.pem", tag = "authority", responses(
    (status = 200, description = "Certificates and directory terms, PEM", body = String, content_type = "application/x-pem-file"),
))]
pub(super) async fn bundle(State(app): State<App>) -> Response {
    let headers = [(CONTENT_TYPE, "application/x-pem-file"), (CACHE_CONTROL, "public, max-age=3600")];
    (headers, app.authority.bundle_pem.clone()).into_response()
}

/// The revocation list of certificates for telephone numbers.
#[utoipa::path(get, path = "/ca/tel.crl", tag = "authority", responses(
    (status = 200, description = "A CRL, DER", body = Vec<u8>, content_type = "application/pkix-crl"),
    (status = 503, description = "Busy: see Retry-After", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn tel_list(State(app): State<App>) -> Result<Response, WebError> {
    list(&app, Issuing::Tel).await
}

/// The revocation list of certificates for mailboxes.
#[utoipa::path(get, path = "/ca/email.crl", tag = "authority", responses(
    (status = 200, description = "A CRL, DER", body = Vec<u8>, content_type = "application/pkix-crl"),
    (status = 503, description = "Busy: see Retry-After", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn email_list(State(app): State<App>) -> Result<Response, WebError> {
    list(&app, Issuing::Email).await
}

async fn list(app: &App, issuing: Issuing) -> Result<Response, WebError> {
    let (der, life) = app.issue.crl(issuing, app.clock.wall()).await?;
    let kept = format!("public, max-age={}", life.as_secs());
    Ok(([(CONTENT_TYPE, "application/pkix-crl".to_owned()), (CACHE_CONTROL, kept)], der).into_response())
}

/// The public keys of signed results (RFC 7517).
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "authority", responses(
    (status = 200, description = "A JWK set", body = Object, content_type = "application/jwk-set+json"),
))]
pub(super) async fn keys(State(app): State<App>) -> Response {
    let headers = [(CONTENT_TYPE, "application/jwk-set+json"), (CACHE_CONTROL, "public, max-age=3600")];
    (headers, app.authority.jwks.to_string()).into_response()
}
