//! The page of a verification that came to nothing.

use askama::Template;
use axum::response::Response;

use crate::verify::{State, View};
use crate::web::error::{WebError, sentence};
use crate::web::page::{self, Frame};

#[derive(Template)]
#[template(path = "ended.html")]
struct EndedPage {
    frame: Frame,
    title: &'static str,
    reason: String,
    number: String,
    told: Vec<String>,
}

/// What ended it, and what to do.
pub(super) fn page(frame: Frame, view: &View) -> Result<Response, WebError> {
    let (title, reason) = match view.state {
        State::Voided => (
            "Too many wrong digits",
            "Wrong digits were entered too often, so this verification is void. If somebody else told you to call, do \
             not start again."
                .to_owned(),
        ),
        State::Expired => (
            "Time is over",
            "No call with the right code came in time, or its digits were not typed in time. The code no longer works."
                .to_owned(),
        ),
        _ => (
            "It did not work",
            view.failure.as_deref().map_or_else(|| "The certificate could not be made.".to_owned(), sentence),
        ),
    };
    let told = view.happenings.iter().map(|happening| happening.sentence.clone()).collect();
    page::html(&EndedPage { frame, title, reason, number: view.number.international(), told })
}
