//! The use case: what the authority decided goes from the outbox into the DHT, again until it is there, and again before
//! it is forgotten.

use tokio_util::sync::CancellationToken;

/// Empties the outbox and refreshes what is live.
#[derive(Debug, Clone)]
pub struct Publisher {}

impl Publisher {
    /// Works until told to stop. One publishing at a time is enough for one slow hash at a time.
    pub async fn run(self, _stop: CancellationToken) {
        todo!()
    }

    /// Something new lies in the outbox.
    pub fn nudge(&self) {
        todo!()
    }
}
