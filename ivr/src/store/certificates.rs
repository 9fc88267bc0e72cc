//! Issued certificates as rows.

use ca::{Issuing, Reason};
use ivr_core::caller::Level;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::intents::{issuing_name, issuing_of};
use super::location_keys::LocationKeys;
use super::purging::Over;
use super::records::{Wanted, wanted_of};
use super::{Columns, Conn, Row, StoreError, millis, time_of};

/// A certificate to store.
pub(crate) struct New<'a> {
    pub(crate) serial: &'a str,
    pub(crate) issuing: Issuing,
    /// `tel:+…` or `mailto:…`.
    pub(crate) identity: &'a str,
    /// Country and last four digits of a number.
    pub(crate) shown: Option<(String, String)>,
    pub(crate) level: Level,
    pub(crate) der: &'a [u8],
    pub(crate) spki_sha256: [u8; 32],
    pub(crate) not_before: OffsetDateTime,
    pub(crate) not_after: OffsetDateTime,
    pub(crate) issued_at: OffsetDateTime,
    pub(crate) cause: &'a str,
    pub(crate) proof: Option<&'a str>,
}

/// A certificate as it is stored, with what the directory has of it.
pub(crate) struct Stored {
    pub(crate) serial: String,
    pub(crate) issuing: Issuing,
    pub(crate) identity: String,
    pub(crate) level: Level,
    pub(crate) der: Vec<u8>,
    pub(crate) spki_sha256: [u8; 32],
    pub(crate) not_before: OffsetDateTime,
    pub(crate) not_after: OffsetDateTime,
    pub(crate) issued_at: OffsetDateTime,
    /// The sealed proof of the call, of a number.
    pub(crate) proof: Option<String>,
    /// When and why it was revoked, or put on hold.
    pub(crate) revoked: Option<(OffsetDateTime, Reason)>,
    pub(crate) pending: Option<Pending>,
    /// What its owner listed beside it.
    pub(crate) location: Option<LocationKeys>,
    pub(crate) record: Option<StoredRecord>,
}

/// Another key that waits to take the identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) since: OffsetDateTime,
    pub(crate) until: OffsetDateTime,
    /// SHA-256 of its SPKI.
    pub(crate) spki_sha256: [u8; 32],
}

/// The certificate that was issued to an identity last.
pub(crate) struct Newest {
    pub(crate) serial: String,
    pub(crate) spki_sha256: [u8; 32],
    pub(crate) der: Vec<u8>,
    pub(crate) issued_at: OffsetDateTime,
}

/// The record of a certificate: there is none once another certificate has the identity's slot.
pub(crate) struct StoredRecord {
    pub(crate) slot: Option<String>,
    pub(crate) seq: i64,
    pub(crate) bytes: Option<i64>,
    pub(crate) backends: Option<String>,
    pub(crate) is_published: bool,
    /// What the directory is to say.
    pub(crate) wanted: Wanted,
    pub(crate) last_error: Option<String>,
}

/// A certificate that stops being good.
pub(crate) struct Replaced {
    pub(crate) serial: String,
    pub(crate) issuing: Issuing,
    pub(crate) not_after: OffsetDateTime,
}

/// What is listed.
pub(crate) enum Search<'a> {
    All,
    Identity(&'a str),
    Serial(&'a str),
}

/// Stores a live certificate. `false` if the cause has one already.
pub(crate) async fn insert(new: &New<'_>, columns: &Columns, conn: &mut Conn) -> Result<bool, StoreError> {
    let identity = columns.identity(new.identity);
    let row = new.serial.as_bytes();
    let (country, last4) = new.shown.clone().unzip();
    let done = sqlx::query(
        "INSERT INTO certificates (serial, issuing, identity_hash, pepper_epoch, identity_sealed, country, last4, level,
             certificate_sealed, spki_sha256, not_before, not_after, issued_at, cause, proof, live)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1)
         ON CONFLICT (cause) DO NOTHING",
    )
    .bind(new.serial)
    .bind(issuing_name(new.issuing))
    .bind(identity.hash)
    .bind(identity.epoch)
    .bind(columns.seal("certificates.identity", row, new.identity.as_bytes()))
    .bind(country)
    .bind(last4)
    .bind(i64::from(new.level.number()))
    .bind(columns.seal("certificates.certificate", row, new.der))
    .bind(new.spki_sha256.to_vec())
    .bind(millis(new.not_before))
    .bind(millis(new.not_after))
    .bind(millis(new.issued_at))
    .bind(new.cause)
    .bind(new.proof)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes the identity away from the certificate that has it. Call it under the identity's lock.
pub(crate) async fn supersede(identity: &str, columns: &Columns, conn: &mut Conn) -> Result<Vec<Replaced>, StoreError> {
    let [first, second, third] = columns.sought(identity);
    let rows = sqlx::query(
        "UPDATE certificates SET live = 0 WHERE identity_hash IN ($1, $2, $3) AND live = 1
         RETURNING serial, issuing, not_after",
    )
    .bind(first)
    .bind(second)
    .bind(third)
    .fetch_all(conn)
    .await?;
    rows.iter().map(ended).collect()
}

