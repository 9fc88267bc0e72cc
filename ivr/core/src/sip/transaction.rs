//! Transactions (RFC 3261 17, with the Accepted state of RFC 6026): what is sent again until it is answered, and which
//! requests were answered before.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::agenda::Agenda;
use super::message::{Method, Reply, Request, Response};
use super::peer::Peer;
use crate::link::LinkKey;
use crate::media::CallKey;

/// A message to send.
pub(crate) type Sending = (Peer, Vec<u8>);

/// Names a server transaction (RFC 3261 17.2.3), and the trunk it belongs to: nobody else can touch it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TransactionKey(Arc<str>);

impl TransactionKey {
    /// The transaction of a request; of an ACK, the INVITE's.
    pub(crate) fn of(request: &Request, trunk: usize) -> Self {
        let method = if request.method == Method::Ack { Method::Invite } else { request.method };
        Self::named(method, request, trunk)
    }

    /// The transaction that a CANCEL means (RFC 3261 9.2).
    pub(crate) fn cancelled_by(request: &Request, trunk: usize) -> Self {
        Self::named(Method::Invite, request, trunk)
    }

    fn named(method: Method, request: &Request, trunk: usize) -> Self {
        let (sent_by, uri) = (request.via.sent_by(), request.uri.as_str());
        Self(match request.via.branch() {
            Some(branch) => format!("{trunk} {method} {sent_by} {branch}").into(),
            // A sender of RFC 2543: Request-URI, tag, Call-ID, number and Via are the name.
            None => {
                let (call_id, cseq, tag) = (&request.call_id, request.cseq, &request.from_tag);
                let via = request.lines.value("Via").unwrap_or_default();
                format!("{trunk} {method} {uri} {tag:?} {call_id} {cseq} {via}").into()
            }
        })
    }
}

/// A message that is sent again, at T1 doubling, until somebody says that it arrived, or 64*T1 have passed. What only has
/// to reach the next hop is not sent again over a stream, but waited for as long (RFC 3261 17.1.1.2, 17.1.2.2, 17.2.1).
pub(crate) struct Resending {
    to: Peer,
    bytes: Vec<u8>,
    interval: Duration,
    longest: Duration,
    at: Instant,
    ends: Instant,
}

/// A message names people.
impl fmt::Debug for Resending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resending").field("to", &self.to).field("at", &self.at).finish_non_exhaustive()
    }
}

/// What a [`Resending`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resent {
    /// Nothing yet.
    Waiting,
    /// It was sent again.
    Again,
    /// Its time is over.
    GaveUp,
}

impl Resending {
    /// A message to the next hop that is sent now; its intervals double to T2.
    pub(crate) fn hop(to: Peer, bytes: Vec<u8>, now: Instant) -> Self {
        let end_to_end = Self::end_to_end(to, bytes, now);
        if to.transport.is_reliable() { Self { at: end_to_end.ends, ..end_to_end } } else { end_to_end }
    }

    /// A message that is repeated over streams, too, because another hop may be over datagrams: the 2xx to an INVITE
    /// (RFC 3261 13.3.1.4).
    pub(crate) fn end_to_end(to: Peer, bytes: Vec<u8>, now: Instant) -> Self {
        Self { to, bytes, interval: T1, longest: T2, at: now + T1, ends: now + LIFETIME }
    }

    /// The same, but its intervals double to the end: an INVITE (RFC 3261 17.1.1.2), a reliable provisional response
    /// (RFC 3262 3).
    pub(crate) fn doubling(self) -> Self {
        Self { longest: LIFETIME, ..self }
    }

    /// Sends it again if it is time.
    pub(crate) fn on_timeout(&mut self, now: Instant, out: &mut Vec<Sending>) -> Resent {
        if now >= self.ends {
            return Resent::GaveUp;
        }
        if now < self.at {
            return Resent::Waiting;
        }
        self.interval = (self.interval * 2).min(self.longest);
        self.at = now + self.interval;
        out.push((self.to, self.bytes.clone()));
        Resent::Again
    }

    /// When [`on_timeout`](Self::on_timeout) is due.
    pub(crate) fn deadline(&self) -> Instant {
        self.at.min(self.ends)
    }

