//! What the database could not do, told apart by what its caller can do. No message holds a stored value.

use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;

/// What the database could not do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Locked, out of connections, restarting: the same again in a moment may succeed (503 with Retry-After).
    #[error("the database is busy")]
    Busy,
    /// The disk is full: nothing can be written until somebody makes room.
    #[error("the disk of the database is full")]
    Full,
    /// Anything else: a fault to be read in the log.
    #[error("the database failed: {0}")]
    Failed(String),
}

impl StoreError {
    /// A stored value that this version cannot read.
    pub(crate) fn damaged(what: &str) -> Self {
        Self::Failed(format!("{what} in it cannot be read"))
    }

    pub(super) fn from_migration(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => of_database(error.as_ref()),
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::Tls(_) => {
                Self::Busy
            }
            // A column's decoding error may repeat the value.
            sqlx::Error::ColumnDecode { index, .. } => Self::Failed(format!("column {index} cannot be read")),
            sqlx::Error::Decode(_) => Self::Failed("a column cannot be read".to_owned()),
            other => Self::Failed(other.to_string()),
        }
    }
}

fn of_database(error: &dyn DatabaseError) -> StoreError {
    let code = error.code().unwrap_or_default();
    match code.parse::<u32>() {
        // SQLite numbers its errors with at most four digits; the low octet is the kind.
        Ok(number) if code.len() < 5 => match number & 0xff {
            SQLITE_BUSY | SQLITE_LOCKED => StoreError::Busy,
            SQLITE_FULL | SQLITE_IOERR => StoreError::Full,
            _ => StoreError::Failed(format!("{} (SQLite {code})", error.message())),
        },
        _ => of_postgres(&code, error),
    }
}

/// By SQLSTATE (PostgreSQL's appendix A).
fn of_postgres(code: &str, error: &dyn DatabaseError) -> StoreError {
    match code {
        // disk_full
        "53100" => StoreError::Full,
        // serialization_failure, deadlock_detected, lock_not_available, query_canceled (a timeout), object_in_use
        "40001" | "40P01" | "55P03" | "57014" | "55006" => StoreError::Busy,
        // Connections, resources, operator intervention.
        _ if ["08", "53", "57"].iter().any(|class| code.starts_with(class)) => StoreError::Busy,
        // A value that does not fit or breaks a constraint: the message may repeat it.
        _ if ["22", "23"].iter().any(|class| code.starts_with(class)) => {
            StoreError::Failed(format!("SQLSTATE {code} ({})", error.constraint().unwrap_or("no constraint")))
        }
        _ => StoreError::Failed(format!("{} (SQLSTATE {code})", error.message())),
    }
}

const SQLITE_BUSY: u32 = 5;
const SQLITE_LOCKED: u32 = 6;
const SQLITE_IOERR: u32 = 10;
const SQLITE_FULL: u32 = 13;
