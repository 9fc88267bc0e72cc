//! Refusals that leave no state (RFC 3261 8.2.7): no provisional response, no repetition, and a To tag that is a keyed
//! hash of the request, so that the same request gets the same answer and its ACK is known again.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::caller::{Realm, Reason};
use crate::sip::header_lines::HeaderLines;
use crate::sip::resending::LIFETIME;
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

/// The refusals of each realm: who rehearses must take neither the lines of real calls nor their places in the memory.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    of_service: RefusalRecords,
    of_sandbox: RefusalRecords,
}

impl Refusals {
    /// Those of this realm.
    pub(super) fn of(&mut self, realm: Realm) -> &mut RefusalRecords {
        match realm {
            Realm::Service => &mut self.of_service,
            Realm::Sandbox => &mut self.of_sandbox,
        }
    }
}

/// Which refused calls are recorded: each once, and not too many in a second, because a forged source must not fill the
/// database.
#[derive(Debug, Default)]
pub(super) struct RefusalRecords {
    second: Second,
    /// The tags of the last refusals and why, at most [`MOST_RECENT`]; when there are more, a late repetition of an INVITE
    /// may be recorded again.
    recent: HashMap<String, Reason>,
    in_order: VecDeque<(Instant, String)>,
}

/// What was written in a second.
#[derive(Debug, Default)]
struct Second {
    began: Option<Instant>,
    written: u32,
}

impl RefusalRecords {
    /// May one more be written? At most `limit` in a second.
    pub(super) fn admit(&mut self, limit: u32, now: Instant) -> bool {
        let second = &mut self.second;
        if second.began.is_none_or(|began| now >= began + Duration::from_secs(1)) {
            *second = Second { began: Some(now), written: 0 };
        }
        let admitted = second.written < limit;
        second.written += u32::from(admitted);
        admitted
    }

    /// Why the INVITE that got this tag was refused, if it was.
    pub(super) fn reason(&mut self, tag: &str, now: Instant) -> Option<Reason> {
        let is_old = |at: &Instant| *at + LIFETIME <= now;
        while let Some((_, old)) = self.in_order.pop_front_if(|(at, _)| is_old(at)) {
            self.recent.remove(&old);
        }
        self.recent.get(tag).copied()
    }

    /// Was the INVITE that gets this tag refused before? From now on it was.
    pub(super) fn is_repeated(&mut self, tag: String, reason: Reason, now: Instant) -> bool {
        if self.reason(&tag, now).is_some() {
            return true;
        }
        if self.in_order.len() >= MOST_RECENT
            && let Some((_, oldest)) = self.in_order.pop_front()
        {
            self.recent.remove(&oldest);
        }
        self.recent.insert(tag.clone(), reason);
        self.in_order.push_back((now, tag));
        false
    }
}

/// Refusals of the sandbox that are recorded in a second, if those of the service are not fewer: developers read them, one by one.
pub(super) const RECORDED_OF_THE_SANDBOX: u32 = 5;
/// Refusals of a realm that are remembered.
const MOST_RECENT: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing")]
    fn who_rehearses_takes_no_place_in_the_memory_of_real_refusals() {
        let (mut refusals, now) = (Refusals::default(), Instant::now());
        refusals.of(Realm::Service).is_repeated("a carrier's".to_owned(), Reason::NoSession, now);
        for n in 0..=MOST_RECENT {
            refusals.of(Realm::Sandbox).is_repeated(n.to_string(), Reason::Credentials, now);
        }
        assert_eq!(refusals.of(Realm::Sandbox).reason("0", now), None, "the first made place for the last");
        assert_eq!(refusals.of(Realm::Service).reason("a carrier's", now), Some(Reason::NoSession));
    }
}
