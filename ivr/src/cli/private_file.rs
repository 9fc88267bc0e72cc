//! Files that only their owner reads.

use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Result, anyhow};

/// What becomes of a file that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Present {
    /// It is written anew.
    Replaced,
    /// It stays, and nothing is written: an error.
    Kept,
}

/// An error if there is something in this file already: for a command that could not give it back.
pub(super) fn check_free(file: &Path) -> Result<()> {
    match std::fs::metadata(file) {
        Ok(metadata) if metadata.len() > 0 => Err(taken(file)),
        _ => Ok(()),
    }
}

/// Writes a text that nobody else shall read.
pub(super) fn write(file: &Path, text: &str, present: Present) -> Result<()> {
    let written = || {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).mode(0o600);
        match present {
            Present::Replaced => options.create(true).truncate(true),
            Present::Kept => options.create_new(true),
        };
        options.open(file)?.write_all(text.as_bytes())
    };
    written().map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => taken(file),
        _ => anyhow!(error).context(format!("writing {}", file.display())),
    })
}

fn taken(file: &Path) -> anyhow::Error {
    anyhow!("{} is there already and stays: name another file, or move it away first", file.display())
}
