//! `dialproof refresh`: keeps the records of others alive while their authority is away. Anybody may: no key is needed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dht_client::refresher::{KeepError, Round};
use dht_client::{Following, Identity, Refresher, Several, Told};
use time::OffsetDateTime;

use super::directory::{Directory, identity};
use super::locate::friend;
use super::lookup::Answer;
use crate::clock::Clock;

/// How it ends if something was not stored, or not even read, as `lookup` does if nobody answered.
const NOT_PUT: u8 = 4;
/// Looks for due records at least so often: the clock may have been set.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
const NOTHING: &str = "there is no record left to keep";

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

/// Looks up whose records to keep, and puts them: once, or until the last has expired and nobody is left to be looked up. Ends
/// as `lookup` does for who was not found (of several, with the highest code), and with 4 if something could not be put, or
/// nobody could say whether there is a location to keep. Who is silent is looked up again unless it is once, and ends nothing.
///
/// # Errors
/// If the bundle does not hold, or the queue cannot be read or written.
pub async fn run(args: Args) -> Result<ExitCode> {
    let now = Clock.wall();
    if let (true, Some(queue)) = (args.identities.is_empty(), &args.queue) {
        ensure!(queue.exists(), "there is no queue {}: say whose records to keep in it", queue.display());
    }
    let friend = friend(args.friends_key.as_deref(), None)?;
    let patience = args.directory.patience();
    let reader = args.directory.reader(now).await?;
    let networks = reader.backends().clone();
    let mut following = Following::new(reader, friend, patience, args.identities, now);
    if !args.once {
        let keeper = keeper(networks, args.queue, chance, now)?;
        return Ok(ExitCode::from(keep(keeper, following).await?));
    }
    // All of it is due now, that of earlier runs, too.
    let (mut keeper, mut missing) = (keeper(networks, args.queue, || 0.0, now)?, 0);
    while let Some(told) = following.ask(now).await? {
        missing = missing.max(take_in(&mut keeper, told, now)?);
    }
    let failed = put_once(&mut keeper, now).await?;
    Ok(ExitCode::from(highest(missing, failed)))
}

/// Of what was wrong with those looked up, and whether something was not put, the highest code.
fn highest(missing: u8, failed: bool) -> u8 {
    missing.max(if failed { NOT_PUT } else { 0 })
}

/// Puts the records again and again, and looks up whose they are for what they say next, until the last has expired and
/// nobody is left to be looked up. The code to end with.
pub(super) async fn keep(mut keeper: Refresher, mut following: Following) -> Result<u8> {
    let mut missing = 0;
    while let Some(next) = keeper.deadline().into_iter().chain(following.deadline()).min() {
        let now = until(next).await;
        if keeper.deadline().is_some_and(|due| due <= now) {
            put(&mut keeper).await?;
        }
        // One at a time: who is silent for all our patience holds up no put for longer.
        if let Some(told) = following.ask(now).await? {
            let is_stranger = told.is_stranger;
            let code = take_in(&mut keeper, told, now)?;
            missing = missing.max(if is_stranger { code } else { 0 });
        }
    }
    println!("{NOTHING}");
    Ok(highest(missing, keeper.unread() > 0))
}

/// Waits until then, but not for long; the time.
async fn until(next: OffsetDateTime) -> OffsetDateTime {
    let wait = Duration::try_from(next - Clock.wall()).unwrap_or_default();
    tokio::time::sleep(wait.min(LONGEST_WAIT)).await;
    Clock.wall()
}

/// Keeps what somebody has, and says what is missing. The code that stands for it.
fn take_in(keeper: &mut Refresher, told: Told, now: OffsetDateTime) -> Result<u8> {
    let mut code = 0;
    if told.records.is_empty() {
        let answer = Answer { identity: &told.identity, verdict: &told.verdict };
        code = answer.exit_code();
        eprint!("{answer}");
    }
    if told.silent > 0 {
        code = code.max(NOT_PUT);
        let (whom, silent) = (told.identity.expose(), told.silent);
        eprintln!("dialproof: {whom}: nobody can say whether there is a location in {silent} place(s)");
    }
    for record in told.records {
        let slot = record.item.slot().id();
        match keeper.keep(record, now) {
            Ok(()) => {}
            Err(error @ KeepError::Expired) => eprintln!("dialproof: slot {slot} is not kept: {error}"),
            Err(error @ KeepError::Full(_)) => {
                code = code.max(NOT_PUT);
                eprintln!("dialproof: slot {slot} is not kept: {error}");
            }
            Err(error @ KeepError::File(_)) => return Err(error.into()),
        }
    }
    Ok(code)
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

fn keeper(networks: Several, queue: Option<PathBuf>, chance: fn() -> f64, now: OffsetDateTime) -> Result<Refresher> {
    let Some(file) = queue else { return Ok(Refresher::new(networks)) };
    let name = file.display();
    let keeper = Refresher::open(&file, networks, chance, now).with_context(|| format!("reading the queue {name}"))?;
    if keeper.unread() > 0 {
        let lines = keeper.unread();
        eprintln!("dialproof: the queue {name}: {lines} line(s) cannot be read, and their records are not kept");
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
    use dht_client::{Backend, Item, Kept, SigningKey, Verdict};

    use super::*;

    fn network() -> Several {
        Several::new(vec![Backend::Memory(Memory::default())]).unwrap()
    }

    fn kept(salt: &[u8], life: Duration) -> Kept {
        let now = Clock.wall();
        let item = Item::sign(&SigningKey::from_bytes(&[7; 32]), salt, 1, vec![], now).unwrap();
        Kept { item, expires: now + life }
    }

    fn told(records: Vec<Kept>, silent: usize) -> Told {
        let verdict = Verdict::Unknown { asked: 1 };
        let identity = Identity::tel("+12025550143").unwrap();
        Told { identity, verdict, records, silent, is_stranger: false }
    }

    #[test]
    fn a_record_that_has_expired_keeps_no_other_from_being_kept() {
        let mut keeper = Refresher::new(network());
        let records = vec![kept(b"over", Duration::ZERO), kept(b"good", Duration::from_secs(60))];
        assert_eq!(take_in(&mut keeper, told(records, 0), Clock.wall()).unwrap(), 0);
        assert_eq!(keeper.len(), 1);
    }

    #[test]
    fn who_has_nothing_to_keep_or_was_not_heard_everywhere_is_told_of_by_the_code() {
        let mut keeper = Refresher::new(network());
        let good = || vec![kept(b"good", Duration::from_secs(60))];
        for (records, silent, code) in [(good(), 0, 0), (good(), 1, 4), (vec![], 0, 3), (vec![], 1, 4)] {
            assert_eq!(take_in(&mut keeper, told(records, silent), Clock.wall()).unwrap(), code);
        }
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
        let mut whole = keeper(network(), Some(queue.clone()), || 0.0, now).unwrap();
        whole.keep(kept(b"good", Duration::from_secs(60)), now).unwrap();
        assert!(!put_once(&mut whole, now).await.unwrap());
        let text = std::fs::read_to_string(&queue).unwrap();
        std::fs::write(&queue, format!("{text}1800000000 damaged\n")).unwrap();
        let mut damaged = keeper(network(), Some(queue), || 0.0, now).unwrap();
        assert!(damaged.len() == 1 && put_once(&mut damaged, now).await.unwrap());
    }
}
