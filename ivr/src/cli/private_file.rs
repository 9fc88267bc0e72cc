//! Files that only their owner reads.

use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Result, anyhow};

use crate::config::findings::Findings;
use crate::config::{Config, sip};

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

/// Warns of each secret file of a configuration that other users of this machine may read, and of the configuration if it has a
/// password. It is no fault: a supervisor may have its reasons for a group. That a file is not there, says whoever reads it.
pub(super) fn warn_of_open(config: &Config, from: &Path, findings: &mut Findings) {
    let of_service = [
        ("database.url", config.database().has_password().then_some(from)),
        ("keys.file", Some(config.keys().file())),
        ("ca.passphrase_file", config.ca().passphrase_file()),
        ("http.tls_key", config.http().tls().map(|files| files.key())),
        ("sip.tls_key", config.sip().secure().map(sip::Secure::tls).map(|files| files.key())),
        ("smtp.password_file", config.smtp().and_then(|smtp| smtp.login()).map(|login| login.password_file())),
    ];
    let of_service = of_service.into_iter().filter_map(|(place, file)| Some((place, file?)));
    let of_trunks = config.trunk_secrets().iter().map(|(place, file)| (*place, file.as_path()));
    for (place, file) in of_service.chain(of_trunks).filter(|(_, file)| is_open_to_others(file)) {
        findings.warn(place, format!("other users of this machine may read {0}: chmod 600 {0}", file.display()));
    }
}

fn is_open_to_others(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

fn taken(file: &Path) -> anyhow::Error {
    anyhow!("{} is there already and stays: name another file, or move it away first", file.display())
}
