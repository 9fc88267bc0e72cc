//! Refusals that leave no state (RFC 3261 8.2.7): no provisional response, no repetition, and a To tag that is a keyed
//! hash of the request, so that the same request gets the same answer and its ACK is known again.

use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::sip::message::HeaderLines;
use crate::sip::via::Via;

/// Makes the tags of refusals.
#[derive(Clone)]
pub(super) struct TagMaker {
    key: [u8; 32],
}

impl std::fmt::Debug for TagMaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[private]")
    }
}

impl TagMaker {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The tag for a request: of what its ACK repeats (RFC 3261 17.1.1.3).
    pub(super) fn tag(&self, via: &Via, lines: &HeaderLines) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        let number = lines.value("CSeq").unwrap_or_default().split_ascii_whitespace().next().unwrap_or_default();
        let (call_id, from) = (lines.value("Call-ID").unwrap_or_default(), lines.value("From").unwrap_or_default());
        for part in [via.sent_by(), via.branch().unwrap_or_default(), call_id, from, number] {
            mac.update(&part.len().to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// How many refused calls are recorded in a second: a forged source must not fill the database.
#[derive(Debug, Default)]
pub(super) struct RefusalRecords {
    second: Option<Instant>,
    written: u32,
}

impl RefusalRecords {
    /// May one more be written? At most `limit` in a second.
    pub(super) fn admit(&mut self, limit: u32, now: Instant) -> bool {
        if self.second.is_none_or(|began| now >= began + Duration::from_secs(1)) {
            (self.second, self.written) = (Some(now), 0);
        }
        let admitted = self.written < limit;
        self.written += u32::from(admitted);
        admitted
    }
}
