//! Signers by the place of their certificate, remembered for a while, and so are those that cannot be had: each call of a
//! provider would fetch the same. Whoever was good once is so, until the certificate or a revocation list ends, while the
//! place cannot be asked again: who keeps us from asking must not keep honest callers out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ivr_core::passport::{Fault, Signer, Trust};
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
    /// By these it is judged: others ask for another judgement.
    trust: Arc<Trust>,
    /// What lay there before and made a good signer.
    before: Before,
    found: Found,
}

/// What is known of a place that somebody looks at again.
#[derive(Debug, Clone)]
enum Before {
    /// Nothing.
    Nothing,
    /// This, some time ago: it counts if nothing can be had.
    Ended(Arc<[u8]>),
    /// This, and it has not been long: it is judged again, by other anchors or lists.
    Fresh(Arc<[u8]>),
}

/// What was found at a place, once somebody has looked.
type Found = Arc<OnceCell<Result<Good, Fault>>>;

/// A signer whom an anchor confirms.
#[derive(Debug, Clone)]
struct Good {
    signer: Arc<Signer>,
    /// Where the signer was read, unless it is too long to be kept.
    pem: Option<Arc<[u8]>>,
    /// It could not be fetched again.
    is_old: bool,
}

impl Signers {
    pub(super) fn new(trust: TrustFiles, fetcher: Fetcher, clock: Clock) -> Self {
        Self { trust, fetcher, known: Mutex::default(), clock }
    }

    /// Whose certificate lies at this URL. `at` is in seconds since 1970.
    pub(super) async fn find(&self, x5u: &str, at: i64) -> Result<Arc<Signer>, Fault> {
        let Known { trust, before, found, .. } = self.place(x5u)?;
        let found = found.get_or_init(|| self.look(x5u, before, &trust, at)).await;
        found.clone().map(|good| good.signer)
    }

    async fn look(&self, x5u: &str, before: Before, trust: &Trust, at: i64) -> Result<Good, Fault> {
        let (pem, is_old) = match before {
            Before::Fresh(pem) => (pem, false),
            Before::Nothing => (self.fetcher.fetch(x5u).await?.into(), false),
            Before::Ended(pem) => match self.fetcher.fetch_again(x5u).await {
                Ok(pem) => (pem.into(), false),
                Err(Fault::Busy | Fault::Slow | Fault::Unreachable) => (pem, true),
                Err(fault) => return Err(fault),
            },
        };
        let signer = Arc::new(Signer::read(&pem, trust, at)?);
        Ok(Good { signer, pem: Some(pem).filter(|pem| pem.len() <= LARGEST_KEPT_BYTES), is_old })
    }

    fn place(&self, x5u: &str) -> Result<Known, Fault> {
        let (now, trust) = (self.clock.now(), self.trust.current());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let last = known.get(x5u);
        let holds = last.is_some_and(|last| last.holds(now));
        if let Some(last) = last.filter(|last| holds && Arc::ptr_eq(&last.trust, &trust)) {
            return Ok(last.clone());
        }
        let (since, before) = match last.and_then(|last| Some((last.since, last.pem()?))) {
            Some((since, pem)) if holds => (since, Before::Fresh(pem)),
            Some((_, pem)) => (now, Before::Ended(pem)),
            None => (now, Before::Nothing),
        };
        let is_new = last.is_none();
        if known.len() >= MOST {
            known.retain(|_, place| place.holds(now) || place.pem().is_some());
        }
        if known.len() >= MOST {
            known.retain(|_, place| place.holds(now));
        }
        if known.len() >= MOST && is_new {
            return Err(Fault::Busy);
        }
        let place = Known { since, trust, before, found: Arc::default() };
        known.insert(x5u.to_owned(), place.clone());
        Ok(place)
    }
}

impl Known {
    fn holds(&self, now: Instant) -> bool {
        let life = match self.found.get() {
            None | Some(Ok(Good { is_old: false, .. })) => LIFE,
            // That there was no room says nothing of the certificate.
            Some(Err(Fault::Busy)) => Duration::ZERO,
            Some(Ok(Good { is_old: true, .. }) | Err(_)) => FAILED_LIFE,
        };
        now < self.since + life
    }

    /// What lay there last and made a good signer.
    fn pem(&self) -> Option<Arc<[u8]>> {
        match (self.found.get(), &self.before) {
            (Some(found), _) => found.as_ref().ok()?.pem.clone(),
            // Somebody looks at this moment, or nobody waited for the answer.
            (None, Before::Ended(pem) | Before::Fresh(pem)) => Some(pem.clone()),
            (None, Before::Nothing) => None,
        }
    }
}

