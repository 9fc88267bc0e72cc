//! What is over is said to be so, and later forgotten.

use time::OffsetDateTime;

use super::Verify;
use crate::store::purging::piecemeal;
use crate::store::{StoreError, budgets, passports, verifications};

/// How long a signed identity that has served is remembered: longer than one is fresh and a call lasts, by far.
const SERVED_LIFE: time::Duration = time::Duration::hours(1);

impl Verify {
    /// Says of verifications whose time is over, and of whose end somebody wants to hear, that they have expired: called once a
    /// minute. Tells how many that were. Of the others the time alone says it.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn end_overdue(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        piecemeal(|| self.end_some(now)).await
    }

    async fn end_some(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        let mut writer = self.parts.store.begin().await?;
        let ended = verifications::expire(now, self.parts.store.columns(), &mut writer).await?;
        writer.commit().await?;
        ended.iter().for_each(|id| self.parts.bell.ring(*id));
        Ok(ended.len() as u64)
    }

    /// Deletes what is over and no longer shown: called once an hour. Tells how many verifications went. Whoever wants to hear
    /// of their end is told first, although the service was away for a day: their events keep them.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn purge(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        self.end_overdue(now).await?;
        self.parts.store.purge(&budgets::over(now)).await?;
        self.parts.store.purge(&[passports::over(now - SERVED_LIFE)]).await?;
        piecemeal(|| self.forget_verifications(now)).await
    }

    /// They are looked for while others write.
    async fn forget_verifications(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        let over = verifications::over(now, &mut *self.parts.store.read().await?).await?;
        if over.is_empty() {
            return Ok(0);
        }
        let mut writer = self.parts.store.begin().await?;
        let forgotten = verifications::forget(&over, now, &mut writer).await?;
        writer.commit().await?;
        Ok(forgotten)
    }
}
