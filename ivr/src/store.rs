//! All SQL, for SQLite and PostgreSQL alike (docs/adr/0003-one-sql-for-two-databases.md). No other file says sqlx.

use std::sync::Arc;

use crate::key_file::KeyFile;

/// The database, and the keys of its private columns. Clones share the pool.
#[derive(Debug, Clone)]
pub struct Store {}

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

impl Store {
    /// Opens the database of this URL (`sqlite:PATH` or `postgres://…`) and runs the migrations.
    ///
    /// # Errors
    /// If it cannot be reached or migrated.
    pub async fn open(_url: &str, _keys: Arc<KeyFile>) -> Result<Self, StoreError> {
        todo!()
    }

    /// Whether it answers: for `/healthz`.
    ///
    /// # Errors
    /// If it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        todo!()
    }
}
