//! What a caller does on the line: the good one, and each of the others whom the service must withstand. A caller acts on
//! what it hears, never by the clock.

use std::fmt;
use std::str::FromStr;

use voice_prompts::PromptId;

use super::understanding::Meaning;

/// A kind of caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// Does all that is asked.
    Happy,
    /// As `Happy`, with a telephone that knows no telephone-event: its keys are tones in the audio.
    Tones,
    /// As `Happy`, where the service does not read digits back (`binding = "code-only"`).
    CodeOnly,
    /// Enters a wrong code, then the right one.
    WrongCode,
    /// Enters three wrong codes.
    ThreeWrongCodes,
    /// Presses keys during the warning, then does all that is asked.
    EarlyKeys,
    /// Its keys are tones that a link dialled: the code and a guessed digit, in one go, once at the beginning and once when
    /// the code is asked for (where certificates can be suspended, nothing but 9); it hears nothing of what is said.
    DialString,
    /// Presses another digit than the one to confirm.
    WrongConfirm,
    /// Types three wrong read-backs into the page.
    WrongReadBack,
    /// Never types the read-back and stays on the line.
    NoReadBack,
    /// Hangs up.
    HangUp(Stage),
    /// Keys in no code, hears of the number's certificates, and suspends them.
    Suspend,
    /// Never presses a key.
    Silent,
    /// Withholds its number.
    Anonymous,
    /// Calls from another number than the one to be verified.
    Spoof,
}

/// Where a caller hangs up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Before the answer.
    Dialling,
    /// While the warning is spoken.
    Warning,
    /// When asked for the code.
    Code,
    /// When asked to confirm.
    Confirm,
    /// When the digits begin to be read back.
    ReadBack,
    /// When the digits are known: they are typed into the page afterwards.
    Typing,
}

impl Scenario {
    /// Every one, as it is called on the command line.
    pub const ALL: [(&str, Self); 20] = [
        ("happy", Self::Happy),
        ("tones", Self::Tones),
        ("code-only", Self::CodeOnly),
        ("wrong-code", Self::WrongCode),
        ("three-wrong-codes", Self::ThreeWrongCodes),
        ("early-keys", Self::EarlyKeys),
        ("dial-string", Self::DialString),
        ("wrong-confirm", Self::WrongConfirm),
        ("wrong-read-back", Self::WrongReadBack),
        ("no-read-back", Self::NoReadBack),
        ("hang-up", Self::HangUp(Stage::Warning)),
        ("hang-up-dialling", Self::HangUp(Stage::Dialling)),
        ("hang-up-code", Self::HangUp(Stage::Code)),
        ("hang-up-confirm", Self::HangUp(Stage::Confirm)),
        ("hang-up-read-back", Self::HangUp(Stage::ReadBack)),
        ("hang-up-typing", Self::HangUp(Stage::Typing)),
        ("suspend", Self::Suspend),
        ("silent", Self::Silent),
        ("anonymous", Self::Anonymous),
        ("spoof", Self::Spoof),
    ];
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, scenario)| scenario == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

/// There is no scenario of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no scenario {wanted:?}; there are {}", Scenario::ALL.map(|(name, _)| name).join(", "))]
pub struct NoScenario {
    wanted: String,
}

impl FromStr for Scenario {
    type Err = NoScenario;

    fn from_str(text: &str) -> Result<Self, NoScenario> {
        Self::ALL
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, scenario)| *scenario)
            .ok_or_else(|| NoScenario { wanted: text.to_owned() })
    }
}

/// What the caller does now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    Press(String),
    HangUp,
    /// Read the digits to whoever sits before the page.
    Tell(String),
}

/// One caller on the line.
#[derive(Debug)]
pub(super) struct Script {
    scenario: Scenario,
    code: String,
    codes_entered: u32,
    told: bool,
}

impl Script {
    pub(super) fn new(scenario: Scenario, code: &str) -> Self {
        Self { scenario, code: code.to_owned(), codes_entered: 0, told: false }
    }

    /// It rings, or the call is at least on its way.
    pub(super) fn progress(&self) -> Option<Deed> {
        (self.scenario == Scenario::HangUp(Stage::Dialling)).then_some(Deed::HangUp)
    }

