//! Many calls on one socket: what comes in, what goes out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng as _};

use crate::call::question::VerificationId;
use crate::call::{Call, Desk, Incoming, reply_summary};
use crate::caller::{Caller, TrunkIndex};
use crate::link::{Link, LinkKey};
use crate::media::CallKey;
use crate::number::Number;
use crate::private::Private;
use crate::sip::agenda::Agenda;
use crate::sip::client_transactions::{Asker, Heard};
use crate::sip::digest::challenger::Challenger;
use crate::sip::gate::{self, Fault, Read};
use crate::sip::message::{Asked, Method, Reply, Request, Response};
use crate::sip::peer::Peer;
use crate::sip::resending::Sending;
use crate::sip::server_transactions::{Repetition, TransactionKey};
use crate::sip::transaction::Transactions;

mod admission;
mod config;
mod counters;
#[cfg(test)]
mod hostile;
mod interface;
mod lines;
mod links;
mod ports;
mod probes;
mod rate;
mod refusal;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod torture;
#[cfg(test)]
mod transcripts;

use lines::Lines;
use ports::Ports;
use probes::Probes;
use rate::Rate;
use refusal::{Refusals, TagMaker};

pub(crate) use lines::Line;

pub use config::{Addresses, EndpointConfig, Limits, Strangers};
pub use counters::Counters;
pub use interface::{Entry, Input, Outbox, Output};

/// Many calls on one socket.
pub struct Endpoint {
    config: EndpointConfig,
    chance: ChaCha20Rng,
    tags: TagMaker,
    transactions: Transactions,
    /// At most [`Limits::calls`]. In boxes, because each is taken out while it acts.
    calls: HashMap<CallKey, Box<Call>>,
    /// Our tag of each call's dialog.
    by_tag: HashMap<String, CallKey>,
    /// Which calls wait for a session's outcome.
    waiting: BTreeSet<(VerificationId, CallKey)>,
    agenda: Agenda<CallKey>,
    /// As many as are configured.
    links: BTreeMap<LinkKey, Link>,
    link_agenda: Agenda<LinkKey>,
    ports: Ports,
    /// For each trunk, in the order of the policy.
    tallies: Vec<Tally>,
    lines: Lines,
    refusals: Refusals,
    probes: Probes,
    challenger: Challenger,
    counters: Counters,
    door: Door,
    last_key: u64,
}

/// Whether new calls are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    /// Until [`Input::TakeCalls`].
    NotYetOpen,
    Open,
    /// For ever.
    Closed,
}

/// What a trunk takes up.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    calls: usize,
    unacknowledged: usize,
    /// Of calls that passed every check.
    rate: Rate,
}

