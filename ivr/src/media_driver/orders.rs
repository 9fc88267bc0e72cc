//! Commands on their way to the media thread: a queue under a lock, not one without locks. A sender that is held up between
//! taking a place in such a queue and filling it makes the reader spin; a real-time reader on the sender's core would spin
//! until the kernel stops it (docs/performance.md). For a lock it sleeps, and the sender goes on.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use ivr_core::media::{CallKey, MediaCommand};

type Order = (CallKey, MediaCommand);

/// Both ends share it.
#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    has_room: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    orders: VecDeque<Order>,
    is_closed: bool,
}

/// Who gives them.
#[derive(Debug)]
pub(super) struct Orders {
    queue: Arc<Queue>,
    most: usize,
}

/// Who follows them. Dropped, none is taken any more.
#[derive(Debug)]
pub(super) struct Obeyed(Arc<Queue>);

/// A queue of so many at most.
pub(super) fn orders(most: usize) -> (Orders, Obeyed) {
    let queue = Arc::new(Queue::default());
    (Orders { queue: queue.clone(), most }, Obeyed(queue))
}

impl Orders {
    /// Gives one, as soon as there is room; if there is none, whoever makes some is told to. `false`: nobody follows any more.
    pub(super) fn give(&self, order: Order, make_room: impl FnOnce()) -> bool {
        let is_full = |waiting: &mut Waiting| waiting.orders.len() >= self.most && !waiting.is_closed;
        let mut waiting = self.queue.lock();
        if is_full(&mut waiting) {
            make_room();
        }
        let waiting = self.queue.has_room.wait_while(waiting, is_full);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        if !waiting.is_closed {
            waiting.orders.push_back(order);
        }
        !waiting.is_closed
    }

    /// Gives no more: what was given is followed first.
    pub(super) fn close(&self) {
        self.queue.lock().is_closed = true;
    }
}

impl Obeyed {
    /// All that were given, into this empty queue. `false`: there are none, and no more will come.
    pub(super) fn take(&self, into: &mut VecDeque<Order>) -> bool {
        let mut waiting = self.0.lock();
        std::mem::swap(&mut waiting.orders, into);
        let goes_on = !(waiting.is_closed && into.is_empty());
        drop(waiting);
        if !into.is_empty() {
            self.0.has_room.notify_all();
        }
        goes_on
    }
}

impl Drop for Obeyed {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.has_room.notify_all();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(call: u64) -> Order {
        (CallKey(call), MediaCommand::Close)
    }

    #[test]
    fn orders_come_in_their_order_and_the_last_before_the_end() {
        let (orders, obeyed) = orders(2);
        let mut taken = VecDeque::new();
        assert!(obeyed.take(&mut taken) && taken.is_empty());
        assert!(orders.give(order(1), || {}) && orders.give(order(2), || {}));
        orders.close();
        assert!(obeyed.take(&mut taken));
        assert_eq!(taken.drain(..).map(|(call, _)| call.0).collect::<Vec<_>>(), [1, 2]);
        assert!(!obeyed.take(&mut taken));
    }

    #[test]
    fn who_finds_no_room_waits_until_some_were_taken() {
        let (orders, obeyed) = orders(1);
        let giving = std::thread::spawn(move || (1..=100).all(|call| orders.give(order(call), || {})));
        let (mut taken, mut all) = (VecDeque::new(), Vec::new());
        while all.len() < 100 {
            obeyed.take(&mut taken);
            assert!(taken.len() <= 1);
            all.extend(taken.drain(..).map(|(call, _)| call.0));
            std::thread::yield_now();
        }
        assert!(giving.join().unwrap());
        assert!(all.is_sorted());
    }

    #[test]
    fn nobody_waits_for_a_thread_that_is_gone() {
        let (orders, obeyed) = orders(1);
        assert!(orders.give(order(1), || {}));
        let giving = std::thread::spawn(move || orders.give(order(2), || {}));
        drop(obeyed);
        assert!(!giving.join().unwrap());
    }
}
