//! Our type of numbers against Google's libphonenumber, on rows that generate.py drew from every numbering plan: what is
//! valid, of which country and kind, and how it is spelled. The two may differ on a few; none may be another number.
//!
//! What was compared is printed: `cargo test -p ivr-core --test numbers -- --nocapture`.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use ivr_core::number::{Country, Kind, Number, NumberError};

static ROWS: &[u8] = include_bytes!("rows.txt.gz");

/// Those of the rows that are `+` and digits: what the strict reading decides by the plans, not by the shape.
const FEWEST: usize = 75_000;
/// Of all rows.
const MOST_DIFFERENCES: usize = 10;
/// A version of rlibphonenumber, and that of the metadata which its Readme says it has: that of Python's phonenumbers, too.
const OF_ONE_METADATA: (&str, &str) = ("2.2.15", "9.0.42");

/// What libphonenumber says of a row, as generate.py writes it.
enum Verdict<'a> {
    Valid { country: &'a str, kind: &'a str },
    Misspelled { meant: &'a str },
    None,
    Shapeless,
    Typed { country: &'a str, number: Option<&'a str> },
}

impl<'a> Verdict<'a> {
    /// `heading` without the `> `, and what stands after the row's tab.
    fn of(heading: &'a str, spelled: Option<&'a str>) -> Self {
        match (heading, heading.split_once(' '), spelled) {
            ("misspelled", _, Some(meant)) => Self::Misspelled { meant },
            ("none", _, None) => Self::None,
            ("shapeless", _, None) => Self::Shapeless,
            (_, Some(("typed", country)), number) => Self::Typed { country, number },
            (_, Some((country, kind)), None) => Self::Valid { country, kind },
            _ => panic!("rows.txt.gz has a heading {heading:?} with a row of another kind"),
        }
    }

    /// For the count.
    fn name(&self) -> &'static str {
        match self {
            Self::Valid { .. } => "valid",
            Self::Misspelled { .. } => "misspelled",
            Self::None => "no number",
            Self::Shapeless => "of another shape",
            Self::Typed { .. } => "typed",
        }
    }

    /// Ours.
    fn ours(&self, text: &str) -> Result<Number, NumberError> {
        match self {
            Self::Typed { country, .. } => Number::read(text, country.parse::<Country>().ok()),
            _ => Number::parse(text),
        }
    }

    fn agrees(&self, ours: &Result<Number, NumberError>) -> bool {
        match (self, ours) {
            (Self::Valid { country, kind }, Ok(number)) => {
                number.country().to_string() == *country && name_of(number.kind()) == *kind
            }
            (Self::Misspelled { meant }, Err(error)) => error.did_you_mean() == Some(*meant),
            (Self::None | Self::Shapeless, Err(error)) => error.did_you_mean().is_none(),
            (Self::Typed { number, .. }, ours) => ours.as_ref().ok().map(Number::as_str) == *number,
            _ => false,
        }
    }

    /// One number was made of another: whoever is certified is not who called or was typed.
    fn is_repaired(&self, text: &str, ours: &Result<Number, NumberError>) -> bool {
        let Ok(number) = ours else { return false };
        match self {
            Self::Typed { number: theirs, .. } => theirs.is_some_and(|theirs| theirs != number.as_str()),
            _ => number.as_str() != text,
        }
    }
}

/// As generate.py names kinds.
fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Subscriber => "subscriber",
        Kind::Voip => "voip",
        Kind::Personal => "personal",
        Kind::TollFree => "toll-free",
        Kind::Premium => "premium",
        Kind::SharedCost => "shared-cost",
        Kind::UniversalAccess => "universal-access",
        Kind::Pager => "pager",
        Kind::Voicemail => "voicemail",
    }
}

fn rows() -> String {
    let mut text = String::new();
    GzDecoder::new(ROWS).read_to_string(&mut text).expect("rows.txt.gz is text");
    text
}

#[test]
fn of_75000_numbers_at_most_ten_are_judged_otherwise_than_by_libphonenumber_and_none_is_repaired() {
    let text = rows();
    let (mut counts, mut differences, mut repaired) = (BTreeMap::new(), Vec::new(), Vec::new());
    let mut heading = "";
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(next) = line.strip_prefix("> ") {
            heading = next;
            continue;
        }
        let (row, spelled) = line.split_once('\t').map_or((line, None), |(row, spelled)| (row, Some(spelled)));
        let verdict = Verdict::of(heading, spelled);
        let ours = verdict.ours(row);
        *counts.entry(verdict.name()).or_insert(0_usize) += 1;
        let told =
            || format!("{heading}: {line:?}; ours: {:?}", ours.as_ref().map(|n| (n.as_str(), n.country(), n.kind())));
        if !verdict.agrees(&ours) {
            differences.push(told());
        }
        if verdict.is_repaired(row, &ours) {
            repaired.push(told());
        }
    }
    println!("{} rows: {counts:?}; differences: {}", counts.values().sum::<usize>(), differences.len());
    differences.iter().for_each(|difference| println!("  {difference}"));

    let strict = ["valid", "misspelled", "no number"].iter().map(|name| counts[name]).sum::<usize>();
    assert!(strict >= FEWEST, "{strict} rows are + and digits");
    assert!(counts["typed"] >= 5_000 && counts["of another shape"] >= 5_000, "{counts:?}");
    assert!(repaired.is_empty(), "one number became another: {repaired:#?}");
    assert!(differences.len() <= MOST_DIFFERENCES, "{differences:#?}");
}

/// Another version of the library has other plans: the rows are to be drawn anew, as generate.py says.
#[test]
fn the_rows_were_drawn_for_the_library_that_we_use() {
    let text = rows();
    let version = text.lines().find_map(|line| line.strip_prefix("# rlibphonenumber ")).expect("the file says so");
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).expect("a lock file");
    let locked = format!("name = \"rlibphonenumber\"\nversion = \"{version}\"\n");
    assert!(lock.contains(&locked), "the rows were drawn for rlibphonenumber {version}: draw them again (generate.py)");

    let (library, plans) = OF_ONE_METADATA;
    assert_eq!(version, library, "look up which metadata rlibphonenumber {version} has");
    let drawn = text.lines().next().expect("a first line");
    assert!(drawn.contains(&format!("from phonenumbers {plans};")), "not drawn from phonenumbers {plans}: {drawn}");
}
