//! Calls over a trunk of the sandbox: what they ask, and what they are told of typed digits (docs/adr/0015-a-trunk-of-the-sandbox.md).

use std::collections::VecDeque;

use ivr_core::call::flow::Step;
use ivr_core::call::question::{Answer, Outcome, Question, VerificationId};
use ivr_core::caller::{Caller, Reason};
use ivr_core::code::Code;
use ivr_core::number::Number;
use time::OffsetDateTime;
use tracing::warn;

use super::Sandbox;
use super::rehearsal::Rehearsal;
use crate::verify::{State, Typed, certified};

impl Sandbox {
    /// What a call asks. One that is not of the sandbox finds nothing here.
    pub fn answer(&self, question: Question, now: OffsetDateTime) -> Answer {
        let mut rehearsals = self.rehearsals();
        match question {
            Question::Session(caller) if of(&caller.number, now, &mut rehearsals).next().is_some() => Answer::Expected,
            Question::Session(caller) => certificates(&caller.number, now, &rehearsals),
            Question::Code { caller, entered } => code(&caller, entered.expose(), now, &mut rehearsals),
            Question::Rehearsed { caller, rehearsal, digits } => {
                let mut all = rehearsals.iter_mut();
                let found = all.find(|one| one.id() == rehearsal && one.number() == &caller.number);
                let digits = digits.expose().clone();
                let is_kept = found.is_some_and(|one| one.read_back(digits, caller.level, now));
                if is_kept { Answer::Stored } else { Answer::Gone }
            }
            Question::Certificates(caller) => certificates(&caller.number, now, &rehearsals),
            Question::Suspend(caller) => suspend(&caller, now, &mut rehearsals),
            Question::Passport(_) | Question::ReadBack { .. } | Question::CodeOnly { .. } => Answer::Unavailable,
        }
    }

    /// A step of the call of this rehearsal, for its program.
    pub fn note_step(&self, id: VerificationId, step: Step, at: OffsetDateTime) {
        self.rehearsals().iter_mut().filter(|one| one.id() == id).for_each(|one| one.hear_step(&step, at));
    }

    /// A call over a trunk of the sandbox was refused that bore this number, for the programs that wait for it.
    pub fn note_refused(&self, number: &Number, reason: Reason, at: OffsetDateTime) {
        of(number, at, &mut self.rehearsals()).for_each(|one| one.hear_refusal(reason, at));
    }

    /// Tells the call that waits for it what became of typed digits.
    pub(super) fn tell_call(&self, id: VerificationId, typed: Typed, state: State) {
        let outcome = match typed {
            Typed::Right if state == State::Held => Outcome::Held,
            Typed::Right => Outcome::Issued,
            Typed::Voided => Outcome::Voided,
            Typed::Wrong { .. } | Typed::NotExpected(_) => return,
        };
        if self.outcomes.try_send((id, outcome)).is_err() {
            warn!(?outcome, "the outcome of a rehearsal does not reach its call: the queue is full or closed");
        }
    }
}

/// Those of a number that a call may be for.
fn of<'a>(
    number: &'a Number,
    now: OffsetDateTime,
    rehearsals: &'a mut VecDeque<Rehearsal>,
) -> impl Iterator<Item = &'a mut Rehearsal> {
    rehearsals.iter_mut().filter(move |one| one.number() == number && one.may_be_called(now))
}

/// What a caller hears who keys in no code: of all rehearsals of the number.
fn certificates(number: &Number, now: OffsetDateTime, rehearsals: &VecDeque<Rehearsal>) -> Answer {
    let all = rehearsals.iter().filter(|one| one.number() == number).map(|one| one.certificates(now));
    let (count, last) = all
        .filter(|(certificates, _)| *certificates > 0)
        .fold((0_u16, None), |(count, last), (more, at)| (count.saturating_add(more), last.max(Some(at))));
    last.map_or(Answer::NoSession, |last| certified(count, last))
}

/// As in the service, whatever the call may suspend.
fn suspend(caller: &Caller, now: OffsetDateTime, rehearsals: &mut VecDeque<Rehearsal>) -> Answer {
    let all = rehearsals.iter_mut().filter(|one| one.number() == &caller.number);
    // Each of them, and not the first alone.
    let suspended = all.map(|one| one.suspend(caller.level, now)).filter(|is_suspended| *is_suspended).count();
    if suspended > 0 { Answer::Suspended } else { Answer::NotSuspended }
}

/// As in the service, a wrong code counts against every one that it could have been for.
fn code(caller: &Caller, entered: &Code, now: OffsetDateTime, rehearsals: &mut VecDeque<Rehearsal>) -> Answer {
    if let Some(matched) = of(&caller.number, now, rehearsals).find(|one| one.has_code(entered)) {
        return Answer::Matched(matched.match_code(now));
    }
    let left = of(&caller.number, now, rehearsals).map(|one| one.miss_code(now)).max();
    left.map_or(Answer::Gone, |tries_left| Answer::Wrong { tries_left })
}
