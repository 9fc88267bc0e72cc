//! What the directory costs: `cargo bench -p dht-client`. Prints medians over single operations, one after the other: the put of a
//! certificate's record, and its look-up with the slow hash at hand, through seal, chain, name and dates; and what one keeper
//! sustains. Wall-clock time on whatever else the machine does.
//! `DIALPROOF_OPENDHT=http://127.0.0.1:8001,…` measures these proxies, too; `tests/bench/directory` starts some, and says with
//! which options (`DIALPROOF_DHTNODE`): the rate depends on them.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

#[path = "../tests/reader/authority.rs"]
#[expect(dead_code, reason = "the tests of the reader turn more of its knobs")]
mod authority;

use std::error::Error;
use std::time::{Duration, Instant};

use authority::{Authority, Leaf, tel};
use dht_client::backend::mainline::{Mainline, Ring};
use dht_client::backend::memory::Memory;
use dht_client::backend::opendht::OpenDht;
use dht_client::{
    Backend, Bundle, Contacts, Derived, Entry, HashCost, Hasher, Identity, Item, Kept, Lookup, Pin, Record, Refresher,
    Several, SigningKey, Status, Verdict,
};
use time::OffsetDateTime;

const SINGLE: usize = 100;
/// Records of one keeper's round.
const KEPT: usize = 500;
/// What a directory record takes.
const VALUE_BYTES: usize = 780;
const PATIENCE: Duration = Duration::from_secs(10);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    hash()?;
    measure("memory", Backend::Memory(Memory::default()), 1).await?;
    let ring = Ring::start(&[0, 0, 0]).await?;
    measure("mainline, ring of 3 in this process", Backend::Mainline(Mainline::ring(ring.addresses()).await?), 1)
        .await?;
    if let Ok(proxies) = std::env::var("DIALPROOF_OPENDHT") {
        let proxies: Vec<&str> = proxies.split(',').collect();
        let started = std::env::var("DIALPROOF_DHTNODE").unwrap_or_else(|_| "dhtnode with unknown options".to_owned());
        let name = format!("opendht, proxies: {} ({started})", proxies.len());
        measure(&name, Backend::OpenDht(OpenDht::new(&proxies)?), proxies.len()).await?;
    }
    Ok(())
}

fn hash() -> Result<(), Box<dyn Error>> {
    let identity = Identity::parse("tel:+12025550143")?;
    for passes in [1, 3] {
        let cost = HashCost { passes, ..HashCost::STRONG };
        let mut times = Vec::new();
        for key in 0..15 {
            let begun = Instant::now();
            Derived::hash(&identity, &[key; 32], cost)?;
            times.push(begun.elapsed());
        }
        let [median, _] = percentiles(times);
        let core_years = median.as_secs_f64() * 1e10 / (365.25 * 86_400.0);
        println!("Argon2id 64 MiB t={passes}: p50 {median:.1?}; 10^10 numbers: {core_years:.0} core-years");
    }
    Ok(())
}

/// A backend that is reached over so many ways.
async fn measure(name: &str, backend: Backend, ways: usize) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    while backend.health().await.reachable < ways {
        if begun.elapsed() > Duration::from_secs(60) {
            return Err(format!("{name}: not all answer, or their nodes find no others").into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    look_up(name, &backend).await?;
    let now = OffsetDateTime::now_utc();
    let key = SigningKey::from_bytes(&[1; 32]);
    let item =
        |number: usize| Item::sign(&key, &number.to_be_bytes(), now.unix_timestamp(), vec![0x5a; VALUE_BYTES], now);
    keep(name, backend, ways, (0..KEPT).map(item).collect::<Result<_, _>>()?).await
}

/// Publishes one certificate after the other, and looks each up.
async fn look_up(name: &str, backend: &Backend) -> Result<(), Box<dyn Error>> {
    // The time of its certificates.
    let now = authority::now();
    let authority = Authority::new();
    let key = authority.directory.verifying_key().to_bytes();
    let bundle = Bundle::read(authority.bundle(1).as_bytes(), Pin::File, now)?;
    let (hasher, contacts) = (Hasher::start()?, Contacts::default());
    let reader = |backend: Backend| {
        let several = Several::new(vec![backend]).ok_or("one backend")?;
        Ok::<_, &str>(Lookup::new(bundle.clone(), several, hasher.clone()).knowing(contacts.clone()))
    };
    let (lookup, hashing) = (reader(backend.clone())?, reader(Backend::Memory(Memory::default()))?);
    let (mut puts, mut gets, mut firsts, mut bytes) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for number in 0..SINGLE {
        let number = format!("+120255501{number:02}");
        let identity = Identity::tel(&number)?;
        // From here on the slow hash is kept.
        hashing.find(&identity, PATIENCE, now).await?;
        let certificate = authority.issue(Leaf { names: vec![tel(&number)], ..Leaf::default() });
        let (not_before, not_after) = (now.unix_timestamp(), (now + HOUR).unix_timestamp());
        let record = Record { not_before, not_after, status: Status::Valid(Entry::new(certificate)) };
        let derived = Derived::hash(&identity, &key, HashCost::CHEAP)?;
        let item = record.publish(&derived, &authority.directory, now.unix_timestamp(), [9; 24], now)?;
        bytes = item.value().len();
        let begun = Instant::now();
        backend.put(&item, HOUR, None, now).await?;
        puts.push(begun.elapsed());
        let begun = Instant::now();
        let first = lookup.find_first(&identity, PATIENCE, now).await?;
        firsts.push(begun.elapsed());
        assert!(matches!(&first, Verdict::Found(found) if !found.origin.complete), "the first answer holds: {first:?}");
        let begun = Instant::now();
        let whole = lookup.find(&identity, PATIENCE, now).await?;
        gets.push(begun.elapsed());
        assert!(matches!(&whole, Verdict::Found(found) if found.origin.complete), "everybody answers: {whole:?}");
    }
    let [[put, _], [first, slow_first], [get, slow_get]] = [puts, firsts, gets].map(percentiles);
    println!(
        "{name}: put of {bytes} bytes p50 {put:.1?}; look-up by the first answer p50 {first:.1?}, p99 {slow_first:.1?}; by all answers p50 {get:.1?}, p99 {slow_get:.1?}"
    );
    Ok(())
}

/// One keeper puts many records, again and again until all are stored.
async fn keep(name: &str, backend: Backend, ways: usize, items: Vec<Item>) -> Result<(), Box<dyn Error>> {
    let networks = Several::new(vec![backend]).ok_or("one backend")?;
    let mut keeper = Refresher::new(networks);
    let now = OffsetDateTime::now_utc();
    for item in items {
        keeper.keep(Kept { item, expires: now + HOUR * 24 }, now)?;
    }
    let begun = Instant::now();
    let (mut stored, mut failed) = (0, 0);
    while stored < KEPT {
        let round = keeper.round(|| 0.5, OffsetDateTime::now_utc).await?;
        stored += round.stored;
        failed += round.failed.len();
        if round.stored == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    let rate = KEPT as f64 / begun.elapsed().as_secs_f64();
    let each = if ways > 1 { format!(" ({:.0} each)", rate / ways as f64) } else { String::new() };
    println!("{name}: one keeper {rate:.0} puts/s{each}, {stored} of {KEPT} stored, {failed} of them at a later try");
    Ok(())
}

/// The median, and what 99 of 100 stay below.
fn percentiles(mut times: Vec<Duration>) -> [Duration; 2] {
    times.sort();
    [times[times.len() / 2], times[times.len() * 99 / 100]]
}
