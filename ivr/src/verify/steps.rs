//! The steps of a call by name. What a page says of each is in `words.rs`.

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

#[cfg(test)]
mod tests {
    use ivr_core::call::flow::Ending;
    use ivr_core::call::question::VerificationId;

    use super::*;
    use crate::words::Words;

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
            for tag in ["en", "es", "fr", "de"] {
                let sentence = Words::of(tag).step(step_name(&step));
                assert!(sentence.is_some(), "{tag}: {step:?}");
                assert!(tag == "en" || sentence != Words::of("en").step(step_name(&step)), "{tag}: {step:?}");
            }
        }
        assert_eq!(Words::of("en").step("humming"), None);
    }
}