/// A certificate that was changed is believed so much longer.
const LIFE: Duration = Duration::from_secs(15 * 60);
/// Whatever was wrong may be mended.
const FAILED_LIFE: Duration = Duration::from_secs(60);
/// Places that are remembered. When it is full of fresh ones, the next call is refused as one that we had no time for.
const MOST: usize = 4_096;
/// A chain has about 3 KiB. What is longer has to be fetched again, whenever it is looked at again.
const LARGEST_KEPT_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::config::passports::Authority;
    use crate::names::Names;

    /// With an anchor, and nothing on the internet: 192.0.2.1 is no public address.
    fn signers() -> Signers {
        trusting(&[])
    }

    fn made(name: &str) -> String {
        format!("{}/core/scenarios/passport/{name}", env!("CARGO_MANIFEST_DIR"))
    }

    fn trusting(lists: &[PathBuf]) -> Signers {
        let files = Authority::of_all(made("root.pem").into(), lists.to_vec());
        let trust = TrustFiles::open(&[files]).unwrap();
        let names = Names::of(&["127.0.0.1:9".parse().unwrap()]).unwrap();
        Signers::new(trust, Fetcher::new(names, None, Clock).unwrap(), Clock)
    }

    #[tokio::test]
    async fn a_failure_is_remembered_for_a_minute() {
        let signers = signers();
        let url = "https://192.0.2.1/leaf.pem";
        assert_eq!(signers.find(url, AT).await.err(), Some(Fault::NotPublic));
        let first = signers.place(url).unwrap();
        assert!(first.found.initialized(), "the next call asks anew");
        signers.known.lock().unwrap().get_mut(url).unwrap().since -= FAILED_LIFE;
        assert!(!signers.place(url).unwrap().found.initialized());
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

    /// Within the time of the certificates in `scenarios/passport`.
    const AT: i64 = 1_800_000_000;

    /// As if somebody had fetched this there.
    async fn fetched(signers: &Signers, url: &str, name: &str) -> Result<Arc<Signer>, Fault> {
        let Known { trust, found, .. } = signers.place(url).unwrap();
        let pem = Before::Fresh(std::fs::read(made(name)).unwrap().into());
        found.get_or_init(|| signers.look(url, pem, &trust, AT)).await.clone().map(|good| good.signer)
    }

    #[tokio::test]
    async fn who_was_good_is_so_while_nobody_can_ask_again_and_a_server_that_says_otherwise_is_heard() {
        // Nobody answers at this name server, and 192.0.2.1 is not public: that is no failure that hides a certificate.
        for (url, expected) in
            [("https://certificates.example/spc.pem", Ok(())), ("https://192.0.2.1/spc.pem", Err(Fault::NotPublic))]
        {
            let signers = signers();
            let good = fetched(&signers, url, "spc.pem").await.unwrap();
            signers.known.lock().unwrap().get_mut(url).unwrap().since -= LIFE;
            assert_eq!(signers.find(url, AT).await.map(|found| assert_eq!(found.sha256(), good.sha256())), expected);
            signers.known.lock().unwrap().get_mut(url).unwrap().since -= FAILED_LIFE;
            assert!(!signers.place(url).unwrap().found.initialized(), "it is asked again in a minute");
        }
        let unknown = signers().find("https://certificates.example/spc.pem", AT).await;
        assert!(matches!(unknown.err(), Some(Fault::Slow | Fault::Unreachable)));
    }

    #[tokio::test]
    async fn other_anchors_and_lists_count_at_once_and_nothing_is_fetched_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list.pem");
        std::fs::copy(made("crl-empty.pem"), &list).unwrap();
        let signers = trusting(std::slice::from_ref(&list));
        let url = "https://certificates.example/spc.pem";
        let good = fetched(&signers, url, "spc.pem").await.unwrap();
        assert!(Arc::ptr_eq(&good, &signers.find(url, AT).await.unwrap()));
        let replace = |name: &str, seconds| {
            std::fs::copy(made(name), &list).unwrap();
            let changed = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            std::fs::File::options().write(true).open(&list).unwrap().set_modified(changed).unwrap();
        };
        // What was fetched is there: by these names nothing could be.
        replace("crl-spc.pem", 1);
        assert_eq!(signers.find(url, AT).await.err(), Some(Fault::Revoked));
    }
}
