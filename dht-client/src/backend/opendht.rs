//! OpenDHT (Jami's DHT, or a private one) through the REST proxies of `dhtnode --proxyserver`.
//!
//! A slot there is open to everybody: the proxy keeps whatever is put, garbage included, next to our items. So a reader
//! judges every line by itself, within limits, and what comes out is the signed envelope of [`crate::item`] or nothing.
//! OpenDHT's own signed values are not used.
//!
//! Reading stands here, writing in `putting.rs`.

mod putting;
mod silences;
mod view;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{join, join_all};
use futures_util::stream::FuturesUnordered;
use reqwest::header::CONTENT_ENCODING;
use reqwest::{Client, Response, Url, redirect};
use serde::Deserialize;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::task::unconstrained;
use tokio::time::{sleep, timeout};

use super::{Answer, GetError, Health, newest_first};
use crate::item::{Item, Slot, SlotId};

use silences::Silences;
use view::{End, View};

/// How long a proxy may take to accept a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);
/// How long one request of a put may take.
const REQUEST_PATIENCE: Duration = Duration::from_secs(10);
/// How long a proxy may take until it begins to answer a reader.
const HEAD_PATIENCE: Duration = Duration::from_secs(4);
/// When one proxy has told a reader all that its node found, the others are waited for so long: each asks the same network, and one that
/// begins to answer and does not end holds up nobody. But whoever ends at once may lie, or have joined a moment ago: while another had
/// something to say, nobody says that there is nothing.
const LAG: Duration = Duration::from_secs(3);
/// The longest answer of a proxy that is not a stream of values.
const REPLY_LIMIT: usize = 16 * 1024;
/// A reader wants all items of a slot.
const ALL: usize = usize::MAX;

/// A list of proxies of one OpenDHT network.
#[derive(Debug, Clone)]
pub struct OpenDht {
    http: Client,
    proxies: Arc<[Url]>,
    /// Which proxy the next put begins with.
    turn: Arc<AtomicUsize>,
    silences: Silences,
}

/// Why a list of proxies cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// The list is empty.
    #[error("no OpenDHT proxy is named; give at least one, better three")]
    None,
    /// An entry is not the address of a proxy.
    #[error("`{0}` is not the address of an OpenDHT proxy, such as http://127.0.0.1:8080")]
    Address(String),
    /// The HTTP client cannot start.
    #[error("the HTTP client cannot start: {0}")]
    Client(String),
}

