//! The page of a verification that came to nothing.

use askama::Template;
use axum::response::Response;

use crate::verify::{State, View};
use crate::web::error::{WebError, sentence};
use crate::web::page::{self, Frame};
use crate::words::Text;

#[derive(Template)]
#[template(path = "ended.html")]
struct EndedPage {
    frame: Frame,
    title: Text,
    why: Text,
    /// What failed, in English.
    failure: Option<String>,
    number: String,
    told: Vec<String>,
}

/// What ended it, and what to do.
pub(super) fn page(frame: Frame, view: &View) -> Result<Response, WebError> {
    let words = frame.words;
    let (title, why) = match view.state {
        State::Voided => (words.voided, words.voided_why),
        State::Expired => (words.expired, words.expired_why),
        _ => (words.failed, words.failed_why),
    };
    let failure = view.failure.as_deref().filter(|_| view.state == State::Failed).map(sentence);
    let told = view.happenings.iter().map(|happening| happening.sentence.clone()).collect();
    page::html(&EndedPage { frame, title, why, failure, number: view.number.international(), told })
}
