//! SIP over TCP and TLS: takes connections and makes them, within bounds, and hands whole messages to the SIP task. What a
//! message is the core's [`Framer`](ivr_core::sip::stream::Framer) says; who may stay is decided here by the address, and
//! after a TLS handshake by the certificate.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ivr_core::caller::{Policy, Realm, TrunkIndex, TrunkProfile};
use ivr_core::endpoint::Strangers;
use ivr_core::sip::peer::{Flow, Peer, Transport};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::address::canonical;
use crate::clock::Clock;
use crate::crowd::{Crowd, Place, Room};

pub(crate) mod certificates;
mod connection;
mod table;
#[cfg(test)]
mod tests;

use connection::{Connection, Patience};
use table::{Destination, Entry, Item, Queue, Table};

pub use certificates::Secure;
pub(super) use connection::Event;

/// Where connections arrive, and who they may be.
#[derive(Debug)]
pub struct Listeners {
    /// SIP over TCP.
    pub tcp: TcpListener,
    /// SIP over TLS, if it is served.
    pub tls: Option<(TcpListener, Arc<Secure>)>,
    /// The trunks.
    pub policy: Policy,
    /// What others are told.
    pub strangers: Strangers,
}

/// All connections of a SIP task.
#[derive(Debug)]
pub(super) struct Streams {
    shared: Arc<Shared>,
    /// Ends the listeners.
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// What every connection needs.
#[derive(Debug)]
struct Shared {
    table: Table,
    events: mpsc::Sender<Event>,
    secure: Option<Arc<Secure>>,
    policy: Policy,
    strangers: Strangers,
    /// Of each trunk in the order of the policy, so that none takes another's places.
    trunks: Vec<Crowd>,
    /// TLS from addresses that a trunk states, whose certificate is not there yet.
    expected: Crowd,
    /// Others: those that nobody expects, and those that wait for their 403.
    others: Crowd,
    refused: AtomicU64,
    /// Messages that waited for a connection which did not come about.
    lost: AtomicU64,
    clock: Clock,
}

impl Streams {
    /// Begins to listen. The receiver gives what arrives.
    pub(super) fn start(listeners: Listeners, clock: Clock) -> (Self, mpsc::Receiver<Event>) {
        let Listeners { tcp, tls, policy, strangers } = listeners;
        let (events, arrived) = mpsc::channel(EVENTS);
        let shared = Arc::new(Shared {
            table: Table::default(),
            events,
            secure: tls.as_ref().map(|(_, secure)| secure.clone()),
            strangers,
            trunks: policy.trunks.iter().map(|trunk| Crowd::counting_everybody(room_of(trunk))).collect(),
            expected: Crowd::counting_everybody(EXPECTED),
            others: Crowd::counting_everybody(OTHERS),
            policy,
            refused: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            clock,
        });
        let streams = Self { shared, stop: CancellationToken::new(), tasks: TaskTracker::new() };
        streams.listen(tcp, Transport::Tcp);
        if let Some((listener, _)) = tls {
            streams.listen(listener, Transport::Tls);
        }
        (streams, arrived)
    }

    /// Sends over the peer's connection if it stands, else over a new one. Says whether there was room for it.
    pub(super) fn send(&self, to: &Peer, bytes: Vec<u8>) -> bool {
        let destination = Destination::of(to);
        let item = match self.shared.table.queue_of(to.flow, &destination) {
            Some(queue) => return queue.push(Item::Message(bytes)),
            None => Item::Message(bytes),
        };
        if self.shared.table.is_full_for(&destination) {
            return false;
        }
        let (entry, queue, inlet) = self.shared.table.add(Some(destination));
        let taken = inlet.push(item);
        let (shared, to) = (self.shared.clone(), *to);
        self.tasks.spawn(async move { shared.dial(to, entry, queue).await });
        taken
    }

    /// Sends the last octets over a connection and closes it.
    pub(super) fn part(&self, flow: Flow, bytes: Vec<u8>) {
        if let Some(queue) = self.shared.table.of_flow(flow) {
            queue.push(Item::Last(bytes));
        }
    }

