//! One slow hash at a time, on a thread of its own: calls and pages keep the processor, and 64 MiB is the most it takes.

use std::{io, thread};

use tokio::sync::{mpsc, oneshot};

use crate::slot::{Derived, HashCost, Identity, UnreasonableCost};

/// How many may wait; the next waits with its caller, so that a queue never outgrows this.
const QUEUE: usize = 16;

/// A handle to the hashing thread. Clones share the thread; it ends with the last of them.
#[derive(Debug, Clone)]
pub struct Hasher {
    orders: mpsc::Sender<Order>,
}

struct Order {
    identity: Identity,
    directory_key: [u8; 32],
    cost: HashCost,
    reply: oneshot::Sender<Result<Derived, UnreasonableCost>>,
}

impl Hasher {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start() -> io::Result<Self> {
        let (orders, queue) = mpsc::channel(QUEUE);
        thread::Builder::new().name("identity hasher".into()).spawn(move || work(queue))?;
        Ok(Self { orders })
    }

    /// Hashes an identity, after those that came before.
    ///
    /// # Errors
    /// As [`Derived::hash`].
    ///
    /// # Panics
    /// If the hashing thread died, which is a bug in it.
    pub async fn derive(
        &self,
        identity: Identity,
        directory_key: [u8; 32],
        cost: HashCost,
    ) -> Result<Derived, UnreasonableCost> {
        let (reply, answer) = oneshot::channel();
        let order = Order { identity, directory_key, cost, reply };
        self.orders.send(order).await.expect("the hashing thread lives as long as a handle");
        answer.await.expect("the hashing thread answers every order")
    }
}

fn work(mut queue: mpsc::Receiver<Order>) {
    step_back();
    while let Some(order) = queue.blocking_recv() {
        // Nobody waits any more for an abandoned look-up.
        if !order.reply.is_closed() {
            let _ = order.reply.send(Derived::hash(&order.identity, &order.directory_key, order.cost));
        }
    }
}

/// Lets every other thread of the process go first: nobody hears whether a hash takes a third of a second or a whole one,
/// but everybody hears a late packet. On a machine with nothing else to do it costs nothing.
#[cfg(target_os = "linux")]
fn step_back() {
    /// A tenth of the usual share, when somebody else wants the processor.
    const NICENESS: i32 = 10;
    // On Linux this is the calling thread alone. It can always be given up, so there is no refusal to tell anybody of.
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

/// Elsewhere niceness is the whole process's.
#[cfg(not(target_os = "linux"))]
fn step_back() {}
