//! Which calls take up the lines of a number.

use std::collections::HashMap;

use crate::caller::Realm;
use crate::media::CallKey;
use crate::number::Number;

/// A number, and where it is called from: calls of one and the same in both realms have nothing to do with each other.
pub(crate) type Line = (Realm, Number);

/// The calls of each number: no entry where there is none.
#[derive(Default)]
pub(super) struct Lines(HashMap<Line, Vec<CallKey>>);

impl Lines {
    /// Those of a number, the oldest first.
    pub(super) fn of(&self, line: &Line) -> &[CallKey] {
        self.0.get(line).map_or(&[], Vec::as_slice)
    }

    /// One more.
    pub(super) fn take(&mut self, line: Line, call: CallKey) {
        self.0.entry(line).or_default().push(call);
    }

    /// One less, if it was one.
    pub(super) fn leave(&mut self, line: &Line, call: CallKey) {
        if let Some(calls) = self.0.get_mut(line) {
            calls.retain(|one| *one != call);
            if calls.is_empty() {
                self.0.remove(line);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
