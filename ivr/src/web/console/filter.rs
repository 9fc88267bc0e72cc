//! Which calls are listed: the address of the list is its filter, for people and for programs.

use ivr_core::caller::Level;
use ivr_core::number::{Country, Number};
use serde::Deserialize;
use time::format_description::well_known::Rfc3339;
use time::macros::{format_description, offset};
use time::{Date, Duration, OffsetDateTime};

use crate::store::calls::{Call, CallFilter, CallId};
use crate::web::error::WebError;

/// The filter as it stands in an address. What is empty lets everything pass.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// A whole number, or its last four digits.
    pub number: String,
    /// Part of Call-ID, source, trunk, outcome or reason.
    pub text: String,
    /// The whole Call-ID.
    pub call_id: String,
    /// `live`, `verified`, `refused`, …
    pub outcome: String,
    /// The reason code of a refusal, such as `no-session`.
    pub reason: String,
    /// The number's country (ISO 3166), such as `US`.
    pub country: String,
    /// The name of a trunk profile.
    pub trunk: String,
    /// `L0` to `L4`.
    pub level: String,
    /// The first day (`2026-03-01`, UTC) or moment (RFC 3339).
    pub from: String,
    /// The last day, or the moment until which.
    pub until: String,
    /// The place in the list after which the page begins, from a page's link to the next.
    pub after: String,
}

/// A field that cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Which.
    pub field: &'static str,
    /// What to change.
    pub hint: String,
}

impl Asked {
    fn pairs(&self) -> [(&'static str, &str); 11] {
        [
            ("number", &self.number),
            ("text", &self.text),
            ("call_id", &self.call_id),
            ("outcome", &self.outcome),
            ("reason", &self.reason),
            ("country", &self.country),
            ("trunk", &self.trunk),
            ("level", &self.level),
            ("from", &self.from),
            ("until", &self.until),
            ("after", &self.after),
        ]
    }

    /// Without space around values, and without characters that no stored text has.
    pub fn tidied(mut self) -> Self {
        let fields = [
            &mut self.number,
            &mut self.text,
            &mut self.call_id,
            &mut self.outcome,
            &mut self.reason,
            &mut self.country,
            &mut self.trunk,
            &mut self.level,
            &mut self.from,
            &mut self.until,
            &mut self.after,
        ];
        for field in fields {
            *field = field.trim().replace(char::is_control, "\u{FFFD}");
        }
        self
    }

    /// The part of the address behind the path: `?` and what is not empty.
    pub fn query(&self) -> String {
        let told: Vec<(&str, &str)> = self.pairs().into_iter().filter(|(_, value)| !value.is_empty()).collect();
        match serde_urlencoded::to_string(told) {
            Ok(query) if !query.is_empty() => format!("?{query}"),
            _ => String::new(),
        }
    }

    /// The same from its first page.
    pub fn from_the_first(&self) -> Self {
        Self { after: String::new(), ..self.clone() }
    }

    /// The same from behind this call.
    pub fn from_behind(&self, call: &Call) -> Self {
        let millis = call.began_at.unix_timestamp_nanos() / 1_000_000;
        Self { after: format!("{millis}-{}", call.id), ..self.clone() }
    }

    /// Whether fewer than all calls are asked for by the fields that are shown first to nobody.
    pub fn is_detailed(&self) -> bool {
        let detailed = ["call_id", "reason", "country", "trunk", "level"];
        self.pairs().iter().any(|(name, value)| detailed.contains(name) && !value.is_empty())
    }

    /// What the store understands.
    ///
    /// # Errors
    /// The first field that cannot be read.
    pub fn filter(&self, country: Option<Country>, limit: u32) -> Result<CallFilter, Unreadable> {
        let unreadable = |field, hint: &str| Unreadable { field, hint: hint.to_owned() };
        let is_last4 = self.number.len() == 4 && self.number.bytes().all(|byte| byte.is_ascii_digit());
        let number = match self.number.as_str() {
            "" => None,
            _ if is_last4 => None,
            typed => Some(Number::read(typed, country).map_err(|error| unreadable("number", &error.to_string()))?),
        };
        let level = match self.level.as_str() {
            "" => None,
            name => Some(name.parse::<Level>().map_err(|error| unreadable("level", &error.to_string()))?),
        };
        let day = "a day such as 2026-03-01, or a moment such as 2026-03-01T12:00:00Z";
        Ok(CallFilter {
            number,
            last4: if is_last4 { self.number.clone() } else { String::new() },
            call_id: self.call_id.clone(),
            text: self.text.clone(),
            outcome: self.outcome.clone(),
            reason: self.reason.clone(),
            country: self.country.to_ascii_uppercase(),
            trunk: self.trunk.clone(),
            level,
            from: moment(&self.from, Duration::ZERO).map_err(|()| unreadable("from", day))?,
            until: moment(&self.until, Duration::DAY).map_err(|()| unreadable("until", day))?,
            after: place(&self.after).map_err(|()| unreadable("after", "follow the link of the page before"))?,
            limit,
        })
    }
}

impl From<Unreadable> for WebError {
    fn from(Unreadable { field, hint }: Unreadable) -> Self {
        Self::field(format!("{field}: {hint}"))
    }
}

/// A moment, or the beginning of a day and `later`.
fn moment(text: &str, later: Duration) -> Result<Option<OffsetDateTime>, ()> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(day) = Date::parse(text, format_description!("[year]-[month]-[day]")) {
        return day.midnight().assume_offset(offset!(UTC)).checked_add(later).map(Some).ok_or(());
    }
    OffsetDateTime::parse(text, &Rfc3339).map(Some).map_err(drop)
}