    /// After a provisional response, the longest interval (RFC 3261 17.1.2.2); of an INVITE, which is not sent again
    /// then (17.1.1.2), that is all the time there is.
    fn slow_down(&mut self, now: Instant) {
        if self.interval < self.longest && self.at < self.ends {
            self.interval = self.longest;
            self.at = now + self.longest;
        }
    }
}

/// A request that is or was being answered.
#[derive(Debug)]
enum Server {
    /// An INVITE without a final response; a repetition gets the last provisional one again.
    Proceeding { call: CallKey, provisional: Box<Sending> },
    /// An INVITE with a 2xx: the dialog repeats that. Repetitions of the INVITE are absorbed (RFC 6026 7.1).
    Accepted { to_tag: String, ends: Instant },
    /// A refused INVITE: the refusal repeats until the ACK (timers G and H).
    Refused { to_tag: String, refusal: Box<Resending> },
    /// The same, but of too many to be repeated: a repetition of the INVITE gets it again.
    Unrepeated { to_tag: String, refusal: Box<Sending>, ends: Instant },
    /// Its ACK came; more of them are absorbed (timer I).
    Acknowledged { to_tag: String, ends: Instant },
    /// Any other request; a repetition gets the same response (timer J), written from it anew: there are many of these.
    Answered { answer: Box<(Reply, String)>, ends: Instant },
}

impl Server {
    /// When it needs attention that cannot wait.
    fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Refused { refusal, .. } => Some(refusal.deadline()),
            Self::Acknowledged { ends, .. } => Some(*ends),
            Self::Proceeding { .. } | Self::Accepted { .. } | Self::Unrepeated { .. } | Self::Answered { .. } => None,
        }
    }

    /// When it may be forgotten, [`LIFETIME`] after it came to be.
    fn fades_at(&self) -> Option<Instant> {
        match self {
            Self::Accepted { ends, .. } | Self::Unrepeated { ends, .. } | Self::Answered { ends, .. } => Some(*ends),
            // Of a call that has a deadline; and those with one of their own.
            Self::Proceeding { .. } | Self::Refused { .. } | Self::Acknowledged { .. } => None,
        }
    }
}

/// Whose request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// In the dialog of a call.
    Call(CallKey),
    /// Outside of dialogs.
    Link(LinkKey),
}

/// A request of ours.
#[derive(Debug)]
enum Client {
    /// It waits for its final response.
    Waiting { asker: Asker, method: Method, resending: Resending },
    /// An INVITE with a final response: each repetition of that gets the ACK again (RFC 3261 17.1.1.2, timer D, and
    /// 13.2.2.4).
    Acknowledged { ack: Sending, ends: Instant },
}

impl Client {
    fn deadline(&self) -> Instant {
        match self {
            Self::Waiting { resending, .. } => resending.deadline(),
            Self::Acknowledged { ends, .. } => *ends,
        }
    }
}

/// What a response is to our requests.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It belongs to none of them.
    Stray,
    /// The request still waits for its final one.
    Provisional,
    /// The final one, once more: this is sent again.
    Again(Sending),
    /// The final one, for this asker.
    Final(Asker),
}

/// Who has a deadline.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Who {
    Server(TransactionKey),
    Client(Arc<str>),
}

/// What was heard before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Repetition {
    /// Not this request.
    New,
    /// It needs no response now.
    Absorbed,
    /// It gets this again.
    Again(Sending),
    /// It gets this answer again, with this tag of ours.
    Anew(Reply, String),
}

/// All transactions of the endpoint.
#[derive(Debug)]
pub(crate) struct Transactions {
    servers: HashMap<TransactionKey, Remembered>,
    /// How many of them repeat a refusal: at most [`MOST_REPEATED`].
    refused: usize,
    /// The others that only wait to be forgotten, the first of them first; some are in another state by now.
    fading: VecDeque<(Instant, TransactionKey)>,
    /// When so many are remembered, further refusals and answers are not; the INVITEs of calls always are.
    most_remembered: usize,
    /// Of INVITEs that opened a dialog: another transaction with the same is one request that came on two ways
    /// (RFC 3261 8.2.2.2).
    origins: HashSet<Origin>,
    clients: HashMap<Arc<str>, Client>,
    agenda: Agenda<Who>,
}

/// A request that came, and what became of it.
#[derive(Debug)]
struct Remembered {
    server: Server,
    /// Of an INVITE that opened a dialog.
    origin: Option<Origin>,
}

/// Call-ID, From tag, CSeq number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Origin(Arc<str>);

