//! Which verifications a demonstration calls itself for: one call of each at a time, so that what a page tells is told of one call.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ivr_core::call::question::VerificationId;

/// The simulated calls on the line. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Simulated(Arc<Mutex<Vec<VerificationId>>>);

/// A call's place on the line, free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    of: VerificationId,
    calls: Simulated,
}

/// Why there is no place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// One of this verification is on the line.
    Taken,
    /// There are [`MOST`].
    Full,
}

impl Simulated {
    /// A place for a call of this verification.
    ///
    /// # Errors
    /// Why it cannot begin yet.
    pub(super) fn enter(&self, of: VerificationId) -> Result<Place, NoPlace> {
        let mut calls = self.calls();
        if calls.contains(&of) {
            return Err(NoPlace::Taken);
        }
        if calls.len() >= MOST {
            return Err(NoPlace::Full);
        }
        calls.push(of);
        Ok(Place { of, calls: self.clone() })
    }

    /// Is one of this verification on the line?
    pub(super) fn has(&self, id: VerificationId) -> bool {
        self.calls().contains(&id)
    }

    fn calls(&self) -> MutexGuard<'_, Vec<VerificationId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.calls.calls().retain(|id| *id != self.of);
    }
}

/// Simulated calls at a time; one more is told to wait.
const MOST: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verification_has_one_call_at_a_time_and_all_together_have_eight() {
        let (calls, id) = (Simulated::default(), |octet| VerificationId([octet; 16]));
        let mut held: Vec<Place> = (0..8).map(|octet| calls.enter(id(octet)).unwrap()).collect();
        assert_eq!(calls.enter(id(0)).unwrap_err(), NoPlace::Taken);
        assert_eq!(calls.enter(id(8)).unwrap_err(), NoPlace::Full);
        held.remove(0);
        assert!(!calls.has(id(0)) && calls.has(id(1)));
        assert!(calls.enter(id(0)).is_ok());
    }
}