    /// How many connections there are, how many were refused, and how many messages none was made for.
    pub(super) fn figures(&self) -> (usize, u64, u64) {
        let [refused, lost] = [&self.shared.refused, &self.shared.lost].map(|count| count.load(Ordering::Relaxed));
        (self.shared.table.open(), refused, lost)
    }

    /// Sends what is queued, and ends every connection.
    pub(super) async fn finish(self) {
        self.stop.cancel();
        self.shared.table.close_all();
        self.tasks.close();
        if tokio::time::timeout(LAST_WORDS, self.tasks.wait()).await.is_err() {
            tracing::debug!("some connections did not take their last messages");
        }
    }

    fn listen(&self, listener: TcpListener, transport: Transport) {
        let (shared, stop, tasks) = (self.shared.clone(), self.stop.clone(), self.tasks.clone());
        self.tasks.spawn(async move {
            while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
                match accepted {
                    Ok((stream, address)) => shared.clone().take(stream, address, transport, &tasks),
                    Err(error) => {
                        tracing::warn!(%error, "no SIP connection could be taken: {error}");
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            }
        });
    }
}

/// Listeners and connections end with the SIP task, however that ends.
impl Drop for Streams {
    fn drop(&mut self) {
        self.stop.cancel();
        self.shared.table.close_all();
    }
}

impl Shared {
    /// A connection from somebody, if there is a place for it.
    fn take(self: Arc<Self>, stream: TcpStream, address: SocketAddr, transport: Transport, tasks: &TaskTracker) {
        let peer = Peer { address: canonical(address), transport, flow: None, certified: None };
        let (known, may_show) = (self.policy.trunk_of(&peer), transport == Transport::Tls);
        // A carrier that may be about to show its certificate must not wait among those who call the sandbox.
        let trunk = known.filter(|trunk| !may_show || self.policy.trunk(*trunk).realm == Realm::Service);
        let crowd = match trunk {
            Some(trunk) => Some(&self.trunks[trunk.0]),
            None if may_show && self.policy.states(peer.ip()) => Some(&self.expected),
            None if may_show && self.policy.has_roaming_trunk() => Some(&self.others),
            None => Some(&self.others).filter(|_| known.is_some() || self.strangers == Strangers::Refuse),
        };
        match crowd.and_then(|crowd| crowd.enter(peer.ip())) {
            Some(place) => drop(tasks.spawn(async move { self.accept(stream, peer, trunk, place).await })),
            None => self.refuse(),
        }
    }

    fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// `trunk` is whose address it is, where that is enough.
    async fn accept(&self, stream: TcpStream, peer: Peer, trunk: Option<TrunkIndex>, place: Place) {
        prepare(&stream);
        let Some(secure) = self.secure.as_ref().filter(|_| peer.transport == Transport::Tls) else {
            return self.serve(stream, peer, trunk, place).await;
        };
        let stream = match tokio::time::timeout(HANDSHAKE, secure.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return tracing::debug!(%error, "no TLS was agreed on with {}", peer.address),
            Err(_) => return tracing::debug!("TLS was not agreed on in time with {}", peer.address),
        };
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let is_its = |trunk| self.policy.trunk_of(&Peer { certified: Some(trunk), ..peer }) == Some(trunk);
        let peer = Peer { certified: secure.whose(chain, self.clock.wall(), is_its), ..peer };
        let place = match (trunk, self.policy.trunk_of(&peer)) {
            // Its own place, in exchange for the one where it was waited for.
            (before, Some(trunk)) if before != Some(trunk) => {
                drop(place);
                self.trunks[trunk.0].enter(peer.ip())
            }
            _ => Some(place),
        };
        match place {
            Some(place) => self.serve(stream, peer, self.policy.trunk_of(&peer), place).await,
            None => self.refuse(),
        }
    }

