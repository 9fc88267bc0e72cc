//! Which calls take up the lines of a number.

use std::collections::HashMap;

use crate::caller::Realm;
use crate::media::CallKey;
use crate::number::Number;

/// A number, and where it is called from: calls of one and the same in both realms have nothing to do with each other.
pub(crate) type Line = (Realm, Number);

/// The calls of each number: no entry where there is none.
#[derive(Default)]
pub(super) struct Lines(HashMap<Line, Calls>);

/// Those of a number, the oldest first.
#[derive(Default)]
struct Calls {
    /// They have a line.
    on_lines: Vec<CallKey>,
    /// They gave theirs to a newer one, and are not over: at most [`MOST_DISPLACED`].
    displaced: Vec<CallKey>,
}

impl Lines {
    /// Those that have a line of this number, the oldest first.
    pub(super) fn of(&self, line: &Line) -> &[CallKey] {
        self.0.get(line).map_or(&[], |calls| &calls.on_lines)
    }

    /// One more.
    pub(super) fn take(&mut self, line: Line, call: CallKey) {
        self.0.entry(line).or_default().on_lines.push(call);
    }

    /// May one more give its line to a newer one?
    pub(super) fn may_displace(&self, line: &Line) -> bool {
        self.0.get(line).is_none_or(|calls| calls.displaced.len() < MOST_DISPLACED)
    }

    /// It has no line any more, and takes up a place until it is over.
    pub(super) fn displace(&mut self, line: &Line, call: CallKey) {
        if let Some(calls) = self.0.get_mut(line) {
            calls.on_lines.retain(|one| *one != call);
            calls.displaced.push(call);
        }
    }

    /// It is over.
    pub(super) fn leave(&mut self, line: &Line, call: CallKey) {
        if let Some(calls) = self.0.get_mut(line) {
            calls.on_lines.retain(|one| *one != call);
            calls.displaced.retain(|one| *one != call);
            if calls.on_lines.is_empty() && calls.displaced.is_empty() {
                self.0.remove(line);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Calls of a number that gave their line away and are not over. Each keeps its place in the trunk and its port until its ACK
/// comes or is given up, so one number's forged INVITEs must not be many.
pub(super) const MOST_DISPLACED: usize = 6;
