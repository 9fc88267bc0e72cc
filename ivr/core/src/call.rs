//! A call as the endpoint sees it: its dialog, its media and its script, from the INVITE that passed the checks to the
//! end of the dialog.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand_core::Rng;
use voice_prompts::Language;

use crate::caller::policy::NamedBy;
use crate::caller::{Assessed, Caller, Reason, Srtp, TrunkIndex, TrunkProfile, language};
use crate::endpoint::{Entry, Line, Output};
use crate::media::{CallKey, KeySource, MediaCommand, MediaEvent, MediaPlan, PortIndex, RtpStart};
use crate::private::Private;
use crate::sip::dialog::Dialog;
use crate::sip::message::{Method, Reply, Request, shortened};
use crate::sip::resending::{LIFETIME, Resending, Resent};
use crate::sip::sdp::{Crypto, Ours, Proposal};

mod conversation;
mod desk;
pub mod flow;
mod info;
mod invite;
mod keys;
mod negotiation;
mod ours;
mod passport;
pub mod question;
mod record;
mod reliable;
mod session_timer;

pub(crate) use desk::{Desk, Incoming, branch, unguessable};
use invite::Unacknowledged;
use keys::Keys;
use ours::OurRequest;
use record::LONGEST_RECORD;
pub(crate) use record::reply_summary;
use reliable::Reliable;
use session_timer::SessionTimer;

use flow::{Action, Event, Flow, Purpose, Step};
use question::{Answer, Outcome, Question, VerificationId};

/// One call.
#[derive(Debug)]
pub(crate) struct Call {
    key: CallKey,
    trunk: TrunkIndex,
    caller: Caller,
    named_by: NamedBy,
    began: Instant,
    dialog: Dialog,
    port: PortIndex,
    stage: Stage,
    /// The script, once the call is answered.
    flow: Option<Flow>,
    /// A 180 that waits for its PRACK.
    reliable: Option<Reliable>,
    /// A 2xx that waits for its ACK.
    unacknowledged: Option<Unacknowledged>,
    /// How long the session lasts without a refresh, if that was agreed.
    timer: Option<SessionTimer>,
    /// The greatest Min-SE that the other side or a proxy has asked for, in seconds.
    least_session: Option<u32>,
    /// Our refresh that has no final response yet.
    refresh: Option<OurRequest>,
    /// The first ACK came: we may speak and listen.
    confirmed: bool,
    /// Its INVITE showed that it came from its source: over a connection, or with the trunk's account.
    is_vouched_for: bool,
    /// A newer call has its line: it is over as soon as it is acknowledged.
    gave_way: bool,
    media: Media,
    /// What its keys come by.
    keys: Keys,
    /// The last description of the other side that was taken up.
    agreed: Option<Proposal>,
    /// Names and counts our session descriptions.
    description: Ours,
    /// The last of them, with our key if there is one.
    described: Private<Vec<u8>>,
    /// What it is spoken to in.
    language: Language,
    /// Utterances begun.
    plays: u32,
    /// The one that is being said.
    playing: Option<u32>,
    /// The session whose code matched.
    verification: Option<VerificationId>,
    /// Messages, keys and steps that the record may still take: the other side must not fill the database.
    records_left: u16,
}

/// Where a call stands.
#[derive(Debug)]
enum Stage {
    /// The INVITE waits for the store's answer, or for what its signed identity is worth.
    Asking {
        invite: Box<Incoming>,
        proposal: Option<Proposal>,
        /// What is settled when that is known.
        unsettled: Option<Box<Assessed>>,
        gives_up_at: Instant,
    },
    /// The dialog is there.
    Up,
    /// The dialog is over for the caller.
    Ending {
        /// Our BYE has no answer yet.
        bye: bool,
        /// The media thread has not said its figures yet, and how long that may take.
        media_until: Option<Instant>,
        /// How long the call lasted.
        duration: Duration,
    },
    /// Nothing follows.
    Over,
}

/// The media thread's side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    /// It was told nothing.
    Unopened,
    /// It has the port.
    Open,
    /// It was told to give it back.
    Closed,
}

/// A new call's parts that the endpoint draws or knows.
pub(crate) struct Opening {
    pub(crate) key: CallKey,
    pub(crate) trunk: TrunkIndex,
    pub(crate) caller: Caller,
    /// It bears a signed identity, and the caller is as far as is known without it.
    pub(crate) unsettled: Option<Box<Assessed>>,
    pub(crate) dialog: Dialog,
    pub(crate) port: PortIndex,
    pub(crate) proposal: Option<Proposal>,
}

