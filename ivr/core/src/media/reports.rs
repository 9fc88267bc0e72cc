//! When reports are due, and what is remembered for them and of theirs (RFC 3550 6).

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::quality::Reported;
use super::reception::samples_long;
use super::rtcp::{Block, REPORT_BYTES, Sent, Statement, Told};

/// One call's reports, both ways.
#[derive(Debug)]
pub(crate) struct Reports {
    /// Ours, in our packets and theirs of us.
    ssrc: u32,
    /// Names us in this call only: nobody can tell that two calls were ours (RFC 7022 4.2).
    cname: String,
    chance: ChaCha20Rng,
    /// Since the ACK.
    times: Option<Times>,
    /// Packets that we had sent at the last report, and at the one before.
    sent: [u64; 2],
    /// The last report of a source that sends audio.
    theirs: Option<Theirs>,
    reported: Option<Reported>,
}

#[derive(Debug)]
struct Times {
    began: Instant,
    due: Instant,
}

#[derive(Debug)]
struct Theirs {
    ssrc: u32,
    stamp: u32,
    came: Instant,
}

/// What we have sent so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outgoing {
    pub(crate) packets: u64,
    pub(crate) octets: u64,
    /// The next packet's number.
    pub(crate) sequence: u16,
    /// What the clock of the audio shows now.
    pub(crate) timestamp: u32,
}

/// Is it the last report?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// We go on.
    Stay,
    /// We say goodbye.
    Leave,
}

impl Reports {
    pub(crate) fn new(ssrc: u32, seed: [u8; 32]) -> Self {
        let mut chance = ChaCha20Rng::from_seed(seed);
        let mut name = [0; CNAME_BYTES];
        chance.fill_bytes(&mut name);
        let cname = STANDARD.encode(name);
        Self { ssrc, cname, chance, times: None, sent: [0; 2], theirs: None, reported: None }
    }

    /// Our source.
    pub(crate) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// From now on reports are due.
    pub(crate) fn begin(&mut self, now: Instant) {
        if self.times.is_none() {
            // RFC 3550 6.2: half the time before the first, so that the other side soon knows of us.
            self.times = Some(Times { began: now, due: now + self.interval() / 2 });
        }
    }

    /// Is one due?
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.times.as_ref().is_some_and(|times| now >= times.due)
    }

    /// Writes a report and says how long it is; `None` before the beginning. `heard` is what it says of theirs.
    pub(crate) fn write(
        &mut self,
        heard: Option<Block>,
        outgoing: Outgoing,
        part: Part,
        now: Instant,
        packet: &mut [u8; REPORT_BYTES],
    ) -> Option<usize> {
        let interval = self.interval();
        let times = self.times.as_mut()?;
        times.due = now + interval;
        let ntp = since(times.began, now);
        // RFC 3550 6.4: a sender is who has sent since the last report but one.
        let [last, before_last] = self.sent;
        self.sent = [outgoing.packets, last];
        let sends = outgoing.packets > before_last;
        let sent = Sent {
            ntp,
            timestamp: outgoing.timestamp,
            packets: outgoing.packets as u32,
            octets: outgoing.octets as u32,
        };
        let statement = Statement {
            ssrc: self.ssrc,
            sent: sends.then_some(sent),
            heard: heard.map(|block| self.answering(block, now)),
            cname: &self.cname,
            parts: part == Part::Leave,
        };
        Some(statement.write(packet))
    }

    /// Somebody who may said this.
    pub(crate) fn hear(&mut self, told: &Told, outgoing: Outgoing, now: Instant) {
        if let Some(stamp) = told.report {
            self.theirs = Some(Theirs { ssrc: told.ssrc, stamp, came: now });
        }
        let Some(block) = told.of_us.filter(|block| block.ssrc == self.ssrc) else { return };
        let Some(packets_expected) = expected(block.highest, outgoing) else { return };
        let before = self.reported.and_then(|reported| reported.round_trip);
        self.reported = Some(Reported {
            packets_expected,
            packets_lost: u64::try_from(block.lost).unwrap_or(0).min(packets_expected),
            jitter: samples_long(block.jitter.into()),
            round_trip: self.round_trip(&block, now).or(before),
        });
    }

    /// What the other side said last.
    pub(crate) fn reported(&self) -> Option<Reported> {
        self.reported
    }

    /// The block with what lets its source measure the round trip.
    fn answering(&self, block: Block, now: Instant) -> Block {
        let theirs = self.theirs.as_ref().filter(|theirs| theirs.ssrc == block.ssrc);
        theirs.map_or(block, |theirs| Block {
            last_report: theirs.stamp,
            delay: middle(since_zero(theirs.came, now)),
            ..block
        })
    }

    /// RFC 3550 6.4.1: now, less the time of our report that they name, less how long they kept it. What cannot be is no
    /// round trip.
    fn round_trip(&self, block: &Block, now: Instant) -> Option<Duration> {
        let times = self.times.as_ref().filter(|_| block.last_report != 0)?;
        let units = middle(since(times.began, now)).checked_sub(block.last_report)?.checked_sub(block.delay)?;
        Some(Duration::from_micros(u64::from(units) * 1_000_000 / 65_536))
    }

    /// RFC 3550 6.3.1 and A.7: two members and 64 kbit/s would allow a report each half second, so the least interval
    /// holds. It is varied by half, lest calls keep step, and shortened by e − 3/2, by which timers of its kind run long.
    fn interval(&mut self) -> Duration {
        let thousandths = 500 + u64::from(self.chance.next_u32() % 1_001);
        Duration::from_micros(LEAST_INTERVAL_US * thousandths / SHORTENED_BY)
    }
}

/// How many of our packets were on the way to a highest number; `None` for one that we have not sent.
fn expected(highest: u32, outgoing: Outgoing) -> Option<u64> {
    let newest = outgoing.sequence.wrapping_sub(1);
    let behind = newest.wrapping_sub((highest & 0xffff) as u16);
    outgoing.packets.checked_sub(behind.into())
}

/// NTP time: RFC 3550 6.4.1 lets who does not know the time of day count from the beginning, and ours is nobody's
/// business. It begins at 1 s, because a report at 0 would be none.
fn since(began: Instant, now: Instant) -> u64 {
    (1 << 32) + since_zero(began, now)
}

fn since_zero(began: Instant, now: Instant) -> u64 {
    let passed = now.saturating_duration_since(began);
    (passed.as_secs() << 32) | ((u64::from(passed.subsec_nanos()) << 32) / 1_000_000_000)
}

/// The middle 32 bits: seconds modulo 2^16, and 1/65536 s.
fn middle(ntp: u64) -> u32 {
    ((ntp >> 16) & u64::from(u32::MAX)) as u32
}

/// RFC 7022 4.2: 96 bits.
const CNAME_BYTES: usize = 12;
const LEAST_INTERVAL_US: u64 = 5_000_000;
/// In thousandths.
const SHORTENED_BY: u64 = 1_218;

#[cfg(test)]
mod tests;