/// How many calls and transactions, but not whose.
impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("calls", &self.calls.len())
            .field("transactions", &self.transactions.count())
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// An endpoint without calls. All its tags, ports and digits come from `seed`. If it has no media ports, it refuses calls
    /// until [`Input::TakeCalls`].
    pub fn new(config: EndpointConfig, seed: [u8; 32]) -> Self {
        let mut chance = ChaCha20Rng::from_seed(seed);
        let mut key = [0; 32];
        chance.fill_bytes(&mut key);
        let mut nonce_key = [0; 32];
        let mut apart = ChaCha20Rng::from_seed(seed);
        apart.set_stream(1);
        apart.fill_bytes(&mut nonce_key);
        Self {
            chance,
            tags: TagMaker::new(key),
            transactions: Transactions::new(
                config.policy.trunks.iter().map(|trunk| u64::from(trunk.pace.calls_per_second)).sum(),
            ),
            calls: HashMap::new(),
            by_tag: HashMap::new(),
            waiting: BTreeSet::new(),
            agenda: Agenda::default(),
            links: (0..).map(LinkKey).zip(&config.links).map(|(key, profile)| (key, Link::new(key, profile))).collect(),
            link_agenda: Agenda::default(),
            ports: Ports::new(config.rtp_ports.len()),
            tallies: vec![Tally::default(); config.policy.trunks.len()],
            lines: Lines::default(),
            refusals: Refusals::default(),
            probes: Probes::new(config.policy.trunks.len()),
            challenger: Challenger::new(nonce_key, config.policy.trunks.len()),
            counters: Counters::default(),
            door: if config.rtp_ports.is_empty() { Door::NotYetOpen } else { Door::Open },
            last_key: 0,
            config,
        }
    }

    /// Takes one input and pushes what must be done.
    pub fn handle(&mut self, input: Input<'_>, now: Instant, out: &mut Outbox) {
        match input {
            Input::Message { from, bytes } => self.on_message(from, bytes, now, out),
            Input::Broken { from, bytes } => self.on_broken(from, bytes, out),
            Input::Unreached { to } => {
                let unanswered = self.transactions.clients.on_unreached(&to);
                self.give_up(unanswered, now, out);
            }
            Input::Media(key, event) => self.with(key, now, out, |call, desk| call.on_media(event, desk)),
            Input::Answer(key, answer) => self.with(key, now, out, |call, desk| call.on_answer(answer, desk)),
            Input::Outcome(verification, outcome) => {
                let range = (verification, CallKey(0))..=(verification, CallKey(u64::MAX));
                let keys: Vec<CallKey> = self.waiting.range(range).map(|(_, key)| *key).collect();
                for key in keys {
                    self.with(key, now, out, |call, desk| call.on_outcome(outcome, desk));
                }
            }
            Input::Connected => self.with_links(now, out, Link::begin),
            Input::Located(key, query, records) => {
                self.with_link(key, now, out, |link, desk| link.on_records(&query, records, desk));
            }
            Input::Probe(trunk, call) => self.probes.expect(trunk, call),
            Input::TakeCalls { rtp_ports } => self.take_calls(rtp_ports),
            Input::RefuseNewCalls => {
                self.door = Door::Closed;
                self.with_links(now, out, Link::leave);
            }
            Input::EndCalls => {
                self.door = Door::Closed;
                let mut keys: Vec<CallKey> = self.calls.keys().copied().collect();
                keys.sort_unstable();
                for key in keys {
                    self.with(key, now, out, |call, desk| call.on_shutdown(desk));
                }
                self.with_links(now, out, Link::leave_at_once);
            }
            Input::Timeout => self.on_timeout(now, out),
        }
    }

    /// When [`Input::Timeout`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        let (calls, links) = (self.agenda.deadline(), self.link_agenda.deadline());
        calls.into_iter().chain(links).chain(self.transactions.deadline()).min()
    }

    /// What was counted since the start.
    pub fn counters(&self) -> Counters {
        let unacknowledged = self.tallies.iter().map(|tally| tally.unacknowledged).sum();
        Counters { calls: self.calls.len(), unacknowledged, ..self.counters }
    }

    /// Calls that are not over.
    pub fn live_calls(&self) -> usize {
        self.calls.len()
    }

    /// After [`Input::RefuseNewCalls`]: the last call is over, and the registrars know that we go. A service that shuts
    /// down waits for this.
    pub fn is_done(&self) -> bool {
        self.calls.is_empty() && self.links.values().all(Link::is_over)
    }

    fn on_timeout(&mut self, now: Instant, out: &mut Outbox) {
        // All of them first: a call that sets a deadline in the past is due next time, and must not hold up the rest.
        let due: Vec<CallKey> = std::iter::from_fn(|| self.agenda.pop_due(now)).collect();
        for key in due {
            self.with(key, now, out, |call, desk| call.on_timeout(desk));
        }
        let due: Vec<LinkKey> = std::iter::from_fn(|| self.link_agenda.pop_due(now)).collect();
        for key in due {
            self.with_link(key, now, out, Link::on_timeout);
        }
        let mut repeated = Vec::new();
        let unanswered = self.transactions.on_timeout(now, &mut repeated);
        self.counters.retransmissions += repeated.len() as u64;
        out.extend(repeated.into_iter().map(|(to, bytes)| Output::Message { to, bytes }));
        self.give_up(unanswered, now, out);
    }

    /// Nobody answers these requests of ours.
    fn give_up(&mut self, unanswered: Vec<(Asker, Method)>, now: Instant, out: &mut Outbox) {
        for (asker, method) in unanswered {
            match asker {
                Asker::Call(key) => self.with(key, now, out, |call, desk| call.on_no_response(method, desk)),
                Asker::Link(key) => self.with_link(key, now, out, Link::on_no_response),
            }
        }
    }

    fn on_message(&mut self, from: Peer, bytes: &[u8], now: Instant, out: &mut Outbox) {
        match from.flow {
            None => self.counters.datagrams += 1,
            Some(_) => self.counters.stream_messages += 1,
        }
        let read = gate::read(bytes);
        let Some(trunk) = self.config.policy.trunk_of(&from) else { return self.on_stranger(read, from, now, out) };
        match read {
            Read::KeepAlive => {}
            Read::Garbage => self.counters.garbage += 1,
            Read::Refused(refused) => {
                self.counters.malformed_requests += 1;
                let asked = Asked { from, via: &refused.via, lines: &refused.lines };
                self.reply_stateless(&refused.fault.reply(), &asked, out);
            }
            Read::Response(response) => self.on_response(&response, now, out),
            Read::Request(request) => {
                let key = TransactionKey::of(&request, trunk);
                let incoming = Incoming { request: *request, from, key };
                if incoming.request.method == Method::Ack {
                    self.on_ack(incoming, trunk, now, out);
                } else {
                    self.on_request(incoming, trunk, now, out);
                }
            }
        }
    }

    fn on_response(&mut self, response: &Response, now: Instant, out: &mut Outbox) {
        match self.transactions.clients.on_response(response, now) {
            Heard::Stray => self.counters.unmatched_responses += 1,
            Heard::Provisional => {}
            Heard::Again((to, bytes)) => out.push(Output::Message { to, bytes }),
            Heard::Final(Asker::Call(key)) => self.with(key, now, out, |call, desk| call.on_response(response, desk)),
            Heard::Final(Asker::Link(key)) => {
                self.with_link(key, now, out, |link, desk| link.on_response(response, desk))
            }
        }
    }

    /// Somebody who is no trunk: nothing is believed, nothing is kept, a connection ends. But for an answer to a question
    /// of ours outside of calls: we may ask servers that send no calls, and the branch has 128 bits that only who was
    /// asked can know.
    fn on_stranger(&mut self, read: Read, from: Peer, now: Instant, out: &mut Outbox) {
        match &read {
            Read::KeepAlive => return,
            Read::Garbage => self.counters.garbage += 1,
            Read::Response(response)
                if matches!(self.transactions.clients.asker_of(response), Some(Asker::Link(_))) =>
            {
                return self.on_response(response, now, out);
            }
            _ => self.counters.strangers += 1,
        }
        let refuses = self.config.strangers == Strangers::Refuse;
        let forbidden = |asked: &Asked<'_>| Some(self.stateless(&Reply::new(403), asked));
        let answer = match &read {
            Read::Request(request) if refuses && request.method != Method::Ack => forbidden(&Asked::of(request, from)),
            Read::Refused(refused) if refuses => forbidden(&Asked { from, via: &refused.via, lines: &refused.lines }),
            _ => None,
        };
        match (from.flow, answer) {
            (Some(flow), answer) => {
                out.push(Output::Farewell { flow, bytes: answer.map(|(_, bytes)| bytes).unwrap_or_default() });
            }
            (None, Some((to, bytes))) => out.push(Output::Message { to, bytes }),
            (None, None) => {}
        }
    }

    /// Nobody knows where the next message begins: 400, and the connection ends (RFC 3261 18.3).
    fn on_broken(&mut self, from: Peer, bytes: &[u8], out: &mut Outbox) {
        self.counters.broken_streams += 1;
        let status = if self.config.policy.trunk_of(&from).is_some() { 400 } else { 403 };
        let is_silent = status == 403 && self.config.strangers == Strangers::Ignore;
        let answer = |asked: &Asked<'_>| self.stateless(&Reply::new(status), asked).1;
        let bytes = match gate::read(bytes) {
            _ if is_silent => Vec::new(),
            Read::Request(request) if request.method != Method::Ack => answer(&Asked::of(&request, from)),
            Read::Refused(refused) => answer(&Asked { from, via: &refused.via, lines: &refused.lines }),
            _ => Vec::new(),
        };
        out.extend(from.flow.map(|flow| Output::Farewell { flow, bytes }));
    }

    fn on_ack(&mut self, ack: Incoming, trunk: TrunkIndex, now: Instant, out: &mut Outbox) {
        let Incoming { request, key, .. } = &ack;
        if self.transactions.servers.acknowledge(key, now) {
            return;
        }
        let Some(tag) = &request.to_tag else { return self.counters.unmatched_acks += 1 };
        match self.by_tag.get(tag).copied() {
            Some(call) if self.calls.get(&call).is_some_and(|call| call.has(request, trunk)) => {
                self.with(call, now, out, |call, desk| call.on_ack(&ack, desk));
            }
            Some(_) => self.counters.forged += 1,
            // The ACK of a refusal that left no state bears the tag that we would give it again.
            None if *tag == self.tags.tag(&request.via, &request.lines) => {}
            None => self.counters.unmatched_acks += 1,
        }
    }

    fn on_request(&mut self, incoming: Incoming, trunk: TrunkIndex, now: Instant, out: &mut Outbox) {
        match self.transactions.servers.repetition(&incoming.key) {
            Repetition::New => {}
            Repetition::Absorbed => return self.counters.retransmitted_requests += 1,
            Repetition::Again((to, bytes)) => {
                self.counters.retransmitted_requests += 1;
                return out.push(Output::Message { to, bytes });
            }
            Repetition::Anew(reply, to_tag) => {
                self.counters.retransmitted_requests += 1;
                return self.reply(&reply, &to_tag, &Asked::of(&incoming.request, incoming.from), out);
            }
        }
        let request = &incoming.request;
        match (request.method, &request.to_tag) {
            (Method::Cancel, _) => self.on_cancel(incoming, trunk, now, out),
            (_, Some(tag)) => {
                let call = self.by_tag.get(tag).copied();
                let call = call.filter(|key| self.calls.get(key).is_some_and(|call| call.has(request, trunk)));
                match call {
                    Some(call) => self.with(call, now, out, |call, desk| call.on_request(&incoming, desk)),
                    None => {
                        self.counters.forged += 1;
                        self.reply_stateless(&Reply::new(481), &Asked::of(request, incoming.from), out);
                    }
                }
            }
            (Method::Invite, None) if self.transactions.servers.is_merged(request) => {
                self.reply_stateless(&Reply::new(482), &Asked::of(request, incoming.from), out);
            }
            (Method::Invite, None) => self.on_invite(incoming, trunk, now, out),
            (method, None) => {
                let reply = self.outside_of_dialogs(method);
                self.reply_stateless(&reply, &Asked::of(request, incoming.from), out);
            }
        }
    }

    /// The answer to a request that belongs to no dialog and opens none. It changes nothing here, so a repetition may
    /// be answered anew.
    fn outside_of_dialogs(&mut self, method: Method) -> Reply {
        match method {
            // RFC 3261 11.2: as an INVITE would be answered.
            Method::Options if self.door != Door::Open => Reply::refusal(503, &mut self.chance),
            Method::Options => Reply::new(200).allow().accept().supported(),
            Method::Bye | Method::Update | Method::Info | Method::Prack | Method::Notify => Reply::new(481),
            Method::Refer => Reply::new(603),
            _ => Reply::new(405).allow(),
        }
    }

    fn on_cancel(&mut self, cancel: Incoming, trunk: TrunkIndex, now: Instant, out: &mut Outbox) {
        let invite = TransactionKey::cancelled_by(&cancel.request, trunk);
        if let Some(call) = self.transactions.servers.call_of(&invite) {
            return self.with(call, now, out, |call, desk| call.on_cancel(&cancel, desk));
        }
        // RFC 3261 9.2: once there is a final response, a CANCEL changes nothing.
        let asked = Asked::of(&cancel.request, cancel.from);
        match self.transactions.servers.tag_of(&invite) {
            // With the tag that the INVITE got.
            Some(tag) => self.reply(&Reply::new(200), tag, &asked, out),
            None => self.reply_stateless(&Reply::new(481), &asked, out),
        }
    }

    fn reply(&self, reply: &Reply, to_tag: &str, asked: &Asked<'_>, out: &mut Outbox) {
        let bytes = reply.write(asked, to_tag, self.config.server.as_deref());
        out.push(Output::Message { to: asked.via.reply_to(asked.from), bytes });
    }

    fn reply_stateless(&self, reply: &Reply, asked: &Asked<'_>, out: &mut Outbox) {
        let (to, bytes) = self.stateless(reply, asked);
        out.push(Output::Message { to, bytes });
    }

    /// An answer that leaves no state, and where it goes.
    fn stateless(&self, reply: &Reply, asked: &Asked<'_>) -> Sending {
        let tag = self.tags.tag(asked.via, asked.lines);
        (asked.via.reply_to(asked.from), reply.write(asked, &tag, self.config.server.as_deref()))
    }

    fn desk<'a>(&'a mut self, now: Instant, out: &'a mut Outbox) -> Desk<'a> {
        Desk {
            config: &self.config,
            transactions: &mut self.transactions,
            chance: &mut self.chance,
            counters: &mut self.counters,
            now,
            out,
        }
    }

    /// Lets a call act, and then keeps the books: its deadline, what it takes up, what it waits for.
    fn with(&mut self, key: CallKey, now: Instant, out: &mut Outbox, act: impl FnOnce(&mut Call, &mut Desk<'_>)) {
        let Some(mut call) = self.calls.remove(&key) else { return };
        let (was_unacknowledged, was_waiting) = (call.is_unacknowledged(), call.verification());
        act(&mut call, &mut self.desk(now, out));
        let tally = &mut self.tallies[call.trunk().0];
        if was_unacknowledged && !call.is_unacknowledged() {
            tally.unacknowledged -= 1;
        }
        if call.verification() != was_waiting {
            was_waiting.map(|before| self.waiting.remove(&(before, key)));
            self.waiting.extend(call.verification().map(|verification| (verification, key)));
        }
        if !call.is_over() {
            self.agenda.set(&key, call.deadline());
            self.calls.insert(key, call);
            return;
        }
        tally.calls -= 1;
        self.lines.leave(&call.line(), key);
        self.agenda.set(&key, None);
        self.by_tag.remove(call.tag());
        call.verification().map(|verification| self.waiting.remove(&(verification, key)));
        match call.port() {
            (port, true) => self.ports.rest(port, now),
            (port, false) => self.ports.put_back(port),
        }
    }
}

impl Fault {
    fn reply(&self) -> Reply {
        match self {
            Self::Malformed => Reply::new(400),
            Self::MediaType => Reply::new(415).accept_only(&["application/sdp", "multipart/mixed"]),
            Self::Scheme => Reply::new(416),
            Self::Extensions(required) => Reply::new(420).unsupported(required),
            // RFC 3261 20.5 wants Allow with 405 only; it helps here, too.
            Self::UnknownMethod => Reply::new(501).allow(),
            Self::Version => Reply::new(505),
            Self::TooLarge => Reply::new(513),
        }
    }
}
