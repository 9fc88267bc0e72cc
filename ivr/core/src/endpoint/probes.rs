//! Calls that the operator has announced, to see what arrives of them (`caller/probe.rs`): one of a trunk at a time.

use std::time::Instant;

use crate::caller::TrunkIndex;
use crate::caller::probe::Expected;
use crate::sip::message::Request;

/// Which call of each trunk is waited for, or was the last.
#[derive(Debug)]
pub(super) struct Probes(Vec<Option<Probe>>);

#[derive(Debug)]
struct Probe {
    expected: Expected,
    until: Instant,
    /// The tag that the call was refused with: its INVITE may come again, if the refusal was lost.
    taken: Option<String>,
}

/// Is an INVITE the call that is waited for?
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    /// No: it goes on as always.
    No,
    /// Yes, this one.
    Now(Expected),
    /// It was, and comes again.
    Again,
}

impl Probes {
    /// None, of so many trunks.
    pub(super) fn new(trunks: usize) -> Self {
        Self(std::iter::repeat_with(|| None).take(trunks).collect())
    }

    /// From now on this call of the trunk is waited for until then, and no other; or none.
    pub(super) fn expect(&mut self, TrunkIndex(trunk): TrunkIndex, call: Option<(Expected, Instant)>) {
        if let Some(place) = self.0.get_mut(trunk) {
            *place = call.map(|(expected, until)| Probe { expected, until, taken: None });
        }
    }

    /// Looks at a new INVITE of a trunk; `tag` makes that of its refusal.
    pub(super) fn take(
        &mut self,
        TrunkIndex(trunk): TrunkIndex,
        invite: &Request,
        tag: impl Fn() -> String,
        now: Instant,
    ) -> Taken {
        let Some(Some(probe)) = self.0.get_mut(trunk) else { return Taken::No };
        if now >= probe.until {
            self.0[trunk] = None;
            return Taken::No;
        }
        match &probe.taken {
            Some(taken) if *taken == tag() => Taken::Again,
            Some(_) => Taken::No,
            None if invite.with_headers(|headers| probe.expected.is(headers)) => {
                probe.taken = Some(tag());
                Taken::Now(probe.expected.clone())
            }
            None => Taken::No,
        }
    }
}
