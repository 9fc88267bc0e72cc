//! The use case: operators say where events of verifications are posted, and what is sent again
//! (docs/adr/0020-webhooks-of-the-operator.md). What events hold is in `event`, when they are tried in `webhooks/schedule.rs`.

mod attempt;
mod schedule;
mod sender;
mod signature;

use ivr_core::private::Private;
use time::OffsetDateTime;

pub(crate) use self::sender::{Means, Sender};
use crate::clock::Clock;
use crate::event::{EndpointId, EventId};
use crate::outbound::{self, Denied, Reach};
use crate::store::deliveries::{self, Listed};
use crate::store::endpoints::{self, Rotated, Stored};
use crate::store::{Store, StoreError, audit};

/// Endpoints of a service: its own sites, not the customers of a hoster.
pub(crate) const MOST_ENDPOINTS: usize = 32;
/// A URL is no place for more.
const LONGEST_URL: usize = 1_024;
/// Who writes the audit's rows here.
const ACTOR: &str = "command line";

/// The use case. Clones share everything.
#[derive(Debug, Clone)]
pub struct Webhooks {
    store: Store,
    reach: Reach,
    clock: Clock,
}

/// Which verifications an endpoint hears of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hears {
    /// Those that name it, and of these everything.
    Named,
    /// All; of those that do not name it as much as operators see unasked.
    All,
}

/// An endpoint that was added. The secret is told once.
#[derive(Debug, Clone)]
pub struct Added {
    /// Names it.
    pub id: EndpointId,
    /// `whsec_` and base64.
    pub secret: Private<String>,
}

