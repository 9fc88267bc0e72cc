//! Looking somebody up: from a telephone number or an address and a CA bundle to a certificate that is proved to be theirs.
//!
//! The order of the checks is the order in which they are cheap and final (docs/records.md): size, slot, envelope, seal,
//! strict CBOR, chain, name, time, sequence number seen before.

use std::time::Duration;

use time::OffsetDateTime;
use tracing::{debug, warn};

use crate::backend::GetError;
use crate::backend::several::{Harvest, Several};
use crate::bundle::Bundle;
use crate::chain::{Certificate, ChainError, valid_at};
use crate::contacts::Contacts;
use crate::directory::{Entry, Pending, Record, RecordError, Status};
use crate::hasher::Hasher;
use crate::item::{Item, Slot, SlotId};
use crate::refresher::Kept;
use crate::seen::Seen;
use crate::slot::{Derived, Identity, UnreasonableCost};

/// Somebody who trusts a CA and wants to know whose key is whose.
#[derive(Debug, Clone)]
pub struct Lookup {
    bundle: Bundle,
    backends: Several,
    hasher: Hasher,
    seen: Seen,
    contacts: Contacts,
}

/// What the directory says about an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// This certificate is theirs.
    Found(Box<Found>),
    /// Their certificate is on hold.
    Suspended(Origin),
    /// They had a certificate, and it was revoked.
    Revoked(Origin),
    /// The directory has nothing about them; all who had to be asked said so.
    Unknown {
        /// How many nodes or proxies were asked.
        asked: usize,
    },
    /// Nobody can say.
    Unreachable(GetError),
    /// There is something, but it does not hold.
    Invalid(Fault),
}

/// A certificate and what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The certificate.
    pub certificate: Certificate,
    /// The key of the owner's location records.
    pub location_key: Option<[u8; 32]>,
    /// The key to which friends encrypt.
    pub kem_key: Option<[u8; 32]>,
    /// Another key asks for this identity.
    pub pending: Option<Pending>,
    /// Where it came from.
    pub origin: Origin,
}

/// Where a record came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The DHT that gave it.
    pub backend: &'static str,
    /// Its slot.
    pub slot: SlotId,
    /// Its sequence number.
    pub seq: i64,
    /// Size of its value.
    pub bytes: usize,
    /// Whether every DHT answered, under each directory key; if not, a later record may be hidden.
    pub complete: bool,
}

/// Why what lies in the slot is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The record does not open or read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The certificate does not hold.
    #[error(transparent)]
    Certificate(#[from] ChainError),
    /// Now is outside the record's dates.
    #[error("the record is dated {not_before} to {not_after}, which is not now")]
    Time {
        /// Unix seconds.
        not_before: i64,
        /// Unix seconds.
        not_after: i64,
    },
    /// A later record was seen before.
    #[error("the directory shows record {shown}, but {seen} was seen before: somebody replays an old one")]
    RolledBack {
        /// The number shown.
        shown: i64,
        /// The highest number seen.
        seen: i64,
    },
}

impl Lookup {
    /// A reader of the bundle's directory, in these DHTs.
    pub fn new(bundle: Bundle, backends: Several, hasher: Hasher) -> Self {
        Self { bundle, backends, hasher, seen: Seen::new(), contacts: Contacts::default() }
    }

    /// Remembers sequence numbers there.
    #[must_use]
    pub fn remembering(self, seen: Seen) -> Self {
        Self { seen, ..self }
    }

    /// Keeps slow hashes there.
    #[must_use]
    pub fn knowing(self, contacts: Contacts) -> Self {
        Self { contacts, ..self }
    }

    /// The slow hash of somebody, made once.
    async fn derive(&self, identity: &Identity, key: &[u8; 32]) -> Result<Derived, UnreasonableCost> {
        let cost = self.bundle.terms.cost;
        if let Some(known) = self.contacts.get(identity, key, cost) {
            return Ok(known);
        }
        let derived = self.hasher.derive(identity.clone(), *key, cost).await?;
        if let Err(error) = self.contacts.put((identity, key, cost), &derived) {
            warn!(%error, "the hash of a contact cannot be written: the next look-up makes it again");
        }
        Ok(derived)
    }

