//! Server transactions (RFC 3261 17.2, with the Accepted state of RFC 6026): the requests that came, and what each got,
//! should it come again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::agenda::Agenda;
use super::message::{Method, Reply, Request};
use super::resending::{LIFETIME, Resending, Resent, Sending, T4};
use super::steady_map::SteadyMap;
use crate::caller::TrunkIndex;
use crate::media::CallKey;

/// Names a server transaction (RFC 3261 17.2.3), and the trunk it belongs to: nobody else can touch it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TransactionKey(Arc<str>);

impl TransactionKey {
    /// The transaction of a request; of an ACK, the INVITE's.
    pub(crate) fn of(request: &Request, trunk: TrunkIndex) -> Self {
        let method = if request.method == Method::Ack { Method::Invite } else { request.method };
        Self::named(method, request, trunk)
    }

    /// The transaction that a CANCEL means (RFC 3261 9.2).
    pub(crate) fn cancelled_by(request: &Request, trunk: TrunkIndex) -> Self {
        Self::named(Method::Invite, request, trunk)
    }

    fn named(method: Method, request: &Request, TrunkIndex(trunk): TrunkIndex) -> Self {
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

/// All of them. In boxes, because a busy table has many empty places, and takes half a moment to grow.
#[derive(Debug)]
pub(crate) struct Servers {
    remembered: SteadyMap<TransactionKey, Box<Remembered>>,
    /// How many of them repeat a refusal: at most [`MOST_REPEATED`].
    refused: usize,
    /// The others that only wait to be forgotten, the first of them first; some are in another state by now.
    fading: VecDeque<(Instant, TransactionKey)>,
    /// When so many are remembered, further refusals and answers are not; the INVITEs of calls always are.
    most_remembered: usize,
    /// Of INVITEs that opened a dialog: another transaction with the same is one request that came on two ways
    /// (RFC 3261 8.2.2.2).
    origins: SteadyMap<Origin, ()>,
    agenda: Agenda<TransactionKey>,
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

impl Servers {
    /// None yet. `calls_per_second`: how many calls may begin over all trunks together.
    pub(crate) fn new(calls_per_second: u64) -> Self {
        // The INVITE of each call, its BYE, and a few other requests.
        let of_calls = usize::try_from(calls_per_second.saturating_mul(3 * LIFETIME.as_secs())).unwrap_or(usize::MAX);
        Self {
            remembered: SteadyMap::default(),
            refused: 0,
            fading: VecDeque::new(),
            most_remembered: of_calls.max(LEAST_REMEMBERED),
            origins: SteadyMap::default(),
            agenda: Agenda::default(),
        }
    }

    /// How many requests are remembered or wait for their answer.
    pub(crate) fn count(&self) -> usize {
        self.remembered.len()
    }

    /// Was this request heard before?
    pub(crate) fn repetition(&self, key: &TransactionKey) -> Repetition {
        match self.server(key) {
            None => Repetition::New,
            Some(Server::Proceeding { provisional, .. }) => Repetition::Again(provisional.as_ref().clone()),
            Some(Server::Refused { refusal, .. }) => Repetition::Again(refusal.sending()),
            Some(Server::Unrepeated { refusal, .. }) => Repetition::Again(refusal.as_ref().clone()),
            Some(Server::Answered { answer, .. }) => Repetition::Anew(answer.0.clone(), answer.1.clone()),
            Some(Server::Accepted { .. } | Server::Acknowledged { .. }) => Repetition::Absorbed,
        }
    }

    fn server(&self, key: &TransactionKey) -> Option<&Server> {
        self.remembered.get(key).map(|remembered| &remembered.server)
    }

    /// Did this new INVITE come before, on another way?
    pub(crate) fn is_merged(&self, request: &Request) -> bool {
        self.origins.contains(&Origin::of(request))
    }

    /// An INVITE asks for a new call, which has its own deadline until it answers.
    pub(crate) fn open(&mut self, key: &TransactionKey, request: &Request, call: CallKey, provisional: Sending) {
        let origin = Origin::of(request);
        self.origins.insert(origin.clone(), ());
        let server = Server::Proceeding { call, provisional: Box::new(provisional) };
        self.remembered.insert(key.clone(), Remembered { server, origin: Some(origin) }.into());
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

    /// An INVITE got any other final response with this tag of ours. If too many wait for their ACK, it is not repeated of
    /// itself: they were sent in somebody else's name, who would get it a dozen times. If there are too many to remember,
    /// a repetition of the INVITE is refused anew.
    pub(crate) fn refuse(&mut self, key: &TransactionKey, to_tag: &str, (to, bytes): Sending, now: Instant) {
        if self.remembered.len() > self.most_remembered {
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
        if self.remembered.len() < self.most_remembered {
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

    /// Sends again what is due and forgets what is over.
    pub(crate) fn on_timeout(&mut self, now: Instant, out: &mut Vec<Sending>) {
        self.fade(usize::MAX, now);
        while let Some(key) = self.agenda.pop_due(now) {
            let refusal = match self.remembered.get_mut(&key).map(|remembered| &mut remembered.server) {
                Some(Server::Refused { refusal, .. }) => Some(refusal),
                _ => None,
            };
            let repeats = refusal
                .and_then(|resending| (resending.on_timeout(now, out) != Resent::GaveUp).then(|| resending.deadline()));
            match repeats {
                Some(deadline) => self.agenda.set(&key, Some(deadline)),
                None => self.forget(&key),
            }
        }
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
        let before = match self.remembered.get_mut(key) {
            Some(remembered) => Some(std::mem::replace(&mut remembered.server, server)),
            None => {
                self.remembered.insert(key.clone(), Remembered { server, origin: None }.into());
                None
            }
        };
        self.refused -= usize::from(matches!(before, Some(Server::Refused { .. })));
        if deadline.is_some() || before.is_some_and(|before| before.deadline().is_some()) {
            self.agenda.set(key, deadline);
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

    fn forget(&mut self, key: &TransactionKey) {
        let Some(remembered) = self.remembered.remove(key) else { return };
        let Remembered { server, origin } = *remembered;
        self.refused -= usize::from(matches!(server, Server::Refused { .. }));
        if server.deadline().is_some() {
            self.agenda.set(key, None);
        }
        if let Some(origin) = origin {
            self.origins.remove(&origin);
        }
    }
}

/// Refusals that wait for their ACK and are repeated meanwhile, at a time. Honest ones wait for a round trip: at 50 in a
/// second and 200 ms there and back, ten do.
const MOST_REPEATED: usize = 100;
/// Requests that are remembered at a time, however few calls there may be.
const LEAST_REMEMBERED: usize = 5_000;
/// What is over is forgotten so much later if nothing else comes: many of them together, on one timer.
const AT_LEISURE: Duration = Duration::from_millis(100);
