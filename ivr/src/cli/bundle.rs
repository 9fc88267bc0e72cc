//! `dialproof bundle`: what a CA's bundle says, and its next version in the place of the one that is trusted.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use dht_client::{Bundle, BundleError, Pin};
use futures_util::StreamExt as _;
use reqwest::{Client, redirect};
use time::OffsetDateTime;

use crate::clock::Clock;

/// The largest bundle that is fetched; a reader takes no larger one.
const SIZE_LIMIT: usize = 256 * 1024;
/// How long the service may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What can be done about a bundle.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Say whose it is, its number, and where its directory lies
    Show(Show),
    /// Take a newer version with the same root
    Update(Update),
}

/// What `show` takes.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// The bundle (PEM)
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,
}

/// What `update` takes.
#[derive(Debug, clap::Args)]
pub struct Update {
    /// The bundle that is trusted (PEM); it is replaced if the other one holds
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,
    /// Where the newer one is: a file, or an address such as https://verify.example.org/ca/bundle.pem. It need not be trusted
    #[arg(long, value_name = "FILE_OR_URL")]
    from: String,
}

/// Carries it out.
///
/// # Errors
/// If a bundle cannot be read or does not hold, or the update is not one.
pub async fn run(command: Command) -> Result<ExitCode> {
    let now = Clock.wall();
    match command {
        Command::Show(Show { ca }) => print!("{}", told(&read(&ca, now)?)),
        Command::Update(Update { ca, from }) => {
            let current = read(&ca, now)?;
            let offered = if from.contains("://") { fetch(&from).await? } else { newer(Path::new(&from))? };
            match current.update(&offered, now) {
                Ok(newer) => {
                    replace(&ca, &offered)?;
                    print!("updated\n{}", told(&newer));
                }
                Err(BundleError::Older { current, offered }) if current == offered => {
                    println!("it is the newest already")
                }
                Err(error) => return Err(error).with_context(|| format!("{from} is no update of {}", ca.display())),
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn bytes(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("the CA bundle {} cannot be read", file.display()))
}

fn newer(file: &Path) -> Result<Vec<u8>> {
    let name = file.display();
    std::fs::read(file).with_context(|| format!("{name} cannot be read; an address begins with https:// or http://"))
}

fn read(file: &Path, now: OffsetDateTime) -> Result<Bundle> {
    Bundle::read(&bytes(file)?, Pin::File, now).with_context(|| format!("the CA bundle {}", file.display()))
}

async fn fetch(url: &str) -> Result<Vec<u8>> {
    let http = Client::builder().redirect(redirect::Policy::none()).timeout(PATIENCE).build()?;
    let response = http.get(url).send().await.with_context(|| format!("asking {url}"))?;
    if !response.status().is_success() {
        bail!("{url} answered {}", response.status());
    }
    let (mut stream, mut body) = (response.bytes_stream(), Vec::new());
    while let Some(chunk) = stream.next().await {
        body.extend_from_slice(&chunk.with_context(|| format!("reading {url}"))?);
        if body.len() > SIZE_LIMIT {
            bail!("what {url} gives is too large for a bundle");
        }
    }
    Ok(body)
}

/// Written beside and renamed, so that a power cut leaves the old one or the new. Who may read the old one may read the new.
fn replace(file: &Path, bytes: &[u8]) -> Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = || -> Result<()> {
        let mut beside = tempfile::NamedTempFile::new_in(folder)?;
        beside.write_all(bytes)?;
        beside.as_file().set_permissions(std::fs::metadata(file)?.permissions())?;
        beside.as_file().sync_all()?;
        beside.persist(file)?;
        Ok(())
    };
    written().with_context(|| format!("writing {}", file.display()))
}

fn told(bundle: &Bundle) -> String {
    let terms = &bundle.terms;
    let networks: String = terms.networks.iter().map(|network| format!("  directory     {network}\n")).collect();
    let cost = terms.cost;
    format!(
        "  root          {}\n  number        {}\n  keys          {} of the directory\n{networks}  hash          Argon2id, {} KiB, {} passes\n",
        bundle.fingerprint(),
        terms.number,
        bundle.directory_keys.len(),
        cost.memory_kib,
        cost.passes,
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use dht_client::{HashCost, Network, Terms};

    use super::*;
    use crate::store::test_database::TestDatabase;
    use crate::verify::fixture::Service;

    async fn update(ca: &Path, from: &Path) -> Result<()> {
        let (ca, from) = (ca.to_owned(), from.to_str().unwrap().to_owned());
        run(Command::Update(Update { ca, from })).await.map(|_| ())
    }

    #[tokio::test]
    async fn a_bundle_is_replaced_by_a_newer_one_of_the_same_root_and_by_nothing_else() {
        let service = Service::over(TestDatabase::sqlite().await).await;
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, number, network: &str| {
            let networks = vec![network.parse::<Network>().unwrap()];
            let oid_arc = vec![1, 3, 6, 1, 4, 1, 32473];
            let terms = Terms { number, oid_arc, cost: HashCost::CHEAP, networks };
            let file = folder.path().join(name);
            std::fs::write(&file, service.authority.bundle(&terms.to_string()).unwrap()).unwrap();
            file
        };
        let trusted = write("trusted", 2, "mainline:127.0.0.1:4001");
        let number = || read(&trusted, Clock.wall()).unwrap().terms.number;
        let older = write("older", 1, "mainline:127.0.0.1:4002");
        let refused = update(&trusted, &older).await.unwrap_err();
        assert!(format!("{refused:#}").contains("has number 1, the one in use 2"), "{refused:#}");
        update(&trusted, &write("same", 2, "mainline:127.0.0.1:4002")).await.unwrap();
        assert_eq!(number(), 2);
        let no_file = update(&trusted, Path::new("verify.example.org/ca/bundle.pem")).await.unwrap_err();
        assert!(format!("{no_file:#}").contains("begins with https://"), "{no_file:#}");
        let broken = folder.path().join("broken");
        std::fs::write(&broken, "rubbish").unwrap();
        assert!(update(&trusted, &broken).await.is_err());
        let mode = || std::fs::metadata(&trusted).unwrap().permissions().mode() & 0o777;
        std::fs::set_permissions(&trusted, std::fs::Permissions::from_mode(0o644)).unwrap();
        update(&trusted, &write("newer", 3, "mainline:127.0.0.1:4003")).await.unwrap();
        assert_eq!((number(), mode()), (3, 0o644));
        assert!(told(&read(&trusted, Clock.wall()).unwrap()).contains("directory     mainline:127.0.0.1:4003\n"));
    }
}