    async fn serve(&self, stream: impl connection::Octets, peer: Peer, trunk: Option<TrunkIndex>, place: Place) {
        let (entry, queue, _) = self.table.add(None);
        let patience = match trunk.map(|trunk| self.policy.trunk(trunk)) {
            Some(trunk) if may_be_anybody(trunk) => Patience::REHEARSING,
            Some(_) => Patience::TRUNK,
            None => Patience::OTHER,
        };
        self.connected(stream, peer, patience, entry, queue).await;
        drop(place);
    }

    /// A connection of our own.
    async fn dial(&self, to: Peer, entry: Entry, mut queue: Queue) {
        let reached = tokio::time::timeout(HANDSHAKE, self.reach(&to)).await;
        match reached.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(Reached::Tcp(stream)) => self.connected(stream, to, Patience::TRUNK, entry, queue).await,
            Ok(Reached::Tls(stream)) => self.connected(*stream, to, Patience::TRUNK, entry, queue).await,
            Err(error) => {
                tracing::debug!(%error, "{to} cannot be reached: {error}");
                drop(entry);
                queue.close();
                while queue.try_recv().is_ok() {
                    self.lost.fetch_add(1, Ordering::Relaxed);
                }
                // Nobody takes it up any more: the service ends.
                let _ = self.events.send(Event::Unreached { to }).await;
            }
        }
    }

    async fn reach(&self, to: &Peer) -> io::Result<Reached> {
        let connector = || self.secure.as_ref().zip(to.certified).and_then(|(secure, trunk)| secure.connector(trunk));
        match (to.transport, connector()) {
            (Transport::Tls, None) => Err(io::Error::other("there is no certificate that we would believe")),
            (Transport::Tls, Some((connector, name))) => {
                let stream = connector.connect(name, connect(to).await?).await?;
                Ok(Reached::Tls(Box::new(stream)))
            }
            _ => Ok(Reached::Tcp(connect(to).await?)),
        }
    }

    async fn connected(
        &self,
        stream: impl connection::Octets,
        peer: Peer,
        patience: Patience,
        entry: Entry,
        queue: Queue,
    ) {
        let from = Peer { flow: Some(entry.flow()), ..peer };
        Connection { from, queue, events: self.events.clone(), clock: self.clock, patience }.exchange(stream).await;
        drop(entry);
    }
}

/// Who calls the sandbox shows an account in a call, if at all, and no certificate before.
fn may_be_anybody(trunk: &TrunkProfile) -> bool {
    trunk.realm == Realm::Sandbox && !trunk.shows_certificate
}

fn room_of(trunk: &TrunkProfile) -> Room {
    if may_be_anybody(trunk) { REHEARSING } else { A_TRUNK }
}

/// A connection that we made.
enum Reached {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

async fn connect(to: &Peer) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(to.address).await?;
    prepare(&stream);
    Ok(stream)
}

/// Messages are small and must not wait for each other; a peer that is gone without a word is found out.
fn prepare(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let _ = socket2::SockRef::from(stream).set_keepalive(true);
}

/// Messages that the SIP task has not taken up. When it is full, connections are not read.
const EVENTS: usize = 256;
/// Of a trunk; past them its new connection is closed.
const A_TRUNK: Room = Room { all: 512, of_source: 256 };
/// Of a trunk of the sandbox, for whoever has not shown a certificate.
const REHEARSING: Room = Room { all: 128, of_source: 8 };
/// Of those whose certificate is waited for; past them a new one is closed. A place is free again after [`HANDSHAKE`].
const EXPECTED: Room = Room { all: 256, of_source: 32 };
/// Past them a stranger's is closed; a place is free again after a few seconds.
const OTHERS: Room = Room { all: 128, of_source: 4 };
/// For connecting, and for TLS.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// After the system had no connection for us (no file handle is free, mostly).
const PAUSE: Duration = Duration::from_millis(100);
/// How long the end waits for what is queued.
const LAST_WORDS: Duration = Duration::from_secs(2);
