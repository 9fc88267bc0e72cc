//! What is remembered of signers and their places, and who has them looked at. Nothing is fetched: no name server answers.

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

impl Signers {
    fn place_at(&self, url: &str, caller: &Number) -> Result<Known, Fault> {
        self.place(&one_form(url).unwrap(), caller, self.trust.current(), AT)
    }
}

/// Nearly every call is from another.
fn caller(n: usize) -> Number {
    Number::parse(&format!("+1202555{:04}", 100 + n % 100)).unwrap()
}

#[test]
fn a_signer_is_remembered_for_a_quarter_of_an_hour_and_a_failure_for_a_minute() {
    assert_eq!((LIFE, FAILED_LIFE), (Duration::from_secs(900), Duration::from_secs(60)));
}

#[tokio::test]
async fn a_failure_is_remembered_for_a_minute() {
    let signers = signers();
    let url = "https://192.0.2.1/leaf.pem";
    assert_eq!(signers.find(url, &caller(0), AT).await.err(), Some(Fault::NotPublic));
    let first = signers.place_at(url, &caller(0)).unwrap();
    assert!(first.found.initialized(), "the next call asks anew");
    signers.known.lock().unwrap().get_mut(url).unwrap().since -= FAILED_LIFE;
    assert!(!signers.place_at(url, &caller(0)).unwrap().found.initialized());
}

#[tokio::test]
async fn what_another_call_had_looked_at_meanwhile_is_not_looked_at_again() {
    let signers = signers();
    let url = "https://certificates.example/spc.pem";
    let kept = fetched(&signers, url, "spc.pem").await.unwrap();
    let number = caller(0);
    let again = |failed| signers.find_again(url, failed, &number, AT);
    // Nobody answers at this name server.
    for failed in [Some([7; 32]), None] {
        let found = again(failed).await.expect("another lies there").unwrap();
        assert!(Arc::ptr_eq(&found, &kept));
    }
    assert!(again(Some(kept.sha256())).await.is_none(), "somebody looked just now");
}

impl Signers {
    /// As if so many places had been looked at; the first of them are signers'.
    fn full(&self, of_signers: usize, found: &Result<Good, Fault>) {
        let trust = self.trust.current();
        let place = |n: usize| {
            let is_signers = n < of_signers;
            let found = Arc::new(OnceCell::new_with(Some(found.clone())));
            let (since, trust) = (self.clock.now(), trust.clone());
            (
                format!("https://192.0.2.1/{n}"),
                Known { since, trust, before: Before::Nothing, is_signers, payer: None, found },
            )
        };
        *self.known.lock().unwrap() = (0..MOST).map(place).collect();
    }

    fn good(&self, name: &str) -> Good {
        let pem: Arc<[u8]> = std::fs::read(made(name)).unwrap().into();
        let signer = Signer::read(&pem, &self.trust.current(), AT).unwrap();
        Good { signer: Arc::new(signer), pem: Some(pem), is_old: false }
    }
}

