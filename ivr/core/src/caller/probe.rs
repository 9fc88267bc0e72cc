//! A probe of a trunk: what arrives when its operator calls in a way that is known, so that the trunk's profile need not be
//! guessed. Such a call is refused before anything is done for it; what its headers say of the caller is kept, bounded and
//! without what tells more than the profile needs. What follows from it: `proposal.rs`.

use std::fmt;

use super::attestation::attested;
use super::policy::{is_anonymous, shows_secret};
use super::{Policy, Reason, TrunkIndex, Verdict, judge};
use crate::number::Number;
use crate::private::Private;
use crate::sip::identity::{Headers, NameAddress, Pieces, Privacy, Uri, split_at_bracket};
use crate::sip::message::{recorded_uri, shortened};
use crate::sip::peer::Peer;

mod dialects;
mod proposal;

pub use dialects::{DIALECTS, Dialect};
pub use proposal::{Line, Proposal, Standing, propose};

/// How the operator calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Just so.
    Normal,
    /// With the number withheld.
    Withheld,
    /// A telephone that forwards to the trunk's number.
    Forwarded,
    /// From abroad, or with a number of another country.
    Abroad,
}

impl Step {
    /// All, in the order in which they are made.
    pub const ALL: [Self; 4] = [Self::Normal, Self::Withheld, Self::Forwarded, Self::Abroad];

    /// Its name in forms and in the audit.
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Withheld => "withheld",
            Self::Forwarded => "forwarded",
            Self::Abroad => "abroad",
        }
    }

    /// The step of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }
}

/// Which call is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// How it is made.
    pub step: Step,
    /// The number of the telephone that is dialled with.
    pub number: Number,
    /// The number of the telephone that forwards.
    pub forwarder: Option<Number>,
}

impl Expected {
    /// Is it this call? A header that names somebody must end like one of the numbers; a call that is expected to withhold
    /// its number may name nobody. Other calls go on as always.
    pub(crate) fn is(&self, headers: Headers<'_>) -> bool {
        let named = NAMING.iter().flat_map(|(name, compact)| headers.entries(name, *compact));
        let mut users = named.filter_map(NameAddress::parse).filter_map(|entry| entry.uri.telephone_digits());
        let is_ours = |digits: String| {
            [Some(&self.number), self.forwarder.as_ref()].into_iter().flatten().any(|number| ends_like(&digits, number))
        };
        users.any(is_ours) || self.step == Step::Withheld && is_withheld(headers)
    }
}

/// Do digits in whatever format end like this number? Seven are enough to tell a call of the next minutes from others.
fn ends_like(digits: &str, number: &Number) -> bool {
    let whole = number.as_str();
    digits.ends_with(&whole[whole.len() - TELLING_DIGITS..])
}

/// Does a header say that its caller withholds the number?
fn is_withheld(headers: Headers<'_>) -> bool {
    let from = headers.values("From", Some("f")).next().and_then(NameAddress::parse);
    Privacy::of(headers) == Privacy::Withheld || from.is_some_and(|from| is_anonymous(&from))
}

/// What arrived with a call.
#[derive(Clone, PartialEq, Eq)]
pub struct Capture {
    /// Where it came from.
    pub source: Peer,
    /// The Request-URI: scheme, host, and a user that is a number.
    pub request_uri: Private<String>,
    /// Whether it bore the trunk's ingress secret, if the trunk has one.
    pub bore_secret: Option<bool>,
    /// Name and value of each header that says something of the caller, in their order.
    pub headers: Vec<(String, Private<String>)>,
    /// How many more there were.
    pub left_out: usize,
    /// What the profile as it is would have made of it.
    pub verdict: Result<super::Level, Reason>,
}

/// Who called is nobody's business.
impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Capture").field("headers", &names).field("verdict", &self.verdict).finish_non_exhaustive()
    }
}

