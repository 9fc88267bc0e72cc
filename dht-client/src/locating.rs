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

impl Sight {
    /// Why a later word may be hidden there, if it may.
    fn unheard(&self) -> Option<GetError> {
        match self {
            Self::Location(_, _, true) | Self::Absent(_) => None,
            Self::Location(_, _, false) => Some(GetError::Unreachable),
            Self::Silence(error) => Some(*error),
        }
    }
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
/// before silence, where a word may be hidden; that goes before the reasons why there is none. Friends have a slot a day:
/// yesterday's word that they left proves nothing while today's slot is silent. Where not everybody said who they are, a
/// later record may name another location key, where other words lie.
fn settle(found: Box<Found>, mut sights: Vec<Sight>, now: OffsetDateTime) -> Whereabouts {
    let unheard = sights.iter().find_map(Sight::unheard);
    let unheard = unheard.or((!found.origin.complete).then_some(GetError::Unreachable));
    let of_friends = sights.split_off(1);
    let (mut here, mut why) = (None, Absence::Nothing);
    for sight in [latest(sights), latest(of_friends)].into_iter().flatten() {
        match sight {
            Sight::Location(location, seq, _) if !location.living(now).is_empty() => {
                here = here.into_iter().chain([(location, seq)]).max_by_key(|(_, seq)| *seq);
            }
            Sight::Location(..) => why = Absence::Left,
            Sight::Absent(absence) if why == Absence::Nothing => why = absence,
            Sight::Absent(_) | Sight::Silence(_) => {}
        }
    }
    match (here, unheard) {
        (Some((location, _)), unheard) => Whereabouts::Here { found, location, complete: unheard.is_none() },
        (None, Some(error)) => Whereabouts::Unheard { found, error },
        (None, None) => Whereabouts::Offline { found, why },
    }
}

/// What the places of one audience say together.
fn latest(sights: Vec<Sight>) -> Option<Sight> {
    sights.into_iter().max_by_key(|sight| match sight {
        Sight::Location(_, seq, _) => (2, *seq),
        Sight::Absent(Absence::Nothing) | Sight::Silence(_) => (0, 0),
        Sight::Absent(_) => (1, 0),
    })
}
