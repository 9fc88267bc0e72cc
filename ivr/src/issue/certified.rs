//! Certificates as pages show them.

use ca::email::Address;
use ca::{Reason, Serial};
use ivr_core::number::Number;
use ivr_core::private::Private;
use time::OffsetDateTime;

use super::wish::Cause;
use super::{CertificateFilter, Certified, DhtRecord, Issue, IssueError, IssueParts, KeyChange, Says};
use crate::pem;
use crate::store::certificates::{Pending, Search, Stored, StoredRecord};
use crate::store::records::Wanted;
use crate::store::{StoreError, certificates, tel};

/// Rows of a page at most.
const LONGEST_PAGE: u32 = 200;

impl Issue {
    /// One certificate.
    ///
    /// # Errors
    /// As named.
    pub async fn certificate(&self, serial: &Serial) -> Result<Certified, IssueError> {
        self.by_serial(&serial.hex()).await?.ok_or(IssueError::Unknown)
    }

    pub(crate) async fn by_serial(&self, serial: &str) -> Result<Option<Certified>, StoreError> {
        let store = &self.parts.store;
        let stored = certificates::by_serial(serial, store.columns(), &mut *store.read().await?).await?;
        Ok(stored.map(|stored| certified(&self.parts, stored)))
    }

    /// A page of certificates, newest first.
    ///
    /// # Errors
    /// As named.
    pub async fn certificates(
        &self,
        filter: &CertificateFilter,
        now: OffsetDateTime,
    ) -> Result<Vec<Certified>, IssueError> {
        let sought = match &filter.search {
            None => Sought::All,
            Some(text) => match Sought::read(text.trim()) {
                Some(sought) => sought,
                // What is neither a number, an address nor a serial is on no certificate.
                None => return Ok(Vec::new()),
            },
        };
        let search = match &sought {
            Sought::All => Search::All,
            Sought::Identity(identity) => Search::Identity(identity),
            Sought::Serial(serial) => Search::Serial(serial),
        };
        let stored = certificates::page(
            &search,
            (filter.status.as_deref().unwrap_or_default(), filter.level),
            filter.before.as_ref(),
            i64::from(filter.limit.clamp(1, LONGEST_PAGE)),
            now,
            self.parts.store.columns(),
            &mut *self.parts.store.read().await?,
        )
        .await?;
        Ok(stored.into_iter().map(|stored| certified(&self.parts, stored)).collect())
    }
}

pub(super) async fn by_cause(parts: &IssueParts, cause: &Cause) -> Result<Option<Certified>, StoreError> {
    let name = cause.name();
    let stored = certificates::by_cause(&name, parts.store.columns(), &mut *parts.store.read().await?).await?;
    Ok(stored.map(|stored| certified(parts, stored)))
}

enum Sought {
    All,
    Identity(String),
    Serial(String),
}

impl Sought {
    fn read(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::All);
        }
        if let Some(serial) = Serial::parse(&text.to_ascii_lowercase()) {
            return Some(Self::Serial(serial.hex()));
        }
        if text.contains('@') {
            let address = Address::parse(text.strip_prefix("mailto:").unwrap_or(text)).ok()?;
            return Some(Self::Identity(format!("mailto:{}", address.key())));
        }
        Number::read(text, None).ok().map(|number| Self::Identity(tel(&number)))
    }
}

fn certified(parts: &IssueParts, stored: Stored) -> Certified {
    Certified {
        certificate_pem: pem::certificate(&stored.der),
        chain_pem: pem::certificate(parts.authority.intermediate(stored.issuing)),
        serial: stored.serial,
        identity: Private::new(stored.identity),
        level: stored.level,
        spki_sha256: stored.spki_sha256,
        not_before: stored.not_before,
        not_after: stored.not_after,
        issued_at: stored.issued_at,
        suspended: stored.revoked.filter(|(_, reason)| *reason == Reason::CertificateHold).map(|(at, _)| at),
        revoked: stored.revoked.filter(|(_, reason)| *reason != Reason::CertificateHold),
        pending: stored.pending.map(|Pending { since, until, spki_sha256 }| KeyChange { since, until, spki_sha256 }),
        record: stored.record.map(record),
    }
}

fn record(stored: StoredRecord) -> DhtRecord {
    DhtRecord {
        backend: stored.backends,
        slot: stored.slot,
        seq: (stored.seq > 0).then_some(stored.seq),
        bytes: stored.bytes.and_then(|bytes| u64::try_from(bytes).ok()),
        published: stored.is_published,
        says: match stored.wanted {
            Wanted::Valid => Says::Valid,
            Wanted::Suspended => Says::Suspended,
            Wanted::Revoked => Says::Revoked,
        },
        last_error: stored.last_error,
    }
}
