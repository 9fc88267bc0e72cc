//! Where a message ends in a stream (RFC 3261 18.3): the octets of a connection come in, whole messages go out. Nothing
//! else is understood here; the gate reads the messages.

use std::fmt;
use std::time::{Duration, Instant};

use super::header_lines::{headers, split_head, split_line};

/// What stands next in a stream.
#[derive(PartialEq, Eq)]
pub enum Framed {
    /// A message: its start line, headers and exactly its body.
    Message(Vec<u8>),
    /// The other side asks whether we are there (RFC 5626 3.5.1): [`PONG`] is the answer.
    Ping,
    /// Nothing that follows can be told apart: these octets may be refused, and the connection ends.
    Broken(Vec<u8>),
}

/// A message names people, and may hold keys: how long it is says enough.
impl fmt::Debug for Framed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(octets) => write!(f, "Message of {} octets", octets.len()),
            Self::Ping => f.write_str("Ping"),
            Self::Broken(octets) => write!(f, "Broken after {} octets", octets.len()),
        }
    }
}

/// Cuts a stream into messages.
#[derive(Default)]
pub struct Framer {
    /// What has arrived of the next message, at most [`LARGEST_MESSAGE_BYTES`] and one read more.
    buffer: Vec<u8>,
    /// Up to here there is no end of the head.
    searched: usize,
    /// The length of the message whose head is there.
    length: Option<usize>,
    /// The next message must be there.
    deadline: Option<Instant>,
    is_broken: bool,
}

impl fmt::Debug for Framer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Framer").field("octets", &self.buffer.len()).finish_non_exhaustive()
    }
}

impl Framer {
    /// Takes what has arrived.
    pub fn push(&mut self, octets: &[u8], now: Instant) {
        if self.is_broken {
            return;
        }
        self.buffer.extend_from_slice(octets);
        self.wait_for_message(now);
    }

    /// The next thing in the stream, if it is there. `now` is when the patience with the one after it begins.
    pub fn next(&mut self, now: Instant) -> Option<Framed> {
        if self.buffer.starts_with(PING) {
            self.take(PING.len(), now);
            return Some(Framed::Ping);
        }
        let blank = self.blank();
        if blank == self.buffer.len() {
            // It may become a ping.
            self.buffer.truncate(PING.len() - 1);
            return None;
        }
        self.take(blank, now);
        if self.length.is_none() {
            match self.measure() {
                Measured::Unknown => return None,
                Measured::Length(length) => self.length = Some(length),
                Measured::Endless => return self.give_up(),
            }
        }
        let length = self.length.filter(|length| *length <= self.buffer.len())?;
        Some(Framed::Message(self.take(length, now)))
    }

    /// A message that has begun must be there by then; afterwards the connection ends.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    fn measure(&mut self) -> Measured {
        // The end of the head may lie across the border of two reads.
        let is_whole = split_head(&self.buffer[self.searched.saturating_sub(3)..]).is_some();
        self.searched = self.buffer.len();
        let Some((head, body)) = split_head(&self.buffer).filter(|_| is_whole) else {
            return if self.buffer.len() > LARGEST_MESSAGE_BYTES { Measured::Endless } else { Measured::Unknown };
        };
        let (lines, _) = headers(split_line(head).1);
        let mut lengths = lines.named("Content-Length").map(|line| line.value.parse::<usize>().ok());
        // RFC 3261 20.14: over a stream it must be there.
        let Some(Some(length)) = lengths.next() else { return Measured::Endless };
        let whole = (self.buffer.len() - body.len()).saturating_add(length);
        if whole > LARGEST_MESSAGE_BYTES || lengths.any(|other| other != Some(length)) {
            return Measured::Endless;
        }
        Measured::Length(whole)
    }

    /// The first octets, away from the rest.
    fn take(&mut self, count: usize, now: Instant) -> Vec<u8> {
        if count == 0 {
            return Vec::new();
        }
        let rest = self.buffer.split_off(count);
        let taken = std::mem::replace(&mut self.buffer, rest);
        (self.searched, self.length, self.deadline) = (0, None, None);
        self.wait_for_message(now);
        taken
    }

    /// Empty lines before a start line are ignored (RFC 3261 7.5).
    fn blank(&self) -> usize {
        self.buffer.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count()
    }

    fn wait_for_message(&mut self, now: Instant) {
        if self.blank() < self.buffer.len() {
            self.deadline = self.deadline.or(Some(now + MESSAGE_PATIENCE));
        }
    }

    fn give_up(&mut self) -> Option<Framed> {
        (self.is_broken, self.deadline) = (true, None);
        Some(Framed::Broken(std::mem::take(&mut self.buffer)))
    }
}

