//! What the key of a certificate does by its signature alone, without a login: `/v1/certificates/{serial}/…`.
//!
//! The text that is signed is in docs/protocol.md, "The old key".

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{post, put};
use ca::Serial;
use ca::old_key::Signature;
use ivr_core::caller::Caps;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::body::{Body, private};
use super::certificate::Certificate;
use crate::hex;
use crate::issue::{FirstListing, Listing, OldKeyError, Signed};
use crate::web::App;
use crate::web::error::{Problem, WebError};

/// What a key may ask of its certificate.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/v1/certificates/{serial}/nonce", post(nonce))
        .route("/v1/certificates/{serial}/renew", post(renew))
        .route("/v1/certificates/{serial}/veto", post(veto))
        .route("/v1/certificates/{serial}/lift", post(lift))
        .route("/v1/certificates/{serial}/withdraw", post(withdraw))
        .route("/v1/certificates/{serial}/location-key", put(locate))
        .route("/v1/keys/{key}/nonce", post(nonce_of_key))
}

/// A nonce.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Nonce {
    /// Hexadecimal: the fourth line of what is signed.
    nonce: String,
    /// Until when it counts.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

/// A signature over `lift` or `withdraw`.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// As it was given.
    nonce: String,
    /// Base64: ECDSA with SHA-256 in DER, or Ed25519.
    signature: String,
}

/// A signature over `veto`.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Veto {
    /// As it was given.
    nonce: String,
    /// The key that waits: SHA-256 of its subjectPublicKeyInfo, hexadecimal. `lookup` shows its first half.
    key: String,
    /// Base64: ECDSA with SHA-256 in DER, or Ed25519.
    signature: String,
}

/// A signature over `renew`.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// As it was given.
    nonce: String,
    /// A PKCS#10 request in PEM, by the new key (or by the old one again).
    csr: String,
    /// Whether a record goes into the directory. There is no default.
    publish: bool,
    /// Base64: ECDSA with SHA-256 in DER, or Ed25519.
    signature: String,
}

/// A signature over `locate`, by both keys.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// As it was given.
    nonce: String,
    /// The Ed25519 key of the owner's location records, hexadecimal; null to list none any more.
    location_key: Option<String>,
    /// The X25519 key to which friends encrypt, hexadecimal.
    kem_key: Option<String>,
    /// Base64, by the certificate's key.
    signature: String,
    /// Base64, by the location key over the same text.
    location_signature: Option<String>,
}

/// The same before there is a certificate, in `POST /v1/verifications`: a signature by the key of the request, over its hash.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstLocation {
    /// From `POST /v1/keys/{key}/nonce`.
    nonce: String,
    /// The Ed25519 key of the owner's location records, hexadecimal.
    location_key: String,
    /// The X25519 key to which friends encrypt, hexadecimal.
    kem_key: Option<String>,
    /// Base64, by the key of the request.
    signature: String,
    /// Base64, by the location key over the same text.
    location_signature: String,
}

