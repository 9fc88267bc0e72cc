//! The code of a confirmation mail: eight characters that a person can read aloud and type.

use std::fmt;

use ring::hmac;

/// How often a wrong code may be typed before the order is void: with 40 random bits nobody guesses it.
pub const TRIES: u8 = 5;

/// Crockford's base 32: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 8;
/// More than anybody types with spaces and hyphens between the characters.
const LONGEST_TEXT: usize = 64;

/// A code of 40 bits. Compare codes by [`Code::mac`], never as text.
#[derive(Clone, PartialEq, Eq)]
pub struct Code([u8; LENGTH]);

impl Code {
    /// The code of five random octets.
    pub fn from_random(octets: [u8; 5]) -> Self {
        let bits = octets.iter().fold(0_u64, |bits, octet| bits << 8 | u64::from(*octet));
        let character = |place: usize| ALPHABET[(bits >> (5 * (LENGTH - 1 - place))) as usize & 31];
        Self(std::array::from_fn(character))
    }

    /// Reads a code as a person types it: in either case, with spaces or hyphens, O for 0, I or L for 1. `None` if it is
    /// no code: that costs nobody a try.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST_TEXT {
            return None;
        }
        let typed = text.bytes().filter(|octet| !octet.is_ascii_whitespace() && *octet != b'-');
        let read: Vec<u8> = typed.map(meant).collect::<Option<_>>()?;
        read.try_into().ok().map(Self)
    }

    /// As it is shown: `ABCD-EFGH`.
    pub fn grouped(&self) -> String {
        let text = std::str::from_utf8(&self.0).expect("the alphabet is ASCII");
        format!("{}-{}", &text[..LENGTH / 2], &text[LENGTH / 2..])
    }

    /// What is stored instead of the code: it cannot be searched for without the key, and fits one order only.
    pub fn mac(&self, order: &[u8; 16], key: &[u8; 32]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
        context.update(b"email-code-v1/");
        context.update(order);
        context.update(&self.0);
        context.sign().as_ref().try_into().expect("HMAC-SHA-256 has 32 octets")
    }
}

/// The character of the alphabet that somebody means by another one.
fn meant(typed: u8) -> Option<u8> {
    let upper = match typed.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    };
    ALPHABET.contains(&upper).then_some(upper)
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn forty_bits_become_eight_characters() {
        assert_eq!(Code::from_random([0; 5]).grouped(), "0000-0000");
        assert_eq!(Code::from_random([0xff; 5]).grouped(), "ZZZZ-ZZZZ");
        // 00001 00010 00011 00100 00101 00110 00111 01000
        assert_eq!(Code::from_random([0x08, 0x86, 0x42, 0x98, 0xe8]).grouped(), "1234-5678");
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = Code::from_random([0x08, 0x00, 0x42, 0x98, 0xe8]);
        assert_eq!(code.grouped(), "1004-5678");
        for text in ["1004-5678", "10045678", " 1004 5678 ", "loo4-5678", "IOO45678", "1-0-0-4-5-6-7-8"] {
            assert_eq!(Code::parse(text).as_ref(), Some(&code), "{text}");
        }
        for text in ["", "1004567", "100456789", "1004-567U", "1004-567é", &"1".repeat(9), &" ".repeat(65)] {
            assert_eq!(Code::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_stored_differs_by_order_key_and_code() {
        let code = Code::from_random([1; 5]);
        let stored = code.mac(&[1; 16], &[1; 32]);
        assert_eq!(code.mac(&[1; 16], &[1; 32]), stored);
        assert_ne!(code.mac(&[2; 16], &[1; 32]), stored);
        assert_ne!(code.mac(&[1; 16], &[2; 32]), stored);
        assert_ne!(Code::from_random([2; 5]).mac(&[1; 16], &[1; 32]), stored);
        assert_eq!(format!("{code:?}"), "[private]");
    }

    proptest! {
        #[test]
        fn every_code_is_read_back(octets: [u8; 5]) {
            let code = Code::from_random(octets);
            prop_assert_eq!(Code::parse(&code.grouped().to_lowercase()), Some(code));
        }

        #[test]
        fn any_text_is_a_code_or_none(text in ".{0,80}") {
            if let Some(code) = Code::parse(&text) {
                prop_assert_eq!(Code::parse(&code.grouped()), Some(code));
            }
        }
    }
}
