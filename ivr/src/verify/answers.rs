//! What a call asks of the rows.

use ivr_core::call::flow::READ_BACK_LIFE;
use ivr_core::call::question::{Answer, Question, VerificationId};
use ivr_core::caller::Caller;
use ivr_core::code::Code;
use ivr_core::passport::Report;
use ivr_core::proof::ProvedNumber;
use time::OffsetDateTime;
use tracing::{info, warn};

use super::{State, VerifyParts, sessions};
use crate::store::calls::Signed;
use crate::store::verifications::{self, Missed};
use crate::store::{Columns, Conn, StoreError, audit, budgets, callers, happenings, passports};

/// The answer, and the verification that is to be issued now.
pub(super) async fn answer(
    parts: &VerifyParts,
    question: Question,
    now: OffsetDateTime,
) -> Result<(Answer, Option<VerificationId>), StoreError> {
    match question {
        Question::Session(caller) => Ok((session(parts, &caller, now).await?, None)),
        Question::Code { caller, entered } => Ok((code(parts, &caller, entered.expose(), now).await?, None)),
        // The desk asks whoever verifies them, and the sandbox.
        Question::Passport(_) | Question::Rehearsed { .. } => Ok((Answer::Unavailable, None)),
        Question::ReadBack { proof, digits, passport } => {
            Ok((read_back(parts, &proof, digits.expose(), passport.as_deref(), now).await?, None))
        }
        Question::CodeOnly { proof, passport } => code_only(parts, &proof, passport.as_deref(), now).await,
        Question::Certificates(caller) => {
            Ok((sessions::enrolled(parts, &caller.number, Answer::NoSession, now).await?, None))
        }
        Question::Suspend(caller) => {
            let suspended = parts.issue.suspend(&caller, now).await?;
            Ok((if suspended { Answer::Suspended } else { Answer::NotSuspended }, None))
        }
    }
}

async fn session(parts: &VerifyParts, caller: &Caller, now: OffsetDateTime) -> Result<Answer, StoreError> {
    let mut reader = parts.store.read().await?;
    let standing =
        callers::standing(&[&caller.number], parts.fruitless_calls, now, parts.store.columns(), &mut reader).await?;
    drop(reader);
    let standing = standing.into_iter().next().ok_or_else(|| StoreError::Failed("no answer".to_owned()))?;
    sessions::answer(parts, caller, standing, now).await
}

async fn code(parts: &VerifyParts, caller: &Caller, entered: &Code, now: OffsetDateTime) -> Result<Answer, StoreError> {
    let (number, columns) = (&caller.number, parts.store.columns());
    parts.expected.forget(number);
    let mut writer = parts.store.begin().await?;
    // The lock makes check and count one: of many codes at once, ten are compared a day.
    if budgets::lock(number, now, columns, &mut writer).await?.wrong_codes >= budgets::WRONG_CODES_A_DAY {
        return Ok(Answer::NumberExhausted);
    }
    if let Some(session) = verifications::match_code(number, entered, now, columns, &mut writer).await? {
        let id = session.id;
        happenings::state(id, State::Calling.name(), now, columns, &mut writer).await?;
        writer.commit().await?;
        parts.bell.ring(id);
        info!(verification = %id, trunk = caller.trunk, "the code of {id} was keyed in");
        return Ok(Answer::Matched(session));
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
    passport: Option<&Report>,
    now: OffsetDateTime,
) -> Result<Answer, StoreError> {
    let (id, columns) = (proof.verification(), parts.store.columns());
    let sealed = proof.seal(now.unix_timestamp(), &columns.keys().proof_key());
    let times = (now, now + READ_BACK_LIFE);
    let mut writer = parts.store.begin().await?;
    if !verifications::keep_read_back(id, proof.number(), &sealed, digits, times, columns, &mut writer).await? {
        return Ok(Answer::Gone);
    }
    happenings::state(id, State::ReadBack.name(), now, columns, &mut writer).await?;
    if !serves(passport, id, now, columns, &mut writer).await? {
        return Ok(Answer::Gone);
    }
    writer.commit().await?;
    parts.bell.ring(id);
    Ok(Answer::Stored)
}

async fn code_only(
    parts: &VerifyParts,
    proof: &ProvedNumber,
    passport: Option<&Report>,
    now: OffsetDateTime,
) -> Result<(Answer, Option<VerificationId>), StoreError> {
    let (id, columns) = (proof.verification(), parts.store.columns());
    let sealed = proof.seal(now.unix_timestamp(), &columns.keys().proof_key());
    let mut writer = parts.store.begin().await?;
    if !verifications::keep_proof(id, proof.number(), &sealed, now, columns, &mut writer).await? {
        return Ok((Answer::Gone, None));
    }
    happenings::state(id, State::Issuing.name(), now, columns, &mut writer).await?;
    if !serves(passport, id, now, columns, &mut writer).await? {
        return Ok((Answer::Gone, None));
    }
    writer.commit().await?;
    parts.bell.ring(id);
    Ok((Answer::Stored, Some(id)))
}

/// Whether the call's signed identity may complete this verification: it does so once, and the audit tells by whose word.
/// True for a call that has none.
async fn serves(
    passport: Option<&Report>,
    id: VerificationId,
    now: OffsetDateTime,
    columns: &Columns,
    writer: &mut Conn,
) -> Result<bool, StoreError> {
    let Some((report, said)) = passport.and_then(|report| Some((report, report.said.as_ref()?))) else {
        return Ok(true);
    };
    if !passports::serve(&said.token, now, writer).await? {
        warn!(verification = %id, "the signed identity of the call has completed another verification");
        return Ok(false);
    }
    let subject = format!("{id}: {}", Signed::of(report));
    audit::add(("call", "signed", &subject), now, columns, writer).await?;
    Ok(true)
}
