//! The names of the records' vocabulary.

use std::borrow::Cow;

use ivr_core::call::flow::{Ending, Step};
use ivr_core::media::KeySource;

use crate::verify::step_name;

/// How a conversation ended, as it stands in the records and in the console's addresses.
pub(super) fn ending(ending: Ending) -> &'static str {
    match ending {
        Ending::Verified => "verified",
        Ending::Held => "held",
        Ending::HungUpAfterReadBack => "hung-up-after-read-back",
        Ending::HungUp => "hung-up",
        Ending::NoAudio => "no-audio",
        Ending::AudioStopped => "audio-stopped",
        Ending::Displaced => "displaced",
        Ending::TooManyWrongCodes => "too-many-wrong-codes",
        Ending::WrongConfirmKey => "wrong-confirm-key",
        Ending::ReadBackExpired => "read-back-expired",
        Ending::ReadBackVoided => "read-back-voided",
        Ending::NothingHeard => "nothing-heard",
        Ending::SessionGone => "session-gone",
        Ending::ServiceFailed => "service-failed",
        Ending::Told => "told",
        Ending::Suspended => "suspended",
        Ending::TooLong => "too-long",
    }
}

/// A step, as it stands among the lines of its call.
pub(super) fn step(step: &Step) -> Cow<'static, str> {
    match step {
        Step::Ended(how) => format!("ended: {}", ending(*how)).into(),
        step => step_name(step).into(),
    }
}

/// How a key came and, where one digit was asked for, whether it was that one: `telephone-event`, `in-band right`.
pub(super) fn key(source: KeySource, matched: Option<bool>) -> Cow<'static, str> {
    match matched {
        None => source.name().into(),
        Some(matched) => format!("{} {}", source.name(), if matched { "right" } else { "wrong" }).into(),
    }
}

/// Longer Call-IDs are cut: real ones have about 60 characters.
const LONGEST_CALL_ID: usize = 255;

/// A Call-ID as it is stored and looked for. Whoever calls chooses its octets: PostgreSQL refuses a NUL, and nobody
/// wants to see the others.
pub(crate) fn stored(call_id: &str) -> Cow<'_, str> {
    let is_clean = |c: char| !c.is_control();
    if call_id.len() <= LONGEST_CALL_ID && call_id.chars().all(is_clean) {
        return Cow::Borrowed(call_id);
    }
    call_id.chars().take(LONGEST_CALL_ID).map(|c| if is_clean(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}
