//! The use case: a proof becomes a certificate, in an order that a power cut cannot break (ARCHITECTURE.md, crash table).
//! `ca::Subject::tel` is built here alone.

mod certified;
mod hold;
mod lists;
mod locating;
mod old_key;
mod order;
mod recovery;
mod revoking;
mod suspending;
mod verification;
mod wish;

pub use self::locating::{FirstListing, Listing, NotListed};
pub use self::old_key::{OldKeyError, Signed};
pub(crate) use self::suspending::STOPPED;
pub(crate) use self::wish::{Cause, ca_level};

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ca::email::Address;
use ca::{Authority, Issuing, Reason, Request, Subject};
use ivr_core::caller::{Caller, IssuingLevels, Level};
use ivr_core::number::Number;
use ivr_core::private::Private;
use time::OffsetDateTime;

use crate::clock::Clock;
use crate::publish::Publisher;
use crate::store::{Store, StoreError, certificates, revocations};

/// An issued certificate as pages, API and console show it.
#[derive(Clone)]
pub struct Certified {
    /// Its serial number, hexadecimal.
    pub serial: String,
    /// `tel:+…` or `mailto:…`.
    pub identity: Private<String>,
    /// The level.
    pub level: Level,
    /// The leaf, PEM.
    pub certificate_pem: String,
    /// The intermediate, PEM.
    pub chain_pem: String,
    /// SHA-256 of the SPKI.
    pub spki_sha256: [u8; 32],
    /// First moment.
    pub not_before: OffsetDateTime,
    /// Last moment.
    pub not_after: OffsetDateTime,
    /// When it was issued: with the serial number, the key of [`CertificateFilter::before`].
    pub issued_at: OffsetDateTime,
    /// Since when it is suspended; the key that it names can lift that within a day.
    pub suspended: Option<OffsetDateTime>,
    /// When and why it was revoked.
    pub revoked: Option<(OffsetDateTime, Reason)>,
    /// Another key that waits to take the identity.
    pub pending: Option<KeyChange>,
    /// Its record in the DHT: `None` if it was not to be published.
    pub record: Option<DhtRecord>,
}

/// Which one, but not whose.
impl fmt::Debug for Certified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certified").field("serial", &self.serial).finish_non_exhaustive()
    }
}

/// Another key was proved for the identity of a certificate, and waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyChange {
    /// Since when.
    pub since: OffsetDateTime,
    /// When it takes the identity, unless somebody objects.
    pub until: OffsetDateTime,
    /// SHA-256 of its SPKI.
    pub spki_sha256: [u8; 32],
}

/// A record in the DHT.
#[derive(Debug, Clone)]
pub struct DhtRecord {
    /// The DHTs that have it, such as `mainline`, joined by commas.
    pub backend: Option<String>,
    /// Hexadecimal slot, once known.
    pub slot: Option<String>,
    /// Sequence number of what was put.
    pub seq: Option<i64>,
    /// Bytes of the value.
    pub bytes: Option<u64>,
    /// What it says.
    pub says: Says,
    /// Whether it is there, and says so.
    pub published: bool,
    /// What went wrong last, for the console.
    pub last_error: Option<String>,
}

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// The certificate.
    Valid,
    /// The certificate, and that it is suspended.
    Suspended,
    /// That there is none: it was revoked, or its owner withdrew the record.
    Revoked,
}

impl Says {
    /// Its name in the API: `valid`, `suspended`, `revoked`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
        }
    }
}

/// What the console lists.
#[derive(Clone, Default)]
pub struct CertificateFilter {
    /// A full number or address (found by HMAC), or a serial.
    pub search: Option<String>,
    /// `valid`, `suspended`, `revoked`, `expired`.
    pub status: Option<String>,
    /// What it says.
    pub level: Option<Level>,
    /// Keyset: older than (issued at ms, serial).
    pub before: Option<(i64, String)>,
    /// Rows.
    pub limit: u32,
}

/// Why nothing was revoked or shown.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// No such certificate.
    #[error("there is no certificate with this serial number")]
    Unknown,
    /// It was revoked before.
    #[error("the certificate is revoked already")]
    AlreadyRevoked,
    /// The authority refuses; a sentence for the person.
    #[error("{0}")]
    Refused(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing key.
    #[error("the certificate could not be signed")]
    Signing,
}

