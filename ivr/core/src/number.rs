//! Telephone numbers: one type, one spelling. A certificate names a number, so nothing may repair one number into
//! another: [`Number::parse`] takes exactly the E.164 spelling or refuses. What a person typed into the web form goes
//! through [`Number::read`], which reads forgivingly and then applies the same rule.

mod plans;

use std::str::FromStr;

use rlibphonenumber::{PhoneNumber, PhoneNumberFormat, PhoneNumberType, PhoneNumberUtil, Region};

use self::plans::PLANS;
use crate::private::Private;

/// An E.164 number that is valid and spelled exactly as libphonenumber spells it: `+` and digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Number {
    digits: String,
    country: Country,
    kind: Kind,
}

impl Number {
    /// The strict reading: `+`, 7 to 15 digits, the first not 0; a number that exists; and its E.164 spelling is the
    /// text itself, byte for byte.
    ///
    /// ```
    /// use ivr_core::number::Number;
    /// assert_eq!(Number::parse("+12025550143")?.as_str(), "+12025550143");
    /// assert!(Number::parse("+1 202 555 0143").is_err());
    /// # Ok::<(), ivr_core::number::NumberError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        check_shape(text)?;
        let plans = PLANS.get();
        let parsed = plans.parse(text, None).map_err(|_| NumberError::Unassigned)?;
        // A valid number is one that the plan of a region (be it the one of the numbers without a country) gives a kind.
        let kind = Kind::of(&parsed, &plans).ok_or(NumberError::Unassigned)?;
        let spelled = plans.format(&parsed, PhoneNumberFormat::E164).into_owned();
        if spelled != text {
            return Err(NumberError::Misspelled { meant: Private::new(spelled) });
        }
        let country = plans.get_region_for_number(&parsed).ok_or(NumberError::Unassigned)?;
        Ok(Self { digits: spelled, country: Country(country), kind })
    }

    /// The forgiving reading of what a person typed: any separators, `tel:`, a trunk prefix, an international prefix,
    /// or the national spelling of `default_country`. What comes out went through [`Number::parse`].
    pub fn read(typed: &str, default_country: Option<Country>) -> Result<Self, NumberError> {
        let plain = plain_text(typed)?;
        if let Some(number) = read_with(&plain, default_country) {
            return Ok(number);
        }
        // The international prefix of most of the world, typed where it is not the default country's own.
        if let Some(number) = plain.strip_prefix("00").and_then(|rest| read_with(&format!("+{rest}"), None)) {
            return Ok(number);
        }
        if plain.starts_with('+') {
            // The strict rule knows best what is wrong with it.
            let bare: String = plain.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
            return Self::parse(&bare);
        }
        match plain.bytes().filter(u8::is_ascii_digit).count() {
            0..MIN_DIGITS => Err(NumberError::TooShort),
            _ if default_country.is_none() => Err(NumberError::NoCountry),
            _ => Err(NumberError::Unassigned),
        }
    }

    /// `+12025550143`
    pub fn as_str(&self) -> &str {
        &self.digits
    }

    /// For people: `+1 202-555-0143`.
    pub fn international(&self) -> String {
        let plans = PLANS.get();
        match plans.parse(&self.digits, None) {
            Ok(parsed) => plans.format(&parsed, PhoneNumberFormat::International).into_owned(),
            Err(_) => self.digits.clone(),
        }
    }

    /// The last four digits, which lists and logs of the console may show.
    pub fn last4(&self) -> &str {
        &self.digits[self.digits.len() - 4..]
    }

    /// The country it belongs to.
    pub fn country(&self) -> Country {
        self.country
    }

    /// What kind of line it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl std::fmt::Debug for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[private]")
    }
}

/// A country by ISO 3166-1 alpha-2 (`US`), or `001` for numbers that belong to none, such as +883.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country(Region);

impl Country {
    /// Numbers of no country: international networks and freephone.
    pub const NONE: Self = Self(Region::World);

    /// Digits that stand before a national number: 1 for US and CA, 49 for DE.
    pub fn calling_code(self) -> Option<u16> {
        PLANS.get().get_country_code_for_region(self.0).and_then(|code| u16::try_from(code).ok())
    }
}

impl std::fmt::Display for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.as_region_str())
    }
}

impl std::fmt::Debug for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl FromStr for Country {
    type Err = NotACountry;

    /// Two upper-case letters of a country that has a telephone numbering plan.
    fn from_str(text: &str) -> Result<Self, NotACountry> {
        if text.len() != 2 || !text.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(NotACountry);
        }
        let country = Self(Region::from_code(text).map_err(|_| NotACountry)?);
        country.calling_code().map(|_| country).ok_or(NotACountry)
    }
}

