//! Who is logged in to the console. The cookie is sent to no page that a foreign site leads to, and no script reads it.

use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::header::HeaderValue;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use ivr_core::private::Private;

use crate::operators::Operator;
use crate::web::App;
use crate::web::csrf;
use crate::web::error::WebError;

/// The cookie's name, which the description of the API tells.
pub const COOKIE_NAME: &str = "operator";

/// Somebody who is logged in, for a page. Who is not is led to the login, and from there back.
#[derive(Debug)]
pub struct Person(pub Operator);

/// Somebody who is logged in, for a program. Who is not is told so.
#[derive(Debug)]
pub struct LoggedIn(pub Operator);

/// The cookie of this session.
pub(super) fn cookie(app: &App, session: &Private<String>) -> HeaderValue {
    written(app, session.expose(), app.operators.session().as_secs())
}

/// The cookie that takes the session's away.
pub(super) fn no_cookie(app: &App) -> HeaderValue {
    written(app, "", 0)
}

fn written(app: &App, value: &str, seconds: u64) -> HeaderValue {
    let secure = if app.settings.is_https() { "; Secure" } else { "" };
    HeaderValue::from_str(&format!(
        "{COOKIE_NAME}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    ))
    .expect("a session is base64url")
}

async fn operator(parts: &Parts, app: &App) -> Result<Option<Operator>, WebError> {
    match csrf::cookie(&parts.headers, COOKIE_NAME) {
        Some(cookie) => Ok(app.operators.of_session(cookie).await?),
        None => Ok(None),
    }
}

impl FromRequestParts<App> for Person {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        if let Some(operator) = operator(parts, app).await.map_err(IntoResponse::into_response)? {
            return Ok(Self(operator));
        }
        // What was posted is lost; what was read is found again.
        let next = if parts.method == Method::GET { parts.uri.path_and_query() } else { None };
        let query = next.and_then(|next| serde_urlencoded::to_string([("next", next.as_str())]).ok());
        Err(Redirect::to(&format!("/console/login?{}", query.unwrap_or_default())).into_response())
    }
}

impl FromRequestParts<App> for LoggedIn {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, WebError> {
        operator(parts, app).await?.map(Self).ok_or(WebError::Unauthorized(
            "an operator's login is needed: log in at /console/login, and send its cookie",
        ))
    }
}
