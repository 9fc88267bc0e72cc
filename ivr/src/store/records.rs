//! The outbox: what the directory is to say of an identity, and what it says. One row an identity.

use sqlx::Row as _;
use time::{Duration, OffsetDateTime};

use super::{Columns, Conn, Row, StoreError, millis, time_of};

/// A record that is to be put now.
pub(crate) struct Due {
    pub(crate) identity_hash: Vec<u8>,
    /// `tel:+…` or `mailto:…`.
    pub(crate) identity: String,
    /// The slow hashes, sealed, that were made before: under the newest directory key, and under the one that gives way to it.
    pub(crate) derived_sealed: [Option<Vec<u8>>; 2],
    pub(crate) wanted: Wanted,
    pub(crate) serial: String,
    pub(crate) not_before: OffsetDateTime,
    pub(crate) not_after: OffsetDateTime,
    pub(crate) version: i64,
    /// The last sequence number that was used; 0 before the first.
    pub(crate) seq: i64,
    pub(crate) attempts: i64,
    /// Since when.
    pub(crate) due_at: OffsetDateTime,
    pub(crate) cause: Option<String>,
    /// Whether the directory has this version and it is only put again.
    pub(crate) is_refresh: bool,
}

/// What the directory is to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The certificate.
    Valid,
    /// The certificate, and that it is suspended.
    Suspended,
    /// That there is none any more.
    Revoked,
}

/// Records that are due later than this are not told apart when all are put again.
const LONGEST_WAIT: Duration = Duration::hours(6);

/// What was put.
pub(crate) struct Put<'a> {
    pub(crate) slot: &'a str,
    pub(crate) bytes: i64,
    pub(crate) backends: &'a str,
    /// What those said that did not take it.
    pub(crate) complaint: Option<&'a str>,
    pub(crate) next_at: OffsetDateTime,
}

/// Locks an identity until the end of the transaction; makes its row if there is none. Gives the hash that names it.
pub(crate) async fn lock(identity: &str, columns: &Columns, conn: &mut Conn) -> Result<Vec<u8>, StoreError> {
    let [first, second, third] = columns.sought(identity);
    let found =
        sqlx::query("UPDATE records SET version = version WHERE identity_hash IN ($1, $2, $3) RETURNING identity_hash")
            .bind(first)
            .bind(second)
            .bind(third)
            .fetch_optional(&mut *conn)
            .await?;
    if let Some(row) = found {
        return Ok(row.try_get(0)?);
    }
    let hashed = columns.identity(identity);
    let sealed = columns.seal("records.identity", &hashed.hash, identity.as_bytes());
    sqlx::query(
        "INSERT INTO records (identity_hash, pepper_epoch, identity_sealed, not_before, not_after, version,
             published_version, seq, attempts)
         VALUES ($1, $2, $3, 0, 0, 0, 0, 0, 0)
         ON CONFLICT (identity_hash) DO UPDATE SET version = records.version",
    )
    .bind(hashed.hash.clone())
    .bind(hashed.epoch)
    .bind(sealed)
    .execute(conn)
    .await?;
    Ok(hashed.hash)
}

/// From now on the directory is to show this certificate.
pub(crate) async fn want_valid(
    identity_hash: &[u8],
    (serial, cause): (&str, &str),
    (not_before, not_after): (OffsetDateTime, OffsetDateTime),
    now: OffsetDateTime,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE records SET wanted = 'valid', serial = $1, cause = $2, not_before = $3, not_after = $4,
             version = version + 1, due_at = $5, attempts = 0, last_error = NULL
         WHERE identity_hash = $6",
    )
    .bind(serial)
    .bind(cause)
    .bind(millis(not_before))
    .bind(millis(not_after))
    .bind(millis(now))
    .bind(identity_hash)
    .execute(conn)
    .await?;
    Ok(())
}

/// From now on the directory is to say that there is no certificate in the place of the one it shows. `false` if it shows
/// another, or none.
pub(crate) async fn want_revoked(serial: &str, now: OffsetDateTime, conn: &mut Conn) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE records SET wanted = 'revoked', version = version + 1, due_at = $1, attempts = 0, last_error = NULL
         WHERE serial = $2 AND wanted IN ('valid', 'suspended')",
    )
    .bind(millis(now))
    .bind(serial)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The same because its owner withdraws the consent to publish, which is remembered.
pub(crate) async fn want_withdrawn(serial: &str, now: OffsetDateTime, conn: &mut Conn) -> Result<bool, StoreError> {
    if !want_revoked(serial, now, conn).await? {
        return Ok(false);
    }
    sqlx::query("UPDATE records SET withdrawn_at = $1 WHERE serial = $2")
        .bind(millis(now))
        .bind(serial)
        .execute(conn)
        .await?;
    Ok(true)
}

