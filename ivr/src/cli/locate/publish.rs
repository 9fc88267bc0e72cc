//! `locate publish`: a signed location goes into every network of the bundle, and stays until its end.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use dht_client::location::LONGEST_LIFE;
use dht_client::{Audience, Contact, Identity, Kept, Location, PutError, next_seq};

use super::keys::Keys;
use super::register::owner_key;
use crate::cli::directory::{Directory, identity};
use crate::clock::Clock;
use crate::hex;

/// How often a put is begun anew under a higher number, when a later one of ours lies there.
const TRIES: u32 = 3;

/// What the command takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose location it is: the identity of your certificate
    #[arg(value_parser = identity)]
    identity: Identity,
    #[command(flatten)]
    directory: Directory,
    /// The private key of your certificate (PKCS#8, PEM)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The file that `locate keys` made
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
    /// Where you can be called: sip:…, sips:… or tel:…, the best first; none says that you are nowhere
    #[arg(long = "contact", value_name = "URI")]
    contacts: Vec<String>,
    /// For how many minutes it holds
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(i64).range(1..=LONGEST_LIFE / 60))]
    minutes: i64,
    #[command(flatten)]
    audience: Whom,
    /// Keep putting it again until its end
    #[arg(long)]
    keep: bool,
}

/// Who may read it: there is no default.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Whom {
    /// Everybody who knows your number or address may read it
    #[arg(long)]
    public: bool,
    /// Who has your friends key may read it
    #[arg(long)]
    friends: bool,
    /// Only the holders of these kem keys may read it, eight at most; `lookup` shows them
    #[arg(long, value_name = "KEY", value_parser = kem_key, num_args = 1..=8)]
    to: Vec<[u8; 32]>,
}

fn kem_key(text: &str) -> Result<[u8; 32], &'static str> {
    hex::read_array(text).ok_or("a key is 64 lower-case hexadecimal digits")
}

/// Publishes.
///
/// # Errors
/// If a file cannot be read, the location does not fit, or no network takes it.
pub(super) async fn run(args: Args) -> Result<ExitCode> {
    let clock = Clock;
    let (owner, keys) = (owner_key(&args.key)?, Keys::read(&args.keys)?);
    let (_, networks) = args.directory.join(clock.wall()).await?;
    let audience = match &args.audience {
        Whom { public: true, .. } => Audience::Everybody,
        Whom { friends: true, .. } => Audience::Friends(&keys.friends),
        Whom { to, .. } => Audience::Recipients(to),
    };
    let location = location(&args, clock.wall().unix_timestamp())?;
    let life = Duration::from_secs(u64::try_from(args.minutes * 60).unwrap_or_default());
    let mut last = None;
    for _ in 0..TRIES {
        let now = clock.wall();
        let item = location.publish(audience, (&owner, &keys.location), next_seq(last, now), clock.bytes(), now)?;
        match networks.put(&item, life, None, now).await {
            Ok(published) => {
                for (name, error) in &published.failed {
                    eprintln!("dialproof: not in {name}: {error}");
                }
                let names: Vec<&str> = published.stored.iter().map(|(name, _)| *name).collect();
                println!("published in {}, {} bytes, number {}", names.join(", "), item.value().len(), item.seq());
                if matches!(audience, Audience::Friends(_)) {
                    println!(
                        "what you published for everybody stays until its end, at most a day: `--public` without --contact takes it back"
                    );
                }
                if args.keep {
                    let expires = now + life;
                    return crate::cli::refresh::keep(networks, vec![Kept { item, expires }], None).await;
                }
                return Ok(ExitCode::SUCCESS);
            }
            // One of ours lies there whose number is not below: within the same second, or by a clock ahead.
            Err(PutError::Stale { have_seq }) => last = Some(have_seq),
            Err(error) => return Err(error).context("no network took the location"),
        }
    }
    bail!("others keep writing later locations with this location key: does another of your devices?")
}

fn location(args: &Args, now: i64) -> Result<Location> {
    let expires = now + args.minutes * 60;
    let count = u16::try_from(args.contacts.len()).unwrap_or(u16::MAX).max(1);
    // The first is to be called first: 1000, then down in equal steps.
    let ranked = args.contacts.iter().zip(0_u16..);
    let contacts = ranked
        .map(|(uri, rank)| Contact::new(uri, 1000 - rank * (1000 / count), expires).with_context(|| uri.clone()))
        .collect::<Result<Vec<_>>>()?;
    Ok(Location { identity: args.identity.clone(), contacts, not_before: now, not_after: expires })
}