impl Call {
    /// A call whose INVITE passed every check: it rings, and the store is asked whether it is expected.
    pub(crate) fn open(opening: Opening, invite: Incoming, desk: &mut Desk<'_>) -> Self {
        let Opening { key, trunk, caller, unsettled, dialog, port, proposal } = opening;
        let rtp_port = desk.config.rtp_ports.get(usize::from(port.0)).copied().unwrap_or_default();
        let media = SocketAddr::new(desk.config.addresses.towards(&invite.from).ip(), rtp_port);
        let language = language::spoken_in(caller.number.country());
        let profile = desk.config.policy.trunk(trunk);
        let named_by = invite.request.with_headers(|headers| NamedBy::of(headers, profile));
        let mut call = Self {
            key,
            trunk,
            caller,
            named_by,
            began: desk.now,
            dialog,
            port,
            stage: Stage::Over,
            flow: None,
            reliable: None,
            unacknowledged: None,
            timer: None,
            least_session: None,
            refresh: None,
            confirmed: false,
            is_vouched_for: invite.from.transport.is_reliable() || profile.digest.is_some(),
            gave_way: false,
            media: Media::Unopened,
            keys: Keys::default(),
            agreed: None,
            // RFC 8866 5.2: a number; below 2^63, which some readers take for signed.
            description: Ours { media, session_id: desk.chance.next_u64() >> 1, version: 0, crypto: None },
            described: Private::new(Vec::new()),
            language,
            plays: 0,
            playing: None,
            verification: None,
            records_left: LONGEST_RECORD,
        };
        if proposal.is_none() && call.profile(desk).srtp == Srtp::Required {
            call.description.crypto = Some(Crypto::offer(desk.chance));
        }
        call.record(
            Entry::Began {
                sip_call_id: shortened(&invite.request.call_id).to_owned(),
                trunk: Some(call.caller.trunk.clone()),
                realm: call.caller.realm,
                source: invite.from.address,
                caller: Some(call.caller.clone()),
            },
            desk,
        );
        call.note(false, invite.request.summary(), desk);
        call.ring(&invite, proposal.is_some(), desk);
        let question = match &unsettled {
            Some(assessed) => passport::question(assessed),
            None => Question::Session(call.caller.clone()),
        };
        desk.out.push(Output::Ask(key, question));
        let gives_up_at = desk.now + STORE_LIMIT;
        call.stage = Stage::Asking { invite: Box::new(invite), proposal, unsettled, gives_up_at };
        call
    }

    /// The trunk that it came over.
    pub(crate) fn trunk(&self) -> TrunkIndex {
        self.trunk
    }

    /// The line that it takes up.
    pub(crate) fn line(&self) -> Line {
        self.caller.line()
    }

    /// Our tag of its dialog.
    pub(crate) fn tag(&self) -> &str {
        self.dialog.local_tag()
    }

    /// Its RTP port, and whether the other side was ever told about it.
    pub(crate) fn port(&self) -> (PortIndex, bool) {
        (self.port, self.flow.is_some())
    }

    /// The session whose code its caller entered.
    pub(crate) fn verification(&self) -> Option<VerificationId> {
        self.verification
    }

    /// Nobody has proved yet that the INVITE's source address was its own.
    pub(crate) fn is_unacknowledged(&self) -> bool {
        !self.confirmed && matches!(self.stage, Stage::Asking { .. } | Stage::Up)
    }

    /// A datagram began it, whose source address anybody can write, and nothing has come since that only the source can know.
    pub(crate) fn may_be_forged(&self) -> bool {
        !self.is_vouched_for && self.is_unacknowledged()
    }

    /// It is not answered yet.
    pub(crate) fn is_ringing(&self) -> bool {
        matches!(self.stage, Stage::Asking { .. })
    }

    /// Nothing follows: the endpoint may forget it.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// Is this request, whose To tag is ours, of this call's dialog and from its trunk?
    pub(crate) fn has(&self, request: &Request, trunk: TrunkIndex) -> bool {
        trunk == self.trunk && self.dialog.has(request) && !matches!(self.stage, Stage::Over)
    }