    /// The highest number seen in any of these slots: a statement has the same under each directory key, so what was seen under one
    /// makes an earlier one under another a replay.
    fn seen_before<'a>(&self, hashes: impl Iterator<Item = (&'a [u8; 32], Derived)>) -> Option<i64> {
        hashes.filter_map(|(key, derived)| self.seen.highest(derived.directory_slot(key).id())).max()
    }

    /// The DHTs that are asked.
    pub fn backends(&self) -> &Several {
        &self.backends
    }

    pub(crate) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Looks an identity up. Waits for the whole query, at most until `patience` ends: a late tombstone counts. Of several proxies of
    /// one DHT, those that answer still are left 3 s after the first that said all it had; then the answer is not complete, and if
    /// nothing was found, nobody can say.
    ///
    /// # Errors
    /// [`UnreasonableCost`] cannot come from a bundle that was read.
    pub async fn find(
        &self,
        identity: &Identity,
        patience: Duration,
        now: OffsetDateTime,
    ) -> Result<Verdict, UnreasonableCost> {
        Ok(self.find_with_items(identity, patience, now).await?.0)
    }

    /// The first answer that holds, for who dials and will ask again: it is marked as incomplete, because a tombstone may
    /// follow. If none holds, the whole query is waited for.
    ///
    /// # Errors
    /// As [`Lookup::find`].
    pub async fn find_first(
        &self,
        identity: &Identity,
        patience: Duration,
        now: OffsetDateTime,
    ) -> Result<Verdict, UnreasonableCost> {
        // What was seen under a key whose hash is not known is not looked for: that would take as long as the hash.
        let known = |key| Some((key, self.contacts.get(identity, key, self.bundle.terms.cost)?));
        let seen = self.seen_before(self.bundle.directory_keys.iter().filter_map(known));
        for key in &self.bundle.directory_keys {
            let derived = self.derive(identity, key).await?;
            let slot = derived.directory_slot(key);
            let Some((item, backend)) = self.backends.first(&slot, patience, now).await else { continue };
            let origin =
                Origin { backend, slot: slot.id(), seq: item.seq(), bytes: item.value().len(), complete: false };
            let Ok(record) = Record::unseal(item.value(), &derived.seal_key(), &slot, item.seq()) else { continue };
            match self.judge(record, &item, origin, identity, seen, now) {
                Ok(verdict) => return Ok(verdict),
                // What lies under the other key may be as old.
                Err(Fault::RolledBack { .. }) => break,
                Err(_) => {}
            }
        }
        self.find(identity, patience, now).await
    }

    /// As [`Lookup::find`], with the records that were found under each directory key: who has no key can put them again as
    /// they are ([`crate::Refresher`]). A tombstone is worth keeping as much as a certificate.
    ///
    /// # Errors
    /// As [`Lookup::find`].
    pub async fn find_with_items(
        &self,
        identity: &Identity,
        patience: Duration,
        now: OffsetDateTime,
    ) -> Result<(Verdict, Vec<Kept>), UnreasonableCost> {
        let mut hashes = Vec::new();
        for key in &self.bundle.directory_keys {
            hashes.push((key, self.derive(identity, key).await?));
        }
        let seen = self.seen_before(hashes.iter().cloned());
        let (mut verdicts, mut items, mut is_complete) = (Vec::new(), Vec::new(), true);
        for (key, derived) in &hashes {
            let slot = derived.directory_slot(key);
            let (verdict, kept, is_whole) = self.find_in(&slot, derived, identity, (patience, seen), now).await;
            verdicts.push(verdict);
            items.extend(kept);
            is_complete &= is_whole;
        }
        Ok((settle(verdicts, is_complete), items))
    }

    /// What one directory key says, the record that says it, if it holds, and whether all who have to be asked about its slot answered.
    async fn find_in(
        &self,
        slot: &Slot,
        derived: &Derived,
        identity: &Identity,
        (patience, seen): (Duration, Option<i64>),
        now: OffsetDateTime,
    ) -> (Verdict, Option<Kept>, bool) {
        // Envelopes are checked where they arrive; what comes here is this slot's, and signed.
        let (items, complete) = match self.backends.get(slot, patience, None, now).await {
            Ok(Harvest::Items { items, complete }) => (items, complete),
            Ok(Harvest::Nothing { asked }) => return (Verdict::Unknown { asked }, None, true),
            Err(error) => return (Verdict::Unreachable(error), None, false),
        };
        let mut fault = None;
        for (item, backend) in items {
            let origin = Origin { backend, slot: slot.id(), seq: item.seq(), bytes: item.value().len(), complete };
            match Record::unseal(item.value(), &derived.seal_key(), slot, item.seq()) {
                // The authority's last word. If it does not hold, what it replaced does not hold either.
                Ok(record) => {
                    let expires = OffsetDateTime::from_unix_timestamp(record.not_after).unwrap_or(now);
                    return match self.judge(record, &item, origin, identity, seen, now) {
                        Ok(verdict) => (verdict, Some(Kept { item, expires }), complete),
                        Err(fault) => (Verdict::Invalid(fault), None, complete),
                    };
                }
                Err(error) => {
                    debug!(slot = %slot.id(), seq = item.seq(), %error, "dropped a record from {backend}");
                    fault.get_or_insert(Fault::Record(error));
                }
            }
        }
        (fault.map_or(Verdict::Unreachable(GetError::Unreachable), Verdict::Invalid), None, complete)
    }

    fn judge(
        &self,
        record: Record,
        item: &Item,
        origin: Origin,
        identity: &Identity,
        seen: Option<i64>,
        now: OffsetDateTime,
    ) -> Result<Verdict, Fault> {
        let verdict = match record.status {
            Status::Valid(entry) => {
                let certificate = self.bundle.authority.check(&entry.certificate, identity, now)?;
                let Entry { location_key, kem_key, pending, .. } = entry;
                Verdict::Found(Box::new(Found { certificate, location_key, kem_key, pending, origin }))
            }
            Status::Suspended(_) => Verdict::Suspended(origin),
            Status::Revoked => Verdict::Revoked(origin),
        };
        check_dates(record.not_before, record.not_after, now)?;
        // Another look-up may have seen more meanwhile.
        let seen = seen.max(self.seen.highest(origin.slot));
        if let Some(seen) = seen.filter(|seen| *seen > item.seq()) {
            return Err(Fault::RolledBack { shown: item.seq(), seen });
        }
        if let Err(error) = self.seen.note(origin.slot, item.seq()) {
            warn!(%error, "the sequence numbers seen cannot be written: a rollback after a restart would go unnoticed");
        }
        Ok(verdict)
    }
}

