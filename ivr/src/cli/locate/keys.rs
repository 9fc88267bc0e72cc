//! The keys of somebody's location records, in a file of three lines that only its owner reads.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use dht_client::{FriendsKey, KemKey, SigningKey};
use serde::Deserialize;

use crate::cli::private_file::{self, Present};
use crate::clock::Clock;
use crate::hex;

/// What `keys` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file to make
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
}

/// What `friends-key` takes.
#[derive(Debug, clap::Args)]
pub struct FriendsArgs {
    /// The file that `locate keys` made
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
}

/// The file: 64 hexadecimal digits each. It has no `Debug`, so that nothing prints it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    location_key: String,
    kem_key: String,
    friends_key: String,
}

/// The keys.
pub(super) struct Keys {
    /// Signs the slot.
    pub(super) location: SigningKey,
    /// Friends encrypt to its public half.
    pub(super) kem: KemKey,
    /// Shared with friends.
    pub(super) friends: FriendsKey,
}

impl Keys {
    pub(super) fn read(file: &Path) -> Result<Self> {
        let name = file.display();
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("the keys {name} cannot be read; `dialproof locate keys` makes them"))?;
        // The parser's own message quotes the line, and the line is a secret.
        let read: File = toml::from_str(&text).map_err(|_| anyhow!("{name} is not a file of `locate keys`"))?;
        let key = |key: &str| {
            hex::read_array(key).ok_or_else(|| anyhow!("{name}: a key is 64 lower-case hexadecimal digits"))
        };
        Ok(Self {
            location: SigningKey::from_bytes(&key(&read.location_key)?),
            kem: KemKey::from_bytes(key(&read.kem_key)?),
            friends: FriendsKey::from_bytes(key(&read.friends_key)?),
        })
    }
}

/// Draws the keys. A file that is there stays: whoever loses its keys has to register others.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let [location, kem, friends] = [(); 3].map(|()| hex::of(&Clock.bytes::<32>()));
    let text = format!(
        "# Keep this file to yourself: it says where you are.\n\
         location_key = \"{location}\"\nkem_key = \"{kem}\"\nfriends_key = \"{friends}\"\n"
    );
    private_file::write(&args.keys, &text, Present::Kept)?;
    let keys = Keys::read(&args.keys)?;
    println!("location key  {}", hex::of(&keys.location.verifying_key().to_bytes()));
    println!("kem key       {}", hex::of(&keys.kem.public()));
    println!("Both are public. Have the directory list them: dialproof locate register");
    Ok(ExitCode::SUCCESS)
}

/// Prints the secret that friends need, and nothing else, so that it can be piped where it is to go.
pub(super) fn print_friends_key(args: &FriendsArgs) -> Result<ExitCode> {
    println!("{}", hex::of(Keys::read(&args.keys)?.friends.expose()));
    Ok(ExitCode::SUCCESS)
}
