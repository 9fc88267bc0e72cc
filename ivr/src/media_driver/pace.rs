//! When each call's next packet is due: at absolute times, so that one late packet does not delay the next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use ivr_core::media::{CallKey, PortIndex};

/// Calls are due on whole milliseconds after the beginning, so that the thread wakes once in each and sends what belongs
/// there.
pub(super) const SLOT: Duration = Duration::from_millis(1);

/// Consecutive calls are so many slots apart: it has no divisor in common with 10, 20, 30 or 60, so every slot is taken
/// before one is taken twice.
const STRIDE: u64 = 7;

/// After a longer hold-up (a suspended machine) the missed packets are left out: in one burst they would be dropped by
/// every jitter buffer on the way. In slots.
const LONGEST_LAG: u64 = 200;

/// The calls that send, by the time of their next packet.
#[derive(Debug)]
pub(super) struct Pace {
    began: Instant,
    calls_begun: u64,
    /// One entry for each call that sends, and one for each that has just ended.
    due: BinaryHeap<Reverse<Due>>,
}

/// A call's next packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    /// Counted from the beginning.
    slot: u64,
    pub(super) call: CallKey,
    pub(super) port: PortIndex,
}

impl Pace {
    /// `calls` may send at a time without an allocation.
    pub(super) fn new(calls: usize, now: Instant) -> Self {
        // An ended call's entry stays until it is due.
        Self { began: now, calls_begun: 0, due: BinaryHeap::with_capacity(calls * 2) }
    }

    /// From now on this call sends: its first packet within one packet time, where few others send.
    pub(super) fn begin(&mut self, call: CallKey, port: PortIndex, packet_time: Duration, now: Instant) {
        let slots = slots(packet_time);
        let phase = self.calls_begun.wrapping_mul(STRIDE) % slots;
        self.calls_begun = self.calls_begun.wrapping_add(1);
        let next = self.slot(now) + u64::from(self.since_slot_began(now) > Duration::ZERO);
        let wait = (phase + slots - next % slots) % slots;
        self.due.push(Reverse(Due { slot: next + wait, call, port }));
    }

    /// The earliest packet, if its time has come.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Due> {
        let slot = self.slot(now);
        self.due.peek().filter(|Reverse(due)| due.slot <= slot)?;
        self.due.pop().map(|Reverse(due)| due)
    }

    /// The call that was due goes on. Gives how many packets are left out because they are much too late.
    pub(super) fn go_on(&mut self, due: Due, packet_time: Duration, now: Instant) -> u64 {
        let slots = slots(packet_time);
        let next = due.slot + slots;
        let lag = self.slot(now).saturating_sub(next);
        let skipped = if lag > LONGEST_LAG { lag / slots } else { 0 };
        self.due.push(Reverse(Due { slot: next + skipped * slots, ..due }));
        skipped
    }

    /// How long it is until the slot begins in which a packet is due; the next one, if that is over.
    pub(super) fn rest(&self, now: Instant) -> Option<Duration> {
        let Reverse(earliest) = self.due.peek()?;
        let slots = earliest.slot.saturating_sub(self.slot(now)).max(1);
        Some(Duration::from_millis(slots) - self.since_slot_began(now))
    }

    /// The present slot.
    fn slot(&self, now: Instant) -> u64 {
        slots(now.saturating_duration_since(self.began))
    }

    /// How much of the present slot is over.
    fn since_slot_began(&self, now: Instant) -> Duration {
        let since = now.saturating_duration_since(self.began);
        Duration::from_nanos((since.subsec_nanos() % SLOT.subsec_nanos()).into())
    }
}

/// How many there are in this time.
fn slots(length: Duration) -> u64 {
    length.as_secs() * 1_000 + u64::from(length.subsec_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// A pace and a moment after its beginning, by a multiple of each packet time.
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing")]
    fn pace() -> (Pace, Instant) {
        let now = Instant::now();
        (Pace::new(1, now), now + 60 * MILLISECOND)
    }

    fn at(due: Due, pace: &Pace) -> Instant {
        pace.began + Duration::from_millis(due.slot)
    }

    fn begin(pace: &mut Pace, call: u64, packet_time: Duration, now: Instant) {
        pace.begin(CallKey(call), PortIndex(0), packet_time, now);
    }

    #[test]
    fn calls_that_begin_together_are_spread_over_the_packet_time() {
        for packet_time in [10, 20, 30, 60] {
            let (mut pace, began) = pace();
            let now = began + Duration::from_micros(12_345_678);
            for call in 0..packet_time {
                begin(&mut pace, call, Duration::from_millis(packet_time), now);
            }
            let last = now + Duration::from_millis(packet_time);
            let due: Vec<_> = std::iter::from_fn(|| pace.pop(last)).collect();
            let mut at: Vec<_> = due.into_iter().map(|due| at(due, &pace)).collect();
            assert!(at[0] >= now && at[0] < now + MILLISECOND, "{packet_time}");
            at.dedup();
            assert_eq!(at.len() as u64, packet_time, "{packet_time} ms have as many slots");
            assert!(at.iter().all(|at| (*at - began).as_micros().is_multiple_of(1_000)), "{packet_time}");
        }
    }

    #[test]
    fn a_late_packet_does_not_delay_the_next() {
        let packet_time = 20 * MILLISECOND;
        let (mut pace, now) = pace();
        begin(&mut pace, 1, packet_time, now);
        for n in 0..1_000_u32 {
            let due_at = now + n * packet_time;
            assert!(pace.pop(due_at - Duration::from_nanos(1)).is_none(), "packet {n} came early");
            let late = due_at + (n % 20) * MILLISECOND;
            let due = pace.pop(late).unwrap();
            assert_eq!(pace.go_on(due, packet_time, late), 0);
        }
    }

    #[test]
    fn after_a_short_hold_up_packets_are_caught_up_and_after_a_long_one_left_out() {
        for (lag, caught_up, skipped) in
            [(19, 1, 0), (200, 11, 0), (219, 11, 0), (220, 12, 0), (221, 2, 10), (60_000, 2, 2_999)]
        {
            let packet_time = 20 * MILLISECOND;
            let (mut pace, began) = pace();
            begin(&mut pace, 1, packet_time, began);
            let now = began + lag * MILLISECOND;
            let (mut sent, mut left_out) = (0, 0);
            while let Some(due) = pace.pop(now) {
                sent += 1;
                left_out += pace.go_on(due, packet_time, now);
            }
            assert_eq!((sent, left_out), (caught_up, skipped), "{lag} ms");
            let next = at(pace.due.peek().unwrap().0, &pace);
            assert!(
                next > now && next <= now + packet_time && (next - began).as_millis().is_multiple_of(20),
                "{lag} ms"
            );
        }
    }

    #[test]
    fn whoever_rests_wakes_as_the_slot_of_the_next_packet_begins() {
        let (mut pace, now) = pace();
        assert_eq!(pace.rest(now), None);
        begin(&mut pace, 1, 20 * MILLISECOND, now);
        let due = pace.pop(now).unwrap();
        pace.go_on(due, 20 * MILLISECOND, now);
        // The last one is late.
        for (passed, rest) in [(0, 20_000), (1, 19_999), (19_000, 1_000), (19_999, 1), (20_000, 1_000), (45_400, 600)] {
            let rest = Duration::from_micros(rest);
            assert_eq!(pace.rest(now + Duration::from_micros(passed)), Some(rest), "{passed} µs");
        }
    }
}
