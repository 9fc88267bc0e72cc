//! The list of certificates.

use askama::Template;
use axum::extract::{Query, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use ivr_core::caller::Level;
use serde::Deserialize;
use time::OffsetDateTime;

use super::session::Person;
use super::words::{self, Moment};
use super::{LEVELS, ROWS, Who, cut, has_empty_field, masked};
use crate::issue::{CertificateFilter, Certified};
use crate::web::App;
use crate::web::error::WebError;
use crate::web::page::{self, Frame};

/// Where the list is.
pub(super) const PATH: &str = "/console/certificates";

/// What a certificate can be, as in [`CertificateFilter::status`].
const STATUSES: [&str; 4] = ["valid", "suspended", "revoked", "expired"];

/// The filter as it stands in an address.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// A whole number or address, or a serial number.
    pub search: String,
    /// `valid`, `suspended`, `revoked`, `expired`.
    pub status: String,
    /// `L0` to `L4`.
    pub level: String,
    /// The place in the list after which the page begins, from a page's link to the next.
    pub after: String,
}

impl Asked {
    /// The part of the address behind the path: `?` and what is not empty.
    pub fn query(&self) -> String {
        let pairs =
            [("search", self.search.trim()), ("status", &self.status), ("level", &self.level), ("after", &self.after)];
        let told: Vec<(&str, &str)> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        match serde_urlencoded::to_string(told) {
            Ok(query) if !query.is_empty() => format!("?{query}"),
            _ => String::new(),
        }
    }

    /// The same from behind this certificate.
    pub fn from_behind(&self, last: &Certified) -> Self {
        let millis = last.issued_at.unix_timestamp_nanos() / 1_000_000;
        Self { after: format!("{millis}-{}", last.serial), ..self.clone() }
    }

    /// What the use case understands.
    ///
    /// # Errors
    /// The field that cannot be read.
    pub fn filter(&self, limit: u32) -> Result<CertificateFilter, WebError> {
        if !self.status.is_empty() && !STATUSES.contains(&self.status.as_str()) {
            return Err(WebError::field("status: valid, suspended, revoked or expired"));
        }
        let level = match self.level.as_str() {
            "" => None,
            name => Some(name.parse::<Level>().map_err(|error| WebError::field(format!("level: {error}")))?),
        };
        let before = match self.after.split_once('-') {
            None if self.after.is_empty() => None,
            Some((millis, serial)) => millis.parse().ok().map(|millis| (millis, serial.to_owned())),
            None => None,
        };
        let is_place = |(_, serial): &(i64, String)| serial.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !self.after.is_empty() && !before.as_ref().is_some_and(is_place) {
            return Err(WebError::field("after: follow the link of the page before"));
        }
        let search = Some(self.search.trim().to_owned()).filter(|search| !search.is_empty());
        Ok(CertificateFilter { search, status: Some(self.status.clone()), level, before, limit })
    }
}

/// One of [`STATUSES`].
pub fn status(certificate: &Certified, now: OffsetDateTime) -> &'static str {
    match certificate.revoked {
        Some(_) => "revoked",
        None if certificate.suspended.is_some() => "suspended",
        None if certificate.not_after < now => "expired",
        None => "valid",
    }
}

#[derive(Template)]
#[template(path = "console/certificates.html")]
struct CertificatesPage {
    frame: Frame,
    who: Who,
    asked: Asked,
    statuses: [&'static str; 4],
    levels: [&'static str; 5],
    rows: Vec<Row>,
    older: Option<String>,
    newest: Option<String>,
}

struct Row {
    serial: String,
    short: String,
    identity: String,
    level: String,
    is_code_only: bool,
    status: &'static str,
    issued: Moment,
    not_after: Moment,
    directory: &'static str,
}

pub(super) async fn page(
    State(app): State<App>,
    Person(operator): Person,
    frame: Frame,
    RawQuery(raw): RawQuery,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    if has_empty_field(raw.as_deref()) {
        return Ok(Redirect::to(&(PATH.to_owned() + &asked.query())).into_response());
    }
    let now = app.clock.wall();
    let (found, has_older) = cut(app.issue.certificates(&asked.filter(ROWS + 1)?, now).await?, ROWS);
    let older = found.last().filter(|_| has_older).map(|last| PATH.to_owned() + &asked.from_behind(last).query());
    let first = Asked { after: String::new(), ..asked.clone() };
    page::html(&CertificatesPage {
        frame,
        who: Who { name: operator.name, here: "certificates" },
        statuses: STATUSES,
        levels: LEVELS,
        rows: found.iter().map(|certificate| Row::of(certificate, &app, now)).collect(),
        older,
        newest: (!asked.after.is_empty()).then(|| PATH.to_owned() + &first.query()),
        asked,
    })
}

impl Row {
    fn of(certificate: &Certified, app: &App, now: OffsetDateTime) -> Self {
        Self {
            serial: certificate.serial.clone(),
            short: words::short(&certificate.serial),
            identity: masked::identity(certificate.identity.expose()),
            level: certificate.level.to_string(),
            is_code_only: app.issue.authority().states_code_only(&certificate.certificate_pem),
            status: status(certificate, now),
            issued: Moment::of(certificate.issued_at),
            not_after: Moment::of(certificate.not_after),
            directory: match &certificate.record {
                Some(record) if record.published && certificate.pending.is_some() => "published, another key waits",
                Some(record) if record.published => "published",
                Some(_) => "publishing",
                None => "no record",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_is_read_and_nonsense_is_not() {
        let asked =
            |status: &str, after: &str| Asked { status: status.into(), after: after.into(), ..Asked::default() };
        assert_eq!(asked("", "5-0aff").filter(1).unwrap().before, Some((5, "0aff".to_owned())));
        assert_eq!(asked("revoked", "").filter(1).unwrap().before, None);
        let at = |level: &str| Asked { level: level.into(), ..Asked::default() }.filter(1).map(|filter| filter.level);
        assert_eq!((at("L1").unwrap(), at("").unwrap()), (Some(Level::L1), None));
        assert!(at("L7").is_err());
        for (status, after) in [("good", ""), ("\0", ""), ("", "5"), ("", "x-0a"), ("", "5-\0"), ("", "5-zz")] {
            assert!(asked(status, after).filter(1).is_err(), "{status} {after}");
        }
    }
}
