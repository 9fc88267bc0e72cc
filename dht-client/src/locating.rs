//! Where somebody can be called: from an identity over their certificate to the contacts that its key signed.
//!
//! Three answers are kept apart: nobody knows them, they are known and nowhere now, and here they are; and where not
//! everybody answered who had to, none of the first two is said.

use std::time::Duration;

use futures_util::future::join_all;
use time::OffsetDateTime;
use tracing::{debug, warn};

use crate::backend::GetError;
use crate::backend::several::Harvest;
use crate::client::{Found, Lookup, Verdict};
use crate::location::{FriendsKey, KemKey, LONGEST_LIFE, Location, LocationError, OwnerPublic, Place};
use crate::refresher::Kept;
use crate::slot::{Identity, UnreasonableCost};

/// The keys of somebody who looks for others.
#[derive(Debug, Clone, Default)]
pub struct Friend {
    /// What the one looked for shares with friends.
    pub friends_key: Option<FriendsKey>,
    /// To which the one looked for may have sealed.
    pub kem_key: Option<KemKey>,
}

/// Where somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whereabouts {
    /// They can be called there.
    Here {
        /// Who they are.
        found: Box<Found>,
        /// Where they are; [`Location::living`] has at least one contact.
        location: Location,
        /// Whether every DHT answered: if not, a later location may be hidden.
        complete: bool,
    },
    /// They are known, but nowhere that is told to us.
    Offline {
        /// Who they are.
        found: Box<Found>,
        /// Why nowhere.
        why: Absence,
    },
    /// They are known, but nobody can say where they are.
    Unheard {
        /// Who they are.
        found: Box<Found>,
        /// Why nobody can say.
        error: GetError,
    },
    /// The directory says no certificate: unknown, unreachable, revoked, suspended or invalid.
    NotFound(Verdict),
}

/// Why somebody who is known is nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// Their certificate names no location key: they never say where they are.
    NeverSaid,
    /// All who had to be asked have nothing.
    Nothing,
    /// They said so, or their contacts are no longer good.
    Left,
    /// What lies there does not hold, or is not for us.
    Unreadable(LocationError),
    /// A later location was seen before: somebody replays an old one.
    RolledBack,
}

/// What one place showed.
enum Sight {
    Location(Location, i64, bool),
    Absent(Absence),
    Silence(GetError),
}

impl Lookup {
    /// Looks for somebody: first the certificate, then every place where its owner may have left word for `friend`. Each of
    /// the two takes `patience` at most.
    ///
    /// # Errors
    /// As [`Lookup::find`].
    pub async fn locate(
        &self,
        identity: &Identity,
        friend: &Friend,
        patience: Duration,
        now: OffsetDateTime,
    ) -> Result<Whereabouts, UnreasonableCost> {
        let found = match self.find(identity, patience, now).await? {
            Verdict::Found(found) => found,
            other => return Ok(Whereabouts::NotFound(other)),
        };
        let Some(location_key) = found.location_key else {
            return Ok(if found.origin.complete {
                Whereabouts::Offline { found, why: Absence::NeverSaid }
            } else {
                // A later record, which lists one, may be hidden.
                Whereabouts::Unheard { found, error: GetError::Unreachable }
            });
        };
        let owner = match OwnerPublic::of(&found.certificate) {
            Ok(owner) => owner,
            // A later record, whose certificate has another key, may be hidden.
            Err(_) if !found.origin.complete => {
                return Ok(Whereabouts::Unheard { found, error: GetError::Unreachable });
            }
            Err(_) => {
                return Ok(Whereabouts::Offline { found, why: Absence::Unreadable(LocationError::Signature) });
            }
        };
        let places = places(&location_key, friend, now);
        let whose = (identity, &owner);
        let sights =
            join_all(places.iter().map(|place| self.look(place, friend.kem_key.as_ref(), whose, patience, now))).await;
        Ok(settle(found, sights, now))
    }

    /// The location records of somebody who was found, as they lie there, sealed or not, for a keeper to put again, and of how many
    /// places nobody can say whether there is one. What is sealed does not tell its end: it is kept for the longest life of a
    /// location.
    pub async fn location_items(
        &self,
        location_key: &[u8; 32],
        friend: &Friend,
        patience: Duration,
        now: OffsetDateTime,
    ) -> (Vec<Kept>, usize) {
        let places = places(location_key, friend, now);
        let answers = join_all(places.iter().map(|place| self.backends().get(place.slot(), patience, None, now))).await;
        let silent = answers.iter().filter(|answer| answer.is_err()).count();
        let newest = answers.into_iter().filter_map(|answer| match answer {
            Ok(Harvest::Items { items, .. }) => items.into_iter().next(),
            Ok(Harvest::Nothing { .. }) | Err(_) => None,
        });
        let kept = newest.filter_map(|(item, _)| {
            let expires = OffsetDateTime::from_unix_timestamp(item.seq().saturating_add(LONGEST_LIFE)).ok()?;
            Some(Kept { item, expires })
        });
        (kept.filter(|kept| kept.expires > now).collect(), silent)
    }

