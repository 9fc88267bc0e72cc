//! Requests to a URL that somebody else wrote: a caller (x5u), or who receives webhooks. They must not become a way into our
//! network: https only, no redirects, no proxy, public addresses only, and the very address that was looked at is connected to.

mod public_address;

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ivr_core::link::{Query, Records};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, RequestBuilder, Url};

use self::public_address::is_public;
use crate::names::Names;

/// A client for such URLs.
#[derive(Debug)]
pub struct Outbound {
    client: Client,
    reach: Reach,
}

/// What may be connected to, and whether TLS may be missing.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    pub(crate) addresses: fn(IpAddr) -> bool,
    pub(crate) in_clear: bool,
}

impl Reach {
    /// The open internet, over TLS.
    pub const PUBLIC: Self = Self { addresses: is_public, in_clear: false };
    /// This machine, for demonstrations, which nobody else reaches either.
    pub const LOOPBACK: Self = Self { addresses: is_loopback, in_clear: true };
}

fn is_loopback(address: IpAddr) -> bool {
    address.is_loopback()
}

/// Why a URL is not connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// It has no host, or a user and a password.
    #[error("this is no URL of a host, or it holds a user name or password")]
    NoUrl,
    /// It names an address that may not be connected to.
    #[error("its address may not be connected to")]
    NotPublic,
}

/// The client cannot be made: the roots are none.
#[derive(Debug, thiserror::Error)]
pub enum BadTlsRoots {
    /// Something in them is no certificate.
    #[error("the TLS roots must be certificates in PEM ({0})")]
    Unusable(reqwest::Error),
    /// They are a file of something else.
    #[error("the file of TLS roots holds no certificate in PEM")]
    Empty,
}

impl Outbound {
    /// Asks these name servers, and trusts TLS servers by the roots that browsers trust, and by these (PEM). A request takes
    /// no longer than `limit`, from the look-up to the last octet.
    ///
    /// # Errors
    /// If the roots are none.
    pub fn new(
        reach: Reach,
        names: Option<Names>,
        more_roots: Option<&[u8]>,
        limit: Duration,
    ) -> Result<Self, BadTlsRoots> {
        let mut client = Client::builder()
            .https_only(!reach.in_clear)
            .redirect(Policy::none())
            .no_proxy()
            .timeout(limit)
            .pool_max_idle_per_host(0)
            .dns_resolver(Arc::new(Resolver { names: names.map(Arc::new), reach }));
        let more_roots = more_roots.map(Certificate::from_pem_bundle).transpose().map_err(BadTlsRoots::Unusable)?;
        if more_roots.as_ref().is_some_and(Vec::is_empty) {
            return Err(BadTlsRoots::Empty);
        }
        for root in more_roots.into_iter().flatten() {
            client = client.add_root_certificate(root);
        }
        Ok(Self { client: client.build().map_err(BadTlsRoots::Unusable)?, reach })
    }

    /// The URL, if nothing speaks against it before its name is looked up.
    ///
    /// # Errors
    /// What speaks against it.
    pub fn address(&self, url: &str) -> Result<Url, Denied> {
        address(url, self.reach)
    }

    /// A GET of an [`address`](Self::address).
    pub fn get(&self, url: Url) -> RequestBuilder {
        self.client.get(url)
    }

    /// A POST to an [`address`](Self::address).
    pub fn post(&self, url: Url) -> RequestBuilder {
        self.client.post(url)
    }
}

/// The same without a client.
///
/// # Errors
/// What speaks against it.
pub fn address(url: &str, reach: Reach) -> Result<Url, Denied> {
    let url = Url::parse(url).ok().filter(|url| url.username().is_empty() && url.password().is_none());
    let url = url.ok_or(Denied::NoUrl)?;
    let host = url.host_str().ok_or(Denied::NoUrl)?;
    // A name is looked at when it is resolved; an address in the URL is not resolved, and where this machine's name leads is
    // known. Whoever reaches this machine only looks no other name up.
    let is_reached = match host.trim_start_matches('[').trim_end_matches(']').parse() {
        Ok(literal) => (reach.addresses)(literal),
        Err(_) if is_this_machine(host) => LOOPBACK.into_iter().any(reach.addresses),
        Err(_) => !reach.in_clear,
    };
    if is_reached { Ok(url) } else { Err(Denied::NotPublic) }
}

