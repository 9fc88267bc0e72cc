//! How many of one source, and of all, are there at a time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::source::customer;

/// How many may be there at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// Together.
    pub all: usize,
    /// Of one source. Who is on this machine is not counted.
    pub of_source: usize,
}

/// Those who are there, by source. Clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Crowd {
    room: Room,
    /// Who is on this machine has no bound of its own: its operator, or a demonstration's only visitor.
    spares_this_machine: bool,
    sources: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A place in the crowd, free again when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    source: IpAddr,
    crowd: Crowd,
}

impl Crowd {
    /// Nobody yet.
    pub(crate) fn new(room: Room) -> Self {
        Self { room, spares_this_machine: true, sources: Arc::default() }
    }

    /// Nobody yet, and nobody will be spared.
    pub(crate) fn counting_everybody(room: Room) -> Self {
        Self { spares_this_machine: false, ..Self::new(room) }
    }

    /// A place for one more of this source; `None` if it has too many, or all have.
    pub(crate) fn enter(&self, source: IpAddr) -> Option<Place> {
        let source = customer(source);
        let mut sources = self.sources();
        let of_source = sources.get(&source).copied().unwrap_or(0);
        let is_too_many = of_source >= self.room.of_source && !(self.spares_this_machine && source.is_loopback());
        if is_too_many || sources.values().sum::<usize>() >= self.room.all {
            return None;
        }
        sources.insert(source, of_source + 1);
        drop(sources);
        Some(Place { source, crowd: self.clone() })
    }

    fn sources(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut sources = self.crowd.sources();
        match sources.get(&self.source).copied() {
            Some(count) if count > 1 => sources.insert(self.source, count - 1),
            _ => sources.remove(&self.source),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_has_so_many_places_and_gets_them_back() {
        let crowd = Crowd::new(Room { all: 10, of_source: 2 });
        let mut held: Vec<Place> = (0..3).filter_map(|_| crowd.enter(address("192.0.2.1"))).collect();
        assert_eq!(held.len(), 2);
        let other = crowd.enter(address("192.0.2.2"));
        assert!(other.is_some());
        held.pop();
        assert!(crowd.enter(address("192.0.2.1")).is_some());
        drop((held, other));
        assert!(crowd.sources().is_empty(), "who is gone is not remembered");
    }

    #[test]
    fn all_together_have_so_many_places() {
        let crowd = Crowd::new(Room { all: 3, of_source: 2 });
        let sources = ["127.0.0.1", "127.0.0.1", "127.0.0.1", "192.0.2.1"];
        let held: Vec<Place> = sources.into_iter().filter_map(|source| crowd.enter(address(source))).collect();
        assert_eq!(held.len(), 3);
        assert!(held.iter().all(|place| place.source.is_loopback()));
    }
}
