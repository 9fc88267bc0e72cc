//! What a proxy shows of a slot, line by line, within limits.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Response;
use serde::Deserialize;
use time::OffsetDateTime;
use tokio::time::timeout;

use super::super::lines::Lines;
use super::super::{KEPT_ITEMS, newest_first};
use crate::item::{Item, Slot};

/// How long a flood may last, from the first byte of the answer, is two of these, and a line that is begun in time for one is ended
/// before the next. With it, a flooded slot is answered for within 2 s, of which a node that is busy with the flood takes half a
/// second to begin.
const TICK: Duration = Duration::from_millis(600);
/// An answer with more lines that are not ours, or with more bytes in lines that may be, is a flood. A smaller one may take as long as its reader
/// waits: an honest node says what it has at once, and that this is all when its search has ended, which takes seconds where
/// other nodes are dead. Who took it for flooded would let a stranger's one line hide that nothing is there.
const FEW_LINES: usize = 100;
const FEW_BYTES: usize = 256 * 1024;
/// An answer that brings so many lines in each of so many ticks one after the other, and no item with them, comes drop by drop: what strangers
/// put, an honest node says at once, too. Fewer may be what one put meanwhile, or what the next of its neighbours knew: an item may follow.
const DRIPS: u32 = 3;
const DRIP_LINES: usize = 3;
/// So many lines that are not ours: nodes keep a limited number of values, so ours may have been crowded out. What follows is
/// read all the same, for a node says the oldest first, and a tombstone may stand behind the flood.
const JUNK_LIMIT: usize = 1000;
/// How many bytes of one answer are read.
const STREAM_LIMIT: usize = 8 * 1024 * 1024;

/// What one proxy showed of a slot.
#[derive(Debug, Default)]
pub(super) struct View {
    pub(super) items: Vec<Item>,
    /// How many lines were none of ours.
    junk: usize,
    pub(super) end: End,
}

/// How its answer ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum End {
    /// The proxy said all it had.
    Complete,
    /// It said more than we read.
    Flooded,
    /// It had begun, and was not waited for any longer: nobody knows what it would have said.
    Cut,
    /// It is dead, alone, stopped in the middle, or did not begin in time.
    #[default]
    Silent,
}

/// An answer that is being read.
struct Answering {
    response: Response,
    lines: Lines,
    /// How many bytes came so far.
    read: usize,
}

/// What is looked for: a slot's items, so many, and that hold now.
type Wanted<'a> = (&'a Slot, usize, OffsetDateTime);

impl View {
    /// What is seen of an answer that comes in chunks of this length.
    #[cfg(any(test, fuzzing))]
    pub(super) fn of(bytes: &[u8], chunk: usize, slot: &Slot, now: OffsetDateTime) -> Self {
        let (mut view, mut lines) = (Self::default(), Lines::default());
        bytes.chunks(chunk).for_each(|chunk| lines.push(chunk, |line| view.judge(line, slot, now)));
        lines.finish(|line| view.judge(line, slot, now));
        view
    }

    /// Reads an answer to its end, or until there are `enough` items.
    pub(super) async fn collect(&mut self, response: Response, slot: &Slot, enough: usize, now: OffsetDateTime) {
        let (mut answer, wanted) = (Answering { response, lines: Lines::default(), read: 0 }, (slot, enough, now));
        let end = match self.read_chunk(&mut answer, wanted).await {
            Some(end) => end,
            None => self.read_rest(&mut answer, wanted).await,
        };
        self.end = if end == End::Complete && self.junk > JUNK_LIMIT { End::Flooded } else { end };
    }

