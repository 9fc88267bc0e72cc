//! What the mails say and carry, as plain data: whoever sends them makes the headers. Plain text, lines of at most 78
//! characters, no tracking, and nothing that a stranger typed but the address that the mail goes to.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;

use super::address::Address;
use super::certs_only::certs_only;
use super::code::Code;

/// A mail. Its Debug tells nothing: it has a name, a code and links in it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// The verbatim spelling of a checked address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Lines ended by `\n`.
    pub text: String,
    /// In this order.
    pub attachments: Vec<Attachment>,
}

/// A file that comes with a mail.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its file name, ASCII.
    pub name: String,
    /// Its media type with parameters.
    pub content_type: String,
    /// Its octets.
    #[serde(with = "as_base64")]
    pub bytes: Vec<u8>,
}

/// Who writes.
#[derive(Debug, Clone, Copy)]
pub struct Service<'a> {
    /// Its name, one line.
    pub name: &'a str,
    /// Where its pages are.
    pub url: &'a str,
}

/// Who asked, as far as the service knows.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The device, in the service's words, such as `Firefox on Linux`: never a text that the asker chose.
    pub device: &'a str,
    /// SHA-256 of its subjectPublicKeyInfo.
    pub key_sha256: &'a [u8; 32],
}

impl Mail {
    /// Link and code, for whoever reads the mailbox.
    pub fn confirmation(
        to: &Address,
        asker: Asker<'_>,
        (link, code): (&str, &Code),
        until: OffsetDateTime,
        service: Service<'_>,
    ) -> Self {
        let name = service.name;
        let text = format!(
            "Somebody wants a certificate for this mailbox from {name}.\n\
             \n\
             {asked}\
             \n\
             If it was you, open this link in the browser where you asked, and press\n\
             the button there:\n\
             \n\
             {link}\n\
             \n\
             Or type this code into the page or program where you asked:\n\
             \n\
             \x20   {code}\n\
             \n\
             Both work until {until}.\n\
             \n\
             If it was not you, do nothing. Tell nobody the code: whoever wants it from\n\
             you wants a certificate in your name.\n\
             {signature}",
            asked = asked(asker),
            code = code.grouped(),
            until = minute(until),
            signature = signature(service),
        );
        Self::to(to, format!("Is this your mailbox? A certificate from {name}"), text)
    }

    /// The certificate (DER), and with it those above it (DER), the issuer first.
    pub fn certificate(
        to: &Address,
        leaf: &[u8],
        above: &[Vec<u8>],
        ends: OffsetDateTime,
        service: Service<'_>,
    ) -> Self {
        let name = service.name;
        let text = format!(
            "Here is the certificate for this mailbox.\n\
             \n\
             \x20 certificate.cer   the certificate itself\n\
             \x20 certificate.p7c   the same with the certificates above it, as mail\n\
             \x20                   programs import them\n\
             \n\
             It is good until {ends}. Its private key never left the\n\
             device that asked; without that key nobody can use these files.\n\
             {signature}",
            ends = minute(ends),
            signature = signature(service),
        );
        let chain: Vec<&[u8]> = std::iter::once(leaf).chain(above.iter().map(Vec::as_slice)).collect();
        let mut mail = Self::to(to, format!("Your certificate from {name}"), text);
        mail.attachments = vec![
            // RFC 2585 4.1
            Attachment {
                name: "certificate.cer".into(),
                content_type: "application/pkix-cert".into(),
                bytes: leaf.to_vec(),
            },
            // RFC 8551 3.2.1, 3.8
            Attachment {
                name: "certificate.p7c".into(),
                content_type: "application/pkcs7-mime; smime-type=certs-only".into(),
                bytes: certs_only(&chain),
            },
        ];
        mail
    }

    /// What happened, and the link to a page that undoes it.
    pub fn notice(to: &Address, asker: Asker<'_>, serial: &str, revoke_link: &str, service: Service<'_>) -> Self {
        let name = service.name;
        let text = format!(
            "{name} has issued a certificate for this mailbox.\n\
             \n\
             {asked}\
             \x20 Serial number  {serial}\n\
             \n\
             If it was you, there is nothing to do. Keep this mail: if the key is lost\n\
             or stolen, or if it was not you, the page behind this link revokes the\n\
             certificate:\n\
             \n\
             {revoke_link}\n\
             {signature}",
            asked = asked(asker),
            signature = signature(service),
        );
        Self::to(to, format!("A certificate for your mailbox was issued by {name}"), text)
    }

