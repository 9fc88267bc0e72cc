//! The people whose records a keeper keeps ([`crate::Refresher`]): looked up again and again.
//!
//! Once would not do. Who is silent now may answer in a minute; an owner lists a location key later, says where they are in
//! a slot that was empty, and a location for friends lies in another slot each day.

use std::time::Duration;

use time::OffsetDateTime;

use crate::backend::Backend;
use crate::client::{Lookup, Verdict};
use crate::locating::Friend;
use crate::refresher::Kept;
use crate::slot::{Identity, UnreasonableCost};

/// Everybody is looked up again so often, or as often as the most forgetful DHT forgets.
const EVERY: Duration = Duration::from_secs(3600);
/// After the first silence; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(10);

/// Whom to look up, and when.
#[derive(Debug)]
pub struct Following {
    lookup: Lookup,
    friend: Friend,
    patience: Duration,
    people: Vec<Person>,
}

#[derive(Debug)]
struct Person {
    identity: Identity,
    /// Not any more, if never.
    due: Option<OffsetDateTime>,
    silences: u32,
    /// The end of what was found, if anything ever was.
    known_until: Option<OffsetDateTime>,
}

/// What one look-up brought.
#[derive(Debug)]
pub struct Told {
    /// Of whom.
    pub identity: Identity,
    /// What the directory says.
    pub verdict: Verdict,
    /// What there is to keep: of who was revoked the tombstone.
    pub records: Vec<Kept>,
    /// In how many places nobody can say whether there is a location.
    pub silent: usize,
    /// Everybody answered that there is nothing, and there never was: they are not looked up again.
    pub is_stranger: bool,
}

impl Following {
    /// These people, whom `lookup` finds as `friend`; each look-up and each search for locations takes `patience` at most.
    /// All of them are due at once.
    pub fn new(
        lookup: Lookup,
        friend: Friend,
        patience: Duration,
        identities: Vec<Identity>,
        now: OffsetDateTime,
    ) -> Self {
        let person = |identity| Person { identity, due: Some(now), silences: 0, known_until: None };
        Self { lookup, friend, patience, people: identities.into_iter().map(person).collect() }
    }

    /// When somebody is to be looked up; never, if nobody is left.
    pub fn deadline(&self) -> Option<OffsetDateTime> {
        self.people.iter().filter_map(|person| person.due).min()
    }

    /// Looks up whose turn it is; nothing is told if it is nobody's.
    ///
    /// # Errors
    /// As [`Lookup::find`].
    pub async fn ask(&mut self, now: OffsetDateTime) -> Result<Option<Told>, UnreasonableCost> {
        let due = self.people.iter_mut().filter(|person| person.due.is_some_and(|due| due <= now));
        let Some(person) = due.min_by_key(|person| person.due) else { return Ok(None) };
        let identity = person.identity.clone();
        let (verdict, mut records) = self.lookup.find_with_items(&identity, self.patience, now).await?;
        let mut silent = 0;
        if let Verdict::Found(found) = &verdict
            && let Some(location_key) = &found.location_key
        {
            let located = self.lookup.location_items(location_key, &self.friend, self.patience, now).await;
            records.extend(located.0);
            silent = located.1;
        }
        // What is said right after this is found before a DHT forgets it.
        let every = self.lookup.backends().backends().iter().map(Backend::refresh_every).fold(EVERY, Duration::min);
        person.heard((&verdict, records.as_slice(), silent), every, now);
        let is_stranger = person.due.is_none() && person.known_until.is_none();
        Ok(Some(Told { identity, verdict, records, silent, is_stranger }))
    }
}

impl Person {
    /// Who was silent, or shows what does not hold, is looked up again soon, and ever more seldom; who is unknown, and of whom
    /// nothing is kept that they may be known by again, never.
    fn heard(&mut self, (verdict, records, silent): (&Verdict, &[Kept], usize), every: Duration, now: OffsetDateTime) {
        self.known_until = self.known_until.max(records.iter().map(|kept| kept.expires).max());
        let is_settled = silent == 0 && !matches!(verdict, Verdict::Unreachable(_) | Verdict::Invalid(_));
        let is_gone = matches!(verdict, Verdict::Unknown { .. }) && self.known_until.is_none_or(|end| end <= now);
        let pause = if is_settled { every } else { FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.silences)) };
        self.silences = if is_settled { 0 } else { self.silences.saturating_add(1) };
        self.due = (!is_gone).then(|| now + pause.min(every));
    }
}