/// How many there are of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Census {
    /// Endpoints that are on, failing, off.
    pub endpoints: [(&'static str, u64); 3],
    /// Events that wait, are delivered, given up, or stopped with their endpoint.
    pub events: [(&'static str, u64); 4],
}

/// Why a URL will not do.
#[derive(Debug, thiserror::Error)]
pub enum BadUrl {
    /// Not a URL.
    #[error("{}; events go to https URLs of public addresses, such as https://shop.example/hook", Denied::NoUrl)]
    NoUrl,
    /// A service never posts there.
    #[error(
        "{}: it is of this machine, of a private network or of nobody, and events go to https URLs of public addresses only. Name one \
         that is reached from the internet, of the receiver or of a proxy in front of it; `dialproof demo --webhook \
         http://127.0.0.1:9000/` posts to a receiver that is tried out on this machine",
        Denied::NotPublic
    )]
    Inside,
    /// A demonstration never posts there.
    #[error("{}: a demonstration posts to this machine only, such as http://127.0.0.1:9000/", Denied::NotPublic)]
    Outside,
    /// Neither TLS nor loopback.
    #[error("events go to https URLs only: they name telephone numbers")]
    InClear,
    /// Too long.
    #[error("a URL has at most {} characters", LONGEST_URL)]
    Long,
}

/// Why none was added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// Its URL.
    #[error(transparent)]
    Url(#[from] BadUrl),
    /// Enough.
    #[error("there are {} endpoints, which is as many as may be: remove one first", MOST_ENDPOINTS)]
    Full,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a URL was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It will not do.
    #[error(transparent)]
    Url(#[from] BadUrl),
    /// There is no such endpoint.
    #[error("there is no such endpoint: `dialproof webhook list` says which there are")]
    Unknown,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why there is no new secret.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// There is no such endpoint.
    #[error("there is no such endpoint: `dialproof webhook list` says which there are")]
    Unknown,
    /// The secret before this one still signs, as its receiver was told.
    #[error("the secret before this one signs until {0}, as was said: wait, or let neither of the two sign any more")]
    Promised(OffsetDateTime),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Webhooks {
    /// The endpoints in this database.
    pub fn new(store: Store, reach: Reach, clock: Clock) -> Self {
        Self { store, reach, clock }
    }

    /// Adds an endpoint.
    ///
    /// # Errors
    /// What is wrong with its URL, or that there are enough.
    pub async fn add(&self, url: &str, hears: Hears, now: OffsetDateTime) -> Result<Added, AddError> {
        self.check(url)?;
        let (id, key) = (EndpointId(self.clock.bytes()), self.clock.bytes::<{ signature::KEY_BYTES }>());
        let columns = self.store.columns();
        let mut writer = self.store.begin().await?;
        if endpoints::count(&mut writer).await? >= MOST_ENDPOINTS as i64 {
            return Err(AddError::Full);
        }
        endpoints::insert(id, (url, &key), hears == Hears::All, now, columns, &mut writer).await?;
        audit::add((ACTOR, "webhook-add", &id.to_string()), now, columns, &mut writer).await?;
        writer.commit().await?;
        Ok(Added { id, secret: signature::shown(&key) })
    }

    fn check(&self, url: &str) -> Result<(), BadUrl> {
        let address = outbound::address(url, self.reach).map_err(|denied| match denied {
            Denied::NoUrl => BadUrl::NoUrl,
            Denied::NotPublic if self.reach.in_clear => BadUrl::Outside,
            Denied::NotPublic => BadUrl::Inside,
        })?;
        if url.len() > LONGEST_URL {
            return Err(BadUrl::Long);
        }
        if address.scheme() != "https" && !(self.reach.in_clear && address.scheme() == "http") {
            return Err(BadUrl::InClear);
        }
        Ok(())
    }

    /// The endpoint with this URL that hears of all, turned on if it was off; else a new one. For who says it at each start.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub async fn add_once(&self, url: &str, now: OffsetDateTime) -> Result<Added, AddError> {
        let known = self.list().await?.into_iter().find(|one| one.hears_all && one.url.expose() == url);
        let Some(known) = known else { return self.add(url, Hears::All, now).await };
        if known.off.is_some() {
            self.turn_on(known.id, now).await?;
        }
        let mut reader = self.store.read().await?;
        let target = endpoints::target(known.id, now, self.store.columns(), &mut reader).await?;
        match target.as_ref().and_then(|target| target.secrets.first()) {
            Some(key) => Ok(Added { id: known.id, secret: signature::shown(key) }),
            None => self.add(url, Hears::All, now).await,
        }
    }

    /// Gives an endpoint another URL; its name and its secrets stay.
    ///
    /// # Errors
    /// What is wrong with the URL, or that there is no such endpoint.
    pub async fn change(&self, id: EndpointId, url: &str, now: OffsetDateTime) -> Result<(), ChangeError> {
        self.check(url)?;
        let columns = self.store.columns();
        let mut writer = self.store.begin().await?;
        if !endpoints::change_url(id, url, columns, &mut writer).await? {
            return Err(ChangeError::Unknown);
        }
        audit::add((ACTOR, "webhook-change", &id.to_string()), now, columns, &mut writer).await?;
        Ok(writer.commit().await?)
    }

    /// All endpoints, the oldest first.
    ///
    /// # Errors
    /// If the database does not answer.
    pub(crate) async fn list(&self) -> Result<Vec<Stored>, StoreError> {
        endpoints::list(self.store.columns(), &mut *self.store.read().await?).await
    }

    /// Forgets an endpoint, and what is on its way there. `false` if there is none of this name.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn remove(&self, id: EndpointId, now: OffsetDateTime) -> Result<bool, StoreError> {
        let mut writer = self.store.begin().await?;
        if !endpoints::remove(id, &mut writer).await? {
            return Ok(false);
        }
        audit::add((ACTOR, "webhook-remove", &id.to_string()), now, self.store.columns(), &mut writer).await?;
        writer.commit().await?;
        Ok(true)
    }

    /// Turns an endpoint on again. What it missed stays where it is until somebody asks for it. `false` if there is none of this
    /// name.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn turn_on(&self, id: EndpointId, now: OffsetDateTime) -> Result<bool, StoreError> {
        let mut writer = self.store.begin().await?;
        if !endpoints::turn_on(id, &mut writer).await? {
            return Ok(false);
        }
        audit::add((ACTOR, "webhook-on", &id.to_string()), now, self.store.columns(), &mut writer).await?;
        writer.commit().await?;
        Ok(true)
    }

    /// A new secret; the one before signs, too, for so long. With no time at all, no older one does.
    ///
    /// # Errors
    /// If there is no such endpoint, or an older secret was promised to sign for longer.
    pub async fn rotate(
        &self,
        id: EndpointId,
        overlap: time::Duration,
        now: OffsetDateTime,
    ) -> Result<Private<String>, RotateError> {
        let key = self.clock.bytes::<{ signature::KEY_BYTES }>();
        let columns = self.store.columns();
        let mut writer = self.store.begin().await?;
        match endpoints::rotate(id, &key, (now, now + overlap), columns, &mut writer).await? {
            Rotated::Done => {}
            Rotated::Unknown => return Err(RotateError::Unknown),
            Rotated::Promised(until) => return Err(RotateError::Promised(until)),
        }
        audit::add((ACTOR, "webhook-rotate", &id.to_string()), now, columns, &mut writer).await?;
        writer.commit().await?;
        Ok(signature::shown(&key))
    }

    /// The newest events, of one endpoint or of all.
    ///
    /// # Errors
    /// If the database does not answer.
    pub(crate) async fn events(&self, of: Option<EndpointId>, limit: u32) -> Result<Vec<Listed>, StoreError> {
        deliveries::list(of, limit, &mut *self.store.read().await?).await
    }

    /// How many endpoints and events there are, and how they stand: for `/metrics`.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn census(&self) -> Result<Census, StoreError> {
        let mut reader = self.store.read().await?;
        let endpoints = endpoints::count_by_state(&mut reader).await?;
        let events = deliveries::count_by_state(&mut reader).await?;
        let many = |counted: &[(String, i64)], state: &'static str| {
            let found = counted.iter().find(|(name, _)| name == state);
            (state, found.map_or(0, |(_, many)| u64::try_from(*many).unwrap_or(0)))
        };
        Ok(Census {
            endpoints: ["on", "failing", "off"].map(|state| many(&endpoints, state)),
            events: ["waiting", "delivered", "given-up", "stopped"].map(|state| many(&events, state)),
        })
    }

    /// Sends an event again, delivered or not. `false` if there is none of this name whose endpoint is on.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn replay(&self, id: EventId, now: OffsetDateTime) -> Result<bool, StoreError> {
        let mut writer = self.store.begin().await?;
        if !deliveries::replay(id, now, &mut writer).await? {
            return Ok(false);
        }
        audit::add((ACTOR, "webhook-replay", &id.to_string()), now, self.store.columns(), &mut writer).await?;
        writer.commit().await?;
        Ok(true)
    }

    /// Sends again what an endpoint missed: given up, or while it was off. Tells how many events that are; `None` if there is no
    /// such endpoint, or it is off.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn replay_missed(&self, endpoint: EndpointId, now: OffsetDateTime) -> Result<Option<u64>, StoreError> {
        let mut writer = self.store.begin().await?;
        if !endpoints::is_on(endpoint, &mut writer).await? {
            return Ok(None);
        }
        let events = deliveries::replay_missed(endpoint, now, &mut writer).await?;
        if events > 0 {
            let columns = self.store.columns();
            audit::add((ACTOR, "webhook-replay", &endpoint.to_string()), now, columns, &mut writer).await?;
        }
        writer.commit().await?;
        Ok(Some(events))
    }
}

#[cfg(test)]
mod tests;
