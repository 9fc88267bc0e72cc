//! Forms that only their own page can send. A visitor gets a random cookie; each form carries its HMAC; a post is taken
//! only with both. (`SameSite=Lax` already keeps foreign sites from posting with our cookies; this holds without it.)

use std::fmt;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, COOKIE, HeaderValue, SET_COOKIE};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::App;
pub use super::form::{Checked, Fields};

/// The key of the tokens.
pub struct Key([u8; 32]);

/// Who fills in forms, as far as their token is concerned. In the extensions of every request.
#[derive(Debug, Clone, Copy)]
pub struct Visitor([u8; 16]);

const COOKIE_NAME: &str = "visitor";

impl Key {
    /// A key of this entropy, used for nothing else.
    pub fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}

impl Visitor {
    /// What this visitor's forms carry.
    pub fn token(&self, key: &Key) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(key).finalize().into_bytes())
    }

    /// Whether a form carries it.
    pub fn sent(&self, token: &str, key: &Key) -> bool {
        URL_SAFE_NO_PAD.decode(token).is_ok_and(|token| self.mac(key).verify_slice(&token).is_ok())
    }

    fn mac(&self, key: &Key) -> Hmac<Sha256> {
        Hmac::<Sha256>::new_from_slice(&key.0).expect("HMAC takes a key of any length").chain_update(self.0)
    }

    fn of(headers: &HeaderMap) -> Option<Self> {
        let value = URL_SAFE_NO_PAD.decode(cookie(headers, COOKIE_NAME)?).ok()?;
        value.try_into().ok().map(Self)
    }
}

/// The layer that knows a visitor again. Only a page makes one: programs get no cookie.
pub async fn remember_visitor(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let known = Visitor::of(request.headers());
    let visitor = known.unwrap_or_else(|| Visitor(app.clock.bytes()));
    request.extensions_mut().insert(visitor);
    let mut response = next.run(request).await;
    let is_page = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if known.is_none() && is_page {
        let value = URL_SAFE_NO_PAD.encode(visitor.0);
        response.headers_mut().append(SET_COOKIE, set_cookie(&app, COOKIE_NAME, &value, "/"));
    }
    response
}

/// A cookie of ours in a request.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().split_once('=').filter(|(found, _)| *found == name))
        .map(|(_, value)| value)
}

/// A cookie that no script reads, no foreign site sends along and no clear connection carries. It ends with the browser.
pub fn set_cookie(app: &App, name: &str, value: &str, path: &str) -> HeaderValue {
    let secure = if app.settings.is_https() { "; Secure" } else { "" };
    HeaderValue::from_str(&format!("{name}={value}; Path={path}; HttpOnly; SameSite=Lax{secure}"))
        .expect("the callers give names, paths and values of visible ASCII")
}
