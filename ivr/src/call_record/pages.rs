//! Who hears of a call: the page of a verification, or the program of a rehearsal.

use std::sync::Arc;

use ivr_core::call::flow::Step;
use ivr_core::call::question::VerificationId;
use ivr_core::caller::Realm;
use time::OffsetDateTime;

use crate::sandbox::Sandbox;
use crate::store::StoreError;
use crate::verify::Verify;

/// Those that hear of calls.
#[derive(Debug, Clone)]
pub struct Pages {
    pub(super) verify: Verify,
    /// Where there are rehearsals.
    pub(super) sandbox: Option<Arc<Sandbox>>,
}

impl From<Verify> for Pages {
    /// Without a sandbox.
    fn from(verify: Verify) -> Self {
        Self { verify, sandbox: None }
    }
}

impl Pages {
    /// Those of the service, and of its sandbox, if it has one.
    pub fn new(verify: Verify, sandbox: Option<Arc<Sandbox>>) -> Self {
        Self { verify, sandbox }
    }

    /// A step of the call of this verification or rehearsal.
    pub(super) async fn note_step(
        &self,
        (realm, id): (Realm, VerificationId),
        step: Step,
        at: OffsetDateTime,
    ) -> Result<(), StoreError> {
        match (realm, &self.sandbox) {
            (Realm::Service, _) => self.verify.note_step(id, step, at).await?,
            (Realm::Sandbox, Some(sandbox)) => sandbox.note_step(id, step, at),
            (Realm::Sandbox, None) => {}
        }
        Ok(())
    }
}
