//! One-time codes: six digits, drawn without bias.

/// Six digits. Compare codes by their HMAC (constant time), never as text.
#[derive(Clone, PartialEq, Eq)]
pub struct Code([u8; 6]);

impl Code {
    /// Six ASCII digits, nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; 6] = text.as_bytes().try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(Self(digits))
    }

    /// A code from a generator, every one of the million equally likely.
    pub fn draw(chance: &mut impl rand_core::Rng) -> Self {
        // 4294 * 1_000_000 is the largest multiple below 2^32: what is above is drawn again, so that no code is likelier.
        let n = loop {
            let n = chance.next_u32();
            if n < 4_294_000_000 {
                break n % 1_000_000;
            }
        };
        let mut digits = [b'0'; 6];
        let mut rest = n;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).expect("a remainder of ten fits");
            rest /= 10;
        }
        Self(digits)
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
