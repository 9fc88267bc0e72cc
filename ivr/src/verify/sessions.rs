//! Whether the callers of many calls are expected: asked at once, over one connection that is kept ready.

use std::sync::Arc;

use ivr_core::call::question::{Answer, Enrolled};
use ivr_core::caller::Caller;
use ivr_core::number::Number;
use time::{OffsetDateTime, UtcOffset};
use tracing::warn;

use super::VerifyParts;
use crate::store::callers::{self, Enrolment, Standing};
use crate::store::{Reader, StoreError, budgets};

/// Answers [`Question::Session`](ivr_core::call::question::Question::Session).
#[derive(Debug)]
pub struct Sessions {
    parts: Arc<VerifyParts>,
    /// To take one out of the pool would be two more ways to the database's thread for each call.
    kept: Option<Reader>,
}

impl Sessions {
    /// Is this caller known to be expected? A no may be none: that has to be [asked](Self::answer).
    pub fn expects(&self, caller: &Caller, now: OffsetDateTime) -> bool {
        self.parts.expected.is(&caller.number, now)
    }

    /// Callers that are looked up at once at most.
    pub const AT_ONCE: usize = callers::AT_ONCE;

    pub(super) fn new(parts: Arc<VerifyParts>) -> Self {
        Self { parts, kept: None }
    }

    /// An answer for each caller. Never fails: a database that does not answer is [`Answer::Unavailable`].
    pub async fn answer(&mut self, callers: &[Caller], now: OffsetDateTime) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(callers.len());
        for callers in callers.chunks(Self::AT_ONCE) {
            let numbers: Vec<&Number> = callers.iter().map(|caller| &caller.number).collect();
            match self.standing(&numbers, now).await {
                Ok(standing) => {
                    for (caller, standing) in callers.iter().zip(standing) {
                        answers.push(self.answer_one(caller, standing, now).await);
                    }
                }
                Err(error) => {
                    warn!(%error, "the questions of {} calls are not answered: {error}", callers.len());
                    answers.extend(callers.iter().map(|_| Answer::Unavailable));
                }
            }
        }
        answers
    }

    async fn answer_one(&mut self, caller: &Caller, standing: Standing, now: OffsetDateTime) -> Answer {
        answer(&self.parts, caller, standing, now).await.unwrap_or_else(|error| {
            warn!(%error, "a call's question is not answered: {error}");
            Answer::Unavailable
        })
    }

    /// A connection that was kept may have ended meanwhile: then another is taken.
    async fn standing(&mut self, numbers: &[&Number], now: OffsetDateTime) -> Result<Vec<Standing>, StoreError> {
        let (store, columns, most) = (&self.parts.store, self.parts.store.columns(), self.parts.fruitless_calls);
        if let Some(mut kept) = self.kept.take()
            && let Ok(standing) = callers::standing(numbers, most, now, columns, &mut kept).await
        {
            self.kept = Some(kept);
            return Ok(standing);
        }
        let mut reader = store.read().await?;
        let standing = callers::standing(numbers, most, now, columns, &mut reader).await?;
        self.kept = Some(reader);
        Ok(standing)
    }
}

/// What a call hears whose number has certificates; `otherwise` if they are gone meanwhile.
pub(super) async fn enrolled(
    parts: &VerifyParts,
    number: &Number,
    otherwise: Answer,
    now: OffsetDateTime,
) -> Result<Answer, StoreError> {
    let mut reader = parts.store.read().await?;
    let found = callers::enrolment(number, now, parts.store.columns(), &mut reader).await?;
    Ok(found.map_or(otherwise, |Enrolment { count, last }| certified(u16::try_from(count).unwrap_or(u16::MAX), last)))
}

/// So many, the last of this day (UTC).
pub(crate) fn certified(count: u16, last: OffsetDateTime) -> Answer {
    let (year, month, day) = last.to_offset(UtcOffset::UTC).to_calendar_date();
    Answer::Certified(Enrolled { count, last: (u16::try_from(year).unwrap_or(0), month.into(), day) })
}

/// What a call is told. Only a number that has certificates needs another look, if it has no verification or may key in no code
/// today: what others have used up of its calls must not keep its owner from suspending them.
pub(super) async fn answer(
    parts: &VerifyParts,
    caller: &Caller,
    standing: Standing,
    now: OffsetDateTime,
) -> Result<Answer, StoreError> {
    let answer = without_certificates(standing);
    if !standing.is_certified || answer == Answer::Expected {
        return Ok(answer);
    }
    if standing.is_silenced && !has_turn(parts, caller, now).await? {
        return Ok(answer);
    }
    enrolled(parts, &caller.number, answer, now).await
}

/// It is taken only once the call is [told](super::Verify::note_told): an INVITE may bear a forged source address.
async fn has_turn(parts: &VerifyParts, caller: &Caller, now: OffsetDateTime) -> Result<bool, StoreError> {
    let Caller { number, level, .. } = caller;
    budgets::has_turn(number, *level, now, parts.store.columns(), &mut *parts.store.read().await?).await
}

fn without_certificates(standing: Standing) -> Answer {
    match standing {
        Standing { is_used_up: true, .. } => Answer::CallsUsedUp,
        Standing { is_exhausted: true, .. } => Answer::NumberExhausted,
        Standing { is_expected: true, .. } => Answer::Expected,
        Standing { is_expected: false, .. } => Answer::NoSession,
    }
}
