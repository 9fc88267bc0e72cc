//! What goes into an endpoint and what comes out of it: all that the shell has to know.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::call::flow::Step;
use crate::call::question::{Answer, Outcome, Question, VerificationId};
use crate::caller::probe::{self, Expected};
use crate::caller::{Caller, Caps, Level, Realm, Reason, TrunkIndex};
use crate::link::{LinkKey, LinkState, Query, Records};
use crate::media::{CallKey, KeySource, MediaCommand, MediaEvent, Quality};
use crate::number::Number;
use crate::passport::Report;
use crate::private::Private;
use crate::sip::peer::{Flow, Peer};

/// What the shell hands in.
#[derive(Debug)]
pub enum Input<'a> {
    /// A datagram arrived at the SIP socket, or a message over a connection.
    Message {
        /// Its source.
        from: Peer,
        /// Its octets.
        bytes: &'a [u8],
    },
    /// Over a connection came what cannot be told apart ([`Framed::Broken`](crate::sip::stream::Framed::Broken)).
    Broken {
        /// Its source.
        from: Peer,
        /// Its octets.
        bytes: &'a [u8],
    },
    /// No connection to there comes about (RFC 3261 8.1.3.1: as good as a 503).
    Unreached {
        /// Where a message should have gone.
        to: Peer,
    },
    /// The media thread says something about a call.
    Media(CallKey, MediaEvent),
    /// The answer to a [`Question`].
    Answer(CallKey, Answer),
    /// A session ended on its page; the call that waits for it (if any is on this node) hears of it.
    Outcome(VerificationId, Outcome),
    /// The SIP socket is there: register and probe. Without this, nothing is sent that nobody asked for.
    Connected,
    /// A name server's answer to an [`Output::Locate`]. An answer that never comes is waited for, but not for long.
    Located(LinkKey, Query, Records),
    /// The operator announces a call over this trunk, until then: it is refused, and what arrived is told by
    /// [`Output::Probed`]. Nothing: no call is announced any more.
    Probe(TrunkIndex, Option<(Expected, Instant)>),
    /// The service is ready: new calls are no longer refused. It means nothing to an endpoint that was made with media ports,
    /// or shuts down.
    TakeCalls {
        /// See [`EndpointConfig::rtp_ports`](super::EndpointConfig::rtp_ports).
        rtp_ports: Vec<u16>,
    },
    /// The service shuts down: finish the calls, refuse new ones with 503, and tell registrars that we go.
    RefuseNewCalls,
    /// The service ends at once: every caller is told, but nothing is waited for.
    EndCalls,
    /// [`Endpoint::deadline`](super::Endpoint::deadline) passed.
    Timeout,
}

/// What the shell must do, in this order.
#[derive(Debug)]
pub enum Output {
    /// Send this from the SIP socket; or over the connection as long as it stands, and then over a new one.
    Message {
        /// Where to.
        to: Peer,
        /// Its octets.
        bytes: Vec<u8>,
    },
    /// Send this over the connection, if it stands, and close it.
    Farewell {
        /// The connection.
        flow: Flow,
        /// The last octets; there may be none.
        bytes: Vec<u8>,
    },
    /// Hand this to the media thread.
    Media(CallKey, MediaCommand),
    /// Find the answer, without holding up the socket.
    Ask(CallKey, Question),
    /// Write this into the call record.
    Record(CallKey, Entry),
    /// The call that the operator announced has come over this trunk.
    Probed(TrunkIndex, Box<probe::Call>),
    /// Ask a name server, without holding up the socket.
    Locate(LinkKey, Query),
    /// Show that a link stands otherwise than before, or a registration was renewed.
    Link(LinkKey, LinkState),
}

/// A line of the call record. The shell adds the wall clock.
#[derive(Debug, Clone)]
pub enum Entry {
    /// A call (or a refused attempt) began.
    Began {
        /// The SIP Call-ID, cut at 200 octets.
        sip_call_id: String,
        /// The trunk profile's name, if the source matched one.
        trunk: Option<String>,
        /// What lies behind that trunk.
        realm: Realm,
        /// Where the INVITE came from.
        source: SocketAddr,
        /// The caller, once the checks passed, or all of them but the issuing level.
        caller: Option<Caller>,
    },
    /// A SIP message of the call, for the ladder: private, and not kept for long.
    Message {
        /// From us or to us.
        sent: bool,
        /// Start line, such as `INVITE sip:… SIP/2.0` or `SIP/2.0 200 OK`, cut at 200 octets, and CSeq.
        summary: Private<String>,
    },
    /// Its signed identity was verified, and this is what the call is worth with it, unless it is refused next.
    Verified {
        /// What was found out.
        report: Arc<Report>,
        /// The level that the call may prove.
        level: Level,
        /// What holds it there.
        caps: Caps,
    },
    /// Final response to the INVITE was 200.
    Answered {
        /// From the INVITE's arrival to the 200.
        setup: Duration,
    },
    /// A step of the dialogue.
    Step(Step),
    /// A key arrived (which one is never said).
    KeyPressed {
        /// How it came.
        source: KeySource,
        /// Where one digit was asked for: was it that one?
        matched: Option<bool>,
    },
    /// The call was refused.
    Refused {
        /// Why: its status was sent.
        reason: Reason,
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

/// Everything one call to [`Endpoint::handle`](super::Endpoint::handle) wants done.
pub type Outbox = Vec<Output>;
