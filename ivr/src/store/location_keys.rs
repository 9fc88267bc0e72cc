//! The keys that an owner listed beside a certificate: where their location lies, and to which friends encrypt.

use sqlx::Row as _;
use time::{OffsetDateTime, Time};

use super::{Columns, Conn, StoreError, millis};

/// The keys, as the directory shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LocationKeys {
    /// Ed25519: signs the owner's location records.
    pub(crate) location: [u8; 32],
    /// X25519: friends encrypt to it.
    pub(crate) kem: Option<[u8; 32]>,
}

/// Keys that were signed before there was a certificate to list them beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FirstKeys {
    /// The keys.
    pub(crate) keys: LocationKeys,
    /// When their nonce was given: they were signed after that, and before nobody knows when.
    pub(crate) asked_at: OffsetDateTime,
}

/// Where they are sealed.
const COLUMN: &str = "certificates.location_keys";
/// What the hash of a location key is for.
const TAG: &str = "location-key";

impl LocationKeys {
    /// Opens what [`set`] sealed.
    pub(super) fn open(serial: &str, sealed: &[u8], columns: &Columns) -> Result<Self, StoreError> {
        Self::open_at((COLUMN, serial.as_bytes()), sealed, columns)
    }

    /// Opens what [`seal_at`](Self::seal_at) sealed in this column of this row.
    pub(super) fn open_at(
        (column, row): (&'static str, &[u8]),
        sealed: &[u8],
        columns: &Columns,
    ) -> Result<Self, StoreError> {
        let octets = columns.open(column, row, sealed)?;
        let (location, kem) = octets.split_first_chunk().ok_or_else(|| StoreError::damaged(column))?;
        let kem = match kem {
            [] => None,
            kem => Some(kem.try_into().map_err(|_| StoreError::damaged(column))?),
        };
        Ok(Self { location: *location, kem })
    }

    /// For this column of this row.
    pub(super) fn seal_at(&self, (column, row): (&str, &[u8]), columns: &Columns) -> Vec<u8> {
        let octets = [&self.location[..], self.kem.as_ref().map_or(&[], |kem| &kem[..])].concat();
        columns.seal(column, row, &octets)
    }
}

/// The most changes of what is listed beside one certificate on one day (UTC).
pub(crate) const CHANGES_A_DAY: i64 = 12;

/// Takes one of the certificate's changes of today for a statement whose nonce was given at `asked`. `false` if there is none
/// left, or something was changed since: a nonce that was used is older than what was done with it.
pub(crate) async fn admit_change(
    serial: &str,
    asked: OffsetDateTime,
    now: OffsetDateTime,
    conn: &mut Conn,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE certificates SET
             location_changes = CASE WHEN location_changed_at >= $1 THEN location_changes + 1 ELSE 1 END,
             location_changed_at = $2
         WHERE serial = $3 AND (location_changed_at IS NULL OR
             (location_changed_at < $4 AND (location_changed_at < $1 OR location_changes < $5)))",
    )
    .bind(millis(now.replace_time(Time::MIDNIGHT)))
    .bind(millis(now))
    .bind(serial)
    .bind(millis(asked))
    .bind(CHANGES_A_DAY)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Lists these keys beside a certificate, or none any more.
pub(crate) async fn set(
    serial: &str,
    keys: Option<&LocationKeys>,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    let sealed = keys.map(|keys| keys.seal_at((COLUMN, serial.as_bytes()), columns));
    sqlx::query("UPDATE certificates SET location_keys_sealed = $1, location_tag = $2 WHERE serial = $3")
        .bind(sealed)
        .bind(keys.map(|keys| columns.tag(TAG, &[&keys.location])))
        .bind(serial)
        .execute(conn)
        .await?;
    Ok(())
}

/// Lists these keys beside a new certificate of this key. `false` if this key has changed what is listed beside a certificate
/// of the identity since their nonce was given: then that counts, as it does against a nonce of [`admit_change`].
pub(crate) async fn set_first(
    (serial, identity): (&str, &str),
    FirstKeys { keys, asked_at }: &FirstKeys,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<bool, StoreError> {
    let [first, second, third] = columns.sought(identity);
    let done = sqlx::query(
        "UPDATE certificates SET location_changed_at = $1 WHERE serial = $2 AND NOT EXISTS (
             SELECT 1 FROM certificates other WHERE other.spki_sha256 = certificates.spki_sha256
             AND other.identity_hash IN ($3, $4, $5) AND other.location_changed_at >= $1)",
    )
    .bind(millis(*asked_at))
    .bind(serial)
    .bind(first)
    .bind(second)
    .bind(third)
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    set(serial, Some(keys), columns, conn).await?;
    Ok(true)
}

/// What was listed beside an older certificate is listed beside the one that follows it, if that has the same key: with
/// another key, its holder has to list them anew.
pub(crate) async fn carry(from: &str, to: &str, columns: &Columns, conn: &mut Conn) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT old.location_keys_sealed FROM certificates old
         JOIN certificates new ON new.spki_sha256 = old.spki_sha256
         WHERE old.serial = $1 AND new.serial = $2 AND old.location_keys_sealed IS NOT NULL",
    )
    .bind(from)
    .bind(to)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(()) };
    let keys = LocationKeys::open(from, &row.try_get::<Vec<u8>, _>(0)?, columns)?;
    set(to, Some(&keys), columns, conn).await
}

/// Whether a certificate that is live, and not over, lists this location key.
pub(crate) async fn is_listed(
    location: &[u8; 32],
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<bool, StoreError> {
    let row =
        sqlx::query("SELECT serial FROM certificates WHERE location_tag = $1 AND live = 1 AND not_after > $2 LIMIT 1")
            .bind(columns.tag(TAG, &[location]))
            .bind(millis(now))
            .fetch_optional(conn)
            .await?;
    Ok(row.is_some())
}
