//! The use case: what the authority decided goes from the outbox into the DHT, again until it is there, and again before
//! it is forgotten.

mod again;
mod putting;
mod signing;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ca::Authority;
use dht_client::{HashCost, Hasher, Several};
use ivr_core::call::question::VerificationId;
use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::bell::Bell;
use crate::clock::{Clock, wait};
use crate::store::{Store, StoreError, records};

/// What the publisher works with.
#[derive(Debug, Clone)]
pub struct PublisherParts {
    /// The rows.
    pub store: Store,
    /// The directory keys are the authority's.
    pub authority: Arc<Authority>,
    /// The DHTs.
    pub networks: Several,
    /// One slow hash at a time.
    pub hasher: Hasher,
    /// What a hash costs: the bundle states it.
    pub cost: HashCost,
    /// Rung when a record is published; pages listen.
    pub bell: Bell,
    /// Time and chance.
    pub clock: Clock,
}

/// Empties the outbox and refreshes what is live. Clones share everything.
#[derive(Debug, Clone)]
pub struct Publisher {
    parts: Arc<PublisherParts>,
    nudged: Arc<Notify>,
    /// How often it was looked for what is due.
    turns: Arc<AtomicU32>,
}

/// Looked at the outbox this often at least: another node may have put something in.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// After the database failed.
const PAUSE: Duration = Duration::from_secs(2);

impl Publisher {
    /// The use case over these parts.
    pub fn new(parts: PublisherParts) -> Self {
        Self { parts: Arc::new(parts), nudged: Arc::default(), turns: Arc::default() }
    }

    /// Works until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        stop.run_until_cancelled(self.work()).await;
    }

    /// Something new lies in the outbox.
    pub fn nudge(&self) {
        self.nudged.notify_one();
    }

    /// Something happened to this verification: its page is woken.
    pub(crate) fn ring(&self, id: VerificationId) {
        self.parts.bell.ring(id);
    }

    /// Every record goes into the queue again at start: a directory may have forgotten it meanwhile.
    pub(crate) async fn refresh_all(&self, now: OffsetDateTime) -> Result<(), StoreError> {
        let mut writer = self.parts.store.begin().await?;
        let records = records::refresh_all(now, &mut writer).await?;
        writer.commit().await?;
        info!(records, "{records} records are put again");
        Ok(())
    }

    /// Puts what is due, several records at a time. `false` if nothing is.
    pub(crate) async fn publish_due(&self, now: OffsetDateTime) -> Result<bool, StoreError> {
        let nth = self.turns.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        putting::publish_due(&self.parts, nth, now).await
    }

    async fn work(&self) {
        let clock = self.parts.clock;
        while let Err(error) = self.refresh_all(clock.wall()).await {
            warn!(%error, "the records are put again later: {error}");
            tokio::time::sleep(PAUSE).await;
        }
        loop {
            let wait = match self.publish_due(clock.wall()).await {
                Ok(true) => continue,
                Ok(false) => self.until_next(clock.wall()).await,
                Err(error) => {
                    warn!(%error, "the outbox is read again later: {error}");
                    PAUSE
                }
            };
            // A nudge that came meanwhile ends the wait at once.
            let _ = tokio::time::timeout(wait, self.nudged.notified()).await;
        }
    }

    async fn until_next(&self, now: OffsetDateTime) -> Duration {
        let next = async { records::next_due(&mut *self.parts.store.read().await?).await }.await;
        match next {
            Ok(Some(at)) => wait(at, now, LONGEST_WAIT),
            Ok(None) => LONGEST_WAIT,
            Err(StoreError::Busy | StoreError::Full | StoreError::Failed(_)) => PAUSE,
        }
    }
}

#[cfg(test)]
mod pace;
#[cfg(test)]
mod tests;
