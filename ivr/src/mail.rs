//! Mails: from the outbox in the database to a relay, or in a demonstration to a catcher in memory. What mails say is
//! written in `ca::email`; here they get their headers and find their way.
//!
//! A mail is delivered at least once: a crash between the relay's yes and our note of it sends it again, with the same
//! Message-ID. Whoever changes a header looks at [`letter`], whoever changes when it is tried again at [`sender`].

pub mod catcher;
#[cfg(test)]
pub(crate) mod fake;
mod letter;
mod relay;
pub mod sender;

pub use self::catcher::Catcher;
pub use self::letter::Letter;
pub use self::relay::{Relay, RelayError};
pub use self::sender::{MailSender, Nudge};

/// Where mails go.
#[derive(Debug, Clone)]
pub enum Transport {
    /// To the configured relay.
    Relay(Relay),
    /// Into memory, to be shown by the demonstration's page.
    Catcher(Catcher),
}

/// Why a mail did not go out. No text here names the recipient: what a relay says may, so only its number is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// The relay is down, busy, or refuses us: the same mail may go out later.
    #[error("not now: {0}")]
    Later(String),
    /// It will never go out.
    #[error("never: {0}")]
    Never(String),
    /// The address has letters outside ASCII before its @, and the relay does not carry such mail (RFC 6531).
    #[error("the mail relay does not carry addresses with letters outside ASCII (SMTPUTF8)")]
    NotInternational,
}

impl Transport {
    /// Hands one mail over.
    ///
    /// # Errors
    /// Whether to try again.
    pub async fn deliver(&self, letter: &Letter) -> Result<(), Undelivered> {
        match self {
            Self::Relay(relay) => relay.deliver(letter).await,
            Self::Catcher(catcher) => catcher.keep(letter),
        }
    }
}
