//! Key presses as telephone events (RFC 4733): from packets to keys, each press reported once, at the first of its
//! packets that arrives. The rule also stands senders that break the RFC; `scenarios/keys-*.txt` shows each of them.

use std::time::{Duration, Instant};

use super::rtp::{Header, Packet};

#[cfg(test)]
mod bad_lines;
#[cfg(test)]
mod transcripts;

/// Tells new presses from further packets of the last one.
#[derive(Debug, Default)]
pub(crate) struct KeyRule {
    last: Option<Press>,
    /// What was reported before it, of which packets may still come.
    lapsed: Option<Event>,
}

/// What a packet reports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report {
    header: Header,
    event: u8,
    ended: bool,
    duration: u16,
}

/// Whose key, which, and since when: what tells events from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Event {
    ssrc: u32,
    key: u8,
    timestamp: u32,
}

/// The last press that was reported.
#[derive(Debug)]
struct Press {
    event: Event,
    /// The newest packet's.
    sequence: u16,
    duration: u16,
    /// A packet with the E bit arrived: the last sequence number that one of its E packets can have.
    ends: Option<u16>,
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
    /// The report in a packet; `None` for what is no key (RFC 4733 3.2: 0 to 15 are). What stands behind the first event is not
    /// read: events share a packet only where there is no pause between them (2.5.1.5), and between keys there is one.
    pub(crate) fn read(packet: &Packet<'_>) -> Option<Self> {
        let &[event @ 0..=15, flags, high, low, ..] = packet.payload else { return None };
        let duration = u16::from_be_bytes([high, low]);
        Some(Self { header: packet.header, event, ended: flags & 0x80 != 0, duration })
    }

    fn event(&self) -> Event {
        let Header { ssrc, timestamp, .. } = self.header;
        Event { ssrc, key: self.event, timestamp }
    }

    /// The key: `0`–`9`, `*`, `#`, `A`–`D`.
    fn key(&self) -> char {
        char::from(b"0123456789*#ABCD"[usize::from(self.event)])
    }
}

impl KeyRule {
    /// The key, if this report is the first of a press.
    pub(crate) fn hear(&mut self, report: &Report, now: Instant) -> Option<char> {
        match self.relation(report, now) {
            Relation::New => {
                self.lapsed = self.last.replace(Press::begin(report, now)).map(|last| last.event);
                Some(report.key())
            }
            Relation::Same => {
                if let Some(last) = &mut self.last {
                    // A new timestamp: a segment of the press is over.
                    self.lapsed = Some(last.event).filter(|event| *event != report.event()).or(self.lapsed);
                    last.go_on(report, now);
                }
                None
            }
            Relation::Late => None,
        }
    }

    fn relation(&self, report: &Report, now: Instant) -> Relation {
        match &self.last {
            None => Relation::New,
            // RFC 4733 2.5.2.2: "an event already played out and lapsed. In that case, further reports for the event MUST be
            // ignored." A sender whose timestamp stands still may press the same key again, however.
            Some(last) if last.event.timestamp != report.header.timestamp && self.lapsed == Some(report.event()) => {
                Relation::Late
            }
            Some(last) => last.relation(report, now),
        }
    }
}

impl Press {
    fn begin(report: &Report, now: Instant) -> Self {
        let Report { header, ended, duration, .. } = *report;
        let ends = ended.then(|| header.sequence.wrapping_add(MORE_ENDS));
        Self { event: report.event(), sequence: header.sequence, duration, ends, heard: now }
    }

    fn go_on(&mut self, report: &Report, now: Instant) {
        let ends = self.ends.or_else(|| report.ended.then(|| self.last_end(report)));
        *self = Self { ends, ..Self::begin(report, now) };
    }

    /// The first E packet that we hear. Where one is missing before it, it may be the second that was sent, and this is one number
    /// too many: that of the next press's first packet, which is marked.
    fn last_end(&self, report: &Report) -> u16 {
        let missing = report.header.sequence.wrapping_sub(self.sequence).saturating_sub(1);
        report.header.sequence.wrapping_add(MORE_ENDS).wrapping_sub(missing.saturating_sub(1))
    }

