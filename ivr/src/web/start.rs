//! The start page: a number, whether to publish, and a certificate request, made by the page's script or given.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use ca::RequestError;
use ivr_core::number::{Country, Number, NumberError};

use super::App;
use super::csrf;
use super::error::{WebError, sentence};
use super::flood;
use super::form::Fields;
use super::limits::Source;
use super::page::{self, Frame, Translated};
use super::session;
use crate::puzzle::{Puzzle, Solved};
use crate::verify::{Start, StartError, StartedBy};
use crate::words::{Filled, Text, Words};

/// `/`, `/language` and `/verifications`
pub fn routes() -> Router<App> {
    Router::new().route("/", get(show)).route("/language", post(speak)).route("/verifications", post(start))
}

/// The form, empty or as it was sent.
#[derive(Template)]
#[template(path = "start.html")]
struct StartPage {
    frame: Frame,
    number: String,
    publish: Option<bool>,
    csr: String,
    was_made: bool,
    country: Option<Country>,
    /// To choose from, while nothing is filled in.
    languages: Vec<&'static Words>,
    number_hint: Option<Filled>,
    did_you_mean: Option<String>,
    publish_hint: Option<Text>,
    csr_hint: Option<KeyHint>,
    puzzle: Option<Puzzle>,
    /// The page's script did the work of such a page, in vain.
    has_worked: bool,
}

impl StartPage {
    fn empty(frame: Frame, app: &App) -> Self {
        Self {
            frame,
            number: String::new(),
            publish: None,
            csr: String::new(),
            was_made: false,
            country: app.settings.default_country,
            languages: Vec::new(),
            number_hint: None,
            did_you_mean: None,
            publish_hint: None,
            csr_hint: None,
            puzzle: None,
            has_worked: false,
        }
    }

    /// Whether the page's script may send the form again by itself: it has all that was sent, and it is the first time. Work
    /// that takes a slow machine longer than it is taken would be done again and again.
    fn goes_on(&self) -> bool {
        !self.has_worked && (self.was_made || !self.csr.is_empty())
    }

    fn has_hints(&self) -> bool {
        self.number_hint.is_some() || self.publish_hint.is_some() || self.csr_hint.is_some()
    }
}

async fn show(State(app): State<App>, Translated(frame): Translated) -> Result<Response, WebError> {
    page::html(&StartPage { languages: Words::of_all(&app.settings.languages), ..StartPage::empty(frame, &app) })
}

/// Another language than the browser's, from now on. As with every form, nobody else can choose it for its visitor.
async fn speak(State(app): State<App>, fields: Fields) -> Result<Response, WebError> {
    let language = fields.text("language");
    if !app.settings.languages.iter().any(|ours| ours == language) {
        return Err(WebError::field("no page is written in this language"));
    }
    let chosen = csrf::set_cookie(&app, page::LANGUAGE, language, "/");
    Ok(([(SET_COOKIE, chosen)], Redirect::to("/")).into_response())
}

async fn start(
    State(app): State<App>,
    Source(source): Source,
    Translated(frame): Translated,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, WebError> {
    let mut form = sent(frame, &app, &fields);
    let number = match Number::read(&form.number, app.settings.default_country) {
        Ok(number) => Some(number),
        Err(error) => {
            form.refuse_number(&error);
            None
        }
    };
    let (Some(number), Some(publish)) = (number, form.publish) else { return form.again(&app) };
    // From now on the page shows how the number was read.
    form.number = number.international();
    let solved = solved(&fields);
    let demanded = flood::demand(&app, (&number, source), solved.as_ref()).await;
    if let Err(WebError::Puzzle(puzzle)) = demanded {
        (form.puzzle, form.has_worked) = (Some(puzzle), solved.is_some());
        // A file is not sent again: its text stands in the field.
        form.csr =
            request(&fields).filter(|_| !form.was_made).and_then(|csr| String::from_utf8(csr).ok()).unwrap_or_default();
        app.traffic().start(false);
        return Ok((StatusCode::PRECONDITION_REQUIRED, page::html(&form)?).into_response());
    }
    demanded?;
    let (csr, locale, kind) = (request(&fields), page::locale(&app, &headers), number.kind());
    let asked =
        Start { number, csr, location: None, webhook: None, started_by: StartedBy::Page, publish, locale, source };
    match app.verify.start(asked, app.clock.wall()).await {
        Ok(started) => {
            app.traffic().start(true);
            let to_page = Redirect::to(&session::path(started.id));
            Ok(([(SET_COOKIE, session::cookie(&app, &started))], to_page).into_response())
        }
        Err(StartError::Kind(_)) => {
            form.number_hint = Some(form.frame.words.kind(kind).into());
            form.again(&app)
        }
        Err(StartError::OwnNumber) => {
            form.number_hint = Some(form.frame.words.own_number.into());
            form.again(&app)
        }
        Err(StartError::Request(RequestError::ForeignName(_))) if form.was_made => {
            // The script names in the request what was typed, the service what it read.
            form.number_hint = Some(form.frame.words.read_as.with("number", &form.number));
            form.again(&app)
        }
        Err(error @ (StartError::Request(_) | StartError::BlockedKey)) => {
            form.csr_hint = Some(KeyHint::Refused(sentence(&error.to_string())));
            form.again(&app)
        }
        Err(error) => Err(error.into()),
    }
}

/// What is said beside the field for a key of one's own.
pub(super) enum KeyHint {
    /// There is none, and there has to be.
    Missing,
    /// Why it is not taken, in English.
    Refused(String),
}

/// The form as it was sent, with a hint where nothing was chosen.
fn sent(frame: Frame, app: &App, fields: &Fields) -> StartPage {
    let publish = publish_choice(fields);
    let was_made = !fields.text("made").is_empty();
    StartPage {
        was_made,
        number: fields.text("number").trim().to_owned(),
        publish,
        publish_hint: publish.is_none().then_some(frame.words.publish_hint),
        // What the page's script made it makes again.
        csr: if was_made { String::new() } else { fields.text("csr").to_owned() },
        ..StartPage::empty(frame, app)
    }
}

/// The work that the page's script did, if it had to.
fn solved(fields: &Fields) -> Option<Solved> {
    let (challenge, solution) = (fields.text("challenge").to_owned(), fields.text("solution").to_owned());
    (!solution.is_empty()).then_some(Solved { challenge, solution })
}

/// Which of the two was chosen, if one was.
pub(super) fn publish_choice(fields: &Fields) -> Option<bool> {
    match fields.text("publish") {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

impl StartPage {
    fn refuse_number(&mut self, error: &NumberError) {
        self.number_hint = Some(self.frame.words.number_error(error).into());
        let meant = error.did_you_mean().and_then(|meant| Number::parse(meant).ok());
        self.did_you_mean = meant.map(|meant| meant.international());
    }

    /// The form again, with what to change.
    fn again(self, app: &App) -> Result<Response, WebError> {
        app.traffic().start(false);
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page::html(&self)?).into_response())
    }
}

/// The certificate request: the file before the text, and neither if both are empty.
pub(super) fn request(fields: &Fields) -> Option<Vec<u8>> {
    [fields.bytes("csr_file"), fields.text("csr").trim().as_bytes()]
        .into_iter()
        .find(|bytes| !bytes.is_empty())
        .map(<[u8]>::to_vec)
}
