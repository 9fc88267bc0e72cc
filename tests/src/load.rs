//! What a load needs of a service, and what it leaves there: callers' numbers, cores, time and memory. The
//! callers themselves are `ivr::phone::load`.

use anyhow::Context;
use ivr_core::number::{Country, Number};

pub mod cores;
pub mod usage;

/// The number that is dialled.
pub const DIALLED: &str = "+12025550100";

/// A number for each call, no two alike: those with the lines 555-01XX, which no telephone has, but for the one that is dialled.
/// Only numbers of the United States, whose word the demo's trunk is believed for.
///
/// # Errors
/// If there are not so many.
pub fn numbers(count: usize) -> anyhow::Result<Vec<Number>> {
    let home: Country = "US".parse().context("a country")?;
    let all = (201..990).flat_map(|area| (100..200).map(move |line| format!("+1{area}5550{line}")));
    let callers = all.filter(|text| text != DIALLED).filter_map(|text| Number::parse(&text).ok());
    let valid = callers.filter(|number| number.country() == home);
    let numbers: Vec<Number> = valid.take(count).collect();
    anyhow::ensure!(numbers.len() == count, "only {} numbers are valid", numbers.len());
    Ok(numbers)
}