    pub(super) fn hear(&mut self, meaning: Meaning) -> Option<Deed> {
        match (self.scenario, meaning) {
            (Scenario::Silent, _) => None,
            (Scenario::HangUp(Stage::Warning), Meaning::Beginning(PromptId::WarningNumber))
            | (Scenario::HangUp(Stage::Code), Meaning::EnterCode)
            | (Scenario::HangUp(Stage::Confirm), Meaning::Confirm(_))
            | (Scenario::HangUp(Stage::ReadBack), Meaning::Beginning(PromptId::TypeIntoPage)) => Some(Deed::HangUp),
            // As many keys as a code has, and wrong ones: if they counted, the voice would say so.
            (Scenario::EarlyKeys, Meaning::Beginning(PromptId::WarningNumber)) => Some(Deed::Press(other(&self.code))),
            (Scenario::DialString, Meaning::Beginning(PromptId::WarningNumber) | Meaning::EnterCode) => {
                Some(Deed::Press(format!("{}{GUESS}", self.code)))
            }
            (Scenario::DialString, Meaning::Beginning(PromptId::CertificatesExist)) => {
                Some(Deed::Press("9".repeat(MANY)))
            }
            (Scenario::DialString, _) | (Scenario::Suspend, Meaning::EnterCode) => None,
            (Scenario::Suspend, Meaning::MaySuspend) => Some(Deed::Press("9".into())),
            (_, Meaning::EnterCode) => {
                self.codes_entered += 1;
                let wrong = match self.scenario {
                    Scenario::WrongCode => self.codes_entered == 1,
                    Scenario::ThreeWrongCodes => true,
                    _ => false,
                };
                Some(Deed::Press(if wrong { other(&self.code) } else { self.code.clone() }))
            }
            (Scenario::WrongConfirm, Meaning::Confirm(digit)) => Some(Deed::Press(other(&digit.to_string()))),
            (_, Meaning::Confirm(digit)) => Some(Deed::Press(digit.to_string())),
            (_, Meaning::ReadBack(digits)) if !self.told => {
                self.told = true;
                Some(Deed::Tell(digits))
            }
            (_, Meaning::CouldRepeat) => Some(Deed::Press("*".into())),
            (
                _,
                Meaning::Beginning(_)
                | Meaning::NumberEnding(_)
                | Meaning::MaySuspend
                | Meaning::KeyCheck(_)
                | Meaning::ReadBack(_),
            ) => None,
        }
    }

    /// After the digits were told.
    pub(super) fn told(&self) -> Option<Deed> {
        (self.scenario == Scenario::HangUp(Stage::Typing)).then_some(Deed::HangUp)
    }
}

/// What a dial string takes for the digit that is asked for later.
const GUESS: char = '5';

/// So many times 9, until one of them is offered: 26 seconds of tones.
const MANY: usize = 120;

/// As many digits, each of them another.
pub(super) fn other(digits: &str) -> String {
    let next = |digit: char| digit.to_digit(10).and_then(|d| char::from_digit((d + 1) % 10, 10)).unwrap_or(digit);
    digits.chars().map(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_called_by_its_name() {
        for (name, scenario) in Scenario::ALL {
            assert_eq!((scenario.to_string().as_str(), name.parse()), (name, Ok(scenario)));
        }
        let error = "sleepy".parse::<Scenario>().unwrap_err().to_string();
        assert!(error.contains("sleepy") && error.contains("hang-up-dialling"), "{error}");
    }

    #[test]
    fn the_good_caller_does_what_is_asked_and_tells_the_digits_once() {
        let mut script = Script::new(Scenario::Happy, "123456");
        assert_eq!(script.hear(Meaning::EnterCode), Some(Deed::Press("123456".into())));
        assert_eq!(script.hear(Meaning::Confirm('9')), Some(Deed::Press("9".into())));
        assert_eq!(script.hear(Meaning::ReadBack("000111".into())), Some(Deed::Tell("000111".into())));
        assert_eq!(script.hear(Meaning::ReadBack("000111".into())), None);
        assert_eq!((script.progress(), script.told()), (None, None));
    }

    #[test]
    fn the_others_do_one_thing_wrong() {
        let press = |keys: &str| Some(Deed::Press(keys.into()));
        let mut once = Script::new(Scenario::WrongCode, "129056");
        assert_eq!([once.hear(Meaning::EnterCode), once.hear(Meaning::EnterCode)], [press("230167"), press("129056")]);
        let mut confirm = Script::new(Scenario::WrongConfirm, "123456");
        assert_eq!(confirm.hear(Meaning::Confirm('9')), press("0"));
        let mut early = Script::new(Scenario::EarlyKeys, "123456");
        assert_eq!(early.hear(Meaning::Beginning(PromptId::WarningNumber)), press("234567"));
        assert_eq!(early.hear(Meaning::EnterCode), press("123456"));
        let mut blind = Script::new(Scenario::DialString, "123456");
        assert_eq!(blind.hear(Meaning::EnterCode), press("1234565"));
        assert_eq!(blind.hear(Meaning::Confirm('9')), None);
        let mut suspends = Script::new(Scenario::Suspend, "123456");
        assert_eq!([suspends.hear(Meaning::EnterCode), suspends.hear(Meaning::MaySuspend)], [None, press("9")]);
        assert_eq!(suspends.hear(Meaning::Confirm('7')), press("7"));
        let mut silent = Script::new(Scenario::Silent, "123456");
        assert_eq!(silent.hear(Meaning::EnterCode), None);
        assert_eq!(Script::new(Scenario::HangUp(Stage::Dialling), "1").progress(), Some(Deed::HangUp));
        assert_eq!(Script::new(Scenario::HangUp(Stage::Typing), "1").told(), Some(Deed::HangUp));
    }
}