impl Capture {
    /// What is kept of an INVITE over this trunk of the policy.
    pub fn of(policy: &Policy, trunk: TrunkIndex, source: Peer, uri: &str, headers: &[(&str, &str)]) -> Self {
        let secret = policy.trunk(trunk).ingress_secret.as_ref();
        let telling: Vec<_> = headers.iter().filter(|(name, _)| is_telling(name)).collect();
        let kept = telling.iter().take(MOST_HEADERS);
        let verdict = match judge(policy, &source, uri, headers) {
            Verdict::Accept { caller, .. } => Ok(caller.level),
            Verdict::Refuse(refusal) => Err(refusal.reason),
        };
        Self {
            source,
            request_uri: Private::new(shortened(&recorded_uri(uri)).to_owned()),
            bore_secret: secret.map(|secret| Uri::parse(uri).is_some_and(|uri| shows_secret(&uri, secret).is_some())),
            headers: kept.map(|(name, value)| (long_name(name).to_owned(), kept_value(name, value, secret))).collect(),
            left_out: telling.len().saturating_sub(MOST_HEADERS),
            verdict,
        }
    }

    /// The headers, to be read.
    fn pairs(&self) -> Vec<(&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.expose().as_str())).collect()
    }
}

/// A call that was waited for, and what arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// How it was made.
    pub expected: Expected,
    /// What arrived.
    pub capture: Capture,
}

/// Does a header of this name say who calls, over whom, or what a network found out about that? Carriers invent names that
/// begin with X- and P-.
fn is_telling(name: &str) -> bool {
    const OTHERS: [&str; 12] = [
        "Remote-Party-ID",
        "Privacy",
        "Diversion",
        "CC-Diversion",
        "History-Info",
        "Referred-By",
        "Identity",
        "Attestation-Info",
        "Origination-Id",
        "Verstat",
        "From",
        "To",
    ];
    let name = long_name(name);
    let begins = |with: &str| name.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with));
    OTHERS.iter().any(|other| name.eq_ignore_ascii_case(other)) || begins("X-") || begins("P-")
}

/// The compact names among them (RFC 3261 7.3.3, RFC 3892, RFC 8224).
fn long_name(name: &str) -> &str {
    const COMPACT: [(&str, &str); 4] = [("f", "From"), ("t", "To"), ("b", "Referred-By"), ("y", "Identity")];
    COMPACT.iter().find(|(compact, _)| name.eq_ignore_ascii_case(compact)).map_or(name, |(_, long)| long)
}

/// A value without names of people, signatures, and the secret of our URI.
fn kept_value(name: &str, value: &str, secret: Option<&Private<String>>) -> Private<String> {
    let name = long_name(name);
    let names_people =
        NAMING.iter().any(|(naming, _)| name.eq_ignore_ascii_case(naming)) || name.eq_ignore_ascii_case("To");
    let mut kept = if name.eq_ignore_ascii_case("Identity") {
        without_token(value)
    } else if names_people {
        Pieces::of(value, b',').map(without_display).collect::<Vec<_>>().join(", ")
    } else {
        value.to_owned()
    };
    if let Some(secret) = secret {
        kept = kept.replace(secret.expose().as_str(), "…");
    }
    kept.truncate(kept.floor_char_boundary(LONGEST_VALUE_BYTES));
    Private::new(kept)
}

/// A display name is somebody's, unless it says that there is none.
fn without_display(entry: &str) -> String {
    let Some((display, rest)) = split_at_bracket(entry) else { return entry.to_owned() };
    let shown = match NameAddress::parse(entry) {
        _ if display.trim().is_empty() => "",
        Some(named) if is_anonymous(&named) => display,
        _ => "\"…\" ",
    };
    format!("{shown}<{rest}")
}

/// Of a PASSporT (RFC 8225) what it attests and how long it is: its claims bear numbers.
fn without_token(value: &str) -> String {
    let (token, parameters) = value.split_once(';').unwrap_or((value, ""));
    let attest =
        attested(token).filter(|attest| attest.len() <= 2).map_or(String::new(), |attest| format!(", attest {attest}"));
    format!("({} octets{attest});{parameters}", token.len())
}

/// The headers that name who calls or over whom, and their compact names.
const NAMING: [(&str, Option<&str>); 8] = [
    ("From", Some("f")),
    ("P-Asserted-Identity", None),
    ("P-Preferred-Identity", None),
    ("Remote-Party-ID", None),
    ("Diversion", None),
    ("CC-Diversion", None),
    ("History-Info", None),
    ("Referred-By", Some("b")),
];
/// As many as say something, and some.
const MOST_HEADERS: usize = 40;
/// Longer ones are cut.
const LONGEST_VALUE_BYTES: usize = 512;
/// The least that a number has.
const TELLING_DIGITS: usize = 7;

#[cfg(test)]
mod cases;
