//! The page of a key that waits, because another key was certified for its number lately.

use askama::Template;
use axum::response::Response;

use crate::verify::View;
use crate::web::certificate::day;
use crate::web::error::WebError;
use crate::web::page::{self, Frame};
use crate::web::session;

#[derive(Template)]
#[template(path = "held.html")]
struct HeldPage {
    frame: Frame,
    path: String,
    number: String,
    dial: String,
    until: String,
}

/// Until when it waits, and who may stop it.
pub(super) fn page(frame: Frame, view: &View) -> Result<Response, WebError> {
    page::html(&HeldPage {
        frame,
        path: session::path(view.id),
        number: view.number.international(),
        dial: view.dial.international(),
        until: view.held_until.map(day).unwrap_or_default(),
    })
}
