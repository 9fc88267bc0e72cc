//! What the directory costs: `cargo bench -p dht-client`. Prints medians over single operations, one after the other, and
//! the rate of eight at once; wall-clock time of this process on whatever else the machine does.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::error::Error;
use std::time::{Duration, Instant};

use dht_client::backend::mainline::{Mainline, Ring};
use dht_client::backend::memory::Memory;
use dht_client::{Answer, Backend, Derived, HashCost, Identity, Item, SigningKey};
use futures_util::{StreamExt, TryStreamExt, stream};
use time::OffsetDateTime;

const SINGLE: usize = 40;
const PARALLEL: usize = 200;
const AT_ONCE: usize = 8;
/// What a directory record takes.
const VALUE_BYTES: usize = 780;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    hash()?;
    measure("memory", &Backend::Memory(Memory::default())).await?;
    let ring = Ring::start(&[0, 0, 0]).await?;
    measure("mainline, ring of 3 in this process", &Backend::Mainline(Mainline::ring(ring.addresses()).await?)).await
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
        let median = median(times);
        let core_years = median.as_secs_f64() * 1e10 / (365.25 * 86_400.0);
        println!("Argon2id 64 MiB t={passes}: p50 {median:.1?}; 10^10 numbers: {core_years:.0} core-years");
    }
    Ok(())
}

async fn measure(name: &str, backend: &Backend) -> Result<(), Box<dyn Error>> {
    let now = OffsetDateTime::now_utc();
    let key = SigningKey::from_bytes(&[1; 32]);
    let item =
        |number: usize| Item::sign(&key, &number.to_be_bytes(), now.unix_timestamp(), vec![0x5a; VALUE_BYTES], now);
    let (mut puts, mut gets) = (Vec::new(), Vec::new());
    for number in 0..SINGLE {
        let item = item(number)?;
        let begun = Instant::now();
        backend.put(&item, Duration::from_secs(3600), None, now).await?;
        puts.push(begun.elapsed());
        let begun = Instant::now();
        let answer = backend.get(item.slot(), Duration::from_secs(10), None, now).await?;
        gets.push(begun.elapsed());
        assert!(matches!(answer, Answer::Items { .. }), "what was put is found");
    }
    let begun = Instant::now();
    stream::iter(SINGLE..SINGLE + PARALLEL)
        .map(|number| async move {
            backend.put(&item(number)?, Duration::from_secs(3600), None, now).await?;
            Ok::<_, Box<dyn Error>>(())
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    let rate = PARALLEL as f64 / begun.elapsed().as_secs_f64();
    let (put, get) = (median(puts), median(gets));
    println!("{name}: put p50 {put:.1?}, get p50 {get:.1?}; {AT_ONCE} at once: {rate:.0} puts/s");
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
