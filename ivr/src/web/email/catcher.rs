//! The demonstration's mails, which are shown instead of being sent.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ca::email::Attachment;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::mail::Catcher;
use crate::mail::catcher::Caught;
use crate::web::App;
use crate::web::error::WebError;
use crate::web::page::{self, Frame};

/// `/demo/mail` and what belongs to a mail.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/demo/mail", get(list))
        .route("/demo/mail/{number}", get(show))
        .route("/demo/mail/{number}/message.eml", get(message))
        .route("/demo/mail/{number}/attachments/{place}", get(attachment))
}

#[derive(Template)]
#[template(path = "email/mails.html")]
struct MailsPage {
    frame: Frame,
    mails: Vec<Line>,
}

#[derive(Template)]
#[template(path = "email/mail.html")]
struct MailPage {
    frame: Frame,
    line: Line,
    paragraphs: Vec<Paragraph>,
    attachments: Vec<(usize, String, usize)>,
}

/// A mail of the list.
struct Line {
    number: u64,
    to: String,
    subject: String,
    at: String,
}

/// A line of a mail: a link of ours as a link, without the host, so that it opens where this page was opened.
enum Paragraph {
    Link { path: String, text: String },
    Text(String),
}

impl Line {
    fn of(caught: &Caught) -> Self {
        let mail = &caught.mail;
        Self { number: caught.number, to: mail.to.clone(), subject: mail.subject.clone(), at: minute(caught.at) }
    }
}

/// `1 March 2026, 12:00 UTC`
fn minute(at: OffsetDateTime) -> String {
    at.format(format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC"))
        .unwrap_or_default()
}

fn mails(app: &App) -> Result<&Catcher, WebError> {
    app.settings.demo.as_ref().and_then(|demo| demo.mails.as_ref()).ok_or(WebError::NotFound)
}

fn mail(app: &App, number: &str) -> Result<Arc<Caught>, WebError> {
    let number = number.parse().map_err(|_| WebError::NotFound)?;
    mails(app)?.mail(number).ok_or(WebError::NotFound)
}

async fn list(State(app): State<App>, frame: Frame) -> Result<Response, WebError> {
    let mails = mails(&app)?.mails().iter().map(|caught| Line::of(caught)).collect();
    page::html(&MailsPage { frame, mails })
}

async fn show(State(app): State<App>, Path(number): Path<String>, frame: Frame) -> Result<Response, WebError> {
    let caught = mail(&app, &number)?;
    let ours = format!("{}/", app.settings.public_url);
    let paragraph = |line: &str| match line.strip_prefix(&ours) {
        Some(path) if !path.is_empty() => Paragraph::Link { path: format!("/{path}"), text: line.to_owned() },
        _ => Paragraph::Text(line.to_owned()),
    };
    let attachments = caught.mail.attachments.iter().enumerate();
    page::html(&MailPage {
        frame,
        line: Line::of(&caught),
        paragraphs: caught.mail.text.lines().map(paragraph).collect(),
        attachments: attachments.map(|(place, file)| (place, file.name.clone(), file.bytes.len())).collect(),
    })
}

async fn message(State(app): State<App>, Path(number): Path<String>) -> Result<Response, WebError> {
    let caught = mail(&app, &number)?;
    Ok(download("message.eml", "message/rfc822", caught.message.clone()))
}

async fn attachment(
    State(app): State<App>,
    Path((number, place)): Path<(String, usize)>,
) -> Result<Response, WebError> {
    let caught = mail(&app, &number)?;
    let Attachment { name, content_type, bytes } = caught.mail.attachments.get(place).ok_or(WebError::NotFound)?;
    Ok(download(name, content_type, bytes.clone()))
}

fn download(name: &str, content_type: &str, bytes: Vec<u8>) -> Response {
    // Both texts are constants of `ca::email`.
    let header = |text: String| HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("attachment"));
    let headers = [
        (CONTENT_TYPE, header(content_type.to_owned())),
        (CONTENT_DISPOSITION, header(format!("attachment; filename=\"{name}\""))),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, bytes).into_response()
}
