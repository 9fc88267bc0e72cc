//! Whether the directory is there: anybody may ask, so the DHTs are asked seldom.

use std::time::{Duration, Instant};

use dht_client::{Health, Several};
use tokio::sync::Mutex;

use crate::clock::Clock;

/// An answer is given again until it is so old.
const FRESH: Duration = Duration::from_secs(5);

/// The last answer. Those who ask at once wait for one question.
pub(super) struct DirectoryHealth {
    directory: Several,
    last: Mutex<Option<(Instant, Vec<Health>)>>,
    clock: Clock,
}

impl DirectoryHealth {
    pub(super) fn new(directory: Several, clock: Clock) -> Self {
        Self { directory, last: Mutex::default(), clock }
    }

    pub(super) async fn ask(&self) -> Vec<Health> {
        let mut last = self.last.lock().await;
        if let Some((at, health)) = &*last
            && self.clock.now() - *at < FRESH
        {
            return health.clone();
        }
        let health = self.directory.health().await;
        *last = Some((self.clock.now(), health.clone()));
        health
    }
}
