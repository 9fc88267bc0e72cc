//! Which slots the log was told about lately: whoever has a key may sign two things under one number in it, and have it read
//! as often as they like.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;

use crate::item::SlotId;

/// A slot is worth a line so often.
const EVERY: Duration = Duration::from_secs(3600);
/// So many slots are remembered; while there are as many, no other is worth a line.
const SLOTS: usize = 1000;

/// The slots, and when each had its line. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Warned(Arc<Mutex<HashMap<SlotId, OffsetDateTime>>>);

impl Warned {
    /// Whether this slot is worth a line now; then it has had it.
    pub(super) fn admit(&self, slot: SlotId, now: OffsetDateTime) -> bool {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|_, at| *at + EVERY > now);
        if lines.len() >= SLOTS || lines.contains_key(&slot) {
            return false;
        }
        lines.insert(slot, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_has_a_line_an_hour_and_all_together_have_a_bound() {
        let at = |seconds: i64| OffsetDateTime::from_unix_timestamp(1_800_000_000 + seconds).unwrap();
        let slot = |number: usize| {
            let mut bytes = [0; 20];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            SlotId(bytes)
        };
        let warned = Warned::default();
        let admitted = [0, 1, 3599, 3600, 7199].map(|seconds| warned.admit(slot(0), at(seconds)));
        assert_eq!(admitted, [true, false, false, true, false]);
        assert_eq!((1..=SLOTS).filter(|&number| warned.admit(slot(number), at(7199))).count(), SLOTS - 1);
        assert!(warned.admit(slot(SLOTS), at(7200)), "the first is forgotten");
    }
}
