//! What a call asks of the rows.

use ivr_core::call::question::{Answer, Question, VerificationId};
use ivr_core::caller::Caller;
use ivr_core::code::Code;
use ivr_core::proof::ProvedNumber;
use time::OffsetDateTime;
use tracing::info;

use super::{State, VerifyParts, sessions};
use crate::store::verifications::{self, Missed};
use crate::store::{StoreError, budgets, callers, happenings};

/// How long the page may type the digits that the voice reads, spoken words included.
const READ_BACK_LIFE: time::Duration = time::Duration::seconds(90);

/// The answer, and the verification that is to be issued now.
pub(super) async fn answer(
    parts: &VerifyParts,
    question: Question,
    now: OffsetDateTime,
) -> Result<(Answer, Option<VerificationId>), StoreError> {
    match question {
        Question::Session(caller) => Ok((session(parts, &caller, now).await?, None)),
        Question::Code { caller, entered } => Ok((code(parts, &caller, entered.expose(), now).await?, None)),
        Question::ReadBack { proof, digits } => Ok((read_back(parts, &proof, digits.expose(), now).await?, None)),
        Question::CodeOnly { proof } => code_only(parts, &proof, now).await,
        Question::Certificates(caller) => {
            Ok((sessions::enrolled(parts, &caller.number, Answer::NoSession, now).await?, None))
        }
        Question::Suspend(caller) => {
            let suspended = parts.issue.suspend(&caller.number, caller.level, now).await?;
            Ok((if suspended { Answer::Suspended } else { Answer::NotSuspended }, None))
        }
    }
}

async fn session(parts: &VerifyParts, caller: &Caller, now: OffsetDateTime) -> Result<Answer, StoreError> {
    let mut reader = parts.store.read().await?;
    let standing = callers::standing(&[&caller.number], now, parts.store.columns(), &mut reader).await?;
    drop(reader);
    let standing = standing.into_iter().next().ok_or_else(|| StoreError::Failed("no answer".to_owned()))?;
    match sessions::answer(standing) {
        Answer::Expected(language) => Ok(Answer::Expected(language)),
        answer if standing.is_certified => sessions::enrolled(parts, &caller.number, answer, now).await,
        answer => Ok(answer),
    }
}

async fn code(parts: &VerifyParts, caller: &Caller, entered: &Code, now: OffsetDateTime) -> Result<Answer, StoreError> {
    let (number, columns) = (&caller.number, parts.store.columns());
    parts.expected.forget(number);
    let mut writer = parts.store.begin().await?;
    // The lock makes check and count one: of many codes at once, ten are compared a day.
    if budgets::lock(number, now, columns, &mut writer).await? >= budgets::WRONG_CODES_A_DAY {
        return Ok(Answer::NumberExhausted);
    }
    if let Some(id) = verifications::match_code(number, entered, now, columns, &mut writer).await? {
        happenings::add(id, "state", State::Calling.name(), now, &mut writer).await?;
        writer.commit().await?;
        parts.bell.ring(id);
        info!(verification = %id, trunk = caller.trunk, "the code of {id} was keyed in");
        return Ok(Answer::Matched(id));
    }
    let today = budgets::count_wrong_code(number, now, columns, &mut writer).await?;
    let (missed, voided) = verifications::miss_code(number, now, columns, &mut writer).await?;
    writer.commit().await?;
    voided.into_iter().for_each(|id| parts.bell.ring(id));
    Ok(match missed {
        Missed::NoneAlive => Answer::Gone,
        Missed::TriesLeft(left) => {
            let left = left.min(budgets::WRONG_CODES_A_DAY - today);
            Answer::Wrong { tries_left: u8::try_from(left).unwrap_or(0) }
        }
    })
}

async fn read_back(
    parts: &VerifyParts,
    proof: &ProvedNumber,
    digits: &Code,
    now: OffsetDateTime,
) -> Result<Answer, StoreError> {
    let (id, columns) = (proof.verification(), parts.store.columns());
    let sealed = proof.seal(now.unix_timestamp(), &columns.keys().proof_key());
    let times = (now, now + READ_BACK_LIFE);
    let mut writer = parts.store.begin().await?;
    if !verifications::keep_read_back(id, proof.number(), &sealed, digits, times, columns, &mut writer).await? {
        return Ok(Answer::Gone);
    }
    happenings::add(id, "state", State::ReadBack.name(), now, &mut writer).await?;
    writer.commit().await?;
    parts.bell.ring(id);
    Ok(Answer::Stored)
}

async fn code_only(
    parts: &VerifyParts,
    proof: &ProvedNumber,
    now: OffsetDateTime,
) -> Result<(Answer, Option<VerificationId>), StoreError> {
    let (id, columns) = (proof.verification(), parts.store.columns());
    let sealed = proof.seal(now.unix_timestamp(), &columns.keys().proof_key());
    let mut writer = parts.store.begin().await?;
    if !verifications::keep_proof(id, proof.number(), &sealed, now, columns, &mut writer).await? {
        return Ok((Answer::Gone, None));
    }
    happenings::add(id, "state", State::Issuing.name(), now, &mut writer).await?;
    writer.commit().await?;
    parts.bell.ring(id);
    Ok((Answer::Stored, Some(id)))
}
