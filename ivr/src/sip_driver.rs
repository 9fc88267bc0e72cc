//! The SIP task: waits for one thing, hands it to the [`Endpoint`], and delivers what comes out. It decides nothing; if
//! it needed an `if` about the protocol, the `if` would belong into `ivr-core`.

use std::io::{self, ErrorKind};
use std::pin::pin;
use std::time::Instant;

use ivr_core::call::question::{Answer, Outcome, Question, VerificationId};
use ivr_core::caller::TrunkIndex;
use ivr_core::caller::probe::{self, Expected};
use ivr_core::endpoint::{Counters, Endpoint, Entry, Input, Outbox};
use ivr_core::media::{CallKey, MediaEvent};
use ivr_core::sip::peer::Peer;
use socket2::SockRef;
use time::OffsetDateTime;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::address::canonical;
use crate::clock::Clock;
use crate::link_status::LinkBoard;
use crate::media_driver::{MediaDriver, MediaFigures};
use crate::names::Names;

mod links;
mod outlets;
mod streams;
#[cfg(test)]
mod tests;

use links::{Links, Located};
use outlets::Outlets;
use streams::{Event, Streams};

pub(crate) use streams::certificates;
pub use streams::{Listeners, Secure};

/// The longest datagram there is.
pub(crate) const DATAGRAM_BYTES: usize = 65_535;

/// So many of a kind (datagrams, answers, what the media say) are taken at most before the others have their turn.
const MOST_A_TURN: usize = 64;

/// A burst of calls waits here while the task is busy; beyond, the kernel drops, and SIP repeats. The kernel gives less
/// where its own limit (net.core.rmem_max) is lower.
const RECEIVE_BUFFER_BYTES: usize = 1 << 20;

/// What the driver and the use cases tell each other. All channels are bounded; the driver never waits for one.
#[derive(Debug)]
pub struct Desk {
    /// What calls need to know. If it is full, the driver answers [`Answer::Unavailable`] itself.
    pub questions: mpsc::Sender<(CallKey, Question)>,
    /// What they are told.
    pub answers: mpsc::Receiver<(CallKey, Answer)>,
    /// How sessions ended on their pages.
    pub outcomes: mpsc::Receiver<(VerificationId, Outcome)>,
    /// The call records. If it is full, an entry is dropped and counted: a flood must not hold up the calls.
    pub records: mpsc::Sender<Recorded>,
}

/// A call that an operator announces over this trunk, and until when it is waited for; or none any more.
pub type Announced = (TrunkIndex, Option<(Expected, Instant)>);

/// What the driver and the probes of trunks tell each other, over bounded channels; the driver never waits.
#[derive(Debug)]
pub struct Announcements {
    /// Which calls are to be expected.
    pub announced: mpsc::Receiver<Announced>,
    /// What arrived, of one announced call at a time and trunk: a full queue loses it, and the operator calls again.
    pub arrived: mpsc::Sender<(TrunkIndex, probe::Call)>,
}

/// A line of a call's record.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The call.
    pub call: CallKey,
    /// When it happened.
    pub at: OffsetDateTime,
    /// What happened.
    pub entry: Entry,
}

/// The two stages of going down. The one who cancels `drain` cancels `end` too when its patience is over.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    /// Refuse new calls; end when there are none any more.
    pub drain: CancellationToken,
    /// End now, whoever is on the line.
    pub end: CancellationToken,
}

/// What was counted since the start, for `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// By the endpoint.
    pub endpoint: Counters,
    /// By the media thread.
    pub media: MediaFigures,
    /// Datagrams that the operating system did not take, and messages for which no connection had room.
    pub unsent_messages: u64,
    /// TCP and TLS connections that there are.
    pub connections: usize,
    /// Those that were not taken, because their source is no trunk, or there were too many.
    pub refused_connections: u64,
    /// Questions that found the desk's queue full.
    pub unasked_questions: u64,
    /// Entries that found the records' queue full.
    pub lost_records: u64,
}

/// Why the driver ended although nobody told it to.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// The socket is broken.
    #[error("nothing more can be received at the SIP socket: {0}")]
    Socket(io::Error),
    /// The media thread is gone; its last words are in the log.
    #[error("the media thread ended")]
    Media,
}

/// The endpoint, and what it is connected to.
#[derive(Debug)]
pub struct SipDriver {
    endpoint: Endpoint,
    outbox: Outbox,
    outlets: Outlets,
    stream_events: Option<mpsc::Receiver<Event>>,
    located: Option<mpsc::Receiver<Located>>,
    announced: Option<mpsc::Receiver<Announced>>,
    media_events: mpsc::Receiver<(CallKey, MediaEvent)>,
    answers: mpsc::Receiver<(CallKey, Answer)>,
    outcomes: mpsc::Receiver<(VerificationId, Outcome)>,
    clock: Clock,
    figures: watch::Sender<Figures>,
}

