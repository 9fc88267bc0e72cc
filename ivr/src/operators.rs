//! The use case: people who run the service log in to its console.

mod attempts;
mod password;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ivr_core::private::Private;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::clock::Clock;
use crate::store::{Store, StoreError, Writer, audit, operators};

use attempts::Attempts;
use password::Hashing;

/// How long a one-time link works.
const LINK_LIFE: Duration = Duration::from_secs(60 * 60);

/// The use case. Clones share everything.
#[derive(Debug, Clone)]
pub struct Operators {
    store: Store,
    clock: Clock,
    session: Duration,
    attempts: Arc<Attempts>,
    hashing: Hashing,
}

/// Somebody who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Their name.
    pub name: String,
}

/// Somebody who may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Their name.
    pub name: String,
    /// When they were added.
    pub since: OffsetDateTime,
    /// Logins that go on.
    pub sessions: i64,
}

/// Why nobody was added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// Names stand in pages, addresses and the audit.
    #[error("a name is 1 to 32 of the characters a-z, 0-9, dot, dash and underscore")]
    Name,
    /// It can be guessed.
    #[error("a password has at least {} characters, and at most {}", password::SHORTEST, password::LONGEST)]
    Password,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Name or password: which, is not said.
    #[error("name or password is wrong")]
    Wrong,
    /// Too many wrong ones.
    #[error("too many wrong passwords")]
    TooMany {
        /// When to try again.
        retry_after: Duration,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Operators {
    /// The people in this database; a login lasts for `session`.
    pub fn new(store: Store, session: Duration, clock: Clock) -> Self {
        Self { store, clock, session, attempts: Arc::default(), hashing: Hashing::new(clock) }
    }

    /// Adds somebody, or gives them a new password. `true` if they had one before.
    ///
    /// # Errors
    /// What is wrong with name or password.
    pub async fn add(&self, name: &str, password: &Private<String>, now: OffsetDateTime) -> Result<bool, AddError> {
        check_name(name)?;
        let hash = self.hashing.hash(password).await.ok_or(AddError::Password)?;
        let mut writer = self.store.begin().await?;
        let had_one = operators::password_hash(name, &mut writer).await?.is_some();
        operators::put(name, &hash, now, &mut writer).await?;
        audit::add(("command line", "operator", name), now, self.store.columns(), &mut writer).await?;
        writer.commit().await?;
        Ok(had_one)
    }

    /// Everybody who may log in, by name.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn list(&self, now: OffsetDateTime) -> Result<Vec<Listed>, StoreError> {
        let all = operators::list(now, &mut *self.store.read().await?).await?;
        Ok(all.into_iter().map(|(name, since, sessions)| Listed { name, since, sessions }).collect())
    }

    /// Removes somebody: they are logged out at once. What they did stays in the audit. `false` if there is nobody of this name.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn remove(&self, name: &str, now: OffsetDateTime) -> Result<bool, StoreError> {
        let mut writer = self.store.begin().await?;
        // Nobody has another name, and PostgreSQL would not even take some.
        if !is_name(name) || !operators::remove(name, &mut writer).await? {
            return Ok(false);
        }
        audit::add(("command line", "remove-operator", name), now, self.store.columns(), &mut writer).await?;
        writer.commit().await?;
        Ok(true)
    }

    /// Checks a password and begins a session: gives the cookie's value.
    ///
    /// # Errors
    /// [`LoginError::Wrong`] takes the same time for a name that exists as for one that does not.
    pub async fn login(
        &self,
        name: &str,
        password: &Private<String>,
        source: IpAddr,
    ) -> Result<Private<String>, LoginError> {
        let begun = self.attempts.begin(name, source, self.clock.now());
        begun.map_err(|retry_after| LoginError::TooMany { retry_after })?;
        // Nobody has another name, and PostgreSQL would not even take some.
        let hash =
            if is_name(name) { operators::password_hash(name, &mut *self.store.read().await?).await? } else { None };
        let is_right = self.hashing.verify(password, hash.clone()).await;
        let hash = hash.filter(|_| is_right).ok_or(LoginError::Wrong)?;
        self.attempts.succeeded(name, source);
        let mut writer = self.store.begin().await?;
        if !operators::hold(name, &hash, &mut writer).await? {
            // Removed or given another password while this one was looked at.
            return Err(LoginError::Wrong);
        }
        Ok(self.begin_session(name, writer).await?)
    }

    /// The token of a link that logs this person in once, for the demonstration's first minute.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn one_time_link(&self, name: &str, now: OffsetDateTime) -> Result<Private<String>, StoreError> {
        let token = self.token();
        let mut writer = self.store.begin().await?;
        operators::add_link(sha256(token.expose()), name, now + LINK_LIFE, &mut writer).await?;
        writer.commit().await?;
        Ok(token)
    }

    /// Spends a link and begins a session.
    ///
    /// # Errors
    /// [`LoginError::Wrong`] if it was spent, is too old, or never was one.
    pub async fn enter(&self, token: &str) -> Result<Private<String>, LoginError> {
        let mut writer = self.store.begin().await?;
        let name = operators::spend_link(sha256(token), self.clock.wall(), &mut writer).await?;
        Ok(self.begin_session(&name.ok_or(LoginError::Wrong)?, writer).await?)
    }

    /// Who this session's cookie belongs to.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn of_session(&self, cookie: &str) -> Result<Option<Operator>, StoreError> {
        let name = operators::session(sha256(cookie), self.clock.wall(), &mut *self.store.read().await?).await?;
        Ok(name.map(|name| Operator { name }))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn logout(&self, cookie: &str) -> Result<(), StoreError> {
        let mut writer = self.store.begin().await?;
        operators::end_session(sha256(cookie), &mut writer).await?;
        writer.commit().await
    }

    /// Writes into the audit what somebody did.
    ///
    /// # Errors
    /// If the database does not answer: then it must not be done.
    pub async fn note(&self, operator: &Operator, action: &str, subject: &str) -> Result<(), StoreError> {
        let mut writer = self.store.begin().await?;
        audit::add((&operator.name, action, subject), self.clock.wall(), self.store.columns(), &mut writer).await?;
        writer.commit().await
    }

    /// Forgets sessions and links that are over.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn purge(&self, now: OffsetDateTime) -> Result<(), StoreError> {
        let mut writer = self.store.begin().await?;
        operators::purge(now, &mut writer).await?;
        writer.commit().await
    }

    /// How long a login lasts.
    pub fn session(&self) -> Duration {
        self.session
    }

    async fn begin_session(&self, name: &str, mut writer: Writer) -> Result<Private<String>, StoreError> {
        let token = self.token();
        let now = self.clock.wall();
        operators::add_session(sha256(token.expose()), name, now + self.session, &mut writer).await?;
        audit::add((name, "login", ""), now, self.store.columns(), &mut writer).await?;
        writer.commit().await?;
        Ok(token)
    }

    fn token(&self) -> Private<String> {
        Private::new(URL_SAFE_NO_PAD.encode(self.clock.bytes::<32>()))
    }
}

/// Before somebody is asked for a password.
///
/// # Errors
/// [`AddError::Name`].
pub fn check_name(name: &str) -> Result<(), AddError> {
    if is_name(name) { Ok(()) } else { Err(AddError::Name) }
}

fn is_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
}

fn sha256(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests;
