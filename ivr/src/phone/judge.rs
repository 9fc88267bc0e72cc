//! How each scenario must end: one table, and the comparison with what happened.

use ivr_core::key_check::KeyCheck;
use voice_prompts::PromptId::{self, *};

use super::api::Verification;
use super::{CallReport, EndedBy, Scenario, Stage};

/// What must have happened.
struct Expected {
    /// A certificate (or a result).
    issued: bool,
    /// Who ended the call.
    ended_by: EndedBy,
    /// One of these statuses, if the call must not have been answered.
    refused: &'static [u16],
    /// Clips that must have been spoken to their end.
    heard: &'static [PromptId],
    /// Clips that must not.
    unheard: &'static [PromptId],
}

impl Expected {
    const fn refused(refused: &'static [u16]) -> Self {
        Self { issued: false, ended_by: EndedBy::Refusal, refused, heard: &[], unheard: &[] }
    }

    const fn left(heard: &'static [PromptId], unheard: &'static [PromptId]) -> Self {
        Self { issued: false, ended_by: EndedBy::Caller, refused: &[], heard, unheard }
    }

    const fn parted(heard: &'static [PromptId], unheard: &'static [PromptId]) -> Self {
        Self { issued: false, ended_by: EndedBy::Service, refused: &[], heard, unheard }
    }

    const fn issued(heard: &'static [PromptId], unheard: &'static [PromptId]) -> Self {
        Self { issued: true, ..Self::parted(heard, unheard) }
    }
}

const fn expected(scenario: Scenario) -> Expected {
    match scenario {
        Scenario::Happy | Scenario::Tones | Scenario::EarlyKeys => Expected::issued(
            &[WarningNumber, WarningScam, EnterCode, PressToConfirm, TypeIntoPage, Verified, Goodbye],
            &[WrongCode, NothingHeard],
        ),
        Scenario::CodeOnly => Expected::issued(
            &[WarningNumber, WarningScam, EnterCode, PressToConfirm, Verified, Goodbye],
            &[WrongCode, TypeIntoPage],
        ),
        Scenario::WrongCode => Expected::issued(&[WrongCode, PressToConfirm, TypeIntoPage, Verified], &[]),
        Scenario::ThreeWrongCodes => Expected::parted(&[WrongCode, TooManyWrongCodes, Goodbye], &[PressToConfirm]),
        // The digit came before it was asked for, and then none comes.
        Scenario::DialString => Expected::parted(&[PressToConfirm, NothingHeard, Goodbye], &[TypeIntoPage]),
        Scenario::WrongConfirm => Expected::parted(&[WrongConfirmKey, Goodbye], &[TypeIntoPage]),
        Scenario::WrongReadBack => Expected::parted(&[TypeIntoPage, ReadBackVoided, Goodbye], &[Verified]),
        Scenario::NoReadBack => Expected::parted(&[TypeIntoPage, ReadBackExpired, Goodbye], &[Verified]),
        Scenario::Suspend => {
            Expected::parted(&[CertificatesExist, PressNine, PressToConfirm, Suspended, Goodbye], &[TypeIntoPage])
        }
        Scenario::Silent => Expected::parted(&[EnterCode, NothingHeard, Goodbye], &[PressToConfirm]),
        Scenario::HangUp(Stage::Dialling) => Expected::left(&[], &[EnterCode]),
        Scenario::HangUp(Stage::Warning) => Expected::left(&[], &[EnterCode]),
        Scenario::HangUp(Stage::Code) => Expected::left(&[EnterCode], &[PressToConfirm]),
        Scenario::HangUp(Stage::Confirm) => Expected::left(&[PressToConfirm], &[TypeIntoPage]),
        Scenario::HangUp(Stage::ReadBack) => Expected::left(&[PressToConfirm], &[Verified]),
        Scenario::HangUp(Stage::Typing) => Expected { issued: true, ..Expected::left(&[TypeIntoPage], &[]) },
        // RFC 5079: Anonymity Disallowed.
        Scenario::Anonymous => Expected::refused(&[433]),
        // Two numbers, or one that nobody asked to verify.
        Scenario::Spoof => Expected::refused(&[403, 480]),
    }
}

