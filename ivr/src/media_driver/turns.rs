//! Which sockets are read, in which order and how often. Each is read when its time has come and not when something
//! arrives: then nobody is woken for a packet, and nothing is asked but the socket. A flood takes turns with the others.

use std::collections::VecDeque;

use ivr_core::media::{Lane, PortIndex};

use super::stamped::Stamp;

/// Datagrams read in one slot: a quarter of a million a second are more than any honest load, and a flood must not take
/// the whole core from those that wait behind a real-time thread. No packet is delayed by more than this many reads. The
/// kernel drops what is too much.
const READS_A_SLOT: usize = 256;

/// Datagrams of one socket before the next has its turn.
const READS_A_TURN: usize = 4;

/// More than this since its regular turn, and a socket has a turn in each slot, lest what its caller sends is dropped
/// among them.
const CROWD: usize = 8;

/// A socket, by its port.
pub(super) type Place = (PortIndex, Lane);

/// The sockets that are to be read.
#[derive(Debug)]
pub(super) struct Turns {
    /// Each socket is in one of them at most.
    waiting: VecDeque<Place>,
    next_slot: Vec<Place>,
    /// Reads in this slot.
    left: usize,
}

/// How one socket of a call is read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reading {
    /// It is in the [`Turns`].
    has_place: bool,
    /// Then its last turn began.
    until: Stamp,
    /// Read since the regular turn.
    datagrams: usize,
    /// Before that it was crowded.
    was_crowded: bool,
}

/// What a turn came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    /// So often the socket was read.
    pub(super) reads: usize,
    /// There was nothing more that had been there at the turn before.
    pub(super) is_all: bool,
}

impl Turns {
    /// Room for so many sockets.
    pub(super) fn new(sockets: usize) -> Self {
        Self { waiting: VecDeque::with_capacity(sockets), next_slot: Vec::new(), left: 0 }
    }

    /// A slot has begun.
    pub(super) fn begin_slot(&mut self) {
        self.waiting.extend(self.next_slot.drain(..));
        self.left = READS_A_SLOT;
    }

    /// It is time for a socket's regular turn.
    pub(super) fn add(&mut self, place: Place, reading: &mut Reading) {
        reading.was_crowded = reading.datagrams > CROWD;
        reading.datagrams = 0;
        if !std::mem::replace(&mut reading.has_place, true) {
            self.waiting.push_back(place);
        }
    }

    /// Whose turn it is, and how often its socket is read at most.
    pub(super) fn next(&mut self) -> Option<(Place, usize)> {
        let reads = self.left.min(READS_A_TURN);
        (reads > 0).then(|| self.waiting.pop_front()).flatten().map(|place| (place, reads))
    }

    /// The turn, which began at `now`, is over.
    pub(super) fn end(&mut self, place: Place, reading: &mut Reading, heard: Heard, now: Stamp) {
        self.left = self.left.saturating_sub(heard.reads);
        reading.datagrams += heard.reads;
        if !heard.is_all {
            return self.waiting.push_back(place);
        }
        reading.until = now;
        reading.has_place = reading.was_crowded || reading.datagrams > CROWD;
        if reading.has_place {
            self.next_slot.push(place);
        }
    }

    /// Is nothing left for the next slot?
    pub(super) fn are_over(&self) -> bool {
        self.waiting.is_empty() && self.next_slot.is_empty()
    }

    /// The call at this port is over.
    pub(super) fn remove(&mut self, port: PortIndex) {
        self.waiting.retain(|(waiting, _)| *waiting != port);
        self.next_slot.retain(|(waiting, _)| *waiting != port);
    }
}

impl Reading {
    /// Whatever came later is read at the next turn, so a turn ends with the first of it: that the socket is empty need
    /// not be asked.
    pub(super) fn until(&self) -> Stamp {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALM: Place = (PortIndex(1), Lane::Rtp);
    const FLOODED: Place = (PortIndex(0), Lane::Rtp);

    /// A slot in which a datagram waits at the one socket and more than anybody reads at the other; how often each was read.
    fn slot(turns: &mut Turns, readings: &mut [Reading; 2], calm_has: usize) -> [usize; 2] {
        let mut reads = [0; 2];
        turns.begin_slot();
        while let Some((place, most)) = turns.next() {
            let index = usize::from(place == CALM);
            let heard = if place == CALM {
                Heard { reads: calm_has.min(most), is_all: calm_has <= most }
            } else {
                Heard { reads: most, is_all: false }
            };
            reads[index] += heard.reads;
            turns.end(place, &mut readings[index], heard, Stamp::NEVER);
        }
        reads
    }

    #[test]
    fn a_socket_is_read_when_its_time_has_come_and_after_a_crowd_in_each_slot() {
        let (mut turns, mut readings) = (Turns::new(2), [Reading::default(); 2]);
        let regular = |turns: &mut Turns, readings: &mut [Reading; 2]| turns.add(CALM, &mut readings[1]);
        regular(&mut turns, &mut readings);
        regular(&mut turns, &mut readings);
        assert_eq!(slot(&mut turns, &mut readings, 1), [0, 1], "it has one place only");
        assert_eq!(slot(&mut turns, &mut readings, 1), [0, 0], "it waits for its time");
        regular(&mut turns, &mut readings);
        turns.begin_slot();
        for reads in [READS_A_TURN, READS_A_TURN, READS_A_TURN] {
            let (place, most) = turns.next().unwrap();
            assert_eq!((place, most), (CALM, READS_A_TURN));
            turns.end(CALM, &mut readings[1], Heard { reads, is_all: false }, Stamp::NEVER);
        }
        for _ in 0..3 {
            assert_eq!(slot(&mut turns, &mut readings, 1), [0, 1], "it was crowded");
        }
        regular(&mut turns, &mut readings);
        assert_eq!(slot(&mut turns, &mut readings, 1), [0, 1], "it was crowded before");
        regular(&mut turns, &mut readings);
        assert_eq!(slot(&mut turns, &mut readings, 1), [0, 1]);
        assert_eq!(slot(&mut turns, &mut readings, 1), [0, 0], "the crowd has gone");
        assert!(turns.are_over());
    }

    #[test]
    fn a_flood_takes_turns_with_the_others_and_ends_with_the_slot() {
        let (mut turns, mut readings) = (Turns::new(2), [Reading::default(); 2]);
        turns.add(FLOODED, &mut readings[0]);
        turns.add(CALM, &mut readings[1]);
        assert_eq!(slot(&mut turns, &mut readings, 1), [READS_A_SLOT - 1, 1]);
        assert_eq!(slot(&mut turns, &mut readings, 1), [READS_A_SLOT, 0]);
        turns.add(CALM, &mut readings[1]);
        turns.begin_slot();
        assert_eq!(turns.next().unwrap().0, FLOODED);
        turns.end(FLOODED, &mut readings[0], Heard { reads: READS_A_TURN, is_all: false }, Stamp::NEVER);
        assert_eq!(turns.next().unwrap().0, CALM, "it waits for one turn of the flood's at most");
        turns.end(CALM, &mut readings[1], Heard { reads: 1, is_all: true }, Stamp::NEVER);
        turns.remove(FLOODED.0);
        assert!(turns.next().is_none() && turns.are_over());
    }
}
