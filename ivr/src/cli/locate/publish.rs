//! `locate publish`: a signed location goes into every network of the bundle, and stays until its end.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use dht_client::location::{LONGEST_LIFE, OwnerPublic};
use dht_client::{
    Audience, Contact, Following, Friend, Identity, Kept, Location, PutError, Refresher, Verdict, next_seq,
};

use super::OFFLINE;
use super::keys::Keys;
use super::register::owner_key;
use crate::cli::directory::{Directory, identity};
use crate::cli::lookup::Answer;
use crate::cli::refresh;
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
    /// Only who holds this kem key may read it, which `lookup` shows (repeatable, eight at most)
    // One value each: a list would take the identity behind it for a key.
    #[arg(long, value_name = "KEY", value_parser = kem_key)]
    to: Vec<[u8; 32]>,
}

fn kem_key(text: &str) -> Result<[u8; 32], &'static str> {
    hex::read_array(text).ok_or("a key is 64 lower-case hexadecimal digits")
}

/// Publishes. Ends as `locate find` will for a friend, if the directory does not lead to the location.
///
/// # Errors
/// If a file cannot be read, the key is not that of the certificate, the location does not fit, or no network takes it.
pub(super) async fn run(args: Args) -> Result<ExitCode> {
    let clock = Clock;
    let (owner, keys) = (owner_key(&args.key)?, Keys::read(&args.keys)?);
    let reader = args.directory.reader(clock.wall()).await?;
    let verdict = reader.find(&args.identity, args.directory.patience(), clock.wall()).await?;
    let location_key = keys.location.verifying_key().to_bytes();
    let unseen = unseen(&args.identity, &verdict, &owner.public(), &location_key)?;
    if let Some((_, why)) = &unseen {
        eprintln!("dialproof: nobody will find this location: {why}");
    }
    let networks = reader.backends().clone();
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
                println!(
                    "published in {}, {} bytes, number {}{}",
                    names.join(", "),
                    item.value().len(),
                    item.seq(),
                    if args.contacts.is_empty() { ": that you are nowhere, as no --contact is given" } else { "" }
                );
                if matches!(audience, Audience::Friends(_)) {
                    println!(
                        "what you published for everybody stays until its end, at most a day: `--public` without --contact takes it back"
                    );
                }
                if args.keep {
                    let mut keeper = Refresher::new(networks);
                    keeper.keep(Kept { item, expires: now + life }, now)?;
                    let nobody = Following::new(reader, Friend::default(), args.directory.patience(), vec![], now);
                    return Ok(ExitCode::from(refresh::keep(keeper, nobody).await?));
                }
                return Ok(unseen.map_or(ExitCode::SUCCESS, |(code, _)| ExitCode::from(code)));
            }
            // One of ours lies there whose number is not below: within the same second, or by a clock ahead.
            Err(PutError::Stale { have_seq }) => last = Some(have_seq),
            Err(error) => return Err(error).context("no network took the location"),
        }
    }
    bail!("others keep writing later locations with this location key: does another of your devices?")
}

/// Why the directory leads nobody to what is published, with the code that `find` ends with then.
fn unseen(
    identity: &Identity,
    verdict: &Verdict,
    owner: &OwnerPublic,
    location_key: &[u8; 32],
) -> Result<Option<(u8, String)>> {
    let Verdict::Found(found) = verdict else {
        let answer = Answer { identity, verdict };
        return Ok(Some((answer.exit_code(), answer.to_string().trim_end().to_owned())));
    };
    if OwnerPublic::of(&found.certificate).as_ref() != Ok(owner) {
        bail!("--key is not the key of the certificate that the directory has: nobody would believe the location");
    }
    let why = match found.location_key {
        Some(listed) if listed == *location_key => return Ok(None),
        Some(_) => {
            "the directory lists another location key than that of --keys: `dialproof locate register` changes it"
        }
        None => {
            "the directory lists no location key of yours yet: `dialproof locate register`, and some minutes, change it"
        }
    };
    Ok(Some((OFFLINE, why.to_owned())))
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

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use dht_client::client::Origin;
    use dht_client::{Certificate, Found, Level, OwnerKey, SlotId};
    use p256::pkcs8::DecodePrivateKey as _;
    use time::macros::datetime;

    use super::*;

    /// What the directory has of somebody, and their key.
    fn found(location_key: Option<[u8; 32]>) -> (Verdict, OwnerPublic) {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let signed = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        let certificate = Certificate {
            der: signed.der().to_vec(),
            chain: vec![],
            level: Level::L2,
            code_only: false,
            serial: "5a".into(),
            not_before: datetime!(2026-03-01 12:00 UTC),
            not_after: datetime!(2026-03-31 12:00 UTC),
            name: "tel:+12025550143".into(),
        };
        let origin = Origin { backend: "mainline", slot: SlotId([1; 20]), seq: 1, bytes: 1, complete: true };
        let found = Found { certificate, location_key, kem_key: None, pending: None, origin };
        let owner = OwnerKey::P256(p256::ecdsa::SigningKey::from_pkcs8_der(key.serialized_der()).unwrap());
        (Verdict::Found(Box::new(found)), owner.public())
    }

    /// The command line, as far as it is about this.
    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn the_identity_may_stand_anywhere_and_each_recipient_has_an_option() {
        let (one, two) = ("11".repeat(32), "22".repeat(32));
        let whom = "tel:+12025550143";
        let always = ["--ca", "b", "--key", "k", "--keys", "l"];
        for line in [
            vec!["--to", &one, "--to", &two, whom],
            vec!["--to", &one, whom, "--to", &two],
            vec![whom, "--to", &one, "--to", &two],
        ] {
            let args = Line::try_parse_from([&["publish"], &always[..], &line].concat()).unwrap().args;
            assert_eq!((args.identity.expose(), args.audience.to), (whom, vec![[0x11; 32], [0x22; 32]]));
        }
        for (wrong, why) in [
            (vec![whom], "required"),
            (vec![whom, "--to", &one, &two], "unexpected argument"),
            (vec![whom, "--to", "11"], "64 lower-case"),
            (vec![whom, "--to", &one, "--public"], "cannot be used with"),
        ] {
            let told = Line::try_parse_from([&["publish"], &always[..], &wrong].concat()).unwrap_err().to_string();
            assert!(told.contains(why), "{wrong:?}: {told}");
        }
    }

    #[test]
    fn who_publishes_what_nobody_can_find_is_told_why() {
        let identity = Identity::tel("+12025550143").unwrap();
        let told = |verdict: &Verdict, owner| unseen(&identity, verdict, owner, &[7; 32]);
        let (listed, owner) = found(Some([7; 32]));
        assert_eq!(told(&listed, &owner).unwrap(), None);
        let (another, its_owner) = found(Some([8; 32]));
        let (code, why) = told(&another, &its_owner).unwrap().unwrap();
        assert!(code == 7 && why.contains("another location key"), "{code} {why}");
        let (none, its_owner) = found(None);
        let (code, why) = told(&none, &its_owner).unwrap().unwrap();
        assert!(code == 7 && why.contains("locate register"), "{code} {why}");
        let (code, why) = told(&Verdict::Unknown { asked: 3 }, &owner).unwrap().unwrap();
        assert!(code == 3 && why.contains("no record"), "{code} {why}");
        let refused = told(&listed, &its_owner).unwrap_err().to_string();
        assert!(refused.contains("--key is not the key"), "{refused}");
    }
}
