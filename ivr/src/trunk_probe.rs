//! The use case: an operator calls over a trunk in ways that are known, and sees what arrives and which profile that proposes
//! (docs/trunks.md, "Probing it").
//!
//! What arrived is kept in memory only, of each trunk, for an hour: it bears numbers, and is nobody's record. A node sees the
//! calls that come to it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ivr_core::caller::probe::{Call, Expected, Step};
use ivr_core::caller::{TrunkIndex, TrunkProfile};
use tokio::sync::mpsc;

use crate::sip_driver::{Announced, Announcements};

/// How long a call is waited for.
pub const PATIENCE: Duration = Duration::from_secs(180);
/// How long what arrived is shown after the last that was done.
const KEPT: Duration = Duration::from_secs(60 * 60);
/// Announcements that the SIP task has not taken up (it takes them at once; when it is full, the operator is told to try
/// again), and what arrived that nobody has looked at.
const QUEUE: usize = 16;

/// The use case. Clones share everything.
#[derive(Debug, Clone)]
pub struct TrunkProbes(Arc<Shared>);

struct Shared {
    trunks: Vec<TrunkProfile>,
    /// Of each trunk.
    places: Mutex<Places>,
    announce: mpsc::Sender<Announced>,
}

struct Places {
    running: Vec<Option<Running>>,
    arrived: mpsc::Receiver<(TrunkIndex, Call)>,
}

/// Who called is nobody's business.
impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("trunks", &self.trunks.len()).finish_non_exhaustive()
    }
}

/// A probe of a trunk.
struct Running {
    /// Who does it.
    operator: String,
    awaited: Option<(Expected, Instant)>,
    /// One of a step at most: the last.
    calls: Vec<Call>,
    forgotten_at: Instant,
}

/// How the probe of a trunk stands.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// Who does it, if anybody.
    pub operator: Option<String>,
    /// Which call is waited for, and for how long still.
    pub awaited: Option<(Step, Duration)>,
    /// What arrived, in the order of the steps.
    pub calls: Vec<Call>,
}

/// Why no call is waited for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// One at a time.
    #[error("{operator} is waiting for a call over this trunk: one at a time")]
    Busy {
        /// Who.
        operator: String,
    },
    /// The telephone does not take it up.
    #[error("the telephone is busy: try again in a moment")]
    Unavailable,
}

impl TrunkProbes {
    /// Of these trunks, and the SIP task's side of it.
    pub(crate) fn new(trunks: Vec<TrunkProfile>) -> (Self, Announcements) {
        let ((announce, announced), (tell, arrived)) = (mpsc::channel(QUEUE), mpsc::channel(QUEUE));
        let places = Mutex::new(Places { running: trunks.iter().map(|_| None).collect(), arrived });
        (Self(Arc::new(Shared { trunks, places, announce })), Announcements { announced, arrived: tell })
    }

    /// The trunks, in the order of the configuration.
    pub fn trunks(&self) -> &[TrunkProfile] {
        &self.0.trunks
    }

    /// The trunk of this name.
    pub fn named(&self, name: &str) -> Option<(TrunkIndex, &TrunkProfile)> {
        (0..).map(TrunkIndex).zip(&self.0.trunks).find(|(_, trunk)| trunk.name == name)
    }

    /// How it stands with a trunk.
    pub fn view(&self, trunk: TrunkIndex, now: Instant) -> View {
        let mut places = self.places(now);
        let Some(Some(running)) = places.running.get_mut(trunk.0) else { return View::default() };
        let awaited = running.awaited.as_ref().map(|(expected, until)| (expected.step, *until - now));
        let mut calls = running.calls.clone();
        calls.sort_by_key(|call| Step::ALL.iter().position(|step| *step == call.expected.step));
        View { operator: Some(running.operator.clone()), awaited, calls }
    }

    /// From now on this call is waited for. What arrived of its step before is forgotten.
    ///
    /// # Errors
    /// If another operator waits, or the telephone takes nothing up.
    pub fn expect(
        &self,
        trunk: TrunkIndex,
        operator: &str,
        expected: Expected,
        now: Instant,
    ) -> Result<(), ProbeError> {
        let mut places = self.places(now);
        let Some(place) = places.running.get_mut(trunk.0) else { return Err(ProbeError::Unavailable) };
        if let Some(running) =
            place.as_ref().filter(|running| running.awaited.is_some() && running.operator != operator)
        {
            return Err(ProbeError::Busy { operator: running.operator.clone() });
        }
        let until = now + PATIENCE;
        let announced = (trunk, Some((expected.clone(), until)));
        self.0.announce.try_send(announced).map_err(|_| ProbeError::Unavailable)?;
        let mut calls = place.take().map(|running| running.calls).unwrap_or_default();
        calls.retain(|call| call.expected.step != expected.step);
        let (awaited, forgotten_at) = (Some((expected, until)), now + KEPT);
        *place = Some(Running { operator: operator.to_owned(), awaited, calls, forgotten_at });
        Ok(())
    }

    /// Nobody waits any more, and what arrived is forgotten.
    pub fn forget(&self, trunk: TrunkIndex, now: Instant) {
        if let Some(place) = self.places(now).running.get_mut(trunk.0) {
            *place = None;
            // Without room it ends by itself, in minutes.
            let _full = self.0.announce.try_send((trunk, None));
        }
    }