fn check_dates(not_before: i64, not_after: i64, now: OffsetDateTime) -> Result<(), Fault> {
    let are_dates = [not_before, not_after].iter().all(|&date| OffsetDateTime::from_unix_timestamp(date).is_ok());
    if are_dates && valid_at((not_before, not_after), now) {
        Ok(())
    } else {
        Err(Fault::Time { not_before, not_after })
    }
}

/// While the directory changes its key, records and tombstones lie under both; the later statement counts, and of two of
/// the same moment the one that takes away. Under a key about whose slot not everybody answered, a later one may be hidden. What
/// is shown is a replay only if the later statement does not lie perhaps where nobody answered.
fn settle(verdicts: Vec<Verdict>, is_complete: bool) -> Verdict {
    let weight = |verdict: &Verdict| match verdict {
        Verdict::Revoked(origin) => (5, origin.seq, 2),
        Verdict::Suspended(origin) => (5, origin.seq, 1),
        Verdict::Found(found) => (5, found.origin.seq, 0),
        Verdict::Invalid(_) => (4, 0, 0),
        Verdict::Unreachable(_) => (3, 0, 0),
        Verdict::Unknown { .. } => (2, 0, 0),
    };
    // A bundle has at least the key that signed it.
    let mut settled = verdicts.into_iter().max_by_key(weight).unwrap_or(Verdict::Unreachable(GetError::Unreachable));
    match &mut settled {
        Verdict::Found(found) => found.origin.complete = is_complete,
        Verdict::Suspended(origin) | Verdict::Revoked(origin) => origin.complete = is_complete,
        Verdict::Invalid(Fault::RolledBack { .. }) if !is_complete => {
            settled = Verdict::Unreachable(GetError::Unreachable);
        }
        Verdict::Unknown { .. } | Verdict::Unreachable(_) | Verdict::Invalid(_) => {}
    }
    settled
}
