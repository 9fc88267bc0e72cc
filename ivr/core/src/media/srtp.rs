//! SRTP and SRTCP (RFC 3711): what of a packet is encrypted, where its tag is, and which number it has. Nothing is allocated
//! for a packet, and nothing is remembered of one that is not authentic. The ciphers are in `srtp/keys.rs`; why this is no
//! library's work is in `docs/adr/0006-srtp-on-ciphers.md`.

use super::security::{MasterKey, Security, Suite};

mod keys;
mod replay;

use keys::{Kind, LONGEST_TAG, Pieces, SessionKeys};
use replay::Window;

/// Protects what we send: one source, whose packets are protected in the order of their numbers.
pub(crate) struct Sender {
    audio: SessionKeys,
    reports: SessionKeys,
    numbers: Numbers,
}

/// The numbers of our packets. No key protects two packets with one number (RFC 3711 9.1), and a new key does not set them back
/// (3.3.1).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Numbers {
    /// Turns of the sequence numbers, and the last of these.
    turns: u32,
    last: u16,
    /// Of the next report.
    report: u32,
}

/// Opens what the other side sends.
pub(crate) struct Receiver {
    audio: SessionKeys,
    reports: SessionKeys,
    /// Octets behind each packet that name the key.
    name_bytes: usize,
    /// Only authentic packets get a place here, at most [`MOST_SOURCES`]: those of one more are not taken.
    heard: Vec<Heard>,
}

/// One source, as far as its packets were authentic.
struct Heard {
    ssrc: u32,
    audio: Option<Window>,
    reports: Option<Window>,
}

/// A packet was not authentic, or came again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotAuthentic;

/// By how many octets a protected packet is longer at most.
pub(crate) const OVERHEAD: usize = LONGEST_TAG;
/// By how many octets a protected report is longer at most.
pub(crate) const REPORT_OVERHEAD: usize = INDEX_BYTES + LONGEST_TAG;

impl Sender {
    /// `numbers` are those of the key before, if there was one.
    pub(crate) fn new(master: &MasterKey, suite: Suite, numbers: Numbers) -> Self {
        let keys = |kind| SessionKeys::derive(master, suite, kind);
        Self { audio: keys(Kind::Audio), reports: keys(Kind::Reports), numbers }
    }

    /// For the key after this.
    pub(crate) fn numbers(&self) -> Numbers {
        self.numbers
    }

    /// Protects the first `length` octets, which are a packet of RTP, and says how many there are then.
    ///
    /// # Panics
    /// If the buffer has no room for [`OVERHEAD`] more.
    pub(crate) fn protect(&mut self, packet: &mut [u8], length: usize) -> usize {
        let Some(Head { header_bytes, sequence, ssrc }) = Head::read(&packet[..length]) else { return length };
        let Numbers { turns, last, .. } = &mut self.numbers;
        // It goes by one, or to the beginning.
        *turns = turns.wrapping_add(u32::from(sequence < *last));
        *last = sequence;
        let (index, behind) = (number(*turns, sequence), turns.to_be_bytes());
        let (packet, rest) = packet.split_at_mut(length);
        let (header, body) = packet.split_at_mut(header_bytes);
        let tag = &mut rest[..self.audio.tag_bytes()];
        self.audio.seal(Pieces { ssrc, index, header, body, behind, kind: Kind::Audio }, tag);
        length + tag.len()
    }

    /// The same of a compound of RTCP.
    ///
    /// # Panics
    /// If the buffer has no room for [`REPORT_OVERHEAD`] more.
    pub(crate) fn protect_report(&mut self, packet: &mut [u8], length: usize) -> usize {
        let Some(ssrc) = reporter(&packet[..length]) else { return length };
        let index = self.numbers.report;
        self.numbers.report = (index + 1) % ENCRYPTED;
        let behind = (index | ENCRYPTED).to_be_bytes();
        let (packet, rest) = packet.split_at_mut(length);
        let (header, body) = packet.split_at_mut(REPORT_HEADER_BYTES);
        let tag_bytes = self.reports.tag_bytes();
        let trailer = &mut rest[..tag_bytes + INDEX_BYTES];
        let (tag, named) = if self.reports.is_tag_next_to_body() {
            trailer.split_at_mut(tag_bytes)
        } else {
            let (named, tag) = trailer.split_at_mut(INDEX_BYTES);
            (tag, named)
        };
        named.copy_from_slice(&behind);
        self.reports.seal(Pieces { ssrc, index: index.into(), header, body, behind, kind: Kind::Reports }, tag);
        length + tag_bytes + INDEX_BYTES
    }
}

