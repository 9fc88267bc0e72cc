//! The relay: SMTP by lettre, TLS required unless the configuration says that the relay is on this machine.

use std::error::Error as _;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{AsyncSmtpTransport, Error as SmtpError};
use lettre::{AsyncTransport, Tokio1Executor};

use super::letter::Sender;
use super::{Letter, Undelivered};
use crate::config::smtp::{Protection, Smtp};

/// RFC 5321 4.5.3.2 allows a relay minutes for each command; a mail is small, and the next attempt is cheap.
const COMMAND_PATIENCE: Duration = Duration::from_secs(30);
/// For one mail in all; shorter than the lease of the outbox.
const MAIL_PATIENCE: Duration = Duration::from_secs(60);

/// A relay that is spoken to as configured.
#[derive(Clone)]
pub struct Relay {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Sender,
}

/// Why a relay cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The password's file.
    #[error("smtp.password_file {} cannot be read", path.display())]
    Password {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The sender's address.
    #[error("smtp.from is no mail address")]
    From(#[source] lettre::address::AddressError),
    /// Its name, for TLS.
    #[error("smtp.host is no name that a TLS certificate could bear")]
    Host(#[source] SmtpError),
}

impl Relay {
    /// A relay of these settings, used by a service of this name. Nothing is connected yet.
    ///
    /// # Errors
    /// What to change in the configuration.
    pub fn new(smtp: &Smtp, service_name: &str) -> Result<Self, RelayError> {
        let sender = Sender::new(service_name, smtp.from()).map_err(RelayError::From)?;
        let host = smtp.host();
        let mut builder = match smtp.protection() {
            Protection::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(host).map_err(RelayError::Host)?,
            Protection::StartTls => {
                AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(host).map_err(RelayError::Host)?
            }
            Protection::None => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host),
        };
        builder = builder
            .port(smtp.port())
            .timeout(Some(COMMAND_PATIENCE))
            .hello_name(ClientId::Domain(sender.domain().to_owned()));
        if let Some(login) = smtp.login() {
            let path = login.password_file();
            let password =
                std::fs::read_to_string(path).map_err(|cause| RelayError::Password { path: path.to_owned(), cause })?;
            builder = builder.credentials(Credentials::new(login.user().to_owned(), password.trim_end().to_owned()));
        }
        Ok(Self { transport: builder.build(), sender })
    }

    pub(super) async fn deliver(&self, letter: &Letter) -> Result<(), Undelivered> {
        let message = self.sender.write(letter)?;
        match tokio::time::timeout(MAIL_PATIENCE, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(judge(&error)),
            Err(_) => Err(Undelivered::Later("the relay took too long".to_owned())),
        }
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Relay")
    }
}

fn judge(error: &SmtpError) -> Undelivered {
    if let Some(code) = error.status() {
        return judge_reply(code.to_string().parse().unwrap_or(0));
    }
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    if error.is_client() && cause.contains("SMTPUTF8") {
        return Undelivered::NotInternational;
    }
    Undelivered::Later(match () {
        () if error.is_timeout() => "the relay took too long".to_owned(),
        () if error.is_response() => "the relay does not speak SMTP".to_owned(),
        // What our own side says, or the system: it knows no recipient.
        () => cause,
    })
}

/// RFC 5321 4.2.3: what is wrong with the mail or its recipient stays wrong. Everything else may be the operator's to
/// mend (a login, a blocked address), and no mail shall be lost by it.
fn judge_reply(code: u16) -> Undelivered {
    match code {
        501 | 510..=519 | 521 | 541 | 550..=556 => Undelivered::Never(format!("the relay refused it with {code}")),
        _ => Undelivered::Later(format!("the relay answered {code}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::{Fake, relay_at, relay_with};
    use super::super::letter::tests::letter;
    use super::*;

    #[tokio::test]
    async fn a_mail_goes_to_the_address_as_written() {
        let fake = Fake::start(|_| None).await;
        relay_at(fake.port()).deliver(&letter("Some.Body+Tag@example.org")).await.unwrap();
        let commands = fake.commands();
        for command in
            ["EHLO verify.example.org", "MAIL FROM:<a@verify.example.org>", "RCPT TO:<Some.Body+Tag@example.org>"]
        {
            assert!(commands.iter().any(|heard| heard.starts_with(command)), "{command} in {commands:?}");
        }
    }

    #[tokio::test]
    async fn nothing_is_said_in_clear_to_a_relay_without_tls() {
        let fake = Fake::start(|_| None).await;
        let error = relay_with(fake.port(), "starttls").deliver(&letter("somebody@example.org")).await.unwrap_err();
        assert!(matches!(error, Undelivered::Later(_)), "{error}");
        let commands = fake.commands();
        assert!(commands.iter().all(|heard| !heard.contains("somebody") && !heard.starts_with("MAIL")), "{commands:?}");
    }

    #[tokio::test]
    async fn an_address_that_the_relay_cannot_carry_is_told_apart() {
        let fake = Fake::start(|_| None).await;
        let error = relay_at(fake.port()).deliver(&letter("jürgen@example.org")).await.unwrap_err();
        assert_eq!(error, Undelivered::NotInternational);
        let able = |line: &str| line.starts_with("EHLO").then_some("250-hello\r\n250-8BITMIME\r\n250 SMTPUTF8");
        let fake = Fake::start(able).await;
        relay_at(fake.port()).deliver(&letter("jürgen@example.org")).await.unwrap();
        let commands = fake.commands();
        assert!(commands.iter().any(|heard| heard.starts_with("MAIL") && heard.contains("SMTPUTF8")), "{commands:?}");
    }

    #[tokio::test]
    async fn what_a_relay_says_decides_whether_it_is_tried_again_and_names_nobody() {
        let table = [
            ("RCPT", "550 5.1.1 <somebody@example.org> is unknown", false),
            ("RCPT", "450 4.2.1 <somebody@example.org> is busy", true),
            ("MAIL", "530 5.7.0 authentication required", true),
            ("DATA", "452 4.3.1 no room", true),
        ];
        for (command, reply, again) in table {
            let fake = Fake::start(move |line| line.starts_with(command).then_some(reply)).await;
            let error = relay_at(fake.port()).deliver(&letter("somebody@example.org")).await.unwrap_err();
            assert_eq!(matches!(error, Undelivered::Later(_)), again, "{reply}");
            assert!(!error.to_string().contains("somebody"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_relay_that_is_down_is_tried_again() {
        let port = Fake::start(|_| None).await.port();
        // The fake was dropped with the statement above.
        let error = relay_at(port).deliver(&letter("somebody@example.org")).await.unwrap_err();
        assert!(matches!(error, Undelivered::Later(_)), "{error}");
    }
}
