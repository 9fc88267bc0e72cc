//! Many calls on one socket: what comes in, what goes out.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::call::flow::Step;
use crate::call::question::{Answer, Outcome, Question, VerificationId};
use crate::caller::Caller;
use crate::media::{CallKey, MediaCommand, MediaEvent, Quality};
use crate::number::Number;

mod config;
mod counters;

pub use config::{EndpointConfig, Limits, Strangers};
pub use counters::Counters;

/// What the shell hands in.
#[derive(Debug)]
pub enum Input<'a> {
    /// A datagram arrived at the SIP socket.
    Datagram {
        /// Its source.
        from: SocketAddr,
        /// Its octets.
        bytes: &'a [u8],
    },
    /// The media thread says something about a call.
    Media(CallKey, MediaEvent),
    /// The answer to a [`Question`].
    Answer(CallKey, Answer),
    /// A session ended on its page; the call that waits for it (if any is on this node) hears of it.
    Outcome(VerificationId, Outcome),
    /// The service shuts down: finish the calls, refuse new ones with 503.
    RefuseNewCalls,
    /// [`Endpoint::deadline`] passed.
    Timeout,
}

/// What the shell must do, in this order.
#[derive(Debug)]
pub enum Output {
    /// Send this datagram from the SIP socket.
    Datagram {
        /// Where to.
        to: SocketAddr,
        /// Its octets.
        bytes: Vec<u8>,
    },
    /// Hand this to the media thread.
    Media(CallKey, MediaCommand),
    /// Find the answer, without holding up the socket.
    Ask(CallKey, Question),
    /// Write this into the call record.
    Record(CallKey, Entry),
}

/// A line of the call record. The shell adds the wall clock.
#[derive(Debug, Clone)]
pub enum Entry {
    /// A call (or a refused attempt) began.
    Began {
        /// The SIP Call-ID.
        sip_call_id: String,
        /// The trunk profile's name, if the source matched one.
        trunk: Option<String>,
        /// Where the INVITE came from.
        source: SocketAddr,
        /// The caller, once the checks passed.
        caller: Option<Caller>,
    },
    /// A SIP message of the call, for the ladder: private, kept as long as the configuration says.
    Message {
        /// From us or to us.
        sent: bool,
        /// Start line, such as `INVITE sip:… SIP/2.0` or `SIP/2.0 200 OK`, and CSeq.
        summary: crate::private::Private<String>,
    },
    /// Final response to the INVITE was 200.
    Answered {
        /// From the INVITE's arrival to the 200.
        setup: Duration,
    },
    /// A step of the dialogue.
    Step(Step),
    /// A key arrived (which one is never said).
    KeyPressed,
    /// The call was refused.
    Refused {
        /// The SIP status that was sent.
        status: u16,
        /// The reason code, such as `no-session` or `anonymous`.
        reason: &'static str,
        /// The number that the call bore, unless its caller withheld it: the page of its session may say why.
        claimed: Option<Number>,
    },
    /// Figures of the media.
    Quality(Quality),
    /// The dialog is over; nothing of this call follows.
    Over {
        /// From the INVITE's arrival.
        duration: Duration,
    },
}

/// Everything one call to [`Endpoint::handle`] wants done.
pub type Outbox = Vec<Output>;

/// Many calls on one socket.
#[derive(Debug)]
pub struct Endpoint {
    _config: EndpointConfig,
}

impl Endpoint {
    /// An endpoint without calls. All its tags, ports and digits come from `seed`.
    pub fn new(config: EndpointConfig, _seed: [u8; 32]) -> Self {
        Self { _config: config }
    }

    /// Takes one input and pushes what must be done.
    pub fn handle(&mut self, _input: Input<'_>, _now: Instant, _out: &mut Outbox) {}

    /// When [`Input::Timeout`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        None
    }

    /// What was counted since the start.
    pub fn counters(&self) -> Counters {
        Counters::default()
    }

    /// Calls that are not over: a service that shuts down waits until there are none.
    pub fn live_calls(&self) -> usize {
        0
    }
}