    /// The key rule. Markers and E packets may be lost, so nothing rests on one of them alone.
    fn relation(&self, report: &Report, now: Instant) -> Relation {
        let Header { marked, sequence, timestamp, ssrc, .. } = report.header;
        if ssrc != self.event.ssrc {
            return Relation::New;
        }
        // A great step back is a sender that began anew.
        let ahead = sequence.wrapping_sub(self.sequence).cast_signed();
        if (-LATEST..=0).contains(&ahead) {
            return Relation::Late;
        }
        if report.event != self.event.key {
            return Relation::New;
        }
        let goes_on = if timestamp == self.event.timestamp {
            // Some senders leave the timestamp as it was for the next press of the same key.
            !(self.ends.is_some() && marked && report.duration < self.duration)
        } else {
            self.is_next_segment(report) || self.is_stamped_anew(report, now)
        };
        if goes_on { Relation::Same } else { Relation::New }
    }

    /// RFC 4733 2.5.1.3: a key held for longer than the duration can say goes on as a segment that begins where the last one
    /// ended. What was heard last need not be that end, for packets are lost: but no other press begins on that very sample.
    fn is_next_segment(&self, report: &Report) -> bool {
        let later = self.later(report);
        let is_unmarked_and_near = || !report.header.marked && self.few_are_missing_before(report);
        self.ends.is_none()
            && match later {
                LONGEST_SEGMENT => true,
                // Senders that break off at a whole packet, and sooner than they must.
                SHORTEST_SEGMENT..LONGEST_SEGMENT => {
                    let unaccounted = later.checked_sub(self.duration.into());
                    unaccounted.is_some_and(|unaccounted| unaccounted <= LOST_AT_SEGMENT_END) && is_unmarked_and_near()
                }
                _ => false,
            }
    }

    /// Out of the RFC, but in the field: senders that step the timestamp with every packet, and gateways that stamp the
    /// E packets anew, at times by more than has passed. What they stamp begins before the press is over by its own duration, or
    /// follows closely, E packets as the second or third of three; and the duration does not fall, as it does where a new press begins.
    fn is_stamped_anew(&self, report: &Report, now: Instant) -> bool {
        // Two presses of one key have a pause between them.
        let overlaps = self.later(report) <= self.duration.into();
        let closely = now.saturating_duration_since(self.heard) <= CLOSELY && self.few_are_missing_before(report);
        let grows = report.duration > self.duration || (report.duration == self.duration && !report.header.marked);
        match self.ends {
            None => grows && (overlaps || closely),
            Some(last) if report.ended => {
                let is_one_of_three =
                    || last.wrapping_sub(report.header.sequence) <= MORE_ENDS && !report.header.marked;
                report.duration >= self.duration && (overlaps || closely && is_one_of_three())
            }
            Some(_) => false,
        }
    }

    /// How far the report's timestamp is after ours.
    fn later(&self, report: &Report) -> u32 {
        report.header.timestamp.wrapping_sub(self.event.timestamp)
    }

    /// Between a press whose end was not heard, which is sent three times (RFC 4733 2.5.1.4), and one whose beginning was not
    /// heard, more is missing.
    fn few_are_missing_before(&self, report: &Report) -> bool {
        report.header.sequence.wrapping_sub(self.sequence) <= NEAR
    }
}

/// Packets overtake each other by no more than this.
const LATEST: i16 = 100;
/// Two packets of one press are seldom further apart, two presses seldom closer.
const CLOSELY: Duration = Duration::from_millis(100);
/// In sequence numbers: three packets are missing.
const NEAR: u16 = 4;
/// RFC 4733 2.5.1.4: the E packet is sent three times.
const MORE_ENDS: u16 = 2;
/// RFC 4733 2.5.1.3: a segment is 0xFFFF long, or with redundancy somewhat less than 0x3FFF.
const LONGEST_SEGMENT: u32 = 0xffff;
const SHORTEST_SEGMENT: u32 = 0x3000;
/// The last packets of a segment may be lost: 200 ms at 48 kHz, the fastest clock that telephones have. At slower ones the
/// sequence numbers alone say how much is lost.
const LOST_AT_SEGMENT_END: u32 = 9_600;
