//! `[verification]`: how a number is proved.

use std::ops::RangeInclusive;
use std::time::Duration;

use ivr_core::caller::{IssuingLevels, Level};
use ivr_core::number::KindPolicy;
use ivr_core::proof::Binding;
use serde::Deserialize;

use super::File;
use crate::puzzle::Threshold;

const DAY_MINUTES: u64 = 24 * 60;
/// A proof that waited still has more than a month to be worth something.
const LONGEST_HOLD_MINUTES: u64 = 7 * DAY_MINUTES;

/// With more, most slow telephones would not be done while the work is taken.
const PUZZLE_BITS: RangeInclusive<u8> = 8..=22;
/// A million hashes: a minute of a slow telephone's browser.
const MANY_PUZZLE_BITS: u8 = 20;
/// A day of a person who does not get on with it.
const MANY_FRUITLESS_CALLS: u32 = 100;
/// More than a load test makes of one number.
const MOST_FRUITLESS_CALLS: u32 = 1_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    #[serde(default = "default_binding")]
    binding: String,
    #[serde(default = "default_issue_from")]
    issue_from: String,
    issue_from_voip: Option<String>,
    issue_from_personal: Option<String>,
    #[serde(default = "default_code_life_minutes")]
    code_life_minutes: u64,
    #[serde(default = "default_key_change_hold_minutes")]
    key_change_hold_minutes: u64,
    #[serde(default = "default_fruitless_calls_a_day")]
    fruitless_calls_a_day: u32,
    #[serde(default = "yes")]
    allow_voip: bool,
    #[serde(default)]
    allow_personal: bool,
    #[serde(default = "default_starts_a_minute")]
    starts_a_minute: u32,
    #[serde(default = "default_starts_a_minute_of_a_network")]
    starts_a_minute_of_a_network: u32,
    #[serde(default = "default_puzzle_bits")]
    puzzle_bits: u8,
}

fn default_binding() -> String {
    "read-back".to_owned()
}

fn default_issue_from() -> String {
    "L2".to_owned()
}

fn default_code_life_minutes() -> u64 {
    10
}

fn default_key_change_hold_minutes() -> u64 {
    DAY_MINUTES
}

fn default_fruitless_calls_a_day() -> u32 {
    20
}

/// More than a busy service sees.
fn default_starts_a_minute() -> u32 {
    600
}

fn default_starts_a_minute_of_a_network() -> u32 {
    60
}

/// A few seconds in a browser.
fn default_puzzle_bits() -> u8 {
    18
}

fn yes() -> bool {
    true
}

/// The checked section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verification {
    binding: Binding,
    issue_from: IssuingLevels,
    code_life: Duration,
    key_change_hold: Duration,
    fruitless_calls_a_day: u32,
    kinds: KindPolicy,
    flood: Threshold,
}

impl Verification {
    /// What ties phone and page together.
    pub fn binding(&self) -> Binding {
        self.binding
    }

    /// The lowest level that certificates are issued for, by the kind of number.
    pub fn issue_from(&self) -> IssuingLevels {
        self.issue_from
    }

    /// How long a code may be dialled.
    pub fn code_life(&self) -> Duration {
        self.code_life
    }

    /// How long a key waits if another key was certified for its number lately.
    pub fn key_change_hold(&self) -> Duration {
        self.key_change_hold
    }

    /// How many calls of a number may be answered on one day and end without a right code.
    pub fn fruitless_calls_a_day(&self) -> u32 {
        self.fruitless_calls_a_day
    }

    /// From how many starts on each has to be worked for.
    pub fn flood(&self) -> Threshold {
        self.flood
    }

    /// Kinds of numbers.
    pub fn kinds(&self) -> KindPolicy {
        self.kinds
    }
}

