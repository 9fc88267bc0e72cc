//! The use case: a person proves a mailbox, and its certificate comes by mail (docs/protocol.md, email). Pages and API
//! begin an order and look at it, link or code confirm it, the certificate follows.
//!
//! What a stranger may learn: nothing about any mailbox. Every address is answered alike, the limits of addresses
//! included; only who asks too often from one network is told so.

mod begin;
mod confirm;
mod device;
mod finish;
mod revoke;

use std::fmt;
use std::sync::Arc;

use ca::email::{Address, Asker, Code, Service, Token};
/// Names an order. A proof of a mailbox is named as a proof of a number is.
pub use ivr_core::call::question::VerificationId as OrderId;
use time::OffsetDateTime;

pub use self::begin::{Begin, BeginError, Begun};
pub use self::confirm::{Asked, Confirmation, Here};
pub use self::device::device;
pub use self::revoke::{Revocable, RevokeReason};
use crate::clock::Clock;
use crate::issue::{Certified, Issue, IssueError};
use crate::mail::Nudge;
use crate::store::orders::{self, Stored};
use crate::store::{Store, StoreError};
use crate::verify::AccessError;

/// The use case. Clones share everything.
#[derive(Clone)]
pub struct EnrolEmail(Arc<Parts>);

/// What it works with.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Who issues.
    pub issue: Issue,
    /// Wakes who sends.
    pub nudge: Nudge,
    /// The clock's chance.
    pub clock: Clock,
    /// What mails call the service.
    pub service_name: String,
    /// Where its pages are, without a slash at the end.
    pub public_url: String,
}

/// Where an order stands. The names are those of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nobody has confirmed it yet.
    Waiting,
    /// Confirmed; the certificate is being made.
    Issuing,
    /// The certificate exists and is on its way into the mailbox.
    Issued,
    /// Five wrong codes.
    Voided,
    /// Nobody confirmed it in time.
    Expired,
    /// There will be no certificate.
    Failed,
}

impl State {
    /// `waiting`, `issuing`, `issued`, `voided`, `expired`, `failed`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Issuing => "issuing",
            Self::Issued => "issued",
            Self::Voided => "voided",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }

    fn of(order: &Stored, now: OffsetDateTime) -> Result<Self, StoreError> {
        match order.state.as_str() {
            "waiting" if order.expires_at <= now => Ok(Self::Expired),
            "waiting" => Ok(Self::Waiting),
            "issuing" => Ok(Self::Issuing),
            "issued" => Ok(Self::Issued),
            "voided" => Ok(Self::Voided),
            "failed" => Ok(Self::Failed),
            _ => Err(StoreError::damaged("an order's state")),
        }
    }
}

/// Everything that the device which began an order may see.
#[derive(Debug, Clone)]
pub struct View {
    /// Names it.
    pub id: OrderId,
    /// The mailbox.
    pub address: Address,
    /// SHA-256 of the key to be certified.
    pub key_sha256: [u8; 32],
    /// Whether a record goes into the DHT.
    pub publish: bool,
    /// Language.
    pub locale: String,
    /// Where it stands.
    pub state: State,
    /// Codes that may still be typed wrong.
    pub tries_left: u8,
    /// When it began.
    pub created_at: OffsetDateTime,
    /// Until when it may be confirmed.
    pub expires_at: OffsetDateTime,
    /// The certificate.
    pub certificate: Option<Certified>,
    /// Why it failed, as a sentence.
    pub failure: Option<String>,
}

impl EnrolEmail {
    /// The use case on these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Shows an order to the device that began it.
    ///
    /// # Errors
    /// [`AccessError::Unknown`] for any wrong id or secret.
    pub async fn view(&self, id: OrderId, secret: &str, now: OffsetDateTime) -> Result<View, AccessError> {
        let order = self.opened(id, secret).await?;
        let certificate = match &order.serial {
            Some(serial) => Some(self.certificate(serial).await?),
            None => None,
        };
        Ok(View {
            id,
            state: State::of(&order, now)?,
            address: order.address,
            key_sha256: order.key_sha256,
            publish: order.publish,
            locale: order.locale,
            tries_left: u8::try_from(order.tries_left).unwrap_or(0),
            created_at: order.created_at,
            expires_at: order.expires_at,
            certificate,
            failure: order.failure,
        })
    }

    /// The order of this id, if the secret is its own.
    async fn opened(&self, id: OrderId, secret: &str) -> Result<Stored, AccessError> {
        let secret = Token::parse(secret).ok_or(AccessError::Unknown)?;
        let order = self.find(id).await?.ok_or(AccessError::Unknown)?;
        if order.secret_sha256 == secret.hash() { Ok(order) } else { Err(AccessError::Unknown) }
    }

    async fn find(&self, id: OrderId) -> Result<Option<Stored>, StoreError> {
        orders::find(id, self.0.store.columns(), &mut *self.0.store.read().await?).await
    }

    async fn certificate(&self, serial: &str) -> Result<Certified, StoreError> {
        let serial = ca::Serial::parse(serial).ok_or_else(|| StoreError::damaged("a serial number"))?;
        self.0.issue.certificate(&serial).await.map_err(|error| match error {
            IssueError::Store(error) => error,
            _ => StoreError::damaged("the certificate of an order"),
        })
    }

    /// A new secret.
    fn token(&self) -> Token {
        Token::from_random(self.0.clock.bytes())
    }

    /// The code of a link.
    fn code_of(&self, link: &Token) -> Code {
        link.code(&self.0.store.columns().keys().derived("email-code-of-link"))
    }

    /// What is stored of an order's code.
    fn mac_of(&self, code: &Code, id: OrderId) -> [u8; 32] {
        code.mac(&id.0, &self.0.store.columns().keys().derived("email-code"))
    }

    /// Who writes, to somebody who asked in this language.
    fn service<'a>(&'a self, locale: &'a str) -> Service<'a> {
        Service { name: &self.0.service_name, url: &self.0.public_url, locale }
    }
}

/// Who asked, for a mail.
fn asker<'a>(device: &'a str, key_sha256: &'a [u8; 32]) -> Asker<'a> {
    Asker { device, key_sha256 }
}

impl fmt::Debug for EnrolEmail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnrolEmail").finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
