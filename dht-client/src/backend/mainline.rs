//! BitTorrent's mainline DHT, where the envelope is native (BEP 44): a private ring that a service embeds, or the
//! public network.
//!
//! The library looks for orders between two waits for its socket, therefore a bell ends these; more than a few puts at once
//! make it lose some, therefore they queue here.

mod bell;

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join;
use mainline::async_dht::AsyncDht;
use mainline::errors::{ConcurrencyError, PutMutableError, PutQueryError};
use mainline::{DEFAULT_BOOTSTRAP_NODES, Dht, Id, MutableItem, ServerSettings};
use time::OffsetDateTime;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::{Answer, GetError, Health, KEPT_ITEMS, PutError, Stored, newest_first};
use crate::item::{Item, Slot};

use bell::Bell;

/// Puts in flight at once; above 8 to 16 some fail.
const PUTS_AT_ONCE: usize = 8;
/// How often a put is tried that lost a race or an answer, or that fewer than four fifths of the nodes took.
const PUT_TRIES: u32 = 4;
/// So many answers may arrive at once. Each takes about 2 KB of a socket's buffer, which has 208 KB by default: past it they
/// are lost, and a query whose answers are all lost has heard nobody.
const ANSWERS_AT_ONCE: usize = 64;
/// How often a slot is asked for, if less than half of a ring answered.
const GET_TRIES: u32 = 2;
/// How long one put may take with all its tries.
const PUT_PATIENCE: Duration = Duration::from_secs(20);
/// How long one query of a put may take: the library gives a silent node 2 s.
const QUERY_PATIENCE: Duration = Duration::from_secs(5);
/// Nodes of mainline forget an item after two hours.
const LIFE: Duration = Duration::from_secs(2 * 3600);
/// So many nodes closest to a slot keep its item (Kademlia's k).
const CLOSEST: usize = 20;
/// The library asserts that it puts at 255 nodes at most, and its thread ends otherwise. So many answer only where a member of a private
/// ring leads to ports of its own: elsewhere one address is one node.
const MOST_NODES: usize = 200;
/// The public network has said "nothing" if four of the closest nodes did. Of who answers, four may be those with which the library begins:
/// they are close to nothing, and all there is where nobody else is reached.
const PUBLIC_QUORUM: usize = DEFAULT_BOOTSTRAP_NODES.len() + 4;
/// How many records each node of an embedded ring keeps (about 1.3 KB each); past it the longest unread one goes, and the
/// refresher puts it again.
const RING_VALUES: usize = 50_000;

/// A few mainline nodes in this process, bound to 127.0.0.1. They stop when this is dropped.
#[derive(Debug)]
pub struct Ring {
    nodes: Vec<Dht>,
    addresses: Vec<SocketAddrV4>,
}

impl Ring {
    /// Starts one node a port, at least two; port 0 takes a free one.
    ///
    /// # Errors
    /// If a port cannot be bound.
    pub async fn start(ports: &[u16]) -> io::Result<Self> {
        if ports.len() < 2 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a ring has at least two nodes"));
        }
        // Every node is told of all from its start. A node that is told of none takes whoever asks it for a server, and
        // sends later clients to ask themselves: each of their queries then waits 2 s for nobody.
        let addresses = free_addresses(ports)?;
        let mut nodes = Vec::new();
        for address in &addresses {
            let node = build(addresses.clone(), address.port(), Role::Server, Ipv4Addr::LOCALHOST).await;
            nodes.push(node.map_err(of_port(address.port()))?);
        }
        Ok(Self { nodes, addresses })
    }

    /// Ends nodes, as when their machines fail, until so many are left; their addresses stay listed.
    pub fn shrink_to(&mut self, left: usize) {
        self.nodes.truncate(left);
    }

    /// Where the nodes listen: what goes into the bundle.
    pub fn addresses(&self) -> &[SocketAddrV4] {
        &self.addresses
    }
}