impl OpenDht {
    /// A client of these proxies.
    ///
    /// # Errors
    /// If there is none, or one is not an http or https address.
    pub fn new<S: AsRef<str>>(proxies: &[S]) -> Result<Self, ProxyError> {
        let proxies = proxies.iter().map(|text| proxy(text.as_ref())).collect::<Result<Arc<[Url]>, _>>()?;
        if proxies.is_empty() {
            return Err(ProxyError::None);
        }
        let http = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_PATIENCE)
            .build()
            .map_err(|error| ProxyError::Client(error.to_string()))?;
        let silences = Silences::of(proxies.len());
        Ok(Self { http, proxies, turn: Arc::default(), silences })
    }

    pub(super) async fn get(&self, slot: &Slot, patience: Duration, now: OffsetDateTime) -> Result<Answer, GetError> {
        let (told, hears) = watch::channel(false);
        let reads = (0..self.proxies.len()).map(|proxy| {
            let (told, mut hears) = (&told, hears.clone());
            let limit = async move {
                let laggard = async {
                    // It ends with an error if nobody can tell any more: then all have been read.
                    let _ = hears.wait_for(|told| *told).await;
                    sleep(LAG).await;
                };
                let _ = timeout(patience, laggard).await;
            };
            async move {
                let view = self.read_telling((proxy, &AtomicBool::default()), slot, limit, ALL, now).await;
                if view.end == End::Complete {
                    told.send_replace(true);
                }
                view
            }
        });
        let views = join_all(reads).await;
        let count = |end: End| views.iter().filter(|view| view.end == end).count();
        let (answered, flooded, cut) = (count(End::Complete), count(End::Flooded), count(End::Cut));
        let items = newest_first(views.into_iter().flat_map(|view| view.items).collect());
        match (items.is_empty(), flooded, cut, answered) {
            (false, ..) => Ok(Answer::Items { items, complete: answered == self.proxies.len() }),
            (true, 1.., ..) => Err(GetError::Overloaded),
            (true, 0, 0, asked @ 1..) => Ok(Answer::Nothing { asked }),
            (true, 0, ..) => Err(GetError::Unreachable),
        }
    }

    /// The first item that any proxy gives and that holds.
    pub(super) async fn first(&self, slot: &Slot, patience: Duration, now: OffsetDateTime) -> Option<Item> {
        let reads = (0..self.proxies.len()).map(|proxy| self.read(proxy, slot, patience, 1, now));
        let mut reads: FuturesUnordered<_> = reads.collect();
        while let Some(view) = reads.next().await {
            if let Some(item) = view.items.into_iter().next() {
                return Some(item);
            }
        }
        None
    }

    /// Reads a slot through one proxy, to its end or until there are `enough` items.
    async fn read(&self, proxy: usize, slot: &Slot, patience: Duration, enough: usize, now: OffsetDateTime) -> View {
        self.read_telling((proxy, &AtomicBool::default()), slot, sleep(patience), enough, now).await
    }

    /// As [`Self::read`], until this limit, and tells when the proxy has begun to answer.
    async fn read_telling(
        &self,
        (proxy, begun): (usize, &AtomicBool),
        slot: &Slot,
        limit: impl Future<Output = ()>,
        enough: usize,
        now: OffsetDateTime,
    ) -> View {
        let (proxy, mut view) = (&self.proxies[proxy], View::default());
        let whole = async {
            let head = join(self.is_connected(proxy), self.http.get(key_url(proxy, slot.id())).send());
            let Ok((connected, response)) = timeout(HEAD_PATIENCE, head).await else { return };
            // A proxy without peers answers 200 and an empty list for everything. And we ask for no compression.
            let is_plain = |response: &Response| {
                response.status().is_success() && !response.headers().contains_key(CONTENT_ENCODING)
            };
            let Some(response) = response.ok().filter(|response| connected && is_plain(response)) else { return };
            begun.store(true, Ordering::Relaxed);
            view.collect(response, slot, enough, now).await;
        };
        let is_over = tokio::select! {
            biased;
            () = whole => false,
            // A flood that uses up the task's turn does not keep the clock from being looked at.
            () = unconstrained(limit) => true,
        };
        if is_over && view.end != End::Flooded {
            view.end = if begun.load(Ordering::Relaxed) { End::Cut } else { End::Silent };
        }
        view
    }

    /// Whether the proxy's node has peers. HTTP 200 alone says nothing.
    async fn is_connected(&self, proxy: &Url) -> bool {
        let Ok(url) = proxy.join("node/info") else { return false };
        let Ok(response) = self.http.get(url).timeout(REQUEST_PATIENCE).send().await else { return false };
        short_body(response).await.is_some_and(|body| has_peers(&body))
    }

    pub(super) async fn health(&self) -> Health {
        let alive = join_all(self.proxies.iter().map(|proxy| self.is_connected(proxy))).await;
        Health {
            backend: "opendht",
            reachable: alive.into_iter().filter(|alive| *alive).count(),
            configured: self.proxies.len(),
        }
    }
}

#[derive(Deserialize)]
struct NodeInfo {
    ipv4: Peers,
}

#[derive(Deserialize)]
struct Peers {
    good: u64,
}

fn has_peers(info: &[u8]) -> bool {
    serde_json::from_slice::<NodeInfo>(info).is_ok_and(|info| info.ipv4.good > 0)
}

/// What is taken from bytes of a proxy that come in chunks of this length: items, if they are its answer about a slot; whether its node
/// has peers, if they are what it says of itself. The fuzz target `proxy` asks.
#[cfg(fuzzing)]
pub fn understood(bytes: &[u8], chunk: usize, slot: &Slot, now: OffsetDateTime) -> (Vec<Item>, bool) {
    (View::of(bytes, chunk, slot, now).items, has_peers(bytes))
}

fn proxy(text: &str) -> Result<Url, ProxyError> {
    let wrong = || ProxyError::Address(text.to_owned());
    let mut url = Url::parse(text).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || url.query().is_some() {
        return Err(wrong());
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

fn key_url(proxy: &Url, slot: SlotId) -> Url {
    let mut url = proxy.clone();
    url.set_path(&format!("{}key/{slot}", proxy.path()));
    url
}

async fn short_body(response: Response) -> Option<Vec<u8>> {
    let mut stream = response.bytes_stream();
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        body.extend_from_slice(&chunk.ok()?);
        if body.len() > REPLY_LIMIT {
            return None;
        }
    }
    Some(body)
}
