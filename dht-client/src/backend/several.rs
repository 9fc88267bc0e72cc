//! Several DHTs at once, asked and written together: of all they hold, the item with the highest sequence number counts.

mod warned;

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use time::OffsetDateTime;
use tracing::warn;

use super::{Answer, Backend, GetError, Health, PutError, Stored};
use crate::item::{Item, Slot};

use warned::Warned;

/// The DHTs that a service writes to or a reader asks.
#[derive(Debug, Clone)]
pub struct Several {
    backends: Vec<Backend>,
    warned: Warned,
}

/// What became of a `put` on each backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Which backends have it, and for how long.
    pub stored: Vec<(&'static str, Stored)>,
    /// Which have not, and why; the refresher tries them again.
    pub failed: Vec<(&'static str, PutError)>,
}

/// What all backends together hold in a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Harvest {
    /// Verified items with the backend that gave them, the one that counts first.
    Items {
        /// The items.
        items: Vec<(Item, &'static str)>,
        /// Whether every backend answered: if not, a later item may be hidden.
        complete: bool,
    },
    /// Every backend answered, none has anything.
    Nothing {
        /// How many nodes or proxies answered.
        asked: usize,
    },
}

impl Several {
    /// These backends; at least one.
    pub fn new(backends: Vec<Backend>) -> Option<Self> {
        (!backends.is_empty()).then(|| Self { backends, warned: Warned::default() })
    }

    /// The backends.
    pub fn backends(&self) -> &[Backend] {
        &self.backends
    }

    /// Puts an item into every backend. It succeeds if one took it and none holds a later item.
    ///
    /// # Errors
    /// [`PutError::Stale`] or [`PutError::CasFailed`] if any backend says so, else the first backend's error.
    pub async fn put(
        &self,
        item: &Item,
        ttl: Duration,
        cas: Option<i64>,
        now: OffsetDateTime,
    ) -> Result<Published, PutError> {
        let results = join_all(
            self.backends.iter().map(|backend| async move { (backend.name(), backend.put(item, ttl, cas, now).await) }),
        )
        .await;
        let mut published = Published { stored: Vec::new(), failed: Vec::new() };
        for (name, result) in results {
            match result {
                Ok(stored) => published.stored.push((name, stored)),
                Err(error) => published.failed.push((name, error)),
            }
        }
        let outranked =
            published.failed.iter().find(|(_, error)| matches!(error, PutError::Stale { .. } | PutError::CasFailed));
        match (outranked, published.stored.is_empty()) {
            (Some((_, error)), _) => Err(error.clone()),
            (None, true) => Err(published.failed.swap_remove(0).1),
            (None, false) => Ok(published),
        }
    }

    /// What lies in a slot, in all backends together.
    ///
    /// # Errors
    /// Only if nothing was found: with nothing found, one backend that did not answer makes the whole answer unknown.
    pub async fn get(
        &self,
        slot: &Slot,
        patience: Duration,
        newer_than: Option<i64>,
        now: OffsetDateTime,
    ) -> Result<Harvest, GetError> {
        let answers = join_all(
            self.backends
                .iter()
                .map(|backend| async move { (backend.name(), backend.get(slot, patience, newer_than, now).await) }),
        )
        .await;
        let (mut items, mut asked, mut unanswered, mut all) = (Vec::new(), 0, None, true);
        for (name, answer) in answers {
            match answer {
                Ok(Answer::Items { items: found, complete }) => {
                    items.extend(found.into_iter().map(|item| (item, name)));
                    all &= complete;
                }
                Ok(Answer::Nothing { asked: answered }) => asked += answered,
                Err(error) => unanswered = Some(error),
            }
        }
        items.sort_by(|(a, _), (b, _)| b.rank().cmp(&a.rank()));
        items.dedup_by(|(a, _), (b, _)| a == b);
        if let Some(seq) = equivocation(&items)
            && self.warned.admit(slot.id(), now)
        {
            let slot = slot.id();
            warn!(%slot, seq, "slot {slot} holds two items of number {seq}: whoever signs there says two things at once");
        }
        match (items.is_empty(), unanswered) {
            (false, unanswered) => Ok(Harvest::Items { items, complete: all && unanswered.is_none() }),
            (true, Some(error)) => Err(error),
            (true, None) => Ok(Harvest::Nothing { asked }),
        }
    }

    /// The first item of a slot that arrives from anywhere and holds, and from where. See [`Backend::first`].
    pub async fn first(&self, slot: &Slot, patience: Duration, now: OffsetDateTime) -> Option<(Item, &'static str)> {
        let firsts = self
            .backends
            .iter()
            .map(|backend| async move { backend.first(slot, patience, now).await.map(|item| (item, backend.name())) });
        let mut firsts: FuturesUnordered<_> = firsts.collect();
        while let Some(first) = firsts.next().await {
            if first.is_some() {
                return first;
            }
        }
        None
    }

    /// Whether each backend can serve now.
    pub async fn health(&self) -> Vec<Health> {
        join_all(self.backends.iter().map(Backend::health)).await
    }
}

/// The number under which two different values count, if so: the largest one does, but a careful signer draws a number once.
fn equivocation(newest_first: &[(Item, &'static str)]) -> Option<i64> {
    let (first, _) = newest_first.first()?;
    // Of one value there may be several items: a signature can be made anew.
    let mut rivals = newest_first.iter().take_while(|(item, _)| item.seq() == first.seq());
    rivals.any(|(item, _)| item.value() != first.value()).then_some(first.seq())
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::*;

    #[test]
    fn two_values_of_one_number_are_noticed_if_they_count() {
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        let item = |seq: i64, value: &[u8]| {
            let key = SigningKey::from_bytes(&[1; 32]);
            (Item::sign(&key, b"slot", 1_799_000_000 + seq, value.to_vec(), now).unwrap(), "memory")
        };
        assert_eq!(equivocation(&[item(2, b"b"), item(2, b"a"), item(1, b"c")]), Some(1_799_000_002));
        for honest in [vec![], vec![item(1, b"a")], vec![item(2, b"a"), item(1, b"b"), item(1, b"a")]] {
            assert_eq!(equivocation(&honest), None);
        }
    }
}