impl Receiver {
    /// For what the other side sends under its key.
    pub(crate) fn new(security: &Security) -> Self {
        let keys = |kind| SessionKeys::derive(&security.theirs, security.suite, kind);
        Self {
            audio: keys(Kind::Audio),
            reports: keys(Kind::Reports),
            name_bytes: security.key_name_bytes.into(),
            heard: Vec::new(),
        }
    }

    /// Was anything authentic under this key?
    pub(crate) fn has_heard(&self) -> bool {
        !self.heard.is_empty()
    }

    /// Opens a packet of RTP in its place and says how long it is. One that is not authentic is left as it was.
    pub(crate) fn open(&mut self, packet: &mut [u8]) -> Result<usize, NotAuthentic> {
        let Head { header_bytes, sequence, ssrc } = Head::read(packet).ok_or(NotAuthentic)?;
        let length = packet.len().checked_sub(self.name_bytes + self.audio.tag_bytes()).ok_or(NotAuthentic)?;
        if length < header_bytes {
            return Err(NotAuthentic);
        }
        let known = self.heard.iter().find(|heard| heard.ssrc == ssrc).and_then(|heard| heard.audio);
        let (packet, trailer) = packet.split_at_mut(length);
        let (header, body) = packet.split_at_mut(header_bytes);
        let tag_at = if self.audio.is_tag_next_to_body() { 0 } else { self.name_bytes };
        let tag = &trailer[tag_at..][..self.audio.tag_bytes()];
        // A sender may begin anywhere, and we do not hear it before the ACK: the first packet that we hear may be after the
        // first turn. A call is too short for a second one.
        let turns = match known {
            Some(window) => [turns_of(sequence, window.highest), None],
            None => [Some(0), Some(1)],
        };
        for turns in turns.into_iter().flatten() {
            let (index, behind) = (number(turns, sequence), turns.to_be_bytes());
            if known.is_some_and(|window| window.is_stale(index)) {
                return Err(NotAuthentic);
            }
            if self.audio.open(Pieces { ssrc, index, header, body, behind, kind: Kind::Audio }, tag) {
                return self.take(ssrc, index, |heard| &mut heard.audio).map(|()| length);
            }
        }
        Err(NotAuthentic)
    }

    /// The same of a compound of RTCP.
    pub(crate) fn open_report(&mut self, packet: &mut [u8]) -> Result<usize, NotAuthentic> {
        let ssrc = reporter(packet).ok_or(NotAuthentic)?;
        let trailer_bytes = INDEX_BYTES + self.name_bytes + self.reports.tag_bytes();
        let length = packet.len().checked_sub(trailer_bytes).ok_or(NotAuthentic)?;
        if length < REPORT_HEADER_BYTES {
            return Err(NotAuthentic);
        }
        let (packet, trailer) = packet.split_at_mut(length);
        let (header, body) = packet.split_at_mut(REPORT_HEADER_BYTES);
        let tag_bytes = self.reports.tag_bytes();
        let (tag_at, named_at) =
            if self.reports.is_tag_next_to_body() { (0, tag_bytes) } else { (INDEX_BYTES + self.name_bytes, 0) };
        let (tag, named) = (&trailer[tag_at..][..tag_bytes], &trailer[named_at..][..INDEX_BYTES]);
        let behind: [u8; INDEX_BYTES] = named.try_into().expect("it was cut so");
        let named = u32::from_be_bytes(behind);
        // Nobody agreed to reports in the clear.
        if named & ENCRYPTED == 0 {
            return Err(NotAuthentic);
        }
        let index = u64::from(named & !ENCRYPTED);
        let known = self.heard.iter().find(|heard| heard.ssrc == ssrc).and_then(|heard| heard.reports);
        let opens = !known.is_some_and(|window| window.is_stale(index))
            && self.reports.open(Pieces { ssrc, index, header, body, behind, kind: Kind::Reports }, tag);
        if !opens {
            return Err(NotAuthentic);
        }
        self.take(ssrc, index, |heard| &mut heard.reports).map(|()| length)
    }

