//! Who may see an order: the browser that began it, by a cookie. Links from mail programs carry it along
//! (`SameSite=Lax`), so that the confirming page knows its own browser.

use axum::extract::{FromRequestParts, Path};
use axum::http::HeaderMap;
use axum::http::header::HeaderValue;
use axum::http::request::Parts;
use ivr_core::private::Private;

use crate::enrol_email::{Begun, OrderId, View};
use crate::web::App;
use crate::web::csrf;
use crate::web::error::WebError;
use crate::web::session::Session;

/// An order and its secret, from the browser's cookie.
#[derive(Debug)]
pub(super) struct ByCookie(pub(super) Session);

/// Where an order's page is.
pub(super) fn path(id: OrderId) -> String {
    format!("/email/orders/{id}")
}

/// The cookie that opens an order. Its name holds the order's: the page behind a link looks for its own.
pub(super) fn cookie(app: &App, begun: &Begun) -> HeaderValue {
    csrf::set_cookie(app, &cookie_name(begun.id), begun.secret.expose(), "/email")
}

/// The secret of an order, if this browser began it.
pub(super) fn secret(headers: &HeaderMap, id: OrderId) -> Option<String> {
    csrf::cookie(headers, &cookie_name(id)).map(str::to_owned)
}

/// What its owner may see of an order.
pub(super) async fn view(session: &Session, app: &App) -> Result<View, WebError> {
    Ok(super::offered(app)?.view(session.id, session.secret.expose(), app.clock.wall()).await?)
}

fn cookie_name(id: OrderId) -> String {
    format!("order-{id}")
}

impl FromRequestParts<App> for ByCookie {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, WebError> {
        let Path(id) = Path::<String>::from_request_parts(parts, app).await.map_err(|_| WebError::NotFound)?;
        let id: OrderId = id.parse().map_err(|_| WebError::NotFound)?;
        let secret = secret(&parts.headers, id).ok_or(WebError::NotFound)?;
        Ok(Self(Session { id, secret: Private::new(secret) }))
    }
}