    /// What lies in one place: the last word of the location key there.
    async fn look(
        &self,
        place: &Place,
        kem_key: Option<&KemKey>,
        whose: (&Identity, &OwnerPublic),
        patience: Duration,
        now: OffsetDateTime,
    ) -> Sight {
        let (items, complete) = match self.backends().get(place.slot(), patience, None, now).await {
            Ok(Harvest::Items { items, complete }) => (items, complete),
            Ok(Harvest::Nothing { .. }) => return Sight::Absent(Absence::Nothing),
            Err(error) => return Sight::Silence(error),
        };
        let Some((item, backend)) = items.first() else { return Sight::Silence(GetError::Unreachable) };
        let slot = place.slot().id();
        match Location::open(item, place, kem_key, whose, now) {
            Ok(_) if self.seen().highest(slot).is_some_and(|seen| seen > item.seq()) => {
                absent(Absence::RolledBack, complete)
            }
            Ok(location) => {
                if let Err(error) = self.seen().note(slot, item.seq()) {
                    warn!(%error, "the sequence numbers seen cannot be written: a rollback after a restart would go unnoticed");
                }
                Sight::Location(location, item.seq(), complete)
            }
            Err(error) => {
                debug!(%slot, seq = item.seq(), %error, "dropped a location from {backend}");
                absent(Absence::Unreadable(error), complete)
            }
        }
    }
}

/// What does not hold is no location, unless a later one that holds may be hidden.
fn absent(why: Absence, complete: bool) -> Sight {
    if complete { Sight::Absent(why) } else { Sight::Silence(GetError::Unreachable) }
}

/// Where the owner may have left word: first for everybody, then for friends.
fn places(location_key: &[u8; 32], friend: &Friend, now: OffsetDateTime) -> Vec<Place> {
    let of_friends = friend.friends_key.iter().flat_map(|key| Place::all_of_friends(location_key, key, now));
    std::iter::once(Place::open(location_key)).chain(of_friends).collect()
}

/// To everybody, and to friends, the owner's latest word counts, wherever it lies. A contact that is good in either goes
/// before silence, where a word may be hidden; that goes before the reasons why there is none. Where not everybody said who
/// they are, a later record may name another location key, where other words lie.
fn settle(found: Box<Found>, mut sights: Vec<Sight>, now: OffsetDateTime) -> Whereabouts {
    let all_spoke = found.origin.complete && sights.iter().all(|sight| !matches!(sight, Sight::Silence(_)));
    let of_friends = sights.split_off(1);
    let (mut here, mut silence, mut absence) = (None, None, Absence::Nothing);
    for sight in [latest(sights), latest(of_friends)].into_iter().flatten() {
        match sight {
            Sight::Location(location, seq, complete) if !location.living(now).is_empty() => {
                here = here.into_iter().chain([(location, seq, complete)]).max_by_key(|(_, seq, _)| *seq);
            }
            Sight::Location(_, _, false) => silence = Some(GetError::Unreachable),
            Sight::Location(..) => absence = Absence::Left,
            Sight::Silence(error) => silence = Some(error),
            Sight::Absent(why) if absence == Absence::Nothing => absence = why,
            Sight::Absent(_) => {}
        }
    }
    match (here, silence) {
        (Some((location, _, complete)), _) => Whereabouts::Here { found, location, complete: complete && all_spoke },
        (None, Some(error)) => Whereabouts::Unheard { found, error },
        (None, None) if !found.origin.complete => Whereabouts::Unheard { found, error: GetError::Unreachable },
        (None, None) => Whereabouts::Offline { found, why: absence },
    }
}

/// What the places of one audience say together.
fn latest(sights: Vec<Sight>) -> Option<Sight> {
    sights.into_iter().max_by_key(|sight| match sight {
        Sight::Location(_, seq, _) => (3, *seq),
        Sight::Silence(_) => (2, 0),
        Sight::Absent(Absence::Nothing) => (0, 0),
        Sight::Absent(_) => (1, 0),
    })
}
