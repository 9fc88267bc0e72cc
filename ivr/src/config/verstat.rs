//! `[trunk.verstat]`: in which header and words a carrier says what its network found out about a caller.

use ivr_core::caller::{Finding, Verstat};
use serde::Deserialize;

use super::File;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) header: String,
    attestation_header: Option<String>,
    #[serde(default)]
    passed_a: Vec<String>,
    #[serde(default)]
    low: Vec<String>,
    #[serde(default)]
    passed: Vec<String>,
    #[serde(default)]
    failed: Vec<String>,
    #[serde(default)]
    unsigned: Vec<String>,
    #[serde(default)]
    diverted: Vec<String>,
}

/// The table of a trunk, if it has one; `None` if that has a fault.
pub(super) fn check(
    place: &impl Fn(&str) -> String,
    raw: Option<&Raw>,
    file: &mut File<'_>,
) -> Option<Option<Verstat>> {
    let Some(raw) = raw else { return Some(None) };
    let place = |key: &str| place(&format!("verstat.{key}"));
    let faults = file.findings.faults().len();
    for (key, header) in [("header", Some(&raw.header)), ("attestation_header", raw.attestation_header.as_ref())] {
        if header.is_some_and(|header| !is_token(header)) {
            file.findings.fault(place(key), "the name of a SIP header, such as \"X-Verstat\"");
        }
    }
    let columns = [
        ("passed_a", &raw.passed_a, Finding::PassedA),
        ("low", &raw.low, Finding::Low),
        ("passed", &raw.passed, Finding::Passed),
        ("failed", &raw.failed, Finding::Failed),
        ("unsigned", &raw.unsigned, Finding::Unsigned),
        ("diverted", &raw.diverted, Finding::Diverted),
    ];
    let mut words: Vec<(String, Finding)> = Vec::new();
    for (key, column, finding) in columns {
        for word in column {
            if word.is_empty() || word.len() > LONGEST_WORD || word.trim() != word || !word.is_ascii() {
                file.findings.fault(
                    place(key),
                    format!("{word:?}: a word is 1 to {LONGEST_WORD} ASCII characters, as the carrier writes it"),
                );
            }
            if words.iter().any(|(known, _)| known == word) {
                file.findings.fault(place(key), format!("{word:?} stands in the table twice: it means one thing"));
            }
            words.push((word.clone(), finding));
        }
    }
    let verstat = Verstat { header: raw.header.clone(), attestation_header: raw.attestation_header.clone(), words };
    if verstat.words.is_empty() {
        file.findings
            .fault(place("header"), "name the carrier's words, such as passed_a = [\"TN-Validation-Passed-A\"]");
    }
    if raw.passed.is_empty() == raw.attestation_header.is_some() {
        file.findings.fault(
            place("attestation_header"),
            "it says with which attestation the words of `passed` passed: one needs the other",
        );
    }
    if verstat.header.eq_ignore_ascii_case("From") && verstat.may_raise() {
        file.findings.warn(
            place("header"),
            "telephones write From themselves: do this only if the carrier removes a verstat that it did not write",
        );
    }
    (file.findings.faults().len() == faults).then_some(Some(verstat))
}

/// RFC 3261 25.1: a header's name is a token.
fn is_token(name: &str) -> bool {
    (1..=60).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte))
}

/// The longest that is known has 34 characters.
const LONGEST_WORD: usize = 64;
