//! The use case: what is a signed identity worth (STIR/SHAKEN)? The certificate is fetched or remembered, `ivr_core::passport`
//! verifies, and a token that completed a verification serves no more. To change what is checked, change that module.

mod budget;
mod fetch;
mod signers;
#[cfg(test)]
mod tests;
mod trust;

use std::path::Path;
use std::sync::Arc;

use ivr_core::call::question::Presented;
use ivr_core::number::Number;
use ivr_core::passport::{Claimed, Fault, Passport, Report, Signer, verify};
use time::OffsetDateTime;

pub use self::fetch::Fetcher;
use self::signers::Signers;
pub use self::trust::{TrustError, TrustFiles, of_passed_over, of_stranger, read_authority};
use crate::clock::Clock;
use crate::config::Config;
use crate::names::{Names, NoNameServers};
use crate::outbound::BadTlsRoots;
use crate::store::{Store, StoreError, passports};

/// Verifies signed identities. Clones share what is remembered.
#[derive(Debug, Clone)]
pub struct Passports(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    signers: Signers,
    denied_spcs: Vec<String>,
    store: Store,
}

/// Why signed identities cannot be verified.
#[derive(Debug, thiserror::Error)]
pub enum PassportsError {
    /// Anchors or revocation lists.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The roots of TLS servers.
    #[error(transparent)]
    TlsRoots(#[from] BadTlsRoots),
    /// No name servers.
    #[error(transparent)]
    Names(#[from] NoNameServers),
}

impl Passports {
    /// As the configuration has it; `None` if it names no anchors.
    ///
    /// # Errors
    /// If one of its files cannot be used.
    pub fn configured(config: &Config, store: Store, clock: Clock) -> Result<Option<Self>, PassportsError> {
        let settings = config.passports();
        if settings.authorities().is_empty() {
            return Ok(None);
        }
        let trust = TrustFiles::open(settings.authorities())?;
        let anchors = trust.current().anchor_count();
        tracing::info!(anchors, "signed identities are verified, against {anchors} anchors");
        let signers = Signers::new(trust, fetcher(config, clock)?, clock);
        Ok(Some(Self(Arc::new(Parts { signers, denied_spcs: settings.denied_spcs().to_vec(), store }))))
    }

    /// What is found out about the identity that a call presents. What is wrong with it is part of the report.
    ///
    /// # Errors
    /// If the database does not answer whether the token has served.
    pub async fn judge(&self, presented: &Presented, now: OffsetDateTime) -> Result<Report, StoreError> {
        let Parts { signers, denied_spcs, store } = &*self.0;
        let claimed = Claimed { orig: digits(&presented.orig), dest: digits(&presented.dest) };
        let (identity, at) = (presented.identity.expose(), now.unix_timestamp());
        let (mut unanswered, mut tried) = (None, None);
        let signer = async |passport: &Passport| match has_served(passport, store).await {
            Ok(false) => {
                let found = signers.find(passport.x5u(), &presented.orig, at).await;
                tried = found.as_ref().ok().map(|signer| signer.sha256());
                found
            }
            Ok(true) => Err(Fault::Replayed),
            Err(error) => {
                unanswered = Some(error);
                Err(Fault::Busy)
            }
        };
        let mut report = inspect(identity, claimed, signer, at).await;
        // Whoever signs may have laid a new certificate there meanwhile.
        if let Report { verdict: Err(Fault::Signature | Fault::Expired), said: Some(said), .. } = &report
            && let Some(again) = signers.find_again(&said.x5u, tried, &presented.orig, at).await
        {
            report = inspect(identity, claimed, async move |_: &Passport| again, at).await;
        }
        if let Report { said: Some(said), signer: Some(_), .. } = &report {
            signers.have_signed(&said.x5u);
        }
        unanswered.map_or(Ok(report.but_for(denied_spcs)), Err)
    }
}

async fn has_served(passport: &Passport, store: &Store) -> Result<bool, StoreError> {
    passports::has_served(&passport.hash(), &mut *store.read().await?).await
}

/// What can be said of a token about this call, at this time in seconds since 1970. Its signer is asked for only if nothing
/// else is wrong with it: nothing is fetched for what is refused anyway.
pub async fn inspect(
    identity: &str,
    claimed: Claimed<'_>,
    signer: impl AsyncFnOnce(&Passport) -> Result<Arc<Signer>, Fault>,
    at: i64,
) -> Report {
    let passport = match Passport::read(identity) {
        Ok(passport) => passport,
        Err(fault) => return Report::unread(fault),
    };
    if let Err(fault) = passport.check(claimed, at) {
        return Report::of(&passport, None, Err(fault));
    }
    match signer(&passport).await {
        Ok(signer) => Report::of(&passport, Some(&signer), verify(&passport, &signer, at)),
        Err(fault) => Report::of(&passport, None, Err(fault)),
    }
}

/// What fetches certificates as the configuration has it.
///
/// # Errors
/// If the file of TLS roots cannot be used, or there are no name servers.
pub fn fetcher(config: &Config, clock: Clock) -> Result<Fetcher, PassportsError> {
    let names = Names::of(config.sip().nameservers())?;
    let read =
        |file: &Path| std::fs::read(file).map_err(|cause| TrustError::Unreadable { file: file.to_owned(), cause });
    let roots = config.passports().tls_roots().map(read).transpose()?;
    Ok(Fetcher::new(names, roots.as_deref(), clock)?)
}

/// As a token writes it (RFC 8224 8.3).
fn digits(number: &Number) -> &str {
    number.as_str().trim_start_matches('+')
}
