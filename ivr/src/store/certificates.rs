//! Issued certificates as rows.

use ca::{Issuing, Reason};
use ivr_core::caller::Level;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::intents::{issuing_name, issuing_of};
use super::location_keys::LocationKeys;
use super::purging::Over;
use super::records::{Wanted, wanted_of};
use super::{Columns, Conn, Row, StoreError, level_of, millis, octets, time_of};

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
    Ok(Some(Newest { serial, spki_sha256: octets(&row, 1, "a key's hash")?, der, issued_at }))
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

/// What a [`Stored`] is made of, each under a name of its own.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT c.serial, c.issuing, c.identity_sealed, c.level, c.certificate_sealed, c.spki_sha256, c.not_before,
                 c.not_after, c.issued_at, c.proof, c.location_keys_sealed, v.at AS revoked_at, v.reason,
                 r.serial AS record_serial, r.slot, r.seq, r.bytes, r.backends, r.wanted, r.last_error,
                 CASE WHEN r.published_version = r.version THEN 1 ELSE 0 END AS is_published,
                 h.held_since, h.held_until, h.held_key
             FROM certificates c
             LEFT JOIN revocations v ON v.serial = c.serial
             LEFT JOIN records r ON r.serial = c.serial AND r.wanted IS NOT NULL
             LEFT JOIN verifications h ON h.held_against = c.serial AND h.state = 'held' ",
            $rest
        )
    };
}

pub(super) const BY_SERIAL: &str = select!("WHERE c.serial = $1");
pub(super) const BY_CAUSE: &str = select!("WHERE c.cause = $1");

/// The certificate of this serial number.
pub(crate) async fn by_serial(serial: &str, columns: &Columns, conn: &mut Conn) -> Result<Option<Stored>, StoreError> {
    let row = sqlx::query(BY_SERIAL).bind(serial).fetch_optional(conn).await?;
    row.map(|row| stored(&row, columns)).transpose()
}

/// The certificate that was issued for this cause.
pub(crate) async fn by_cause(cause: &str, columns: &Columns, conn: &mut Conn) -> Result<Option<Stored>, StoreError> {
    let row = sqlx::query(BY_CAUSE).bind(cause).fetch_optional(conn).await?;
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
    let serial: String = row.try_get("serial")?;
    let identity: Vec<u8> = row.try_get("identity_sealed")?;
    let sealed: Vec<u8> = row.try_get("certificate_sealed")?;
    let location: Option<Vec<u8>> = row.try_get("location_keys_sealed")?;
    Ok(Stored {
        issuing: issuing_of(row.try_get("issuing")?)?,
        identity: columns.open_text("certificates.identity", serial.as_bytes(), &identity)?,
        level: level_of(row, "level")?,
        der: columns.open("certificates.certificate", serial.as_bytes(), &sealed)?.to_vec(),
        spki_sha256: octets(row, "spki_sha256", "a key's hash")?,
        not_before: time_of(row.try_get("not_before")?)?,
        not_after: time_of(row.try_get("not_after")?)?,
        issued_at: time_of(row.try_get("issued_at")?)?,
        proof: row.try_get("proof")?,
        revoked: revoked(row)?,
        pending: pending(row)?,
        location: location.map(|sealed| LocationKeys::open(&serial, &sealed, columns)).transpose()?,
        record: record(row)?,
        serial,
    })
}

fn revoked(row: &Row) -> Result<Option<(OffsetDateTime, Reason)>, StoreError> {
    let Some(at) = row.try_get("revoked_at")? else { return Ok(None) };
    let reason = u8::try_from(row.try_get::<i64, _>("reason")?).ok().and_then(Reason::from_code);
    Ok(Some((time_of(at)?, reason.ok_or_else(|| StoreError::damaged("a reason"))?)))
}

fn pending(row: &Row) -> Result<Option<Pending>, StoreError> {
    let Some(since) = row.try_get("held_since")? else { return Ok(None) };
    let until = time_of(row.try_get("held_until")?)?;
    Ok(Some(Pending { since: time_of(since)?, until, spki_sha256: octets(row, "held_key", "a key's hash")? }))
}

fn record(row: &Row) -> Result<Option<StoredRecord>, StoreError> {
    if row.try_get::<Option<String>, _>("record_serial")?.is_none() {
        return Ok(None);
    }
    Ok(Some(StoredRecord {
        slot: row.try_get("slot")?,
        seq: row.try_get("seq")?,
        bytes: row.try_get("bytes")?,
        backends: row.try_get("backends")?,
        is_published: row.try_get::<i64, _>("is_published")? == 1,
        wanted: wanted_of(row.try_get("wanted")?)?,
        last_error: row.try_get("last_error")?,
    }))
}
