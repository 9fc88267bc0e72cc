//! The media thread: owns the RTP sockets and the pace, and knows nothing about calls but their
//! [`MediaSession`](ivr_core::media::MediaSession). It runs away from tokio, so that no flood of SIP or HTTP delays a
//! packet. Commands go in by [`MediaDriver::send`]; what the calls say comes out of the channel of
//! [`MediaDriver::start`].

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use ivr_core::media::{CallKey, MediaCommand, MediaEvent, Voices};
use tokio::sync::mpsc;

use crate::clock::Clock;

mod exchange;
mod orders;
mod pace;
mod priority;
mod sockets;
mod stamped;
#[cfg(test)]
mod tests;
mod tidings;
mod turns;

pub use sockets::{BindError, RtpSockets};

use exchange::Exchange;
use orders::Orders;

/// Commands that the thread has not read. A sender that finds the queue full waits until the thread has read some,
/// within a millisecond or two: the thread itself waits for nobody but for who is just giving one.
const COMMANDS: usize = 1_024;

/// What calls said and nobody has read. When it is full, keys are dropped and counted (their caller presses faster than
/// anybody listens); everything else is kept until there is room.
const EVENTS: usize = 1_024;

/// The media thread, from outside. When this is dropped, the thread ends and the sockets are closed.
#[derive(Debug)]
pub struct MediaDriver {
    commands: Orders,
    /// `None` only while it is dropped.
    thread: Option<JoinHandle<()>>,
    ports: Vec<u16>,
    counters: Arc<Counters>,
}

/// What the thread counts. Every number only grows.
#[derive(Debug, Default)]
struct Counters {
    unsent: AtomicU64,
    skipped: AtomicU64,
    unheard_keys: AtomicU64,
    foreign: AtomicU64,
}

/// What went wrong with packets, of all calls since the start; for `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MediaFigures {
    /// Packets that the operating system did not take.
    pub unsent: u64,
    /// Packets that were never made because the thread was held up for too long.
    pub skipped: u64,
    /// Keys that were dropped because nobody read what the calls said.
    pub unheard_keys: u64,
    /// Packets and reports from elsewhere than a call's other side: they count for nothing.
    pub foreign: u64,
}

impl MediaDriver {
    /// Starts the thread on these sockets. The calls speak with `voices`.
    ///
    /// # Errors
    /// If the operating system gives no thread.
    pub fn start(
        sockets: RtpSockets,
        voices: Voices,
        clock: Clock,
    ) -> io::Result<(Self, mpsc::Receiver<(CallKey, MediaEvent)>)> {
        let (commands, obeyed) = orders::orders(COMMANDS);
        let (told, events) = mpsc::channel(EVENTS);
        let counters = Arc::new(Counters::default());
        let ports = sockets.ports().to_vec();
        let exchange = Exchange::new(sockets, voices, obeyed, told, counters.clone(), clock);
        let thread = thread::Builder::new().name("media".into()).spawn(move || {
            priority::raise();
            exchange.run();
        })?;
        Ok((Self { commands, thread: Some(thread), ports, counters }, events))
    }

    /// The ports that were bound, in the order of [`PortIndex`](ivr_core::media::PortIndex).
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// Tells a call's media what to do, at the next [`wake`](Self::wake) at the latest. If the thread has ended, the channel of
    /// events is closed and says so.
    pub fn send(&self, call: CallKey, command: MediaCommand) {
        let _has_ended = self.commands.give((call, command), || self.wake());
    }

    /// What went wrong so far.
    pub fn figures(&self) -> MediaFigures {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        MediaFigures {
            unsent: read(&self.counters.unsent),
            skipped: read(&self.counters.skipped),
            unheard_keys: read(&self.counters.unheard_keys),
            foreign: read(&self.counters.foreign),
        }
    }

    /// What was sent is to be done now. The thread comes before others, so this is for when there is nothing else to do. It
    /// parks only while few calls or none are on the line; at other times this costs nothing.
    pub fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for MediaDriver {
    fn drop(&mut self) {
        self.commands.close();
        self.wake();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the media thread panicked");
        }
    }
}

impl Counters {
    /// Nearly always there is nothing to add, and that must cost nothing.
    fn add(counter: &AtomicU64, count: u64) {
        if count > 0 {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }
}
