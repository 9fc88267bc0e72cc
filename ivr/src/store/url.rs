//! The database's address, and what each kind of database is told when a connection opens.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use sqlx::any::AnyConnectOptions;

use super::StoreError;

/// The address of a database.
pub(super) enum DatabaseUrl {
    /// A file.
    Sqlite(String),
    /// A server. It may hold a password: never log it.
    Postgres(String),
}

impl DatabaseUrl {
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        let path = url.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest));
        match path {
            // Every connection would have a memory of its own.
            None | Some("" | ":memory:") => {
                Err(StoreError::Failed("its address is sqlite:FILE or postgres://USER@HOST/DATABASE".to_owned()))
            }
            Some(path) => Ok(Self::Sqlite(path.to_owned())),
        }
    }

    pub(super) fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    pub(super) fn options(&self) -> Result<AnyConnectOptions, StoreError> {
        let text = match self {
            Self::Sqlite(path) => format!("sqlite:{}?mode=rwc", percent_encoded(path)),
            Self::Postgres(url) => url.clone(),
        };
        // The parser's error would repeat the address, and a password with it.
        text.parse().map_err(|_| StoreError::Failed("its address cannot be read".to_owned()))
    }

    /// What every connection is told first.
    pub(super) fn session(&self, patience: Duration) -> Vec<String> {
        let patience = patience.as_millis();
        match self {
            // WAL: readers do not wait for the writer. FULL: a commit is on the disk before it is answered. Half a MiB of
            // pages a connection: the system keeps the file in memory, too.
            Self::Sqlite(_) => vec![
                format!("PRAGMA busy_timeout = {patience}"),
                "PRAGMA journal_mode = WAL".to_owned(),
                "PRAGMA synchronous = FULL".to_owned(),
                "PRAGMA foreign_keys = ON".to_owned(),
                "PRAGMA cache_size = -512".to_owned(),
            ],
            Self::Postgres(_) => {
                vec![format!("SET lock_timeout = {patience}"), format!("SET statement_timeout = {}", patience * 3)]
            }
        }
    }

    /// A new file is its owner's alone; SQLite gives the files beside it the same rights.
    pub(super) fn make_private_file(&self) -> Result<(), StoreError> {
        let Self::Sqlite(path) = self else { return Ok(()) };
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let opened = options.open(Path::new(path));
        opened.map(drop).map_err(|error| StoreError::Failed(format!("its file cannot be opened: {}", error.kind())))
    }
}

/// Everything that means something in a URL, so that a file may have any name.
fn percent_encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    path.bytes().fold(String::new(), |text, byte| {
        if plain(byte) { text + char::from(byte).encode_utf8(&mut [0; 4]) } else { text + &format!("%{byte:02X}") }
    })
}
