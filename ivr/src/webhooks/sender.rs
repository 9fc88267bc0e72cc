//! The loop that empties the outbox of events: for each endpoint so many at a time, so that none that is slow takes another's
//! place.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ivr_core::call::question::VerificationId;
use reqwest::Url;
use time::OffsetDateTime;
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::attempt::{self, Verdict};
use super::schedule;
use crate::clock::{Clock, wait};
use crate::config::Config;
use crate::event::EndpointId;
use crate::names::Names;
use crate::outbound::{BadTlsRoots, Outbound, Reach};
use crate::store::deliveries::{self, Due};
use crate::store::{Conn, Store, StoreError, endpoints};

/// At a time for each endpoint, of this node: of all together there are never more than this times [`super::MOST_ENDPOINTS`].
pub(super) const OF_AN_ENDPOINT: usize = 2;
/// How long an attempt may take: Standard Webhooks 1.0.0 has 15 to 30 s ("Request timeouts").
const PATIENCE: Duration = Duration::from_secs(15);
/// How long an event under way is left alone: longer than an attempt may take.
const LEASE: Duration = Duration::from_secs(60);
/// Operators' commands and other nodes write rows, too: look at them although no bell rang.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);
/// A call rings for each of its steps: what rings within this time is one look.
const GATHER: Duration = Duration::from_millis(100);
/// After the database failed.
const PAUSE: Duration = Duration::from_secs(2);
/// While the database is busy: what became of an attempt is stored again and again, as long as nobody else makes another.
const STORE_AGAIN: Duration = Duration::from_secs(1);
/// An endpoint at which every attempt failed for so long is turned off when an event has used up its attempts. The last of
/// those is always later, whatever chance did to its pauses. Time alone says nothing: the service may have been away.
const FAILING: time::Duration = time::Duration::hours(60);

/// What the sender posts with.
#[derive(Debug)]
pub(crate) struct Means {
    pub(crate) reach: Reach,
    /// Whom it asks for the addresses of names, as `[sip] nameservers` says.
    pub(crate) names: Vec<SocketAddr>,
    pub(crate) tls_roots: Option<PathBuf>,
    /// For one attempt, from the look-up to the answer; shorter than an event under way is left alone.
    pub(crate) patience: Duration,
}

impl Means {
    /// As the configuration has it.
    pub(crate) fn of(config: &Config, reach: Reach) -> Self {
        Self {
            reach,
            names: config.sip().nameservers().to_vec(),
            tls_roots: config.webhooks().tls_roots().map(ToOwned::to_owned),
            patience: PATIENCE,
        }
    }

