//! Where a location record lies: one slot for everybody and for named recipients, and one a day for friends.
//!
//! Without the friends key nobody can work out a friends' slot beforehand. But it is not hidden: a DHT's node keeps the whole
//! item, and that has the location key in the clear, so whoever keeps it can tell that it is the same key's. Only a key that
//! is blinded anew each day, as in Tor's onion services (rend-spec-v3, appendix A), would unlink the days.

use std::fmt;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::key::FriendsKey;
use crate::item::{SKEW_SECONDS, Slot};

/// Salt of the slot that everybody finds.
const OPEN_SALT: &[u8] = b"sip1";
/// How long the salt of friends is: HMAC-SHA-256.
pub(super) const FRIENDS_SALT: usize = 32;
/// The salt of friends, and the key that seals, change this often.
pub(super) const EPOCH_SECONDS: i64 = 86_400;
/// Keeps what is signed and sealed here from meaning anything elsewhere.
const DOMAIN: &[u8] = b"dialproof-loc-v1";

/// A slot in which a location may lie, and the key that opens what lies there, if it needs one.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    slot: Slot,
    seal_key: Option<Zeroizing<[u8; 32]>>,
}

impl Place {
    /// The place for everybody, and for recipients that the record names.
    pub fn open(location_key: &[u8; 32]) -> Self {
        Self { slot: slot(location_key, OPEN_SALT), seal_key: None }
    }

    /// Whether a location may lie in a slot of this salt: that of everybody, or one of friends, which are 32 octets.
    pub fn may_have_salt(salt: &[u8]) -> bool {
        salt == OPEN_SALT || salt.len() == FRIENDS_SALT
    }

    /// The places where a friend has to look now: the record may be a day old, and its writer's clock some minutes ahead.
    pub fn all_of_friends(location_key: &[u8; 32], key: &FriendsKey, now: OffsetDateTime) -> Vec<Self> {
        let skew = time::Duration::seconds(SKEW_SECONDS);
        let epochs = epoch(now - skew) - 1..=epoch(now + skew);
        epochs.map(|epoch| Self::of_friends(location_key, key, epoch)).collect()
    }

    pub(super) fn of_friends(location_key: &[u8; 32], key: &FriendsKey, epoch: i64) -> Self {
        let seal_key = Some(Zeroizing::new(key.seal_key(epoch)));
        Self { slot: slot(location_key, &key.salt(epoch)), seal_key }
    }

    /// The slot.
    pub fn slot(&self) -> &Slot {
        &self.slot
    }

    pub(super) fn seal_key(&self) -> Option<&[u8; 32]> {
        self.seal_key.as_deref()
    }

    /// What signature and seal are bound to: a record means nothing in another slot or under another sequence number.
    pub(super) fn associated(&self, seq: i64) -> Vec<u8> {
        [DOMAIN, &self.slot.key()[..], &self.slot.id().0, &seq.to_be_bytes()].concat()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lock = if self.seal_key.is_some() { "sealed" } else { "open" };
        write!(f, "Place({}, {lock})", self.slot.id())
    }
}

/// The number of the day since 1970 in UTC.
pub(super) fn epoch(at: OffsetDateTime) -> i64 {
    at.unix_timestamp().div_euclid(EPOCH_SECONDS)
}

fn slot(key: &[u8; 32], salt: &[u8]) -> Slot {
    Slot::new(*key, salt).expect("32 bytes are fewer than 64")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(seconds).unwrap()
    }

    #[test]
    fn a_friend_looks_wherever_a_living_record_may_lie() {
        let (friends, owner) = (FriendsKey::from_bytes([5; 32]), [6; 32]);
        let noon = 20_000 * EPOCH_SECONDS + EPOCH_SECONDS / 2;
        let midnight = 20_000 * EPOCH_SECONDS;
        for (now, written) in
            [(noon, noon), (noon, noon - EPOCH_SECONDS), (midnight - 299, midnight), (midnight + 299, midnight - 1)]
        {
            let place = Place::of_friends(&owner, &friends, epoch(at(written)));
            let asked = Place::all_of_friends(&owner, &friends, at(now));
            assert!(asked.contains(&place), "{written} at {now}");
            assert!(asked.len() <= 3);
        }
    }
}
