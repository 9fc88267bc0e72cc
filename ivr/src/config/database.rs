//! `[database]`: where the rows are.

use std::path::Path;

use ivr_core::private::Private;
use serde::Deserialize;

use super::File;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    url: Option<String>,
}

/// The checked section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    url: Private<String>,
}

impl Database {
    /// `sqlite:…` or `postgres://…`; private, because it may hold a password.
    pub fn url(&self) -> &Private<String> {
        &self.url
    }

    /// Whether whoever reads the configuration may log in.
    pub fn has_password(&self) -> bool {
        let login = self.url.expose().split_once("://").and_then(|(_, rest)| rest.split_once('@'));
        login.is_some_and(|(login, _)| login.contains(':')) || self.url.expose().contains("password=")
    }

    /// One file, one node.
    pub fn is_sqlite(&self) -> bool {
        self.url.expose().starts_with("sqlite:")
    }
}

pub(super) fn check(raw: Raw, data: &Path, file: &mut File<'_>) -> Option<Database> {
    let url = match raw.url {
        Some(url) => url,
        None => format!("sqlite:{}", data.join("dialproof.db").display()),
    };
    let known = ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
    if !known {
        file.findings.fault("database.url", "write sqlite:FILE or postgres://USER@HOST/DATABASE");
        return None;
    }
    Some(Database { url: Private::new(url) })
}
