//! `[keys]`: where the service's own secret keys are (`crate::key_file` reads them).

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::File;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    file: Option<PathBuf>,
}

/// The checked section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    file: PathBuf,
}

impl Keys {
    /// The key file.
    pub fn file(&self) -> &Path {
        &self.file
    }
}

pub(super) fn check(raw: Raw, data: &Path, file: &File<'_>) -> Keys {
    Keys { file: raw.file.map_or_else(|| data.join("keys.toml"), |path| file.path(&path)) }
}
