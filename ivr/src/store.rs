//! All SQL, for SQLite and PostgreSQL alike (docs/adr/0003-one-sql-for-two-databases.md). No other file says sqlx.
//!
//! Rules for a statement: BIGINT, TEXT and BYTEA columns only, `$1` placeholders, RETURNING and ON CONFLICT, never a
//! read whose answer a later write relies on unless a row lock is held: a conditional UPDATE says it in one statement.
//! A function of `store/` takes a `Conn`; `Store::read` and `Store::begin` give one.

mod columns;
mod error;
mod rows;
mod url;

#[cfg(test)]
pub(crate) mod test_database;

pub(crate) mod audit;
pub(crate) mod budgets;
pub(crate) mod callers;
pub mod calls;
pub(crate) mod certificates;
pub(crate) mod deliveries;
pub(crate) mod endpoints;
pub(crate) mod happenings;
pub(crate) mod intents;
pub(crate) mod location_keys;
pub(crate) mod mail_uses;
pub(crate) mod mails;
pub(crate) mod operators;
pub(crate) mod orders;
pub(crate) mod passports;
pub(crate) mod purging;
pub(crate) mod records;
pub(crate) mod revocations;
pub(crate) mod verifications;

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use ivr_core::caller::Level;
use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, ColumnIndex, ConnectOptions, Executor, Row as _, Transaction};
use time::OffsetDateTime;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::clock::Clock;
use crate::key_file::KeyFile;

pub use self::audit::Head as AuditHead;
pub(crate) use self::columns::{Columns, tel};
pub use self::error::StoreError;
use self::url::DatabaseUrl;

/// What statements run on.
pub(crate) type Conn = AnyConnection;
/// What statements give.
pub(crate) type Row = AnyRow;

/// The database, and the keys of its private columns. Clones share the pool.
#[derive(Clone)]
pub struct Store {
    pool: AnyPool,
    columns: Arc<Columns>,
    /// SQLite has one writer: who waits, waits here in order and not in SQLite's polling. `None` with PostgreSQL.
    turn: Option<Arc<Mutex<()>>>,
    patience: Duration,
}

/// How a database is used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tuning {
    /// Connections of the pool: as many readers at once; who comes later waits for `patience`.
    pub(crate) connections: u32,
    /// How long to wait for a lock or a connection before it is [`StoreError::Busy`]: less than a caller waits.
    pub(crate) patience: Duration,
}

/// A connection that nobody needed for so long is closed.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);

impl Default for Tuning {
    fn default() -> Self {
        Self { connections: 8, patience: Duration::from_secs(3) }
    }
}

impl Store {
    /// Opens the database of this URL (`sqlite:PATH` or `postgres://…`) and runs the migrations.
    ///
    /// # Errors
    /// If it cannot be reached or migrated.
    pub async fn open(url: &str, keys: Arc<KeyFile>) -> Result<Self, StoreError> {
        Self::open_with(url, keys, Tuning::default()).await
    }

    pub(crate) async fn open_with(url: &str, keys: Arc<KeyFile>, tuning: Tuning) -> Result<Self, StoreError> {
        let columns = Arc::new(Columns::new(keys, Clock)?);
        let url = DatabaseUrl::parse(url)?;
        url.make_private_file()?;
        sqlx::any::install_default_drivers();
        let settings = Arc::new(url.session(tuning.patience));
        let pool = AnyPoolOptions::new()
            .max_connections(tuning.connections)
            // Each is a thread and some hundred KiB: one stays.
            .min_connections(1)
            .idle_timeout(IDLE_CONNECTION)
            .acquire_timeout(tuning.patience)
            .after_connect(move |conn, _| {
                let settings = settings.clone();
                Box::pin(async move {
                    for statement in settings.iter() {
                        conn.execute(sqlx::AssertSqlSafe(statement.clone())).await?;
                    }
                    Ok(())
                })
            })
            .connect_with(url.options()?.disable_statement_logging())
            .await?;
        sqlx::migrate!().run(&pool).await.map_err(StoreError::from_migration)?;
        let turn = url.is_sqlite().then(|| Arc::new(Mutex::new(())));
        Ok(Self { pool, columns, turn, patience: tuning.patience })
    }

    /// Whether it answers: for `/healthz`.
    ///
    /// # Errors
    /// If it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").fetch_one(&mut *self.read().await?).await?;
        Ok(())
    }

    /// The number of the first audit row that was changed or taken out, if there is one.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn first_audit_break(&self) -> Result<Option<i64>, StoreError> {
        audit::first_break(&mut *self.read().await?).await
    }

    /// How the audit ends now.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn audit_head(&self) -> Result<AuditHead, StoreError> {
        audit::head(&mut *self.read().await?).await
    }

    /// Whether the audit ended like this once.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn audit_had(&self, head: &AuditHead) -> Result<bool, StoreError> {
        audit::had(head, &mut *self.read().await?).await
    }

    /// Hashing and encryption of private columns.
    pub(crate) fn columns(&self) -> &Columns {
        &self.columns
    }

    /// A connection to read with.
    pub(crate) async fn read(&self) -> Result<Reader, StoreError> {
        Ok(Reader(self.pool.acquire().await?))
    }

    /// A transaction to write in. Dropped without [`Writer::commit`], nothing happened.
    pub(crate) async fn begin(&self) -> Result<Writer, StoreError> {
        let turn = match &self.turn {
            None => None,
            Some(turn) => {
                let waited = tokio::time::timeout(self.patience, turn.clone().lock_owned()).await;
                Some(waited.map_err(|_| StoreError::Busy)?)
            }
        };
        // SQLite: a transaction that begins as a reader cannot become a writer once another wrote.
        let statement = if turn.is_some() { "BEGIN IMMEDIATE" } else { "BEGIN" };
        Ok(Writer { transaction: self.pool.begin_with(statement).await?, _turn: turn })
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({} connections)", self.pool.size())
    }
}

/// A connection to read with.
#[derive(Debug)]
pub(crate) struct Reader(PoolConnection<Any>);

impl Deref for Reader {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.0
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.0
    }
}

/// A transaction to write in.
pub(crate) struct Writer {
    transaction: Transaction<'static, Any>,
    /// Declared after the transaction, so that the next writer starts when this one has ended.
    _turn: Option<OwnedMutexGuard<()>>,
}

impl Writer {
    /// Makes it durable.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        Ok(self.transaction.commit().await?)
    }
}

impl Deref for Writer {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.transaction
    }
}

impl DerefMut for Writer {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.transaction
    }
}

/// A time as a column: Unix milliseconds.
pub(crate) fn millis(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

/// A time from its column.
pub(crate) fn time_of(millis: i64) -> Result<OffsetDateTime, StoreError> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).map_err(|_| StoreError::damaged("a time"))
}

/// Octets from their column, as many as they are.
fn octets<const N: usize>(row: &Row, column: impl ColumnIndex<Row>, what: &str) -> Result<[u8; N], StoreError> {
    let octets: Vec<u8> = row.try_get(column)?;
    octets.try_into().map_err(|_| StoreError::damaged(what))
}

/// A level from its column.
fn level_of(row: &Row, column: impl ColumnIndex<Row>) -> Result<Level, StoreError> {
    let number: i64 = row.try_get(column)?;
    u8::try_from(number).ok().and_then(Level::from_number).ok_or_else(|| StoreError::damaged("a level"))
}

#[cfg(test)]
mod tests;
