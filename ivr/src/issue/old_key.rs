//! What the holder of a certificate's key does by a signature alone (docs/protocol.md, "The old key"): another certificate
//! within 45 days of the call, stopping a key that waits, lifting a suspension, taking the record out of the directory.
//!
//! The nonce that each of them needs is not stored: it holds its own end and a keyed hash, so no stranger fills a table by
//! asking. Twice within its ten minutes it does nothing twice: a renewal is known by it, a withdrawal is done already, and the
//! others act only on what there was when it was given.

use ca::old_key::{Action, Signature, Statement};
use ca::{Issuing, Request, Serial};
use ivr_core::number::Number;
use ivr_core::proof::{NotStillProved, StillProved};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::info;

use super::wish::{self, Cause, Consent, Spoken, Wish};
use super::{Certified, Issue, IssueError, IssueParts, KeyRefusal, certified, hold, tel_subject, verification};
use crate::hex;
use crate::store::certificates::Stored;
use crate::store::verifications::Which;
use crate::store::{
    Columns, Conn, StoreError, audit, certificates, happenings, millis, records, revocations, time_of, verifications,
};

/// A statement by the key of a certificate.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// Which certificate.
    pub serial: &'a Serial,
    /// A nonce of this certificate.
    pub nonce: &'a str,
    /// What its key signed.
    pub signature: &'a Signature,
}