/// Get a nonce for a statement of a certificate's key. It is given for every serial number.
#[utoipa::path(post, path = "/v1/certificates/{serial}/nonce", tag = "old key",
    params(("serial" = String, Path, description = "Hexadecimal")), responses(
    (status = 200, description = "Good for ten minutes", body = Nonce),
    (status = 404, description = "No serial number", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn nonce(State(app): State<App>, Path(serial): Path<String>) -> Result<Response, WebError> {
    let (nonce, expires_at) = app.issue.nonce(&read(&serial)?, app.clock.wall());
    Ok(private(Nonce { nonce, expires_at }))
}

/// Get a nonce for a statement of a key that has no certificate yet. It is given for every key.
#[utoipa::path(post, path = "/v1/keys/{key}/nonce", tag = "old key",
    params(("key" = String, Path, description = "SHA-256 of the subjectPublicKeyInfo, hexadecimal")), responses(
    (status = 200, description = "Good for ten minutes", body = Nonce),
    (status = 422, description = "No hash", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn nonce_of_key(State(app): State<App>, Path(key): Path<String>) -> Result<Response, WebError> {
    let key = hex::read_array(&key).ok_or_else(|| no_public_key("key"))?;
    let (nonce, expires_at) = app.issue.nonce_of_key(&key, app.clock.wall());
    Ok(private(Nonce { nonce, expires_at }))
}

/// Renew a certificate by its key, within 45 days of the number's last call. The level stays what the call proved.
#[utoipa::path(post, path = "/v1/certificates/{serial}/renew", tag = "old key", request_body = Renewal,
    params(("serial" = String, Path, description = "Hexadecimal")), responses(
    (status = 200, description = "The new certificate; the old one is superseded", body = Certificate),
    (status = 409, description = "The number has to call", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Not signed by that key, or the request is refused", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Busy: see Retry-After", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn renew(
    State(app): State<App>,
    Path(serial): Path<String>,
    Body(renewal): Body<Renewal>,
) -> Result<Response, WebError> {
    let (serial, signature) = (read(&serial)?, signature(&renewal.signature)?);
    let signed = Signed { serial: &serial, nonce: &renewal.nonce, signature: &signature };
    let renewed = app.issue.renew(&signed, renewal.csr.as_bytes(), renewal.publish, app.clock.wall()).await?;
    let is_code_only = app.issue.authority().states_code_only(&renewed.certificate_pem);
    // The call was long ago: what held its level down is not on record any more.
    Ok(private(Certificate::of(renewed, is_code_only, Caps::default(), "en")))
}

/// Stop a key that waits to take the number of a certificate, by that certificate's key.
#[utoipa::path(post, path = "/v1/certificates/{serial}/veto", tag = "old key", request_body = Veto,
    params(("serial" = String, Path, description = "Hexadecimal")), responses(
    (status = 204, description = "It will never be certified on that call"),
    (status = 409, description = "No such key waits", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Not signed by that key", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn veto(
    State(app): State<App>,
    Path(serial): Path<String>,
    Body(veto): Body<Veto>,
) -> Result<Response, WebError> {
    let (serial, signature) = (read(&serial)?, signature(&veto.signature)?);
    let key = hex::read_array(&veto.key).ok_or_else(|| WebError::field("key: 64 lower-case hexadecimal digits"))?;
    let signed = Signed { serial: &serial, nonce: &veto.nonce, signature: &signature };
    app.issue.veto(&signed, key, app.clock.wall()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Lift the suspension of a certificate, by its key.
#[utoipa::path(post, path = "/v1/certificates/{serial}/lift", tag = "old key", request_body = Statement,
    params(("serial" = String, Path, description = "Hexadecimal")), responses(
    (status = 204, description = "It is in force again: list and directory follow"),
    (status = 409, description = "It is not suspended", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Not signed by that key", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn lift(
    State(app): State<App>,
    Path(serial): Path<String>,
    Body(statement): Body<Statement>,
) -> Result<Response, WebError> {
    done(&serial, &statement, async |signed| app.issue.lift(signed, app.clock.wall()).await).await
}

/// Take the record of a certificate out of the directory, by its key. The certificate stays good.
#[utoipa::path(post, path = "/v1/certificates/{serial}/withdraw", tag = "old key", request_body = Statement,
    params(("serial" = String, Path, description = "Hexadecimal")), responses(
    (status = 204, description = "A tombstone follows"),
    (status = 409, description = "The directory does not show it", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Not signed by that key", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn withdraw(
    State(app): State<App>,
    Path(serial): Path<String>,
    Body(statement): Body<Statement>,
) -> Result<Response, WebError> {
    done(&serial, &statement, async |signed| app.issue.withdraw_by_key(signed, app.clock.wall()).await).await
}

/// Reads what was signed, and does it.
async fn done(
    serial: &str,
    Statement { nonce, signature: text }: &Statement,
    act: impl AsyncFnOnce(&Signed<'_>) -> Result<(), OldKeyError>,
) -> Result<Response, WebError> {
    let (serial, signature) = (read(serial)?, signature(text)?);
    act(&Signed { serial: &serial, nonce, signature: &signature }).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// List the key of the owner's location records beside a certificate, or none any more. The directory follows.
#[utoipa::path(put, path = "/v1/certificates/{serial}/location-key", tag = "old key", request_body = Location,
    params(("serial" = String, Path, description = "Hexadecimal")), responses(
    (status = 204, description = "Listed; if the directory shows the certificate, the keys follow"),
    (status = 409, description = "The certificate is not in force", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Not signed by both keys", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn locate(
    State(app): State<App>,
    Path(serial): Path<String>,
    Body(location): Body<Location>,
) -> Result<Response, WebError> {
    let (serial, by_owner) = (read(&serial)?, signature(&location.signature)?);
    let (listed, kem) =
        (public_key("location_key", &location.location_key)?, public_key("kem_key", &location.kem_key)?);
    let agreed = location.location_signature.as_deref().map(signature).transpose()?;
    let listing = match (listed, kem, &agreed) {
        (Some(location), kem, Some(agreed)) => Some(Listing { location, kem, agreed }),
        (None, None, None) => None,
        _ => return Err(WebError::field("location_key and location_signature go together, kem_key only with them")),
    };
    let signed = Signed { serial: &serial, nonce: &location.nonce, signature: &by_owner };
    app.issue.locate(&signed, listing.as_ref(), app.clock.wall()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn read(serial: &str) -> Result<Serial, WebError> {
    Serial::parse(serial).ok_or(WebError::NotFound)
}

impl FirstLocation {
    /// What it says, if it can be read.
    pub(super) fn read(&self) -> Result<FirstListing, WebError> {
        let location = hex::read_array(&self.location_key).ok_or_else(|| no_public_key("location_key"))?;
        let kem = public_key("kem_key", &self.kem_key)?;
        let (signature, agreed) = (signature(&self.signature)?, signature(&self.location_signature)?);
        Ok(FirstListing { nonce: self.nonce.clone(), location, kem, signature, agreed })
    }
}

fn public_key(field: &str, text: &Option<String>) -> Result<Option<[u8; 32]>, WebError> {
    text.as_deref().map(|text| hex::read_array(text).ok_or_else(|| no_public_key(field))).transpose()
}

fn no_public_key(field: &str) -> WebError {
    WebError::field(format!("{field}: 64 lower-case hexadecimal digits"))
}

/// A signature as programs send it.
pub(super) fn signature(text: &str) -> Result<Signature, WebError> {
    Signature::parse(text).map_err(|error| WebError::field(format!("signature: {error}")))
}
