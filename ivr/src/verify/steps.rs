//! The steps of a call by name, and the sentence that a page shows for each.

use ivr_core::call::flow::Step;

/// `warning`, `entering-code`, `wrong-code`, `code-matched`, `confirming`, `confirmed`, `reading-back`, `telling`,
/// `suspending`, `ended`.
pub fn step_name(step: &Step) -> &'static str {
    match step {
        Step::Warning => "warning",
        Step::EnteringCode => "entering-code",
        Step::WrongCode(_) => "wrong-code",
        Step::CodeMatched(_) => "code-matched",
        Step::Confirming => "confirming",
        Step::Confirmed => "confirmed",
        Step::ReadingBack => "reading-back",
        Step::Telling => "telling",
        Step::Suspending => "suspending",
        Step::Ended(_) => "ended",
    }
}

/// The sentence of a step's name.
pub(crate) fn step_sentence(name: &str) -> Option<&'static str> {
    Some(match name {
        "warning" => "The call is answered: the voice says what it is about.",
        "entering-code" => "Key in the code on the telephone.",
        "wrong-code" => "The code was wrong.",
        "code-matched" => "The code is right.",
        "confirming" => "Press the key that the voice names.",
        "confirmed" => "Confirmed.",
        "reading-back" => "The voice is reading six digits. Type them here.",
        "telling" => "The voice says what certificates the number has.",
        "suspending" => "The caller wants them suspended.",
        "ended" => "The call is over.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use ivr_core::call::flow::Ending;
    use ivr_core::call::question::VerificationId;

    use super::*;

    #[test]
    fn every_step_has_a_name_and_a_sentence() {
        let steps = [
            Step::Warning,
            Step::EnteringCode,
            Step::WrongCode(2),
            Step::CodeMatched(VerificationId([7; 16])),
            Step::Confirming,
            Step::Confirmed,
            Step::ReadingBack,
            Step::Telling,
            Step::Suspending,
            Step::Ended(Ending::Verified),
        ];
        for step in steps {
            assert!(step_sentence(step_name(&step)).is_some(), "{step:?}");
        }
        assert_eq!(step_sentence("humming"), None);
    }
}
