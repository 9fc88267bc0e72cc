//! What a number has once something is certified for it, and what happens to that: a key that waits, and suspending.

use ca::Reason as Revocation;
use ivr_core::caller::{Level, Reason};
use time::{Duration, OffsetDateTime};

use super::{Asked, Hears, Rehearsal, Stage};
use crate::issue::STOPPED;
use crate::sandbox::SandboxError;
use crate::sandbox::product::Product;
use crate::verify::State;

/// What happens to a number beside its calls, and what the passing of a day brings, if a program says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meanwhile {
    /// Another key was certified for the number lately: the one that is proved now will have to wait.
    AnotherKey,
    /// The time of a key that waits is over.
    HoldOver,
    /// A suspension was not lifted within its day.
    SuspensionFinal,
}

/// The certificate of another key, proved at L2. Nobody sees more of it than that it is there.
#[derive(Debug, Default)]
pub(super) struct OtherKey {
    is_suspended: bool,
}

impl OtherKey {
    fn suspend(&mut self, level: Level) -> bool {
        level >= Level::L2 && !std::mem::replace(&mut self.is_suspended, true)
    }
}

impl Rehearsal {
    /// Something happens, if it can; `make` makes what a key that has waited gets.
    pub(in crate::sandbox) fn meanwhile(
        &mut self,
        happens: Meanwhile,
        now: OffsetDateTime,
        make: impl FnOnce(&Asked, Level) -> Result<Product, SandboxError>,
    ) -> Result<(), SandboxError> {
        let is_open = matches!(self.state(now), State::Waiting | State::Calling | State::ReadBack);
        match (happens, &mut self.stage) {
            // Without a request nothing is certified, and nothing waits.
            (Meanwhile::AnotherKey, _) if is_open && self.asked.request.is_some() => {
                self.other = Some(OtherKey::default());
            }
            (Meanwhile::HoldOver, Stage::Held { level, .. }) => {
                self.stage = Stage::Issued(Box::new(make(&self.asked, *level)?));
                self.note("state", State::Issued.name(), now);
            }
            (Meanwhile::SuspensionFinal, Stage::Issued(product)) if product.is_suspended() => product.revoke(now),
            _ => return Err(SandboxError::NotExpected(self.state(now))),
        }
        Ok(())
    }

    /// How many certificates, and keys that wait for one, a call of the number would hear of, and when the last was made or
    /// proved.
    pub(in crate::sandbox) fn certificates(&self, now: OffsetDateTime) -> (u16, OffsetDateTime) {
        let others = u16::from(self.other.is_some() && self.awaits_its_end(now));
        match &self.stage {
            Stage::Held { since, .. } => (others + 1, *since),
            // It took the place of the other.
            Stage::Issued(product) => (u16::from(product.is_in_force()), product.made_at().unwrap_or(self.created_at)),
            _ => (others, self.created_at),
        }
    }

    /// The other key is there as long as this is open or its key waits; afterwards nothing of it is rehearsed any more.
    fn awaits_its_end(&self, now: OffsetDateTime) -> bool {
        matches!(self.state(now), State::Waiting | State::Calling | State::ReadBack | State::Held)
    }

    /// A call of its number that keys in no code, hears what there is, and presses 9: nobody makes it.
    pub(in crate::sandbox) fn hear_and_suspend(&mut self, now: OffsetDateTime) -> Hears {
        let (certificates, _) = self.certificates(now);
        if certificates == 0 && !self.may_be_called(now) {
            return Hears::Refused(Reason::NoSession);
        }
        Hears::Certificates { certificates, suspended: self.suspend(Level::L2, now) }
    }

    /// A caller of this level suspends its certificate and the other key's, or stops its key that waits. `false` if there is none that
    /// such a call may suspend, or it was suspended before.
    pub(in crate::sandbox) fn suspend(&mut self, level: Level, now: OffsetDateTime) -> bool {
        let is_there = self.awaits_its_end(now);
        let other = self.other.as_mut().filter(|_| is_there).is_some_and(|other| other.suspend(level));
        let own = match &mut self.stage {
            Stage::Held { level: proved, .. } if *proved <= level => {
                self.stage = Stage::Stopped;
                self.note("state", State::Failed.name(), now);
                true
            }
            Stage::Issued(product) => product.suspend(level, now),
            _ => false,
        };
        other || own
    }

    /// What right digits bring: a key that waits, if another was certified, or else what `make` makes.
    pub(super) fn prove(
        &self,
        level: Level,
        now: OffsetDateTime,
        make: impl FnOnce(&Asked, Level) -> Result<Product, SandboxError>,
    ) -> Result<Stage, SandboxError> {
        Ok(match &self.asked.request {
            Some(request) if self.other.is_some() => {
                Stage::Held { level, since: now, until: now + HOLD, key: request.spki_sha256() }
            }
            _ => Stage::Issued(Box::new(make(&self.asked, level)?)),
        })
    }

    /// Until when its key waits, and SHA-256 of its SPKI.
    pub(super) fn held(&self) -> (Option<OffsetDateTime>, Option<[u8; 32]>) {
        match &self.stage {
            Stage::Held { until, key, .. } => (Some(*until), Some(*key)),
            _ => (None, None),
        }
    }

    pub(super) fn failure(&self) -> Option<String> {
        matches!(self.stage, Stage::Stopped).then(|| STOPPED.to_owned())
    }
}

impl Product {
    fn is_in_force(&self) -> bool {
        matches!(self, Self::Certificate(leaf) if leaf.revoked.is_none())
    }

    fn is_suspended(&self) -> bool {
        matches!(self, Self::Certificate(leaf) if leaf.suspended.is_some())
    }

    fn made_at(&self) -> Option<OffsetDateTime> {
        match self {
            Self::Certificate(leaf) => Some(leaf.issued_at),
            Self::Result(_) => None,
        }
    }

    fn suspend(&mut self, level: Level, now: OffsetDateTime) -> bool {
        match self {
            Self::Certificate(leaf) if leaf.level <= level && leaf.suspended.is_none() && leaf.revoked.is_none() => {
                leaf.suspended = Some(now);
                true
            }
            _ => false,
        }
    }

    fn revoke(&mut self, now: OffsetDateTime) {
        if let Self::Certificate(leaf) = self {
            (leaf.suspended, leaf.revoked) = (None, Some((now, Revocation::CessationOfOperation)));
        }
    }
}

/// As in a service whose operator has not changed it; but its end comes when the program says so.
const HOLD: Duration = Duration::hours(24);
