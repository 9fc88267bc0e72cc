//! What the owner of a verification sees of it.

use ivr_core::call::question::VerificationId;
use ivr_core::caller::Reason;
use ivr_core::private::Private;
use time::OffsetDateTime;

use super::starting::secret_sha256;
use super::steps::step_sentence;
use super::{AccessError, Happening, State, VerifyParts, View};
use crate::store::happenings::Line;
use crate::store::verifications::{self, Stored};
use crate::store::{StoreError, happenings};

pub(super) async fn view(
    parts: &VerifyParts,
    id: VerificationId,
    secret: &str,
    now: OffsetDateTime,
) -> Result<View, AccessError> {
    let mut reader = parts.store.read().await?;
    let stored = verifications::find(id, &secret_sha256(secret), parts.store.columns(), &mut reader).await?;
    let stored = stored.ok_or(AccessError::Unknown)?;
    let lines = happenings::of(id, &mut reader).await?;
    drop(reader);
    let certificate = match &stored.serial {
        None => None,
        Some(serial) => parts.issue.by_serial(serial).await?,
    };
    let state = state_now(&stored, now)?;
    let may_key_in = matches!(state, State::Waiting | State::Calling | State::ReadBack) && now < stored.expires_at;
    Ok(View {
        id: stored.id,
        number: stored.number,
        dial: parts.dial.clone(),
        state,
        code: may_key_in.then_some(Private::new(stored.code)),
        locale: stored.locale,
        publish: stored.publish,
        wants_certificate: stored.wants_certificate,
        created_at: stored.created_at,
        expires_at: stored.expires_at,
        read_back_until: stored.read_back_until.filter(|_| state == State::ReadBack),
        read_backs_left: u8::try_from(stored.read_backs_left).unwrap_or(0),
        happenings: lines.into_iter().filter_map(happening).collect(),
        certificate,
        result: stored.result,
        failure: stored.failure,
    })
}

/// What the row's state means at this time: a row does not change because time goes by.
fn state_now(stored: &Stored, now: OffsetDateTime) -> Result<State, StoreError> {
    let state = State::from_name(&stored.state).ok_or_else(|| StoreError::damaged("a state"))?;
    let goes_on = match state {
        State::Waiting => now < stored.expires_at,
        State::Calling => now < stored.live_until,
        State::ReadBack => stored.read_back_until.is_some_and(|until| now < until),
        State::Issuing | State::Issued | State::Voided | State::Expired | State::Failed => true,
    };
    Ok(match (goes_on, now < stored.expires_at) {
        (true, _) => state,
        // The call or the digits are over, but the code may be keyed in again.
        (false, true) => State::Waiting,
        (false, false) => State::Expired,
    })
}

/// A line as the page shows it; a line that this version does not know is left out.
fn happening(line: Line) -> Option<Happening> {
    let (kind, sentence) = match line.kind.as_str() {
        "step" => ("step", step_sentence(&line.what)?),
        "refused" => ("refused", refusal_sentence(&line.what)),
        "state" => ("state", state_sentence(State::from_name(&line.what)?)),
        _ => return None,
    };
    Some(Happening { number: line.number, at: line.at, kind, what: line.what, sentence: sentence.to_owned() })
}

/// Reasons of the ordered checks have words of their own; the others are the endpoint's.
fn refusal_sentence(code: &str) -> &'static str {
    let known = Reason::ALL.into_iter().find(|reason| reason.code() == code);
    known.map_or("A call from your number was not taken. Wait a moment, then call again.", Reason::sentence)
}

fn state_sentence(state: State) -> &'static str {
    match state {
        State::Waiting => "Waiting for your call.",
        State::Calling => "The code was keyed in on the telephone.",
        State::ReadBack => "The voice is reading six digits. Type them here.",
        State::Issuing => "Your number is proved. The certificate is being made.",
        State::Issued => "Done.",
        State::Voided => "Too many wrong digits: this verification is void. Begin again.",
        State::Expired => "This verification is over. Begin again.",
        State::Failed => "It could not be finished.",
    }
}
