//! Packets of audio in the order of their numbers (RFC 3550 5.1): those that overtook others wait for them, a little while.

use super::rtp::Header;

/// The packets that wait. A packet is at most [`PLACES`] numbers ahead: what is missing by then is lost.
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
    /// Its timestamp and length, while something waits here.
    packet: Option<(u32, usize)>,
    octets: [u8; LONGEST],
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
    pub(crate) fn take(&mut self, header: &Header, octets: &[u8], told: &mut impl FnMut(Arrived<'_>)) {
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
        place.packet = Some((header.timestamp, octets.len()));
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
            Some((timestamp, length)) => told(Arrived::Audio { timestamp, octets: &place.octets[..length] }),
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
/// 60 ms of an octet a sample.
const LONGEST: usize = 480;
/// Further than this is a sender that began anew.
const GREATEST_LEAP: u16 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of packets with these numbers, whose octet is the number's lower half.
    fn told(sequences: &[u16]) -> String {
        let (mut order, mut said) = (Order::default(), Vec::new());
        for sequence in sequences {
            let header = Header { marked: false, payload_type: 0, sequence: *sequence, timestamp: 0, ssrc: 1 };
            order.take(&header, &sequence.to_be_bytes()[1..], &mut |arrived| {
                said.push(match arrived {
                    Arrived::Anew => "anew".to_owned(),
                    Arrived::Lost => "lost".to_owned(),
                    Arrived::Audio { octets, .. } => octets[0].to_string(),
                });
            });
        }
        said.join(" ")
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
