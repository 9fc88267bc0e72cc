//! What people and programs reach over HTTP: the pages of a verification, the API, the certificate lists, health and
//! metrics, and the operators' console. Handlers extract, call a use case, render; nothing here says SQL.
//!
//! A page is a template that extends `base.html` and holds a [`Frame`](page::Frame); it is answered by
//! [`page::html`]. A failure is a [`WebError`](error::WebError): it alone knows status and public words, and becomes a
//! problem document under `/v1` and a page elsewhere. A form is a [`csrf::Checked`] form: its token was right.

pub mod about;
pub mod api;
pub mod assets;
pub mod call;
pub mod certificate;
pub mod console;
pub mod csrf;
pub mod email;
pub mod error;
pub mod flood;
pub mod form;
pub mod harden;
pub mod limits;
pub mod listener;
pub mod metrics;
pub mod page;
pub mod session;
mod simulated;
pub mod sse;
pub mod start;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use dht_client::backend::Health;
use futures_util::future::BoxFuture;
use ivr_core::caller::Network;
use ivr_core::number::Country;
use ivr_core::proof::Binding;

use self::simulated::Simulated;
use crate::call_record::CallRecord;
use crate::clock::Clock;
use crate::crowd::Crowd;
use crate::enrol_email::EnrolEmail;
use crate::gateway::Gateway;
use crate::issue::Issue;
use crate::link_status::LinkStatus;
use crate::mail::Catcher;
use crate::operators::Operators;
use crate::sandbox::Sandbox;
use crate::sip_driver::Figures;
use crate::store::Store;
use crate::trunk_probe::TrunkProbes;
use crate::verify::Verify;
use crate::webhooks::Webhooks;

/// Everything a handler may reach. Clones share it.
#[derive(Debug, Clone)]
pub struct App(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    parts: Parts,
    limits: limits::Limits,
    streams: Crowd,
    traffic: metrics::Traffic,
    simulated: Simulated,
}

/// What the service gives to its pages.
pub struct Parts {
    /// The clock, and the only source of chance.
    pub clock: Clock,
    /// Verifications.
    pub verify: Verify,
    /// Certificates.
    pub issue: Issue,
    /// The database.
    pub store: Store,
    /// What the operator decided.
    pub settings: Settings,
    /// The key of the tokens in forms: `KeyFile::derived("csrf")`.
    pub csrf: csrf::Key,
    /// What the authority publishes.
    pub authority: Published,
    /// What the telephone counts, for `/metrics`.
    pub figures: Box<dyn Fn() -> Figures + Send + Sync>,
    /// How it stands with the trunks, for `/metrics`.
    pub links: Box<dyn Fn() -> Vec<LinkStatus> + Send + Sync>,
    /// The state of each DHT, for `/healthz`.
    pub directory: Box<dyn Fn() -> BoxFuture<'static, Vec<Health>> + Send + Sync>,
    /// Where programs rehearse; `None` without `[sandbox]`.
    pub sandbox: Option<Arc<Sandbox>>,
    /// Enrolment by email; `None` without `[smtp]`.
    pub enrol: Option<EnrolEmail>,
    /// Records of the directory over HTTP.
    pub gateway: Gateway,
    /// Call records.
    pub calls: CallRecord,
    /// The console's people.
    pub operators: Operators,
    /// Where events go, for `/metrics`.
    pub webhooks: Webhooks,
    /// The work that starts cost under a flood.
    pub flood: flood::Flood,
    /// What arrives of the calls that they announce.
    pub probes: TrunkProbes,
}

/// What the operator decided about pages.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What the pages call the service.
    pub service_name: String,
    /// Where people find the pages, without a slash at the end; cookies are `Secure` if it is https.
    pub public_url: String,
    /// Languages that pages and voice have, such as `en`; the first is for everybody else.
    pub languages: Vec<String>,
    /// What ties telephone and page together.
    pub binding: Binding,
    /// The country of numbers typed without a country code.
    pub default_country: Option<Country>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Where records go, in words: `mainline`, `an OpenDHT`.
    pub directory: String,
    /// The service is a demonstration.
    pub demo: Option<DemoPlaces>,
}

/// Where a demonstration's parts are found.
#[derive(Debug, Clone)]
pub struct DemoPlaces {
    /// The SIP socket, such as `127.0.0.1:5060`.
    pub sip: std::net::SocketAddr,
    /// The CA bundle's file.
    pub bundle: PathBuf,
    /// The mails, which are shown at `/demo/mail` instead of being sent.
    pub mails: Option<Catcher>,
}

/// What the authority publishes.
#[derive(Debug, Clone)]
pub struct Published {
    /// The bundle of `/ca/bundle.pem`.
    pub bundle_pem: String,
    /// SHA-256 of the root's certificate.
    pub root_sha256: [u8; 32],
    /// The key of signed results, as a JWK set.
    pub jwks: serde_json::Value,
}

impl App {
    /// Shares the parts.
    pub fn new(parts: Parts) -> Self {
        let streams = Crowd::new(limits::STREAMS);
        let (limits, traffic, simulated) = Default::default();
        Self(Arc::new(Shared { parts, limits, streams, traffic, simulated }))
    }

    /// What each source may still send.
    pub(crate) fn limits(&self) -> &limits::Limits {
        &self.0.limits
    }

    /// The event streams that are open.
    pub(crate) fn streams(&self) -> &Crowd {
        &self.0.streams
    }

    /// The calls that a demonstration makes itself.
    pub(crate) fn simulated(&self) -> &Simulated {
        &self.0.simulated
    }

    /// What was asked and answered so far.
    pub(crate) fn traffic(&self) -> &metrics::Traffic {
        &self.0.traffic
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}

impl Settings {
    /// Whether browsers reach the pages over TLS.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The language of whoever wants none of ours.
    fn first_language(&self) -> String {
        self.languages.first().cloned().unwrap_or_else(|| "en".to_owned())
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The largest body: a certificate request (`ca::request::SIZE_LIMIT`), pasted and as a file, and some words.
const BODY_BYTES: usize = 32 * 1024;

/// All pages and resources. [`listener::serve`] serves them, and tells the limits who asks.
pub fn router(app: App) -> Router {
    Router::new()
        .merge(start::routes())
        .merge(call::routes())
        .merge(about::routes())
        .merge(api::routes())
        .merge(console::routes())
        .merge(email::routes())
        .merge(assets::routes())
        .fallback(error::not_found)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        // From the inside out: each layer sees what those above it have answered.
        .layer(middleware::from_fn(harden::give_up))
        .layer(middleware::from_fn_with_state(app.clone(), limits::limit))
        .layer(middleware::from_fn_with_state(app.clone(), error::present))
        .layer(middleware::from_fn(api::items::for_all_origins))
        .layer(middleware::from_fn_with_state(app.clone(), csrf::remember_visitor))
        .layer(middleware::from_fn_with_state(app.clone(), harden::harden))
        .layer(middleware::from_fn_with_state(app.clone(), metrics::count))
        .with_state(app)
}
