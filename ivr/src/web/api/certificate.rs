//! A certificate, as its owner's program is told of it.

use ivr_core::caller::Caps;
use serde::Serialize;
use time::OffsetDateTime;

use super::level::Held;
use crate::hex;
use crate::issue::{Certified, DhtRecord, KeyChange};

/// A certificate.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Certificate {
    /// The leaf, PEM.
    certificate_pem: String,
    /// The intermediate, PEM.
    chain_pem: String,
    /// Hexadecimal.
    serial: String,
    /// `L0` to `L4`.
    level: String,
    /// What that means, in the verification's language.
    level_meaning: &'static str,
    /// A code alone was asked for, and no digits were read back.
    code_only: bool,
    /// Why the level is no higher; empty in the answer to a renewal, whose call was long ago.
    held_by: Vec<Held>,
    /// First moment.
    #[serde(with = "time::serde::rfc3339")]
    not_before: OffsetDateTime,
    /// Last moment.
    #[serde(with = "time::serde::rfc3339")]
    not_after: OffsetDateTime,
    /// Since when it is suspended, by a call from the number. Its key can lift that within a day.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    suspended_at: Option<OffsetDateTime>,
    /// When it was revoked.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    revoked_at: Option<OffsetDateTime>,
    /// Another key that waits to take the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<Pending>,
    /// Its record in the directory; absent if it was not to be published.
    #[serde(skip_serializing_if = "Option::is_none")]
    dht: Option<Dht>,
}

/// Another key was proved for the number, and waits.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Pending {
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    since: OffsetDateTime,
    /// When it takes the number, unless somebody objects.
    #[serde(with = "time::serde::rfc3339")]
    until: OffsetDateTime,
    /// SHA-256 of its subjectPublicKeyInfo, hexadecimal.
    key: String,
}

/// A record in the directory.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Dht {
    /// The DHTs that have it.
    backend: Option<String>,
    /// Under which key, hexadecimal.
    slot: Option<String>,
    /// Its sequence number.
    seq: Option<i64>,
    /// Its size.
    bytes: Option<u64>,
    /// What it says: `valid`, `suspended`, `revoked` (that there is no certificate; its owner may have withdrawn it).
    says: &'static str,
    /// Whether it is there already.
    published: bool,
}

impl Certificate {
    /// A certificate, whether it says that a code alone was asked for, and why its level is no higher.
    pub(super) fn of(certified: Certified, code_only: bool, caps: Caps, locale: &str) -> Self {
        Self {
            certificate_pem: certified.certificate_pem,
            chain_pem: certified.chain_pem,
            serial: certified.serial,
            level: certified.level.to_string(),
            level_meaning: certified.level.meaning(locale),
            code_only,
            held_by: Held::all(caps, locale, |sentences| sentences.page),
            not_before: certified.not_before,
            not_after: certified.not_after,
            suspended_at: certified.suspended,
            revoked_at: certified.revoked.map(|(at, _)| at),
            pending: certified.pending.map(Pending::from),
            dht: certified.record.map(Dht::from),
        }
    }
}

impl From<KeyChange> for Pending {
    fn from(change: KeyChange) -> Self {
        Self { since: change.since, until: change.until, key: hex::of(&change.spki_sha256) }
    }
}

impl From<DhtRecord> for Dht {
    fn from(record: DhtRecord) -> Self {
        let DhtRecord { backend, slot, seq, bytes, says, published, last_error: _ } = record;
        Self { backend, slot, seq, bytes, says: says.name(), published }
    }
}
