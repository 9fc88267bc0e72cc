//! What every page has: the frame around it, and how a template becomes an answer.

use std::convert::Infallible;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};

use super::App;
use super::assets;
use super::csrf::Visitor;
use super::error::WebError;

/// What `base.html` needs. An extractor: a handler takes it as an argument and moves it into its template.
#[derive(Debug, Clone)]
pub struct Frame {
    /// What the service calls itself.
    pub service: String,
    /// The token of every form: `<input type="hidden" name="csrf" value="{{ frame.csrf }}">`.
    pub csrf: String,
    /// The service is a demonstration.
    pub is_demo: bool,
    /// Enrolment by email is offered.
    pub offers_email: bool,
}

impl Frame {
    /// The frame of a page that has no form.
    pub fn without_forms(app: &App) -> Self {
        Self {
            service: app.settings.service_name.clone(),
            csrf: String::new(),
            is_demo: app.settings.demo.is_some(),
            offers_email: app.enrol.is_some(),
        }
    }

    /// The address of an asset, such as `style.css`.
    pub fn asset(&self, name: &str) -> &'static str {
        assets::url(name)
    }
}

impl FromRequestParts<App> for Frame {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let csrf = parts.extensions.get::<Visitor>().map(|visitor| visitor.token(&app.csrf)).unwrap_or_default();
        Ok(Self { csrf, ..Self::without_forms(app) })
    }
}

/// A page. It may name a person's number, so nobody keeps a copy.
///
/// # Errors
/// If the template fails.
pub fn html(template: &impl Template) -> Result<Response, WebError> {
    let mut response = Html(text(template)?).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// A hash as pages show it.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A page's text.
///
/// # Errors
/// If the template fails.
pub fn text(template: &impl Template) -> Result<String, WebError> {
    Ok(template.render()?)
}