    /// The client that they make, and whether it will always do: whom the system names no name servers reaches addresses only,
    /// until it does.
    ///
    /// # Errors
    /// What is wrong with the file of roots.
    pub(crate) fn client(&self) -> Result<(Outbound, bool), BadRoots> {
        let roots = self.tls_roots.as_ref().map(std::fs::read).transpose()?;
        let names = Names::of(&self.names).ok();
        let has_names = names.is_some();
        Ok((Outbound::new(self.reach, names, roots.as_deref(), self.patience)?, has_names))
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadRoots {
    /// The file.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// What is in it.
    #[error(transparent)]
    Unusable(#[from] BadTlsRoots),
}

/// Sends events.
#[derive(Debug)]
pub(crate) struct Sender {
    store: Store,
    means: Means,
    /// Made for the first event: whoever has no endpoint does not hold the web's roots in memory.
    client: Mutex<Option<Arc<Outbound>>>,
    clock: Clock,
}

/// Events under way, and where to.
#[derive(Default)]
struct UnderWay {
    tasks: JoinSet<EndpointId>,
    of: HashMap<EndpointId, usize>,
}

impl UnderWay {
    fn begin(&mut self, endpoint: EndpointId, work: impl Future<Output = ()> + Send + 'static) {
        *self.of.entry(endpoint).or_default() += 1;
        self.tasks.spawn(async move {
            work.await;
            endpoint
        });
    }

    fn has_place(&self, endpoint: EndpointId) -> bool {
        self.of.get(&endpoint).is_none_or(|count| *count < OF_AN_ENDPOINT)
    }

    /// Waits until one has ended; `None` if there is none.
    async fn one_ends(&mut self) -> Option<()> {
        let ended = self.tasks.join_next().await?.expect("an attempt does not panic, and nobody aborts it");
        if let Some(count) = self.of.get_mut(&ended) {
            *count -= 1;
            if *count == 0 {
                self.of.remove(&ended);
            }
        }
        Some(())
    }
}

impl Sender {
    pub(crate) fn new(store: Store, means: Means, clock: Clock) -> Self {
        Self { store, means, client: Mutex::default(), clock }
    }

    /// Works until told to stop, and waits for what is under way. What its caller does not wait for is sent again by the next
    /// start, under the same name.
    pub(crate) async fn run(self: Arc<Self>, mut bell: broadcast::Receiver<VerificationId>, stop: CancellationToken) {
        let mut under_way = UnderWay::default();
        loop {
            let pause = match self.begin_due(self.clock.wall(), &mut under_way).await {
                Ok(next) => next.map_or(LONGEST_SLEEP, |at| wait(at, self.clock.wall(), LONGEST_SLEEP)),
                Err(error) => {
                    warn!(%error, "the outbox of events is read again later: {error}");
                    PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                Some(()) = under_way.one_ends() => {}
                // One that lags has missed nothing: the rows tell.
                _ = bell.recv() => {
                    tokio::time::sleep(GATHER).await;
                    bell = bell.resubscribe();
                }
                () = tokio::time::sleep(pause) => {}
            }
        }
        while under_way.one_ends().await.is_some() {}
    }

    /// Begins whatever is due and has a place. Tells when something more will be due by time alone.
    async fn begin_due(
        self: &Arc<Self>,
        now: OffsetDateTime,
        under_way: &mut UnderWay,
    ) -> Result<Option<OffsetDateTime>, StoreError> {
        loop {
            let mut due = deliveries::endpoints_due(now, &mut *self.store.read().await?).await?;
            due.retain(|endpoint| under_way.has_place(*endpoint));
            if due.is_empty() {
                break;
            }
            for endpoint in due {
                // None is left, or another node has taken the very one: then the next look finds others.
                while under_way.has_place(endpoint)
                    && let Some(event) = self.claim(endpoint, now).await?
                {
                    let sender = self.clone();
                    under_way.begin(endpoint, async move { sender.attempt(event, now).await });
                }
            }
        }
        deliveries::next_due(now, &mut *self.store.read().await?).await
    }

    /// Sends what is due, and waits for it.
    #[cfg(test)]
    pub(super) async fn send_due(self: &Arc<Self>, now: OffsetDateTime) {
        let mut under_way = UnderWay::default();
        self.begin_due(now, &mut under_way).await.unwrap();
        while under_way.one_ends().await.is_some() {
            self.begin_due(now, &mut under_way).await.unwrap();
        }
    }

    pub(super) async fn claim(&self, endpoint: EndpointId, now: OffsetDateTime) -> Result<Option<Due>, StoreError> {
        let mut writer = self.store.begin().await?;
        let due = deliveries::claim(endpoint, now, now + LEASE, &mut writer).await?;
        writer.commit().await?;
        Ok(due)
    }

    pub(super) async fn attempt(&self, due: Due, now: OffsetDateTime) {
        let (event, endpoint) = (due.id, due.endpoint);
        let began = self.clock.now();
        let (host, verdict) = match self.post(&due, now).await {
            Ok(Some(judged)) => judged,
            // Its endpoint was removed meanwhile, and it with that.
            Ok(None) => return,
            Err(error @ (StoreError::Busy | StoreError::Full)) => {
                info!(%event, %endpoint, %error, "{event} is sent when its lease has ended: {error}");
                return;
            }
            Err(error @ StoreError::Failed(_)) => (String::new(), Verdict::Unsent(error.to_string())),
        };
        loop {
            let taken = self.clock.now() - began;
            let error = match self.settle(&due, (&host, &verdict), now + taken).await {
                Ok(()) => return,
                Err(error) => error,
            };
            if matches!(error, StoreError::Failed(_)) || taken + STORE_AGAIN >= LEASE {
                warn!(%event, %endpoint, %error, "what became of {event} is not stored, so it is sent again: {error}");
                return;
            }
            tokio::time::sleep(STORE_AGAIN).await;
        }
    }

    /// To which host, and with which verdict.
    async fn post(&self, due: &Due, now: OffsetDateTime) -> Result<Option<(String, Verdict)>, StoreError> {
        let columns = self.store.columns();
        let target = endpoints::target(due.endpoint, now, columns, &mut *self.store.read().await?).await?;
        let Some(target) = target else { return Ok(None) };
        let body = due.body(columns)?;
        let verdict = match self.client() {
            Ok(client) => attempt::post(&client, &target, (due.id, now.unix_timestamp()), body).await,
            Err(why) => Verdict::Unsent(why),
        };
        Ok(Some((host_of(target.url.expose()), verdict)))
    }

    fn client(&self) -> Result<Arc<Outbound>, String> {
        let mut made = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*made {
            return Ok(client.clone());
        }
        let (client, will_do) = self.means.client().map_err(|error| format!("webhooks.tls_roots: {error}"))?;
        let client = Arc::new(client);
        if will_do {
            *made = Some(client.clone());
        }
        Ok(client)
    }

    /// Stores what became of an attempt. Each arm changes the endpoint before the event, as whoever turns it off or removes it.
    pub(super) async fn settle(
        &self,
        due: &Due,
        (host, verdict): (&str, &Verdict),
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let (event, endpoint, attempts) = (due.id, due.endpoint, due.attempts);
        let mut writer = self.store.begin().await?;
        match verdict {
            Verdict::Delivered => {
                endpoints::forgive(endpoint, &mut writer).await?;
                deliveries::delivered(due, now, &mut writer).await?;
                info!(%event, %endpoint, attempts, "{event} is delivered");
            }
            Verdict::Gone => {
                let why = "it answered 410: it wants no more events";
                endpoints::hold(endpoint, &mut writer).await?;
                deliveries::postpone(due, None, why, now, &mut writer).await?;
                self.turn_off(endpoint, why, now, &mut writer).await?;
            }
            Verdict::Unsent(why) => {
                deliveries::postpone(due, self.next_at(due, None, now), why, now, &mut writer).await?;
                warn!(%event, %endpoint, attempts, "{event} cannot be sent: {why}");
            }
            Verdict::Failed { why, rest } => {
                let next_at = self.next_at(due, *rest, now);
                let since = endpoints::failed(endpoint, now, rest.map(|rest| now + rest), &mut writer).await?;
                deliveries::postpone(due, next_at, why, now, &mut writer).await?;
                match next_at {
                    Some(at) => {
                        let pause = (at - now).whole_seconds();
                        info!(%event, %endpoint, attempts, "{event} is not delivered to {host}: {why}; tried again in {pause} s");
                    }
                    None => warn!(%event, %endpoint, attempts, "{event} to {host} is given up: {why}"),
                }
                let is_used_up = attempts >= schedule::ATTEMPTS;
                if is_used_up && since.is_some_and(|since| since + FAILING <= now) {
                    let why = format!("nothing was delivered for 60 hours, at last: {why}");
                    self.turn_off(endpoint, &why, now, &mut writer).await?;
                } else if next_at.is_none() {
                    endpoints::forgive(endpoint, &mut writer).await?;
                }
            }
        }
        writer.commit().await
    }

    async fn turn_off(
        &self,
        endpoint: EndpointId,
        why: &str,
        now: OffsetDateTime,
        conn: &mut Conn,
    ) -> Result<(), StoreError> {
        if endpoints::turn_off(endpoint, why, now, conn).await? {
            warn!(%endpoint, "endpoint {endpoint} is turned off ({why}); `dialproof webhook on` turns it on again");
        }
        Ok(())
    }

    /// When it is tried again, or `None` if it is given up, because it has been on its way for long enough.
    fn next_at(&self, due: &Due, rest: Option<Duration>, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let pause = schedule::pause_after(due.attempts, u16::from_be_bytes(self.clock.bytes()));
        let next = now + pause.max(rest.unwrap_or_default());
        (next < due.since + deliveries::LONGEST).then_some(next)
    }
}

/// What a log may say of a URL, whose path may be a secret.
fn host_of(url: &str) -> String {
    let url = Url::parse(url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    match url.as_ref().and_then(Url::port) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
