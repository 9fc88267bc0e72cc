//! What the key of the number's last certificate signs for another one: that it need not wait.

use ivr_core::call::question::VerificationId;
use time::OffsetDateTime;

use super::{AccessError, State, Verify, secret_sha256};
use crate::issue::IssueError;
use crate::store::{StoreError, verifications};

/// What became of a signature of the old key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoken {
    /// It is kept until the number is proved.
    Kept,
    /// It holds: the certificate is issued, or about to be.
    Released,
    /// It is not the signature of the number's last certificate's key over this verification.
    NotSigned,
    /// It can change nothing any more.
    TooLate(State),
}

impl Verify {
    /// What the old key of the number signed for the new one of this verification. Before the number is proved it is only
    /// kept, and nothing is told about it; while the new key waits, it is looked at, and a right one issues at once.
    ///
    /// # Errors
    /// As [`view`](Self::view).
    pub async fn old_key_signed(
        &self,
        id: VerificationId,
        secret: &str,
        signature: &ca::old_key::Signature,
        now: OffsetDateTime,
    ) -> Result<Spoken, AccessError> {
        let hashed = secret_sha256(secret);
        let mut writer = self.parts.store.begin().await?;
        let kept = verifications::keep_signature(id, &hashed, &signature.text(), &mut writer).await?;
        writer.commit().await?;
        match kept.as_deref() {
            None => return Ok(Spoken::TooLate(self.view(id, secret, now).await?.state)),
            Some("held") => {}
            Some(_) => return Ok(Spoken::Kept),
        }
        match self.parts.issue.release_signed(id, now).await {
            Ok(true) => {}
            Ok(false) => return Ok(Spoken::NotSigned),
            Err(IssueError::Store(error)) => return Err(error.into()),
            Err(error) => return Err(StoreError::Failed(error.to_string()).into()),
        }
        self.parts.bell.ring(id);
        self.issue(id, now).await;
        Ok(Spoken::Released)
    }
}
