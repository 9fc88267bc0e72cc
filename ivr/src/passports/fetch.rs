//! Fetches what lies at an x5u. Whoever calls writes the URL, so it must not become a way into our network (see `outbound`),
//! nor much of a weapon against somebody else's: the ports of certificates, 64 KiB, 3 s, and so many at a time and for each host. A host
//! is a name: who has a zone gives one address as many as they like, and has it greeted as often as we fetch at all.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ivr_core::passport::Fault;
use tokio::sync::Semaphore;

use super::budget::Budget;
use crate::clock::Clock;
use crate::names::Names;
use crate::outbound::{BadTlsRoots, Denied, NameFault, Outbound, Reach, fault_of_name};

/// A client for nothing else.
#[derive(Debug)]
pub struct Fetcher {
    client: Outbound,
    ports: fn(u16) -> bool,
    places: Semaphore,
    hosts: Mutex<Budget<String>>,
    clock: Clock,
}

/// Where it may go, and for how long.
#[derive(Debug, Clone, Copy)]
struct Guards {
    reach: Reach,
    ports: fn(u16) -> bool,
    limit: Duration,
}

impl Guards {
    /// The only ones, but in tests. ATIS-1000080 has no other ports dereferenced.
    const INTERNET: Self = Self { reach: Reach::PUBLIC, ports: |port| matches!(port, 443 | 8443), limit: LIMIT };
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
        Ok(Self {
            client: Outbound::new(guards.reach, Some(names), more_roots, guards.limit)?,
            ports: guards.ports,
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
        let url = self.client.address(url).map_err(|denied| match denied {
            Denied::NoUrl => Fault::X5u,
            Denied::NotPublic => Fault::NotPublic,
        })?;
        if !url.port_or_known_default().is_some_and(self.ports) {
            return Err(Fault::X5u);
        }
        let host = url.host_str().ok_or(Fault::X5u)?;
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

fn fault_of(error: &reqwest::Error) -> Fault {
    if fault_of_name(error) == Some(NameFault::NotPublic) {
        return Fault::NotPublic;
    }
    if error.is_timeout() { Fault::Slow } else { Fault::Unreachable }
}

/// From the look-up to the last octet.
const LIMIT: Duration = Duration::from_secs(3);
/// A chain has about 3 KiB.
const LARGEST_BYTES: usize = 64 * 1024;
/// More are refused: a call must not wait for others' servers.
const AT_ONCE: usize = 32;
/// Many providers keep their certificates with one host; what is remembered is not asked for. It is not counted by
/// address: many keep them at one network of caches, where a stranger's names could then spend what all of these have.
const OF_A_HOST_A_MINUTE: u32 = 60;

#[cfg(test)]
pub(super) mod tests;