/// The text is not the ISO code of a country with telephones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no country with telephone numbers: write two capital letters of ISO 3166, such as US or DE")]
pub struct NotACountry;

/// What kind of line a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Fixed, mobile, or where the plan does not tell them apart, either.
    Subscriber,
    /// A line of an internet telephony provider.
    Voip,
    /// A number that its owner moves between lines.
    Personal,
    /// Free for the caller.
    TollFree,
    /// Dearer for the caller.
    Premium,
    /// Caller and called share the cost.
    SharedCost,
    /// One number for all offices of a company.
    UniversalAccess,
    /// A pager.
    Pager,
    /// An access number of a mailbox.
    Voicemail,
}

impl Kind {
    /// That of the plan; `None` if no plan has the number.
    fn of(number: &PhoneNumber, plans: &PhoneNumberUtil) -> Option<Self> {
        Some(match plans.get_number_type(number) {
            PhoneNumberType::FixedLine | PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile => {
                Self::Subscriber
            }
            PhoneNumberType::VoIP => Self::Voip,
            PhoneNumberType::PersonalNumber => Self::Personal,
            PhoneNumberType::TollFree => Self::TollFree,
            PhoneNumberType::PremiumRate => Self::Premium,
            PhoneNumberType::SharedCost => Self::SharedCost,
            PhoneNumberType::UAN => Self::UniversalAccess,
            PhoneNumberType::Pager => Self::Pager,
            PhoneNumberType::VoiceMail => Self::Voicemail,
            PhoneNumberType::Unknown => return None,
        })
    }

    /// May a number of this kind be proved? Only a line that one person answers may.
    pub fn is_permitted(self, policy: KindPolicy) -> bool {
        match self {
            Self::Subscriber => true,
            Self::Voip => policy.voip,
            Self::Personal => policy.personal,
            Self::TollFree
            | Self::Premium
            | Self::SharedCost
            | Self::UniversalAccess
            | Self::Pager
            | Self::Voicemail => false,
        }
    }

    /// For a page: `a toll-free number`.
    pub fn described(self) -> &'static str {
        match self {
            Self::Subscriber => "a fixed or mobile line",
            Self::Voip => "an internet telephony number",
            Self::Personal => "a personal number",
            Self::TollFree => "a toll-free number",
            Self::Premium => "a premium-rate number",
            Self::SharedCost => "a shared-cost number",
            Self::UniversalAccess => "a company's universal access number",
            Self::Pager => "a pager",
            Self::Voicemail => "a voicemail access number",
        }
    }
}

/// Kinds of lines about which operators differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindPolicy {
    /// Internet telephony numbers may be proved.
    pub voip: bool,
    /// Personal numbers may be proved.
    pub personal: bool,
}

impl Default for KindPolicy {
    fn default() -> Self {
        Self { voip: true, personal: false }
    }
}

/// Why a text is not taken as a number. No variant prints the number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not `+` and digits.
    #[error("a number is written as + and digits without spaces, country code first")]
    NotDigits,
    /// No `+`, and no country to read it in.
    #[error("the country code is missing: write + and the country code first")]
    NoCountry,
    /// Short codes and emergency numbers are of this length; they are nobody's line.
    #[error("the number is too short to be a telephone line with its country code")]
    TooShort,
    /// More than 15 digits (E.164).
    #[error("the number has more than 15 digits")]
    TooLong,
    /// No numbering plan has it.
    #[error("no numbering plan has this number")]
    Unassigned,
    /// It exists, but is spelled otherwise.
    #[error("the number is spelled with a digit too many or too few")]
    Misspelled {
        /// "Did you mean"
        meant: Private<String>,
    },
}

impl NumberError {
    /// The number that was probably meant, for the page of the person who typed it.
    pub fn did_you_mean(&self) -> Option<&str> {
        match self {
            Self::Misspelled { meant } => Some(meant.expose()),
            Self::NotDigits | Self::NoCountry | Self::TooShort | Self::TooLong | Self::Unassigned => None,
        }
    }
}

/// Gives back the memory of the numbering plans, 6 MiB, until the next number is read: for a program that read its own numbers and now
/// waits for somebody's.
pub fn forget_plans() {
    PLANS.forget();
}

/// `^\+[1-9][0-9]{6,14}$`
fn check_shape(text: &str) -> Result<(), NumberError> {
    let digits = text.strip_prefix('+').ok_or(NumberError::NotDigits)?;
    if digits.starts_with('0') || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NumberError::NotDigits);
    }
    match digits.len() {
        0..MIN_DIGITS => Err(NumberError::TooShort),
        MIN_DIGITS..=MAX_DIGITS => Ok(()),
        _ => Err(NumberError::TooLong),
    }
}

