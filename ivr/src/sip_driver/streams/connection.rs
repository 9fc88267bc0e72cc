//! One connection: reads, cuts into messages, hands them in; writes what is queued; ends when it takes too long.

use std::time::{Duration, Instant};

use ivr_core::sip::peer::Peer;
use ivr_core::sip::stream::{Framed, Framer, PONG};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use super::table::{Item, Queue};
use crate::clock::Clock;

/// What a connection is made of.
pub(super) trait Octets: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Octets for T {}

/// What arrived.
pub(in crate::sip_driver) enum Event {
    /// A message.
    Message {
        /// Its source.
        from: Peer,
        /// Its octets.
        bytes: Vec<u8>,
    },
    /// No connection came about.
    Unreached {
        /// Where to.
        to: Peer,
    },
    /// What cannot be told apart.
    Broken {
        /// Its source.
        from: Peer,
        /// Its octets.
        bytes: Vec<u8>,
    },
}

/// How long a connection may last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Until the first message is there.
    first: Duration,
    /// After each message or ping, until the next; nothing means that they earn no more time.
    idle: Option<Duration>,
}

impl Patience {
    /// Far longer than any call lasts.
    pub(super) const TRUNK: Self = Self { first: Duration::from_secs(32), idle: Some(Duration::from_secs(900)) };
    /// Longer than any call lasts, and hardly longer.
    pub(super) const REHEARSING: Self = Self { first: Duration::from_secs(5), idle: Some(Duration::from_secs(240)) };
    /// One message, one refusal.
    pub(super) const OTHER: Self = Self { first: Duration::from_secs(5), idle: None };
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) from: Peer,
    pub(super) queue: Queue,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) clock: Clock,
    pub(super) patience: Patience,
}

impl Connection {
    /// Goes on until one side has had enough.
    pub(super) async fn exchange(mut self, stream: impl Octets) {
        let (mut reading, mut writing) = tokio::io::split(stream);
        let (mut framer, mut buffer) = (Framer::default(), [0; READ_BYTES]);
        let mut ends: Instant = self.clock.now() + self.patience.first;
        loop {
            let until = framer.deadline().map_or(ends, |deadline| deadline.min(ends));
            let ended = tokio::select! {
                read = reading.read(&mut buffer) => {
                    let Ok(count @ 1..) = read else { break };
                    framer.push(&buffer[..count], self.clock.now());
                    self.hand_in(&mut framer, &mut writing, &mut ends).await
                }
                item = self.queue.recv() => match item {
                    Some(item) => write(&mut writing, item).await,
                    None => Err(Ended),
                },
                () = tokio::time::sleep_until(until.into()) => Err(Ended),
            };
            if ended.is_err() {
                break;
            }
        }
        // What was queued before the end is sent; the other side may still read.
        self.queue.close();
        while let Ok(item) = self.queue.try_recv() {
            if write(&mut writing, item).await.is_err() {
                return;
            }
        }
        let _ = tokio::time::timeout(WRITE_PATIENCE, writing.shutdown()).await;
    }

    async fn hand_in(
        &self,
        framer: &mut Framer,
        writing: &mut (impl AsyncWrite + Unpin),
        ends: &mut Instant,
    ) -> Result<(), Ended> {
        let from = self.from;
        while let Some(framed) = framer.next(self.clock.now()) {
            if let Some(idle) = self.patience.idle {
                *ends = self.clock.now() + idle;
            }
            let event = match framed {
                Framed::Ping => {
                    write(writing, Item::Message(PONG.to_vec())).await?;
                    continue;
                }
                Framed::Message(bytes) => Event::Message { from, bytes },
                Framed::Broken(bytes) => Event::Broken { from, bytes },
            };
            // Nobody takes it up any more: the service ends.
            self.events.send(event).await.map_err(|_| Ended)?;
        }
        Ok(())
    }
}

/// Nothing more is exchanged.
struct Ended;

async fn write(writing: &mut (impl AsyncWrite + Unpin), item: Item) -> Result<(), Ended> {
    let (bytes, is_last) = match item {
        Item::Message(bytes) => (bytes, false),
        Item::Last(bytes) => (bytes, true),
    };
    let written = async {
        writing.write_all(&bytes).await?;
        writing.flush().await
    };
    match tokio::time::timeout(WRITE_PATIENCE, written).await {
        Ok(Ok(())) if !is_last => Ok(()),
        _ => Err(Ended),
    }
}

/// One read; most messages fit.
const READ_BYTES: usize = 4_096;
/// Who does not read what we send is cut off.
const WRITE_PATIENCE: Duration = Duration::from_secs(5);
