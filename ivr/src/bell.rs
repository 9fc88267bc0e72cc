//! Who looks at a verification is woken when something happens to it.

use ivr_core::call::question::VerificationId;
use tokio::sync::broadcast;

/// Wakes pages. Clones ring the same bell.
#[derive(Debug, Clone)]
pub struct Bell(broadcast::Sender<VerificationId>);

/// Rings that a reader may be behind; one that is further behind is told so, and reads the rows again.
const RINGS: usize = 1024;

impl Default for Bell {
    fn default() -> Self {
        Self(broadcast::channel(RINGS).0)
    }
}

impl Bell {
    /// Something happened to this verification.
    pub fn ring(&self, id: VerificationId) {
        // Without a listener nobody needs waking.
        let _ = self.0.send(id);
    }

    /// From now on.
    pub fn listen(&self) -> broadcast::Receiver<VerificationId> {
        self.0.subscribe()
    }
}