/// What was typed, without `tel:`, with every separator a space; letters are refused, because a vanity spelling or an
/// extension is not for us to guess.
fn plain_text(typed: &str) -> Result<String, NumberError> {
    let typed = typed.trim();
    if typed.len() > MAX_TYPED_BYTES {
        return Err(NumberError::TooLong);
    }
    let typed = match typed.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("tel:") => &typed[4..],
        _ => typed,
    };
    let mut plain = String::with_capacity(typed.len());
    for c in typed.chars() {
        match c {
            '0'..='9' => plain.push(c),
            // Full-width digits and plus, which East Asian keyboards write.
            '０'..='９' => plain.push(char::from(b'0' + u8::try_from(c as u32 - '０' as u32).unwrap_or_default())),
            '+' | '＋' if plain.trim().is_empty() => plain.push('+'),
            '(' | ')' => plain.push(c),
            ' ' | '-' | '.' | '/' | '\t' | '\u{a0}' | '\u{2010}'..='\u{2015}' | '\u{2009}' | '\u{202f}' => {
                plain.push(' ');
            }
            // Marks of direction that come with a number copied out of a right-to-left page.
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            _ => return Err(NumberError::NotDigits),
        }
    }
    if plain.bytes().any(|b| b.is_ascii_digit()) { Ok(plain) } else { Err(NumberError::NotDigits) }
}

fn read_with(plain: &str, country: Option<Country>) -> Option<Number> {
    // With a + the number names its country itself; another one would only strip the wrong trunk prefix.
    let country = country.filter(|_| !plain.starts_with('+')).map(|Country(region)| region);
    let plans = PLANS.get();
    let parsed = plans.parse(plain, country).ok()?;
    Number::parse(&plans.format(&parsed, PhoneNumberFormat::E164)).ok()
}

