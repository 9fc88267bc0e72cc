//! Lines that are written together, as what is new of each call: a short call that began and ended meanwhile is one row.

use std::collections::HashMap;

use ivr_core::call::flow::Step;
use ivr_core::caller::Caller;
use ivr_core::endpoint::Entry;
use time::OffsetDateTime;

use super::live::Placed;
use super::names;
use crate::store::calls::{Began, CallId, Change, Line, Signed, What};

/// What is new of calls, in the order in which they were first spoken of.
#[derive(Debug, Default)]
pub(super) struct Burst {
    changes: Vec<Change>,
    places: HashMap<CallId, usize>,
}

impl Burst {
    pub(super) fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    pub(super) fn add(&mut self, Placed { id, number, at, entry }: Placed) {
        let place = *self.places.entry(id).or_insert_with(|| {
            self.changes.push(Change::of(id));
            self.changes.len() - 1
        });
        let change = &mut self.changes[place];
        change.entries += 1;
        let said = note(change, at, entry);
        if let (Some(number), Some((kind, what))) = (number, said) {
            change.lines.push(Line { number, at, kind, what });
        }
    }
}

/// Notes what an entry says of a call, and gives what its line is to say, if it has one: the kind, and what stands beside it.
fn note(change: &mut Change, at: OffsetDateTime, entry: Entry) -> Option<(&'static str, What)> {
    match entry {
        Entry::Began { sip_call_id, trunk, realm: _, source, caller } => {
            let sip_call_id = names::stored(&sip_call_id).into_owned();
            change.began = Some(Began { at, sip_call_id, trunk, source });
            if let Some(Caller { number, level, caps, line, trunk: _, realm: _, passport: _ }) = caller {
                change.number = Some(number);
                change.worth = Some((level, caps));
                change.line = line;
            }
            None
        }
        Entry::Message { sent, summary } => Some((if sent { "sent" } else { "received" }, What::Message(summary))),
        Entry::Verified { report, level, caps } => {
            let signed = Signed::of(&report);
            change.worth = Some((level, caps));
            let verdict = signed.verdict.clone().into();
            change.signed = Some(signed);
            Some(("signed", What::Word(verdict)))
        }
        Entry::Answered { setup } => {
            change.setup = Some(setup);
            Some(("answered", What::Nothing))
        }
        Entry::Step(step) => {
            match step {
                Step::CodeMatched(verification) => change.verification = Some(verification),
                Step::Ended(ending) => change.outcome = change.outcome.or(Some(names::ending(ending))),
                _ => {}
            }
            Some(("step", What::Word(names::step(&step))))
        }
        Entry::KeyPressed { source, matched } => Some(("key", What::Word(names::key(source, matched)))),
        Entry::Refused { reason, claimed } => {
            change.refusal = Some((reason.status(), reason.code()));
            change.outcome = Some("refused");
            change.number = claimed.or(change.number.take());
            Some(("refused", What::Word(reason.code().into())))
        }
        Entry::Quality(quality) => {
            change.quality = Some(quality);
            None
        }
        Entry::Over { duration } => {
            change.duration = Some(duration);
            // A conversation that said nothing of its end was cancelled before it began.
            change.outcome = change.outcome.or(Some("cancelled"));
            Some(("over", What::Nothing))
        }
    }
}
