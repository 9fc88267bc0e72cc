//! The use case: a proof becomes a certificate, in an order that a power cut cannot break (ARCHITECTURE.md, crash table).
//! `ca::Subject::tel` is built here alone.

use std::time::Duration;

use ca::{Issuing, Reason, Serial};
use ivr_core::call::question::{Outcome, VerificationId};
use ivr_core::caller::Level;
use ivr_core::number::Number;
use ivr_core::private::Private;
use time::OffsetDateTime;

use crate::store::StoreError;

/// An issued certificate as pages, API and console show it.
#[derive(Debug, Clone)]
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
    /// When and why it was revoked.
    pub revoked: Option<(OffsetDateTime, Reason)>,
    /// Its record in the DHT: `None` if it was not to be published.
    pub record: Option<DhtRecord>,
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
    /// Whether it is there.
    pub published: bool,
    /// What went wrong last, for the console.
    pub last_error: Option<String>,
}

/// What the console lists.
#[derive(Debug, Clone, Default)]
pub struct CertificateFilter {
    /// A full number or address (found by HMAC), or a serial.
    pub search: Option<String>,
    /// `valid`, `revoked`, `expired`.
    pub status: Option<String>,
    /// Keyset: older than (issued at ms, serial).
    pub before: Option<(i64, String)>,
    /// Rows.
    pub limit: u32,
}

/// The use case. Clones share everything.
#[derive(Debug, Clone)]
pub struct Issue {}

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

impl Issue {
    /// Whether a certificate for this number could be issued on this request.
    pub(crate) async fn accept_request(&self, _csr: &[u8], _number: &Number) -> Result<(), KeyRefusal> {
        todo!()
    }

    pub(crate) async fn finish_patiently(&self, _id: VerificationId) -> Outcome {
        todo!()
    }

    pub(crate) async fn by_serial(&self, _serial: &str) -> Result<Certified, StoreError> {
        todo!()
    }

    /// Finishes or voids what a crash left between intent and result. Called once at start.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn recover(&self, _now: OffsetDateTime) -> Result<Recovered, IssueError> {
        todo!()
    }

    /// Revokes: CRL and tombstone follow.
    ///
    /// # Errors
    /// As named.
    pub async fn revoke(
        &self,
        _serial: &Serial,
        _reason: Reason,
        _actor: &str,
        _now: OffsetDateTime,
    ) -> Result<(), IssueError> {
        todo!()
    }

    /// One certificate.
    ///
    /// # Errors
    /// As named.
    pub async fn certificate(&self, _serial: &Serial) -> Result<Certified, IssueError> {
        todo!()
    }

    /// A page of certificates, newest first.
    ///
    /// # Errors
    /// As named.
    pub async fn certificates(
        &self,
        _filter: &CertificateFilter,
        _now: OffsetDateTime,
    ) -> Result<Vec<Certified>, IssueError> {
        todo!()
    }

    /// The present revocation list of an intermediate, DER, and how long it may be cached.
    ///
    /// # Errors
    /// As named.
    pub async fn crl(&self, _issuing: Issuing, _now: OffsetDateTime) -> Result<(Vec<u8>, Duration), IssueError> {
        todo!()
    }
}

/// What start-up mended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Intents without result: their serials are on the list, their sessions are issued anew.
    pub voided: u64,
    /// Sessions issued anew.
    pub reissued: u64,
}
