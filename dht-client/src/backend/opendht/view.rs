//! What a proxy shows of a slot, line by line, within limits.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use reqwest::Response;
use serde::Deserialize;
use time::OffsetDateTime;
use tokio::time::timeout;

use super::super::lines::Lines;
use super::super::{KEPT_ITEMS, newest_first};
use crate::item::{Item, Slot};

/// How long a proxy may go on sending lines after its first byte: with it, a flooded slot is answered for within 2 s, of which
/// a node that is busy with the flood takes half a second to begin.
const STREAM_PATIENCE: Duration = Duration::from_millis(1200);
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
    /// It is dead, alone, or stopped in the middle.
    #[default]
    Silent,
}

impl View {
    /// Reads an answer to its end, or until there are `enough` items.
    pub(super) async fn collect(&mut self, response: Response, slot: &Slot, enough: usize, now: OffsetDateTime) {
        let mut stream = response.bytes_stream();
        let mut lines = Lines::default();
        let mut read = 0;
        let Some(mut chunk) = stream.next().await else {
            self.end = End::Complete;
            return;
        };
        let reading = async {
            loop {
                let Ok(bytes) = chunk else { return End::Silent };
                read += bytes.len();
                if read > STREAM_LIMIT {
                    return End::Flooded;
                }
                lines.push(&bytes, |line| self.judge(line, slot, now));
                if self.items.len() >= enough {
                    return End::Silent;
                }
                // While it is held, the HTTP library reads the next chunk into a second buffer.
                drop(bytes);
                chunk = match stream.next().await {
                    Some(next) => next,
                    None => {
                        lines.finish(|line| self.judge(line, slot, now));
                        return End::Complete;
                    }
                };
            }
        };
        self.end = timeout(STREAM_PATIENCE, reading).await.unwrap_or(End::Flooded);
        if self.end == End::Complete && self.junk > JUNK_LIMIT {
            self.end = End::Flooded;
        }
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
