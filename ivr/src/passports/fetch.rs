//! Fetches what lies at an x5u. Whoever calls writes the URL, so it must not become a way into our network (see `outbound`),
//! nor a weapon against somebody else's: 64 KiB, 3 s, and so many at a time and for each host.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ivr_core::passport::Fault;
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::names::Names;
use crate::outbound::{BadTlsRoots, Denied, Outbound, Reach, is_denied};

/// A client for nothing else.
#[derive(Debug)]
pub struct Fetcher {
    client: Outbound,
    places: Semaphore,
    hosts: Mutex<HashMap<String, Minute>>,
    clock: Clock,
}

/// What was begun in the current minute.
#[derive(Debug)]
struct Minute {
    since: Instant,
    begun: u32,
}

impl Fetcher {
    /// Asks these name servers, and trusts TLS servers by the roots that browsers trust, and by these (PEM).
    ///
    /// # Errors
    /// If the roots are none.
    pub fn new(names: Names, more_roots: Option<&[u8]>, clock: Clock) -> Result<Self, BadTlsRoots> {
        Self::reaching(Reach::PUBLIC, names, more_roots, clock)
    }

    fn reaching(reach: Reach, names: Names, more_roots: Option<&[u8]>, clock: Clock) -> Result<Self, BadTlsRoots> {
        Ok(Self {
            client: Outbound::new(reach, Some(names), more_roots, LIMIT)?,
            places: Semaphore::new(AT_ONCE),
            hosts: Mutex::default(),
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

    /// The same where a signer's certificate lay before, which counts for nothing against the host: there are only so many of
    /// these, and each is asked for only so often.
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
        let _place = self.places.try_acquire().map_err(|_| Fault::Busy)?;
        if is_unknown {
            self.count(url.host_str().ok_or(Fault::X5u)?)?;
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

    /// One more of this host, if it may be asked so often.
    fn count(&self, host: &str) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= MOST_HOSTS {
            hosts.retain(|_, minute| now < minute.since + MINUTE);
        }
        if hosts.len() >= MOST_HOSTS && !hosts.contains_key(host) {
            return Err(Fault::Busy);
        }
        let minute = hosts.entry(host.to_owned()).or_insert(Minute { since: now, begun: 0 });
        if now >= minute.since + MINUTE {
            *minute = Minute { since: now, begun: 0 };
        }
        if minute.begun >= OF_A_HOST_A_MINUTE {
            return Err(Fault::Busy);
        }
        minute.begun += 1;
        Ok(())
    }
}

fn fault_of(error: &reqwest::Error) -> Fault {
    if is_denied(error) {
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
/// A provider has some certificates at a time, each of which is remembered: only places that are not known count.
const OF_A_HOST_A_MINUTE: u32 = 20;
/// Hosts that are counted; in the whole world there are about two thousand signers.
const MOST_HOSTS: usize = 4_096;
const MINUTE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