/// Whether the owner of an identity has withdrawn the consent to publish at this time or later. To rely on the answer, ask
/// under the identity's lock.
pub(crate) async fn is_withdrawn_since(
    identity: &str,
    at: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<bool, StoreError> {
    let [first, second, third] = columns.sought(identity);
    let found =
        sqlx::query("SELECT serial FROM records WHERE identity_hash IN ($1, $2, $3) AND withdrawn_at >= $4 LIMIT 1")
            .bind(first)
            .bind(second)
            .bind(third)
            .bind(millis(at))
            .fetch_optional(conn)
            .await?;
    Ok(found.is_some())
}

/// From now on the directory is to say that the certificate it shows is suspended. Nothing happens if it shows another, or
/// none.
pub(crate) async fn want_suspended(serial: &str, now: OffsetDateTime, conn: &mut Conn) -> Result<(), StoreError> {
    turn(serial, ("valid", "suspended"), now, conn).await
}

/// From now on the directory is to show a certificate as good that it shows as suspended.
pub(crate) async fn want_lifted(serial: &str, now: OffsetDateTime, conn: &mut Conn) -> Result<(), StoreError> {
    turn(serial, ("suspended", "valid"), now, conn).await
}

async fn turn(
    serial: &str,
    (from, into): (&'static str, &'static str),
    now: OffsetDateTime,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE records SET wanted = $1, version = version + 1, due_at = $2, attempts = 0, last_error = NULL
         WHERE serial = $3 AND wanted = $4",
    )
    .bind(into)
    .bind(millis(now))
    .bind(serial)
    .bind(from)
    .execute(conn)
    .await?;
    Ok(())
}

/// Something beside the certificate that the directory shows is different from now on, so it is put anew. Nothing
/// happens if the directory shows another, or none.
pub(crate) async fn show_again(serial: &str, now: OffsetDateTime, conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE records SET version = version + 1, due_at = $1, attempts = 0, last_error = NULL
         WHERE serial = $2 AND wanted IN ('valid', 'suspended')",
    )
    .bind(millis(now))
    .bind(serial)
    .execute(conn)
    .await?;
    Ok(())
}

/// Puts every living record into the queue: at start, because a directory may have forgotten them meanwhile. In the order in which
/// they would have come, so that what was put longest ago is not put last: ten seconds between them become a millisecond.
pub(crate) async fn refresh_all(now: OffsetDateTime, conn: &mut Conn) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE records SET due_at = CASE
             WHEN due_at > $2 THEN $1
             WHEN due_at > $1 THEN $1 - ($2 - due_at) / 10000
             ELSE COALESCE(due_at, $1) END
         WHERE wanted IS NOT NULL AND not_after > $1",
    )
    .bind(millis(now))
    .bind(millis(now + LONGEST_WAIT))
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// A record that is due but whose row does not open: under another pepper, or after damage.
pub(crate) struct Unreadable {
    identity_hash: Vec<u8>,
    /// What does not open.
    pub(crate) cause: StoreError,
}

/// The due record of these: the columns that [`of_row`] reads.
macro_rules! first_due {
    ($which:literal) => {
        concat!(
            "SELECT identity_hash, identity_sealed, derived_sealed, wanted, serial, not_before, not_after, version, seq,
                 attempts, cause, CASE WHEN published_version = version THEN 1 ELSE 0 END, outgoing_derived_sealed,
                 due_at
             FROM records WHERE due_at <= $1 AND wanted IS NOT NULL AND serial IS NOT NULL",
            $which,
            " ORDER BY due_at LIMIT 1"
        )
    };
}

/// What the directory lacks, then what it may forget. Each has its index: at start all are due.
pub(super) const FIRST_DUE: [&str; 2] = [first_due!(" AND published_version <> version"), first_due!("")];

