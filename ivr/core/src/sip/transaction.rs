//! Transactions (RFC 3261 17): of those who ask us, and of those whom we ask.

use std::time::Instant;

use super::client_transactions::{Asker, Clients};
use super::message::Method;
use super::resending::Sending;
use super::server_transactions::Servers;

/// All transactions of the endpoint.
#[derive(Debug)]
pub(crate) struct Transactions {
    /// Requests that came.
    pub(crate) servers: Servers,
    /// Requests of ours.
    pub(crate) clients: Clients,
}

impl Transactions {
    /// None yet. `calls_per_second`: how many calls may begin over all trunks together.
    pub(crate) fn new(calls_per_second: u64) -> Self {
        Self { servers: Servers::new(calls_per_second), clients: Clients::default() }
    }

    /// How many requests are remembered or wait for their answer.
    pub(crate) fn count(&self) -> usize {
        self.servers.count() + self.clients.count()
    }

    /// Sends again what is due and forgets what is over. Returns whose request was never answered, and which that
    /// was.
    pub(crate) fn on_timeout(&mut self, now: Instant, out: &mut Vec<Sending>) -> Vec<(Asker, Method)> {
        self.servers.on_timeout(now, out);
        self.clients.on_timeout(now, out)
    }

    /// When [`on_timeout`](Self::on_timeout) is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.servers.deadline().into_iter().chain(self.clients.deadline()).min()
    }
}
