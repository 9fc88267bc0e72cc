//! The key check: four digits that tell an app whether a call is about the key that it made itself. The voice says them
//! before the read-back, and the app works them out (docs/protocol.md, "The key check"); no message carries them.

use sha2::{Digest, Sha256};

use crate::call::question::VerificationId;
use crate::code;

/// Four digits. The call of somebody else's verification has others, but for one in ten thousand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyCheck([u8; DIGITS]);

impl KeyCheck {
    /// Of a key, as DER SubjectPublicKeyInfo, in a verification: the first four octets of SHA-256 of both, as a number, and
    /// of that the last four digits.
    pub fn of(spki: &[u8], verification: VerificationId) -> Self {
        let hash = Sha256::new().chain_update(spki).chain_update(verification.0).finalize();
        Self(code::decimal(u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])))
    }

    /// Four ASCII digits, nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; DIGITS] = text.as_bytes().try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(Self(digits))
    }

    /// The digits as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits are ASCII")
    }
}

impl std::fmt::Debug for KeyCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[private]")
    }
}

const DIGITS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    /// The vectors of docs/protocol.md, made with Python's hashlib: the P-256 key of RFC 6979 A.2.5, the Ed25519 key of RFC 8032
    /// 7.1, TEST 1.
    #[test]
    fn other_programs_find_the_same_digits() {
        let table = [
            (
                "3059301306072a8648ce3d020106082a8648ce3d030107034200\
                 0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
                 7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
                "000102030405060708090a0b0c0d0e0f",
                "5029",
            ),
            (
                "302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                "52525252525252525252525252525252",
                "0005",
            ),
        ];
        for (spki, verification, digits) in table {
            let check = KeyCheck::of(&octets(spki), verification.parse().unwrap());
            assert_eq!((check.as_str(), KeyCheck::parse(digits)), (digits, Some(check)));
        }
    }

    #[test]
    fn only_four_ascii_digits_are_one() {
        for text in ["", "123", "12345", "12a4", " 123", "１２３４"] {
            assert_eq!(KeyCheck::parse(text), None, "{text}");
        }
        assert_eq!(format!("{:?}", KeyCheck::parse("0005")), "Some([private])");
    }
}
