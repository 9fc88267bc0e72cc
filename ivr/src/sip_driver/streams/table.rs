//! The connections that stand, and what waits to be sent over each.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ivr_core::caller::TrunkIndex;
use ivr_core::sip::peer::{Flow, Peer, Transport};
use tokio::sync::mpsc;

/// What is sent.
pub(super) enum Item {
    /// A message.
    Message(Vec<u8>),
    /// The last octets; then the connection is closed.
    Last(Vec<u8>),
}

/// The connection's end of its queue.
pub(super) type Queue = mpsc::Receiver<Item>;

/// The other end.
#[derive(Debug, Clone)]
pub(super) struct Inlet {
    items: mpsc::Sender<Item>,
    flow: Flow,
    table: Table,
}

/// Where a connection of ours goes, and whose certificate is wanted there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Destination(SocketAddr, Transport, Option<TrunkIndex>);

impl Destination {
    pub(super) fn of(peer: &Peer) -> Self {
        Self(peer.address, peer.transport, peer.certified)
    }
}

/// All of them. Clones are the same table.
#[derive(Debug, Clone, Default)]
pub(super) struct Table(Arc<Mutex<Flows>>);

#[derive(Debug, Default)]
struct Flows {
    open: HashMap<Flow, mpsc::Sender<Item>>,
    dialled: HashMap<Destination, Flow>,
    last: u64,
    is_closed: bool,
}

/// A connection's line in the table; gone when dropped.
#[derive(Debug)]
pub(super) struct Entry {
    flow: Flow,
    destination: Option<Destination>,
    table: Table,
}

impl Table {
    /// A new connection, and what its queue has for it. `destination` is for one that we make.
    pub(super) fn add(&self, destination: Option<Destination>) -> (Entry, Queue, Inlet) {
        let (items, queue) = mpsc::channel(QUEUED);
        let mut flows = self.flows();
        flows.last += 1;
        let flow = Flow(flows.last);
        if !flows.is_closed {
            flows.open.insert(flow, items.clone());
            flows.dialled.extend(destination.clone().map(|destination| (destination, flow)));
        }
        drop(flows);
        (Entry { flow, destination, table: self.clone() }, queue, Inlet { items, flow, table: self.clone() })
    }

    /// The queue of this connection, or of one of ours that goes there.
    pub(super) fn queue_of(&self, flow: Option<Flow>, destination: &Destination) -> Option<Inlet> {
        let dialled = || self.flows().dialled.get(destination).copied();
        flow.and_then(|flow| self.of_flow(flow)).or_else(|| self.of_flow(dialled()?))
    }

    /// The queue of this connection.
    pub(super) fn of_flow(&self, flow: Flow) -> Option<Inlet> {
        let items = self.flows().open.get(&flow).cloned()?;
        Some(Inlet { items, flow, table: self.clone() })
    }

    /// How many there are.
    pub(super) fn open(&self) -> usize {
        self.flows().open.len()
    }

    /// Did we make as many as we may, or as many to that machine? Then what needs another is lost, as a datagram may be.
    pub(super) fn is_full_for(&self, destination: &Destination) -> bool {
        let flows = self.flows();
        let to_there = flows.dialled.keys().filter(|dialled| dialled.0.ip() == destination.0.ip()).count();
        flows.dialled.len() >= MOST_DIALLED || to_there >= MOST_TO_ONE
    }

    /// Every connection sends what is queued, and ends; so does a later one.
    pub(super) fn close_all(&self) {
        let mut flows = self.flows();
        flows.is_closed = true;
        flows.open.clear();
        flows.dialled.clear();
    }

    fn remove(&self, flow: Flow, destination: Option<&Destination>) {
        let mut flows = self.flows();
        flows.open.remove(&flow);
        if let Some(destination) = destination.filter(|destination| flows.dialled.get(destination) == Some(&flow)) {
            flows.dialled.remove(destination);
        }
    }

    fn flows(&self) -> MutexGuard<'_, Flows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inlet {
    /// Puts this into the queue. Who does not read what we send is cut off.
    pub(super) fn push(&self, item: Item) -> bool {
        let is_taken = self.items.try_send(item).is_ok();
        if !is_taken {
            self.table.remove(self.flow, None);
        }
        is_taken
    }
}

impl Entry {
    /// Its number.
    pub(super) fn flow(&self) -> Flow {
        self.flow
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.table.remove(self.flow, self.destination.as_ref());
    }
}

/// Connections of our own.
const MOST_DIALLED: usize = 256;
/// Of them to one machine.
const MOST_TO_ONE: usize = 8;
/// Messages of a connection that wait to be sent.
const QUEUED: usize = 64;
