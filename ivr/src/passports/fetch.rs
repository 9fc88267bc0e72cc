//! Fetches what lies at an x5u. Whoever calls writes the URL, so it must not become a way into our network, nor a weapon
//! against somebody else's: https only, no redirects, public addresses only (the very address that was looked at is
//! connected to), the ports of certificates, 64 KiB, 3 s, and so many at a time and for each host.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ivr_core::link::{Query, Records};
use ivr_core::passport::Fault;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Url};
use tokio::sync::Semaphore;

use super::budget::Budget;
use super::public_address::is_public;
use crate::clock::Clock;
use crate::names::Names;

/// A client for nothing else.
#[derive(Debug)]
pub struct Fetcher {
    client: Client,
    guards: Guards,
    places: Semaphore,
    hosts: Mutex<Budget<String>>,
    clock: Clock,
}

/// Where it may go, and for how long.
#[derive(Debug, Clone, Copy)]
struct Guards {
    addresses: fn(IpAddr) -> bool,
    ports: fn(u16) -> bool,
    limit: Duration,
}

impl Guards {
    /// The only ones, but in tests.
    const INTERNET: Self = Self {
        addresses: is_public,
        // ATIS-1000080 has no others dereferenced.
        ports: |port| matches!(port, 443 | 8443),
        limit: LIMIT,
    };
}

/// The client cannot be made: the roots are none.
#[derive(Debug, thiserror::Error)]
pub enum BadTlsRoots {
    /// Something in them is no certificate.
    #[error("no client for certificates can be made: the TLS roots must be certificates in PEM ({0})")]
    Unusable(reqwest::Error),
    /// They are a file of something else.
    #[error("the file of TLS roots holds no certificate in PEM")]
    Empty,
}

impl Fetcher {
    /// Asks these name servers, and trusts TLS servers by the roots that browsers trust, and by these (PEM).
    ///
    /// # Errors
    /// If the roots are none.
    pub fn new(names: Names, more_roots: Option<&[u8]>, clock: Clock) -> Result<Self, BadTlsRoots> {
        Self::within(Guards::INTERNET, names, more_roots, clock)
    }

    fn within(guards: Guards, names: Names, more_roots: Option<&[u8]>, clock: Clock) -> Result<Self, BadTlsRoots> {
        let mut client = Client::builder()
            .https_only(true)
            .redirect(Policy::none())
            .no_proxy()
            .timeout(guards.limit)
            .pool_max_idle_per_host(0)
            .dns_resolver(Arc::new(Resolver { names: Arc::new(names), reaches: guards.addresses }));
        let more_roots = more_roots.map(Certificate::from_pem_bundle).transpose().map_err(BadTlsRoots::Unusable)?;
        if more_roots.as_ref().is_some_and(Vec::is_empty) {
            return Err(BadTlsRoots::Empty);
        }
        for root in more_roots.into_iter().flatten() {
            client = client.add_root_certificate(root);
        }
        Ok(Self {
            client: client.build().map_err(BadTlsRoots::Unusable)?,
            guards,
            places: Semaphore::new(AT_ONCE),
            hosts: Mutex::new(Budget::of(OF_A_HOST_A_MINUTE)),
            clock,
        })
    }

    /// The octets at this URL.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn fetch(&self, url: &str) -> Result<Vec<u8>, Fault> {
        self.get(url, true).await
    }

    /// The same where a signer's certificate lies, which counts for nothing against the host: of these there are only so many, because
    /// the signer itself has signed the place, and each is asked for only so often.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn fetch_again(&self, url: &str) -> Result<Vec<u8>, Fault> {
        self.get(url, false).await
    }

    async fn get(&self, url: &str, is_unknown: bool) -> Result<Vec<u8>, Fault> {
        let url = Url::parse(url).ok().filter(|url| url.username().is_empty() && url.password().is_none());
        let url = url.ok_or(Fault::X5u)?;
        let host = url.host_str().ok_or(Fault::X5u)?;
        // A name is looked at when it is resolved; an address in the URL is not resolved.
        let literal: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        if literal.is_some_and(|address| !(self.guards.addresses)(address)) {
            return Err(Fault::NotPublic);
        }
        if !url.port_or_known_default().is_some_and(self.guards.ports) {
            return Err(Fault::X5u);
        }
        let _place = self.places.try_acquire().map_err(|_| Fault::Busy)?;
        if is_unknown && !self.may_ask(host) {
            return Err(Fault::Busy);
        }
        let mut response = self.client.get(url).send().await.map_err(|error| fault_of(&error))?;
        match response.status().as_u16() {
            200 => {}
            300..400 => return Err(Fault::Redirect),
            _ => return Err(Fault::Unreachable),
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| fault_of(&error))? {
            if body.len() + chunk.len() > LARGEST_BYTES {
                return Err(Fault::Oversized);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn may_ask(&self, host: &str) -> bool {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        // With a dot at its end a name is the same.
        hosts.take(host.trim_end_matches('.').to_owned(), self.clock.now())
    }
}

/// Looks names up, and leaves of the addresses those that may be connected to.
struct Resolver {
    names: Arc<Names>,
    reaches: fn(IpAddr) -> bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, reaches) = (self.names.clone(), self.reaches);
        Box::pin(async move {
            let found = match names.look_up(&Query::Addresses(name.as_str().to_owned())).await {
                Records::Addresses(found) => found,
                Records::Naptr(_) | Records::Srv(_) => Vec::new(),
            };
            let had_some = !found.is_empty();
            let reached: Vec<SocketAddr> =
                found.into_iter().filter(|address| reaches(*address)).map(|address| (address, 0).into()).collect();
            if had_some && reached.is_empty() {
                return Err(NotPublic.into());
            }
            Ok(Box::new(reached.into_iter()) as Addrs)
        })
    }
}

/// The name leads only to addresses that may not be connected to.
#[derive(Debug, thiserror::Error)]
#[error("no public address")]
struct NotPublic;

fn fault_of(error: &reqwest::Error) -> Fault {
    let mut cause = error.source();
    while let Some(found) = cause {
        if found.is::<NotPublic>() {
            return Fault::NotPublic;
        }
        cause = found.source();
    }
    if error.is_timeout() { Fault::Slow } else { Fault::Unreachable }
}

/// From the look-up to the last octet.
const LIMIT: Duration = Duration::from_secs(3);
/// A chain has about 3 KiB.
const LARGEST_BYTES: usize = 64 * 1024;
/// More are refused: a call must not wait for others' servers.
const AT_ONCE: usize = 32;
/// Many providers keep their certificates with one host; what is remembered is not asked for. One a second is no weapon.
const OF_A_HOST_A_MINUTE: u32 = 60;

#[cfg(test)]
mod tests;
