//! What a call leaves behind: its entries in the call record, and how many of them there may be.

use super::{Call, Desk};
use crate::endpoint::{Entry, Output};
use crate::private::Private;
use crate::sip::message::{Request, Status};

impl Call {
    /// Writes an entry into the call's record.
    pub(super) fn record(&self, entry: Entry, desk: &mut Desk<'_>) {
        desk.out.push(Output::Record(self.key, entry));
    }

    /// Our answer, for the ladder.
    pub(super) fn note_reply(&mut self, status: u16, request: &Request, desk: &mut Desk<'_>) {
        self.note(true, reply_summary(status, request), desk);
    }

    /// A rung of the ladder.
    pub(super) fn note(&mut self, sent: bool, summary: String, desk: &mut Desk<'_>) {
        self.record_if_room(Entry::Message { sent, summary: Private::new(summary) }, desk);
    }

    /// Records what may come any number of times; what is too much is left out.
    pub(super) fn record_if_room(&mut self, entry: Entry, desk: &mut Desk<'_>) {
        if let Some(left) = self.records_left.checked_sub(1) {
            self.records_left = left;
            self.record(entry, desk);
        }
    }
}

/// Status line and CSeq of a response, for the ladder.
pub(crate) fn reply_summary(status: u16, request: &Request) -> String {
    format!("SIP/2.0 {} ({} {})", Status(status), request.cseq, request.method)
}

/// Messages, keys and steps of one call in its record; more are not written. A call without repetitions has about 40.
pub(super) const LONGEST_RECORD: u16 = 400;
