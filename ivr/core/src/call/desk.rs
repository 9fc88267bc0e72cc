//! What a call works with: the things that all calls of an endpoint share, and the request that it acts on.

use std::time::Instant;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;

use crate::endpoint::{Counters, EndpointConfig, Outbox, Output};
use crate::sip::message::{Asked, Reply, Request};
use crate::sip::peer::Peer;
use crate::sip::resending::Sending;
use crate::sip::server_transactions::TransactionKey;
use crate::sip::transaction::Transactions;
use crate::sip::via::MAGIC_COOKIE;

/// What a call may use while it acts: everything that the calls of an endpoint share.
pub(crate) struct Desk<'a> {
    pub(crate) config: &'a EndpointConfig,
    pub(crate) transactions: &'a mut Transactions,
    pub(crate) chance: &'a mut ChaCha20Rng,
    pub(crate) counters: &'a mut Counters,
    pub(crate) now: Instant,
    pub(crate) out: &'a mut Outbox,
}

impl Desk<'_> {
    /// Sends a message.
    pub(crate) fn send(&mut self, (to, bytes): Sending) {
        self.out.push(Output::Message { to, bytes });
    }

    /// The octets of an answer, and where they go.
    pub(crate) fn written(&self, reply: &Reply, request: &Request, from: Peer, to_tag: &str) -> Sending {
        let bytes = reply.write(&Asked::of(request, from), to_tag, self.config.server.as_deref());
        (request.via.reply_to(from), bytes)
    }
}

/// Text that nobody can guess: 128 random bits as hexadecimal digits.
pub(crate) fn unguessable(chance: &mut impl Rng) -> String {
    format!("{:016x}{:016x}", chance.next_u64(), chance.next_u64())
}

/// A request of this call, where it came from, and the name of its transaction.
#[derive(Debug, Clone)]
pub(crate) struct Incoming {
    pub(crate) request: Request,
    pub(crate) from: Peer,
    pub(crate) key: TransactionKey,
}

/// The name of a new transaction of ours (RFC 3261 8.1.1.7).
pub(crate) fn branch(chance: &mut impl Rng) -> String {
    format!("{MAGIC_COOKIE}{}", unguessable(chance))
}
