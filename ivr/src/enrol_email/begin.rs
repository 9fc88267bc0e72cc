//! An order begins: the limits are counted, the row and its mail are written together.

use std::net::IpAddr;
use std::time::Duration;

use ca::email::limits::{self, ORDER_LIFE};
use ca::email::{Address, Mail, Token};
use ca::{Refusal, Request, RequestError};
use ivr_core::private::Private;
use time::OffsetDateTime;

use super::{EnrolEmail, OrderId, asker, device};
use crate::clock::whole_milliseconds;
use crate::mail::Letter;
use crate::store::mail_uses::{self, Bucket};
use crate::store::{Conn, StoreError, mails, orders, revocations};

/// The page of a dead order still says so for a day.
const KEPT_AFTER: Duration = ORDER_LIFE;

/// What an order begins with.
#[derive(Debug)]
pub struct Begin<'a> {
    /// The mailbox to prove.
    pub address: Address,
    /// A PKCS#10, PEM or DER.
    pub csr: &'a [u8],
    /// Whether a record goes into the DHT.
    pub publish: bool,
    /// Language of page and mails, such as `en`.
    pub locale: &'a str,
    /// Who asks, for the limits.
    pub source: IpAddr,
    /// What the asking program says it is; only a name of our own is kept of it.
    pub user_agent: Option<&'a str>,
}

/// What the device gets, once.
#[derive(Debug, Clone)]
pub struct Begun {
    /// Names the order.
    pub id: OrderId,
    /// Opens it: 32 random octets, base64url.
    pub secret: Private<String>,
    /// Until when it may be confirmed.
    pub expires_at: OffsetDateTime,
}

/// Why no order was begun. None of it depends on whether the mailbox exists or was written to before.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The PKCS#10 is refused; its sender can mend it.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The request is sound, but no certificate for a mailbox can be made of it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too many from this network.
    #[error("too many certificates for mailboxes were asked for from here")]
    TooMany {
        /// When it may be tried again.
        retry_after: Duration,
    },
    /// The database, or too many orders in all: then [`StoreError::Busy`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What one order is counted by.
struct Buckets {
    source: Bucket,
    orders: Bucket,
    mailbox: Bucket,
    domain: Bucket,
    all: Bucket,
}

impl EnrolEmail {
    /// Begins an order and sends link and code to the mailbox, unless it was written to often enough: then nothing is
    /// sent, and the answer is the same.
    ///
    /// # Errors
    /// What the asker has to change, or when to come again.
    pub async fn begin(&self, begin: Begin<'_>, now: OffsetDateTime) -> Result<Begun, BeginError> {
        let request = Request::parse(begin.csr)?;
        self.check(&begin.address, &request, now).await?;
        let (secret, link) = (self.token(), self.token());
        let code = self.code_of(&link);
        let id = OrderId(self.0.clock.bytes());
        let device = device(begin.user_agent);
        let key_sha256 = request.spki_sha256();
        let expires_at = whole_milliseconds(now + ORDER_LIFE);
        let order = orders::New {
            id,
            secret_sha256: secret.hash(),
            link_sha256: link.hash(),
            code_mac: self.mac_of(&code, id),
            address: &begin.address,
            key_sha256,
            request: begin.csr,
            device: &device,
            publish: begin.publish,
            locale: begin.locale,
            created_at: now,
            expires_at,
            keep_until: expires_at + KEPT_AFTER,
        };
        let link = self.confirm_link(&link);
        let asker = asker(&device, &key_sha256);
        let mail = Mail::confirmation(&begin.address, asker, (&link, &code), expires_at, self.service(begin.locale));
        let letter = Letter { id: self.0.clock.bytes(), written_at: now, mail };
        self.write(&order, &letter, begin.source, now).await?;
        Ok(Begun { id, secret: Private::new(secret.text()), expires_at })
    }

    /// Says early what the authority would say later.
    async fn check(&self, address: &Address, request: &Request, now: OffsetDateTime) -> Result<(), BeginError> {
        if revocations::is_blocked(&request.spki_sha256(), &mut *self.0.store.read().await?).await? {
            return Err(Refusal::CompromisedKey.into());
        }
        match ca::email::check(address, request, now, self.0.issue.authority()) {
            Err(
                refusal
                @ (Refusal::Request(_) | Refusal::OwnKey | Refusal::KeyCannotDecrypt | Refusal::TooLarge { .. }),
            ) => Err(refusal.into()),
            // Whatever else there is the operator may have mended until the order is confirmed.
            Ok(()) | Err(_) => Ok(()),
        }
    }

    async fn write(
        &self,
        order: &orders::New<'_>,
        letter: &Letter,
        source: IpAddr,
        now: OffsetDateTime,
    ) -> Result<(), BeginError> {
        let columns = self.0.store.columns();
        let bucket = |kind, value: &str| Bucket::new(kind, value, columns);
        let buckets = Buckets {
            source: bucket("source", &limits::source_bucket(source)),
            orders: bucket("orders", ""),
            mailbox: bucket("mailbox", &limits::mailbox_bucket(order.address)),
            domain: bucket("domain", order.address.domain()),
            all: bucket("all", ""),
        };
        let mut writer = self.0.store.begin().await?;
        buckets.admit(now, &mut writer).await?;
        orders::insert(order, columns, &mut writer).await?;
        let sends = buckets.may_send(now, &mut writer).await?;
        if sends {
            mails::insert(letter, order.id, order.expires_at, columns, &mut writer).await?;
        }
        writer.commit().await?;
        if sends {
            self.0.nudge.nudge();
        }
        Ok(())
    }

    fn confirm_link(&self, link: &Token) -> String {
        format!("{}/email/confirm/{}", self.0.public_url, link.text())
    }
}

impl Buckets {
    /// Counts an order, or says when the next is taken.
    async fn admit(&self, now: OffsetDateTime, conn: &mut Conn) -> Result<(), BeginError> {
        mail_uses::lock([&self.source, &self.orders, &self.mailbox, &self.domain, &self.all], now, conn).await?;
        if let Some(at) = mail_uses::free_at(&self.source, &limits::SOURCE, now, conn).await? {
            // Rounded up to what HTTP can say, or who obeys comes too early.
            let seconds = (at - now).unsigned_abs().as_millis().div_ceil(1000);
            let retry_after = Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX));
            return Err(BeginError::TooMany { retry_after });
        }
        if mail_uses::free_at(&self.orders, &limits::ORDERS, now, conn).await?.is_some() {
            tracing::warn!("so many orders for mailboxes were begun within an hour that no more are taken");
            return Err(StoreError::Busy.into());
        }
        mail_uses::note(&self.source, now, conn).await?;
        Ok(mail_uses::note(&self.orders, now, conn).await?)
    }

    /// Counts a mail, or says that none is sent.
    async fn may_send(&self, now: OffsetDateTime, conn: &mut Conn) -> Result<bool, StoreError> {
        let limited: [(&Bucket, &[_]); 3] =
            [(&self.mailbox, &limits::MAILBOX), (&self.domain, &limits::DOMAIN), (&self.all, &limits::ALL)];
        for (bucket, limits) in limited {
            if mail_uses::free_at(bucket, limits, now, conn).await?.is_some() {
                if bucket == &self.all {
                    tracing::error!("the breaker is open: so many mails went out within an hour that no more are sent");
                }
                return Ok(false);
            }
        }
        for (bucket, _) in limited {
            mail_uses::note(bucket, now, conn).await?;
        }
        Ok(true)
    }
}