#[tokio::test]
async fn what_strangers_write_is_forgotten_before_any_signer_and_keeps_nobody_out() {
    let signers = signers();
    let copied = Ok(signers.good("spc.pem"));
    // Failures, and copies of an honest certificate at places that nobody has signed.
    for found in [Err(Fault::Unreachable), copied.clone()] {
        signers.full(1_000, &found);
        assert!(signers.place_at("https://192.0.2.1/more", &caller(0)).is_ok());
        let known = signers.known.lock().unwrap();
        assert!(known.len() <= MOST && known.contains_key("https://192.0.2.1/more"));
        assert!((0..1_000).all(|n| known.contains_key(&format!("https://192.0.2.1/{n}"))), "a signer was forgotten");
    }
    signers.full(MOST, &copied);
    assert_eq!(signers.place_at("https://192.0.2.1/more", &caller(1)).err(), Some(Fault::Busy), "all are signers");
    signers.known.lock().unwrap().values_mut().for_each(|known| known.since -= LIFE);
    assert!(signers.place_at("https://192.0.2.1/more", &caller(2)).is_ok());
    assert_eq!(signers.known.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn who_points_at_many_places_has_few_of_them_looked_at_and_spends_nobody_elses_looks() {
    let signers = signers();
    let place = |n: u32, caller: &Number| signers.place_at(&format!("https://192.0.2.1/{n}"), caller).map(|_| ());
    let (stranger, honest) = (caller(1), caller(2));
    for n in 0..OF_A_CALLER_A_MINUTE {
        assert_eq!(place(n, &stranger), Ok(()));
    }
    assert_eq!(place(10, &stranger), Err(Fault::Busy));
    assert_eq!(place(0, &stranger), Ok(()), "what is remembered is not looked at");
    assert_eq!(place(10, &honest), Ok(()));
    // Who spends what the number has at one host does not keep its provider from being asked at another.
    assert!(signers.place_at("https://192.0.2.2/0", &stranger).is_ok());
    // A place whose signer has signed costs nobody anything.
    let good = Ok(signers.good("spc.pem"));
    let found = Arc::new(OnceCell::new_with(Some(good)));
    signers.known.lock().unwrap().get_mut("https://192.0.2.1/10").unwrap().found = found;
    signers.have_signed("https://192.0.2.1/10");
    signers.known.lock().unwrap().values_mut().for_each(|known| known.since -= LIFE);
    assert_eq!((place(10, &stranger), place(0, &stranger)), (Ok(()), Err(Fault::Busy)));
}

#[tokio::test]
async fn a_signer_has_few_places_of_its_own_however_many_it_signs_and_spellings_are_one_place() {
    let signers = signers();
    // None of them is a signer's yet.
    signers.full(0, &Ok(signers.good("spc.pem")));
    let own = || signers.known.lock().unwrap().values().filter(|place| place.is_signers).count();
    for n in 0..2 * OF_A_CERTIFICATE {
        signers.have_signed(&format!("https://192.0.2.1:443/x/../{n}"));
        signers.have_signed(&format!("HTTPS://192.0.2.1/{n}"));
        assert_eq!(own(), (n + 1).min(OF_A_CERTIFICATE));
    }
    signers.have_signed("https://192.0.2.1/never-looked-at");
    assert_eq!(own(), OF_A_CERTIFICATE);
    // Another's are its own.
    let other = Arc::new(OnceCell::new_with(Some(Ok(signers.good("range.pem")))));
    signers.known.lock().unwrap().get_mut("https://192.0.2.1/4000").unwrap().found = other;
    signers.have_signed("https://192.0.2.1/4000");
    assert_eq!(own(), OF_A_CERTIFICATE + 1);
}

#[tokio::test]
async fn what_nobody_was_asked_for_costs_the_number_nothing() {
    let signers = signers();
    let (x5u, number) = (one_form("https://certificates.example/spc.pem").unwrap(), caller(0));
    // As many others are asked as may be at once.
    let elsewhere: Vec<String> = (0..32).map(|n| format!("https://{n}.example/spc.pem")).collect();
    let mut others: Vec<_> = elsewhere.iter().map(|url| Box::pin(signers.fetcher.fetch(url))).collect();
    for other in &mut others {
        assert!(futures_util::poll!(other).is_pending());
    }
    for n in 0..2 * OF_A_CALLER_A_MINUTE {
        let busy = signers.find(&format!("https://certificates.example/{n}"), &number, AT).await;
        assert_eq!(busy.err(), Some(Fault::Busy));
    }
    assert!(signers.place(&x5u, &number, signers.trust.current(), AT).is_ok());
}

/// Within the time of the certificates in `scenarios/passport`.
const AT: i64 = 1_800_000_000;

/// As if somebody had fetched this there.
async fn fetched(signers: &Signers, url: &str, name: &str) -> Result<Arc<Signer>, Fault> {
    let Known { trust, found, .. } = signers.place_at(url, &caller(0)).unwrap();
    let pem = Before::Fresh(std::fs::read(made(name)).unwrap().into());
    found.get_or_init(|| signers.look(url, (pem, None), &trust, AT)).await.clone().map(|good| good.signer)
}

#[tokio::test]
async fn who_was_good_is_so_while_nothing_can_be_had_there_and_no_longer_once_its_place_may_not_be_asked() {
    // Nobody answers at this name server, and 192.0.2.1 is not public: that is no failure that hides a certificate.
    for (url, expected) in
        [("https://certificates.example/spc.pem", Ok(())), ("https://192.0.2.1/spc.pem", Err(Fault::NotPublic))]
    {
        let signers = signers();
        let good = fetched(&signers, url, "spc.pem").await.unwrap();
        signers.known.lock().unwrap().get_mut(url).unwrap().since -= LIFE;
        assert_eq!(
            signers.find(url, &caller(0), AT).await.map(|found| assert_eq!(found.sha256(), good.sha256())),
            expected
        );
        signers.known.lock().unwrap().get_mut(url).unwrap().since -= FAILED_LIFE;
        assert!(!signers.place_at(url, &caller(0)).unwrap().found.initialized(), "it is asked again in a minute");
    }
    let unknown = signers().find("https://certificates.example/spc.pem", &caller(0), AT).await;
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
    assert!(Arc::ptr_eq(&good, &signers.find(url, &caller(0), AT).await.unwrap()));
    let replace = |name: &str, seconds| {
        std::fs::copy(made(name), &list).unwrap();
        let changed = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        std::fs::File::options().write(true).open(&list).unwrap().set_modified(changed).unwrap();
    };
    // What was fetched is there: by these names nothing could be.
    replace("crl-spc.pem", 1);
    assert_eq!(signers.find(url, &caller(0), AT).await.err(), Some(Fault::Revoked));
}