pub(super) fn check(raw: Raw, file: &mut File<'_>) -> Option<Verification> {
    let binding = file.findings.choose(
        "verification.binding",
        &raw.binding,
        &[("read-back", Binding::ReadBack), ("code-only", Binding::CodeOnly)],
    );
    let issue_from = levels(&raw, binding, file);
    if !(2..=30).contains(&raw.code_life_minutes) {
        file.findings.fault("verification.code_life_minutes", "between 2 and 30 minutes");
    }
    if !(1..=LONGEST_HOLD_MINUTES).contains(&raw.key_change_hold_minutes) {
        file.findings.fault("verification.key_change_hold_minutes", "between 1 minute and 10080, which is a week");
    } else if raw.key_change_hold_minutes < DAY_MINUTES {
        file.findings.warn(
            "verification.key_change_hold_minutes",
            "less than a day: whoever takes a number over for an hour has its certificate before its owner notices",
        );
    }
    if !(1..=MOST_FRUITLESS_CALLS).contains(&raw.fruitless_calls_a_day) {
        let text = format!("between 1 and {MOST_FRUITLESS_CALLS}");
        file.findings.fault("verification.fruitless_calls_a_day", text);
    } else if raw.fruitless_calls_a_day > MANY_FRUITLESS_CALLS {
        file.findings.warn(
            "verification.fruitless_calls_a_day",
            "more than a person needs: whoever calls and keys in nothing takes up lines, and costs where you pay for calls",
        );
    }
    if raw.starts_a_minute_of_a_network == 0 {
        file.findings
            .fault("verification.starts_a_minute_of_a_network", "at least 1; starts_a_minute = 0 asks everybody");
    }
    if !PUZZLE_BITS.contains(&raw.puzzle_bits) {
        file.findings.fault("verification.puzzle_bits", "between 8 and 22: each doubles the work");
    } else if raw.puzzle_bits > MANY_PUZZLE_BITS {
        file.findings.warn(
            "verification.puzzle_bits",
            "a slow telephone may work longer than the five minutes that its work is taken",
        );
    }
    Some(Verification {
        binding: binding?,
        issue_from: issue_from?,
        code_life: Duration::from_secs(raw.code_life_minutes * 60),
        key_change_hold: Duration::from_secs(raw.key_change_hold_minutes * 60),
        fruitless_calls_a_day: raw.fruitless_calls_a_day,
        kinds: KindPolicy { voip: raw.allow_voip, personal: raw.allow_personal },
        flood: Threshold {
            starts_a_minute: raw.starts_a_minute,
            of_a_network: raw.starts_a_minute_of_a_network,
            bits: raw.puzzle_bits,
        },
    })
}

/// The issuing level of all numbers, and those of the kinds that have one of their own.
fn levels(raw: &Raw, binding: Option<Binding>, file: &mut File<'_>) -> Option<IssuingLevels> {
    let subscriber = level("verification.issue_from", Some(&raw.issue_from), binding, file)?;
    let voip = level("verification.issue_from_voip", raw.issue_from_voip.as_ref(), binding, file)?;
    let personal = level("verification.issue_from_personal", raw.issue_from_personal.as_ref(), binding, file)?;
    let subscriber = subscriber.unwrap_or(Level::L2);
    Some(IssuingLevels { subscriber, voip: voip.unwrap_or(subscriber), personal: personal.unwrap_or(subscriber) })
}

fn level(place: &str, text: Option<&String>, binding: Option<Binding>, file: &mut File<'_>) -> Option<Option<Level>> {
    let Some(text) = text else { return Some(None) };
    let level: Level = file.findings.parse(place, text)?;
    if matches!(level, Level::L0 | Level::L4) {
        file.findings
            .fault(place, "L1, L2 or L3: L0 is email's, and L4 needs a way back to the number, which is not there yet");
    }
    if binding == Some(Binding::CodeOnly) && level > Level::L1 {
        file.findings.fault(
            place,
            "binding = \"code-only\" proves at most L1: set issue_from = \"L1\", or binding = \"read-back\"",
        );
    }
    if level == Level::L1 {
        file.findings.warn(
            place,
            "L1 certificates rest on numbers that nobody screened: whoever can forge a caller ID gets one",
        );
    }
    Some(Some(level))
}