    fn to(address: &Address, subject: String, text: String) -> Self {
        Self { to: address.verbatim().to_owned(), subject, text, attachments: Vec::new() }
    }
}

/// A key's SHA-256 as people compare it: sixteen groups of four hexadecimal digits.
pub fn fingerprint(sha256: &[u8; 32]) -> String {
    groups(sha256)
}

fn groups(octets: &[u8]) -> String {
    let pairs: Vec<String> = octets.chunks(2).map(crate::serial::hex).collect();
    pairs.join(" ")
}

fn asked(asker: Asker<'_>) -> String {
    let (first, second) = asker.key_sha256.split_at(16);
    format!(
        "\x20 Who asked      {device}\n\
         \x20 Their key      {first}\n\
         \x20 (SHA-256)      {second}\n",
        device = asker.device,
        first = groups(first),
        second = groups(second),
    )
}

/// RFC 3676 4.3: the line before a signature has a space at its end.
fn signature(service: Service<'_>) -> String {
    format!(
        "\n-- \n{}, {}\nThis mail was written by a machine; nobody reads answers to it.\n",
        service.name, service.url
    )
}

fn minute(at: OffsetDateTime) -> String {
    let form = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    at.to_offset(time::UtcOffset::UTC).format(form).expect("every date has these parts")
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mail([private])")
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attachment({}, {} octets)", self.content_type, self.bytes.len())
    }
}

/// Octets in a text of JSON.
mod as_base64 {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const SERVICE: Service<'_> = Service { name: "Example Verify", url: "https://verify.example.org" };
    const ASKER: Asker<'_> = Asker { device: "Firefox on Linux", key_sha256: &[0xa7; 32] };

    fn somebody() -> Address {
        Address::parse("Some.Body@example.org").unwrap()
    }

    fn mails() -> [Mail; 3] {
        let link = format!("https://verify.example.org/email/confirm/{}", "x".repeat(43));
        let until = datetime!(2026-03-02 13:05 +1);
        [
            Mail::confirmation(&somebody(), ASKER, (&link, &Code::from_random([1; 5])), until, SERVICE),
            Mail::certificate(&somebody(), &[0x30, 0], &[vec![0x30, 1, 0]], until, SERVICE),
            Mail::notice(&somebody(), ASKER, &"5a".repeat(20), &link, SERVICE),
        ]
    }

    #[test]
    fn mails_go_to_the_address_as_typed_and_fit_a_narrow_window() {
        for mail in mails() {
            assert_eq!(mail.to, "Some.Body@example.org");
            assert!(mail.subject.len() < 78 && !mail.subject.contains(['\r', '\n']), "{}", mail.subject);
            for line in mail.text.lines().filter(|line| !line.starts_with("https://")) {
                assert!(line.chars().count() <= 78, "{line}");
            }
        }
    }

    #[test]
    fn the_confirmation_names_who_asked_the_link_the_code_and_the_time() {
        let [mail, ..] = mails();
        let told = ["Firefox on Linux", "a7a7 a7a7", &"x".repeat(43), "040G-2081", "2026-03-02 12:05 UTC"];
        for told in told {
            assert!(mail.text.contains(told), "{told} in\n{}", mail.text);
        }
        assert!(mail.attachments.is_empty());
    }

    #[test]
    fn the_certificate_comes_alone_and_with_those_above_it() {
        let [_, mail, _] = mails();
        let [leaf, chain] = &mail.attachments[..] else { panic!("two attachments") };
        assert_eq!((leaf.content_type.as_str(), &leaf.bytes[..]), ("application/pkix-cert", &[0x30, 0][..]));
        assert_eq!(chain.content_type, "application/pkcs7-mime; smime-type=certs-only");
        assert_eq!(chain.bytes, certs_only(&[&[0x30, 0], &[0x30, 1, 0]]));
    }

    #[test]
    fn the_notice_tells_how_to_undo_it() {
        let [_, _, mail] = mails();
        for told in ["Firefox on Linux", &"5a".repeat(20), &"x".repeat(43), "revokes"] {
            assert!(mail.text.contains(told), "{told} in\n{}", mail.text);
        }
    }

    #[test]
    fn a_mail_is_stored_and_read_back_and_never_shown() {
        for mail in mails() {
            let stored = serde_json::to_vec(&mail).unwrap();
            assert_eq!(serde_json::from_slice::<Mail>(&stored).unwrap(), mail);
            assert_eq!(format!("{mail:?}"), "Mail([private])");
        }
    }
}
