//! `locate find`: who knows a number or an address, and perhaps a friends key, learns where to call.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, ensure};
use dht_client::{Absence, Contact, Friend, FriendsKey, Identity, KemKey, Whereabouts};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::OFFLINE;
use super::keys::Keys;
use crate::cli::directory::{Directory, identity};
use crate::cli::lookup::{Answer, rfc3339};
use crate::clock::Clock;
use crate::hex;

/// What the command takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whom to find: tel:+12025550143, mailto:someone@example.org, or either without its scheme
    #[arg(value_parser = identity)]
    identity: Identity,
    #[command(flatten)]
    directory: Directory,
    /// A file with the friends key that they gave you
    #[arg(long, value_name = "FILE")]
    friends_key: Option<PathBuf>,
    /// Your own file of `locate keys`, for what is sealed to you
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Finds and prints.
///
/// # Errors
/// As `lookup`, or if a key cannot be read.
pub(super) async fn run(args: Args) -> Result<ExitCode> {
    let now = Clock.wall();
    let friend = friend(args.friends_key.as_deref(), args.keys.as_deref())?;
    let reader = args.directory.reader(now).await?;
    let whereabouts = reader.locate(&args.identity, &friend, args.directory.patience(), now).await?;
    let told = Told { identity: &args.identity, whereabouts: &whereabouts, now };
    if args.json {
        println!("{}", told.json());
    } else {
        print!("{told}");
    }
    Ok(ExitCode::from(told.exit_code()))
}

/// The keys of who looks.
pub(in crate::cli) fn friend(friends_key: Option<&Path>, keys: Option<&Path>) -> Result<Friend> {
    let read = |file: &Path| -> Result<FriendsKey> {
        // What cannot be read is named, and this is a secret.
        let is_key = file.to_str().is_some_and(|name| hex::read_array::<32>(name).is_some());
        ensure!(!is_key, "--friends-key names a file: write the key into one, where no list of processes shows it");
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("the friends key {} cannot be read", file.display()))?;
        let key = hex::read_array(text.trim());
        key.map(FriendsKey::from_bytes).ok_or_else(|| anyhow!("a friends key is 64 lower-case hexadecimal digits"))
    };
    let own = |file: &Path| -> Result<KemKey> { Ok(Keys::read(file)?.kem) };
    Ok(Friend { friends_key: friends_key.map(read).transpose()?, kem_key: keys.map(own).transpose()? })
}

/// Whereabouts as they are told: `Display` is for people, [`Told::json`] for programs.
struct Told<'a> {
    identity: &'a Identity,
    whereabouts: &'a Whereabouts,
    now: OffsetDateTime,
}

impl Told<'_> {
    fn exit_code(&self) -> u8 {
        match self.whereabouts {
            Whereabouts::Here { .. } => 0,
            Whereabouts::Offline { .. } => OFFLINE,
            Whereabouts::Unheard { .. } => 4,
            Whereabouts::NotFound(verdict) => Answer { identity: self.identity, verdict }.exit_code(),
        }
    }

    /// One object: `identity` and `whereabouts` always, the rest as far as there is something to say.
    fn json(&self) -> Value {
        let identity = self.identity.expose();
        match self.whereabouts {
            Whereabouts::Here { found, location, complete } => json!({
                "identity": identity,
                "whereabouts": "here",
                "serial": found.certificate.serial,
                "level": found.certificate.level.to_string(),
                "contacts": location.living(self.now).into_iter().map(contact).collect::<Vec<_>>(),
                "complete": complete,
            }),
            Whereabouts::Offline { found, why } => json!({
                "identity": identity,
                "whereabouts": "offline",
                "serial": found.certificate.serial,
                "level": found.certificate.level.to_string(),
                "reason": reason(why),
            }),
            Whereabouts::Unheard { found, error } => json!({
                "identity": identity,
                "whereabouts": "unreachable",
                "serial": found.certificate.serial,
                "reason": error.to_string(),
            }),
            Whereabouts::NotFound(verdict) => {
                let mut object = Answer { identity: self.identity, verdict }.json();
                object["whereabouts"] = object["verdict"].clone();
                object
            }
        }
    }
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whom = self.identity.expose();
        match self.whereabouts {
            Whereabouts::Here { found, location, complete } => {
                writeln!(f, "{whom}: here, certified at level {}", found.certificate.level)?;
                for contact in location.living(self.now) {
                    writeln!(f, "  {}, until {}", contact.expose(), until(contact))?;
                }
                if *complete {
                    return Ok(());
                }
                writeln!(f, "  not every part of the directory answered: a later location may be hidden")
            }
            Whereabouts::Offline { why, .. } => writeln!(f, "{whom}: known, but offline: {}", reason(why)),
            Whereabouts::Unheard { error, .. } => {
                writeln!(f, "{whom}: known, but nobody can say where: {error}; try again")
            }
            Whereabouts::NotFound(verdict) => write!(f, "{}", Answer { identity: self.identity, verdict }),
        }
    }
}

fn reason(why: &Absence) -> String {
    match why {
        Absence::NeverSaid => "they list no location key".to_owned(),
        Absence::Nothing => "no location is published for you".to_owned(),
        Absence::Left => "they said that they left, or their contacts have expired".to_owned(),
        Absence::Unreadable(error) => error.to_string(),
        Absence::RolledBack => "a later location was seen before: somebody replays an old one".to_owned(),
    }
}

fn contact(contact: &Contact) -> Value {
    json!({ "uri": contact.expose(), "priority": contact.priority(), "until": until(contact) })
}

fn until(contact: &Contact) -> String {
    OffsetDateTime::from_unix_timestamp(contact.expires()).map_or_else(|_| contact.expires().to_string(), rfc3339)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_the_place_of_its_file_is_not_told_on() {
        let key = "0d".repeat(32);
        let told = format!("{:#}", friend(Some(Path::new(&key)), None).unwrap_err());
        assert!(told.contains("names a file") && !told.contains(&key), "{told}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("friend");
        std::fs::write(&file, format!("{key}\n")).unwrap();
        let read = friend(Some(&file), None).unwrap().friends_key;
        assert_eq!(read, Some(FriendsKey::from_bytes([0x0d; 32])));
    }
}
