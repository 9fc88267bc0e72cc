//! How a carrier writes the numbers of its callers, and what it puts before them.

use ivr_core::caller::NumberFormat;

use super::Raw;
use crate::config::File;

/// What number_format may say; the prefixes belong to `national` alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    E164,
    E164NoPlus,
    National,
}

/// The format of a trunk, and the faults of what it strips.
pub(super) fn check(place: &impl Fn(&str) -> String, raw: &Raw, file: &mut File<'_>) -> Option<NumberFormat> {
    let format = number_format(place, raw, file);
    check_strip_prefixes(&place("strip_prefixes"), &raw.strip_prefixes, file);
    format
}

fn number_format(place: &impl Fn(&str) -> String, raw: &Raw, file: &mut File<'_>) -> Option<NumberFormat> {
    let formats = [("e164", Format::E164), ("e164-no-plus", Format::E164NoPlus), ("national", Format::National)];
    let format = file.findings.choose(&place("number_format"), &raw.number_format, &formats)?;
    for (key, prefix) in [("trunk_prefix", &raw.trunk_prefix), ("international_prefix", &raw.international_prefix)] {
        if let Some(prefix) = prefix {
            check_digits(&place(key), prefix, file);
            if format != Format::National {
                file.findings.fault(place(key), "only number_format = \"national\" has such a prefix");
            }
        }
    }
    if format == Format::National && raw.country.is_none() {
        file.findings.fault(place("country"), "national numbers mean nothing without their country");
    }
    Some(match format {
        Format::E164 => NumberFormat::E164,
        Format::E164NoPlus => NumberFormat::E164NoPlus,
        Format::National => NumberFormat::National {
            trunk_prefix: raw.trunk_prefix.clone(),
            international_prefix: raw.international_prefix.clone(),
        },
    })
}

fn check_strip_prefixes(place: &str, prefixes: &[String], file: &mut File<'_>) {
    for (i, prefix) in prefixes.iter().enumerate() {
        check_digits(place, prefix, file);
        let begins = |other: &&String| other.starts_with(prefix) || prefix.starts_with(*other);
        if let Some(other) = prefixes[..i].iter().find(begins) {
            let text =
                format!("{prefix:?} and {other:?} begin alike: nobody could tell whose digits follow; state one");
            file.findings.fault(place, text);
        }
    }
}

fn check_digits(place: &str, prefix: &str, file: &mut File<'_>) {
    if prefix.is_empty() || prefix.len() > 8 || !prefix.bytes().all(|b| b.is_ascii_digit()) {
        file.findings.fault(place, format!("{prefix:?}: a prefix is 1 to 8 digits"));
    }
}
