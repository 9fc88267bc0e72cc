//! One call: what became of it, its SIP ladder, its steps, its media. The whole number is shown to who says why.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ivr_core::caller::{Caps, Level};
use ivr_core::media::Suite;
use ivr_core::passport::Fault;
use serde::Deserialize;

use super::ladder::Ladder;
use super::session::Person;
use super::words::{self, Moment};
use super::{Who, masked};
use crate::call_record::Story;
use crate::operators::Operator;
use crate::store::calls::{Call, CallId, Event, Rated, Signed};
use crate::web::App;
use crate::web::csrf::Checked;
use crate::web::error::WebError;
use crate::web::page::{self, Frame};

/// Characters of a reason why somebody must see a number.
const LONGEST_WHY: usize = 200;

#[derive(Template)]
#[template(path = "console/call.html")]
struct CallPage {
    frame: Frame,
    who: Who,
    id: String,
    call_id: String,
    began: Moment,
    trunk: String,
    source: String,
    number: String,
    /// There is a number, and it is masked.
    may_reveal: bool,
    why_hint: Option<&'static str>,
    country: String,
    level: Option<Worth>,
    line: Option<String>,
    signed: Option<SignedBy>,
    outcome: String,
    advice: Option<&'static str>,
    refusal: Option<Refusal>,
    setup: Option<String>,
    duration: Option<String>,
    media: Option<Media>,
    verification: Option<String>,
    serial: Option<String>,
    ladder: Ladder,
    timeline: Vec<Entry>,
}

/// The RTP figures.
struct Media {
    sent: u64,
    received: u64,
    lost: String,
    foreign: u64,
    srtp: Option<&'static str>,
    unauthentic: u64,
    jitter: String,
    mos: Option<String>,
    far: Option<Far>,
}

/// What the other side reported of our packets.
struct Far {
    lost: String,
    jitter: String,
    round_trip: Option<String>,
    mos: Option<String>,
}

/// A line of what happened beside SIP.
struct Entry {
    offset: String,
    text: String,
}

/// Why a number must be seen.
#[derive(Deserialize)]
pub struct Why {
    #[serde(default)]
    why: String,
}

impl Why {
    /// The reason, if it is one.
    pub(super) fn read(&self) -> Result<&str, &'static str> {
        match self.why.trim() {
            "" => Err("Say why: it stands in the audit."),
            why if why.chars().count() > LONGEST_WHY => Err("Say it in 200 characters."),
            why if why.contains(char::is_control) => Err("Say it in one line."),
            why => Ok(why),
        }
    }
}

pub(super) async fn page(
    State(app): State<App>,
    Person(operator): Person,
    frame: Frame,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    page::html(&CallPage::of(story(&app, &id).await?, frame, operator, None))
}

