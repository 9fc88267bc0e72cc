//! The link in the notice: whoever reads the mailbox may revoke its certificate.

use ca::email::Token;
use ca::{Reason, Serial};
use time::OffsetDateTime;

use super::{EnrolEmail, OrderId};
use crate::issue::{Certified, IssueError};
use crate::store::StoreError;
use crate::store::orders::{self, Stored};
use crate::verify::AccessError;

/// What a revoking link opens.
#[derive(Debug, Clone)]
pub struct Revocable {
    /// The order that it was issued for.
    pub id: OrderId,
    /// Who asked, in our words.
    pub device: String,
    /// The certificate.
    pub certificate: Certified,
}

/// Why its owner revokes a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevokeReason {
    /// Somebody else asked for it.
    NotMe,
    /// The key is lost or stolen: it is never certified again.
    KeyLost,
    /// It is not wanted any more.
    NotWanted,
}

impl RevokeReason {
    /// All, as a page offers them.
    pub const ALL: [Self; 3] = [Self::NotMe, Self::KeyLost, Self::NotWanted];

    /// `not-me`, `key-lost`, `not-wanted`.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotMe => "not-me",
            Self::KeyLost => "key-lost",
            Self::NotWanted => "not-wanted",
        }
    }

    /// The reason of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    fn code(self) -> Reason {
        match self {
            Self::NotMe => Reason::PrivilegeWithdrawn,
            Self::KeyLost => Reason::KeyCompromise,
            Self::NotWanted => Reason::CessationOfOperation,
        }
    }
}

impl EnrolEmail {
    /// What the link opens. Looking at it changes nothing.
    ///
    /// # Errors
    /// [`AccessError::Unknown`] if no certificate has this link.
    pub async fn open_revoke_link(&self, link: &str) -> Result<Revocable, AccessError> {
        let (order, serial) = self.of_revoke_link(link).await?;
        Ok(Revocable { id: order.id, device: order.device, certificate: self.certificate(&serial).await? })
    }

    /// The button behind the link is pressed.
    ///
    /// # Errors
    /// [`IssueError::Unknown`] if no certificate has this link, [`IssueError::AlreadyRevoked`] the second time.
    pub async fn revoke(&self, link: &str, reason: RevokeReason, now: OffsetDateTime) -> Result<(), IssueError> {
        let (order, serial) = self.of_revoke_link(link).await.map_err(|error| match error {
            AccessError::Unknown => IssueError::Unknown,
            AccessError::Store(error) => IssueError::Store(error),
        })?;
        let serial = Serial::parse(&serial).ok_or_else(|| StoreError::damaged("a serial number"))?;
        let actor = format!("mailbox of order {}", order.id);
        self.0.issue.revoke_alone(&serial, reason.code(), &actor, now).await
    }

    async fn of_revoke_link(&self, link: &str) -> Result<(Stored, String), AccessError> {
        let token = Token::parse(link).ok_or(AccessError::Unknown)?;
        let id = orders::of_revoke_link(&token.hash(), &mut *self.0.store.read().await?).await?;
        let mut order = self.find(id.ok_or(AccessError::Unknown)?).await?.ok_or(AccessError::Unknown)?;
        let serial = order.serial.take().ok_or(AccessError::Unknown)?;
        Ok((order, serial))
    }
}
