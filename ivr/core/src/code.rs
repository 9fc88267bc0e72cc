//! One-time codes: six digits, drawn without bias.

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Six digits. Compare codes by their HMAC (constant time), never as text.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Code([u8; DIGITS]);

impl Code {
    /// Six ASCII digits, nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; DIGITS] = text.as_bytes().try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(Self(digits))
    }

    /// A code from a generator, every one of the million equally likely.
    pub fn draw(chance: &mut impl rand_core::Rng) -> Self {
        Self(decimal(below(1_000_000, chance)))
    }

    /// The digits as text, for the voice, the page and the HMAC.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits are ASCII")
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[private]")
    }
}

/// A code while it is keyed in, digit by digit.
#[derive(Default, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Keyed {
    digits: [u8; DIGITS],
    count: usize,
}

impl Keyed {
    /// One digit more; the code, once it is whole. Other keys change nothing.
    pub(crate) fn press(&mut self, key: char) -> Option<Code> {
        if key.is_ascii_digit() && self.count < DIGITS {
            self.digits[self.count] = ascii_digit(key.to_digit(10)?);
            self.count += 1;
        }
        (self.count == DIGITS).then_some(Code(self.digits))
    }

    /// No digit yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl std::fmt::Debug for Keyed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[private]")
    }
}

/// One digit, every one of the ten equally likely: the key that confirms.
pub(crate) fn draw_digit(chance: &mut impl rand_core::Rng) -> char {
    char::from(ascii_digit(below(10, chance)))
}

/// A number below `limit`, without bias: draws above the largest multiple of `limit` are drawn again.
fn below(limit: u32, chance: &mut impl rand_core::Rng) -> u32 {
    let fair = u32::MAX - u32::MAX % limit;
    loop {
        let drawn = chance.next_u32();
        if drawn < fair {
            return drawn % limit;
        }
    }
}

/// The last decimal digits of a number, in ASCII.
pub(crate) fn decimal<const DIGITS: usize>(mut number: u32) -> [u8; DIGITS] {
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = ascii_digit(number);
        number /= 10;
    }
    digits
}

/// The last decimal digit of a number, in ASCII.
fn ascii_digit(number: u32) -> u8 {
    b'0' + u8::try_from(number % 10).expect("a remainder of ten fits")
}

/// Wrong codes that calls may key in against one verification.
pub const WRONG_CODES: u8 = 6;
/// Wrong digits of a read-back that its page may post.
pub const WRONG_READ_BACKS: u8 = 3;
const DIGITS: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    /// A generator that gives these numbers and then nothing.
    struct Given(Vec<u32>);

    impl rand_core::TryRng for Given {
        type Error = std::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(self.0.remove(0))
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            unreachable!("codes are drawn from 32 bits")
        }

        fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
            unreachable!("codes are drawn from 32 bits")
        }
    }

    #[test]
    fn only_six_ascii_digits_are_a_code() {
        assert_eq!(Code::parse("012345").as_ref().map(Code::as_str), Some("012345"));
        for text in ["", "12345", "1234567", "12345a", " 12345", "１２３４５６", "-12345"] {
            assert_eq!(Code::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_draw_that_would_favour_small_codes_is_repeated() {
        assert_eq!(Code::draw(&mut Given(vec![4_294_000_000, u32::MAX, 1_000_042])).as_str(), "000042");
        assert_eq!(Code::draw(&mut Given(vec![4_293_999_999])).as_str(), "999999");
        assert_eq!(draw_digit(&mut Given(vec![4_294_967_290, u32::MAX, 13])), '3');
    }

    #[test]
    fn a_code_is_whole_with_its_sixth_digit_and_other_keys_do_not_count() {
        let mut keyed = Keyed::default();
        for key in "12#3A45".chars() {
            assert_eq!(keyed.press(key), None);
        }
        assert_eq!(keyed.press('6').as_ref().map(Code::as_str), Some("123456"));
        assert_eq!(format!("{keyed:?}"), "[private]");
    }
}
