//! The names of the records' vocabulary.

use ivr_core::call::flow::Ending;

/// How a conversation ended, as it stands in the records and in the console's addresses.
pub(super) fn ending(ending: Ending) -> &'static str {
    match ending {
        Ending::Verified => "verified",
        Ending::HungUpAfterReadBack => "hung-up-after-read-back",
        Ending::HungUp => "hung-up",
        Ending::TooManyWrongCodes => "too-many-wrong-codes",
        Ending::WrongConfirmKey => "wrong-confirm-key",
        Ending::ReadBackExpired => "read-back-expired",
        Ending::ReadBackVoided => "read-back-voided",
        Ending::NothingHeard => "nothing-heard",
        Ending::SessionGone => "session-gone",
        Ending::ServiceFailed => "service-failed",
        Ending::TooLong => "too-long",
    }
}
