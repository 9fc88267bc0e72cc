//! A confirmed order becomes a certificate and two mails. Every step may be repeated: the authority issues once for an
//! order, and the mails are written in the statement that notes the certificate.

use std::time::Duration;

use ca::Request;
use ca::email::{Mail, Token};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use x509_parser::pem::Pem;

use super::{EnrolEmail, OrderId, asker};
use crate::issue::{Certified, EmailOrder, IssueError};
use crate::mail::Letter;
use crate::store::orders::Stored;
use crate::store::{StoreError, mail_uses, mails, orders};

/// How often what was left over is looked at.
const ROUND: Duration = Duration::from_secs(30);
/// Orders that one round finishes; the rest waits for the next.
const MOST_A_ROUND: i64 = 100;
/// A certificate and its notice are worth sending for so long.
const MAIL_LIFE: Duration = Duration::from_secs(5 * 24 * 60 * 60);

impl EnrolEmail {
    /// Finishes what a crash or a busy database left over, and forgets what is too old, until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.tidy(self.0.clock.wall()).await {
                tracing::warn!(%error, "orders for mailboxes wait: the database does not answer");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(ROUND) => {}
            }
        }
    }

    /// One round of [`run`](Self::run).
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn tidy(&self, now: OffsetDateTime) -> Result<(), StoreError> {
        let unfinished = orders::unfinished(MOST_A_ROUND, &mut *self.0.store.read().await?).await?;
        for id in unfinished {
            self.finish(id, now).await;
        }
        let mut writer = self.0.store.begin().await?;
        orders::purge(now, &mut writer).await?;
        mail_uses::purge(now - ca::email::limits::ORDER_LIFE, &mut writer).await?;
        writer.commit().await
    }

    /// Issues and writes the mails. What goes wrong is logged here, and tried again by [`run`](Self::run) if that can
    /// help.
    pub(super) async fn finish(&self, id: OrderId, now: OffsetDateTime) {
        let failure = match self.try_finish(id, now).await {
            Ok(()) => return,
            Err(IssueError::Refused(sentence)) => sentence,
            Err(error @ IssueError::Store(StoreError::Busy | StoreError::Full)) => {
                tracing::warn!(%error, "the certificate of order {id} waits: {error}");
                return;
            }
            // The same would happen again, each time with another serial number.
            Err(error) => {
                tracing::error!(%error, "the certificate of order {id} cannot be made: {error}");
                "The certificate could not be made. The operator is told; ask again later.".to_owned()
            }
        };
        tracing::info!("order {id} gets no certificate: {failure}");
        if let Err(error) = self.fail(id, &failure).await {
            tracing::warn!(%error, "order {id} could not be marked as failed");
        }
    }

    async fn try_finish(&self, id: OrderId, now: OffsetDateTime) -> Result<(), IssueError> {
        let Some(order) = self.find(id).await? else { return Ok(()) };
        // Somebody else may have finished it meanwhile.
        let Some(request) = &order.request else { return Ok(()) };
        let request = Request::parse(request).map_err(|error| IssueError::Refused(error.to_string()))?;
        let ordered =
            EmailOrder { id: &id.to_string(), address: &order.address, request: &request, publish: order.publish };
        let certified = self.0.issue.issue_email(&ordered, now).await?;
        Ok(self.tell(&order, &certified, now).await?)
    }

    /// Notes the certificate and writes its mails, in one transaction and once.
    async fn tell(&self, order: &Stored, certified: &Certified, now: OffsetDateTime) -> Result<(), StoreError> {
        let leaf = der(&certified.certificate_pem)?;
        let above = ders(&certified.chain_pem)?;
        let service = self.service(&order.locale);
        let revoke = self.token();
        let asker = asker(&order.device, &order.key_sha256);
        let link = self.revoke_link(&revoke);
        let letters = [
            Mail::certificate(&order.address, &leaf, &above, certified.not_after, service),
            Mail::notice(&order.address, asker, &certified.serial, &link, service),
        ]
        .map(|mail| Letter { id: self.0.clock.bytes(), written_at: now, mail });
        let mut writer = self.0.store.begin().await?;
        let serial = &certified.serial;
        if orders::issued(order.id, serial, &revoke.hash(), certified.not_after, &mut writer).await? {
            for letter in &letters {
                mails::insert(letter, order.id, now + MAIL_LIFE, self.0.store.columns(), &mut writer).await?;
            }
        }
        writer.commit().await?;
        self.0.nudge.nudge();
        Ok(())
    }

    async fn fail(&self, id: OrderId, sentence: &str) -> Result<(), StoreError> {
        let mut writer = self.0.store.begin().await?;
        orders::fail(id, sentence, &mut writer).await?;
        writer.commit().await
    }

    fn revoke_link(&self, token: &Token) -> String {
        format!("{}/email/revoke/{}", self.0.public_url, token.text())
    }
}

fn ders(pem: &str) -> Result<Vec<Vec<u8>>, StoreError> {
    Pem::iter_from_buffer(pem.as_bytes())
        .map(|block| block.map(|block| block.contents).map_err(|_| StoreError::damaged("a certificate")))
        .collect()
}

fn der(pem: &str) -> Result<Vec<u8>, StoreError> {
    ders(pem)?.into_iter().next().ok_or_else(|| StoreError::damaged("a certificate"))
}
