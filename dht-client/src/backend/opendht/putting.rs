//! How an item is put: through the proxy whose turn it is, or the next if that fails, hangs, or does not show it afterwards.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use reqwest::Url;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tokio::time::{sleep, timeout};

use super::super::{PutError, Stored};
use super::view::{End, Line, View};
use super::{ALL, OpenDht, REQUEST_PATIENCE, key_url, short_body};
use crate::item::{Item, Slot};

/// OpenDHT's type 0 lives ten minutes. (Its "permanent" puts die with the proxy that made them.)
const LIFE: Duration = Duration::from_secs(600);
/// How long one put may take, whoever hangs. The item may be stored or not.
const PUT_PATIENCE: Duration = Duration::from_secs(25);
/// A put that took so long is begun through the next proxy as well; the first of them that stored it counts.
const HEDGE_AFTER: Duration = Duration::from_secs(2);
/// How long a put reads what lies in the slot before and after it.
const GLANCE_PATIENCE: Duration = Duration::from_secs(2);
/// How long a proxy may take that a put reads through, before the next is asked as well. Who has not begun to answer by then
/// counts as silent; who has is only slow, as everybody is about a flooded slot.
const GRACE: Duration = Duration::from_millis(500);
/// How often a put is tried, if there are not more proxies than that.
const PUT_TRIES: usize = 2;
/// How often the item is looked for after it was put, and the first pause between, which doubles: 0.6 s in all.
const READ_BACKS: usize = 7;
const READ_BACK_PAUSE: Duration = Duration::from_millis(10);

impl OpenDht {
    pub(in crate::backend) async fn put(
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
}

/// Whether what one proxy took is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// So many proxies show it.
    By(usize),
    /// Another proxy told all that it has, or the writer itself did, and this was not among it.
    ByNobodyElse,
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

fn put_error(error: reqwest::Error) -> PutError {
    if error.is_connect() {
        PutError::Unreachable
    } else if error.is_timeout() {
        PutError::Timeout
    } else {
        PutError::Protocol("the proxy broke off".into())
    }
}
