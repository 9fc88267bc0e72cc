//! The loop that empties the outbox: one mail at a time, again with growing patience, until it is out or out of date.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Transport, Undelivered};
use crate::clock::{Clock, wait};
use crate::store::mails::{self, Due};
use crate::store::{Store, StoreError, orders};

/// Before the second attempt; each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(30 * 60);
/// How long a claimed mail is left alone: longer than its delivery may take.
const LEASE: Duration = Duration::from_secs(120);
/// Other nodes write mails too: look at the rows even if nobody nudged.
const LONGEST_SLEEP: Duration = Duration::from_secs(20);
/// What the page says of an order whose mail cannot go out.
const NOT_INTERNATIONAL: &str = "The mail relay of this service does not carry addresses with letters outside ASCII \
                                 before the @. Use another address of yours.";

/// Sends what is in the outbox.
#[derive(Debug, Clone)]
pub struct MailSender {
    store: Store,
    transport: Transport,
    nudge: Nudge,
    clock: Clock,
}

/// Tells the sender that there is a new mail.
#[derive(Debug, Clone, Default)]
pub struct Nudge(Arc<Notify>);

impl Nudge {
    /// There is a new mail.
    pub fn nudge(&self) {
        self.0.notify_one();
    }
}

impl MailSender {
    /// A sender that wakes when this nudge is given.
    pub fn new(store: Store, transport: Transport, nudge: Nudge, clock: Clock) -> Self {
        Self { store, transport, nudge, clock }
    }

    /// Works until told to stop; a mail that is under way is finished first.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let pause = self.pause().await;
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.nudge.0.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Delivers what is due and tells how long nothing will be.
    async fn pause(&self) -> Duration {
        let next = async {
            self.deliver_due(self.clock.wall()).await?;
            mails::next_due(&mut *self.store.read().await?).await
        };
        match next.await {
            Ok(Some(due)) => wait(due, self.clock.wall(), LONGEST_SLEEP),
            Ok(None) => LONGEST_SLEEP,
            Err(error) => {
                tracing::error!(%error, "the outbox of mails cannot be read");
                FIRST_PAUSE
            }
        }
    }

    /// Delivers every mail that is due now.
    ///
    /// # Errors
    /// If the database does not answer; what was claimed is tried again after its lease.
    pub async fn deliver_due(&self, now: OffsetDateTime) -> Result<(), StoreError> {
        let mut writer = self.store.begin().await?;
        let expired = mails::purge(now, &mut writer).await?;
        writer.commit().await?;
        if expired > 0 {
            tracing::warn!(mails = expired, "mails were given up: the relay did not take them in time");
        }
        while let Some(due) = self.claim(now).await? {
            let outcome = match due.letter(self.store.columns()) {
                Ok(letter) => self.transport.deliver(&letter).await,
                // Perhaps the right key file comes back.
                Err(error) => Err(Undelivered::Later(error.to_string())),
            };
            self.settle(&due, outcome, now).await?;
        }
        Ok(())
    }

    async fn claim(&self, now: OffsetDateTime) -> Result<Option<Due>, StoreError> {
        let mut writer = self.store.begin().await?;
        let due = mails::claim(now, now + LEASE, &mut writer).await?;
        writer.commit().await?;
        Ok(due)
    }

    async fn settle(&self, due: &Due, outcome: Result<(), Undelivered>, now: OffsetDateTime) -> Result<(), StoreError> {
        let attempts = due.attempts;
        let mut writer = self.store.begin().await?;
        match outcome {
            Ok(()) => mails::done(due, &mut writer).await?,
            Err(Undelivered::Later(reason)) => {
                tracing::warn!(reason, attempts, "a mail of order {} waits: {reason}", due.order);
                mails::postpone(due, now + pause_after(attempts), &reason, &mut writer).await?;
            }
            Err(error @ Undelivered::Never(_)) => {
                tracing::warn!(attempts, "a mail of order {} cannot be delivered, {error}", due.order);
                mails::done(due, &mut writer).await?;
            }
            Err(Undelivered::NotInternational) => {
                tracing::warn!(attempts, "the relay does not do SMTPUTF8: order {} fails", due.order);
                orders::fail(due.order, NOT_INTERNATIONAL, &mut writer).await?;
                mails::done(due, &mut writer).await?;
            }
        }
        writer.commit().await
    }
}

/// 5 s, 10 s, 20 s, …, 30 min.
fn pause_after(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 20) - 1).expect("clamped above");
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_at_half_an_hour() {
        let seconds: Vec<u64> = [1, 2, 3, 9, 10, 1000, 0].map(|attempts| pause_after(attempts).as_secs()).into();
        assert_eq!(seconds, [5, 10, 20, 1280, 1800, 1800, 5]);
    }
}
