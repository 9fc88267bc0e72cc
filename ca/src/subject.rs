//! Whom a certificate names. The CA trusts no caller: it checks the spelling again.

use std::fmt;

use crate::email::Address;

/// The identity that a certificate is issued to.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A telephone number.
    Tel(Tel),
    /// A mailbox.
    Email(Address),
}

/// An E.164 number: `+` and 7 to 15 digits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Tel(String);

/// The text is no E.164 number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a telephone number is + and 7 to 15 digits, the first not 0, without separators")]
pub struct BadTel;

impl Subject {
    /// The subject of a certificate for a telephone number. Whoever calls this vouches that the number was proved.
    ///
    /// # Errors
    /// [`BadTel`] if it is not spelled as E.164 with `+`.
    pub fn tel(number: &str) -> Result<Self, BadTel> {
        let digits = number.strip_prefix('+').ok_or(BadTel)?;
        let well_formed = (7..=15).contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && !digits.starts_with('0');
        if well_formed { Ok(Self::Tel(Tel(number.to_owned()))) } else { Err(BadTel) }
    }

    /// The subject of a certificate for a mailbox.
    pub fn email(address: Address) -> Self {
        Self::Email(address)
    }

    /// The identity in the spelling under which it is unique: `tel:+12025550143` or `mailto:` and the folded address.
    /// It is private: never log it.
    pub fn identity(&self) -> String {
        match self {
            Self::Tel(tel) => tel.uri(),
            Self::Email(address) => format!("mailto:{}", address.key()),
        }
    }
}

impl Tel {
    /// `+12025550143`
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `tel:+12025550143`, the global form of RFC 3966.
    pub fn uri(&self) -> String {
        format!("tel:{}", self.0)
    }

    /// `12025550143`
    pub(crate) fn digits(&self) -> &str {
        &self.0[1..]
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tel(_) => "Tel([private])",
            Self::Email(_) => "Email([private])",
        })
    }
}

impl fmt::Debug for Tel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_e164_is_a_number() {
        let table = [
            ("+12025550143", true),
            ("+1234567", true),
            ("+123456789012345", true),
            ("12025550143", false),
            ("+02025550143", false),
            ("+123456", false),
            ("+1234567890123456", false),
            ("+1 2025550143", false),
            ("+1202555014a", false),
            ("+١٢٣٤٥٦٧", false),
            ("", false),
        ];
        for (text, good) in table {
            assert_eq!(Subject::tel(text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn a_subject_is_private() {
        let tel = Subject::tel("+12025550143").unwrap();
        let email = Subject::email(Address::parse("someone@example.org").unwrap());
        for printed in [format!("{tel:?}"), format!("{email:?}")] {
            assert!(printed.contains("[private]"), "{printed}");
            assert!(!printed.contains("2025550143") && !printed.contains("example"), "{printed}");
        }
    }
}