    /// Remembers an authentic packet.
    fn take(
        &mut self,
        ssrc: u32,
        index: u64,
        which: impl Fn(&mut Heard) -> &mut Option<Window>,
    ) -> Result<(), NotAuthentic> {
        let heard = match self.heard.iter().position(|heard| heard.ssrc == ssrc) {
            Some(place) => &mut self.heard[place],
            None if self.heard.len() == MOST_SOURCES => return Err(NotAuthentic),
            None => self.heard.push_mut(Heard { ssrc, audio: None, reports: None }),
        };
        match which(heard) {
            Some(window) => window.take(index),
            none => *none = Some(Window::from(index)),
        }
        Ok(())
    }
}

/// Not its keys.
impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("numbers", &self.numbers).finish_non_exhaustive()
    }
}

/// Not its keys.
impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver").field("sources", &self.heard.len()).finish_non_exhaustive()
    }
}

/// What of an RTP header is needed before it is believed.
struct Head {
    /// With sources and extension, which are not encrypted.
    header_bytes: usize,
    sequence: u16,
    ssrc: u32,
}

impl Head {
    /// RFC 3550 5.1; `None` if the octets are no packet.
    fn read(packet: &[u8]) -> Option<Self> {
        let (fixed, rest) = packet.split_first_chunk::<{ super::rtp::HEADER_BYTES }>()?;
        let [first, _, high, low, _, _, _, _, ssrc @ ..] = *fixed;
        let mut header_bytes = fixed.len() + 4 * usize::from(first & 0x0f);
        if first & 0x10 != 0 {
            let extension = rest.get(header_bytes - fixed.len()..)?.first_chunk::<4>()?;
            header_bytes += 4 + 4 * usize::from(u16::from_be_bytes([extension[2], extension[3]]));
        }
        let is_packet = first >> 6 == 2 && header_bytes <= packet.len();
        let sequence = u16::from_be_bytes([high, low]);
        is_packet.then_some(Self { header_bytes, sequence, ssrc: u32::from_be_bytes(ssrc) })
    }
}

/// Who sends a compound (RFC 3550 6.4).
fn reporter(packet: &[u8]) -> Option<u32> {
    let [first, _, _, _, ssrc @ ..] = *packet.first_chunk::<REPORT_HEADER_BYTES>()?;
    (first >> 6 == 2).then(|| u32::from_be_bytes(ssrc))
}

/// RFC 3711 3.3.1: turns and sequence number.
fn number(turns: u32, sequence: u16) -> u64 {
    u64::from(turns) << 16 | u64::from(sequence)
}

/// RFC 3711 3.3.1 and appendix A: the turns that put a sequence number next to the highest number. `None` before the first.
fn turns_of(sequence: u16, highest: u64) -> Option<u32> {
    let ahead = sequence.wrapping_sub((highest & 0xffff) as u16).cast_signed();
    let index = highest.checked_add_signed(ahead.into())?;
    u32::try_from(index >> 16).ok()
}

const REPORT_HEADER_BYTES: usize = 8;
const INDEX_BYTES: usize = 4;
/// The E bit of a report (RFC 3711 3.4), above its index.
const ENCRYPTED: u32 = 1 << 31;
/// A caller has one source, and another after each transfer inside its network.
const MOST_SOURCES: usize = 16;

#[cfg(test)]
mod tests;
