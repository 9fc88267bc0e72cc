//! What is wrong or doubtful in a configuration, and where.

use std::fmt;
use std::str::FromStr;

/// One fault or warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The key, such as `sip.listen`.
    pub place: String,
    /// What is wrong and what to do.
    pub text: String,
}

/// Everything that was found, in the order of the file's sections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    faults: Vec<Finding>,
    warnings: Vec<Finding>,
}

impl Findings {
    /// What keeps the service from starting.
    pub fn faults(&self) -> &[Finding] {
        &self.faults
    }

    /// What an operator should know.
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// May the service start?
    pub fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// Notes a fault.
    pub fn fault(&mut self, place: impl Into<String>, text: impl Into<String>) {
        self.faults.push(Finding { place: place.into(), text: text.into() });
    }

    /// Notes a warning.
    pub fn warn(&mut self, place: impl Into<String>, text: impl Into<String>) {
        self.warnings.push(Finding { place: place.into(), text: text.into() });
    }

    /// Reads a value, or notes why it is none.
    pub(super) fn parse<T>(&mut self, place: &str, text: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        text.parse().map_err(|error| self.fault(place, format!("{text:?}: {error}"))).ok()
    }

    /// Reads each value of a list; `None` if any is none.
    pub(super) fn parse_all<T>(&mut self, place: &str, texts: &[String]) -> Option<Vec<T>>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        let values: Vec<Option<T>> = texts.iter().map(|text| self.parse(place, text)).collect();
        values.into_iter().collect()
    }

    /// The one value that a word means, or a fault that lists the words.
    pub(super) fn choose<T: Copy>(&mut self, place: &str, word: &str, words: &[(&str, T)]) -> Option<T> {
        let found = words.iter().find(|(known, _)| *known == word).map(|(_, value)| *value);
        if found.is_none() {
            let known: Vec<String> = words.iter().map(|(known, _)| format!("{known:?}")).collect();
            self.fault(place, format!("{word:?} is none of {}", known.join(", ")));
        }
        found
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, findings) in [("fault", &self.faults), ("warning", &self.warnings)] {
            for Finding { place, text } in findings {
                writeln!(f, "{kind}: {place}: {text}")?;
            }
        }
        Ok(())
    }
}
