//! `[webhooks]`: how events reach the endpoints that operators add (`dialproof webhook add`).

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::File;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    tls_roots: Option<PathBuf>,
}

/// The checked section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhooks {
    tls_roots: Option<PathBuf>,
}

impl Webhooks {
    /// Roots that the servers of endpoints may also have their certificates from.
    pub fn tls_roots(&self) -> Option<&Path> {
        self.tls_roots.as_deref()
    }
}

pub(super) fn check(raw: Raw, file: &File<'_>) -> Webhooks {
    Webhooks { tls_roots: raw.tls_roots.map(|path| file.path(&path)) }
}