impl Origin {
    fn of(request: &Request) -> Self {
        let Request { call_id, from_tag, cseq, .. } = request;
        // A Call-ID has no space in it, and the tag is the rest.
        Self(format!("{cseq} {call_id} {}", from_tag.as_deref().unwrap_or_default()).into())
    }
}

impl Transactions {
    /// None yet. `calls_per_second`: how many calls may begin over all trunks together.
    pub(crate) fn new(calls_per_second: u64) -> Self {
        // The INVITE of each call, its BYE, and a few other requests.
        let of_calls = usize::try_from(calls_per_second.saturating_mul(3 * LIFETIME.as_secs())).unwrap_or(usize::MAX);
        Self {
            servers: HashMap::new(),
            refused: 0,
            fading: VecDeque::new(),
            most_remembered: of_calls.max(LEAST_REMEMBERED),
            origins: HashSet::new(),
            clients: HashMap::new(),
            agenda: Agenda::default(),
        }
    }

    /// How many requests are remembered or wait for their answer.
    pub(crate) fn count(&self) -> usize {
        self.servers.len() + self.clients.len()
    }

    /// Was this request heard before?
    pub(crate) fn repetition(&self, key: &TransactionKey) -> Repetition {
        match self.server(key) {
            None => Repetition::New,
            Some(Server::Proceeding { provisional, .. }) => Repetition::Again(provisional.as_ref().clone()),
            Some(Server::Refused { refusal, .. }) => Repetition::Again((refusal.to, refusal.bytes.clone())),
            Some(Server::Unrepeated { refusal, .. }) => Repetition::Again(refusal.as_ref().clone()),
            Some(Server::Answered { answer, .. }) => Repetition::Anew(answer.0.clone(), answer.1.clone()),
            Some(Server::Accepted { .. } | Server::Acknowledged { .. }) => Repetition::Absorbed,
        }
    }

    fn server(&self, key: &TransactionKey) -> Option<&Server> {
        self.servers.get(key).map(|remembered| &remembered.server)
    }

    /// Did this new INVITE come before, on another way?
    pub(crate) fn is_merged(&self, request: &Request) -> bool {
        self.origins.contains(&Origin::of(request))
    }

    /// An INVITE asks for a new call, which has its own deadline until it answers.
    pub(crate) fn open(&mut self, key: &TransactionKey, request: &Request, call: CallKey, provisional: Sending) {
        let origin = Origin::of(request);
        self.origins.insert(origin.clone());
        let server = Server::Proceeding { call, provisional: Box::new(provisional) };
        self.servers.insert(key.clone(), Remembered { server, origin: Some(origin) });
    }

    /// The call whose INVITE has no final response yet.
    pub(crate) fn call_of(&self, key: &TransactionKey) -> Option<CallKey> {
        match self.server(key) {
            Some(Server::Proceeding { call, .. }) => Some(*call),
            _ => None,
        }
    }

    /// Our tag in the final response to an INVITE, if there was one that is not long ago.
    pub(crate) fn tag_of(&self, key: &TransactionKey) -> Option<&str> {
        match self.server(key)? {
            Server::Accepted { to_tag, .. }
            | Server::Refused { to_tag, .. }
            | Server::Unrepeated { to_tag, .. }
            | Server::Acknowledged { to_tag, .. } => Some(to_tag),
            Server::Proceeding { .. } | Server::Answered { .. } => None,
        }
    }

    /// An INVITE got a 2xx with this tag of ours.
    pub(crate) fn accept(&mut self, key: &TransactionKey, to_tag: &str, now: Instant) {
        self.put(key, Server::Accepted { to_tag: to_tag.to_owned(), ends: now + LIFETIME }, now);
    }

    /// An INVITE got any other final response with this tag of ours. If too many wait for their ACK, it is not repeated of itself: they were
    /// sent in somebody else's name, who would get it a dozen times. If there are too many to remember, a repetition of
    /// the INVITE is refused anew.
    pub(crate) fn refuse(&mut self, key: &TransactionKey, to_tag: &str, (to, bytes): Sending, now: Instant) {
        if self.servers.len() > self.most_remembered {
            return self.forget(key);
        }
        let to_tag = to_tag.to_owned();
        if self.refused < MOST_REPEATED {
            self.put(key, Server::Refused { to_tag, refusal: Box::new(Resending::hop(to, bytes, now)) }, now);
        } else {
            self.put(key, Server::Unrepeated { to_tag, refusal: Box::new((to, bytes)), ends: now + LIFETIME }, now);
        }
    }

