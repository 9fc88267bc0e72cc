//! An order is confirmed: by the code where it began, or by the link in the browser that holds its secret.

use ca::email::{Address, Code, Token};
use time::OffsetDateTime;

use super::{EnrolEmail, OrderId, State};
use crate::store::StoreError;
use crate::store::orders::{self, Checked, Stored};
use crate::verify::AccessError;

/// What a confirming link opens. Looking at it changes nothing: programs that examine mail look at links too.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The order.
    pub id: OrderId,
    /// The mailbox.
    pub address: Address,
    /// Who asked, in our words.
    pub device: String,
    /// SHA-256 of the key to be certified.
    pub key_sha256: [u8; 32],
    /// When.
    pub created_at: OffsetDateTime,
    /// Where the order stands.
    pub state: State,
    /// What may be done here.
    pub here: Here,
}

/// What may be done where a link was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Here {
    /// This browser began the order: it may confirm.
    Confirm,
    /// Another one began it: a click here must not give a stranger's key this mailbox. The code may be typed there.
    ShowCode(Code),
}

/// What became of an attempt to confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// Confirmed; where the order stands now.
    Done(State),
    /// Not the code; so many tries are left.
    Wrong {
        /// Tries left.
        left: u8,
    },
    /// Not the code, for the fifth time: the order is void.
    Voided,
    /// The order is not waiting: it was confirmed before, is void, or too old.
    NotExpected(State),
}

impl EnrolEmail {
    /// The code of the mail is typed by the device that began the order.
    ///
    /// # Errors
    /// [`AccessError::Unknown`] for any wrong id or secret.
    pub async fn confirm_by_code(
        &self,
        id: OrderId,
        secret: &str,
        code: &Code,
        now: OffsetDateTime,
    ) -> Result<Confirmation, AccessError> {
        let secret = Token::parse(secret).ok_or(AccessError::Unknown)?.hash();
        let mut writer = self.0.store.begin().await?;
        let checked = orders::check_code(id, &secret, &self.mac_of(code, id), now, &mut writer).await?;
        writer.commit().await?;
        match checked {
            Checked::Right => Ok(Confirmation::Done(self.finish_now(id, now).await?)),
            Checked::Wrong { left } => Ok(Confirmation::Wrong { left: u8::try_from(left).unwrap_or(0) }),
            Checked::Voided => Ok(Confirmation::Voided),
            Checked::NotExpected => self.not_expected(id, &secret, now).await,
        }
    }

    /// What a link opens. `secret_of` tells the secret that the browser holds of an order, if it does.
    ///
    /// # Errors
    /// [`AccessError::Unknown`] if no order has this link.
    pub async fn open_link(
        &self,
        link: &str,
        secret_of: impl FnOnce(OrderId) -> Option<String>,
        now: OffsetDateTime,
    ) -> Result<Asked, AccessError> {
        let link = Token::parse(link).ok_or(AccessError::Unknown)?;
        let order = self.of_link(&link).await?;
        let secret = secret_of(order.id).as_deref().and_then(Token::parse);
        let is_here = secret.is_some_and(|secret| secret.hash() == order.secret_sha256);
        Ok(Asked {
            id: order.id,
            state: State::of(&order, now)?,
            here: if is_here { Here::Confirm } else { Here::ShowCode(self.code_of(&link)) },
            address: order.address,
            device: order.device,
            key_sha256: order.key_sha256,
            created_at: order.created_at,
        })
    }

    /// The button behind the link is pressed, in the browser that holds the order's secret.
    ///
    /// # Errors
    /// [`AccessError::Unknown`] if no order has this link, or the secret is not its own.
    pub async fn confirm_by_link(
        &self,
        link: &str,
        secret: &str,
        now: OffsetDateTime,
    ) -> Result<Confirmation, AccessError> {
        let link = Token::parse(link).ok_or(AccessError::Unknown)?;
        let secret = Token::parse(secret).ok_or(AccessError::Unknown)?.hash();
        let id = self.of_link(&link).await?.id;
        let mut writer = self.0.store.begin().await?;
        let confirmed = orders::confirm_by_link(&link.hash(), &secret, now, &mut writer).await?;
        writer.commit().await?;
        if confirmed {
            Ok(Confirmation::Done(self.finish_now(id, now).await?))
        } else {
            self.not_expected(id, &secret, now).await
        }
    }

    async fn of_link(&self, link: &Token) -> Result<Stored, AccessError> {
        let id = orders::of_link(&link.hash(), &mut *self.0.store.read().await?).await?;
        self.find(id.ok_or(AccessError::Unknown)?).await?.ok_or(AccessError::Unknown)
    }

    async fn not_expected(
        &self,
        id: OrderId,
        secret_sha256: &[u8; 32],
        now: OffsetDateTime,
    ) -> Result<Confirmation, AccessError> {
        let order = self.find(id).await?.filter(|order| order.secret_sha256 == *secret_sha256);
        let order = order.ok_or(AccessError::Unknown)?;
        Ok(Confirmation::NotExpected(State::of(&order, now)?))
    }

    /// Issues at once if that is possible; otherwise the order waits for [`EnrolEmail::run`].
    async fn finish_now(&self, id: OrderId, now: OffsetDateTime) -> Result<State, StoreError> {
        self.finish(id, now).await;
        match self.find(id).await? {
            Some(order) => State::of(&order, now),
            None => Err(StoreError::damaged("a confirmed order")),
        }
    }
}
