//! The numbering plans of the world. With their regular expressions they take 6 MiB, so they are made when a number is read,
//! and can be forgotten until the next one is.

use std::sync::{Arc, PoisonError, RwLock};

use rlibphonenumber::PhoneNumberUtil;

/// The process's own. The library's, a static, would stay for ever.
pub(super) static PLANS: Plans = Plans(RwLock::new(None));

/// The plans, if they are there.
pub(super) struct Plans(RwLock<Option<Arc<PhoneNumberUtil>>>);

impl Plans {
    /// The plans; made, which takes some 5 ms, if they are not there.
    pub(super) fn get(&self) -> Arc<PhoneNumberUtil> {
        // They are made before they are put: whoever panicked while holding the lock left them whole, or none.
        if let Some(plans) = &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            return plans.clone();
        }
        let mut place = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let made = || Arc::new(PhoneNumberUtil::new().expect("the plans that the library was shipped with"));
        place.get_or_insert_with(made).clone()
    }

    /// Gives back their memory; who still reads a number has them until it is read.
    pub(super) fn forget(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_made_once_until_they_are_forgotten_and_then_again() {
        let plans = Plans(RwLock::new(None));
        let first = plans.get();
        assert!(Arc::ptr_eq(&first, &plans.get()));
        let memory = Arc::downgrade(&first);
        plans.forget();
        assert!(memory.upgrade().is_some(), "a number is still being read");
        drop(first);
        assert!(memory.upgrade().is_none(), "forgotten plans keep their memory");
        assert!(plans.get().parse("+12025550143", None).is_ok());
    }
}
