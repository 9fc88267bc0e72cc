//! A call that bears a signed identity: what it is worth is settled before anybody is asked for a session.

use std::sync::Arc;

use super::{Answer, Assessed, Call, Caller, Desk, Entry, Output, Question, Reason, STORE_LIMIT, Stage};
use crate::call::question::Presented;
use crate::caller::Verdict;
use crate::passport::{Fault, Report};

/// Asks for it.
pub(super) fn question(assessed: &Assessed) -> Question {
    let (orig, dest) = assessed.numbers();
    let identity = assessed.passport().expect("only what bears one is unsettled").clone();
    Question::Passport(Presented { identity, orig: orig.clone(), dest: dest.clone() })
}

impl Call {
    /// It was verified, or nobody could.
    pub(super) fn on_verdict(&mut self, assessed: Assessed, answer: Answer, desk: &mut Desk<'_>) {
        let Answer::Verified(report) = answer else { return self.refuse(Reason::Unavailable, desk) };
        desk.counters.signed += u64::from(report.verdict.is_ok());
        // What was not looked at may be good.
        desk.counters.badly_signed += u64::from(report.verdict.is_err_and(|fault| fault != Fault::Busy));
        let verdict = report.verdict.into();
        self.caller = Caller { passport: Some(report.clone()), ..assessed.caller(&desk.config.policy, verdict) };
        self.record(self.verified(report), desk);
        match assessed.settle(&desk.config.policy, verdict) {
            Verdict::Accept { .. } => {
                if let Stage::Asking { gives_up_at, .. } = &mut self.stage {
                    *gives_up_at = desk.now + STORE_LIMIT;
                }
                desk.out.push(Output::Ask(self.key, Question::Session(self.caller.clone())));
            }
            Verdict::Refuse(refusal) => self.refuse(refusal.reason, desk),
        }
    }

    fn verified(&self, report: Arc<Report>) -> Entry {
        Entry::Verified { report, level: self.caller.level, caps: self.caller.caps }
    }
}
