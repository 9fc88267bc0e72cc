//! Packets of audio in the order of their numbers (RFC 3550 5.1): those that overtook others wait for them, a little while.

use std::time::{Duration, Instant};

use super::rtp::Header;

/// The packets that wait. A packet is at most [`PLACES`] numbers ahead, and waits for [`LONGEST_WAIT`] at most: what is missing by
/// then is lost.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    next: Option<Next>,
    waiting: [Waiting; PLACES],
}

#[derive(Debug, Clone, Copy)]
struct Next {
    ssrc: u32,
    sequence: u16,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    /// While something waits here.
    packet: Option<Kept>,
    octets: [u8; LONGEST],
}

#[derive(Debug, Clone, Copy)]
struct Kept {
    timestamp: u32,
    length: usize,
    came: Instant,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrived<'a> {
    /// The sender is another, or began anew.
    Anew,
    /// A packet did not arrive.
    Lost,
    /// Audio, or nothing, if the packet was of another kind.
    Audio { timestamp: u32, octets: &'a [u8] },
}

impl Default for Order {
    fn default() -> Self {
        Self { next: None, waiting: [Waiting { packet: None, octets: [0; LONGEST] }; PLACES] }
    }
}

impl Order {
    /// A packet arrived; tells what can be told now. What came too late, or twice, is dropped.
    pub(crate) fn take(&mut self, header: &Header, octets: &[u8], now: Instant, told: &mut impl FnMut(Arrived<'_>)) {
        let mut next = match self.next {
            Some(next) if next.ssrc == header.ssrc && next.ahead(header).unsigned_abs() <= GREATEST_LEAP => next,
            _ => self.begin(header, told),
        };
        if next.ahead(header) < 0 {
            return;
        }
        while usize::from(next.ahead(header).unsigned_abs()) >= PLACES {
            self.tell(&mut next, told);
        }
        let place = &mut self.waiting[usize::from(header.sequence) % PLACES];
        let octets = &octets[..octets.len().min(LONGEST)];
        place.octets[..octets.len()].copy_from_slice(octets);
        place.packet = Some(Kept { timestamp: header.timestamp, length: octets.len(), came: now });
        self.go_on(next, told);
    }

    /// Time passed: what has waited long enough is told. More packets need not come, for who is silent may send none.
    pub(crate) fn let_go(&mut self, now: Instant, told: &mut impl FnMut(Arrived<'_>)) {
        let Some(mut next) = self.next else { return };
        let is_over = |kept: Kept| now.saturating_duration_since(kept.came) >= LONGEST_WAIT;
        while self.waiting.iter().any(|waiting| waiting.packet.is_some_and(is_over)) {
            self.tell(&mut next, told);
        }
        self.go_on(next, told);
    }

    /// Tells what is there, up to the next that is missing.
    fn go_on(&mut self, mut next: Next, told: &mut impl FnMut(Arrived<'_>)) {
        while self.waiting[usize::from(next.sequence) % PLACES].packet.is_some() {
            self.tell(&mut next, told);
        }
        self.next = Some(next);
    }

    fn begin(&mut self, header: &Header, told: &mut impl FnMut(Arrived<'_>)) -> Next {
        self.waiting.iter_mut().for_each(|waiting| waiting.packet = None);
        told(Arrived::Anew);
        Next { ssrc: header.ssrc, sequence: header.sequence }
    }

    /// Tells the next number, whatever became of it.
    fn tell(&mut self, next: &mut Next, told: &mut impl FnMut(Arrived<'_>)) {
        let place = &mut self.waiting[usize::from(next.sequence) % PLACES];
        match place.packet.take() {
            Some(Kept { timestamp, length, .. }) => told(Arrived::Audio { timestamp, octets: &place.octets[..length] }),
            None => told(Arrived::Lost),
        }
        next.sequence = next.sequence.wrapping_add(1);
    }
}

impl Next {
    fn ahead(self, header: &Header) -> i16 {
        header.sequence.wrapping_sub(self.sequence).cast_signed()
    }
}

/// With packets of 20 ms, audio that overtook waits for 60 ms.
const PLACES: usize = 4;
const LONGEST_WAIT: Duration = Duration::from_millis(60);
/// 60 ms of an octet a sample.
const LONGEST: usize = 480;
/// Further than this is a sender that began anew.
const GREATEST_LEAP: u16 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing")]
    fn now() -> Instant {
        Instant::now()
    }

    fn header(sequence: u16) -> Header {
        Header { marked: false, payload_type: 0, sequence, timestamp: 0, ssrc: 1 }
    }

    /// A packet's octet is the lower half of its number.
    fn shown(arrived: Arrived<'_>) -> String {
        match arrived {
            Arrived::Anew => "anew".to_owned(),
            Arrived::Lost => "lost".to_owned(),
            Arrived::Audio { octets, .. } => octets[0].to_string(),
        }
    }

    /// What is told of packets with these numbers.
    fn told(sequences: &[u16]) -> String {
        let (mut order, mut said, now) = (Order::default(), Vec::new(), now());
        for sequence in sequences {
            let octets = &sequence.to_be_bytes()[1..];
            order.take(&header(*sequence), octets, now, &mut |arrived| said.push(shown(arrived)));
        }
        said.join(" ")
    }

    #[test]
    fn what_overtook_waits_for_sixty_milliseconds_at_most() {
        let (mut order, began) = (Order::default(), now());
        for (sequence, milliseconds) in [(7, 0), (9, 40), (11, 60)] {
            order.take(&header(sequence), &[sequence as u8], began + Duration::from_millis(milliseconds), &mut |_| {});
        }
        for (milliseconds, expected) in [(99, ""), (100, "lost 9"), (119, ""), (120, "lost 11"), (500, "")] {
            let mut said = Vec::new();
            order.let_go(began + Duration::from_millis(milliseconds), &mut |arrived| said.push(shown(arrived)));
            assert_eq!(said.join(" "), expected, "after {milliseconds} ms");
        }
    }

    #[test]
    fn packets_come_in_order_once_and_what_is_missing_is_told() {
        for (name, sequences, expected) in [
            ("in order", [7, 8, 9].as_slice(), "anew 7 8 9"),
            ("twice", &[7, 7, 8, 8, 7], "anew 7 8"),
            ("swapped", &[7, 9, 8, 10], "anew 7 8 9 10"),
            ("overtaken by three", &[7, 9, 10, 11, 8, 12], "anew 7 8 9 10 11 12"),
            ("lost", &[7, 9, 10, 11, 12], "anew 7 lost 9 10 11 12"),
            ("lost, and comes too late", &[7, 9, 10, 11, 12, 8, 13], "anew 7 lost 9 10 11 12 13"),
            ("many lost", &[7, 14, 15, 16, 17], "anew 7 lost lost lost lost lost lost 14 15 16 17"),
            ("over the end", &[65_534, 0, 65_535, 1], "anew 254 255 0 1"),
            ("begins anew", &[7, 9, 30_000, 30_001], "anew 7 anew 48 49"),
        ] {
            assert_eq!(told(sequences), expected, "{name}");
        }
    }
}
