//! Email addresses: which are accepted, how they are written into a certificate, when two are the same.
//!
//! An address has two spellings. The *verbatim* one goes into the certificate and onto the envelope of the mail, because
//! only the receiving server knows what its local parts mean. The *key* decides whether two addresses are one identity.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_security::{GeneralSecurityProfile, MixedScript};

/// An address that mail can be sent to and that a certificate can name.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address {
    verbatim: String,
    key: String,
}

/// Why an address is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// No local part or no domain.
    #[error("an email address is written local@domain")]
    Shape,
    /// Longer than mail can carry.
    #[error("an email address has at most 254 octets, 64 of them before the @")]
    TooLong,
    /// A quoted local part or a comment.
    #[error("quoted local parts and comments are not accepted")]
    Quoted,
    /// A character that a local part cannot have.
    #[error("the part before the @ has a character or a dot where none may be")]
    Local,
    /// Characters that look like others, or cannot be seen.
    #[error("the part before the @ mixes scripts or has invisible characters")]
    Confusable,
    /// Not a domain name.
    #[error("the part after the @ is not a domain name")]
    Domain,
    /// An IP address in brackets.
    #[error("an address at an IP address is not accepted")]
    Literal,
}

impl Address {
    /// Reads an address as a person typed it, without spaces around it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, BadAddress> {
        if text.contains(['"', '(', ')']) {
            return Err(BadAddress::Quoted);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(BadAddress::Shape)?;
        check_local(local)?;
        let ascii_domain = a_label(domain)?;
        // RFC 9598 3: the domain of a certificate's mailbox is made of A-labels.
        let shown_domain = if domain.is_ascii() { domain } else { &ascii_domain };
        let verbatim = format!("{local}@{shown_domain}");
        let folded = fold(local);
        // A letter and its mark may be allowed where what they compose to is not.
        check_clear(local)?;
        check_clear(&folded)?;
        let key = format!("{folded}@{ascii_domain}");
        // RFC 5321 4.5.3.1: 64 octets of local part, and a path of 256 with its brackets.
        if local.len() > 64 || verbatim.len() > 254 || key.len() > 254 {
            return Err(BadAddress::TooLong);
        }
        Ok(Self { verbatim, key })
    }

    /// The address as typed, its domain in A-labels: what certificates name and mail goes to. Private: never log it.
    pub fn verbatim(&self) -> &str {
        &self.verbatim
    }

    /// The spelling under which the address is one identity: local part in NFC with ASCII letters in lower case, domain
    /// as lower-case A-labels. Tags and dots stay: only the receiving server knows whether they matter. Private.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The domain as lower-case A-labels.
    pub fn domain(&self) -> &str {
        self.parts().1
    }

    /// Local part and domain of the key.
    fn parts(&self) -> (&str, &str) {
        self.key.rsplit_once('@').expect("a key is written with an @")
    }
}

/// RFC 5321 4.1.2, RFC 6531 3.3: a dot-atom, of ASCII's atext and whatever is not ASCII.
fn check_local(local: &str) -> Result<(), BadAddress> {
    if local.is_empty() {
        return Err(BadAddress::Shape);
    }
    let atext = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    if local.split('.').any(str::is_empty) || !local.chars().all(|c| c == '.' || !c.is_ascii() || atext(c)) {
        return Err(BadAddress::Local);
    }
    Ok(())
}

/// The local part as the key has it. Composed twice: a small letter may compose with its mark where the capital does not.
fn fold(local: &str) -> String {
    local.nfc().map(|c| c.to_ascii_lowercase()).nfc().collect()
}

/// UTS 39 3.1 leaves out what cannot be seen or turns the direction of writing; 5.1 says what mixes scripts.
fn check_clear(local: &str) -> Result<(), BadAddress> {
    let clear = local.chars().all(|c| c.is_ascii() || c.identifier_allowed());
    if clear && local.is_single_script() { Ok(()) } else { Err(BadAddress::Confusable) }
}

fn a_label(domain: &str) -> Result<String, BadAddress> {
    if domain.starts_with('[') {
        return Err(BadAddress::Literal);
    }
    let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| BadAddress::Domain)?;
    let mut labels = ascii.rsplit('.');
    let top = labels.next().unwrap_or_default();
    let is_name = !top.is_empty() && labels.next().is_some() && !top.bytes().all(|octet| octet.is_ascii_digit());
    if is_name { Ok(ascii) } else { Err(BadAddress::Domain) }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Result<String, BadAddress> {
        Address::parse(text).map(|address| address.key().to_owned())
    }

    #[test]
    fn case_composition_and_the_spelling_of_the_domain_make_no_other_identity() {
        let spellings = ["ju\u{308}rg@münchen.example", "jürg@xn--mnchen-3ya.example", "JüRG@MÜNCHEN.EXAMPLE"];
        for text in spellings {
            assert_eq!(key(text).as_deref(), Ok("jürg@xn--mnchen-3ya.example"), "{text}");
        }
        assert_ne!(key("j.urg+tag@example.org"), key("jurg@example.org"));
    }

    #[test]
    fn what_cannot_be_an_address_is_refused_with_its_reason() {
        let cases = [
            ("nobody", BadAddress::Shape),
            ("@example.org", BadAddress::Shape),
            ("\"a b\"@example.org", BadAddress::Quoted),
            ("a..b@example.org", BadAddress::Local),
            ("a b@example.org", BadAddress::Local),
            ("a\r\nBcc: b@example.org", BadAddress::Local),
            ("p\u{430}ypal@example.org", BadAddress::Confusable),
            ("a\u{200b}b@example.org", BadAddress::Confusable),
            ("a@[192.0.2.1]", BadAddress::Literal),
            ("a@192.0.2.1", BadAddress::Domain),
            ("a@localhost", BadAddress::Domain),
        ];
        for (text, why) in cases {
            assert_eq!(key(text), Err(why), "{text:?}");
        }
        assert_eq!(key(&format!("{}@example.org", "a".repeat(65))), Err(BadAddress::TooLong));
    }

    /// Found by the fuzz target `address`: letters that are allowed one by one, composed to others.
    #[test]
    fn an_address_is_read_again_from_its_key_and_from_what_was_typed() {
        for local in
            ["B\u{331}", "h\u{331}", "H\u{331}", "\u{1e06}", "A=\u{338}", "e\u{301}", "\u{212a}", "q\u{331}Q\u{331}"]
        {
            let Ok(address) = Address::parse(&format!("{local}@example.org")) else { continue };
            assert_eq!(Address::parse(address.verbatim()), Ok(address.clone()), "{local}");
            assert_eq!(key(address.key()).as_deref(), Ok(address.key()), "{local}");
        }
    }
}
