//! `[sandbox]`: verifications without a telephone, or over a trunk of its own, for those who write programs against the API.

use ivr_core::number::Number;
use serde::Deserialize;

use super::File;
use super::trunk::numbers;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    numbers: Vec<String>,
}

/// The checked section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    numbers: Vec<Number>,
}

impl Sandbox {
    /// The numbers that it takes: nobody's.
    pub fn numbers(&self) -> &[Number] {
        &self.numbers
    }
}

/// The section, if it is there.
pub(super) fn check(file: &mut File<'_>) -> Option<Option<Sandbox>> {
    if !file.table.contains_key("sandbox") {
        return Some(None);
    }
    let raw: Raw = file.optional("sandbox")?;
    let what = "name numbers that are nobody's, such as \"+12025550150\"";
    let numbers = numbers("sandbox.numbers", &raw.numbers, what, file)?;
    for number in numbers.iter().filter(|number| !is_of_fiction(number)) {
        file.findings.warn(
            "sandbox.numbers",
            format!(
                "{} may be somebody's, who then cannot prove it here: those like +12025550150 are kept for fiction",
                number.as_str()
            ),
        );
    }
    Some(Some(Sandbox { numbers }))
}

/// Is it of those that North America gives to nobody: 555-0100 to 555-0199 of each area?
fn is_of_fiction(number: &Number) -> bool {
    number.as_str().strip_prefix("+1").and_then(|rest| rest.get(3..8)) == Some("55501")
}
