//! `dialproof refresh`: keeps the records of others alive while their authority is away. Anybody may: no key is needed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dht_client::refresher::{KeepError, Round};
use dht_client::{Identity, Kept, Refresher, Several};
use time::OffsetDateTime;

use super::directory::{Directory, identity};
use super::locate::friend;
use super::lookup::Answer;
use crate::clock::Clock;

/// How it ends if something was not stored, or not even read, as `lookup` does if nobody answered.
const NOT_PUT: u8 = 4;
/// Looks for due records at least so often: the clock may have been set.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
const NOTHING: &str = "there is no record to keep";

/// What the command takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose records to keep: tel:+12025550143, mailto:someone@example.org, or either without its scheme
    #[arg(value_parser = identity, required_unless_present = "queue")]
    identities: Vec<Identity>,
    #[command(flatten)]
    directory: Directory,
    /// A file with the friends key that they gave you: their location for friends is kept, too
    #[arg(long, value_name = "FILE")]
    friends_key: Option<PathBuf>,
    /// Where the records are kept between runs; those of earlier runs are put again
    #[arg(long, value_name = "FILE")]
    queue: Option<PathBuf>,
    /// Put everything once, and end
    #[arg(long)]
    once: bool,
}

/// Keeps until the last record expires, or puts once. Ends as `lookup` does for who was not found (of several, with the highest
/// code), and with 4 if something could not be put, or nobody could say whether there is a location to keep.
///
/// # Errors
/// If the bundle does not hold, or the queue cannot be read or written.
pub async fn run(args: Args) -> Result<ExitCode> {
    let clock = Clock;
    let now = clock.wall();
    if let (true, Some(queue)) = (args.identities.is_empty(), &args.queue) {
        ensure!(queue.exists(), "there is no queue {}: say whose records to keep in it", queue.display());
    }
    let friend = friend(args.friends_key.as_deref(), None)?;
    let reader = args.directory.reader(now).await?;
    let networks = reader.backends().clone();
    let (mut found, mut missing) = (Vec::new(), 0);
    for identity in &args.identities {
        let patience = args.directory.patience();
        let (verdict, items) = reader.find_with_items(identity, patience, now).await?;
        if items.is_empty() {
            let answer = Answer { identity, verdict: &verdict };
            missing = missing.max(answer.exit_code());
            eprint!("{answer}");
        }
        found.extend(items);
        if let dht_client::Verdict::Found(whose) = &verdict
            && let Some(location_key) = whose.location_key
        {
            let (locations, silent) = reader.location_items(&location_key, &friend, patience, now).await;
            found.extend(locations);
            if silent > 0 {
                missing = missing.max(NOT_PUT);
                let whom = identity.expose();
                eprintln!(
                    "dialproof: {whom}: nobody can say whether there is a location in {silent} place(s): try again"
                );
            }
        }
    }
    let failed = if args.once {
        // All of it is due now, that of earlier runs, too.
        put_once(&mut keeper(networks, found, args.queue, || 0.0, now)?, now).await?
    } else {
        keep(networks, found, args.queue).await?
    };
    Ok(ExitCode::from(highest(missing, failed)))
}

/// Of what was wrong with those looked up, and whether something was not put, the highest code.
fn highest(missing: u8, failed: bool) -> u8 {
    missing.max(if failed { NOT_PUT } else { 0 })
}

/// Puts these records again and again until the last of them has expired. Whether some of the queue could not be read.
pub(super) async fn keep(networks: Several, records: Vec<Kept>, queue: Option<PathBuf>) -> Result<bool> {
    let clock = Clock;
    let mut keeper = keeper(networks, records, queue, chance, clock.wall())?;
    if keeper.is_empty() {
        println!("{NOTHING}");
        return Ok(keeper.unread() > 0);
    }
    while let Some(due) = keeper.deadline() {
        match Duration::try_from(due - clock.wall()) {
            Ok(wait) if !wait.is_zero() => tokio::time::sleep(wait.min(LONGEST_WAIT)).await,
            // It is due already.
            _ => {
                put(&mut keeper).await?;
            }
        }
    }
    println!("the last record has expired");
    Ok(keeper.unread() > 0)
}