/// Why a key is not certified.
#[derive(Debug, thiserror::Error)]
pub enum KeyRefusal {
    /// The request is refused; its sender can mend it.
    #[error(transparent)]
    Request(#[from] ca::RequestError),
    /// The key was revoked as compromised.
    #[error("this key was revoked as compromised: make a new one")]
    Blocked,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the use case works with.
#[derive(Debug, Clone)]
pub struct IssueParts {
    /// The rows.
    pub store: Store,
    /// The authority.
    pub authority: Arc<Authority>,
    /// Told that something lies in the outbox.
    pub publisher: Publisher,
    /// Where the revocation lists are written beside being served, as `tel.crl` and `email.crl`.
    pub crl_folder: Option<PathBuf>,
    /// How long a key waits if another key was certified for its number lately.
    pub key_change_hold: Duration,
    /// The levels that certificates are issued from.
    pub issue_from: IssuingLevels,
    /// Time and chance.
    pub clock: Clock,
}

/// The use case. Clones share everything.
#[derive(Debug, Clone)]
pub struct Issue {
    parts: Arc<IssueParts>,
}

/// A certificate for a mailbox that was proved.
#[derive(Debug)]
pub struct EmailOrder<'a> {
    /// Names the order: one certificate each, however often it is asked for.
    pub id: &'a str,
    /// The mailbox.
    pub address: &'a Address,
    /// The key.
    pub request: &'a Request,
    /// Whether a record goes into the DHT.
    pub publish: bool,
}

impl Issue {
    /// The use case over these parts.
    pub fn new(parts: IssueParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// The authority, for its public files.
    pub fn authority(&self) -> &Authority {
        &self.parts.authority
    }

    /// Has the directory show these keys beside the certificate, or none any more.
    ///
    /// # Errors
    /// As named.
    pub async fn locate(
        &self,
        signed: &Signed<'_>,
        listing: Option<&Listing<'_>>,
        now: OffsetDateTime,
    ) -> Result<(), OldKeyError> {
        locating::locate(&self.parts, signed, listing, now).await
    }

    /// A call whose number has no verification suspends what the number has, up to the call's level, and stops the key that
    /// waits. `false` if there is nothing that it may suspend, or the number has done so today.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn suspend(&self, caller: &Caller, now: OffsetDateTime) -> Result<bool, StoreError> {
        suspending::suspend(&self.parts, caller, now).await
    }

    /// Lifts the suspension of this certificate.
    ///
    /// # Errors
    /// As named.
    pub async fn lift(&self, signed: &Signed<'_>, now: OffsetDateTime) -> Result<(), OldKeyError> {
        old_key::lift(&self.parts, signed, now).await
    }

    /// The present revocation list of an intermediate, DER, and how long it may be cached.
    ///
    /// # Errors
    /// As named.
    pub async fn crl(&self, issuing: Issuing, now: OffsetDateTime) -> Result<(Vec<u8>, Duration), IssueError> {
        lists::crl(&self.parts, issuing, now).await
    }

    /// Deletes certificates, and what belongs to them, a year after their end: called once an hour. Tells how many rows went.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn purge(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        self.parts.store.purge(&certificates::over(now)).await
    }

    /// Something lies in the outbox.
    pub(crate) fn tell_publisher(&self) {
        self.parts.publisher.nudge();
    }

    /// The request, if a certificate for this number could be issued on it.
    pub(crate) async fn accept_request(&self, csr: &[u8], number: &Number) -> Result<Request, KeyRefusal> {
        let request = Request::parse(csr)?;
        request.names_only(&tel_subject(number))?;
        let mut reader = self.parts.store.read().await?;
        let is_blocked = revocations::is_blocked(&request.spki_sha256(), &mut reader).await?;
        if is_blocked { Err(KeyRefusal::Blocked) } else { Ok(request) }
    }
}

/// The subject of a number. It is built here alone (tests/tests/borders.rs).
pub(crate) fn tel_subject(number: &Number) -> Subject {
    Subject::tel(number.as_str()).expect("a Number is spelled as E.164")
}

/// What start-up mended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Intents without result: their serials are on the list, their sessions are issued anew.
    pub voided: u64,
    /// Sessions issued anew.
    pub reissued: u64,
}

#[cfg(test)]
mod tests;
