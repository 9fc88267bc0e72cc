//! How the service stands with its trunks: what the endpoint says of its links, with the time, for `/metrics` and the log.

use ivr_core::caller::TrunkIndex;
use ivr_core::link::{Duty, LinkKey, LinkProfile, LinkState};
use time::{Duration, OffsetDateTime};
use tokio::sync::watch;

/// How one link stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkStatus {
    /// The trunk's name.
    pub trunk: String,
    /// `register` or `probe`.
    pub duty: &'static str,
    /// What is known; nothing before the first answer.
    pub state: Option<LinkState>,
    /// Since when; for a registration, when it was granted last.
    pub since: OffsetDateTime,
}

impl LinkStatus {
    /// Does the registration last, does the server answer?
    pub fn is_up(&self, now: OffsetDateTime) -> bool {
        match self.state {
            Some(LinkState::Registered { .. }) => self.registered_until().is_some_and(|until| now < until),
            Some(LinkState::Reachable) => true,
            _ => false,
        }
    }

    /// When the registration ends, if nothing follows.
    pub fn registered_until(&self) -> Option<OffsetDateTime> {
        match self.state {
            Some(LinkState::Registered { lasts }) => self.since.checked_add(Duration::try_from(lasts).ok()?),
            _ => None,
        }
    }

    /// The SIP status that the server answered with, if that was the trouble.
    pub fn refusal(&self) -> Option<u16> {
        match self.state {
            Some(LinkState::Refused { status }) => Some(status),
            _ => None,
        }
    }
}

/// All links, where the SIP task writes.
#[derive(Debug)]
pub(crate) struct LinkBoard {
    links: watch::Sender<Vec<LinkStatus>>,
    /// Beside each, for the log.
    servers: Vec<String>,
}

impl LinkBoard {
    /// Of these links, of which nothing is known yet. `name` gives a trunk's name.
    pub(crate) fn new(links: &[LinkProfile], name: impl Fn(TrunkIndex) -> String, now: OffsetDateTime) -> Self {
        let status = |link: &LinkProfile| LinkStatus {
            trunk: name(link.trunk),
            duty: match link.duty {
                Duty::Register(_) => "register",
                Duty::Probe => "probe",
            },
            state: None,
            since: now,
        };
        Self {
            links: watch::Sender::new(links.iter().map(status).collect()),
            servers: links.iter().map(|link| link.server.to_string()).collect(),
        }
    }

    /// Where others read.
    pub(crate) fn watch(&self) -> watch::Receiver<Vec<LinkStatus>> {
        self.links.subscribe()
    }

    /// A link stands otherwise.
    pub(crate) fn note(&self, LinkKey(key): LinkKey, state: LinkState, now: OffsetDateTime) {
        self.links.send_modify(|links| {
            let (Some(link), Some(server)) = (links.get_mut(key), self.servers.get(key)) else { return };
            let (trunk, duty) = (&link.trunk, link.duty);
            let was_up = link.is_up(now);
            match state {
                LinkState::Registered { .. } | LinkState::Reachable if was_up => {}
                LinkState::Registered { lasts } => {
                    tracing::info!(trunk, server, "trunk {trunk}: registered with {server} for {} s", lasts.as_secs());
                }
                LinkState::Reachable => tracing::info!(trunk, server, "trunk {trunk}: {server} answers"),
                LinkState::Refused { status } => {
                    tracing::warn!(trunk, server, status, "trunk {trunk}: {server} answers the {duty} with {status}");
                }
                LinkState::WrongPassword => {
                    tracing::warn!(trunk, server, "trunk {trunk}: {server} does not take user and password");
                }
                LinkState::Unreachable => {
                    tracing::warn!(trunk, server, "trunk {trunk}: nobody at {server} answers the {duty}");
                }
                LinkState::NotFound => {
                    tracing::warn!(trunk, server, "trunk {trunk}: {server} leads to no address that can be reached");
                }
                // What never was cannot end.
                LinkState::Ended
                    if !matches!(link.state, Some(LinkState::Registered { .. } | LinkState::Reachable)) => {}
                LinkState::Ended => tracing::info!(trunk, server, "trunk {trunk}: the {duty} at {server} has ended"),
            }
            (link.state, link.since) = (Some(state), now);
        });
    }
}

#[cfg(test)]
mod tests {
    use ivr_core::link::ServerUri;

    use super::*;

    #[test]
    fn a_registration_is_up_until_it_ends_and_a_probe_until_it_fails() {
        let server: ServerUri = "sip:carrier.example".parse().unwrap();
        let links = [LinkProfile { trunk: TrunkIndex(0), server, duty: Duty::Probe }];
        let now = OffsetDateTime::UNIX_EPOCH;
        let board = LinkBoard::new(&links, |_| "carrier".to_owned(), now);
        let status = || board.watch().borrow()[0].clone();
        assert_eq!((status().is_up(now), status().duty), (false, "probe"));
        board.note(LinkKey(0), LinkState::Reachable, now);
        assert!(status().is_up(now + Duration::days(1)));
        board.note(LinkKey(0), LinkState::Refused { status: 503 }, now);
        assert_eq!((status().is_up(now), status().refusal()), (false, Some(503)));
        board.note(LinkKey(0), LinkState::Registered { lasts: std::time::Duration::from_secs(60) }, now);
        assert!(status().is_up(now + Duration::seconds(59)) && !status().is_up(now + Duration::seconds(60)));
        assert_eq!(status().registered_until(), Some(now + Duration::seconds(60)));
    }
}
