//! What the network says that it knows about the caller (STIR). Only the words of a trunk's own dialect may raise a
//! level; what speaks against the caller is believed from anybody. A PASSporT is not verified here
//! (`crate::passport` does), so its claim can only lower.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Reason;
use super::verstat::{Finding, Verstat};
use crate::private::Private;
use crate::sip::identity::{Headers, NameAddress, Parameters};

/// What the attestations allow: of several, the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Attestation {
    /// B, C, or in a header of its own a word that nobody knows: no more than L1.
    Low,
    /// None.
    Silent,
    /// The trunk says that its network verified A.
    Full,
}

/// Reads the trunk's own words, `Identity` (RFC 8224), the headers with an attestation, and `verstat` in every header
/// that names the caller.
pub(super) fn read<'n, 'a: 'n>(
    dialect: Option<&Verstat>,
    headers: Headers<'a>,
    named: impl Iterator<Item = &'n NameAddress<'a>>,
) -> Result<Attestation, Reason> {
    let own = dialect.map_or(Ok(None), |dialect| spoken(dialect, headers))?;
    let mut is_low = INDICATORS.iter().flat_map(|name| stated_in(headers, name)).filter_map(level).any(is_lower);
    // Any other word than A, B and C makes it no PASSporT, which whoever verifies it says.
    is_low |= identities(headers)
        .filter(|identity| ppt(identity).is_none_or(is_shaken))
        .filter_map(|identity| attested(identity.split(';').next()?))
        .any(|level| matches!(level.trim(), "B" | "b" | "C" | "c"));
    // What a header of the trunk's own says in these words, others need not mean by them.
    let dialect = dialect.filter(|dialect| dialect.is_parameter());
    for word in named.flat_map(|named| named.everywhere("verstat")) {
        let own = dialect.and_then(|dialect| dialect.finding(word));
        let word = word.to_ascii_lowercase();
        // What goes on after "failed" (the attestation, a diversion) makes it no better.
        if word.starts_with("tn-validation-failed") || own == Some(Finding::Failed) {
            return Err(Reason::ValidationFailed);
        }
        is_low |= match own {
            Some(Finding::Diverted) => return Err(Reason::Forwarded),
            Some(finding) => finding == Finding::Low,
            None => !HARMLESS.contains(&&*word),
        };
    }
    // Which of two would be verified, and which believed?
    if shaken(headers).nth(1).is_some() {
        return Err(Reason::IdentityInvalid);
    }
    Ok(if is_low { Attestation::Low } else { own.unwrap_or(Attestation::Silent) })
}

/// What the trunk says in its own words, if anything. Of several words the worst counts.
fn spoken(dialect: &Verstat, headers: Headers<'_>) -> Result<Option<Attestation>, Reason> {
    let mut least = None;
    for word in words(dialect, headers) {
        let said = match dialect.finding(word) {
            Some(Finding::Diverted) => return Err(Reason::Forwarded),
            Some(Finding::Failed) => return Err(Reason::ValidationFailed),
            Some(Finding::PassedA) => Attestation::Full,
            Some(Finding::Passed) => stated(dialect, headers),
            Some(Finding::Unsigned) => Attestation::Silent,
            Some(Finding::Low) | None => Attestation::Low,
        };
        least = Some(least.map_or(said, |least: Attestation| least.min(said)));
    }
    Ok(least)
}

/// The trunk's words in the header where it writes them.
fn words<'a>(dialect: &Verstat, headers: Headers<'a>) -> Vec<&'a str> {
    let header = dialect.header.as_str();
    if !dialect.is_parameter() {
        return headers.values(header, None).collect();
    }
    // From is one address (RFC 3261 20.20): a comma in it parts nothing. What cannot be read was refused before.
    let entries: Vec<&str> = if header.eq_ignore_ascii_case("From") {
        headers.values(header, Some("f")).collect()
    } else {
        headers.entries(header, None).collect()
    };
    let entries = entries.into_iter().filter_map(NameAddress::parse);
    entries.flat_map(|entry| entry.everywhere("verstat").collect::<Vec<_>>()).collect()
}

