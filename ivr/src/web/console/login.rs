//! Logging in, by password or by a link that works once, and out.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use ivr_core::private::Private;
use serde::Deserialize;

use super::{calls, session};
use crate::operators::LoginError;
use crate::web::App;
use crate::web::csrf::{self, Checked};
use crate::web::error::{WebError, sentence};
use crate::web::limits::Source;
use crate::web::page::{self, Frame};

#[derive(Template)]
#[template(path = "console/login.html")]
struct LoginPage {
    frame: Frame,
    name: String,
    next: String,
    hint: Option<String>,
}

/// Where a login leads.
#[derive(Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

/// A name and a password.
#[derive(Deserialize)]
pub struct Login {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// A form that has nothing but its token.
#[derive(Deserialize)]
pub struct Nothing {}

pub(super) async fn page(frame: Frame, Query(Next { next }): Query<Next>) -> Result<Response, WebError> {
    page::html(&LoginPage { frame, name: String::new(), next, hint: None })
}

pub(super) async fn post(
    State(app): State<App>,
    Source(source): Source,
    frame: Frame,
    Checked(Login { name, password, next }): Checked<Login>,
) -> Result<Response, WebError> {
    match app.operators.login(name.trim(), &Private::new(password), source).await {
        Ok(begun) => Ok(lead(&app, &begun, within_console(&next))),
        Err(error @ LoginError::Wrong) => {
            let hint = Some(sentence(&error.to_string()));
            let page = page::html(&LoginPage { frame, name, next, hint })?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(LoginError::TooMany { retry_after }) => Err(WebError::TooMany { retry_after }),
        Err(LoginError::Store(error)) => Err(error.into()),
    }
}

pub(super) async fn logout(
    State(app): State<App>,
    headers: HeaderMap,
    Checked(Nothing {}): Checked<Nothing>,
) -> Result<Response, WebError> {
    if let Some(cookie) = csrf::cookie(&headers, session::COOKIE_NAME) {
        app.operators.logout(cookie).await?;
    }
    Ok(([(SET_COOKIE, session::no_cookie(&app))], Redirect::to("/console/login")).into_response())
}

#[derive(Template)]
#[template(path = "console/enter.html")]
struct LinkPage {
    frame: Frame,
    token: String,
    is_spent: bool,
}

/// `/console/enter/{token}`: a link is spent by the button, not by whatever looks at it first.
pub(super) async fn link(frame: Frame, Path(token): Path<String>) -> Result<Response, WebError> {
    page::html(&LinkPage { frame, token, is_spent: false })
}

pub(super) async fn enter(
    State(app): State<App>,
    frame: Frame,
    Path(token): Path<String>,
    Checked(Nothing {}): Checked<Nothing>,
) -> Result<Response, WebError> {
    match app.operators.enter(&token).await {
        Ok(begun) => Ok(lead(&app, &begun, calls::PATH)),
        Err(LoginError::Store(error)) => Err(error.into()),
        Err(LoginError::Wrong | LoginError::TooMany { .. }) => {
            let page = page::html(&LinkPage { frame, token, is_spent: true })?;
            Ok((StatusCode::GONE, page).into_response())
        }
    }
}

fn lead(app: &App, begun: &Private<String>, to: &str) -> Response {
    ([(SET_COOKIE, session::cookie(app, begun))], Redirect::to(to)).into_response()
}

/// A page of the console; whatever else a link to the login may have named, it does not lead there.
fn within_console(next: &str) -> &str {
    let is_ours = next.starts_with("/console/") && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_ours { next } else { calls::PATH }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_pages_of_the_console_only() {
        for next in ["/console/calls?trunk=a&level=L2", "/console/certificates"] {
            assert_eq!(within_console(next), next);
        }
        for next in [
            "",
            "//evil.example",
            "https://evil.example/console/",
            "/",
            "/console",
            "/console/\r\nSet-Cookie: a=b",
            "/console/\\",
        ] {
            assert_eq!(within_console(next), calls::PATH, "{next}");
        }
    }
}