    /// Another request got this response, with this tag of ours. If there are too many to remember, a repetition is taken for
    /// a new request: all of them may be answered twice.
    pub(crate) fn answer(&mut self, key: &TransactionKey, reply: Reply, to_tag: &str, now: Instant) {
        if self.servers.len() < self.most_remembered {
            let answer = Box::new((reply, to_tag.to_owned()));
            self.put(key, Server::Answered { answer, ends: now + LIFETIME }, now);
        }
    }

    /// An ACK came. Does it belong to a refusal?
    pub(crate) fn acknowledge(&mut self, key: &TransactionKey, now: Instant) -> bool {
        match self.server(key) {
            Some(Server::Refused { to_tag, .. } | Server::Unrepeated { to_tag, .. }) => {
                let to_tag = to_tag.clone();
                self.put(key, Server::Acknowledged { to_tag, ends: now + T4 }, now);
            }
            Some(Server::Acknowledged { .. }) => {}
            _ => return false,
        }
        true
    }

    /// Sends a request of ours, until it is answered.
    pub(crate) fn send(&mut self, branch: &str, asker: Asker, method: Method, sending: Sending, now: Instant) {
        let (to, bytes) = sending;
        let resending = Resending::hop(to, bytes, now);
        let resending = if method == Method::Invite { resending.doubling() } else { resending };
        self.put_client(branch.into(), Client::Waiting { asker, method, resending });
    }

    /// Nobody waits for the answer to this request of ours any more.
    pub(crate) fn abandon(&mut self, branch: &str) {
        self.clients.remove(branch);
        self.agenda.set(&Who::Client(branch.into()), None);
    }

    /// Whose request this answers, if one waits for it.
    pub(crate) fn asker_of(&self, response: &Response) -> Option<Asker> {
        match self.clients.get(response.branch.as_str()) {
            Some(Client::Waiting { asker, .. }) => Some(*asker),
            _ => None,
        }
    }

    /// Our INVITE got its final response, and this is the ACK.
    pub(crate) fn acknowledged(&mut self, branch: &str, ack: Sending, now: Instant) {
        self.put_client(branch.into(), Client::Acknowledged { ack, ends: now + LIFETIME });
    }

    /// A response came.
    pub(crate) fn on_response(&mut self, response: &Response, now: Instant) -> Heard {
        let branch = response.branch.as_str();
        match self.clients.get_mut(branch) {
            Some(Client::Waiting { method, resending, .. }) if *method == response.method && response.status < 200 => {
                resending.slow_down(now);
                let deadline = resending.deadline();
                self.agenda.set(&Who::Client(branch.into()), Some(deadline));
                Heard::Provisional
            }
            Some(Client::Waiting { asker, method, .. }) if *method == response.method => {
                let asker = *asker;
                self.abandon(branch);
                Heard::Final(asker)
            }
            Some(Client::Acknowledged { ack, .. }) if response.method == Method::Invite && response.status >= 200 => {
                Heard::Again(ack.clone())
            }
            _ => Heard::Stray,
        }
    }

    /// Nobody can be reached there: gives up the requests that wait for an answer from there. Returns whose, and which
    /// they were.
    pub(crate) fn on_unreached(&mut self, peer: &Peer) -> Vec<(Asker, Method)> {
        let is_there =
            |to: &Peer| (to.address, to.transport, to.certified) == (peer.address, peer.transport, peer.certified);
        let mut given_up: Vec<(Arc<str>, Asker, Method)> = Vec::new();
        for (branch, client) in &self.clients {
            if let Client::Waiting { asker, method, resending } = client
                && is_there(&resending.to)
            {
                given_up.push((branch.clone(), *asker, *method));
            }
        }
        // What happens must not depend on the order in a map.
        given_up.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        for (branch, ..) in &given_up {
            self.clients.remove(branch);
            self.agenda.set(&Who::Client(branch.clone()), None);
        }
        given_up.into_iter().map(|(_, asker, method)| (asker, method)).collect()
    }