fn ended(row: &Row) -> Result<Replaced, StoreError> {
    Ok(Replaced {
        serial: row.try_get(0)?,
        issuing: issuing_of(row.try_get(1)?)?,
        not_after: time_of(row.try_get(2)?)?,
    })
}

/// A certificate is no longer live.
pub(crate) async fn end(serial: &str, conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query("UPDATE certificates SET live = 0 WHERE serial = $1").bind(serial).execute(conn).await?;
    Ok(())
}

/// The serials of the other certificates in force that have this key.
pub(crate) async fn live_with_key(
    spki_sha256: &[u8; 32],
    but: &str,
    conn: &mut Conn,
) -> Result<Vec<String>, StoreError> {
    let rows = sqlx::query("SELECT serial FROM certificates WHERE spki_sha256 = $1 AND live = 1 AND serial <> $2")
        .bind(spki_sha256.to_vec())
        .bind(but)
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// The certificate that was issued to this identity last, if that was after `since`, whatever became of it.
pub(crate) async fn newest(
    identity: &str,
    since: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Option<Newest>, StoreError> {
    let [first, second, third] = columns.sought(identity);
    // The live one is the last, whatever the clocks of two nodes say.
    let row = sqlx::query(
        "SELECT serial, spki_sha256, certificate_sealed, issued_at FROM certificates
         WHERE identity_hash IN ($1, $2, $3) AND issued_at > $4
         ORDER BY live DESC, issued_at DESC, serial LIMIT 1",
    )
    .bind(first)
    .bind(second)
    .bind(third)
    .bind(millis(since))
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let (serial, sealed): (String, Vec<u8>) = (row.try_get(0)?, row.try_get(2)?);
    let der = columns.open("certificates.certificate", serial.as_bytes(), &sealed)?.to_vec();
    let issued_at = time_of(row.try_get(3)?)?;
    Ok(Some(Newest { serial, spki_sha256: hash_of(row.try_get(1)?)?, der, issued_at }))
}

/// The serial of the live certificate of an identity that rests on this sealed proof.
pub(crate) async fn live_of_proof(
    identity: &str,
    proof: &str,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Option<String>, StoreError> {
    let [first, second, third] = columns.sought(identity);
    let row =
        sqlx::query("SELECT serial FROM certificates WHERE identity_hash IN ($1, $2, $3) AND live = 1 AND proof = $4")
            .bind(first)
            .bind(second)
            .bind(third)
            .bind(proof)
            .fetch_optional(conn)
            .await?;
    row.map(|row| Ok(row.try_get(0)?)).transpose()
}

/// The certificates of an identity that are in force and of this level at most. Call it under the identity's lock.
pub(crate) async fn in_force(
    identity: &str,
    up_to: Level,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Vec<Replaced>, StoreError> {
    let [first, second, third] = columns.sought(identity);
    let rows = sqlx::query(
        "SELECT serial, issuing, not_after FROM certificates
         WHERE identity_hash IN ($1, $2, $3) AND live = 1 AND not_after > $4 AND level <= $5
             AND NOT EXISTS (SELECT 1 FROM revocations WHERE revocations.serial = certificates.serial)",
    )
    .bind(first)
    .bind(second)
    .bind(third)
    .bind(millis(now))
    .bind(i64::from(up_to.number()))
    .fetch_all(conn)
    .await?;
    rows.iter().map(ended).collect()
}

/// What a [`Stored`] is made of: [`stored`] knows the columns by their places.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT c.serial, c.issuing, c.identity_sealed, c.level, c.certificate_sealed, c.spki_sha256, c.not_before,
                 c.not_after, c.issued_at, v.at, v.reason, r.serial, r.slot, r.seq, r.bytes, r.backends,
                 CASE WHEN r.published_version = r.version THEN 1 ELSE 0 END, r.last_error,
                 h.held_since, h.held_until, h.held_key, c.proof, r.wanted, c.location_keys_sealed
             FROM certificates c
             LEFT JOIN revocations v ON v.serial = c.serial
             LEFT JOIN records r ON r.serial = c.serial AND r.wanted IS NOT NULL
             LEFT JOIN verifications h ON h.held_against = c.serial AND h.state = 'held' ",
            $rest
        )
    };
}

/// The certificate of this serial number.
pub(crate) async fn by_serial(serial: &str, columns: &Columns, conn: &mut Conn) -> Result<Option<Stored>, StoreError> {
    let row = sqlx::query(select!("WHERE c.serial = $1")).bind(serial).fetch_optional(conn).await?;
    row.map(|row| stored(&row, columns)).transpose()
}

/// The certificate that was issued for this cause.
pub(crate) async fn by_cause(cause: &str, columns: &Columns, conn: &mut Conn) -> Result<Option<Stored>, StoreError> {
    let row = sqlx::query(select!("WHERE c.cause = $1")).bind(cause).fetch_optional(conn).await?;
    row.map(|row| stored(&row, columns)).transpose()
}

/// A page, newest first. `status` is `valid`, `suspended`, `revoked`, `expired` or empty for all; no level is all of them, too.
pub(crate) async fn page(
    search: &Search<'_>,
    (status, level): (&str, Option<Level>),
    before: Option<&(i64, String)>,
    limit: i64,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Vec<Stored>, StoreError> {
    let (by_identity, by_serial, serial): (i64, i64, &str) = match search {
        Search::All => (0, 0, ""),
        Search::Identity(_) => (1, 0, ""),
        Search::Serial(serial) => (0, 1, *serial),
    };
    let identity = if let Search::Identity(identity) = search { identity } else { "" };
    let [first, second, third] = columns.sought(identity);
    let (before_at, before_serial) = before.map_or((i64::MAX, ""), |(at, serial)| (*at, serial.as_str()));
    let rows = sqlx::query(select!(
        "WHERE (CAST($1 AS BIGINT) = 0 OR c.identity_hash IN ($2, $3, $4))
             AND (CAST($5 AS BIGINT) = 0 OR c.serial = $6)
             AND (CAST($7 AS TEXT) = '' OR $7 = CASE WHEN v.reason = 6 THEN 'suspended' WHEN v.serial IS NOT NULL THEN 'revoked'
                 WHEN c.not_after < $8 THEN 'expired' ELSE 'valid' END)
             AND (c.issued_at, c.serial) < ($9, $10) AND (CAST($11 AS BIGINT) < 0 OR c.level = $11)
         ORDER BY c.issued_at DESC, c.serial DESC LIMIT $12"
    ))
    .bind(by_identity)
    .bind(first)
    .bind(second)
    .bind(third)
    .bind(by_serial)
    .bind(serial)
    .bind(status)
    .bind(millis(now))
    .bind(before_at)
    .bind(before_serial)
    .bind(level.map_or(-1, |level| i64::from(level.number())))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| stored(row, columns)).collect()
}

/// What nobody has to prove any more: a certificate, and what belongs to it, a year after its end.
pub(crate) fn over(now: OffsetDateTime) -> [Over; 4] {
    let by = millis(now - time::Duration::days(366));
    [
        ("intents", "serial", "state <> 'open' AND at < $1"),
        ("revocations", "serial", "listed_until < $1"),
        ("records", "identity_hash", "due_at IS NULL AND not_after < $1"),
        ("certificates", "serial", "not_after < $1"),
    ]
    .map(|(table, key, is_over)| Over { table, key, is_over, by })
}

fn stored(row: &Row, columns: &Columns) -> Result<Stored, StoreError> {
    let serial: String = row.try_get(0)?;
    let identity: Vec<u8> = row.try_get(2)?;
    let level: i64 = row.try_get(3)?;
    let sealed: Vec<u8> = row.try_get(4)?;
    let revoked_at: Option<i64> = row.try_get(9)?;
    let reason: Option<i64> = row.try_get(10)?;
    let revoked = match (revoked_at, reason) {
        (Some(at), Some(code)) => {
            let reason = u8::try_from(code).ok().and_then(Reason::from_code);
            Some((time_of(at)?, reason.ok_or_else(|| StoreError::damaged("a reason"))?))
        }
        _ => None,
    };
    let record = match row.try_get::<Option<String>, _>(11)? {
        None => None,
        Some(_) => Some(StoredRecord {
            slot: row.try_get(12)?,
            seq: row.try_get(13)?,
            bytes: row.try_get(14)?,
            backends: row.try_get(15)?,
            is_published: row.try_get::<i64, _>(16)? == 1,
            wanted: wanted_of(row.try_get(22)?)?,
            last_error: row.try_get(17)?,
        }),
    };
    let pending = match (row.try_get(18)?, row.try_get(19)?, row.try_get::<Option<Vec<u8>>, _>(20)?) {
        (Some(since), Some(until), Some(key)) => {
            Some(Pending { since: time_of(since)?, until: time_of(until)?, spki_sha256: hash_of(key)? })
        }
        _ => None,
    };
    let location: Option<Vec<u8>> = row.try_get(23)?;
    let level = u8::try_from(level).ok().and_then(Level::from_number);
    Ok(Stored {
        location: location.map(|sealed| LocationKeys::open(&serial, &sealed, columns)).transpose()?,
        issuing: issuing_of(row.try_get(1)?)?,
        identity: columns.open_text("certificates.identity", serial.as_bytes(), &identity)?,
        level: level.ok_or_else(|| StoreError::damaged("a level"))?,
        der: columns.open("certificates.certificate", serial.as_bytes(), &sealed)?.to_vec(),
        spki_sha256: hash_of(row.try_get(5)?)?,
        not_before: time_of(row.try_get(6)?)?,
        not_after: time_of(row.try_get(7)?)?,
        issued_at: time_of(row.try_get(8)?)?,
        proof: row.try_get(21)?,
        revoked,
        pending,
        record,
        serial,
    })
}

fn hash_of(bytes: Vec<u8>) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| StoreError::damaged("a key's hash"))
}
