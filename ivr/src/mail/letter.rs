//! A mail with its headers (RFC 5322). Nothing that a stranger typed becomes a header but an address that `ca` has
//! checked and lettre checks again.

use lettre::Address;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, Message, MultiPart, SinglePart};
use time::OffsetDateTime;

use super::Undelivered;
use crate::hex;

/// A mail on its way.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Names it in its Message-ID: a second delivery has the same.
    pub id: [u8; 16],
    /// When it was written: its Date.
    pub written_at: OffsetDateTime,
    /// What it says, and to whom.
    pub mail: ca::email::Mail,
}

/// Who writes: what every letter says in From and Message-ID.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    /// The service's name and address.
    pub(super) mailbox: Mailbox,
}

impl Sender {
    pub(super) fn new(name: &str, address: &str) -> Result<Self, lettre::address::AddressError> {
        Ok(Self { mailbox: Mailbox::new(Some(name.to_owned()), address.parse()?) })
    }

    /// The domain of the address, for Message-ID and EHLO.
    pub(super) fn domain(&self) -> &str {
        self.mailbox.email.domain()
    }

    /// The whole message.
    ///
    /// # Errors
    /// [`Undelivered::Never`] if no message can be made of it.
    pub(super) fn write(&self, letter: &Letter) -> Result<Message, Undelivered> {
        let mail = &letter.mail;
        let never = |what: &str| Undelivered::Never(format!("the mail cannot be written: {what}"));
        // The error would repeat the address.
        let to: Address = mail.to.parse().map_err(|_| never("its address"))?;
        let id = hex::of(&letter.id);
        let builder = Message::builder()
            .from(self.mailbox.clone())
            .to(Mailbox::new(None, to))
            .subject(one_line(&mail.subject))
            .date(letter.written_at.into())
            .message_id(Some(format!("<{id}@{}>", self.domain())))
            .header(AutoSubmitted);
        let text = SinglePart::plain(mail.text.clone());
        let written = if mail.attachments.is_empty() {
            builder.singlepart(text)
        } else {
            let attachments = mail.attachments.iter().map(|attachment| {
                let kind = ContentType::parse(&attachment.content_type).map_err(|_| never("a media type"))?;
                Ok(Attachment::new(one_line(&attachment.name)).body(attachment.bytes.clone(), kind))
            });
            let whole = attachments.collect::<Result<Vec<_>, Undelivered>>()?;
            builder.multipart(whole.into_iter().fold(MultiPart::mixed().singlepart(text), MultiPart::singlepart))
        };
        written.map_err(|_| never("its headers"))
    }
}

/// Lettre encodes line ends in a header; here none is left to encode.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// RFC 3834 5: a machine wrote it, and no machine shall answer.
#[derive(Debug, Clone, Copy)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use time::macros::datetime;

    use super::*;

    pub(in crate::mail) fn letter(to: &str) -> Letter {
        let mail = ca::email::Mail {
            to: to.to_owned(),
            subject: "Your certificate".to_owned(),
            text: "Here it is.\nWell.\n".to_owned(),
            attachments: vec![ca::email::Attachment {
                name: "certificate.cer".to_owned(),
                content_type: "application/pkix-cert".to_owned(),
                bytes: vec![0x30, 0x00],
            }],
        };
        Letter { id: [0xab; 16], written_at: datetime!(2026-03-01 12:00:05 UTC), mail }
    }

    pub(in crate::mail) fn sender() -> Sender {
        Sender::new("Example Verify", "noreply@verify.example.org").unwrap()
    }

    fn text(letter: &Letter) -> String {
        String::from_utf8(sender().write(letter).unwrap().formatted()).unwrap()
    }

    #[test]
    fn a_letter_says_who_when_and_that_a_machine_wrote_it() {
        let text = text(&letter("Some.Body+tag@example.org"));
        for line in [
            "From: \"Example Verify\" <noreply@verify.example.org>",
            "To: Some.Body+tag@example.org",
            "Subject: Your certificate",
            "Date: Sun, 01 Mar 2026 12:00:05 +0000",
            "Message-ID: <abababababababababababababababab@verify.example.org>",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Disposition: attachment; filename=\"certificate.cer\"",
            "Content-Type: application/pkix-cert",
        ] {
            assert!(text.contains(&format!("{line}\r\n")), "{line} in\n{text}");
        }
        assert!(text.contains("\r\nHere it is.\r\nWell.\r\n"), "{text}");
    }

    #[test]
    fn no_text_of_a_mail_becomes_a_header_of_its_own() {
        let mut hostile = letter("somebody@example.org");
        hostile.mail.subject = "Hello\r\nBcc: other@example.org\r\n\r\nBody".to_owned();
        hostile.mail.attachments[0].name = "a\"\r\nX-Evil: yes\r\n.cer".to_owned();
        let text = text(&hostile);
        let starts = |name: &str| text.split("\r\n").any(|line| line.starts_with(name));
        assert!(!starts("Bcc:") && !starts("X-Evil:") && !starts("Body"), "{text}");
    }

    #[test]
    fn what_is_no_address_gets_no_mail() {
        for to in [
            "",
            "somebody",
            "a@example.org\r\nRCPT TO:<b@example.org>",
            "a@example.org, b@example.org",
            "<a@b.example>",
        ] {
            assert!(matches!(sender().write(&letter(to)), Err(Undelivered::Never(_))), "{to}");
        }
    }

    #[test]
    fn an_address_with_other_letters_is_written_as_it_is() {
        let message = sender().write(&letter("jürgen@xn--bcher-kva.example")).unwrap();
        assert_eq!(message.envelope().to()[0].to_string(), "jürgen@xn--bcher-kva.example");
        assert!(String::from_utf8(message.formatted()).unwrap().contains("To: jürgen@xn--bcher-kva.example\r\n"));
    }
}
