//! What we keep up towards a trunk by requests of our own: a registration (RFC 3261 10) or a probe (RFC 3261 11). A
//! [`Link`] finds the servers, asks one after the other until one serves, rests, and asks again. What is asked and what
//! the answers mean is in `link/registration.rs` and `link/probe.rs`.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand_core::Rng;

use crate::call::{Desk, branch, unguessable};
use crate::endpoint::Output;
use crate::sip::client_transactions::Asker;
use crate::sip::header_lines::HeaderLine;
use crate::sip::locate::{Search, Target};
use crate::sip::message::{Method, Response, write_request};
use crate::sip::peer::{Peer, Transport};

mod probe;
mod profile;
mod registration;

use probe::Probe;
use registration::Registration;

pub use crate::sip::digest::Login;
pub use crate::sip::locate::{Naptr, NotAServer, Query, Records, ServerUri, Srv};
pub use profile::{Account, Duty, LinkKey, LinkProfile, LinkState};

/// A registration or a probe.
#[derive(Debug)]
pub(crate) struct Link {
    key: LinkKey,
    task: Task,
    stage: Stage,
    /// Of our requests.
    call_id: String,
    tag: String,
    cseq: u32,
    /// The servers that are left; the first is asked, or was the last to serve.
    servers: VecDeque<Target>,
    /// They were searched for in this attempt.
    is_fresh: bool,
    /// The server that served last.
    home: Option<Target>,
    /// The servers that failed in this attempt: those of two searches at most.
    failed: Vec<Target>,
    /// How the last of them failed.
    failure: LinkState,
    /// The longest time in this attempt for which a server wants to be left alone.
    leave_alone: Duration,
    /// Attempts in a row that failed.
    failures: u32,
    state: Option<LinkState>,
}

#[derive(Debug)]
enum Task {
    Register(Box<Registration>),
    Probe(Probe),
}

#[derive(Debug)]
enum Stage {
    /// Not begun.
    Idle,
    /// Until the next attempt.
    Resting { until: Instant },
    /// A name server is asked.
    Locating { search: Search, gives_up_at: Instant },
    /// The first of the servers is asked.
    Asking { branch: String },
    /// It is told that we go.
    Leaving { branch: String, gives_up_at: Instant },
    /// Nothing follows.
    Over,
}

/// What follows from a final response.
#[derive(Debug)]
enum Next {
    /// Ask the same server once more.
    Again,
    /// It does not serve: ask another (RFC 3263 4.3).
    Elsewhere { state: LinkState, leave_alone: Duration },
    /// All is well until then.
    Well { state: LinkState, rest: Duration },
    /// No other server would say otherwise.
    Failed { state: LinkState, leave_alone: Duration },
}

impl Link {
    /// A link that is not begun.
    pub(crate) fn new(key: LinkKey, profile: &LinkProfile) -> Self {
        let task = match &profile.duty {
            Duty::Register(account) => Task::Register(Box::new(Registration::new(account))),
            Duty::Probe => Task::Probe(Probe),
        };
        Self {
            key,
            task,
            stage: Stage::Idle,
            call_id: String::new(),
            tag: String::new(),
            cseq: 0,
            servers: VecDeque::new(),
            is_fresh: false,
            home: None,
            failed: Vec::new(),
            failure: LinkState::Unreachable,
            leave_alone: Duration::ZERO,
            failures: 0,
            state: None,
        }
    }

