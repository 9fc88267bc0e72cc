//! One outgoing call in SIP over UDP, without sockets and clock: messages in, messages and deadlines out
//! (RFC 3261 17.1 and 12.2, the caller's side).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::message::{Message, Start, parameter};
use super::sdp::{self, Agreed};

/// RFC 3261 17.1.1.1: the round-trip estimate, the longest pause between repetitions, and the end of patience.
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
const TIMER_B: Duration = Duration::from_secs(32);
/// How long it may ring, and how long a CANCEL may take.
const RINGING: Duration = Duration::from_secs(60);

/// Who calls whom, and how it is written.
#[derive(Debug, Clone)]
pub(super) struct Invitation {
    /// The Request-URI.
    pub(super) target: String,
    /// The From and To without tags, as whole name-addrs.
    pub(super) from: String,
    pub(super) to: String,
    /// P-Asserted-Identity, Privacy, Diversion and whatever else is sent in the INVITE.
    pub(super) headers: Vec<(String, String)>,
    /// Our own address.
    pub(super) local: SocketAddr,
    /// The SDP.
    pub(super) offer: String,
    /// Call-ID, From tag and the beginning of all branches.
    pub(super) call_id: String,
    pub(super) tag: String,
}

/// What became of the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Signal {
    /// A provisional response.
    Progress(u16),
    /// 200, acknowledged.
    Answered(Agreed),
    /// A final refusal: status and reason phrase.
    Refused(u16, String),
    /// The other side sent a BYE.
    HungUp,
    /// Our BYE (or our CANCEL) is done.
    Over,
    /// No answer in time, or one that cannot be used.
    Failed(&'static str),
}

#[derive(Debug)]
pub(super) struct Dialog {
    invitation: Invitation,
    cseq: u32,
    /// Hang up as soon as the state allows it.
    leaving: bool,
    state: State,
}

/// Makes the branches differ. An INVITE, its CANCEL and the ACK of its refusal are one (RFC 3261 9.1, 17.1.1.3).
#[derive(Debug, Clone, Copy)]
enum Transaction {
    Invite,
    Ack,
    Bye,
}

#[derive(Debug)]
enum State {
    /// The INVITE is being repeated.
    Calling(Repeat),
    /// A provisional response came; the CANCEL, if we want none of it any more.
    Ringing { cancel: Option<Repeat>, until: Instant },
    /// The call stands. The ACK is repeated whenever the 200 is.
    Up { remote: Remote, ack: Vec<u8> },
    /// Our BYE is being repeated.
    Leaving { ack: Vec<u8>, bye: Repeat },
    /// Nothing is waited for. A repeated final response is acknowledged again.
    Over { ack: Option<Vec<u8>> },
}

/// The other side of the dialog.
#[derive(Debug, Clone)]
struct Remote {
    to: String,
    target: String,
    routes: Vec<String>,
}

/// RFC 3261 17.1.1.2, 17.1.2.2: a request over UDP is repeated at T1, doubling, until it is answered.
#[derive(Debug)]
struct Repeat {
    bytes: Vec<u8>,
    pause: Duration,
    longest: Duration,
    next: Instant,
    until: Instant,
}

impl Repeat {
    fn new(bytes: Vec<u8>, longest: Duration, now: Instant, out: &mut Vec<Vec<u8>>) -> Self {
        out.push(bytes.clone());
        Self { bytes, pause: T1, longest, next: now + T1, until: now + TIMER_B }
    }

    fn deadline(&self) -> Instant {
        self.next.min(self.until)
    }

    /// Repeats if it is time; false when patience is over.
    fn timeout(&mut self, now: Instant, out: &mut Vec<Vec<u8>>) -> bool {
        if now >= self.next && now < self.until {
            out.push(self.bytes.clone());
            self.pause = (self.pause * 2).min(self.longest);
            self.next = now + self.pause;
        }
        now < self.until
    }
}

impl Dialog {
    pub(super) fn invite(invitation: Invitation, now: Instant, out: &mut Vec<Vec<u8>>) -> Self {
        let mut dialog = Self { invitation, cseq: 1, leaving: false, state: State::Over { ack: None } };
        let Invitation { target, headers, offer, .. } = &dialog.invitation;
        let mut invite = dialog.request("INVITE", Transaction::Invite, target, &dialog.invitation.to, &[]);
        for (name, value) in headers {
            invite = invite.with(name, value);
        }
        let invite = invite
            .with("Contact", dialog.contact())
            .with("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS")
            .with_body("application/sdp", offer.clone());
        dialog.state = State::Calling(Repeat::new(invite.to_bytes(), TIMER_B, now, out));
        dialog
    }