    /// Reads what follows the first bytes.
    async fn read_rest(&mut self, answer: &mut Answering, wanted: Wanted<'_>) -> End {
        let (mut ticks, mut unended) = (0_u32, None);
        let (mut drips, mut ended) = (0, answer.lines.ended());
        loop {
            let is_slow = ticks >= 2;
            if let Ok(end) = timeout(TICK, self.read_on(answer, is_slow, wanted)).await {
                return end;
            }
            ticks += 1;
            // An honest node says whole lines: one that was begun at the last tick and has not ended comes drop by drop. (Another may be
            // on its way at any time.)
            let line = answer.lines.unended();
            drips = if answer.lines.ended() >= ended + DRIP_LINES { drips + 1 } else { 0 };
            let is_drip = line.is_some() && line == unended || drips >= DRIPS && self.items.is_empty();
            if ticks >= 2 && (self.is_flood(answer) || is_drip) {
                return End::Flooded;
            }
            (unended, ended) = (line, answer.lines.ended());
        }
    }

    /// Reads an answer to its end; one that was slow before no further than it is small.
    async fn read_on(&mut self, answer: &mut Answering, is_slow: bool, wanted: Wanted<'_>) -> End {
        loop {
            if let Some(end) = self.read_chunk(answer, wanted).await {
                return end;
            }
            if is_slow && self.is_flood(answer) {
                return End::Flooded;
            }
        }
    }

    /// Reads what came next, and says if that was the last. (While a chunk is held, the HTTP library reads another into a second
    /// buffer: it is let go before that is waited for.)
    async fn read_chunk(&mut self, answer: &mut Answering, (slot, enough, now): Wanted<'_>) -> Option<End> {
        match answer.response.chunk().await {
            Ok(Some(bytes)) => {
                answer.read += bytes.len();
                if answer.read > STREAM_LIMIT {
                    return Some(End::Flooded);
                }
                answer.lines.push(&bytes, |line| self.judge(line, slot, now));
                (self.items.len() >= enough).then_some(End::Silent)
            }
            Ok(None) => {
                answer.lines.finish(|line| self.judge(line, slot, now));
                Some(End::Complete)
            }
            Err(_) => Some(End::Silent),
        }
    }

    fn is_flood(&self, answer: &Answering) -> bool {
        self.junk > FEW_LINES || answer.lines.weight() > FEW_BYTES
    }

    fn judge(&mut self, line: &[u8], slot: &Slot, now: OffsetDateTime) {
        let item = serde_json::from_slice::<Line>(line)
            .ok()
            .and_then(|line| STANDARD.decode(line.data).ok())
            .and_then(|bytes| Item::from_bytes(&bytes, slot, now).ok());
        let Some(item) = item else {
            self.junk += 1;
            return;
        };
        if !self.items.contains(&item) {
            self.items.push(item);
            if self.items.len() > KEPT_ITEMS {
                self.items = newest_first(std::mem::take(&mut self.items));
                self.items.truncate(KEPT_ITEMS);
            }
        }
    }
}

/// A value as the proxy writes it; its other fields are the proxy's own.
#[derive(Deserialize)]
pub(super) struct Line {
    pub(super) data: String,
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use proptest::prelude::*;

    use super::*;

    fn now() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap()
    }

    fn good() -> Item {
        Item::sign(&SigningKey::from_bytes(&[1; 32]), b"slot", 1, b"hello".to_vec(), now()).unwrap()
    }

    /// What is seen of these bytes.
    fn seen(bytes: &[u8]) -> View {
        View::of(bytes, usize::MAX, good().slot(), now())
    }

    proptest! {
        /// Of whatever a proxy writes, only what the slot's key signed comes out.
        #[test]
        fn any_bytes_are_junk(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert!(seen(&bytes).items.is_empty());
        }

        #[test]
        fn a_changed_line_is_junk_or_says_the_same(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut line = format!("{{\"id\":\"1\",\"data\":\"{}\"}}", STANDARD.encode(good().to_bytes())).into_bytes();
            let at = at.index(line.len());
            line[at] = byte;
            let view = seen(&line);
            prop_assert!(view.items == [good()] || (view.items.is_empty() && view.junk > 0));
        }
    }
}
