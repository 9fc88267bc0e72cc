//! Whose packets count: the source we latched to.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::MediaPlan;
use crate::caller::Network;

/// The one source of a call's packets. It must be at the address of the SDP or inside the trunk's media networks;
/// only its port is learnt from the first packet. Packets from the very port of the SDP are the caller's, whoever was first: from
/// then on no other port of that address counts, however long the caller is silent.
#[derive(Debug)]
pub(crate) struct Source {
    /// The SDP's address and port.
    named: SocketAddr,
    /// It has spoken.
    named_spoke: bool,
    networks: Vec<Network>,
    any: bool,
    latched: Option<Latched>,
}

#[derive(Debug)]
struct Latched {
    to: SocketAddr,
    heard: Instant,
}

impl Source {
    pub(crate) fn new(plan: &MediaPlan) -> Self {
        let networks = plan.media_networks.iter();
        Self {
            named: canonical(plan.remote),
            named_spoke: false,
            networks: networks.filter_map(|(address, length)| Network::new(*address, *length).ok()).collect(),
            any: plan.latch_any,
            latched: None,
        }
    }

    /// Does a packet from there count, if it is what it should be?
    pub(crate) fn admits(&self, from: SocketAddr, now: Instant) -> bool {
        match &self.latched {
            _ if self.is_named(from) => true,
            // Somebody else on the same machine, or behind the same address.
            _ if self.named_spoke && from.ip().to_canonical() == self.named.ip() => false,
            Some(latched) if latched.to == from => true,
            // A carrier moves a call to another gateway without a re-INVITE. Behind NAT anybody could: not there.
            Some(latched) if self.any || now.saturating_duration_since(latched.heard) < MOVES_AFTER => false,
            Some(_) | None => self.may_send(from.ip()),
        }
    }

    /// One that counts came from there: that is latched to.
    pub(crate) fn latch(&mut self, from: SocketAddr, now: Instant) {
        self.named_spoke |= self.is_named(from);
        self.latched = Some(Latched { to: from, heard: now });
    }

    /// May reports come from there? They latch nothing. Where anybody may send, they come from where the packets do.
    pub(crate) fn admits_report(&self, from: SocketAddr) -> bool {
        if self.any {
            self.latched().is_some_and(|latched| latched.ip() == from.ip())
        } else {
            self.may_send(from.ip())
        }
    }

    /// Where the packets come from, once some came.
    pub(crate) fn latched(&self) -> Option<SocketAddr> {
        self.latched.as_ref().map(|latched| latched.to)
    }

    /// Behind NAT the SDP's is a private address, from which nobody reaches us but who forges it.
    fn is_named(&self, from: SocketAddr) -> bool {
        !self.any && canonical(from) == self.named
    }

    fn may_send(&self, from: IpAddr) -> bool {
        let from = from.to_canonical();
        self.any || from == self.named.ip() || self.networks.iter().any(|network| network.contains(from))
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// A source that was silent for so long may be followed by another that may send.
const MOVES_AFTER: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::super::tests::plan;
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing")]
    fn only_the_sdp_address_and_media_networks_are_latched_to() {
        let mut trunk = plan();
        trunk.remote = "192.0.2.7:4000".parse().unwrap();
        trunk.media_networks = vec![("198.51.100.0".parse().unwrap(), 24)];
        let mut nat = trunk.clone();
        nat.latch_any = true;
        let table = [
            ("the SDP's address and port", "192.0.2.7:4000", true, true),
            ("another port", "192.0.2.7:4002", true, true),
            ("a media network", "198.51.100.9:9", true, true),
            ("mapped into IPv6", "[::ffff:192.0.2.7]:4000", true, true),
            ("a stranger", "203.0.113.1:4000", false, true),
            ("the neighbour", "192.0.2.8:4000", false, true),
        ];
        let now = Instant::now();
        for (name, from, by_trunk, by_nat) in table {
            let from = from.parse().unwrap();
            assert_eq!(Source::new(&trunk).admits(from, now), by_trunk, "{name}");
            assert_eq!(Source::new(&nat).admits(from, now), by_nat, "{name}, nat");
            assert_eq!(Source::new(&trunk).admits_report(from), by_trunk, "{name}, a report");
            assert!(!Source::new(&nat).admits_report(from), "{name}, a report, nat");
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing")]
    fn where_anybody_may_send_reports_come_from_where_the_packets_do() {
        let mut nat = plan();
        nat.latch_any = true;
        let mut source = Source::new(&nat);
        source.latch("192.0.2.9:4000".parse().unwrap(), Instant::now());
        assert!(source.admits_report("192.0.2.9:7".parse().unwrap()));
        assert!(!source.admits_report("127.0.0.1:4001".parse().unwrap()));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing")]
    fn once_latched_others_wait_until_it_is_silent_and_behind_nat_for_ever() {
        let (now, step) = (Instant::now(), Duration::from_millis(20));
        let (first, second) = ("127.0.0.1:5000".parse().unwrap(), "127.0.0.1:5002".parse().unwrap());
        let mut source = Source::new(&plan());
        assert!(source.admits(second, now), "who did not count is not latched to");
        source.latch(first, now);
        assert!(!source.admits(second, now + step));
        source.latch(first, now + 2 * step);
        assert!(!source.admits(second, now + step + MOVES_AFTER));
        assert!(source.admits(second, now + 2 * step + MOVES_AFTER));
        source.latch(second, now + 2 * step + MOVES_AFTER);
        assert_eq!(source.latched(), Some(second));
        let mut nat = plan();
        nat.latch_any = true;
        let mut source = Source::new(&nat);
        source.latch(first, now);
        assert!(!source.admits(second, now + 100 * MOVES_AFTER));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing")]
    fn the_very_port_of_the_sdp_is_heard_whoever_was_first_and_then_no_other_of_its_address() {
        let (now, step) = (Instant::now(), Duration::from_millis(20));
        let mut trunk = plan();
        trunk.media_networks = vec![("198.51.100.0".parse().unwrap(), 24)];
        let (named, other) = (trunk.remote, SocketAddr::new(trunk.remote.ip(), 9));
        let gateway = "198.51.100.9:9".parse().unwrap();
        let mut source = Source::new(&trunk);
        assert!(source.admits(other, now), "it may be the caller's, and nobody else was heard");
        source.latch(other, now);
        assert!(source.admits(named, now + step));
        assert!(source.admits(other, now + step), "what only came from there need not be the caller's");
        source.latch(named, now + step);
        for silence in [Duration::ZERO, MOVES_AFTER, 100 * MOVES_AFTER] {
            assert!(!source.admits(other, now + 2 * step + silence));
        }
        assert!(source.admits(gateway, now + 101 * MOVES_AFTER), "the trunk moved the call");
        source.latch(gateway, now + 101 * MOVES_AFTER);
        assert!(source.admits(named, now + 101 * MOVES_AFTER + step), "and back");
        // Mapped into IPv6, it is the same.
        let mapped = SocketAddr::new("::ffff:127.0.0.1".parse().unwrap(), named.port());
        assert!(source.admits(mapped, now + 101 * MOVES_AFTER + 2 * step));
    }
}
