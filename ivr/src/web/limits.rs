//! Who asks, and how often they may. Only what changes something is limited, posts and deletions; and look-ups in a DHT.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::connect_info::ConnectInfo;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ivr_core::caller::Network;

use super::App;
use super::error::WebError;
use crate::crowd::Room;
use crate::source::customer;

/// Posts of a source.
const POSTS: Budget = Budget { burst: BURST, refill: REFILL };
const BURST: u32 = 30;
const REFILL: Duration = Duration::from_secs(2);
/// Sources that are told apart. When so many are busy at once, every other shares one bucket: newcomers may have to
/// wait for each other, those who are known do not, and the memory stays what it is.
const SOURCES: usize = 20_000;
/// Event streams at a time: past them a page is told to come again, and its script or its refresh does. By one source
/// as many as a company whose people all verify at once.
pub(super) const STREAMS: Room = Room { all: 2_000, of_source: 64 };

/// Where a request comes from: the peer, or what a trusted proxy says of it.
#[derive(Debug, Clone, Copy)]
pub struct Source(pub IpAddr);

/// What each source has left.
#[derive(Debug)]
pub struct Limits {
    budget: Budget,
    buckets: Mutex<Buckets>,
}

impl Default for Limits {
    /// Of posts.
    fn default() -> Self {
        Self::new(POSTS)
    }
}

/// How often something may be done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// So often at once.
    pub(super) burst: u32,
    /// One comes back in this time.
    pub(super) refill: Duration,
}

#[derive(Debug, Default)]
struct Buckets {
    sources: HashMap<IpAddr, Bucket>,
    others: Bucket,
}

/// Full at `full_at`; whatever is taken moves that by the time in which it comes back.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Bucket {
    full_at: Option<Instant>,
}

impl Limits {
    /// Each source has this.
    pub(super) fn new(budget: Budget) -> Self {
        Self { budget, buckets: Mutex::default() }
    }

    /// Takes one of this source.
    ///
    /// # Errors
    /// How long it has to wait.
    pub fn take(&self, source: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let source = customer(source);
        if buckets.sources.len() >= SOURCES && !buckets.sources.contains_key(&source) {
            buckets.sources.retain(|_, bucket| !bucket.is_full(now));
            if buckets.sources.len() >= SOURCES {
                return buckets.others.take(self.budget, now);
            }
        }
        buckets.sources.entry(source).or_default().take(self.budget, now)
    }
}

impl Bucket {
    fn is_full(self, now: Instant) -> bool {
        self.full_at.is_none_or(|at| at <= now)
    }

    /// Takes one.
    ///
    /// # Errors
    /// How long to wait.
    pub(super) fn take(&mut self, Budget { burst, refill }: Budget, now: Instant) -> Result<(), Duration> {
        let full_at = self.full_at.filter(|at| *at > now).unwrap_or(now) + refill;
        let missing = full_at.saturating_duration_since(now);
        let depth = refill * burst;
        if missing > depth {
            return Err(missing - depth);
        }
        self.full_at = Some(full_at);
        Ok(())
    }
}

/// Who is on this machine is its operator, or a demonstration's only visitor; but where a proxy runs here, what it forwards
/// without a word comes from there, too.
pub(super) fn is_local(app: &App, source: IpAddr) -> bool {
    source.is_loopback() && !app.settings.trusted_proxies.iter().any(|proxy| proxy.contains(source))
}

/// The layer that limits posts.
pub async fn limit(State(app): State<App>, Source(source): Source, request: Request, next: Next) -> Response {
    let is_post = ![Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    match if is_post { admit(&app, source) } else { Ok(()) } {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// Takes one post of this source, or something that costs as much, unless it is on this machine.
///
/// # Errors
/// [`WebError::TooMany`].
pub(super) fn admit(app: &App, source: IpAddr) -> Result<(), WebError> {
    if is_local(app, source) {
        return Ok(());
    }
    app.limits().take(source, app.clock.now()).map_err(|retry_after| WebError::TooMany { retry_after })
}

impl FromRequestParts<App> for Source {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let peer = ConnectInfo::<SocketAddr>::from_request_parts(parts, app).await;
        // A listener that does not tell who asks makes everybody one source.
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip().to_canonical());
        Ok(Self(behind(peer, &parts.headers, &app.settings.trusted_proxies)))
    }
}

/// Each proxy appends whom it got the request from: the source is the last who is no proxy of ours. What stands before
/// it anybody may have written.
fn behind(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let is_ours = |address: IpAddr| proxies.iter().any(|network| network.contains(address));
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
    let told: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    let mut source = peer;
    for address in told.into_iter().rev() {
        if !is_ours(source) {
            break;
        }
        let Ok(address) = address.parse::<IpAddr>() else { break };
        source = address.to_canonical();
    }
    source
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_about_its_visitor() {
        let proxies: Vec<Network> = vec!["10.0.0.0/24".parse().unwrap()];
        let table = [
            ("no proxy", "192.0.2.1", &[][..], "192.0.2.1"),
            ("a stranger's word", "192.0.2.1", &["198.51.100.7"], "192.0.2.1"),
            ("the proxy's word", "10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("forged before the proxy", "10.0.0.1", &["127.0.0.1, 198.51.100.7"], "198.51.100.7"),
            ("two proxies", "10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("two lines", "10.0.0.1", &["203.0.113.9", "198.51.100.7"], "198.51.100.7"),
            ("a mapped address", "10.0.0.1", &["::ffff:198.51.100.7"], "198.51.100.7"),
            ("nonsense", "10.0.0.1", &["198.51.100.7, unknown"], "10.0.0.1"),
            ("nothing told", "10.0.0.1", &[], "10.0.0.1"),
        ];
        for (name, peer, lines, expected) in table {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            assert_eq!(behind(address(peer), &headers, &proxies), address(expected), "{name}");
        }
    }

    #[test]
    fn a_source_that_posts_too_much_waits_and_is_let_in_again() {
        let (limits, now) = (Limits::default(), Clock.now());
        for _ in 0..BURST {
            limits.take(address("192.0.2.1"), now).unwrap();
        }
        assert_eq!(limits.take(address("192.0.2.1"), now), Err(REFILL));
        limits.take(address("192.0.2.2"), now).unwrap();
        limits.take(address("192.0.2.1"), now + REFILL).unwrap();
        assert_eq!(limits.take(address("192.0.2.1"), now + REFILL), Err(REFILL));
    }

    #[test]
    fn the_memory_is_bounded_and_newcomers_share_what_is_left() {
        let (limits, now) = (Limits::default(), Clock.now());
        for source in 0..SOURCES {
            limits.take(Ipv4Addr::from_bits(u32::try_from(source).unwrap()).into(), now).unwrap();
        }
        for _ in 0..BURST {
            limits.take(address("203.0.113.1"), now).unwrap();
        }
        assert!(limits.take(address("203.0.113.2"), now).is_err(), "a newcomer had a bucket of its own");
        limits.take(address("0.0.0.1"), now).unwrap();
        assert_eq!(limits.buckets.lock().unwrap().sources.len(), SOURCES);
        // Once the known ones have been quiet for a while, there is room again.
        limits.take(address("203.0.113.2"), now + REFILL * 2).unwrap();
        assert_eq!(limits.buckets.lock().unwrap().sources.len(), 1);
    }
}
