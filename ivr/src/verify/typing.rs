//! Step 7: the digits that the voice read, typed into the page.

use ivr_core::call::question::{Outcome, VerificationId};
use ivr_core::code::Code;
use ivr_core::private::Private;
use time::OffsetDateTime;
use tracing::info;

use super::{AccessError, State, Verify, secret_sha256};
use crate::store::happenings;
use crate::store::verifications::{self, Checked};

/// What became of typed digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// Right: issued, or about to be.
    Right,
    /// Wrong; so many tries are left.
    Wrong {
        /// Tries left.
        left: u8,
    },
    /// Wrong for the third time: the verification is void.
    Voided,
    /// Nothing was read back yet, or it is too late, or it was typed before.
    NotExpected(State),
}

impl Verify {
    /// The digits that the voice read, typed into the page. Right ones issue; three wrong ones void. Counted in the
    /// same statement as the check; twenty at once issue one certificate.
    ///
    /// # Errors
    /// As [`view`](Self::view).
    pub async fn type_in(
        &self,
        id: VerificationId,
        secret: &str,
        digits: &Code,
        now: OffsetDateTime,
    ) -> Result<Typed, AccessError> {
        // Whoever typed them may be gone before the answer: what was found right is issued all the same.
        let (verify, secret, digits) = (self.clone(), Private::new(secret.to_owned()), digits.clone());
        let checking = tokio::spawn(async move { verify.check_typed(id, secret.expose(), &digits, now).await });
        checking.await.expect("checking digits does not panic, and nobody aborts it")
    }

    async fn check_typed(
        &self,
        id: VerificationId,
        secret: &str,
        digits: &Code,
        now: OffsetDateTime,
    ) -> Result<Typed, AccessError> {
        let parts = &self.parts;
        let columns = parts.store.columns();
        let hashed = secret_sha256(secret);
        let mut writer = parts.store.begin().await?;
        let checked = verifications::check_read_back(id, &hashed, digits, now, columns, &mut writer).await?;
        let state = match checked {
            Checked::Right => Some(State::Issuing),
            Checked::Voided => Some(State::Voided),
            Checked::Wrong { .. } | Checked::NotExpected => None,
        };
        if let Some(state) = state {
            happenings::state(id, state.name(), now, columns, &mut writer).await?;
        }
        writer.commit().await?;
        if checked != Checked::NotExpected {
            parts.bell.ring(id);
        }
        Ok(match checked {
            Checked::Right => {
                info!(verification = %id, "the read-back of {id} was typed");
                self.issue(id, now).await;
                Typed::Right
            }
            Checked::Voided => {
                info!(verification = %id, "{id} is void: three wrong read-backs");
                parts.push(id, Outcome::Voided);
                Typed::Voided
            }
            Checked::Wrong { left } => Typed::Wrong { left: u8::try_from(left).unwrap_or(0) },
            Checked::NotExpected => Typed::NotExpected(self.view(id, secret, now).await?.state),
        })
    }
}