fn place(text: &str) -> Result<Option<(OffsetDateTime, CallId)>, ()> {
    if text.is_empty() {
        return Ok(None);
    }
    let (millis, id) = text.split_once('-').ok_or(())?;
    let millis: i64 = millis.parse().map_err(drop)?;
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).map_err(drop)?;
    Ok(Some((at, CallId::parse(id).ok_or(())?)))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn read(query: &str) -> Asked {
        serde_urlencoded::from_str::<Asked>(query).unwrap().tidied()
    }

    #[test]
    fn an_address_is_written_as_it_was_read_without_what_is_empty() {
        let asked = read("number=&text=a%26b+c&level=L2&unknown=1&from=2026-03-01&trunk=+x+");
        assert_eq!(asked.query(), "?text=a%26b+c&trunk=x&level=L2&from=2026-03-01");
        assert_eq!(read(&asked.query()[1..]), asked);
        assert_eq!(read("").query(), "");
        assert_eq!(read("text=%00").text, "\u{FFFD}");
    }

    #[test]
    fn numbers_levels_and_days_are_read() {
        let country = Some("US".parse().unwrap());
        let filter = read("number=(202)+555-0143&level=L3&from=2026-03-01&until=2026-03-01&country=us");
        let filter = filter.filter(country, 10).unwrap();
        assert_eq!(filter.number.unwrap().as_str(), "+12025550143");
        assert_eq!((filter.last4.as_str(), filter.country.as_str(), filter.limit), ("", "US", 10));
        assert_eq!(filter.from, Some(datetime!(2026-03-01 0:00 UTC)));
        assert_eq!(filter.until, Some(datetime!(2026-03-02 0:00 UTC)));
        let filter = read("number=0143&from=2026-03-01T12:00:00%2B01:00").filter(country, 10).unwrap();
        assert_eq!((filter.number, filter.last4.as_str()), (None, "0143"));
        assert_eq!(filter.from, Some(datetime!(2026-03-01 11:00 UTC)));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (query, field) in [
            ("number=12", "number"),
            ("number=0143a", "number"),
            ("level=9", "level"),
            ("from=yesterday", "from"),
            ("until=2026-02-30", "until"),
            ("until=9999-12-31", "until"),
            ("after=1", "after"),
            ("after=1-2", "after"),
            ("after=99999999999999999999-00000000000000000000000000000000", "after"),
            ("after=9223372036854775807-00000000000000000000000000000000", "after"),
        ] {
            assert_eq!(read(query).filter(None, 1).map_err(|error| error.field).err(), Some(field), "{query}");
        }
    }
}