    /// Nothing follows.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// When [`on_timeout`](Self::on_timeout) is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Resting { until } => Some(*until),
            Stage::Locating { gives_up_at, .. } | Stage::Leaving { gives_up_at, .. } => Some(*gives_up_at),
            // The transaction has a deadline.
            Stage::Asking { .. } | Stage::Idle | Stage::Over => None,
        }
    }

    /// The socket is there.
    pub(crate) fn begin(&mut self, desk: &mut Desk<'_>) {
        if matches!(self.stage, Stage::Idle) {
            self.attempt(desk);
        }
    }

    /// A deadline passed.
    pub(crate) fn on_timeout(&mut self, desk: &mut Desk<'_>) {
        match &self.stage {
            Stage::Resting { until } if desk.now >= *until => self.attempt(desk),
            Stage::Locating { gives_up_at, .. } if desk.now >= *gives_up_at => {
                // What was found in time may do.
                let before = std::mem::replace(&mut self.stage, Stage::Idle);
                let Stage::Locating { search, .. } = before else { return };
                self.on_located(&search.into_targets(), desk);
            }
            Stage::Leaving { branch, gives_up_at } if desk.now >= *gives_up_at => {
                desk.transactions.clients.abandon(branch);
                self.end(desk);
            }
            _ => {}
        }
    }

    /// A name server answered, or did not.
    pub(crate) fn on_records(&mut self, query: &Query, records: Records, desk: &mut Desk<'_>) {
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            // Not the answer of an earlier search.
            Stage::Locating { mut search, .. } if search.query().as_ref() == Some(query) => {
                search.on_records(records, desk.chance);
                self.search_on(search, desk);
            }
            unmoved => self.stage = unmoved,
        }
    }

    /// A final response to our request.
    pub(crate) fn on_response(&mut self, response: &Response, desk: &mut Desk<'_>) {
        let next = match &mut self.task {
            Task::Register(registration) => registration.on_response(response, desk.now, desk.chance),
            Task::Probe(_) => Probe::on_response(response, desk.chance),
        };
        match (next, &self.stage) {
            (Next::Again, Stage::Leaving { gives_up_at, .. }) => self.send_farewell(*gives_up_at, desk),
            (_, Stage::Leaving { .. }) => self.end(desk),
            (Next::Again, _) => self.ask(desk),
            (Next::Elsewhere { state, leave_alone }, _) => self.ask_another(state, leave_alone, desk),
            (Next::Well { state, rest }, _) => {
                self.failures = 0;
                self.home = self.servers.front().copied();
                self.rest(state, rest, desk);
            }
            (Next::Failed { state, leave_alone }, _) => self.fail(state, leave_alone, desk),
        }
    }

    /// Nobody answers our request.
    pub(crate) fn on_no_response(&mut self, desk: &mut Desk<'_>) {
        match self.stage {
            Stage::Leaving { .. } => self.end(desk),
            _ => self.ask_another(LinkState::Unreachable, Duration::ZERO, desk),
        }
    }

    /// The service shuts down: calls shall come here no more. A registrar that does not answer is not waited for long.
    pub(crate) fn leave(&mut self, desk: &mut Desk<'_>) {
        let may_be_bound = match (&self.task, &self.stage) {
            (_, Stage::Leaving { .. } | Stage::Over) => return,
            (Task::Register(_), Stage::Asking { .. }) => true,
            (Task::Register(registration), _) => registration.is_bound(desk.now),
            (Task::Probe(_), _) => false,
        };
        if let Stage::Asking { branch } = &self.stage {
            desk.transactions.clients.abandon(branch);
        }
        if self.servers.is_empty() {
            self.servers.extend(self.home);
        }
        if may_be_bound && !self.servers.is_empty() {
            self.begin_attempt();
            self.send_farewell(desk.now + LONGEST_FAREWELL, desk);
        } else {
            self.end(desk);
        }
    }

    /// The same, without waiting for anything.
    pub(crate) fn leave_at_once(&mut self, desk: &mut Desk<'_>) {
        self.leave(desk);
        if let Stage::Leaving { branch, .. } = &self.stage {
            desk.transactions.clients.abandon(branch);
            self.end(desk);
        }
    }

    fn end(&mut self, desk: &mut Desk<'_>) {
        self.stage = Stage::Over;
        self.say(LinkState::Ended, desk);
    }

    fn begin_attempt(&mut self) {
        (self.is_fresh, self.leave_alone) = (false, Duration::ZERO);
        self.failed.clear();
        if let Task::Register(registration) = &mut self.task {
            registration.begin_attempt();
        }
    }

    /// Asks the server that served last, else whoever there is.
    fn attempt(&mut self, desk: &mut Desk<'_>) {
        self.begin_attempt();
        // RFC 3261 8.1.1.4 and 10.2: registrations share a Call-ID, other requests outside of dialogs do not.
        if self.call_id.is_empty() || matches!(self.task, Task::Probe(_)) {
            (self.call_id, self.tag) = (unguessable(desk.chance), unguessable(desk.chance));
        }
        if self.servers.is_empty() { self.locate(desk) } else { self.ask(desk) }
    }

    fn locate(&mut self, desk: &mut Desk<'_>) {
        let LinkProfile { server, trunk, .. } = &desk.config.links[self.key.0];
        // Whom we would not know by its certificate, we do not tell who we are.
        let is_known = desk.config.policy.trunk(*trunk).shows_certificate;
        let transports = if is_known { &SPOKEN[..] } else { &SPOKEN[..2] };
        self.search_on(Search::new(server, transports, desk.config.addresses), desk);
    }

    fn search_on(&mut self, search: Search, desk: &mut Desk<'_>) {
        match search.query() {
            Some(query) => {
                desk.out.push(Output::Locate(self.key, query));
                self.stage = Stage::Locating { search, gives_up_at: desk.now + LONGEST_LOOKUP };
            }
            None => self.on_located(&search.into_targets(), desk),
        }
    }

    fn on_located(&mut self, found: &[Target], desk: &mut Desk<'_>) {
        self.is_fresh = true;
        // Who has just failed is not asked again at once.
        self.servers = found.iter().copied().filter(|server| !self.failed.contains(server)).collect();
        match (self.servers.is_empty(), found.is_empty()) {
            (false, _) => self.ask(desk),
            (true, true) => self.fail(LinkState::NotFound, self.leave_alone, desk),
            (true, false) => self.fail(self.failure, self.leave_alone, desk),
        }
    }

    /// The server failed: the next one, else those of a new search, else later.
    fn ask_another(&mut self, state: LinkState, leave_alone: Duration, desk: &mut Desk<'_>) {
        (self.failure, self.leave_alone) = (state, self.leave_alone.max(leave_alone));
        self.failed.extend(self.servers.pop_front());
        if let Task::Register(registration) = &mut self.task {
            registration.move_on();
        }
        match (self.servers.is_empty(), self.is_fresh) {
            (false, _) => self.ask(desk),
            (true, false) => self.locate(desk),
            (true, true) => self.fail(state, self.leave_alone, desk),
        }
    }

    fn fail(&mut self, state: LinkState, leave_alone: Duration, desk: &mut Desk<'_>) {
        self.failures += 1;
        let rest = match self.task {
            Task::Register(_) => back_off(self.failures, desk.chance),
            Task::Probe(_) => probe::interval(desk.chance),
        };
        self.rest(state, rest.max(leave_alone), desk);
    }

    fn rest(&mut self, state: LinkState, rest: Duration, desk: &mut Desk<'_>) {
        self.stage = Stage::Resting { until: desk.now + rest };
        self.say(state, desk);
    }

    /// Says how the link stands, unless that was said before. A registration is said each time, because it lasts longer.
    fn say(&mut self, state: LinkState, desk: &mut Desk<'_>) {
        if self.state != Some(state) || matches!(state, LinkState::Registered { .. }) {
            self.state = Some(state);
            desk.out.push(Output::Link(self.key, state));
        }
    }

    fn ask(&mut self, desk: &mut Desk<'_>) {
        if let Some(branch) = self.send(Wish::Stay, desk) {
            self.stage = Stage::Asking { branch };
        }
    }

    fn send_farewell(&mut self, gives_up_at: Instant, desk: &mut Desk<'_>) {
        if let Some(branch) = self.send(Wish::Leave, desk) {
            self.stage = Stage::Leaving { branch, gives_up_at };
        }
    }

    /// Sends the request to the first server. Gives its branch.
    fn send(&mut self, wish: Wish, desk: &mut Desk<'_>) -> Option<String> {
        let Target { address, transport } = *self.servers.front()?;
        let profile = &desk.config.links[self.key.0];
        let certified = (transport == Transport::Tls).then_some(profile.trunk);
        let to = Peer { address, transport, flow: None, certified };
        let (us, uri) = (Us { host: desk.config.addresses.towards(&to), transport }, profile.server.to_string());
        self.cseq += 1;
        let (cseq, branch) = (self.cseq, branch(desk.chance));
        let (method, from, to_uri, more) = match (&mut self.task, &profile.duty) {
            (Task::Register(registration), Duty::Register(account)) => {
                let address = format!("<sip:{}@{}>", account.user.expose(), profile.server.host());
                (Method::Register, address.clone(), address, registration.lines(account, &uri, us, wish))
            }
            _ => (Method::Options, format!("<{}>", us.uri("")), format!("<{uri}>"), Probe::lines(us)),
        };
        let mut lines = vec![
            HeaderLine::new("Via", format!("SIP/2.0/{} {};branch={branch};rport", transport.name(), us.host)),
            HeaderLine::new("Max-Forwards", "70"),
            HeaderLine::new("From", format!("{from};tag={}", self.tag)),
            HeaderLine::new("To", to_uri),
            HeaderLine::new("Call-ID", self.call_id.as_str()),
            HeaderLine::new("CSeq", format!("{cseq} {method}")),
        ];
        lines.extend(more);
        let sending = (to, write_request(method, &uri, &lines, b"", desk.config.server.as_deref()));
        desk.transactions.clients.send(&branch, Asker::Link(self.key), method, sending.clone(), desk.now);
        desk.send(sending);
        Some(branch)
    }
}