    /// Hangs up: CANCEL or BYE, whichever the state asks for.
    pub(super) fn hang_up(&mut self, now: Instant, out: &mut Vec<Vec<u8>>) {
        self.leaving = true;
        match &self.state {
            // RFC 3261 9.1: no CANCEL before a provisional response.
            State::Calling(_) => {}
            State::Ringing { cancel: None, .. } => self.cancel(now, out),
            State::Up { remote, ack } => {
                let (remote, ack) = (remote.clone(), ack.clone());
                self.bye(remote, ack, now, out);
            }
            State::Ringing { .. } | State::Leaving { .. } | State::Over { .. } => {}
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over { .. })
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Calling(repeat) | State::Leaving { bye: repeat, .. } => Some(repeat.deadline()),
            State::Ringing { cancel: Some(cancel), .. } => Some(cancel.deadline()),
            State::Ringing { cancel: None, until } => Some(*until),
            State::Up { .. } | State::Over { .. } => None,
        }
    }

    pub(super) fn timeout(&mut self, now: Instant, out: &mut Vec<Vec<u8>>) -> Option<Signal> {
        let (goes_on, failure) = match &mut self.state {
            State::Calling(invite) => (invite.timeout(now, out), "no answer to the INVITE"),
            State::Leaving { bye, .. } => (bye.timeout(now, out), "no answer to the BYE"),
            State::Ringing { cancel: Some(cancel), .. } => (cancel.timeout(now, out), "no answer to the CANCEL"),
            State::Ringing { cancel: None, until } => (now < *until, "no final answer to the INVITE"),
            State::Up { .. } | State::Over { .. } => (true, ""),
        };
        if goes_on {
            return None;
        }
        self.state = State::Over { ack: None };
        Some(Signal::Failed(failure))
    }

    /// Takes a datagram; what is not of this call is dropped.
    pub(super) fn receive(&mut self, bytes: &[u8], now: Instant, out: &mut Vec<Vec<u8>>) -> Option<Signal> {
        let message = Message::parse(bytes)?;
        if message.header("Call-ID") != Some(self.invitation.call_id.as_str()) {
            return None;
        }
        match message.start.clone() {
            Start::Request { method, .. } => self.asked(&method, &message, out),
            // RFC 3261 17.1.3: what answers none of our transactions is not for us.
            Start::Response { .. } if !message.branch()?.starts_with(&self.branch("")) => None,
            Start::Response { status, reason } => match message.method()? {
                "INVITE" => self.invite_answered(status, reason, &message, now, out),
                "BYE" => self.bye_answered(status),
                "CANCEL" => {
                    // RFC 3261 9.1: now the INVITE's 487 is waited for, without more repetitions.
                    if let State::Ringing { cancel: Some(cancel), .. } = &mut self.state {
                        cancel.next = cancel.until;
                    }
                    None
                }
                _ => None,
            },
        }
    }

    fn invite_answered(
        &mut self,
        status: u16,
        reason: String,
        response: &Message,
        now: Instant,
        out: &mut Vec<Vec<u8>>,
    ) -> Option<Signal> {
        match (&self.state, status) {
            (State::Calling(_), 100..200) => {
                self.state = State::Ringing { cancel: None, until: now + RINGING };
                if self.leaving {
                    self.cancel(now, out);
                }
                Some(Signal::Progress(status))
            }
            (State::Ringing { .. }, 100..200) => Some(Signal::Progress(status)),
            (State::Calling(_) | State::Ringing { .. }, 200..300) => self.accepted(response, now, out),
            (State::Calling(_) | State::Ringing { .. }, 300..) => {
                let ack = self.ack_of_refusal(response);
                out.push(ack.clone());
                self.state = State::Over { ack: Some(ack) };
                Some(if self.leaving { Signal::Over } else { Signal::Refused(status, reason) })
            }
            // RFC 3261 13.2.2.4, 17.1.1.2: a repeated final response is acknowledged each time.
            (State::Up { ack, .. } | State::Leaving { ack, .. } | State::Over { ack: Some(ack) }, 200..) => {
                out.push(ack.clone());
                None
            }
            _ => None,
        }
    }

    fn accepted(&mut self, response: &Message, now: Instant, out: &mut Vec<Vec<u8>>) -> Option<Signal> {
        let to = response.header("To").filter(|to| parameter(to, "tag").is_some());
        let (Some(to), Some(target)) = (to, response.contact()) else {
            self.state = State::Over { ack: None };
            return Some(Signal::Failed("a 200 without To tag or Contact"));
        };
        let routes: Vec<String> = response.all("Record-Route").map(str::to_owned).collect();
        let remote =
            Remote { to: to.to_owned(), target: target.to_owned(), routes: routes.into_iter().rev().collect() };
        let ack = self.request("ACK", Transaction::Ack, &remote.target, &remote.to, &remote.routes).to_bytes();
        out.push(ack.clone());
        let agreed = sdp::agreed(&response.body);
        if self.leaving || agreed.is_none() {
            self.bye(remote, ack, now, out);
            return (!self.leaving).then_some(Signal::Failed("a 200 whose SDP does not answer our offer"));
        }
        self.state = State::Up { remote, ack };
        agreed.map(Signal::Answered)
    }

    fn bye_answered(&mut self, status: u16) -> Option<Signal> {
        match &self.state {
            // 481: the other side hung up at the same time.
            State::Leaving { ack, .. } if status >= 200 => {
                self.state = State::Over { ack: Some(ack.clone()) };
                Some(Signal::Over)
            }
            _ => None,
        }
    }

    fn asked(&mut self, method: &str, request: &Message, out: &mut Vec<Vec<u8>>) -> Option<Signal> {
        let respond = |status, reason| Message::response(status, reason, request).to_bytes();
        match (method, &self.state) {
            ("ACK", _) => None,
            ("BYE", State::Up { ack, .. } | State::Leaving { ack, .. }) => {
                out.push(respond(200, "OK"));
                self.state = State::Over { ack: Some(ack.clone()) };
                // Both hung up at once: it was our wish too.
                Some(if self.leaving { Signal::Over } else { Signal::HungUp })
            }
            ("BYE", State::Over { .. }) | ("OPTIONS", _) => {
                out.push(respond(200, "OK"));
                None
            }
            ("INVITE", _) => {
                out.push(respond(488, "Not Acceptable Here"));
                None
            }
            _ => {
                out.push(respond(501, "Not Implemented"));
                None
            }
        }
    }

    fn bye(&mut self, remote: Remote, ack: Vec<u8>, now: Instant, out: &mut Vec<Vec<u8>>) {
        self.cseq += 1;
        let bye = self.request("BYE", Transaction::Bye, &remote.target, &remote.to, &remote.routes);
        self.state = State::Leaving { ack, bye: Repeat::new(bye.to_bytes(), T2, now, out) };
    }

    fn cancel(&mut self, now: Instant, out: &mut Vec<Vec<u8>>) {
        let cancel = self.request("CANCEL", Transaction::Invite, &self.invitation.target, &self.invitation.to, &[]);
        let cancel = Repeat::new(cancel.to_bytes(), T2, now, out);
        self.state = State::Ringing { cancel: Some(cancel), until: now + TIMER_B };
    }

    /// RFC 3261 17.1.1.3: of the INVITE's own transaction, with the To of the response.
    fn ack_of_refusal(&self, response: &Message) -> Vec<u8> {
        let to = response.header("To").unwrap_or(&self.invitation.to);
        self.request("ACK", Transaction::Invite, &self.invitation.target, to, &[]).to_bytes()
    }

    fn request(&self, method: &str, transaction: Transaction, uri: &str, to: &str, routes: &[String]) -> Message {
        let Invitation { from, call_id, tag, local, .. } = &self.invitation;
        let mut request = Message::request(method, uri)
            .with("Via", format!("SIP/2.0/UDP {local};rport;branch={}", self.branch(&format!("{transaction:?}"))))
            .with("Max-Forwards", "70");
        for route in routes {
            request = request.with("Route", route);
        }
        request
            .with("From", format!("{from};tag={tag}"))
            .with("To", to)
            .with("Call-ID", call_id)
            .with("CSeq", format!("{} {method}", self.cseq))
            .with("User-Agent", "dialproof-phone")
    }

    fn branch(&self, transaction: &str) -> String {
        format!("z9hG4bK-{}-{transaction}", self.invitation.tag)
    }

    fn contact(&self) -> String {
        format!("<sip:phone@{}>", self.invitation.local)
    }
}

#[cfg(test)]
mod tests;