/// Why a statement does nothing.
#[derive(Debug, thiserror::Error)]
pub enum OldKeyError {
    /// No such certificate, not a nonce of the last ten minutes, or not signed by that key: they are not told apart.
    #[error("this is not signed by the key of that certificate, or the nonce is too old: ask for another")]
    NotSigned,
    /// It is signed, but there is nothing to do, or not any more: why, as a sentence.
    #[error("{0}")]
    NotNow(&'static str),
    /// The certificate is too young to be renewed: from when it can be.
    #[error("the certificate was issued less than a day ago: it can be renewed from {} on", rfc3339(.0))]
    TooSoon(OffsetDateTime),
    /// The new key is refused.
    #[error(transparent)]
    Key(#[from] KeyRefusal),
    /// As named.
    #[error(transparent)]
    Issue(#[from] IssueError),
}

impl From<StoreError> for OldKeyError {
    fn from(error: StoreError) -> Self {
        Self::Issue(error.into())
    }
}

fn rfc3339(at: &OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

/// A certificate of this age or more may be renewed: a key that asks in a loop fills neither the list nor the audit.
const RENEWABLE: time::Duration = time::Duration::days(1);
/// What a nonce is good for.
const NONCE_LIFE: time::Duration = time::Duration::minutes(10);
/// Its parts: when it ends (milliseconds since 1970, as what is done with it is dated), what makes it unlike all others, the beginning of a keyed hash.
const ENDS: usize = 8;
const RANDOM: usize = 16;
const TAG: usize = 16;

/// What the page of a key says that was stopped.
const VETOED: &str = "The holder of the number's earlier key stopped this one.";

impl Issue {
    /// A nonce for a statement of the key of this certificate, whether there is one or not, and until when it counts.
    pub fn nonce(&self, serial: &Serial, now: OffsetDateTime) -> (String, OffsetDateTime) {
        nonce(&self.parts, serial.as_bytes(), now)
    }

    /// A nonce for a statement of a key that has no certificate yet, by SHA-256 of its SPKI, and until when it counts.
    pub fn nonce_of_key(&self, spki_sha256: &[u8; 32], now: OffsetDateTime) -> (String, OffsetDateTime) {
        nonce(&self.parts, spki_sha256, now)
    }

    /// Issues another certificate on the same call, to the same key or another, by the word of the key that has one. It never
    /// raises the level, and ends 45 days after the call at the latest. Asked again with the same nonce, it gives the same
    /// certificate.
    ///
    /// # Errors
    /// As named.
    pub async fn renew(
        &self,
        signed: &Signed<'_>,
        csr: &[u8],
        publish: bool,
        now: OffsetDateTime,
    ) -> Result<Certified, OldKeyError> {
        let parts = &self.parts;
        let request = Request::parse(csr).map_err(KeyRefusal::from)?;
        let key = Some(request.spki_sha256());
        let certificate = speaker(parts, signed, (Action::Renew, key), now).await?;
        let cause = Cause::Renewal(signed.nonce.to_owned());
        if let Some(before) = certified::by_cause(parts, &cause).await? {
            if Some(before.spki_sha256) != key || before.record.is_some() != publish {
                return Err(OldKeyError::NotNow("this nonce has renewed the certificate otherwise: ask for another"));
            }
            return Ok(before);
        }
        let wish = wanted(parts, signed, &certificate, (cause, request, publish), now).await?;
        wish::issue(parts, &wish, now).await?;
        info!(serial = certificate.serial, "the key of certificate {} asked for another", certificate.serial);
        Ok(certified::by_cause(parts, &wish.cause).await?.ok_or(IssueError::Unknown)?)
    }

    /// Stops a key that waits to take the number of this certificate: `key` is SHA-256 of its SPKI.
    ///
    /// # Errors
    /// As named.
    pub async fn veto(&self, signed: &Signed<'_>, key: [u8; 32], now: OffsetDateTime) -> Result<(), OldKeyError> {
        let parts = &self.parts;
        let certificate = speaker(parts, signed, (Action::Veto, Some(key)), now).await?;
        let (identity, columns) = (&certificate.identity, parts.store.columns());
        let mut writer = parts.store.begin().await?;
        records::lock(identity, columns, &mut writer).await?;
        let newest = certificates::newest(identity, now - hold::REMEMBERED, columns, &mut writer).await?;
        let Some(newest) = newest.filter(|newest| newest.spki_sha256 == certificate.spki_sha256) else {
            return Err(OldKeyError::NotNow("it is not the key of the number's last certificate"));
        };
        let which = Which::Of(key, asked_at(signed.nonce));
        let ended = verifications::end_held(identity, which, VETOED, columns, &mut writer).await?;
        if ended.is_empty() {
            return Err(OldKeyError::NotNow(
                "no such key waits, or it began to after this nonce was given: ask for another",
            ));
        }
        for id in &ended {
            happenings::state(*id, "failed", now, columns, &mut writer).await?;
        }
        records::show_again(&newest.serial, now, &mut writer).await?;
        audit::add(("old key", "veto", &certificate.serial), now, columns, &mut writer).await?;
        writer.commit().await?;
        info!(serial = certificate.serial, "the key of certificate {} stopped another", certificate.serial);
        parts.publisher.nudge();
        ended.into_iter().for_each(|id| parts.publisher.ring(id));
        Ok(())
    }

    /// Takes the record of this certificate out of the directory; the certificate stays good.
    ///
    /// # Errors
    /// As named.
    pub async fn withdraw_by_key(&self, signed: &Signed<'_>, now: OffsetDateTime) -> Result<(), OldKeyError> {
        let certificate = speaker(&self.parts, signed, (Action::Withdraw, None), now).await?;
        if super::revoking::withdraw(&self.parts, &certificate.serial, "old key", now).await? {
            return Ok(());
        }
        Err(OldKeyError::NotNow("the directory does not show this certificate"))
    }
}

/// A nonce for statements about this certificate (its serial number) or key (its hash), whether there is one or not, and its end.
fn nonce(parts: &IssueParts, about: &[u8], now: OffsetDateTime) -> (String, OffsetDateTime) {
    let ends = now + NONCE_LIFE;
    let body = [&millis(ends).to_be_bytes()[..], &parts.clock.bytes::<RANDOM>()].concat();
    let tag = parts.store.columns().tag("old-key-nonce", &[about, &body]);
    (hex::of(&body) + &hex::of(&tag[..TAG]), ends)
}

/// Whether it was given for this, and counts.
pub(super) fn is_ours(parts: &IssueParts, about: &[u8], nonce: &str, now: OffsetDateTime) -> bool {
    let Some(octets) = hex::read_array::<{ ENDS + RANDOM + TAG }>(nonce) else { return false };
    let (body, tag) = octets.split_at(ENDS + RANDOM);
    millis(now) < ends(nonce) && parts.store.columns().is_tag(tag, "old-key-nonce", &[about, body])
}

/// When a nonce ends (milliseconds since 1970); 0 if it is none.
fn ends(nonce: &str) -> i64 {
    nonce.get(..2 * ENDS).and_then(|digits| i64::from_str_radix(digits, 16).ok()).unwrap_or_default()
}

/// When a nonce of ours was given.
pub(super) fn asked_at(nonce: &str) -> OffsetDateTime {
    time_of(ends(nonce)).map_or(OffsetDateTime::UNIX_EPOCH, |ends| ends - NONCE_LIFE)
}

/// The certificate whose key signed this.
pub(super) async fn speaker(
    parts: &IssueParts,
    signed: &Signed<'_>,
    (action, key): (Action, Option<[u8; 32]>),
    now: OffsetDateTime,
) -> Result<Stored, OldKeyError> {
    if !is_ours(parts, signed.serial.as_bytes(), signed.nonce, now) {
        return Err(OldKeyError::NotSigned);
    }
    let (about, columns) = (signed.serial.hex(), parts.store.columns());
    let mut reader = parts.store.read().await?;
    let certificate = certificates::by_serial(&about, columns, &mut reader).await?.ok_or(OldKeyError::NotSigned)?;
    let statement = Statement { action, about: &about, nonce: Some(signed.nonce), key };
    if !signed.signature.is_over(&statement, &certificate.der) {
        return Err(OldKeyError::NotSigned);
    }
    if revocations::is_blocked(&certificate.spki_sha256, &mut reader).await? {
        return Err(OldKeyError::NotNow("this key was reported as known to others: it speaks for nobody"));
    }
    Ok(certificate)
}

/// What is to be issued by the word of the key of this certificate.
async fn wanted(
    parts: &IssueParts,
    signed: &Signed<'_>,
    certificate: &Stored,
    (cause, request, publish): (Cause, Request, bool),
    now: OffsetDateTime,
) -> Result<Wish, OldKeyError> {
    let number = certificate.identity.strip_prefix("tel:").and_then(|number| Number::parse(number).ok());
    let (Issuing::Tel, Some(number)) = (certificate.issuing, number) else {
        return Err(OldKeyError::NotNow("only the certificate of a number is renewed by its key"));
    };
    request.names_only(&tel_subject(&number)).map_err(KeyRefusal::from)?;
    let columns = parts.store.columns();
    let (identity, serial) = (&certificate.identity, &certificate.serial);
    let consent = publish.then_some(signed.nonce);
    if let Some(why) = impediment((identity, serial), consent, now, columns, &mut *parts.store.read().await?).await? {
        return Err(why);
    }
    let Some(sealed) = &certificate.proof else { return Err(StoreError::damaged("a proof").into()) };
    let about = signed.serial.hex();
    let key = Some(request.spki_sha256());
    let statement = Statement { action: Action::Renew, about: &about, nonce: Some(signed.nonce), key };
    let is_signed = || signed.signature.is_over(&statement, &certificate.der);
    let still = StillProved::open(sealed, &number, &columns.keys().proof_key(), is_signed, now.unix_timestamp());
    let still = still.map_err(|why| match why {
        NotStillProved::TooOld => OldKeyError::NotNow("the number called more than 45 days ago: it has to call again"),
        NotStillProved::NotSigned => OldKeyError::NotSigned,
        NotStillProved::Broken(broken) => StoreError::Failed(broken.to_string()).into(),
    })?;
    if still.proof().level() < parts.issue_from.of(number.kind()) {
        return Err(OldKeyError::NotNow("the call proved less than this service asks for now: the number has to call"));
    }
    let spoken = Spoken {
        action: Action::Renew,
        about,
        nonce: Some(signed.nonce.to_owned()),
        signature: signed.signature.clone(),
    };
    Ok(verification::wish_of_renewal(&still, sealed, (cause, request, publish), Consent::Signed(spoken))?)
}

/// Why a certificate is not renewed now, if so: only the last one of an identity is, in force or expired, and a day after it
/// was issued. `consent` is the nonce with which its key wants the next one published: what the owner withdrew since then
/// stays so. To rely on the answer, ask under the identity's lock.
pub(super) async fn impediment(
    (identity, serial): (&str, &str),
    consent: Option<&str>,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<Option<OldKeyError>, StoreError> {
    let newest = certificates::newest(identity, now - hold::REMEMBERED, columns, conn).await?;
    let newest = newest.filter(|newest| newest.serial == serial);
    let (Some(newest), false) = (newest, revocations::is_listed(serial, conn).await?) else {
        let why = "the certificate is revoked, suspended or superseded: the number has to call";
        return Ok(Some(OldKeyError::NotNow(why)));
    };
    if let Some(asked_at) = consent.map(asked_at)
        && records::is_withdrawn_since(identity, asked_at, columns, conn).await?
    {
        let why = "the consent to publish was withdrawn after this nonce was given: ask for another";
        return Ok(Some(OldKeyError::NotNow(why)));
    }
    let from = newest.issued_at + RENEWABLE;
    Ok((now < from).then_some(OldKeyError::TooSoon(from)))
}

/// Lifts a suspension.
pub(super) async fn lift(parts: &IssueParts, signed: &Signed<'_>, now: OffsetDateTime) -> Result<(), OldKeyError> {
    let certificate = speaker(parts, signed, (Action::Lift, None), now).await?;
    if super::suspending::lift(parts, &certificate.serial, asked_at(signed.nonce), now).await? {
        return Ok(());
    }
    Err(OldKeyError::NotNow(
        "the certificate is not suspended, was for a day, which is final, or was suspended after this nonce was given: ask for \
         another",
    ))
}

#[cfg(test)]
mod tests;