/// Where the server reaches us.
#[derive(Debug, Clone, Copy)]
struct Us {
    host: SocketAddr,
    transport: Transport,
}

impl Us {
    /// As a URI; `user` ends with `@`, or is empty.
    fn uri(self, user: &str) -> String {
        match self.transport {
            Transport::Udp => format!("sip:{user}{}", self.host),
            Transport::Tcp => format!("sip:{user}{};transport=tcp", self.host),
            // As in the Contact of a dialog.
            Transport::Tls => format!("sip:{user}{};transport=tls", self.host),
        }
    }
}

/// What a registration says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Stay,
    Leave,
}

/// For how long the server wants to be left alone (RFC 3261 20.33).
fn retry_after(response: &Response) -> Duration {
    let value = response.lines.value("Retry-After").unwrap_or_default();
    let digits = value.trim_start().split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    // Beyond what a number holds it is more than a day, too.
    let seconds = if digits.is_empty() { 0 } else { digits.parse().unwrap_or(u64::MAX) };
    Duration::from_secs(seconds).min(LONGEST_LEFT_ALONE)
}

/// The wait after so many failures in a row (RFC 5626 4.5).
fn back_off(failures: u32, chance: &mut impl Rng) -> Duration {
    let longest = SHORTEST_BACK_OFF.saturating_mul(2_u32.saturating_pow(failures)).min(LONGEST_BACK_OFF);
    between(longest / 2, longest, chance)
}

/// A time in this range, each as likely as the other.
fn between(shortest: Duration, longest: Duration, chance: &mut impl Rng) -> Duration {
    shortest + (longest - shortest).mul_f64(f64::from(chance.next_u32()) / f64::from(u32::MAX))
}

/// The transports of links, the preferred first; the last for servers whose certificate we would know.
const SPOKEN: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::Tls];
/// RFC 5626 4.5, base-time where no server serves.
const SHORTEST_BACK_OFF: Duration = Duration::from_secs(30);
/// RFC 5626 4.5, max-time.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(1_800);
/// A Retry-After is obeyed so far: a slip of one server must not end the trunk for good.
const LONGEST_LEFT_ALONE: Duration = Duration::from_secs(24 * 3_600);
/// A name server that takes longer has no answer.
const LONGEST_LOOKUP: Duration = Duration::from_secs(20);
/// A shutdown waits for the registrar no longer.
const LONGEST_FAREWELL: Duration = Duration::from_secs(5);