pub(super) async fn reveal(
    State(app): State<App>,
    Person(operator): Person,
    frame: Frame,
    Path(id): Path<String>,
    Checked(why): Checked<Why>,
) -> Result<Response, WebError> {
    let story = story(&app, &id).await?;
    match why.read() {
        Ok(why) => {
            let number = app.calls.reveal(story.call.id, &operator.name, why, app.clock.wall()).await?;
            let number = number.ok_or(WebError::NotFound)?.international();
            page::html(&CallPage::of(story, frame, operator, Some(number)))
        }
        Err(hint) => {
            let page = page::html(&CallPage { why_hint: Some(hint), ..CallPage::of(story, frame, operator, None) })?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

async fn story(app: &App, id: &str) -> Result<Story, WebError> {
    let id = CallId::parse(id).ok_or(WebError::NotFound)?;
    app.calls.story(id).await?.ok_or(WebError::NotFound)
}

impl CallPage {
    /// With the whole number, if it was revealed.
    fn of(Story { call, events }: Story, frame: Frame, operator: Operator, revealed: Option<String>) -> Self {
        let shows_numbers = revealed.is_some();
        let masked = call.last4.as_deref().map_or_else(|| "a withheld or unreadable number".to_owned(), masked::number);
        Self {
            frame,
            who: Who { name: operator.name, here: "calls" },
            id: call.id.to_string(),
            began: Moment::of(call.began_at),
            may_reveal: call.last4.is_some() && !shows_numbers,
            number: revealed.unwrap_or(masked),
            why_hint: None,
            level: call.level.map(|level| Worth::of(level, call.caps)),
            line: call.line.clone(),
            signed: call.signed.clone().map(SignedBy::of),
            outcome: words::outcome(&call.outcome).to_owned(),
            advice: words::advice(&call.outcome),
            setup: call.setup.map(words::length),
            duration: call.duration.map(words::length),
            media: Media::of(&call),
            verification: call.verification.map(|id| id.to_string()),
            ladder: Ladder::of(&events, call.began_at, shows_numbers),
            timeline: timeline(&events, &call),
            call_id: call.sip_call_id,
            trunk: call.trunk.unwrap_or_else(|| "none".to_owned()),
            source: call.source,
            country: call.country.unwrap_or_default(),
            refusal: call.refusal.map(|(status, code)| Refusal { status, why: words::reason(&code), code }),
            serial: call.serial,
        }
    }
}

impl Media {
    fn of(call: &Call) -> Option<Self> {
        let Rated { quality, mos_received, mos_sent } = call.quality?;
        let far = quality.reported.map(|reported| Far {
            lost: words::part(reported.packets_lost, reported.packets_expected),
            jitter: words::length(reported.jitter),
            round_trip: reported.round_trip.map(words::length),
            mos: mos_sent.map(words::mos),
        });
        Some(Self {
            sent: quality.packets_sent,
            received: quality.packets_received,
            lost: words::part(quality.packets_lost, quality.packets_received + quality.packets_lost),
            foreign: quality.packets_foreign,
            srtp: quality.srtp.map(Suite::name),
            unauthentic: quality.packets_unauthentic,
            jitter: words::length(quality.jitter),
            mos: mos_received.map(words::mos),
            far,
        })
    }
}

/// Why a call was refused.
struct Refusal {
    status: i64,
    code: String,
    why: &'static str,
}

/// A signed identity.
struct SignedBy {
    verdict: String,
    why: String,
    signed: Signed,
}

impl SignedBy {
    fn of(signed: Signed) -> Self {
        let why = Fault::from_code(&signed.verdict).map_or_else(String::new, |fault| fault.to_string());
        let verdict =
            if why.is_empty() { format!("holds, attestation {}", signed.verdict) } else { signed.verdict.clone() };
        Self { verdict, why, signed }
    }
}

/// What a call could prove, or a certificate says.
pub(super) struct Worth {
    pub(super) level: String,
    pub(super) meaning: &'static str,
    /// Why it is no higher.
    pub(super) caps: Vec<&'static str>,
}

impl Worth {
    pub(super) fn of(level: Level, caps: Caps) -> Self {
        Self { level: level.to_string(), meaning: words::level(level), caps: words::caps(caps) }
    }
}

/// Lines of the timeline; a call has about fifteen.
const MOST_ENTRIES: usize = 100;

/// Steps and keys; keys in a row that came in the same way are one line, which says when each came, and none says which.
fn timeline(events: &[Event], call: &Call) -> Vec<Entry> {
    let lines: Vec<&Event> = events.iter().filter(|event| event.message.is_none()).collect();
    lines
        .chunk_by(|one, next| one.kind == "key" && (&one.kind, &one.what) == (&next.kind, &next.what))
        .map(|same| {
            let what = same[0].what.as_deref().map(words::plain).unwrap_or_default();
            let text = match (same[0].kind.as_str(), same.len()) {
                ("key", _) => keys(same, call),
                ("answered", _) => "Answered".to_owned(),
                ("signed", _) => signed(same[0].what.as_deref().unwrap_or_default()),
                ("refused", _) => refused(same[0].what.as_deref().unwrap_or_default()),
                ("over", _) => "Over".to_owned(),
                _ => capitalised(&what),
            };
            Entry { offset: words::offset(call.began_at, same[0].at), text }
        })
        .take(MOST_ENTRIES)
        .collect()
}

/// A verdict on a signed identity: a letter, or a fault.
fn signed(verdict: &str) -> String {
    match Fault::from_code(verdict) {
        None => format!("The signed identity holds, attestation {verdict}"),
        Some(fault) => format!("The signed identity is not believed: {fault}"),
    }
}

/// Keys that came in the same way: how, and when those after the first.
fn keys(same: &[&Event], call: &Call) -> String {
    let (source, judged) = same[0].what.as_deref().unwrap_or_default().split_once(' ').map_or_else(
        || (same[0].what.as_deref().unwrap_or_default(), ""),
        |(source, judged)| {
            (source, if judged == "right" { ": the digit that was asked for" } else { ": another digit" })
        },
    );
    let by = match source {
        "telephone-event" => " (telephone-event)",
        "in-band" => " (tones in the audio)",
        "info" => " (INFO)",
        // A record of an older version.
        _ => "",
    };
    let later: Vec<_> = same[1..].iter().map(|event| words::offset(call.began_at, event.at)).collect();
    match later.len() {
        0 => format!("A key was pressed{by}{judged}"),
        more => format!("{} keys were pressed{by}{judged}, then at {}", more + 1, later.join(", ")),
    }
}

fn refused(code: &str) -> String {
    match words::reason(code) {
        "" => format!("Refused: {}", words::plain(code)),
        why => format!("Refused: {why}"),
    }
}

fn capitalised(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