    /// All places, with what has arrived and without what is over.
    fn places(&self, now: Instant) -> MutexGuard<'_, Places> {
        let mut places = self.0.places.lock().unwrap_or_else(PoisonError::into_inner);
        let Places { running, arrived } = &mut *places;
        while let Ok((trunk, call)) = arrived.try_recv() {
            // The call of the step before may come when the next is waited for already.
            if let Some(Some(running)) = running.get_mut(trunk.0)
                && running.awaited.take_if(|(expected, _)| *expected == call.expected).is_some()
            {
                running.calls.push(call);
                running.forgotten_at = now + KEPT;
            }
        }
        for place in running.iter_mut() {
            if place.as_ref().is_some_and(|running| now >= running.forgotten_at) {
                *place = None;
            } else if let Some(running) = place {
                running.awaited.take_if(|(_, until)| now >= *until);
            }
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use ivr_core::caller::Policy;
    use ivr_core::caller::probe::Capture;
    use ivr_core::number::{KindPolicy, Number};

    use super::*;
    use crate::clock::Clock;

    const A: TrunkIndex = TrunkIndex(0);
    const B: TrunkIndex = TrunkIndex(1);

    fn probes() -> (TrunkProbes, Announcements, Instant) {
        let trunk = |name: &str| TrunkProfile { name: name.to_owned(), ..TrunkProfile::default() };
        let (probes, sip) = TrunkProbes::new(vec![trunk("a"), trunk("b")]);
        (probes, sip, Clock.now())
    }

    fn expected(step: Step) -> Expected {
        Expected { step, number: Number::parse("+12025550143").unwrap(), forwarder: None }
    }

    fn call(step: Step, name: &str) -> Call {
        let policy = Policy {
            trunks: vec![TrunkProfile::default()],
            issue_from: ivr_core::caller::Level::L2.into(),
            kinds: KindPolicy::default(),
        };
        let source = ivr_core::sip::peer::Peer::udp("192.0.2.1:5060".parse().unwrap());
        let capture = Capture::of(&policy, A, source, "sip:x@h", &[(name, "1")]);
        Call { expected: expected(step), capture }
    }

    #[test]
    fn the_last_call_of_a_step_is_kept_and_shown_in_their_order() {
        let (probes, mut sip, now) = probes();
        for (step, name) in [(Step::Withheld, "X-1"), (Step::Normal, "X-2"), (Step::Withheld, "X-3")] {
            probes.expect(B, "ada", expected(step), now).unwrap();
            let announced = sip.announced.try_recv().unwrap();
            assert_eq!(announced, (B, Some((expected(step), now + PATIENCE))));
            assert_eq!(probes.view(B, now).awaited, Some((step, PATIENCE)));
            sip.arrived.try_send((B, call(step, name))).unwrap();
            assert_eq!(probes.view(B, now).awaited, None);
        }
        let shown: Vec<String> =
            probes.view(B, now).calls.iter().map(|call| call.capture.headers[0].0.clone()).collect();
        assert_eq!(shown, ["X-2", "X-3"]);
        assert!(probes.view(A, now).calls.is_empty());
        // What nobody waits for is not kept.
        sip.arrived.try_send((A, call(Step::Normal, "X-4"))).unwrap();
        sip.arrived.try_send((B, call(Step::Normal, "X-4"))).unwrap();
        assert_eq!((probes.view(A, now).calls.len(), probes.view(B, now).calls.len()), (0, 2));
        probes.forget(B, now);
        assert!(probes.view(B, now).calls.is_empty());
        assert_eq!(sip.announced.try_recv().unwrap(), (B, None));
    }

    #[test]
    fn a_call_that_comes_late_is_not_taken_for_the_next_step() {
        let (probes, sip, now) = probes();
        probes.expect(A, "ada", expected(Step::Normal), now).unwrap();
        probes.expect(A, "ada", expected(Step::Forwarded), now).unwrap();
        sip.arrived.try_send((A, call(Step::Normal, "X-1"))).unwrap();
        let view = probes.view(A, now);
        assert_eq!((view.awaited, view.calls.len()), (Some((Step::Forwarded, PATIENCE)), 0));
        sip.arrived.try_send((A, call(Step::Forwarded, "X-2"))).unwrap();
        assert_eq!(probes.view(A, now).calls, [call(Step::Forwarded, "X-2")]);
    }

    #[test]
    fn one_operator_waits_at_a_time_for_three_minutes_and_all_is_forgotten_in_an_hour() {
        let (probes, sip, now) = probes();
        probes.expect(A, "ada", expected(Step::Normal), now).unwrap();
        let busy = probes.expect(A, "bob", expected(Step::Normal), now);
        assert_eq!(busy, Err(ProbeError::Busy { operator: "ada".to_owned() }));
        probes.expect(B, "bob", expected(Step::Normal), now).unwrap();
        sip.arrived.try_send((A, call(Step::Normal, "X-1"))).unwrap();
        probes.expect(A, "bob", expected(Step::Abroad), now).unwrap();
        assert_eq!(probes.view(A, now).operator.as_deref(), Some("bob"));
        let later = now + PATIENCE;
        assert_eq!(probes.view(A, later).awaited, None);
        probes.expect(A, "ada", expected(Step::Abroad), later).unwrap();
        assert_eq!(probes.view(A, later + KEPT - Duration::from_secs(1)).calls.len(), 1);
        assert!(probes.view(A, later + KEPT).calls.is_empty());
    }

    #[test]
    fn without_the_telephone_nobody_waits() {
        let (probes, sip, now) = probes();
        drop(sip);
        assert_eq!(probes.expect(A, "ada", expected(Step::Normal), now), Err(ProbeError::Unavailable));
        assert_eq!(probes.view(A, now).awaited, None);
    }
}
