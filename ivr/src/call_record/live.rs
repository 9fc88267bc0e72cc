//! What is remembered of the calls on the line.

use std::collections::BTreeMap;

use ivr_core::call::flow::{Ending, Step};
use ivr_core::call::question::VerificationId;
use ivr_core::caller::{Level, Realm};
use ivr_core::endpoint::Entry;
use ivr_core::media::CallKey;
use ivr_core::number::Number;
use time::OffsetDateTime;

use crate::clock::Clock;
use crate::sip_driver::Recorded;
use crate::store::calls::CallId;

/// Lines of a call that are kept. Who talks on and on adds none beyond; the figures at its end still count.
pub(super) const LINES: i64 = 1_000;
/// More than there are calls at a time.
pub(super) const REMEMBERED: usize = 20_000;

/// A line on its way to the database.
pub(super) struct Placed {
    pub(super) id: CallId,
    /// Its place among the call's lines; `None` if the call has enough of them.
    pub(super) number: Option<i64>,
    pub(super) at: OffsetDateTime,
    pub(super) entry: Entry,
}

/// The calls on the line, from their first line to their last: at most [`REMEMBERED`], because a call's last line may have
/// been dropped under load. Beyond, the oldest is forgotten and its later lines with it.
#[derive(Debug, Default)]
pub(super) struct Live(BTreeMap<CallKey, Remembered>);

#[derive(Debug)]
struct Remembered {
    id: CallId,
    realm: Realm,
    lines: i64,
    /// The page that follows this call, since its code was keyed in.
    page: Option<VerificationId>,
    /// Whose call it is, if it counts.
    number: Option<Number>,
    /// What it can prove, as far as that is known.
    level: Option<Level>,
    /// Its source is its own, and it was spoken to.
    is_confirmed: bool,
}

impl Live {
    pub(super) fn begin(&mut self, Recorded { call, at, entry }: &Recorded, clock: Clock) {
        if let Entry::Began { caller, realm, .. } = entry {
            let (id, realm) = (CallId::new(*at, clock.bytes()), *realm);
            // What is rehearsed uses nothing up.
            let counts = caller.as_ref().filter(|_| realm == Realm::Service);
            let (number, level) = counts.map(|caller| (caller.number.clone(), caller.level)).unzip();
            self.0.insert(*call, Remembered { id, realm, lines: 0, page: None, number, level, is_confirmed: false });
            if self.0.len() > REMEMBERED {
                self.0.pop_first();
            }
        }
    }

    /// Where a line goes. A call whose beginning was dropped under load has no row to add to.
    pub(super) fn place(&mut self, Recorded { call, at, entry }: Recorded) -> Option<Placed> {
        let remembered = self.0.get_mut(&call)?;
        let id = remembered.id;
        let number = (remembered.lines < LINES).then(|| {
            remembered.lines += 1;
            remembered.lines
        });
        if matches!(entry, Entry::Refused { .. } | Entry::Over { .. }) {
            self.0.remove(&call);
        }
        Some(Placed { id, number, at, entry })
    }

    /// Whose pages may hear of a call; `None` if its beginning was dropped under load.
    pub(super) fn realm(&self, call: CallKey) -> Option<Realm> {
        self.0.get(&call).map(|remembered| remembered.realm)
    }

    /// The page that hears of a call's step: the one whose code was keyed in. A page follows one call, the one that keyed
    /// the code in last: the end of an earlier call must not end the one that goes on.
    pub(super) fn page(&mut self, call: CallKey, step: &Step) -> Option<VerificationId> {
        if let Step::CodeMatched(page) = step {
            let earlier = self.0.values_mut().filter(|remembered| remembered.page == Some(*page));
            earlier.for_each(|remembered| remembered.page = None);
            self.0.get_mut(&call)?.page = Some(*page);
        }
        self.0.get(&call)?.page
    }

    /// The number of a call that ends here without a right code: it was answered for nothing. A call whose source is not
    /// known to be its own, or that we failed, counts for nobody.
    pub(super) fn fruitless(&mut self, Recorded { call, entry, .. }: &Recorded) -> Option<Number> {
        let (Entry::Step(step), Some(remembered)) = (entry, self.0.get_mut(call)) else { return None };
        match step {
            Step::Warning | Step::Telling => remembered.is_confirmed = true,
            Step::CodeMatched(_) | Step::Ended(Ending::Suspended | Ending::ServiceFailed) => remembered.number = None,
            Step::Ended(_) if remembered.is_confirmed => return remembered.number.take(),
            _ => {}
        }
        None
    }

    /// Number and level of a call that is told of certificates from here on.
    pub(super) fn told(&mut self, Recorded { call, entry, .. }: &Recorded) -> Option<(Number, Level)> {
        let remembered = self.0.get_mut(call)?;
        match entry {
            Entry::Verified { level, .. } => remembered.level = Some(*level),
            Entry::Step(Step::Telling) => return remembered.number.clone().zip(remembered.level),
            _ => {}
        }
        None
    }

    /// How many calls are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
