//! TEL: a leaf for a telephone number.

use x509_parser::prelude::{GeneralName, ParsedExtension};

use super::{CLIENT_AUTH, Case, DAY, Lint, SUBJECT_ALT_NAME, Wanted, require};
use crate::subject::{Subject, Tel};

pub(super) const LINTS: &[Lint] = &[
    Lint {
        clause: "TEL-1",
        check: |case| require(case.common_name() == Some(number(case)?.as_str()), "another common name"),
    },
    Lint { clause: "TEL-2", check: has_uri },
    Lint {
        clause: "TEL-3",
        check: |case| require(case.key_usage() == Some(1), "a key usage other than digitalSignature"),
    },
    Lint {
        clause: "TEL-4",
        check: |case| require(case.has_purposes(&[CLIENT_AUTH, &case.own_id(".3.1")]), "other key purposes"),
    },
    Lint { clause: "TEL-5", check: lists_number },
    Lint { clause: "TEL-6", check: has_level_of_calls },
    Lint { clause: "TEL-7", check: has_short_life },
    Lint { clause: "TEL-8", check: is_of_tel_issuer },
];

fn number<'a>(case: &Case<'a>) -> Result<&'a Tel, &'static str> {
    match case.wanted {
        Wanted::Leaf(Subject::Tel(tel)) => Ok(tel),
        _ => Err("not a leaf for a number"),
    }
}

fn has_uri(case: &Case<'_>) -> Result<(), &'static str> {
    let uri = number(case)?.uri();
    match case.parsed(SUBJECT_ALT_NAME, false) {
        Some(ParsedExtension::SubjectAlternativeName(names)) => {
            let right = |name: &GeneralName<'_>| matches!(name, GeneralName::URI(found) if *found == uri);
            require(names.general_names.iter().all(right), "a name other than the number's tel: URI")
        }
        _ => Err("no subjectAltName"),
    }
}

/// The octets are spelled out here, because the parser does not know the extension.
fn lists_number(case: &Case<'_>) -> Result<(), &'static str> {
    let digits = number(case)?.as_str().trim_start_matches('+').as_bytes();
    let size = u8::try_from(digits.len()).map_err(|_| "a number of another age")?;
    let expected = [&[0x30, size + 4, 0xa2, size + 2, 0x16, size], digits].concat();
    let found = case.extension("1.3.6.1.5.5.7.1.26").ok_or("no TNAuthList")?;
    require(!found.critical && found.value == expected, "a TNAuthList that is critical or lists something else")
}

fn has_level_of_calls(case: &Case<'_>) -> Result<(), &'static str> {
    let policies = case.policies().ok_or("no policies")?;
    let states = |tail: &str| policies.contains(&case.own_id(tail));
    require(!states(".1.0"), "the level of a mailbox")?;
    require(!states(".2") || states(".1.1"), "code-only at another level than L1")
}

fn has_short_life(case: &Case<'_>) -> Result<(), &'static str> {
    let lowest = case.policies().is_some_and(|policies| policies.contains(&case.own_id(".1.1")));
    let limit = if lowest { 7 } else { 30 };
    require(case.life_seconds() <= limit * DAY, "a longer life than its level allows")
}

/// An issuer that may state L2 and not L0.
fn is_of_tel_issuer(case: &Case<'_>) -> Result<(), &'static str> {
    let issuer = case.issuer_policies();
    require(issuer.contains(&case.own_id(".1.2")) && !issuer.contains(&case.own_id(".1.0")), "the other intermediate")
}