/// Whether the scenario ends in a certificate.
pub(super) fn issues(scenario: Scenario) -> bool {
    expected(scenario).issued
}

/// Whether it went as it should; if not, the first thing that did not.
pub(super) fn judge(
    scenario: Scenario,
    number: &str,
    key_check: Option<KeyCheck>,
    call: &CallReport,
    verification: &Verification,
) -> Result<(), String> {
    let expected = expected(scenario);
    let Expected { issued, ended_by, refused, .. } = expected;
    if !refused.is_empty() && !call.status.is_some_and(|status| refused.contains(&status)) {
        return Err(format!("the call should be refused with one of {refused:?}, not answered with {:?}", call.status));
    }
    if call.ended_by == EndedBy::Refusal && refused.is_empty() {
        return Err(refusal(call));
    }
    if call.ended_by != ended_by {
        let (by, status) = (call.ended_by, status(call, "none"));
        return Err(format!("the call should be ended by {ended_by:?}, not {by:?} (status: {status})"));
    }
    if issued && verification.state == "held" {
        return Err(
            "the number is proved, but its key waits, because another key was certified for it in the last 45 \
                    days: choose another --number, or look again when the time is over"
                .to_owned(),
        );
    }
    judge_speech(&expected, number, key_check, call)?;
    if verification.is_issued() != issued {
        let not = if issued { "" } else { "not " };
        return Err(format!("the verification should {not}be issued, and it is {:?}", verification.state));
    }
    Ok(())
}

/// What the voice should have said, and what it should not.
fn judge_speech(
    expected: &Expected,
    number: &str,
    key_check: Option<KeyCheck>,
    call: &CallReport,
) -> Result<(), String> {
    let Expected { heard, unheard, .. } = *expected;
    if heard.contains(&CertificatesExist) && !call.has_heard(CertificatesExist) {
        return Err(format!(
            "{number} has no certificate that could be suspended: prove it first, with --scenario happy; heard was {}",
            names(&call.heard)
        ));
    }
    if let Some(missing) = heard.iter().find(|id| !call.has_heard(**id)) {
        return Err(format!("{:?} should be spoken; heard was {}", missing.name(), names(&call.heard)));
    }
    if let Some(wrong) = unheard.iter().find(|id| call.has_heard(**id)) {
        return Err(format!("{:?} should not be spoken; heard was {}", wrong.name(), names(&call.heard)));
    }
    let ending = call.number_ending.as_ref();
    if heard.contains(&WarningNumber) && !ending.is_some_and(|ending| number.ends_with(ending.expose())) {
        return Err("the warning should name the last four digits of the number".to_owned());
    }
    let said = call.key_check.as_ref().and_then(|digits| KeyCheck::parse(digits.expose()));
    if heard.contains(&TypeIntoPage) && said != key_check {
        return Err("before the digits, an app should hear the check of its key, and a page none".to_owned());
    }
    Ok(())
}

/// That the service refused a call that it should have taken, and who knows why.
fn refusal(call: &CallReport) -> String {
    let why = match call.status {
        // RFC 3261 22.2 and 22.3: a challenge, which the built-in caller has no answer to.
        Some(401 | 407) => "this trunk wants an account, and the built-in caller has none".to_owned(),
        _ => format!(
            "its record in the console, Call-ID {}, says why; who is refused before a number is read has none",
            call.call_id
        ),
    };
    format!("the service refused the call ({}): {why}", status(call, "no answer"))
}

/// Status and reason phrase of the answer.
fn status(call: &CallReport, if_none: &str) -> String {
    call.status.map_or(if_none.to_owned(), |status| format!("{status} {}", call.reason))
}