    /// Sends again what is due and forgets what is over. Returns whose request was never answered, and which that
    /// was.
    pub(crate) fn on_timeout(&mut self, now: Instant, out: &mut Vec<Sending>) -> Vec<(Asker, Method)> {
        self.fade(usize::MAX, now);
        let mut unanswered = Vec::new();
        while let Some(who) = self.agenda.pop_due(now) {
            match &who {
                Who::Client(branch) => {
                    let Some(Client::Waiting { asker, method, resending }) = self.clients.get_mut(branch) else {
                        self.clients.remove(branch);
                        continue;
                    };
                    if resending.on_timeout(now, out) == Resent::GaveUp {
                        unanswered.push((*asker, *method));
                        self.clients.remove(branch);
                    } else {
                        let deadline = resending.deadline();
                        self.agenda.set(&who, Some(deadline));
                    }
                }
                Who::Server(key) => {
                    let refused = match self.servers.get_mut(key).map(|remembered| &mut remembered.server) {
                        Some(Server::Refused { refusal, .. }) => Some(refusal),
                        _ => None,
                    };
                    let repeats = refused.and_then(|resending| {
                        (resending.on_timeout(now, out) != Resent::GaveUp).then(|| resending.deadline())
                    });
                    match repeats {
                        Some(deadline) => self.agenda.set(&who, Some(deadline)),
                        None => self.forget(key),
                    }
                }
            }
        }
        unanswered
    }

    /// When [`on_timeout`](Self::on_timeout) is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let fading = self.fading.front().map(|(ends, _)| *ends + AT_LEISURE);
        fading.into_iter().chain(self.agenda.deadline()).min()
    }

    fn put(&mut self, key: &TransactionKey, server: Server, now: Instant) {
        if let Some(ends) = server.fades_at() {
            // For each that comes, two may go: a busy trunk needs no timer for that.
            self.fade(2, now);
            self.fading.push_back((ends, key.clone()));
        }
        let deadline = server.deadline();
        self.refused += usize::from(matches!(server, Server::Refused { .. }));
        let before = match self.servers.get_mut(key) {
            Some(remembered) => Some(std::mem::replace(&mut remembered.server, server)),
            None => self.servers.insert(key.clone(), Remembered { server, origin: None }).map(|before| before.server),
        };
        self.refused -= usize::from(matches!(before, Some(Server::Refused { .. })));
        if deadline.is_some() || before.is_some_and(|before| before.deadline().is_some()) {
            self.agenda.set(&Who::Server(key.clone()), deadline);
        }
    }

    /// Forgets what is over, so many at most.
    fn fade(&mut self, most: usize, now: Instant) {
        for _ in 0..most {
            let Some((ends, key)) = self.fading.pop_front_if(|(ends, _)| *ends <= now) else { return };
            if self.server(&key).is_some_and(|server| server.fades_at() == Some(ends)) {
                self.forget(&key);
            }
        }
    }

    fn put_client(&mut self, branch: Arc<str>, client: Client) {
        self.agenda.set(&Who::Client(branch.clone()), Some(client.deadline()));
        self.clients.insert(branch, client);
    }

    fn forget(&mut self, key: &TransactionKey) {
        let Some(Remembered { server, origin }) = self.servers.remove(key) else { return };
        self.refused -= usize::from(matches!(server, Server::Refused { .. }));
        if server.deadline().is_some() {
            self.agenda.set(&Who::Server(key.clone()), None);
        }
        if let Some(origin) = origin {
            self.origins.remove(&origin);
        }
    }
}

/// RFC 3261 17.1.1.1: an estimate of the round trip.
const T1: Duration = Duration::from_millis(500);
/// RFC 3261 17.1.2.2: the longest interval between two repetitions.
const T2: Duration = Duration::from_secs(4);
/// RFC 3261 17.1.2.2: how long a message stays in the network.
const T4: Duration = Duration::from_secs(5);
/// RFC 3261 17: nothing is repeated or remembered for longer than 64*T1.
pub(crate) const LIFETIME: Duration = Duration::from_secs(32);
/// Refusals that wait for their ACK and are repeated meanwhile, at a time. Honest ones wait for a round trip: at 50 in a
/// second and 200 ms there and back, ten do.
const MOST_REPEATED: usize = 100;
/// Requests that are remembered at a time, however few calls there may be.
const LEAST_REMEMBERED: usize = 5_000;
/// What is over is forgotten so much later if nothing else comes: many of them together, on one timer.
const AT_LEISURE: Duration = Duration::from_millis(100);