const MIN_DIGITS: usize = 7;
const MAX_DIGITS: usize = 15;
/// Longer than any number with its separators; what is longer was not typed by a person.
const MAX_TYPED_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_e164_spelling_is_a_number() {
        let table: &[(&str, &str, Result<(), NumberError>)] = &[
            ("US", "+12025550143", Ok(())),
            ("DE, short area", "+4930123456", Ok(())),
            ("IT keeps its zero", "+390612345678", Ok(())),
            ("GB", "+442079460018", Ok(())),
            ("no country", "+883510012345678", Ok(())),
            ("no plus", "12025550143", Err(NumberError::NotDigits)),
            ("separators", "+1 202 555 0143", Err(NumberError::NotDigits)),
            ("letters", "+1202555CALL", Err(NumberError::NotDigits)),
            ("full-width digits", "+１２０２５５５０１４３", Err(NumberError::NotDigits)),
            ("zero first", "+012025550143", Err(NumberError::NotDigits)),
            ("two pluses", "++12025550143", Err(NumberError::NotDigits)),
            ("trailing newline", "+12025550143\n", Err(NumberError::NotDigits)),
            ("empty", "", Err(NumberError::NotDigits)),
            ("plus alone", "+", Err(NumberError::TooShort)),
            ("emergency", "+1911", Err(NumberError::TooShort)),
            ("short code", "+144444", Err(NumberError::TooShort)),
            ("16 digits", "+1202555014312345", Err(NumberError::TooLong)),
            ("no such area code", "+11235550143", Err(NumberError::Unassigned)),
            ("unassigned country", "+9991234567", Err(NumberError::Unassigned)),
            (
                "trunk zero",
                "+4402079460018",
                Err(NumberError::Misspelled { meant: Private::new("+442079460018".to_owned()) }),
            ),
            (
                "trunk zero in DE",
                "+49030123456",
                Err(NumberError::Misspelled { meant: Private::new("+4930123456".to_owned()) }),
            ),
        ];
        for (name, given, expected) in table {
            assert_eq!(Number::parse(given).map(|_| ()), *expected, "{name}: {given}");
        }
    }

    #[test]
    fn what_a_person_types_is_read_forgivingly() {
        let table: &[(&str, Option<&str>, Result<&str, NumberError>)] = &[
            ("+1 (202) 555-0143", None, Ok("+12025550143")),
            ("+1.202.555.0143", None, Ok("+12025550143")),
            ("tel:+1-202-555-0143", None, Ok("+12025550143")),
            ("(202) 555-0143", Some("US"), Ok("+12025550143")),
            ("2025550143", Some("US"), Ok("+12025550143")),
            ("12025550143", Some("US"), Ok("+12025550143")),
            ("011 49 30 123456", Some("US"), Ok("+4930123456")),
            ("0049 30 123456", Some("DE"), Ok("+4930123456")),
            ("0049 30 123456", None, Ok("+4930123456")),
            ("0049 30 123456", Some("US"), Ok("+4930123456")),
            ("030 123456", Some("DE"), Ok("+4930123456")),
            ("+44 (0)20 7946 0018", None, Ok("+442079460018")),
            ("+44 (0)20 7946 0018", Some("US"), Ok("+442079460018")),
            ("06 1234 5678", Some("IT"), Ok("+390612345678")),
            ("＋１ ２０２ ５５５ ０１４３", None, Ok("+12025550143")),
            ("\u{202a}+1 202\u{2011}555\u{2011}0143\u{202c}", None, Ok("+12025550143")),
            ("2025550143", None, Err(NumberError::NoCountry)),
            ("911", Some("US"), Err(NumberError::TooShort)),
            ("+1 911", None, Err(NumberError::TooShort)),
            ("+1 202 555 0143 ext. 7", None, Err(NumberError::NotDigits)),
            ("1-800-FLOWERS", Some("US"), Err(NumberError::NotDigits)),
            ("", None, Err(NumberError::NotDigits)),
            ("someone@example.org", None, Err(NumberError::NotDigits)),
        ];
        for (typed, country, expected) in table {
            let country = country.map(|text| text.parse().unwrap());
            let read = Number::read(typed, country);
            assert_eq!(read.as_ref().map(Number::as_str), expected.as_deref(), "{typed} in {country:?}");
        }
    }

    #[test]
    fn a_number_knows_its_country_its_kind_and_its_end() {
        let table = [
            ("+12025550143", "US", Kind::Subscriber),
            ("+14165550143", "CA", Kind::Subscriber),
            ("+447400123456", "GB", Kind::Subscriber),
            ("+18002345678", "US", Kind::TollFree),
            ("+19002345678", "US", Kind::Premium),
            ("+491805123456", "DE", Kind::SharedCost),
            ("+445512345678", "GB", Kind::UniversalAccess),
            ("+445612345678", "GB", Kind::Voip),
            ("+447012345678", "GB", Kind::Personal),
            ("+447640123456", "GB", Kind::Pager),
            ("+80012345678", "001", Kind::TollFree),
        ];
        for (text, country, kind) in table {
            let number = Number::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((number.country().to_string().as_str(), number.kind()), (country, kind), "{text}");
            assert_eq!(number.last4(), &text[text.len() - 4..]);
        }
    }

    #[test]
    fn only_lines_that_a_person_answers_may_be_proved() {
        let strict = KindPolicy { voip: false, personal: false };
        let lax = KindPolicy { voip: true, personal: true };
        for (kind, strictly, laxly) in [
            (Kind::Subscriber, true, true),
            (Kind::Voip, false, true),
            (Kind::Personal, false, true),
            (Kind::TollFree, false, false),
            (Kind::Premium, false, false),
            (Kind::SharedCost, false, false),
            (Kind::UniversalAccess, false, false),
            (Kind::Pager, false, false),
            (Kind::Voicemail, false, false),
        ] {
            assert_eq!((kind.is_permitted(strict), kind.is_permitted(lax)), (strictly, laxly), "{kind:?}");
        }
    }

    #[test]
    fn countries_are_those_with_a_numbering_plan() {
        assert_eq!("US".parse::<Country>().unwrap().calling_code(), Some(1));
        assert_eq!("DE".parse::<Country>().unwrap().calling_code(), Some(49));
        for text in ["", "us", "USA", "001", "ZZ", "U1", "é"] {
            assert_eq!(text.parse::<Country>(), Err(NotACountry), "{text}");
        }
    }

    #[test]
    fn people_see_groups_and_logs_see_nothing() {
        let number = Number::parse("+12025550143").unwrap();
        assert_eq!(number.international(), "+1 202-555-0143");
        assert_eq!(format!("{number:?}"), "[private]");
        let error = Number::parse("+4402079460018").unwrap_err();
        assert_eq!(error.did_you_mean(), Some("+442079460018"));
        assert!(!format!("{error} {error:?}").contains("7946"), "{error:?}");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_readers_panic(typed in "\\PC{0,40}") {
            let _ = Number::parse(&typed);
            let _ = Number::read(&typed, "US".parse().ok());
            let _ = Number::read(&typed, None);
        }

        #[test]
        fn number_like_text_never_panics_and_what_is_read_is_strict(typed in "[+0]?[0-9 ()./-]{0,24}") {
            for country in [None, "US".parse().ok(), "DE".parse().ok(), "AR".parse().ok()] {
                if let Ok(number) = Number::read(&typed, country) {
                    prop_assert_eq!(Number::parse(number.as_str()), Ok(number.clone()));
                }
            }
        }
    }
}
