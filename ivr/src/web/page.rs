//! What every page has: the frame around it, and how a template becomes an answer.

use std::convert::Infallible;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, HeaderValue};
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};

use super::App;
use super::assets;
use super::csrf::{self, Visitor};
use super::error::WebError;
use crate::words::Words;

/// What `base.html` needs. An extractor: a handler takes it as an argument and moves it into its template.
/// It is in English: [`Translated`] is in the visitor's language, [`Frame::speaking`] in that of a verification.
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
    /// What the page says: `{{ frame.words.skip }}`.
    pub(crate) words: &'static Words,
}

/// As [`Frame`], in the language that the visitor likes best of those that we have.
#[derive(Debug, Clone)]
pub struct Translated(pub Frame);

impl Frame {
    /// The frame of a page that has no form.
    pub fn without_forms(app: &App) -> Self {
        Self {
            service: app.settings.service_name.clone(),
            csrf: String::new(),
            is_demo: app.settings.demo.is_some(),
            offers_email: app.enrol.is_some(),
            words: Words::of("en"),
        }
    }

    /// The same in another language.
    #[must_use]
    pub fn speaking(self, locale: &str) -> Self {
        Self { words: Words::of(locale), ..self }
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

impl FromRequestParts<App> for Translated {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let frame = Frame::from_request_parts(parts, app).await?;
        Ok(Self(frame.speaking(&locale(app, &parts.headers))))
    }
}

/// The cookie that holds the language which the visitor chose on the start page.
pub const LANGUAGE: &str = "language";

/// The language that the visitor chose, or else, of those that we have, the one that they like best (RFC 9110 12.5.4), and of equals
/// the first.
pub fn locale(app: &App, headers: &HeaderMap) -> String {
    let is_ours = |language: &&str| app.settings.languages.iter().any(|ours| ours == language);
    if let Some(chosen) = csrf::cookie(headers, LANGUAGE).filter(is_ours) {
        return chosen.to_owned();
    }
    let lists = headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|list| list.to_str().ok());
    let wanted = lists.flat_map(|list| list.split(',')).filter_map(wish);
    let ours = wanted.filter(|(_, language)| app.settings.languages.contains(language));
    let best = ours.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map_or_else(|| app.settings.first_language(), |(_, language)| language)
}

/// How much a language is wished for, and which: `(0.8, "de")` of `de-AT;q=0.8`. `None` if it is refused (RFC 9110 12.4.2: a weight
/// of 0), or its weight is none.
fn wish(range: &str) -> Option<(f32, String)> {
    let (range, weight) = range.split_once(';').unwrap_or((range, "q=1"));
    let (name, weight) = weight.split_once('=')?;
    let weight = weight.trim().parse::<f32>().ok().filter(|weight| *weight > 0.0 && *weight <= 1.0)?;
    let primary = range.split('-').next().unwrap_or_default().trim().to_ascii_lowercase();
    name.trim().eq_ignore_ascii_case("q").then_some((weight, primary))
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

/// A page's text.
///
/// # Errors
/// If the template fails.
pub fn text(template: &impl Template) -> Result<String, WebError> {
    Ok(template.render()?)
}
