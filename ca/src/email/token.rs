//! Long secrets: what the device keeps, what the link in a mail carries.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use sha2::{Digest, Sha256};

use super::code::Code;

/// 32 random octets. What is stored of it is its hash, so that a stolen database opens no order.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

impl Token {
    /// The token of 32 random octets.
    pub fn from_random(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    /// Reads what [`Token::text`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        // The length first: a stranger's text is not decoded whole to find out.
        if text.len() != 43 {
            return None;
        }
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// For a link, a cookie, a bearer: 43 characters of base64url.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What is stored. A hash is enough: nobody guesses 256 bits.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    /// The code that goes out beside the link of this token. Whoever opens the link elsewhere is shown it, though only
    /// hashes are stored.
    pub fn code(&self, key: &[u8; 32]) -> Code {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
        context.update(b"email-code-of-link-v1/");
        context.update(&self.0);
        let mac = context.sign();
        Code::from_random(mac.as_ref()[..5].try_into().expect("HMAC-SHA-256 has 32 octets"))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_nothing_else_is_one() {
        let token = Token::from_random([0xfb; 32]);
        assert_eq!(Token::parse(&token.text()), Some(token.clone()));
        assert_eq!(token.text().len(), 43);
        for text in ["", &token.text()[1..], &"+".repeat(43), &"é".repeat(43), &(token.text() + "A")] {
            assert_eq!(Token::parse(text), None, "{text}");
        }
        assert_eq!(format!("{token:?}"), "[private]");
    }

    #[test]
    fn the_code_of_a_link_needs_the_link_and_the_key() {
        let token = Token::from_random([1; 32]);
        assert_eq!(token.code(&[1; 32]), token.code(&[1; 32]));
        assert_ne!(token.code(&[1; 32]), token.code(&[2; 32]));
        assert_ne!(token.code(&[1; 32]), Token::from_random([2; 32]).code(&[1; 32]));
    }
}
