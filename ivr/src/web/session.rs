//! Who may see a verification: a page by the cookie of the browser that started it, a program by its bearer token. The
//! secret never stands in an address.

use axum::extract::{FromRequestParts, Path};
use axum::http::header::{AUTHORIZATION, HeaderValue};
use axum::http::request::Parts;
use ivr_core::call::question::VerificationId;
use ivr_core::private::Private;

use super::App;
use super::csrf;
use super::error::WebError;
use crate::verify::{Started, View};

/// A verification, and what opens it. Whether it does, only the use case knows.
#[derive(Debug, Clone)]
pub struct Session {
    /// Names it.
    pub id: VerificationId,
    /// Opens it.
    pub secret: Private<String>,
}

/// As [`Session`], from the cookie of a page.
#[derive(Debug)]
pub struct ByCookie(pub Session);

/// As [`Session`], from `Authorization: Bearer`.
#[derive(Debug)]
pub struct ByToken(pub Session);

const COOKIE_NAME: &str = "session";
const NO_TOKEN: &str =
    "a bearer token is needed: send the `secret` of the answer that began it as `Authorization: Bearer …`";

impl Session {
    /// What its owner may see.
    ///
    /// # Errors
    /// [`WebError::NotFound`] if the secret is another's.
    pub async fn view(&self, app: &App) -> Result<View, WebError> {
        Ok(app.verify.view(self.id, self.secret.expose(), app.clock.wall()).await?)
    }
}

/// Where a verification's page is.
pub fn path(id: VerificationId) -> String {
    format!("/verifications/{id}")
}

/// The cookie that opens the page of a verification, and is sent to no other.
pub fn cookie(app: &App, started: &Started) -> HeaderValue {
    csrf::set_cookie(app, COOKIE_NAME, started.secret.expose(), &path(started.id))
}

impl FromRequestParts<App> for ByCookie {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, WebError> {
        let id = id(parts, app).await?;
        let secret = csrf::cookie(&parts.headers, COOKIE_NAME).ok_or(WebError::NotFound)?.to_owned();
        Ok(Self(Session { id, secret: Private::new(secret) }))
    }
}

impl FromRequestParts<App> for ByToken {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, WebError> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
        let secret = header.and_then(|header| {
            let (scheme, token) = header.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
        });
        let secret = secret.ok_or(WebError::Unauthorized(NO_TOKEN))?;
        Ok(Self(Session { id: id(parts, app).await?, secret: Private::new(secret) }))
    }
}

async fn id(parts: &mut Parts, app: &App) -> Result<VerificationId, WebError> {
    let Path(id) = Path::<String>::from_request_parts(parts, app).await.map_err(|_| WebError::NotFound)?;
    id.parse().map_err(|_| WebError::NotFound)
}
