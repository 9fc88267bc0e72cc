//! `[operators]`: the console. Its people are rows of the database (`dialproof operator add`).

use std::time::Duration;

use serde::Deserialize;

use super::File;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    #[serde(default = "default_session_hours")]
    session_hours: u64,
}

fn default_session_hours() -> u64 {
    12
}

/// The checked section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operators {
    session: Duration,
}

impl Operators {
    /// How long a login lasts.
    pub fn session(&self) -> Duration {
        self.session
    }
}

pub(super) fn check(raw: Raw, file: &mut File<'_>) -> Option<Operators> {
    if !(1..=24 * 7).contains(&raw.session_hours) {
        file.findings.fault("operators.session_hours", "between 1 hour and a week (168)");
        return None;
    }
    Some(Operators { session: Duration::from_secs(raw.session_hours * 3600) })
}
