//! What the mails say and carry, as plain data: whoever sends them makes the headers. Plain text, lines of at most 78
//! characters, no tracking, and nothing that a stranger typed but the address that the mail goes to.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;

use super::address::Address;
use super::certs_only::certs_only;
use super::code::Code;
use super::words::{self, Template, Words};

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

/// Who writes, and in which language.
#[derive(Debug, Clone, Copy)]
pub struct Service<'a> {
    /// Its name, one line.
    pub name: &'a str,
    /// Where its pages are.
    pub url: &'a str,
    /// What whoever asked reads, such as `de-AT`. English where no mail is written in it.
    pub locale: &'a str,
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
    /// Link and code, for whoever reads the mailbox. A stranger may have asked in a language that they do not read: English follows.
    pub fn confirmation(
        to: &Address,
        asker: Asker<'_>,
        (link, code): (&str, &Code),
        until: OffsetDateTime,
        service: Service<'_>,
    ) -> Self {
        let (code, until) = (code.grouped(), minute(until));
        Self::said(
            to,
            |words| &words.confirmation,
            service,
            |words| {
                vec![
                    ("asked", asked(asker, None, words)),
                    ("link", link.into()),
                    ("code", code.clone()),
                    ("until", until.clone()),
                ]
            },
        )
    }

    /// The certificate (DER), and with it those above it (DER), the issuer first.
    pub fn certificate(
        to: &Address,
        leaf: &[u8],
        above: &[Vec<u8>],
        ends: OffsetDateTime,
        service: Service<'_>,
    ) -> Self {
        let mut mail = Self::said(to, |words| &words.certificate, service, |_| vec![("ends", minute(ends))]);
        let chain: Vec<&[u8]> = std::iter::once(leaf).chain(above.iter().map(Vec::as_slice)).collect();
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

    /// What happened, and the link to a page that undoes it. English follows, as in a [confirmation](Self::confirmation).
    pub fn notice(to: &Address, asker: Asker<'_>, serial: &str, revoke_link: &str, service: Service<'_>) -> Self {
        Self::said(
            to,
            |words| &words.notice,
            service,
            |words| vec![("asked", asked(asker, Some(serial), words)), ("link", revoke_link.into())],
        )
    }

    /// The mail in the language of the order, and then in English: who asked chose the first, and need not be who reads it. So the
    /// subject is in both, and the first line says where the English is.
    fn said(
        to: &Address,
        template: impl Fn(&'static Words) -> &'static Template,
        service: Service<'_>,
        values: impl Fn(&Words) -> Vec<(&'static str, String)>,
    ) -> Self {
        let words = Words::of(service.locale);
        let say = |text: &str, words: &Words| {
            let values = values(words);
            let values = values.iter().map(|(name, value)| (*name, value.as_str()));
            let of_service = [("name", service.name), ("url", service.url)];
            words::fill(text, &of_service.into_iter().chain(values).collect::<Vec<_>>())
        };
        let languages = [words].into_iter().chain((!words.is_english()).then(Words::english));
        let all = |part: fn(&Template) -> &'static str| -> Vec<String> {
            languages.clone().map(|words| say(part(template(words)), words)).collect()
        };
        let texts = all(|template| template.text).join(BETWEEN_LANGUAGES);
        let above = if words.is_english() { "" } else { ENGLISH_BELOW };
        // RFC 3676 4.3: the line before a signature has a space at its end.
        let text = format!("{above}{texts}\n-- \n{}", say(words.signature, words));
        let subject = all(|template| template.subject).join(" / ");
        Self { to: to.verbatim().to_owned(), subject, text, attachments: Vec::new() }
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

/// Who asked, with which key, and for which certificate: lines of a name and a value.
fn asked(asker: Asker<'_>, serial: Option<&str>, words: &Words) -> String {
    let (first, second) = asker.key_sha256.split_at(16);
    let lines = [
        Some((words.who_asked, words.device(asker.device))),
        Some((words.their_key, groups(first))),
        Some(("(SHA-256)", groups(second))),
        serial.map(|serial| (words.serial_number, serial.to_owned())),
    ];
    lines.into_iter().flatten().map(|(name, value)| format!("  {name:14} {value}\n")).collect()
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

/// In a mail that says the same twice.
const ENGLISH_BELOW: &str = "English below.\n\n";
const BETWEEN_LANGUAGES: &str = "\n* * *\n\n";

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

    const SERVICE: Service<'_> = Service { name: "Example Verify", url: "https://verify.example.org", locale: "en" };
    const LOCALES: [&str; 4] = ["en", "es-MX", "fr", "de"];
    const ASKER: Asker<'_> = Asker { device: "Firefox on Linux", key_sha256: &[0xa7; 32] };

    fn somebody() -> Address {
        Address::parse("Some.Body@example.org").unwrap()
    }

    fn mails() -> [Mail; 3] {
        mails_in("en")
    }

    fn mails_in(locale: &str) -> [Mail; 3] {
        let service = Service { locale, ..SERVICE };
        let link = format!("https://verify.example.org/email/confirm/{}", "x".repeat(43));
        let until = datetime!(2026-03-02 13:05 +1);
        [
            Mail::confirmation(&somebody(), ASKER, (&link, &Code::from_random([1; 5])), until, service),
            Mail::certificate(&somebody(), &[0x30, 0], &[vec![0x30, 1, 0]], until, service),
            Mail::notice(&somebody(), ASKER, &"5a".repeat(20), &link, service),
        ]
    }

    #[test]
    fn mails_go_to_the_address_as_typed_and_fit_a_narrow_window() {
        for mail in LOCALES.into_iter().flat_map(mails_in) {
            assert_eq!(mail.to, "Some.Body@example.org");
            // Headers are folded where they are written (RFC 5322 2.2.3).
            assert!(mail.subject.split(" / ").all(|subject| subject.chars().count() < 78), "{}", mail.subject);
            assert!(!mail.subject.contains(['\r', '\n']), "{}", mail.subject);
            for line in mail.text.lines().filter(|line| !line.starts_with("https://")) {
                assert!(line.chars().count() <= 78, "{line}");
            }
        }
    }

    #[test]
    fn a_mail_says_the_same_in_the_language_of_who_asked_and_in_english() {
        for (locale, subject, words, device) in [
            ("es-MX", "¿Es este su buzón?", "No diga el código a nadie", "Firefox en Linux"),
            ("fr", "Est-ce votre boîte", "Ne donnez le code à personne", "Firefox sur Linux"),
            ("de", "Ist das Ihr Postfach?", "Sagen Sie den Code niemandem", "Firefox unter Linux"),
        ] {
            let [mail, ..] = mails_in(locale);
            assert!(mail.subject.starts_with(subject), "{}", mail.subject);
            assert!(
                mail.subject.ends_with(" / Is this your mailbox? A certificate from Example Verify"),
                "{}",
                mail.subject
            );
            assert!(mail.text.starts_with(ENGLISH_BELOW), "{}", mail.text);
            let (theirs, english) = mail.text.split_once(BETWEEN_LANGUAGES).unwrap();
            for told in [words, device, "040G-2081", "2026-03-02 12:05 UTC", &"x".repeat(43)] {
                assert!(theirs.contains(told), "{told} in\n{theirs}");
            }
            assert!(english.starts_with("Somebody wants") && english.contains("Tell nobody the code"), "{english}");
        }
        let said_once = |text: &str| !text.contains(BETWEEN_LANGUAGES) && !text.contains(ENGLISH_BELOW);
        assert!(mails().iter().all(|mail| said_once(&mail.text) && !mail.subject.contains(" / ")));
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
