//! Key presses as telephone events (RFC 4733): from packets to keys, each press reported once, at the first of its
//! packets that arrives. The rule also stands senders that break the RFC; `scenarios/keys-*.txt` shows each of them.

use std::time::{Duration, Instant};

use super::rtp::{Header, Packet};

#[cfg(test)]
mod transcripts;

/// Tells new presses from further packets of the last one.
#[derive(Debug, Default)]
pub(crate) struct KeyRule {
    last: Option<Press>,
}

/// What a packet reports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report {
    header: Header,
    event: u8,
    ended: bool,
    duration: u16,
}

/// The last press that was reported.
#[derive(Debug)]
struct Press {
    ssrc: u32,
    event: u8,
    timestamp: u32,
    /// The newest packet's.
    sequence: u16,
    duration: u16,
    /// A packet with the E bit arrived.
    ended: bool,
    heard: Instant,
}

/// What a packet is to the last press.
enum Relation {
    /// The first that arrived of a new press.
    New,
    /// A later packet of it.
    Same,
    /// Overtaken by one of its packets, or a copy.
    Late,
}

impl Report {
    /// The report in a packet; `None` for what is no key (RFC 4733 3.2: 0 to 15 are).
    pub(crate) fn read(packet: &Packet<'_>) -> Option<Self> {
        let &[event @ 0..=15, flags, high, low, ..] = packet.payload else { return None };
        let duration = u16::from_be_bytes([high, low]);
        Some(Self { header: packet.header, event, ended: flags & 0x80 != 0, duration })
    }

    /// The key: `0`–`9`, `*`, `#`, `A`–`D`.
    fn key(&self) -> char {
        char::from(b"0123456789*#ABCD"[usize::from(self.event)])
    }
}

impl KeyRule {
    /// The key, if this report is the first of a press.
    pub(crate) fn hear(&mut self, report: &Report, now: Instant) -> Option<char> {
        match self.last.as_ref().map_or(Relation::New, |last| last.relation(report, now)) {
            Relation::New => {
                self.last = Some(Press::begin(report, now));
                Some(report.key())
            }
            Relation::Same => {
                if let Some(last) = &mut self.last {
                    last.go_on(report, now);
                }
                None
            }
            Relation::Late => None,
        }
    }
}

impl Press {
    fn begin(report: &Report, now: Instant) -> Self {
        let Report { header: Header { ssrc, sequence, timestamp, .. }, event, ended, duration } = *report;
        Self { ssrc, event, timestamp, sequence, duration, ended, heard: now }
    }

    fn go_on(&mut self, report: &Report, now: Instant) {
        *self = Self { ended: self.ended || report.ended, ..Self::begin(report, now) };
    }

    /// The key rule. Markers and E packets may be lost, so nothing rests on one of them alone.
    fn relation(&self, report: &Report, now: Instant) -> Relation {
        let Header { marked, sequence, timestamp, ssrc, .. } = report.header;
        if ssrc != self.ssrc {
            return Relation::New;
        }
        // A great step back is a sender that began anew.
        let ahead = sequence.wrapping_sub(self.sequence).cast_signed();
        if (-LATEST..=0).contains(&ahead) {
            return Relation::Late;
        }
        if report.event != self.event {
            return Relation::New;
        }
        let goes_on = if timestamp == self.timestamp {
            // Some senders leave the timestamp as it was for the next press of the same key.
            !(self.ended && marked && report.duration < self.duration)
        } else {
            self.is_next_segment(report) || self.is_stamped_anew(report, now)
        };
        if goes_on { Relation::Same } else { Relation::New }
    }

    /// RFC 4733 2.5.1.3: a key held for longer than the duration can say goes on, unmarked, as a segment that begins
    /// where the last one ended.
    fn is_next_segment(&self, report: &Report) -> bool {
        let later = report.header.timestamp.wrapping_sub(self.timestamp);
        let unaccounted = later.checked_sub(u32::from(self.duration));
        !self.ended
            && !report.header.marked
            && (SHORTEST_SEGMENT..=LONGEST_SEGMENT).contains(&later)
            && unaccounted.is_some_and(|unaccounted| unaccounted <= LOST_AT_SEGMENT_END)
    }

    /// Out of the RFC, but in the field: senders that step the timestamp with every packet, and gateways that stamp the
    /// E packets anew. Their packets follow each other closely and their duration does not fall, as it does where a
    /// new press begins.
    fn is_stamped_anew(&self, report: &Report, now: Instant) -> bool {
        let closely = now.saturating_duration_since(self.heard) <= CLOSELY;
        let marked = report.header.marked;
        closely
            && match (self.ended, report.ended) {
                (_, true) => !marked,
                (false, false) => report.duration > self.duration || (report.duration == self.duration && !marked),
                (true, false) => false,
            }
    }
}

/// Packets overtake each other by no more than this.
const LATEST: i16 = 100;
/// Two packets of one press are seldom further apart, two presses seldom closer.
const CLOSELY: Duration = Duration::from_millis(100);
/// RFC 4733 2.5.1.3: a segment is 0xFFFF long, or with redundancy somewhat less than 0x3FFF.
const LONGEST_SEGMENT: u32 = 0xffff;
const SHORTEST_SEGMENT: u32 = 0x3000;
/// The last packets of a segment may be lost: 200 ms at 8 kHz.
const LOST_AT_SEGMENT_END: u32 = 1_600;
