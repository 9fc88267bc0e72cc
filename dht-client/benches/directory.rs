//! What the directory costs: `cargo bench -p dht-client`. Prints medians over single operations, one after the other, the
//! time to the first answer that holds, and what one keeper sustains; wall-clock time on whatever else the machine does.
//! `DIALPROOF_OPENDHT=http://127.0.0.1:8001,…` measures these proxies, too; `tests/bench/directory` starts some.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::error::Error;
use std::time::{Duration, Instant};

use dht_client::backend::mainline::{Mainline, Ring};
use dht_client::backend::memory::Memory;
use dht_client::backend::opendht::OpenDht;
use dht_client::{Answer, Backend, Derived, HashCost, Identity, Item, Kept, Refresher, Several, SigningKey};
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
        let name = format!("opendht, proxies: {}", proxies.len());
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
    let now = OffsetDateTime::now_utc();
    let key = SigningKey::from_bytes(&[1; 32]);
    let item =
        |number: usize| Item::sign(&key, &number.to_be_bytes(), now.unix_timestamp(), vec![0x5a; VALUE_BYTES], now);
    let (mut puts, mut gets, mut firsts) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..SINGLE {
        let item = item(number)?;
        let begun = Instant::now();
        backend.put(&item, HOUR, None, now).await?;
        puts.push(begun.elapsed());
        let begun = Instant::now();
        let first = backend.first(item.slot(), PATIENCE, now).await;
        firsts.push(begun.elapsed());
        assert_eq!(first.as_ref(), Some(&item), "what was put is found");
        let begun = Instant::now();
        let answer = backend.get(item.slot(), PATIENCE, None, now).await?;
        gets.push(begun.elapsed());
        assert!(matches!(answer, Answer::Items { complete: true, .. }), "everybody answers");
    }
    let [[put, _], [first, slow_first], [get, slow_get]] = [puts, firsts, gets].map(percentiles);
    println!(
        "{name}: put p50 {put:.1?}; first answer p50 {first:.1?}, p99 {slow_first:.1?}; all answers p50 {get:.1?}, p99 {slow_get:.1?}"
    );
    keep(name, backend, ways, (SINGLE..SINGLE + KEPT).map(item).collect::<Result<_, _>>()?).await
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
