//! OpenDHT (Jami's DHT, or a private one) through the REST proxies of `dhtnode --proxyserver`.
//!
//! A slot there is open to everybody: the proxy keeps whatever is put, garbage included, next to our items. So a reader
//! judges every line by itself, within limits, and what comes out is the signed envelope of [`crate::item`] or nothing.
//! OpenDHT's own signed values are not used.

mod silences;
mod view;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use futures_util::future::{join, join_all};
use futures_util::stream::FuturesUnordered;
use reqwest::header::CONTENT_ENCODING;
use reqwest::{Client, Response, Url, redirect};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::task::unconstrained;
use tokio::time::{sleep, timeout};

use super::{Answer, GetError, Health, PutError, Stored, newest_first};
use crate::item::{Item, Slot, SlotId};

use silences::Silences;
use view::{End, Line, View};

/// OpenDHT's type 0 lives ten minutes. (Its "permanent" puts die with the proxy that made them.)
const LIFE: Duration = Duration::from_secs(600);
/// How long a proxy may take to accept a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);
/// How long one put may take, whoever hangs. The item may be stored or not.
const PUT_PATIENCE: Duration = Duration::from_secs(25);
/// How long one request of a put may take.
const REQUEST_PATIENCE: Duration = Duration::from_secs(10);
/// A put that took so long is begun through the next proxy as well; the first of them that stored it counts.
const HEDGE_AFTER: Duration = Duration::from_secs(2);
/// How long a put reads what lies in the slot before and after it.
const GLANCE_PATIENCE: Duration = Duration::from_secs(2);
/// How long a proxy may take that a put reads through, before the next is asked as well. Who has not begun to answer by then
/// counts as silent; who has is only slow, as everybody is about a flooded slot.
const GRACE: Duration = Duration::from_millis(500);
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
/// How often a put is tried, if there are not more proxies than that.
const PUT_TRIES: usize = 2;
/// How often the item is looked for after it was put, and the first pause between, which doubles: 0.6 s in all.
const READ_BACKS: usize = 7;
const READ_BACK_PAUSE: Duration = Duration::from_millis(10);

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

    pub(super) async fn put(
        &self,
        item: &Item,
        ttl: Duration,
        cas: Option<i64>,
        now: OffsetDateTime,
    ) -> Result<Stored, PutError> {
        let put = self.put_through_any(item, ttl, cas, now);
        timeout(PUT_PATIENCE, put).await.unwrap_or(Err(PutError::Timeout))
    }

    /// Puts through one proxy after the other until the item is shown.
    async fn put_through_any(
        &self,
        item: &Item,
        ttl: Duration,
        cas: Option<i64>,
        now: OffsetDateTime,
    ) -> Result<Stored, PutError> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        self.check_current(item, cas, turn, now).await?;
        let (mut passed, mut id) = (Vec::new(), value_id(item, None));
        for _ in 0..self.proxies.len().max(PUT_TRIES) {
            let mut writers = self.silences.writers(turn, now);
            // Once more through who was passed only where nobody else takes it.
            writers.sort_by_key(|writer| passed.contains(writer));
            let writer = match self.put_through_one(item, &id, writers, now).await {
                // Somebody took it before: it may be stored or not.
                Err(_) if !passed.is_empty() => break,
                taken => taken?,
            };
            passed.retain(|proxy| *proxy != writer);
            match self.read_back(item, writer, &passed, now).await? {
                Shown::By(nodes) => return Ok(Stored { nodes, expires: now + ttl.min(LIFE) }),
                Shown::ByNobodyElse => {
                    self.silences.note_put(writer, now);
                    passed.push(writer);
                    id = value_id(item, Some(now));
                }
            }
        }
        Err(PutError::Timeout)
    }

    /// Puts through one of these proxies after the other until one has it, and says which. One that hangs does not hold up the next.
    async fn put_through_one(
        &self,
        item: &Item,
        id: &str,
        writers: Vec<usize>,
        now: OffsetDateTime,
    ) -> Result<usize, PutError> {
        let mut next = writers.into_iter();
        let mut last = None;
        let mut tries = FuturesUnordered::new();
        let mut failure = PutError::Unreachable;
        loop {
            if let Some(writer) = next.next() {
                last = Some(writer);
                tries.push(async move { (writer, self.put_through(&self.proxies[writer], item, id).await) });
            } else if tries.is_empty() {
                return Err(failure);
            }
            let wait = if next.len() > 0 { HEDGE_AFTER } else { REQUEST_PATIENCE };
            match timeout(wait, tries.next()).await {
                Ok(Some((writer, Ok(())))) => return Ok(writer),
                // Keep the most telling failure: that one proxy is dead says less than what a living one answered.
                Ok(Some((_, Err(PutError::Unreachable))) | None) => {}
                Ok(Some((_, Err(error)))) => failure = error,
                Err(_) => {
                    if let Some(hung) = last {
                        self.silences.note_put(hung, now);
                    }
                    if next.len() == 0 {
                        return Err(PutError::Timeout);
                    }
                }
            }
        }
    }

    /// OpenDHT knows no sequence numbers, so what lies there is read first: through the proxy that will put, because its node
    /// has then looked for the slot's neighbours already. One is enough: of two items the later counts anyway.
    async fn check_current(
        &self,
        item: &Item,
        cas: Option<i64>,
        first: usize,
        now: OffsetDateTime,
    ) -> Result<(), PutError> {
        let views = self.glance(&self.silences.readers(first, now), item.slot(), now).await;
        let nobody = views.iter().all(|view| matches!(view.end, End::Silent | End::Cut) && view.items.is_empty());
        // Whoever floods a slot, or is slow, shall not keep us from writing into it: of two items the later counts anyway.
        if nobody && cas.is_some() {
            return Err(PutError::Unreachable);
        }
        let current = views.into_iter().flat_map(|view| view.items).max_by(|a, b| a.rank().cmp(&b.rank()));
        if let Some(later) = current.as_ref().filter(|have| have.rank() > item.rank()) {
            return Err(PutError::Stale { have_seq: later.seq() });
        }
        if cas.is_some() && cas != current.as_ref().map(Item::seq) {
            return Err(PutError::CasFailed);
        }
        Ok(())
    }

    async fn put_through(&self, proxy: &Url, item: &Item, id: &str) -> Result<(), PutError> {
        if !self.is_connected(proxy).await {
            return Err(PutError::Unreachable);
        }
        let data = STANDARD.encode(item.to_bytes());
        let body = serde_json::json!({ "id": id, "type": 0, "data": data });
        let request = self.http.post(key_url(proxy, item.slot().id())).timeout(REQUEST_PATIENCE).body(body.to_string());
        let response = request.send().await.map_err(put_error)?;
        let status = response.status();
        if status.is_server_error() || status.as_u16() == 429 {
            return Err(PutError::Overloaded);
        }
        if !status.is_success() {
            return Err(PutError::Protocol(format!("the proxy answered {status}")));
        }
        let reply = short_body(response).await.ok_or(PutError::Timeout)?;
        match serde_json::from_slice::<Line>(&reply) {
            // The proxy answers what it stored, which is not always what it was given.
            Ok(line) if line.data == data => Ok(()),
            _ => Err(PutError::Protocol("the proxy stored something else".into())),
        }
    }

    /// Looks for a just written item through the other proxies, one at a time. The writer's own word counts while no other tells
    /// all that it has. Those who were `passed`, because they had taken the item and it was not shown, may show it now, at first or at
    /// last; that they do not contradicts themselves, not the writer.
    async fn read_back(
        &self,
        item: &Item,
        writer: usize,
        passed: &[usize],
        now: OffsetDateTime,
    ) -> Result<Shown, PutError> {
        let mut pause = READ_BACK_PAUSE;
        for attempt in 0..READ_BACKS {
            if attempt > 0 {
                sleep(pause).await;
                pause *= 2;
            }
            // Another first each time: who says that nothing is there may be the last to hear of it.
            let mut others = self.silences.heard(writer + 1 + attempt, now);
            others.retain(|proxy| *proxy != writer && !passed.contains(proxy));
            let mut views = self.glance(&others, item.slot(), now).await;
            if others.is_empty() && passed.is_empty() && attempt == 0 {
                views.extend(self.ask_a_silent_one(item.slot(), writer, now).await);
            }
            let somebody_told_all = views.iter().any(|view| view.end == End::Complete);
            if attempt == 0 || attempt + 1 == READ_BACKS {
                views.extend(self.glance(passed, item.slot(), now).await);
            }
            if views.iter().any(|view| view.items.contains(item)) {
                return Ok(Shown::By(2));
            }
            if somebody_told_all {
                continue;
            }
            let own = self.read(writer, item.slot(), GLANCE_PATIENCE, ALL, now).await;
            if own.items.contains(item) {
                return Ok(Shown::By(1));
            }
            if own.end != End::Complete {
                // Nobody can tell, as in a flooded slot; looking again would take as long.
                return Err(PutError::Timeout);
            }
        }
        Ok(Shown::ByNobodyElse)
    }

    /// What the first of these proxies shows that says all it has, and what others showed before it. The next is asked when one
    /// failed or is slow; who has not begun to answer by then is left out for a while.
    async fn glance(&self, proxies: &[usize], slot: &Slot, now: OffsetDateTime) -> Vec<View> {
        let begun: Vec<AtomicBool> = proxies.iter().map(|_| AtomicBool::default()).collect();
        let mut next = proxies.iter().copied().zip(&begun);
        let (mut reads, mut views) = (FuturesUnordered::new(), Vec::new());
        let note_unless_begun = |(proxy, begun): (usize, &AtomicBool)| {
            if !begun.load(Ordering::Relaxed) {
                self.silences.note_read(proxy, now);
            }
        };
        loop {
            let asked = next.next();
            if let Some((proxy, begun)) = asked {
                let reading = self.read_telling((proxy, begun), slot, sleep(GLANCE_PATIENCE), ALL, now);
                reads.push(async move { ((proxy, begun), reading.await) });
            }
            let wait = if asked.is_some() { GRACE } else { GLANCE_PATIENCE };
            match timeout(wait, reads.next()).await {
                Ok(None) => return views,
                Ok(Some((proxy, view))) => {
                    let end = view.end;
                    views.push(view);
                    match end {
                        End::Complete => return views,
                        End::Flooded => {}
                        End::Silent | End::Cut => note_unless_begun(proxy),
                    }
                }
                Err(_) => asked.into_iter().for_each(note_unless_begun),
            }
        }
    }

    /// When all others were silent, one of them is asked for a moment before the writer's own word counts: it may have been silent
    /// about another slot, or for another reason than that it is dead. If it begins to answer, it is silent no more.
    async fn ask_a_silent_one(&self, slot: &Slot, writer: usize, now: OffsetDateTime) -> Option<View> {
        let proxy = self.silences.other(writer, self.turn.load(Ordering::Relaxed))?;
        let begun = AtomicBool::default();
        let view = self.read_telling((proxy, &begun), slot, sleep(GRACE), ALL, now).await;
        if begun.into_inner() {
            self.silences.forget_read(proxy);
        }
        Some(view)
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

/// Whether what one proxy took is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// So many proxies show it.
    By(usize),
    /// Another proxy told all that it has, or the writer itself did, and this was not among it.
    ByNobodyElse,
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

/// The same item has the same value id, so that putting it again renews it instead of adding another. But a node keeps what came first
/// under an id, and says of what follows that it was stored: who has seen an item could keep it out where it was forgotten. So what
/// is not shown after a put gets an id that nobody could know `before`. Its copies are as many as puts in ten minutes; then they are over.
fn value_id(item: &Item, before: Option<OffsetDateTime>) -> String {
    let mut hash = Sha256::new_with_prefix(item.to_bytes());
    if let Some(instant) = before {
        hash.update(instant.unix_timestamp_nanos().to_be_bytes());
    }
    let mut id = [0; 8];
    id.copy_from_slice(&hash.finalize()[..8]);
    // OpenDHT reads 0 as "draw one".
    u64::from_be_bytes(id).max(1).to_string()
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

fn put_error(error: reqwest::Error) -> PutError {
    if error.is_connect() {
        PutError::Unreachable
    } else if error.is_timeout() {
        PutError::Timeout
    } else {
        PutError::Protocol("the proxy broke off".into())
    }
}
