//! The use case: records of this directory over HTTP, for browsers and telephones that cannot speak a DHT's own protocol.
//!
//! It serves the slots of this authority's directory key (of both, while one gives way to another), and of location keys that
//! are listed beside its certificates, and no others: it is nobody's way into a DHT. What is put is a whole signed item, which
//! its sender need not have made.

mod turns;

use std::sync::Arc;
use std::time::Duration;

use ca::{Authority, DirectoryKey};
use dht_client::backend::several::Harvest;
use dht_client::location::Place;
use dht_client::{GetError, Item, PutError, Several, Slot};
use time::OffsetDateTime;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::store::{Store, StoreError, location_keys};

use turns::Turns;

/// Look-ups at a time; the next is told to come again.
const GETS: usize = 32;
/// Puts at a time: the service's own records go first.
const PUTS: usize = 4;
/// How long the DHTs may take.
const PATIENCE: Duration = Duration::from_secs(8);
/// An item is kept as long as its DHT does: who wants it longer puts it again.
const LIFE: Duration = Duration::from_secs(2 * 3600);

/// The gateway. Clones share everything.
#[derive(Debug, Clone)]
pub struct Gateway(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    networks: Several,
    store: Store,
    authority: Arc<Authority>,
    gets: Semaphore,
    puts: Semaphore,
    turns: Turns,
}

/// Who signs in a slot that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Directory,
    Owner,
}

/// Why nothing is given or taken.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Not a slot of this directory.
    #[error("this slot belongs neither to this directory nor to a location key listed in it")]
    Foreign,
    /// The slot is empty; all who had to be asked said so.
    #[error("the slot is empty")]
    Nothing,
    /// A later item lies there.
    #[error("the slot holds a later item, with sequence number {have_seq}")]
    Stale {
        /// Its number.
        have_seq: i64,
    },
    /// This location key puts into too many slots.
    #[error("a location key puts into few slots a day: tomorrow again, or into a DHT without this service")]
    TooMany {
        /// When it may be tried again.
        retry_after: Duration,
    },
    /// Nobody can say, or too much is asked at once.
    #[error("the directory cannot be asked now")]
    Busy,
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Gateway {
    /// To these networks.
    pub fn new(networks: Several, store: Store, authority: Arc<Authority>) -> Self {
        let (gets, puts) = (Semaphore::new(GETS), Semaphore::new(PUTS));
        Self(Arc::new(Parts { networks, store, authority, gets, puts, turns: Turns::default() }))
    }

    /// The item that counts in a slot, and whether all who had to be asked answered: if not, a later one may be hidden.
    ///
    /// # Errors
    /// As named.
    pub async fn get(&self, slot: &Slot, now: OffsetDateTime) -> Result<(Item, bool), GatewayError> {
        self.check(slot, now).await?;
        let _place = place(&self.0.gets)?;
        match self.0.networks.get(slot, PATIENCE, None, now).await {
            Ok(Harvest::Items { items, complete }) => {
                items.into_iter().next().map(|(item, _)| (item, complete)).ok_or(GatewayError::Nothing)
            }
            Ok(Harvest::Nothing { .. }) => Err(GatewayError::Nothing),
            Err(GetError::Overloaded | GetError::Unreachable) => Err(GatewayError::Busy),
        }
    }

    /// Puts an item into every network; nothing, if this very item was put through here within a minute.
    ///
    /// # Errors
    /// As named.
    pub async fn put(&self, item: &Item, now: OffsetDateTime) -> Result<(), GatewayError> {
        let whose = self.check(item.slot(), now).await?;
        let _place = place(&self.0.puts)?;
        let Some(turn) = self.0.turns.take(item, now)? else { return Ok(()) };
        if whose == Whose::Owner {
            self.0.turns.count(item, now)?;
        }
        match self.0.networks.put(item, LIFE, None, now).await {
            Ok(_) => {
                turn.succeed();
                Ok(())
            }
            Err(PutError::Stale { have_seq }) => Err(GatewayError::Stale { have_seq }),
            Err(_) => Err(GatewayError::Busy),
        }
    }

    /// Whose slot it is, if this gateway serves it.
    async fn check(&self, slot: &Slot, now: OffsetDateTime) -> Result<Whose, GatewayError> {
        if self.0.authority.directory_keys(now).map(DirectoryKey::public).any(|key| key == *slot.key()) {
            return Ok(Whose::Directory);
        }
        if !Place::may_have_salt(slot.salt()) {
            return Err(GatewayError::Foreign);
        }
        let store = &self.0.store;
        let is_listed = location_keys::is_listed(slot.key(), now, store.columns(), &mut *store.read().await?).await?;
        if is_listed { Ok(Whose::Owner) } else { Err(GatewayError::Foreign) }
    }
}

fn place(places: &Semaphore) -> Result<SemaphorePermit<'_>, GatewayError> {
    places.try_acquire().map_err(|_| GatewayError::Busy)
}
