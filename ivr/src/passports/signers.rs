//! Signers by the place of their certificate, remembered for a while, and so are those that cannot be had: each call of a
//! provider would fetch the same. Whoever was good once is so, until the certificate or a revocation list ends, while the
//! place cannot be asked again or has nothing (404 and 410, too: who takes a certificate back puts it on a list): who keeps us from
//! asking must not keep honest callers out. Anybody can write a token that points
//! anywhere, also at an honest signer's certificate; so a place is a signer's only once a signature over it has held. Signers change
//! their certificates: where the one that is remembered does not verify a token, its place is looked at once more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ivr_core::number::Number;
use ivr_core::passport::{Fault, Signer, Trust};
use reqwest::Url;
use tokio::sync::OnceCell;

use super::budget::Budget;
use super::{Fetcher, TrustFiles};
use crate::clock::Clock;

#[derive(Debug)]
pub(super) struct Signers {
    trust: Arc<TrustFiles>,
    fetcher: Fetcher,
    known: Mutex<HashMap<String, Known>>,
    callers: Mutex<Budget<Payer>>,
    clock: Clock,
}

/// The number that calls claim to come from, and the host of the place: who claims somebody else's number spends only what that has
/// for the host that it points at.
type Payer = (Number, String);

/// One place, from the first who asks on: the others wait for the same answer.
#[derive(Debug, Clone)]
struct Known {
    since: Instant,
    /// By these it is judged: others ask for another judgement.
    trust: Arc<Trust>,
    /// What lay there before and made a good signer.
    before: Before,
    /// Whoever's certificate lies there has signed that it does.
    is_signers: bool,
    /// Who has it looked at, if that counts.
    payer: Option<Payer>,
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
        let callers = Mutex::new(Budget::of(OF_A_CALLER_A_MINUTE));
        Self { trust: Arc::new(trust), fetcher, known: Mutex::default(), callers, clock }
    }

    /// Whose certificate lies at this URL, to which the token of a call from that number points. `at` is in seconds since 1970.
    pub(super) async fn find(&self, x5u: &str, caller: &Number, at: i64) -> Result<Arc<Signer>, Fault> {
        let x5u = one_form(x5u)?;
        let place = self.place(&x5u, caller, self.trust().await?, at)?;
        self.found(&x5u, place, at).await
    }

    /// The same, looked at once more, because what is remembered, whose certificate has this SHA-256, did not verify the token.
    /// `None` if somebody looked just now and found it again, or the number has had enough looked at.
    pub(super) async fn find_again(
        &self,
        x5u: &str,
        failed: Option<[u8; 32]>,
        caller: &Number,
        at: i64,
    ) -> Option<Result<Arc<Signer>, Fault>> {
        let x5u = one_form(x5u).ok()?;
        let place = self.place_again(&x5u, failed, caller, self.trust().await.ok()?)?;
        Some(self.found(&x5u, place, at).await)
    }

    async fn found(&self, x5u: &Url, place: Known, at: i64) -> Result<Arc<Signer>, Fault> {
        let Known { trust, before, payer, found, .. } = place;
        let found = found.get_or_init(|| self.look(x5u.as_str(), (before, payer), &trust, at)).await;
        found.clone().map(|good| good.signer)
    }

    /// A signature over this place has held.
    pub(super) fn have_signed(&self, x5u: &str) {
        let Ok(x5u) = one_form(x5u) else { return };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = known.get_mut(x5u.as_str()).filter(|place| !place.is_signers) else { return };
        let Some(certificate) = place.certificate() else { return };
        place.is_signers = true;
        forget_one_of_many(&mut known, certificate);
    }

    async fn look(
        &self,
        x5u: &str,
        (before, payer): (Before, Option<Payer>),
        trust: &Trust,
        at: i64,
    ) -> Result<Good, Fault> {
        let fetched = async || {
            let fetched = match &payer {
                Some(_) => self.fetcher.fetch(x5u).await,
                None => self.fetcher.fetch_again(x5u).await,
            };
            // Nobody was asked: that others keep us busy is not the caller's doing.
            if let (Err(Fault::Busy), Some(payer)) = (&fetched, &payer) {
                self.callers.lock().unwrap_or_else(PoisonError::into_inner).give_back(payer);
            }
            fetched
        };
        let (pem, is_old) = match before {
            Before::Fresh(pem) => (pem, false),
            Before::Nothing => (fetched().await?.into(), false),
            Before::Ended(pem) => match fetched().await {
                Ok(pem) => (pem.into(), false),
                Err(Fault::Busy | Fault::Slow | Fault::Unreachable) => (pem, true),
                Err(fault) => return Err(fault),
            },
        };
        let signer = Arc::new(Signer::read(&pem, trust, at)?);
        Ok(Good { signer, pem: Some(pem).filter(|pem| pem.len() <= LARGEST_KEPT_BYTES), is_old })
    }

    /// On a thread that may block: a list that has changed may have megabytes.
    async fn trust(&self) -> Result<Arc<Trust>, Fault> {
        let files = self.trust.clone();
        // It fails only while the service ends.
        tokio::task::spawn_blocking(move || files.current()).await.map_err(|_| Fault::Busy)
    }

    fn place(&self, x5u: &Url, caller: &Number, trust: Arc<Trust>, at: i64) -> Result<Known, Fault> {
        let now = self.clock.now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let last = known.get(x5u.as_str());
        let holds = last.is_some_and(|last| last.holds(now));
        // Where a chain has ended meanwhile, another may lead to an anchor.
        let counts = |last: &Known| Arc::ptr_eq(&last.trust, &trust) && !last.has_lapsed(at);
        if let Some(last) = last.filter(|last| holds && counts(last)) {
            return Ok(last.clone());
        }
        let (since, before) = match last.and_then(|last| Some((last.since, last.pem()?))) {
            Some((since, pem)) if holds => (since, Before::Fresh(pem)),
            Some((_, pem)) => (now, Before::Ended(pem)),
            None => (now, Before::Nothing),
        };
        let is_signers = last.is_some_and(|last| last.is_signers);
        let is_fetched = !matches!(before, Before::Fresh(_));
        if known.len() >= MOST && !known.contains_key(x5u.as_str()) {
            make_room(&mut known, now)?;
        }
        let payer = (is_fetched && !is_signers).then(|| payer(caller, x5u));
        if payer.as_ref().is_some_and(|payer| !self.may_have_fetched(payer, now)) {
            return Err(Fault::Busy);
        }
        let place = Known { since, trust, before, is_signers, payer, found: Arc::default() };
        known.insert(x5u.as_str().to_owned(), place.clone());
        Ok(place)
    }

    fn place_again(&self, x5u: &Url, failed: Option<[u8; 32]>, caller: &Number, trust: Arc<Trust>) -> Option<Known> {
        let now = self.clock.now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let last = known.get_mut(x5u.as_str())?;
        // Another call had it looked at meanwhile.
        let is_new = last.is_being_looked_at() || last.certificate().is_some_and(|kept| Some(kept) != failed);
        if is_new && Arc::ptr_eq(&last.trust, &trust) {
            return Some(last.clone());
        }
        let before = Before::Ended(last.pem().filter(|_| now >= last.since + FAILED_LIFE)?);
        // Also for a signer's place: whose signature does not hold, anybody can write.
        let payer = payer(caller, x5u);
        if !self.may_have_fetched(&payer, now) {
            return None;
        }
        let is_signers = last.is_signers;
        *last = Known { since: now, trust, before, is_signers, payer: Some(payer), found: Arc::default() };
        Some(last.clone())
    }

    fn may_have_fetched(&self, payer: &Payer, now: Instant) -> bool {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner).take(payer.clone(), now)
    }
}