/// The attestation where a word says only that there is a good one: it is A if the header says A and nothing else.
fn stated(dialect: &Verstat, headers: Headers<'_>) -> Attestation {
    let Some(header) = &dialect.attestation_header else { return Attestation::Low };
    let mut values = stated_in(headers, header);
    match (values.next().and_then(level), values.next()) {
        (Some("A"), None) => Attestation::Full,
        _ => Attestation::Low,
    }
}

/// The `Identity` of type shaken, to be verified.
pub(super) fn passport(headers: Headers<'_>) -> Option<Private<String>> {
    shaken(headers).next().map(|identity| Private::new(identity.to_owned()))
}

/// Each `Identity`. RFC 8224 4 has one in a header; but somebody on the way may have joined them by commas, which stand in none.
fn identities<'a>(headers: Headers<'a>) -> impl Iterator<Item = &'a str> {
    headers.entries("Identity", Some("y"))
}

/// Each `Identity` of type shaken.
fn shaken<'a>(headers: Headers<'a>) -> impl Iterator<Item = &'a str> {
    identities(headers).filter(|identity| ppt(identity).is_some_and(is_shaken))
}

/// Did somebody who diverted the call sign that (RFC 8946 4)?
pub(super) fn is_diverted(headers: Headers<'_>) -> bool {
    identities(headers).any(|identity| match ppt(identity) {
        Some(ppt) => is_div(ppt),
        // Somebody on the way may have lost the parameter; RFC 8225 8.1 has it in the token, too.
        None => diverts(identity.split(';').next().unwrap_or(identity)),
    })
}

/// The type of a PASSporT.
fn ppt(identity: &str) -> Option<&str> {
    let (_, parameters) = identity.split_once(';')?;
    Parameters(parameters).value("ppt").filter(|ppt| !ppt.is_empty())
}

fn is_shaken(ppt: &str) -> bool {
    ppt.eq_ignore_ascii_case("shaken")
}

fn is_div(ppt: &str) -> bool {
    ppt.eq_ignore_ascii_case("div") || ppt.eq_ignore_ascii_case("div-o")
}

/// What all headers of this name say. Somebody on the way may have joined two by a comma, whatever quotes stand in them.
fn stated_in<'a>(headers: Headers<'a>, name: &str) -> impl Iterator<Item = &'a str> {
    headers.values(name, None).flat_map(|value| value.split(','))
}

/// What a header with an attestation says, if it says anything. Parameters may follow; some carriers write a bare `;`.
fn level(value: &str) -> Option<&str> {
    let level = value.split_once(';').map_or(value, |(level, _)| level);
    Some(level.trim().trim_matches('"').trim()).filter(|level| !level.is_empty())
}

/// Is it anything but A? One that raises is read more strictly ([`stated`]).
fn is_lower(level: &str) -> bool {
    !level.eq_ignore_ascii_case("A")
}

/// `attest` of a PASSporT in full form (RFC 8588 4), unverified.
pub(super) fn attested(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        attest: String,
    }
    part(1, token).map(|claims: Claims| claims.attest)
}

/// Does the header of a PASSporT say that the call was diverted (RFC 8946 4)?
fn diverts(token: &str) -> bool {
    #[derive(Deserialize)]
    struct Header {
        ppt: String,
    }
    part(0, token).is_some_and(|header: Header| is_div(&header.ppt))
}

/// A part of a PASSporT in full form, unverified.
fn part<T: DeserializeOwned>(place: usize, token: &str) -> Option<T> {
    if token.len() > LARGEST_TOKEN_BYTES {
        return None;
    }
    let part = token.trim().split('.').nth(place)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?).ok()
}

/// Headers with nothing but an attestation: what many networks write, and that of 3GPP (TS 24.229 7.2.18).
const INDICATORS: [&str; 2] = ["P-Attestation-Indicator", "Attestation-Info"];

/// What neither raises nor lowers, where no dialect says what it means.
const HARMLESS: [&str; 3] = ["no-tn-validation", "tn-validation-passed", "tn-validation-passed-a"];

/// More is no PASSporT.
const LARGEST_TOKEN_BYTES: usize = 8 * 1024;