impl SipDriver {
    /// Connects an endpoint that has no calls yet. `media` is what [`MediaDriver::start`] gave; the endpoint was told
    /// its ports.
    pub fn new(
        socket: UdpSocket,
        endpoint: Endpoint,
        media: (MediaDriver, mpsc::Receiver<(CallKey, MediaEvent)>),
        desk: Desk,
        clock: Clock,
    ) -> Self {
        if let Err(error) = SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER_BYTES) {
            tracing::warn!(%error, "the SIP socket keeps its small receive buffer: {error}");
        }
        let (media, media_events) = media;
        Self {
            endpoint,
            outbox: Outbox::new(),
            outlets: Outlets::new(socket, media, desk.questions, desk.records, clock),
            stream_events: None,
            located: None,
            announced: None,
            media_events,
            answers: desk.answers,
            outcomes: desk.outcomes,
            clock,
            figures: watch::Sender::default(),
        }
    }

    /// Takes connections, too.
    #[must_use]
    pub fn with_streams(mut self, listeners: Listeners) -> Self {
        let (streams, events) = Streams::start(listeners, self.clock);
        self.outlets.open_streams(streams);
        self.stream_events = Some(events);
        self
    }

    /// Registers and probes, too, as the endpoint's configuration has it: these name servers say where, and the board shows
    /// how that goes.
    #[must_use]
    pub(crate) fn with_links(mut self, names: Option<Names>, board: LinkBoard) -> Self {
        let (links, located) = Links::new(names, board);
        self.outlets.keep_links(links);
        self.located = Some(located);
        self
    }

    /// Tells what arrives of the calls that operators announce.
    #[must_use]
    pub fn with_announcements(mut self, announcements: Announcements) -> Self {
        self.outlets.tell_arrivals(announcements.arrived);
        self.announced = Some(announcements.announced);
        self
    }

    /// What is counted, kept up to date by [`run`](Self::run).
    pub fn figures(&self) -> watch::Receiver<Figures> {
        self.figures.subscribe()
    }

    /// Serves calls until it is shut down.
    ///
    /// # Errors
    /// If the socket or the media thread fails.
    pub async fn run(mut self, shutdown: Shutdown) -> Result<(), Stopped> {
        let mut datagram = vec![0; DATAGRAM_BYTES];
        // These are kept: to begin to wait anew for everything, turn by turn, would cost more than most inputs.
        let (mut drain, mut end) = (pin!(shutdown.drain.cancelled()), pin!(shutdown.end.cancelled()));
        let mut alarm = pin!(tokio::time::sleep_until(self.clock.now().into()));
        let mut drains = false;
        if self.located.is_some() {
            self.handle(Input::Connected).await;
        }
        loop {
            let deadline = self.endpoint.deadline();
            if let Some(due) = deadline.map(tokio::time::Instant::from_std)
                && alarm.deadline() != due
            {
                alarm.as_mut().reset(due);
            }
            tokio::select! {
                // What is readable is received below.
                readable = self.outlets.socket().readable() => readable.map_err(Stopped::Socket)?,
                Some(event) = next_of(&mut self.stream_events) => self.take_up(event).await,
                Some((link, query, records)) = next_of(&mut self.located) => {
                    self.handle(Input::Located(link, query, records)).await;
                }
                Some((trunk, call)) = next_of(&mut self.announced) => self.handle(Input::Probe(trunk, call)).await,
                event = self.media_events.recv() => {
                    let (call, event) = event.ok_or(Stopped::Media)?;
                    self.handle(Input::Media(call, event)).await;
                }
                Some((call, answer)) = self.answers.recv() => self.handle(Input::Answer(call, answer)).await,
                Some((verification, outcome)) = self.outcomes.recv() => {
                    self.handle(Input::Outcome(verification, outcome)).await;
                }
                () = &mut alarm, if deadline.is_some() => self.handle(Input::Timeout).await,
                () = &mut drain, if !drains => {
                    drains = true;
                    self.handle(Input::RefuseNewCalls).await;
                }
                () = &mut end => {
                    self.handle(Input::EndCalls).await;
                    self.outlets.finish().await;
                    return Ok(());
                }
            }
            self.take_what_waits(&mut datagram).await?;
            self.figures.send_replace(self.outlets.figures(self.endpoint.counters()));
            if drains && self.endpoint.is_done() {
                self.outlets.finish().await;
                return Ok(());
            }
        }
    }

    /// Takes what else has arrived, within limits, without waiting: a busy trunk's inputs come by the dozen.
    async fn take_what_waits(&mut self, datagram: &mut [u8]) -> Result<(), Stopped> {
        self.receive(datagram).await?;
        for _ in 0..MOST_A_TURN {
            let Ok((call, answer)) = self.answers.try_recv() else { break };
            self.handle(Input::Answer(call, answer)).await;
        }
        for _ in 0..MOST_A_TURN {
            let Ok((call, event)) = self.media_events.try_recv() else { break };
            self.handle(Input::Media(call, event)).await;
        }
        if self.endpoint.deadline().is_some_and(|due| due <= self.clock.now()) {
            self.handle(Input::Timeout).await;
        }
        Ok(())
    }

    async fn receive(&mut self, buffer: &mut [u8]) -> Result<(), Stopped> {
        for _ in 0..MOST_A_TURN {
            match self.outlets.socket().try_recv_from(buffer) {
                Ok((length, from)) => {
                    let from = Peer::udp(canonical(from));
                    self.handle(Input::Message { from, bytes: &buffer[..length] }).await;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(Stopped::Socket(error)),
            }
        }
        Ok(())
    }

    async fn take_up(&mut self, event: Event) {
        match event {
            Event::Message { from, bytes } => self.handle(Input::Message { from, bytes: &bytes }).await,
            Event::Broken { from, bytes } => self.handle(Input::Broken { from, bytes: &bytes }).await,
            Event::Unreached { to } => self.handle(Input::Unreached { to }).await,
        }
    }

    async fn handle(&mut self, input: Input<'_>) {
        self.endpoint.handle(input, self.clock.now(), &mut self.outbox);
        // An answer that is given at once may lead to more.
        while !self.outbox.is_empty() {
            for call in self.outlets.deliver(&mut self.outbox).await {
                let unavailable = Input::Answer(call, Answer::Unavailable);
                self.endpoint.handle(unavailable, self.clock.now(), &mut self.outbox);
            }
        }
    }
}

/// What arrives next; nothing ever, if there is nobody to send it.
async fn next_of<T>(events: &mut Option<mpsc::Receiver<T>>) -> Option<T> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}
