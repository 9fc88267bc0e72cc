//! From a confirmed order of a mailbox to its certificate.

use ca::{Assurance, Subject};
use ivr_core::caller::Level;
use time::OffsetDateTime;

use super::wish::{self, Cause, Consent, Wish};
use super::{Certified, EmailOrder, IssueError, IssueParts, certified};

pub(super) async fn issue_email(
    parts: &IssueParts,
    order: &EmailOrder<'_>,
    now: OffsetDateTime,
) -> Result<Certified, IssueError> {
    let cause = Cause::Order(order.id.to_owned());
    if let Some(before) = certified::by_cause(parts, &cause).await? {
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
    wish::issue(parts, &wish, now).await?;
    certified::by_cause(parts, &cause).await?.ok_or(IssueError::Unknown)
}