    /// When [`on_timeout`](Self::on_timeout) is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Asking { gives_up_at, .. } => {
                let repeat = self.reliable.as_ref().map(Reliable::deadline);
                repeat.into_iter().chain([*gives_up_at]).min()
            }
            Stage::Up => {
                let repeat = self.unacknowledged.as_ref().map(|waiting| waiting.resending.deadline());
                let script = self.flow.as_ref().and_then(Flow::deadline);
                let session = self.timer.as_ref().map(SessionTimer::deadline);
                repeat.into_iter().chain(script).chain(session).min()
            }
            // Our BYE has its own deadline in its transaction.
            Stage::Ending { media_until, .. } => *media_until,
            Stage::Over => None,
        }
    }

    /// A deadline passed.
    pub(crate) fn on_timeout(&mut self, desk: &mut Desk<'_>) {
        match &mut self.stage {
            Stage::Asking { gives_up_at, .. } if desk.now >= *gives_up_at => self.refuse(Reason::Unavailable, desk),
            Stage::Asking { .. } => self.repeat_ringing(desk),
            Stage::Ending { media_until, .. } if media_until.is_some_and(|until| desk.now >= until) => {
                *media_until = None;
                self.settle(desk);
            }
            Stage::Up => {
                self.repeat_unacknowledged(desk);
                self.tell(Event::Timeout, desk);
                self.keep_session(desk);
            }
            _ => {}
        }
    }

    /// The store says something.
    pub(crate) fn on_answer(&mut self, answer: Answer, desk: &mut Desk<'_>) {
        let Stage::Asking { unsettled, .. } = &mut self.stage else { return self.go_on(answer, desk) };
        if let Some(assessed) = unsettled.take() {
            return self.on_verdict(*assessed, answer, desk);
        }
        match answer {
            Answer::Verified(_) => {}
            Answer::Expected => self.answer(Purpose::Prove(desk.config.binding), desk),
            Answer::Certified(enrolled) => self.answer(Purpose::Tell(enrolled), desk),
            Answer::NoSession | Answer::Gone => self.refuse(Reason::NoSession, desk),
            Answer::NumberExhausted => self.refuse(Reason::NumberExhausted, desk),
            Answer::CallsUsedUp => self.refuse(Reason::CallsUsedUp, desk),
            Answer::Unavailable => self.refuse(Reason::Unavailable, desk),
            Answer::Matched(_) | Answer::Wrong { .. } | Answer::Stored | Answer::Suspended | Answer::NotSuspended => {}
        }
    }

    /// A newer call takes its line, before anybody has shown that this one's source is its own. What is answered can be ended
    /// only once it is acknowledged (RFC 3261 15).
    pub(crate) fn give_way(&mut self, desk: &mut Desk<'_>) {
        desk.counters.displaced += 1;
        self.refuse(Reason::NumberBusy, desk);
        self.tell(Event::Displaced, desk);
        self.gave_way = true;
    }

    /// The service ends at once.
    pub(crate) fn on_shutdown(&mut self, desk: &mut Desk<'_>) {
        self.refuse(Reason::Draining, desk);
        // RFC 3261 15: the called side sends no BYE before the ACK.
        if self.unacknowledged.is_none() {
            self.lose(desk);
        }
    }

    fn profile<'a>(&self, desk: &Desk<'a>) -> &'a TrunkProfile {
        desk.config.policy.trunk(self.trunk)
    }

    /// A request inside the dialog, other than ACK and CANCEL.
    pub(crate) fn on_request(&mut self, incoming: &Incoming, desk: &mut Desk<'_>) {
        self.dialog.come_over(incoming.from);
        match incoming.request.method {
            Method::Invite => self.on_reinvite(incoming, desk),
            Method::Update => self.on_update(incoming, desk),
            method => {
                self.note(false, incoming.request.summary(), desk);
                if !self.dialog.advance(&incoming.request) {
                    return self.respond(Reply::new(500), incoming, desk); // RFC 3261 12.2.2.
                }
                match method {
                    Method::Bye => self.on_bye(incoming, desk),
                    Method::Info => self.on_info(incoming, desk),
                    Method::Prack => self.on_prack(incoming, desk),
                    Method::Options => self.respond(Reply::new(200).allow().accept().supported(), incoming, desk),
                    Method::Refer => self.respond(Reply::new(603), incoming, desk),
                    _ => self.respond(Reply::new(405).allow(), incoming, desk),
                }
            }
        }
    }

    /// A BYE: whatever was going on is over, be it the INVITE itself (RFC 3261 15.1.2).
    fn on_bye(&mut self, bye: &Incoming, desk: &mut Desk<'_>) {
        self.respond(Reply::new(200), bye, desk);
        self.refuse(Reason::Cancelled, desk);
        self.unacknowledged = None;
        self.tell(Event::HungUp, desk);
        self.part(false, desk);
    }

    /// The caller is gone without a word, or must go: the script hears of it, the other side gets a BYE.
    fn lose(&mut self, desk: &mut Desk<'_>) {
        self.tell(Event::HungUp, desk);
        self.hang_up(desk);
    }

    /// The dialog ends: the port goes back.
    fn part(&mut self, bye: bool, desk: &mut Desk<'_>) {
        if !matches!(self.stage, Stage::Up) {
            return;
        }
        let media_until = (self.media == Media::Open).then(|| desk.now + FIGURES_LIMIT);
        if media_until.is_some() {
            self.media = Media::Closed;
            desk.out.push(Output::Media(self.key, MediaCommand::Close));
        }
        self.stage = Stage::Ending { bye, media_until, duration: desk.now - self.began };
        self.settle(desk);
    }

    /// Over, if nothing is waited for any more.
    fn settle(&mut self, desk: &mut Desk<'_>) {
        if let Stage::Ending { bye: false, media_until: None, duration } = self.stage {
            self.record(Entry::Over { duration }, desk);
            self.stage = Stage::Over;
        }
    }

    /// Answers a request other than an INVITE.
    fn respond(&mut self, reply: Reply, incoming: &Incoming, desk: &mut Desk<'_>) {
        let (status, to_tag) = (reply.status, self.dialog.local_tag());
        desk.send(desk.written(&reply, &incoming.request, incoming.from, to_tag));
        desk.transactions.servers.answer(&incoming.key, reply, to_tag, desk.now);
        self.note_reply(status, &incoming.request, desk);
    }
}

/// How long the store may take to say whether a call is expected; and, before that, whoever verifies its signed identity.
const STORE_LIMIT: Duration = Duration::from_secs(4);
/// How long the media thread may take to say its figures; the record does without them.
const FIGURES_LIMIT: Duration = Duration::from_secs(2);