fn names(heard: &[PromptId]) -> String {
    heard.iter().map(|id| id.name()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ivr_core::private::Private;

    fn call(ended_by: EndedBy, status: u16, heard: &[PromptId]) -> CallReport {
        CallReport {
            status: Some(status),
            reason: "Because".into(),
            heard: heard.to_vec(),
            number_ending: Some(Private::new("0143".into())),
            ended_by,
            ..CallReport::of("c".into())
        }
    }

    fn state(state: &str) -> Verification {
        Verification { state: state.into(), ..Verification::default() }
    }

    const WHOLE: &[PromptId] =
        &[WarningNumber, WarningScam, EnterCode, PressToConfirm, TypeIntoPage, Verified, Goodbye];

    #[test]
    fn a_good_end_of_each_kind_is_accepted() {
        for (scenario, ended_by, status, heard, is) in [
            (Scenario::Happy, EndedBy::Service, 200, WHOLE, "issued"),
            (Scenario::HangUp(Stage::Typing), EndedBy::Caller, 200, &WHOLE[..5], "issued"),
            (Scenario::HangUp(Stage::Warning), EndedBy::Caller, 200, &[WarningNumber], "waiting"),
            (Scenario::Anonymous, EndedBy::Refusal, 433, &[], "waiting"),
            (Scenario::Spoof, EndedBy::Refusal, 403, &[], "waiting"),
        ] {
            assert_eq!(judge(scenario, "+12025550143", None, &call(ended_by, status, heard), &state(is)), Ok(()));
        }
    }

    #[test]
    fn what_went_wrong_is_said() {
        let (good, refused) = (call(EndedBy::Service, 200, WHOLE), call(EndedBy::Refusal, 403, &[]));
        let challenged = call(EndedBy::Refusal, 401, &[]);
        for (scenario, number, call, is, words) in [
            (Scenario::Happy, "+12025550143", &good, "waiting", "should be issued"),
            (Scenario::Happy, "+12025550144", &good, "issued", "last four digits"),
            (Scenario::CodeOnly, "+12025550143", &good, "issued", "should not be spoken"),
            (Scenario::Happy, "+12025550143", &good, "held", "another key was certified"),
            (Scenario::WrongCode, "+12025550143", &good, "issued", "\"wrong-code\" should be spoken"),
            (
                Scenario::Suspend,
                "+12025550143",
                &good,
                "waiting",
                "has no certificate that could be suspended: prove it first",
            ),
            (Scenario::Spoof, "+12025550143", &good, "issued", "should be refused"),
            (Scenario::HangUp(Stage::Code), "+12025550143", &good, "issued", "ended by Caller"),
            (
                Scenario::Happy,
                "+12025550143",
                &refused,
                "waiting",
                "refused the call (403 Because): its record in the console",
            ),
            (Scenario::Happy, "+12025550143", &challenged, "waiting", "(401 Because): this trunk wants an account"),
        ] {
            let said = judge(scenario, number, None, call, &state(is)).unwrap_err();
            assert!(said.contains(words), "{scenario}: {said}");
        }
        let stolen =
            judge(Scenario::Anonymous, "+12025550143", None, &call(EndedBy::Refusal, 433, &[]), &state("issued"));
        assert!(stolen.unwrap_err().contains("should not be issued"));
        let said = |digits: &str| CallReport { key_check: Some(Private::new(digits.into())), ..good.clone() };
        let own = KeyCheck::parse("5029");
        let judged = |own, call: &CallReport| judge(Scenario::Happy, "+12025550143", own, call, &state("issued"));
        assert_eq!(judged(own, &said("5029")), Ok(()));
        for (own, call) in [(own, said("5028")), (own, good.clone()), (None, said("5029"))] {
            assert!(judged(own, &call).unwrap_err().contains("check of its key"));
        }
    }
}