#[cfg(test)]
impl Signers {
    /// As if somebody had looked a minute before.
    pub(super) fn age(&self) {
        self.known.lock().unwrap().values_mut().for_each(|place| place.since -= FAILED_LIFE);
    }
}

/// A place has many spellings: capitals in the host, its usual port, dots in the path.
fn one_form(x5u: &str) -> Result<Url, Fault> {
    Url::parse(x5u).map_err(|_| Fault::X5u)
}

fn payer(caller: &Number, x5u: &Url) -> Payer {
    // With a dot at its end a name is the same.
    (caller.clone(), x5u.host_str().unwrap_or_default().trim_end_matches('.').to_owned())
}

/// One signer has so many places and no more, whatever it signs: the one that was fetched longest ago is no signer's any more.
fn forget_one_of_many(known: &mut HashMap<String, Known>, certificate: [u8; 32]) {
    let places = || known.values().filter(|place| place.is_signers && place.certificate() == Some(certificate));
    if places().count() <= OF_A_CERTIFICATE {
        return;
    }
    let Some(first) = places().map(|place| place.since).min() else { return };
    let is_first =
        |place: &&mut Known| place.is_signers && place.since == first && place.certificate() == Some(certificate);
    if let Some(place) = known.values_mut().find(is_first) {
        place.is_signers = false;
    }
}

/// Forgets as little as it takes: what is over; then what is no signer's, however fresh, because it only spares a look; then signers
/// who will be asked for again.
fn make_room(known: &mut HashMap<String, Known>, now: Instant) -> Result<(), Fault> {
    let keeps: [fn(&Known, Instant) -> bool; 3] = [
        |place, now| place.holds(now) || place.pem().is_some(),
        |place, _| place.is_signers || place.is_being_looked_at(),
        |place, now| place.holds(now),
    ];
    for keeps in keeps {
        known.retain(|_, place| keeps(place, now));
        if known.len() < MOST {
            return Ok(());
        }
    }
    Err(Fault::Busy)
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

    fn is_being_looked_at(&self) -> bool {
        self.found.get().is_none()
    }

    /// Whose lies there (SHA-256), if it makes a good signer.
    fn certificate(&self) -> Option<[u8; 32]> {
        Some(self.found.get()?.as_ref().ok()?.signer.sha256())
    }

    fn has_lapsed(&self, at: i64) -> bool {
        matches!(self.found.get(), Some(Ok(good)) if good.signer.has_lapsed(at))
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

/// A certificate that was taken away is believed so much longer.
const LIFE: Duration = Duration::from_secs(15 * 60);
/// Whatever was wrong may be mended, and a certificate that does not verify may have been replaced.
const FAILED_LIFE: Duration = Duration::from_secs(60);
/// Places that are remembered. When it is full of signers who are fresh, the next call is refused as one that we had no time for.
const MOST: usize = 4_096;
/// Of them, those of one signer that count as its own: it has one, and for a while those of the certificates before.
const OF_A_CERTIFICATE: usize = 16;
/// Places of one host that are no signer's yet and that calls from one number have us look at: whoever signs for a number has one.
const OF_A_CALLER_A_MINUTE: u32 = 3;
/// A chain has about 3 KiB. What is longer has to be fetched again, whenever it is looked at again.
const LARGEST_KEPT_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests;
