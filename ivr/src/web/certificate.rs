//! The page at the end: the certificate, its `.p12`, its record in the directory; or the signed result.

use askama::Template;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Redirect, Response};
use ca::Reason;
use ivr_core::caller::Caps;

use super::App;
use super::about::fingerprint;
use super::error::WebError;
use super::form::Fields;
use super::page::{self, Frame};
use super::session::{self, ByCookie};
use crate::hex;
use crate::issue::{Certified, DhtRecord, Says};
use crate::verify::View;
use crate::words::{Filled, Text, Words};

#[derive(Template)]
#[template(path = "certificate.html")]
struct CertificatePage<'a> {
    frame: Frame,
    path: String,
    name: &'a str,
    noun: &'static str,
    certificate: &'a Certified,
    meaning: &'static str,
    is_code_only: bool,
    caps: Vec<&'static str>,
    spki: String,
    valid_from: String,
    valid_until: String,
    suspended: Option<String>,
    revoked: Option<String>,
    /// Since when another key waits, until when, and which.
    pending: Option<(String, String, String)>,
    dial: Option<String>,
    record: Option<Record>,
    is_superseded: bool,
    last_event: Option<i64>,
    lookup: String,
    look_up: Text,
    fingerprint: String,
}

/// A certificate that its owner may see.
pub(super) struct Shown<'a> {
    /// Where this page is.
    pub(super) path: String,
    /// The number or the address, as people write it.
    pub(super) name: &'a str,
    /// Which of them it is: `number`, `address`.
    pub(super) noun: &'static str,
    /// The last event that this page knows; `None` if there is no stream of them.
    pub(super) last_event: Option<i64>,
    /// The number that suspends it, if it is a number's.
    pub(super) dial: Option<String>,
    /// The certificate.
    pub(super) certificate: &'a Certified,
    /// It says that a code alone was asked for.
    pub(super) is_code_only: bool,
    /// Why its level is no higher.
    pub(super) caps: Caps,
    /// The language of the page.
    pub(super) locale: &'a str,
}

/// Its record, in words.
struct Record {
    is_published: bool,
    is_shown: bool,
    text: Filled,
}

#[derive(Template)]
#[template(path = "result.html")]
struct ResultPage {
    frame: Frame,
    number: String,
    result: String,
}

/// The page of an issued verification.
pub(super) fn page(app: &App, frame: Frame, view: &View) -> Result<Response, WebError> {
    let number = view.number.international();
    let Some(certificate) = &view.certificate else {
        return page::html(&ResultPage { frame, number, result: view.result.clone().unwrap_or_default() });
    };
    let shown = Shown {
        path: session::path(view.id),
        name: &number,
        noun: "number",
        last_event: Some(view.happenings.last().map_or(0, |happening| happening.number)),
        dial: Some(view.dial.international()),
        certificate,
        is_code_only: view.is_code_only,
        caps: view.caps,
        locale: &view.locale,
    };
    show(app, frame, shown)
}

/// The page of a certificate.
pub(super) fn show(app: &App, frame: Frame, shown: Shown<'_>) -> Result<Response, WebError> {
    let Shown { path, name, noun, last_event, dial, certificate, is_code_only, caps, locale } = shown;
    let (words, is_demo) = (frame.words, frame.is_demo);
    let place = |backend: &str| if is_demo { words.demo_directory.to_string() } else { backend.to_owned() };
    let day = |at| words.day(at);
    page::html(&CertificatePage {
        frame,
        path,
        name,
        noun,
        spki: hex::of(&certificate.spki_sha256),
        valid_from: day(certificate.not_before),
        valid_until: day(certificate.not_after),
        suspended: certificate.suspended.map(day),
        revoked: certificate.revoked.map(|(at, _)| day(at)),
        dial,
        pending: certificate.pending.map(|change| (day(change.since), day(change.until), hex::of(&change.spki_sha256))),
        record: certificate.record.as_ref().map(|record| {
            let place = record.backend.as_deref().map(place);
            Record::of(record, place, certificate.revoked.is_some(), words)
        }),
        is_superseded: certificate.revoked.is_some_and(|(_, reason)| reason == Reason::Superseded),
        last_event,
        lookup: lookup(app, certificate),
        look_up: if noun == "number" { words.look_up_number } else { words.look_up_address },
        fingerprint: fingerprint(&app.authority.root_sha256),
        meaning: certificate.level.meaning(locale),
        is_code_only,
        caps: caps.iter().map(|cap| cap.sentences(locale).page).collect(),
        certificate,
    })
}

/// `/verifications/{id}/certificate.pem`: the leaf and its intermediate, for who has the key elsewhere.
pub(super) async fn pem(State(app): State<App>, ByCookie(session): ByCookie) -> Result<Response, WebError> {
    pem_of(session.view(&app).await?.certificate)
}

/// The owner wants to be found no more.
pub(super) async fn withdraw(
    State(app): State<App>,
    ByCookie(session): ByCookie,
    _: Fields,
) -> Result<Redirect, WebError> {
    // Done before, it is done.
    app.verify.withdraw(session.id, session.secret.expose(), app.clock.wall()).await?;
    Ok(Redirect::to(&session::path(session.id)))
}

/// A certificate and its intermediate as a file.
pub(super) fn pem_of(certificate: Option<Certified>) -> Result<Response, WebError> {
    let certificate = certificate.ok_or(WebError::NotFound)?;
    let headers = [
        (CONTENT_TYPE, "application/pem-certificate-chain"),
        (CONTENT_DISPOSITION, "attachment; filename=\"certificate.pem\""),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, certificate.certificate_pem + &certificate.chain_pem).into_response())
}

/// The line with which somebody else finds the certificate.
fn lookup(app: &App, certificate: &Certified) -> String {
    let bundle =
        app.settings.demo.as_ref().map_or_else(|| "bundle.pem".to_owned(), |demo| demo.bundle.display().to_string());
    format!("dialproof lookup {} --ca {bundle}", certificate.identity.expose())
}

impl Record {
    fn of(record: &DhtRecord, place: Option<String>, is_revoked: bool, words: &Words) -> Self {
        let is_shown = record.says != Says::Revoked;
        let plain = |is_published, text: Text| Self { is_published, is_shown, text: text.into() };
        match (record.says, record.published) {
            (Says::Revoked, false) => return plain(false, words.record_leaves),
            (Says::Revoked, true) if is_revoked => return plain(true, words.record_revoked),
            (Says::Revoked, true) => return plain(true, words.record_withdrawn),
            (_, false) => return plain(false, words.record_comes),
            (_, true) => {}
        }
        let place = place.map(|place| words.record_published.with("place", place));
        let slot = record.slot.as_deref().map(|slot| words.record_slot.with("slot", slot));
        let size = record.bytes.map(|bytes| words.record_bytes.with("bytes", bytes));
        let place = place.unwrap_or_else(|| words.record_published_somewhere.into());
        let text = [slot, size].into_iter().flatten().fold(place, Filled::then);
        Self { is_published: true, is_shown, text: text.then(Text::FULL_STOP) }
    }
}