/// A client of a mainline network.
#[derive(Debug, Clone)]
pub struct Mainline {
    node: AsyncDht,
    bell: Option<Arc<Bell>>,
    network: Network,
    puts: Arc<Semaphore>,
    queries: Arc<Semaphore>,
    /// One fewer than there are queries: however many read, a put is never behind more than one round of them.
    reads: Arc<Semaphore>,
}

#[derive(Debug, Clone)]
enum Network {
    /// A private ring with these nodes; all of them must be heard before a slot counts as empty.
    Ring(Arc<[SocketAddrV4]>),
    /// The public network.
    Public,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Server,
    Client,
}

impl Mainline {
    /// A client of a private ring: of this process, another one, or other machines.
    ///
    /// # Errors
    /// If no socket can be bound. A ring that does not answer is no error here: `put` and `get` say so.
    pub async fn ring(addresses: &[SocketAddrV4]) -> io::Result<Self> {
        let local = addresses.iter().all(|address| address.ip().is_loopback());
        let bind = if local { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
        let node = build(addresses.to_vec(), 0, Role::Client, bind).await?.as_async();
        Ok(Self::over(node, Network::Ring(addresses.into())).await)
    }

    /// A client of the public network, through the library's list of well-known nodes.
    ///
    /// # Errors
    /// If no socket can be bound.
    pub async fn public() -> io::Result<Self> {
        let node = tokio::task::spawn_blocking(|| Dht::builder().port(0).build()).await.map_err(io::Error::other)??;
        Ok(Self::over(node.as_async(), Network::Public).await)
    }

    async fn over(node: AsyncDht, network: Network) -> Self {
        let bell = Bell::hang_if_possible(node.info().await.local_addr()).await.map(Arc::new);
        let answers = match &network {
            Network::Ring(ring) => ring.len().clamp(1, CLOSEST),
            Network::Public => CLOSEST,
        };
        let queries = (ANSWERS_AT_ONCE / answers).max(2);
        let places = |count| Arc::new(Semaphore::new(count));
        let (puts, queries, reads) = (places(PUTS_AT_ONCE), places(queries), places(queries - 1));
        Self { node, bell, network, puts, queries, reads }
    }

    /// The library was just given an order.
    fn ring_bell(&self) {
        self.bell.iter().for_each(|bell| bell.ring());
    }

    /// What the library answers to orders that it is given when this is first polled: then the bell rings.
    async fn heard<F: Future>(&self, orders: F) -> F::Output {
        join(orders, async { self.ring_bell() }).await.0
    }

    pub(super) async fn put(
        &self,
        item: &Item,
        ttl: Duration,
        cas: Option<i64>,
        now: OffsetDateTime,
    ) -> Result<Stored, PutError> {
        let mut stored = 0;
        let attempt = async {
            let _permit = self.puts.acquire().await.map_err(|_| PutError::Overloaded)?;
            self.put_with_retries(&mut stored, item, cas, now).await
        };
        match timeout(PUT_PATIENCE, attempt).await {
            Ok(done) => done?,
            // What some took is stored, however long the others are waited for.
            Err(_) if stored > 0 => {}
            Err(_) => return Err(PutError::Overloaded),
        }
        Ok(Stored { nodes: stored, expires: now + ttl.min(LIFE) })
    }

    /// Counts in `stored` how many nodes have it so far.
    async fn put_with_retries(
        &self,
        stored: &mut usize,
        item: &Item,
        cas: Option<i64>,
        now: OffsetDateTime,
    ) -> Result<(), PutError> {
        let mut failure = PutError::Timeout;
        for attempt in 0..PUT_TRIES {
            if attempt > 0 {
                sleep(Duration::from_millis(100) * 2_u32.pow(attempt)).await;
            }
            // This query finds the closest nodes, which the put would have to look for anyway.
            let mut view = View::default();
            self.query(&mut view, item.slot(), None, QUERY_PATIENCE, now).await;
            if view.answered == 0 {
                failure = PutError::Unreachable;
                continue;
            }
            let current = view.items.first();
            if let Some(later) = current.filter(|have| have.rank() > item.rank()) {
                return Err(PutError::Stale { have_seq: later.seq() });
            }
            // Once a node has it, the condition held.
            let cas = cas.filter(|_| *stored == 0);
            if cas.is_some() && cas != current.map(Item::seq) {
                return Err(PutError::CasFailed);
            }
            if view.responders.len() > MOST_NODES {
                failure = PutError::Overloaded;
                break;
            }
            match self.heard(self.node.put_mutable(native(item), cas)).await {
                Ok(outcome) => {
                    *stored = usize::try_from(outcome.stored_at).unwrap_or(usize::MAX).max(*stored);
                    // A client that has just begun knows few nodes, and answers get lost where much is put at once; but
                    // a few nodes do not outlive what takes away the rest.
                    let wanted = if attempt == 0 { self.most_nodes().max(view.answered) } else { view.answered };
                    if *stored * 5 >= wanted.min(CLOSEST) * 4 {
                        return Ok(());
                    }
                }
                Err(error) => failure = classify(error, cas)?,
            }
        }
        if *stored > 0 { Ok(()) } else { Err(failure) }
    }

    pub(super) async fn get(
        &self,
        slot: &Slot,
        patience: Duration,
        newer_than: Option<i64>,
        now: OffsetDateTime,
    ) -> Result<Answer, GetError> {
        let mut view = View::default();
        let reading = async {
            let Ok(_place) = self.reads.acquire().await else { return };
            // A client that has just begun may have asked the dead only: once more, it knows who is left.
            for _ in 0..GET_TRIES {
                self.query(&mut view, slot, newer_than, patience / GET_TRIES, now).await;
                if !view.items.is_empty() || self.heard_most(&view) {
                    return;
                }
            }
        };
        // Who did not come to ask in time has heard nobody.
        let _ = timeout(patience, reading).await;
        view.items = newest_first(view.items);
        let complete = self.heard_enough(&view);
        match (view.items.is_empty(), complete) {
            (false, complete) => Ok(Answer::Items { items: view.items, complete }),
            (true, true) => Ok(Answer::Nothing { asked: view.answered }),
            (true, false) => Err(GetError::Unreachable),
        }
    }

    /// The first item that arrives and holds.
    pub(super) async fn first(&self, slot: &Slot, now: OffsetDateTime) -> Option<Item> {
        let _place = self.reads.acquire().await.ok()?;
        let _permit = self.queries.acquire().await.ok()?;
        let salt = (!slot.salt().is_empty()).then_some(slot.salt());
        let mut items = self.node.get_mutable(slot.key(), salt, None);
        self.ring_bell();
        while let Some(found) = items.next().await {
            if let Some(item) = checked(&found, slot, now) {
                return Some(item);
            }
        }
        None
    }

    /// Whether so many answered that asking again would not change much.
    fn heard_most(&self, view: &View) -> bool {
        match &self.network {
            Network::Ring(ring) => view.answered * 2 > ring.len(),
            Network::Public => self.heard_enough(view),
        }
    }

    /// How many nodes keep an item, if all are there whose addresses are known.
    fn most_nodes(&self) -> usize {
        match &self.network {
            Network::Ring(ring) => ring.len().min(CLOSEST),
            Network::Public => 0,
        }
    }

    /// Whether those who must be heard before a slot counts as empty have answered.
    fn heard_enough(&self, view: &View) -> bool {
        match &self.network {
            // Not who was asked on the way, but who would keep the item.
            Network::Public => view.answered.min(view.responders.len()) >= PUBLIC_QUORUM,
            // A count of answers does not say whose: strangers may have joined, so the nodes are named.
            Network::Ring(ring) => {
                view.answered >= ring.len() && ring.iter().all(|node| view.responders.contains(node))
            }
        }
    }

    pub(super) async fn health(&self) -> Health {
        let closest = self.heard(self.node.get_closest_nodes(Id::from([0; 20])));
        let closest = timeout(QUERY_PATIENCE, closest).await.unwrap_or_default();
        let (reachable, configured) = match &self.network {
            Network::Ring(ring) => {
                let answers = |address: &&SocketAddrV4| closest.iter().any(|node| node.address() == **address);
                (ring.iter().filter(answers).count(), ring.len())
            }
            Network::Public => (closest.len(), PUBLIC_QUORUM),
        };
        Health { backend: "mainline", reachable, configured }
    }

    /// Asks all who are close to a slot. The wait for a place among the queries does not count as their silence.
    async fn query(
        &self,
        view: &mut View,
        slot: &Slot,
        newer_than: Option<i64>,
        patience: Duration,
        now: OffsetDateTime,
    ) {
        let salt = (!slot.salt().is_empty()).then_some(slot.salt());
        let Ok(_permit) = self.queries.acquire().await else { return };
        *view = View::default();
        let collect = async {
            let mut query = self.node.get_mutable_detailed(slot.key(), salt, newer_than);
            let items = async {
                while let Some(found) = query.items.next().await {
                    view.items.extend(checked(&found, slot, now));
                    if view.items.len() > KEPT_ITEMS {
                        view.items = newest_first(std::mem::take(&mut view.items));
                        view.items.truncate(KEPT_ITEMS);
                    }
                }
                query.outcome.recv().await.valid_responses()
            };
            // Asked at once after the first, this does not send anything: it shares the query and tells who answered.
            self.heard(join(items, self.node.get_closest_nodes(Id::from(slot.id().0)))).await
        };
        if let Ok((answered, closest)) = timeout(patience, collect).await {
            view.answered = usize::try_from(answered).unwrap_or(usize::MAX);
            view.responders = closest.iter().map(|node| node.address()).collect();
        }
        view.items = newest_first(std::mem::take(&mut view.items));
    }
}

/// What one query saw; nobody answered and responded if it did not end in time.
#[derive(Default)]
struct View {
    items: Vec<Item>,
    answered: usize,
    responders: Vec<SocketAddrV4>,
}

/// The addresses on 127.0.0.1 of these ports, with free ones in the place of 0.
fn free_addresses(ports: &[u16]) -> io::Result<Vec<SocketAddrV4>> {
    // All are held at once, so that no port is given twice; they are let go on return, and the nodes take them.
    let bind = |&port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).map_err(of_port(port));
    let held = ports.iter().map(bind).collect::<io::Result<Vec<_>>>()?;
    held.iter().map(|socket| Ok(SocketAddrV4::new(Ipv4Addr::LOCALHOST, socket.local_addr()?.port()))).collect()
}