/// The record that is due: what the directory lacks comes before what it may forget.
pub(crate) async fn due(
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Option<Result<Due, Unreadable>>, StoreError> {
    for statement in FIRST_DUE {
        let row = sqlx::query(statement).bind(millis(now)).fetch_optional(&mut *conn).await?;
        if let Some(row) = row {
            let identity_hash: Vec<u8> = row.try_get(0)?;
            return Ok(Some(of_row(&row, columns).map_err(|cause| Unreadable { identity_hash, cause })));
        }
    }
    Ok(None)
}

/// Takes a row that does not open out of the others' way for a while.
pub(crate) async fn set_aside(broken: &Unreadable, until: OffsetDateTime, conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query("UPDATE records SET attempts = attempts + 1, last_error = $1, due_at = $2 WHERE identity_hash = $3")
        .bind(broken.cause.to_string())
        .bind(millis(until))
        .bind(broken.identity_hash.clone())
        .execute(conn)
        .await?;
    Ok(())
}

fn of_row(row: &Row, columns: &Columns) -> Result<Due, StoreError> {
    let identity_hash: Vec<u8> = row.try_get(0)?;
    let identity: Vec<u8> = row.try_get(1)?;
    Ok(Due {
        identity: columns.open_text("records.identity", &identity_hash, &identity)?,
        derived_sealed: [row.try_get(2)?, row.try_get(12)?],
        wanted: wanted_of(row.try_get(3)?)?,
        serial: row.try_get(4)?,
        not_before: time_of(row.try_get(5)?)?,
        not_after: time_of(row.try_get(6)?)?,
        version: row.try_get(7)?,
        seq: row.try_get(8)?,
        attempts: row.try_get(9)?,
        due_at: time_of(row.try_get(13)?)?,
        cause: row.try_get(10)?,
        is_refresh: row.try_get::<i64, _>(11)? == 1,
        identity_hash,
    })
}

/// What a row wants the directory to say.
pub(super) fn wanted_of(name: &str) -> Result<Wanted, StoreError> {
    match name {
        "valid" => Ok(Wanted::Valid),
        "suspended" => Ok(Wanted::Suspended),
        "revoked" => Ok(Wanted::Revoked),
        _ => Err(StoreError::damaged("what the directory is to say")),
    }
}

/// When the next record is due.
pub(crate) async fn next_due(conn: &mut Conn) -> Result<Option<OffsetDateTime>, StoreError> {
    let row = sqlx::query("SELECT MIN(due_at) FROM records WHERE due_at IS NOT NULL AND wanted IS NOT NULL")
        .fetch_one(conn)
        .await?;
    row.try_get::<Option<i64>, _>(0)?.map(time_of).transpose()
}

/// Keeps the slow hashes, sealed, so that each is made once: both in one statement, because nodes that make the same one at a
/// time shall not lose the other.
pub(crate) async fn keep_derived(
    identity_hash: &[u8],
    [newest, outgoing]: [Option<Vec<u8>>; 2],
    conn: &mut Conn,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE records SET derived_sealed = $1, outgoing_derived_sealed = $2 WHERE identity_hash = $3")
        .bind(newest)
        .bind(outgoing)
        .bind(identity_hash)
        .execute(conn)
        .await?;
    Ok(())
}

/// Uses up a sequence number before the put: a crash after the put does not sign another value under it. Until
/// `lease_until` nobody else puts this record. `false` if the row changed meanwhile.
pub(crate) async fn claim(
    due: &Due,
    seq: i64,
    lease_until: OffsetDateTime,
    conn: &mut Conn,
) -> Result<bool, StoreError> {
    let done =
        sqlx::query("UPDATE records SET seq = $1, due_at = $2 WHERE identity_hash = $3 AND seq = $4 AND version = $5")
            .bind(seq)
            .bind(millis(lease_until))
            .bind(due.identity_hash.clone())
            .bind(due.seq)
            .bind(due.version)
            .execute(conn)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// The directory has this version. If another is wanted by now, that one stays due; if another node put a later one
/// meanwhile, that mark stays.
pub(crate) async fn published(
    due: &Due,
    put: &Put<'_>,
    now: OffsetDateTime,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE records SET published_version = $1, slot = $2, bytes = $3, backends = $4, last_error = $5, attempts = 0,
             published_at = $6, due_at = CASE WHEN version = $1 THEN $7 ELSE due_at END
         WHERE identity_hash = $8 AND published_version <= $1",
    )
    .bind(due.version)
    .bind(put.slot)
    .bind(put.bytes)
    .bind(put.backends)
    .bind(put.complaint)
    .bind(millis(now))
    .bind(millis(put.next_at))
    .bind(due.identity_hash.clone())
    .execute(conn)
    .await?;
    Ok(())
}

/// The directory did not take it. `seq` is the highest number known to be used.
pub(crate) async fn failed(
    due: &Due,
    seq: i64,
    why: &str,
    next_at: OffsetDateTime,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE records SET attempts = attempts + 1, last_error = $1, seq = CASE WHEN seq > $2 THEN seq ELSE $2 END,
             due_at = CASE WHEN version = $3 THEN $4 ELSE due_at END
         WHERE identity_hash = $5",
    )
    .bind(why)
    .bind(seq)
    .bind(due.version)
    .bind(millis(next_at))
    .bind(due.identity_hash.clone())
    .execute(conn)
    .await?;
    Ok(())
}

/// Its time is over: the directory may forget it.
pub(crate) async fn retire(due: &Due, conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query("UPDATE records SET due_at = NULL WHERE identity_hash = $1 AND version = $2")
        .bind(due.identity_hash.clone())
        .bind(due.version)
        .execute(conn)
        .await?;
    Ok(())
}