/// Puts what is due, and what its owner put later into one DHT into the others. Whether something was not stored, or
/// could not be read.
async fn put_once(keeper: &mut Refresher, now: OffsetDateTime) -> Result<bool> {
    if keeper.is_empty() {
        println!("{NOTHING}");
    }
    let (mut failed, mut replaced) = (keeper.unread() > 0, false);
    // What a round did not come to is due as it was; what an owner replaced is due elsewhere, from then on.
    while replaced || keeper.deadline().is_some_and(|due| due <= now) {
        let round = put(keeper).await?;
        failed |= !round.failed.is_empty();
        replaced = !round.replaced.is_empty();
    }
    Ok(failed)
}

fn keeper(
    networks: Several,
    records: Vec<Kept>,
    queue: Option<PathBuf>,
    chance: fn() -> f64,
    now: OffsetDateTime,
) -> Result<Refresher> {
    let mut keeper = match queue {
        Some(file) => {
            let keeper = Refresher::open(&file, networks, chance, now)
                .with_context(|| format!("reading the queue {}", file.display()))?;
            if keeper.unread() > 0 {
                let (lines, name) = (keeper.unread(), file.display());
                eprintln!(
                    "dialproof: the queue {name}: {lines} line(s) cannot be read, and their records are not kept"
                );
            }
            keeper
        }
        None => Refresher::new(networks),
    };
    for record in records {
        let slot = record.item.slot().id();
        match keeper.keep(record, now) {
            Ok(()) => {}
            Err(KeepError::Expired) => eprintln!("dialproof: slot {slot}: the record has expired, and is not kept"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(keeper)
}

/// One round, and what came of it, in words.
async fn put(keeper: &mut Refresher) -> Result<Round> {
    let round = keeper.round(chance, || Clock.wall()).await?;
    println!(
        "{} put again, {} failed, {} replaced by their owners",
        round.stored,
        round.failed.len(),
        round.replaced.len()
    );
    for (slot, error) in &round.failed {
        eprintln!("dialproof: slot {slot}: {error}");
    }
    Ok(round)
}

fn chance() -> f64 {
    f64::from(u32::from_be_bytes(Clock.bytes())) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use dht_client::backend::memory::Memory;
    use dht_client::{Backend, Item, SigningKey};

    use super::*;

    #[test]
    fn a_record_that_has_expired_keeps_no_other_from_being_kept() {
        let now = Clock.wall();
        let kept = |salt: &[u8], expires| {
            let key = SigningKey::from_bytes(&[7; 32]);
            Kept { item: Item::sign(&key, salt, 1, vec![], now).unwrap(), expires }
        };
        let records = vec![kept(b"over", now), kept(b"good", now + Duration::from_secs(60))];
        let networks = Several::new(vec![Backend::Memory(Memory::default())]).unwrap();
        assert_eq!(keeper(networks, records, None, || 0.0, now).unwrap().len(), 1);
    }

    #[test]
    fn that_something_was_not_put_is_told_although_somebody_is_unknown() {
        for (missing, failed, expected) in [(0, false, 0), (0, true, 4), (3, false, 3), (3, true, 4), (6, true, 6)] {
            assert_eq!(highest(missing, failed), expected, "{missing} {failed}");
        }
    }

    #[tokio::test]
    async fn a_queue_that_cannot_be_read_whole_is_no_success() {
        let now = Clock.wall();
        let folder = tempfile::tempdir().unwrap();
        let queue = folder.path().join("queue");
        let networks = Several::new(vec![Backend::Memory(Memory::default())]).unwrap();
        let item = Item::sign(&SigningKey::from_bytes(&[7; 32]), b"good", 1, vec![], now).unwrap();
        let good = vec![Kept { item, expires: now + Duration::from_secs(60) }];
        let mut whole = keeper(networks.clone(), good, Some(queue.clone()), || 0.0, now).unwrap();
        assert!(!put_once(&mut whole, now).await.unwrap());
        let text = std::fs::read_to_string(&queue).unwrap();
        std::fs::write(&queue, format!("{text}1800000000 damaged\n")).unwrap();
        let mut damaged = keeper(networks, vec![], Some(queue), || 0.0, now).unwrap();
        assert!(damaged.len() == 1 && put_once(&mut damaged, now).await.unwrap());
    }
}