/// The error, with the port that it is about.
fn of_port(port: u16) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("port {port} of {} (UDP): {error}", Ipv4Addr::LOCALHOST))
}

/// The library's constructor blocks for a moment (a thread, a socket, names of nodes).
async fn build(bootstrap: Vec<SocketAddrV4>, port: u16, role: Role, bind: Ipv4Addr) -> io::Result<Dht> {
    let start = move || {
        let mut builder = Dht::builder();
        builder.bootstrap(&bootstrap).port(port).bind_address(bind);
        if role == Role::Server {
            builder
                .server_mode()
                .server_settings(ServerSettings { max_mutable_values: RING_VALUES, ..ServerSettings::default() });
        }
        builder.build()
    };
    tokio::task::spawn_blocking(start).await.map_err(io::Error::other)?
}

fn native(item: &Item) -> MutableItem {
    let salt = (!item.slot().salt().is_empty()).then_some(item.slot().salt());
    MutableItem::new_signed_unchecked(*item.slot().key(), *item.signature(), item.value(), item.seq(), salt)
}

fn checked(found: &MutableItem, slot: &Slot, now: OffsetDateTime) -> Option<Item> {
    Item::verify(slot.clone(), found.seq(), *found.signature(), found.value().to_vec(), now).ok()
}

/// `Ok` holds an error after which another try may succeed.
fn classify(error: PutMutableError, cas: Option<i64>) -> Result<PutError, PutError> {
    match error {
        PutMutableError::Concurrency(ConcurrencyError::CasFailed) if cas.is_some() => Err(PutError::CasFailed),
        // Another put for this slot is in flight, or won: the next round reads it. Or nodes lie: that a condition failed where there
        // was none, or that they hold something later, which they would have shown.
        PutMutableError::Concurrency(_) => Ok(PutError::Overloaded),
        PutMutableError::Query(PutQueryError::NoClosestNodes) => Ok(PutError::Unreachable),
        PutMutableError::Query(PutQueryError::Timeout) => Ok(PutError::Timeout),
        PutMutableError::Query(PutQueryError::ErrorResponse(answer)) => {
            Err(PutError::Protocol(format!("error {} from a node", answer.code)))
        }
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(8);

    /// So often a busy machine is asked again.
    const TRIES: usize = 20;

    #[tokio::test]
    async fn a_port_that_is_taken_is_named() {
        let taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let refused = Ring::start(&[0, port]).await.err().unwrap();
        assert!(refused.to_string().starts_with(&format!("port {port} of 127.0.0.1 (UDP): ")), "{refused}");
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
    }

    /// What a client says that takes so many nodes of this machine for the public network: of an empty slot, and of one into
    /// which it put something. It asks when all of them have answered.
    async fn said_by_the_public(nodes: usize) -> (Result<Answer, GetError>, Result<Answer, GetError>) {
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        let ring = Ring::start(&vec![0; nodes]).await.unwrap();
        let node = build(ring.addresses().to_vec(), 0, Role::Client, Ipv4Addr::LOCALHOST).await.unwrap();
        let public = Mainline::over(node.as_async(), Network::Public).await;
        let sign = |salt| Item::sign(&SigningKey::from_bytes(&[1; 32]), salt, 1, b"hello".to_vec(), now).unwrap();
        let (empty, full) = (sign(b"empty"), sign(b"full"));
        for _ in 0..TRIES {
            if public.put(&full, LIFE, None, now).await.is_ok() {
                break;
            }
        }
        let said = async |slot: &Slot| {
            for _ in 0..TRIES {
                let mut view = View::default();
                public.query(&mut view, slot, None, QUERY_PATIENCE, now).await;
                if view.answered >= nodes {
                    break;
                }
            }
            public.get(slot, PATIENCE, None, now).await
        };
        (said(empty.slot()).await, said(full.slot()).await)
    }

    #[test]
    fn a_condition_that_failed_where_there_was_none_is_not_believed() {
        let failed = || PutMutableError::Concurrency(ConcurrencyError::CasFailed);
        assert_eq!(classify(failed(), Some(1_799_999_000)), Err(PutError::CasFailed));
        assert_eq!(classify(failed(), None), Ok(PutError::Overloaded));
    }

    #[tokio::test]
    async fn on_the_public_network_four_beside_the_well_known_have_to_say_that_nothing_is_there() {
        let (empty, full) = said_by_the_public(PUBLIC_QUORUM - 1).await;
        assert_eq!(empty, Err(GetError::Unreachable));
        assert!(matches!(full, Ok(Answer::Items { complete: false, .. })), "{full:?}");
        let (empty, full) = said_by_the_public(PUBLIC_QUORUM * 2).await;
        assert!(matches!(empty, Ok(Answer::Nothing { asked: PUBLIC_QUORUM.. })), "{empty:?}");
        assert!(matches!(full, Ok(Answer::Items { complete: true, .. })), "{full:?}");
    }
}
