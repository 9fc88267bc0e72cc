//! The form: an address, whether to publish, and a certificate request, made by the page's script or given.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::header::{SET_COOKIE, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use ca::email::Address;

use super::session;
use crate::enrol_email::{Begin, BeginError};
use crate::web::App;
use crate::web::error::{WebError, sentence};
use crate::web::form::Fields;
use crate::web::limits::Source;
use crate::web::page::{self, Frame, Translated};
use crate::web::start::{KeyHint, publish_choice, request};
use crate::words::Text;

/// `/email` and `/email/orders`
pub(super) fn routes() -> Router<App> {
    Router::new().route("/email", get(show)).route("/email/orders", post(begin))
}

/// The form, empty or as it was sent.
#[derive(Template)]
#[template(path = "email/start.html")]
struct StartPage {
    frame: Frame,
    address: String,
    publish: Option<bool>,
    csr: String,
    /// In English.
    address_hint: Option<String>,
    publish_hint: Option<Text>,
    csr_hint: Option<KeyHint>,
}

impl StartPage {
    fn empty(frame: Frame) -> Self {
        Self {
            frame,
            address: String::new(),
            publish: None,
            csr: String::new(),
            address_hint: None,
            publish_hint: None,
            csr_hint: None,
        }
    }

    /// The form as it was sent, with a hint where nothing was chosen.
    fn sent(frame: Frame, fields: &Fields) -> Self {
        let publish = publish_choice(fields);
        Self {
            address: fields.text("address").trim().to_owned(),
            publish,
            publish_hint: publish.is_none().then_some(frame.words.publish_hint),
            // What the page's script made it makes again.
            csr: if fields.text("made").is_empty() { fields.text("csr").to_owned() } else { String::new() },
            ..Self::empty(frame)
        }
    }

    fn has_hints(&self) -> bool {
        self.address_hint.is_some() || self.publish_hint.is_some() || self.csr_hint.is_some()
    }

    /// The form again, with what to change.
    fn again(self) -> Result<Response, WebError> {
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page::html(&self)?).into_response())
    }
}

async fn show(State(app): State<App>, Translated(frame): Translated) -> Result<Response, WebError> {
    super::offered(&app)?;
    page::html(&StartPage::empty(frame))
}

async fn begin(
    State(app): State<App>,
    Source(source): Source,
    Translated(frame): Translated,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, WebError> {
    let enrol = super::offered(&app)?;
    let mut form = StartPage::sent(frame, &fields);
    let address = Address::parse(&form.address);
    form.address_hint = address.as_ref().err().map(|error| sentence(&error.to_string()));
    let csr = request(&fields);
    form.csr_hint = csr.is_none().then_some(KeyHint::Missing);
    let (Ok(address), Some(publish), Some(csr)) = (address, form.publish, csr) else { return form.again() };
    let locale = page::locale(&app, &headers);
    let user_agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    let asked = Begin { address, csr: &csr, publish, locale: &locale, source, user_agent };
    match enrol.begin(asked, app.clock.wall()).await {
        Ok(begun) => {
            let to_page = Redirect::to(&session::path(begun.id));
            Ok(([(SET_COOKIE, session::cookie(&app, &begun))], to_page).into_response())
        }
        Err(error @ (BeginError::Request(_) | BeginError::Refused(_))) => {
            form.csr_hint = Some(KeyHint::Refused(sentence(&error.to_string())));
            form.again()
        }
        Err(error) => Err(error.into()),
    }
}
