//! What programs reach: `/v1`, the authority's files, health and metrics, and the description of all of it.
//!
//! A new resource: its handler with a `#[utoipa::path]`, its route, its line in [`Description`], and
//! `UPDATE_OPENAPI=1 cargo test -p ivr openapi`.

pub mod authority;
mod body;
pub mod calls;
pub mod certificate;
pub mod certificates;
pub mod enrolments;
pub mod health;
pub mod items;
pub mod level;
mod locale;
pub mod old_key;
pub mod sandbox;
pub mod verifications;
mod webhooks;

use axum::routing::get;
use axum::{Json, Router};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use self::webhooks::Webhooks;
use super::App;
use super::console::session;

/// The resources.
pub fn routes() -> Router<App> {
    Router::new()
        .merge(verifications::routes())
        .merge(enrolments::routes())
        .merge(calls::routes())
        .merge(certificates::routes())
        .merge(old_key::routes())
        .merge(sandbox::routes())
        .merge(items::routes())
        .merge(authority::routes())
        .merge(health::routes())
        .route("/openapi.json", get(async || Json(description())))
}

/// The description of the API (OpenAPI 3.1).
pub fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Dialproof",
        description = "Prove a telephone number by a call; the certificate goes into a DHT.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT"),
    ),
    paths(
        verifications::start,
        verifications::show,
        verifications::read_back,
        verifications::cancel,
        verifications::old_key,
        verifications::withdraw,
        verifications::events,
        enrolments::begin,
        enrolments::show,
        enrolments::confirm,
        calls::list,
        calls::show,
        certificates::list,
        certificates::revoke,
        old_key::nonce,
        old_key::renew,
        old_key::veto,
        old_key::lift,
        old_key::withdraw,
        sandbox::authority,
        sandbox::start,
        sandbox::show,
        sandbox::call,
        sandbox::meanwhile,
        sandbox::read_back,
        sandbox::cancel,
        old_key::locate,
        old_key::nonce_of_key,
        items::show,
        items::put,
        authority::bundle,
        authority::tel_list,
        authority::email_list,
        authority::keys,
        health::healthz,
        health::metrics,
    ),
    components(schemas(super::sse::Status, crate::event::WebhookEvent)),
    modifiers(&Secret, &Webhooks),
)]
struct Description;

/// How a verification is opened, and who may see calls and certificates.
struct Secret;

impl Modify for Secret {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let scheme =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The secret of the verification"));
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("secret", SecurityScheme::Http(scheme.build()));
        let login = ApiKeyValue::with_description(session::COOKIE_NAME, "An operator's login to the console");
        components.add_security_scheme("operator", SecurityScheme::ApiKey(ApiKey::Cookie(login)));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_committed_openapi_description_is_that_of_this_code() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
        let present = super::description().to_pretty_json().unwrap() + "\n";
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(&file, &present).unwrap();
        }
        let committed = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(committed == present, "docs/openapi.json is out of date: UPDATE_OPENAPI=1 cargo test -p ivr openapi");
    }
}
