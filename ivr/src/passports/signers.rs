//! Signers by the place of their certificate, remembered for a while, and so are those that cannot be had: each call of a
//! provider would fetch the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ivr_core::passport::{Fault, Signer};
use tokio::sync::OnceCell;

use super::{Fetcher, TrustFiles};
use crate::clock::Clock;

#[derive(Debug)]
pub(super) struct Signers {
    trust: TrustFiles,
    fetcher: Fetcher,
    known: Mutex<HashMap<String, Known>>,
    clock: Clock,
}

/// One place, from the first who asks on: the others wait for the same answer.
#[derive(Debug, Clone)]
struct Known {
    since: Instant,
    found: Found,
}

/// What was found at a place, once somebody has looked.
type Found = Arc<OnceCell<Result<Arc<Signer>, Fault>>>;

impl Signers {
    pub(super) fn new(trust: TrustFiles, fetcher: Fetcher, clock: Clock) -> Self {
        Self { trust, fetcher, known: Mutex::default(), clock }
    }

    /// Whose certificate lies at this URL.
    pub(super) async fn find(&self, x5u: &str) -> Result<Arc<Signer>, Fault> {
        let found = self.place(x5u)?;
        let found = found.get_or_init(|| async {
            let pem = self.fetcher.fetch(x5u).await?;
            Signer::read(&pem, &self.trust.current()).map(Arc::new)
        });
        found.await.clone()
    }

    fn place(&self, x5u: &str) -> Result<Found, Fault> {
        let now = self.clock.now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = known.get(x5u).filter(|place| place.holds(now)) {
            return Ok(place.found.clone());
        }
        if known.len() >= MOST {
            known.retain(|_, place| place.holds(now));
        }
        if known.len() >= MOST && !known.contains_key(x5u) {
            return Err(Fault::Busy);
        }
        let place = Known { since: now, found: Arc::default() };
        known.insert(x5u.to_owned(), place.clone());
        Ok(place.found)
    }
}

impl Known {
    fn holds(&self, now: Instant) -> bool {
        let life = match self.found.get() {
            None | Some(Ok(_)) => LIFE,
            // That there was no room says nothing of the certificate.
            Some(Err(Fault::Busy)) => Duration::ZERO,
            Some(Err(_)) => FAILED_LIFE,
        };
        now < self.since + life
    }
}

/// A certificate that was changed or revoked is believed so much longer.
const LIFE: Duration = Duration::from_secs(15 * 60);
/// Whatever was wrong may be mended.
const FAILED_LIFE: Duration = Duration::from_secs(60);
/// Places that are remembered. When it is full of fresh ones, the next call is refused as one whose certificate cannot be had.
const MOST: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Names;

    /// With an anchor, and nothing on the internet: 192.0.2.1 is no public address.
    fn signers() -> Signers {
        let anchors = concat!(env!("CARGO_MANIFEST_DIR"), "/core/scenarios/passport/root.pem");
        let trust = TrustFiles::open(anchors.as_ref(), &[]).unwrap();
        let names = Names::of(&["127.0.0.1:9".parse().unwrap()]).unwrap();
        Signers::new(trust, Fetcher::new(names, &[], Clock).unwrap(), Clock)
    }

    #[tokio::test]
    async fn a_failure_is_remembered_for_a_minute() {
        let signers = signers();
        let url = "https://192.0.2.1/leaf.pem";
        assert_eq!(signers.find(url).await.err(), Some(Fault::NotPublic));
        let first = signers.place(url).unwrap();
        assert!(first.initialized(), "the next call asks anew");
        signers.known.lock().unwrap().get_mut(url).unwrap().since -= FAILED_LIFE;
        assert!(!signers.place(url).unwrap().initialized());
    }

    #[tokio::test]
    async fn what_strangers_write_takes_up_only_so_much() {
        let signers = signers();
        for n in 0..MOST {
            signers.place(&format!("https://192.0.2.1/{n}")).unwrap();
        }
        assert_eq!(signers.place("https://192.0.2.1/more").err(), Some(Fault::Busy));
        signers.known.lock().unwrap().values_mut().for_each(|known| known.since -= LIFE);
        assert!(signers.place("https://192.0.2.1/more").is_ok());
        assert_eq!(signers.known.lock().unwrap().len(), 1);
    }
}
