//! What the records of calls tell of them, as it happens: pages learn of steps and refusals, and budgets of calls for nothing.

use ivr_core::call::flow::Step;
use ivr_core::call::question::VerificationId;
use ivr_core::caller::{Level, Reason};
use ivr_core::number::Number;
use time::OffsetDateTime;

use super::{Verify, step_name};
use crate::store::{StoreError, budgets, callers, happenings, verifications};

/// A call that was refused.
#[derive(Debug)]
pub struct Refused {
    /// The number that it bore.
    pub number: Number,
    /// Why.
    pub reason: Reason,
    /// When.
    pub at: OffsetDateTime,
}

impl Verify {
    /// A step of the call of this verification, for its page.
    ///
    /// # Errors
    /// If the database does not take it.
    pub async fn note_step(&self, id: VerificationId, step: Step, at: OffsetDateTime) -> Result<(), StoreError> {
        let mut writer = self.parts.store.begin().await?;
        happenings::step(id, step_name(&step), at, &mut writer).await?;
        if matches!(step, Step::Ended(_)) {
            // The call may have ended before anything was read back: then the code may be keyed in again.
            verifications::hang_up(id, &mut writer).await?;
        }
        writer.commit().await?;
        self.parts.bell.ring(id);
        Ok(())
    }

    /// Refused calls that bore a number (and did not withhold it), for the pages of its live verifications.
    ///
    /// # Errors
    /// If the database does not take them.
    pub async fn note_refusals(&self, refused: &[Refused]) -> Result<(), StoreError> {
        // A flood of refused calls only reads, and that seldom.
        for some in refused.chunks(callers::AT_ONCE) {
            let (columns, at) = (self.parts.store.columns(), some[0].at);
            let numbers: Vec<&Number> = some.iter().map(|refused| &refused.number).collect();
            let standing = callers::standing(
                &numbers,
                self.parts.fruitless_calls,
                at,
                columns,
                &mut *self.parts.store.read().await?,
            )
            .await?;
            for (refused, standing) in some.iter().zip(standing) {
                if standing.is_expected {
                    self.note_refusal(refused).await?;
                }
            }
        }
        Ok(())
    }

    /// Calls that were answered and ended without a right code, by their numbers. Who has made enough of them is answered
    /// no more today.
    ///
    /// # Errors
    /// If the database does not take them.
    pub async fn note_fruitless(&self, calls: &[Number], at: OffsetDateTime) -> Result<(), StoreError> {
        if calls.is_empty() {
            return Ok(());
        }
        let parts = &self.parts;
        let mut writer = parts.store.begin().await?;
        let most = parts.fruitless_calls;
        let used_up = budgets::count_fruitless(calls, most, at, parts.store.columns(), &mut writer).await?;
        writer.commit().await?;
        used_up.into_iter().for_each(|number| parts.expected.forget(number));
        Ok(())
    }

    /// Calls that are being told of certificates, by number and level. Where those of the day are used up, it was their turn, and
    /// is over now.
    ///
    /// # Errors
    /// If the database does not take them.
    pub async fn note_told(&self, told: &[(Number, Level)], at: OffsetDateTime) -> Result<(), StoreError> {
        let (parts, columns) = (&self.parts, self.parts.store.columns());
        for some in told.chunks(callers::AT_ONCE) {
            let numbers: Vec<&Number> = some.iter().map(|(number, _)| number).collect();
            let mut reader = parts.store.read().await?;
            let standing = callers::standing(&numbers, parts.fruitless_calls, at, columns, &mut reader).await?;
            drop(reader);
            for ((number, level), _) in some.iter().zip(standing).filter(|(_, standing)| standing.is_silenced) {
                let mut writer = parts.store.begin().await?;
                budgets::take_turn(number, *level, at, columns, &mut writer).await?;
                writer.commit().await?;
            }
        }
        Ok(())
    }

    async fn note_refusal(&self, Refused { number, reason, at }: &Refused) -> Result<(), StoreError> {
        let (parts, columns) = (&self.parts, self.parts.store.columns());
        let mut writer = parts.store.begin().await?;
        budgets::lock(number, *at, columns, &mut writer).await?;
        let pages = verifications::expecting(number, *at, columns, &mut writer).await?;
        for id in &pages {
            happenings::refused(*id, reason.code(), *at, &mut writer).await?;
        }
        writer.commit().await?;
        pages.into_iter().for_each(|id| parts.bell.ring(id));
        Ok(())
    }
}