/// RFC 6761 6.3: `localhost` and every name under it are this machine's, and nobody is asked for them.
fn is_this_machine(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

/// Where these names lead.
const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// What a name leads to, if a request failed because of that.
pub fn fault_of_name(error: &reqwest::Error) -> Option<NameFault> {
    let mut cause = error.source();
    while let Some(found) = cause {
        if let Some(fault) = found.downcast_ref::<NameFault>() {
            return Some(*fault);
        }
        cause = found.source();
    }
    None
}

/// Why a name leads to no address that is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// It leads only to addresses that may not be connected to.
    #[error("its address may not be connected to")]
    NotPublic,
    /// It has no address, or the name servers gave none.
    #[error("its name leads nowhere: the name servers give no address")]
    Nowhere,
    /// Nobody can be asked.
    #[error("the system names no name servers; set sip.nameservers")]
    NoServers,
}

/// Looks names up, and leaves of the addresses those that may be connected to.
struct Resolver {
    names: Option<Arc<Names>>,
    reach: Reach,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, reach) = (self.names.clone(), self.reach);
        Box::pin(async move {
            let found = found(name.as_str(), names).await?;
            if found.is_empty() {
                return Err(NameFault::Nowhere.into());
            }
            let reached: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| (reach.addresses)(*address))
                .map(|address| (address, 0).into())
                .collect();
            if reached.is_empty() {
                return Err(NameFault::NotPublic.into());
            }
            Ok(Box::new(reached.into_iter()) as Addrs)
        })
    }
}

async fn found(name: &str, names: Option<Arc<Names>>) -> Result<Vec<IpAddr>, NameFault> {
    if is_this_machine(name) {
        return Ok(LOOPBACK.to_vec());
    }
    Ok(match names.ok_or(NameFault::NoServers)?.look_up(&Query::Addresses(name.to_owned())).await {
        Records::Addresses(found) => found,
        Records::Naptr(_) | Records::Srv(_) => Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_speaks_against_a_url_is_seen_before_its_name_is_looked_up() {
        let table = [
            ("https://shop.example/hook", Reach::PUBLIC, Ok(())),
            ("https://9.9.9.9/", Reach::PUBLIC, Ok(())),
            ("https://127.0.0.1/", Reach::PUBLIC, Err(Denied::NotPublic)),
            ("https://2130706433/", Reach::PUBLIC, Err(Denied::NotPublic)),
            ("https://[::ffff:10.0.0.1]/", Reach::PUBLIC, Err(Denied::NotPublic)),
            ("https://169.254.169.254/latest", Reach::PUBLIC, Err(Denied::NotPublic)),
            ("https://localhost/hook", Reach::PUBLIC, Err(Denied::NotPublic)),
            ("https://LocalHost.:8443/hook", Reach::PUBLIC, Err(Denied::NotPublic)),
            ("https://shop.localhost/hook", Reach::PUBLIC, Err(Denied::NotPublic)),
            ("https://localhost.example/hook", Reach::PUBLIC, Ok(())),
            ("https://user@shop.example/", Reach::PUBLIC, Err(Denied::NoUrl)),
            ("hook", Reach::PUBLIC, Err(Denied::NoUrl)),
            ("http://127.0.0.1:9/", Reach::LOOPBACK, Ok(())),
            ("http://localhost:9/", Reach::LOOPBACK, Ok(())),
            ("http://9.9.9.9/", Reach::LOOPBACK, Err(Denied::NotPublic)),
            ("https://shop.example/", Reach::LOOPBACK, Err(Denied::NotPublic)),
        ];
        for (url, reach, expected) in table {
            assert_eq!(address(url, reach).map(drop), expected, "{url}");
        }
    }
}