/// How long the message is that begins the buffer.
enum Measured {
    /// Its head is not whole.
    Unknown,
    /// Octets, head and body.
    Length(usize),
    /// It does not say, or it is too long.
    Endless,
}

/// The answer to a ping (RFC 5626 3.5.1).
pub const PONG: &[u8] = b"\r\n";
const PING: &[u8] = b"\r\n\r\n";
/// What a datagram could hold, too.
pub const LARGEST_MESSAGE_BYTES: usize = 65_535;
/// From the first octet of a message to its last: a trunk writes it at once; who drips it keeps a connection.
const MESSAGE_PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPTIONS: &str = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c\r\nContent-Length: 4\r\n\r\nbody";

    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing; only differences count")]
    fn now() -> Instant {
        Instant::now()
    }

    /// Everything that a stream holds, read in pieces.
    fn framed(pieces: &[&[u8]]) -> Vec<Framed> {
        let (mut framer, now) = (Framer::default(), now());
        let mut all = Vec::new();
        for piece in pieces {
            framer.push(piece, now);
            all.extend(std::iter::from_fn(|| framer.next(now)));
        }
        all
    }

    fn message(text: &str) -> Framed {
        Framed::Message(text.as_bytes().to_vec())
    }

    #[test]
    fn messages_are_cut_wherever_the_reads_fall() {
        let stream = format!("{OPTIONS}\r\n\r\n{OPTIONS}\r\n{OPTIONS}");
        let expected = [message(OPTIONS), Framed::Ping, message(OPTIONS), message(OPTIONS)];
        assert_eq!(framed(&[stream.as_bytes()]), expected);
        for size in [1, 2, 3, 7, 50] {
            let pieces: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
            assert_eq!(framed(&pieces), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn a_message_that_does_not_say_its_length_breaks_the_stream() {
        for (name, lines) in [
            ("none", ""),
            ("no number", "Content-Length: four\r\n"),
            ("below zero", "Content-Length: -4\r\n"),
            ("two", "Content-Length: 4\r\nl: 5\r\n"),
            ("too much", "Content-Length: 65535\r\n"),
            ("more than there is", "Content-Length: 18446744073709551615\r\n"),
        ] {
            let text = format!("OPTIONS sip:a@b SIP/2.0\r\n{lines}\r\n");
            assert_eq!(framed(&[text.as_bytes(), OPTIONS.as_bytes()]), [Framed::Broken(text.into_bytes())], "{name}");
        }
    }

    #[test]
    fn a_head_without_an_end_breaks_the_stream_before_it_fills_the_memory() {
        let line = vec![b'a'; 40_000];
        assert!(matches!(&framed(&[&line, &line, &line])[..], [Framed::Broken(octets)] if octets.len() == 80_000));
    }

    #[test]
    fn the_compact_length_is_known_and_the_same_twice_is_one() {
        let text = "OPTIONS sip:a@b SIP/2.0\r\nl: 2\r\nContent-Length: 2\r\n\r\nxy";
        assert_eq!(framed(&[text.as_bytes()]), [message(text)]);
    }

    #[test]
    fn patience_begins_with_the_first_octet_and_ends_with_the_last() {
        let (mut framer, began) = (Framer::default(), now());
        framer.push(b"\r\n", began);
        assert_eq!((framer.next(began), framer.deadline()), (None, None), "half a ping may wait");
        let later = began + Duration::from_secs(3);
        framer.push(&OPTIONS.as_bytes()[..9], later);
        framer.push(&OPTIONS.as_bytes()[9..20], later + Duration::from_secs(9));
        assert_eq!(framer.next(later), None);
        assert_eq!(framer.deadline(), Some(later + MESSAGE_PATIENCE), "more of it earns no more time");
        framer.push(&OPTIONS.as_bytes()[20..], later);
        assert_eq!((framer.next(later), framer.deadline()), (Some(message(OPTIONS)), None));
    }

    proptest! {
        #[test]
        fn no_octets_make_it_keep_more_than_a_message(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..40)) {
            let (mut framer, now) = (Framer::default(), now());
            for piece in &pieces {
                framer.push(piece, now);
                while framer.next(now).is_some() {}
                prop_assert!(framer.buffer.len() <= LARGEST_MESSAGE_BYTES + piece.len());
                prop_assert!(framer.deadline().is_some() || framer.buffer.len() < PING.len() || framer.is_broken);
            }
        }
    }
}
