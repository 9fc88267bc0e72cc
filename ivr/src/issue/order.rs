//! From a confirmed order of a mailbox to its certificate.

use ca::{Assurance, Subject};
use ivr_core::caller::Level;
use time::OffsetDateTime;

use super::wish::{self, Cause, Consent, Wish};
use super::{Certified, EmailOrder, Issue, IssueError, certified};

impl Issue {
    /// Issues to a mailbox that was proved. Asked again with the same order, it gives the same certificate: after a crash
    /// its caller simply asks again.
    ///
    /// # Errors
    /// [`IssueError::Refused`] with a sentence for the person; [`StoreError::Busy`] also while the same order is being
    /// issued.
    ///
    /// [`StoreError::Busy`]: crate::store::StoreError::Busy
    pub async fn issue_email(&self, order: &EmailOrder<'_>, now: OffsetDateTime) -> Result<Certified, IssueError> {
        let cause = Cause::Order(order.id.to_owned());
        if let Some(before) = certified::by_cause(&self.parts, &cause).await? {
            return Ok(before);
        }
        let wish = Wish {
            subject: Subject::email(order.address.clone()),
            request: order.request.clone(),
            assurance: Assurance::ReadBack(ca::Level::L0),
            level: Level::L0,
            consent: Consent::NotNeeded,
            publish: order.publish,
            shown: None,
            proof: None,
            proof_ends: None,
            cause: cause.clone(),
        };
        wish::issue(&self.parts, &wish, now).await?;
        certified::by_cause(&self.parts, &cause).await?.ok_or(IssueError::Unknown)
    }
}
