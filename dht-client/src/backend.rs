//! The DHTs a record can lie in, behind one `put` and one `get`.
//!
//! A backend hands out verified items only: size, slot and signature are checked before anybody else sees them.

mod lines;
pub mod mainline;
pub mod memory;
pub mod network;
pub mod opendht;
pub mod several;

use std::time::Duration;

use time::OffsetDateTime;

use crate::item::{Item, ItemError, Slot};

use mainline::Mainline;
use memory::Memory;
use opendht::OpenDht;

/// How many verified items of one slot a reader keeps; past it the lowest ranked goes.
const KEPT_ITEMS: usize = 32;

/// One DHT.
#[derive(Debug, Clone)]
pub enum Backend {
    /// A map in this process, for tests, with faults on order.
    Memory(Memory),
    /// BitTorrent's mainline DHT: an embedded ring or the public network.
    Mainline(Mainline),
    /// OpenDHT, through REST proxies.
    OpenDht(OpenDht),
}

/// What a `put` achieved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// How many nodes said that they keep it, where the DHT tells.
    pub nodes: usize,
    /// When the DHT forgets it unless it is put again.
    pub expires: OffsetDateTime,
}

/// Why a `put` did not store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PutError {
    /// The value is larger than a DHT takes. Nothing was sent.
    #[error("the value of {size} bytes is larger than a DHT takes")]
    TooLarge {
        /// Its size.
        size: usize,
    },
    /// The DHT refuses the slot's key or signature.
    #[error("the DHT refuses the item's key or signature")]
    BadKey,
    /// A later item lies in the slot.
    #[error("the slot holds a later item, with sequence number {have_seq}")]
    Stale {
        /// Its sequence number.
        have_seq: i64,
    },
    /// The slot does not hold the item that was to be replaced.
    #[error("the slot no longer holds the item that was to be replaced")]
    CasFailed,
    /// Too much at once: try again later.
    #[error("the DHT is overloaded, try again later")]
    Overloaded,
    /// No node or proxy can be reached: try again later, or look at the network.
    #[error("no node of the DHT can be reached")]
    Unreachable,
    /// It took too long; the item may be stored or not.
    #[error("the DHT did not confirm in time")]
    Timeout,
    /// The other side speaks something else.
    #[error("the DHT answered out of protocol: {0}")]
    Protocol(String),
}

impl PutError {
    /// Whether the same item may well be stored if it is put again later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::TooLarge { .. } | Self::BadKey | Self::Stale { .. } | Self::CasFailed => false,
            Self::Overloaded | Self::Unreachable | Self::Timeout | Self::Protocol(_) => true,
        }
    }
}

impl From<ItemError> for PutError {
    fn from(error: ItemError) -> Self {
        match error {
            ItemError::TooLarge { size } | ItemError::SaltTooLong { size } => Self::TooLarge { size },
            ItemError::SeqOutOfTime { .. } | ItemError::BadKey | ItemError::BadSignature | ItemError::Malformed => {
                Self::BadKey
            }
        }
    }
}

/// What lies in a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Something was found.
    Items {
        /// Verified items, the one that counts first.
        items: Vec<Item>,
        /// Whether all that had to be asked answered: if not, a later item may be hidden.
        complete: bool,
    },
    /// All that had to be asked answered, and none has anything.
    Nothing {
        /// How many answered.
        asked: usize,
    },
}

/// Why nobody can say what lies in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GetError {
    /// So much junk lies in the slot that no item was found before the limits.
    #[error("the slot is flooded with junk: no record was found within the limits")]
    Overloaded,
    /// Not enough of those who had to be asked answered.
    #[error("the directory cannot be reached")]
    Unreachable,
}

/// Whether a backend can serve now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The backend's name, as in [`Backend::name`].
    pub backend: &'static str,
    /// How many nodes or proxies answer.
    pub reachable: usize,
    /// Of how many configured ones, where there is a list.
    pub configured: usize,
}

impl Backend {
    /// The name that logs, metrics and `lookup` show.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Memory(_) => "memory",
            Self::Mainline(_) => "mainline",
            Self::OpenDht(_) => "opendht",
        }
    }

    /// Stores an item for `ttl` or as long as this DHT does, whichever is less. With `cas` only if the slot holds that
    /// sequence number now.
    ///
    /// # Errors
    /// See [`PutError`].
    pub async fn put(
        &self,
        item: &Item,
        ttl: Duration,
        cas: Option<i64>,
        now: OffsetDateTime,
    ) -> Result<Stored, PutError> {
        match self {
            Self::Memory(memory) => memory.put(item, ttl, cas, now),
            Self::Mainline(mainline) => mainline.put(item, ttl, cas, now).await,
            Self::OpenDht(opendht) => opendht.put(item, ttl, cas, now).await,
        }
    }

    /// What lies in a slot. Waits for the whole query, at most until `patience` ends: a late tombstone counts.
    /// Items whose sequence number is not above `newer_than` may be left out.
    ///
    /// # Errors
    /// See [`GetError`].
    pub async fn get(
        &self,
        slot: &Slot,
        patience: Duration,
        newer_than: Option<i64>,
        now: OffsetDateTime,
    ) -> Result<Answer, GetError> {
        match self {
            Self::Memory(memory) => memory.get(slot, newer_than, now),
            Self::Mainline(mainline) => mainline.get(slot, patience, newer_than, now).await,
            Self::OpenDht(opendht) => opendht.get(slot, patience, now).await,
        }
    }

    /// The first item of a slot that arrives and holds: soon, and provisional, for a later one or a tombstone may follow.
    /// None says nothing about the slot.
    pub async fn first(&self, slot: &Slot, patience: Duration, now: OffsetDateTime) -> Option<Item> {
        let first = async {
            match self {
                Self::Memory(memory) => match memory.get(slot, None, now) {
                    Ok(Answer::Items { items, .. }) => items.into_iter().next(),
                    Ok(Answer::Nothing { .. }) | Err(_) => None,
                },
                Self::Mainline(mainline) => mainline.first(slot, now).await,
                Self::OpenDht(opendht) => opendht.first(slot, patience, now).await,
            }
        };
        tokio::time::timeout(patience, first).await.ok().flatten()
    }

    /// Whether the backend can serve now.
    pub async fn health(&self) -> Health {
        match self {
            Self::Memory(memory) => memory.health(),
            Self::Mainline(mainline) => mainline.health().await,
            Self::OpenDht(opendht) => opendht.health().await,
        }
    }

    /// How long to wait between two puts of the same item, so that it never expires.
    pub fn refresh_every(&self) -> Duration {
        match self {
            Self::Memory(_) | Self::Mainline(_) => Duration::from_secs(3600),
            Self::OpenDht(_) => Duration::from_secs(480),
        }
    }
}

/// Sorts verified items, the one that counts first, and drops doubles.
fn newest_first(mut items: Vec<Item>) -> Vec<Item> {
    items.sort_by(|a, b| b.rank().cmp(&a.rank()));
    items.dedup();
    items
}
