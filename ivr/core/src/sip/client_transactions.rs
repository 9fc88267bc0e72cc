//! Client transactions (RFC 3261 17.1): requests of ours, sent again until they are answered.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::agenda::Agenda;
use super::message::{Method, Response};
use super::peer::Peer;
use super::resending::{LIFETIME, Resending, Resent, Sending};
use crate::link::LinkKey;
use crate::media::CallKey;

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

/// All of them, by branch.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    asked: HashMap<Arc<str>, Client>,
    agenda: Agenda<Arc<str>>,
}

impl Clients {
    /// How many wait for their answer, or for its repetitions.
    pub(crate) fn count(&self) -> usize {
        self.asked.len()
    }

    /// Sends a request of ours, until it is answered.
    pub(crate) fn send(&mut self, branch: &str, asker: Asker, method: Method, sending: Sending, now: Instant) {
        let (to, bytes) = sending;
        let resending = Resending::hop(to, bytes, now);
        let resending = if method == Method::Invite { resending.doubling() } else { resending };
        self.put(branch.into(), Client::Waiting { asker, method, resending });
    }

    /// Nobody waits for the answer to this request of ours any more.
    pub(crate) fn abandon(&mut self, branch: &str) {
        self.asked.remove(branch);
        self.agenda.set(&branch.into(), None);
    }

    /// Whose request this answers, if one waits for it.
    pub(crate) fn asker_of(&self, response: &Response) -> Option<Asker> {
        match self.asked.get(response.branch.as_str()) {
            Some(Client::Waiting { asker, .. }) => Some(*asker),
            _ => None,
        }
    }

    /// Our INVITE got its final response, and this is the ACK.
    pub(crate) fn acknowledged(&mut self, branch: &str, ack: Sending, now: Instant) {
        self.put(branch.into(), Client::Acknowledged { ack, ends: now + LIFETIME });
    }

    /// A response came.
    pub(crate) fn on_response(&mut self, response: &Response, now: Instant) -> Heard {
        let branch = response.branch.as_str();
        match self.asked.get_mut(branch) {
            Some(Client::Waiting { method, resending, .. }) if *method == response.method && response.status < 200 => {
                resending.slow_down(now);
                let deadline = resending.deadline();
                self.agenda.set(&branch.into(), Some(deadline));
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
        for (branch, client) in &self.asked {
            if let Client::Waiting { asker, method, resending } = client
                && is_there(&resending.to())
            {
                given_up.push((branch.clone(), *asker, *method));
            }
        }
        // What happens must not depend on the order in a map.
        given_up.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        for (branch, ..) in &given_up {
            self.asked.remove(branch);
            self.agenda.set(branch, None);
        }
        given_up.into_iter().map(|(_, asker, method)| (asker, method)).collect()
    }

    /// Sends again what is due. Returns whose request was never answered, and which that was.
    pub(crate) fn on_timeout(&mut self, now: Instant, out: &mut Vec<Sending>) -> Vec<(Asker, Method)> {
        let mut unanswered = Vec::new();
        while let Some(branch) = self.agenda.pop_due(now) {
            let Some(Client::Waiting { asker, method, resending }) = self.asked.get_mut(&branch) else {
                self.asked.remove(&branch);
                continue;
            };
            if resending.on_timeout(now, out) == Resent::GaveUp {
                unanswered.push((*asker, *method));
                self.asked.remove(&branch);
            } else {
                let deadline = resending.deadline();
                self.agenda.set(&branch, Some(deadline));
            }
        }
        unanswered
    }

    /// When [`on_timeout`](Self::on_timeout) is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.agenda.deadline()
    }

    fn put(&mut self, branch: Arc<str>, client: Client) {
        self.agenda.set(&branch, Some(client.deadline()));
        self.asked.insert(branch, client);
    }
}
