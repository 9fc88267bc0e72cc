//! What a service stands on before it can run, and what never changes afterwards: the authority, the service's own keys,
//! and the bundle that tells strangers how to look somebody up.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};

use ca::authority::names;
use ca::{Authority, File, InitError, InitOptions, KeyCost, OpenError, RotateError, Rotation, Urls};
use dht_client::{Bundle, HashCost, Network, Pin, Terms};
use ivr_core::private::Private;
use time::OffsetDateTime;

use crate::clock::Clock;
use crate::config::Config;
use crate::config::dht::Dht;
use crate::key_file::{KeyFile, KeyFileError};

/// Why a service cannot be founded, or what was founded cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FoundingError {
    /// The authority cannot be made.
    #[error("the authority cannot be made: {0}")]
    Init(#[from] InitError),
    /// The authority does not open.
    #[error("the authority in {} does not open: {cause}", folder.display())]
    Open {
        /// Where it lies.
        folder: PathBuf,
        /// Why.
        cause: OpenError,
    },
    /// There is no other directory key.
    #[error("the directory key stays: {0}")]
    Rotate(#[from] RotateError),
    /// The arc in the configuration is not the authority's.
    #[error(
        "ca.oid_arc is another arc than the one the authority in {} was made with: set it back; an authority's arc \
         stands in its certificates",
        folder.display()
    )]
    OtherArc {
        /// Where it lies.
        folder: PathBuf,
    },
    /// A file or folder of the authority.
    #[error("the authority's folder {}: {cause}{}", folder.display(), remedy(cause))]
    Folder {
        /// Where it lies.
        folder: PathBuf,
        /// What the disk says.
        cause: io::Error,
    },
    /// There is something already, which is never overwritten.
    #[error("{} is there already and is never overwritten: name another place, or move it away first", path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// The service's own keys are there already, but the authority is gone.
    #[error(
        "the key file {} is there already, but there is no authority in {}: restore that from the backup, or, for a new service, move \
         the key file away first",
        keys.display(),
        folder.display()
    )]
    Bereft {
        /// The key file.
        keys: PathBuf,
        /// Where the authority should lie.
        folder: PathBuf,
    },
    /// The service's own keys.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
}

fn remedy(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::NotFound => "; restore it from the backup, or make an authority with `dialproof init`",
        _ => "",
    }
}

/// What a new service is called and where its own lists will be found.
#[derive(Debug, Clone)]
pub struct Founding<'a> {
    /// Name, places, arc, directory.
    pub config: &'a Config,
    /// What the keys are encrypted with.
    pub passphrase: &'a Private<String>,
    /// What trying a passphrase costs.
    pub cost: KeyCost,
}

impl Founding<'_> {
    /// Makes authority, bundle and key file where the configuration wants them. Nothing is overwritten.
    ///
    /// # Errors
    /// If anything of it is there already, or the disk refuses.
    pub fn found(&self, networks: &[Network], clock: Clock) -> Result<Authority, FoundingError> {
        let (folder, keys) = (self.config.ca().folder(), self.config.keys().file());
        // Both are looked for before either is made.
        let settings = folder.join(names::SETTINGS);
        if settings.exists() {
            return Err(FoundingError::Exists { path: settings });
        }
        if keys.exists() {
            return Err(FoundingError::Bereft { keys: keys.to_owned(), folder: folder.to_owned() });
        }
        let now = clock.wall();
        let options = InitOptions {
            name: self.config.service().name().to_owned(),
            oid_arc: self.config.ca().oid_arc().to_vec(),
            urls: Urls::under(self.config.service().public_url()),
            strict_smime: false,
            now,
            entropy: clock.bytes(),
            passphrase: self.passphrase.expose(),
            cost: self.cost,
        };
        let files = Authority::init(&options)?;
        let authority = Authority::open(&files, self.passphrase.expose())
            .map_err(|cause| FoundingError::Open { folder: folder.to_owned(), cause })?;
        ca::files::write_new(folder, &files)
            .map_err(|cause| FoundingError::Folder { folder: folder.to_owned(), cause })?;
        renew_bundle(folder, &authority, self.config.dht().hash_cost(), networks, now)?;
        if let Some(parent) = keys.parent() {
            std::fs::create_dir_all(parent)
                .map_err(|cause| KeyFileError::Unwritable { path: keys.to_owned(), cause })?;
        }
        KeyFile::generate(|| clock.bytes()).write_new(keys)?;
        Ok(authority)
    }
}

/// Opens the authority of a service.
///
/// # Errors
/// What is missing or does not belong together.
pub fn open_authority(config: &Config, passphrase: &Private<String>) -> Result<Authority, FoundingError> {
    let folder = config.ca().folder();
    let files = ca::files::read(folder).map_err(|cause| FoundingError::Folder { folder: folder.to_owned(), cause })?;
    let authority = Authority::open(&files, passphrase.expose())
        .map_err(|cause| FoundingError::Open { folder: folder.to_owned(), cause })?;
    if authority.oid_arc() != config.ca().oid_arc() {
        return Err(FoundingError::OtherArc { folder: folder.to_owned() });
    }
    Ok(authority.with_urls(Urls::under(config.service().public_url())).with_lives(*config.ca().lives()))
}

/// Puts another directory key in the place of the one in use. Gives the authority as it opens from then on.
///
/// # Errors
/// What is missing or does not belong together, or the disk refuses. Nothing is written unless the authority opens after each file:
/// the disk may refuse any.
pub fn rotate_directory_key(config: &Config, rotation: &Rotation<'_>) -> Result<Authority, FoundingError> {
    let folder = config.ca().folder();
    let of_folder = |cause| FoundingError::Folder { folder: folder.to_owned(), cause };
    let open = |files: &[File]| {
        let opened = Authority::open(files, rotation.passphrase);
        opened.map_err(|cause| FoundingError::Open { folder: folder.to_owned(), cause })
    };
    let mut files = ca::files::read(folder).map_err(of_folder)?;
    let mut rotated = open(&files)?;
    let made = rotated.rotate_directory_key(rotation)?;
    for newer in &made {
        files.iter_mut().filter(|file| file.name == newer.name).for_each(|file| file.clone_from(newer));
        rotated = open(&files)?;
    }
    for file in &made {
        ca::files::replace(folder, file).map_err(of_folder)?;
    }
    Ok(rotated)
}

/// Where the directory of a configuration lies, once its own ring (if it has one) listens at these addresses; before
/// that, at the ports that were configured.
pub fn networks(dht: &Dht, ring: &[SocketAddrV4]) -> Vec<Network> {
    let at = |port: &u16| SocketAddrV4::new(Ipv4Addr::LOCALHOST, *port);
    let ring = if ring.is_empty() { dht.ring_ports().iter().map(at).collect() } else { ring.to_vec() };
    let ring = (!ring.is_empty()).then_some(Network::MainlineRing(ring));
    dht.networks().iter().cloned().chain(ring).collect()
}

/// Writes the bundle if it does not say already what it should, with a number above every earlier one: a reader refuses
/// a lower number as a rollback. Returns the bundle.
///
/// # Errors
/// If the disk refuses.
pub fn renew_bundle(
    folder: &Path,
    authority: &Authority,
    cost: HashCost,
    networks: &[Network],
    now: OffsetDateTime,
) -> Result<String, FoundingError> {
    let with_number = |number| {
        let terms = Terms { number, oid_arc: authority.oid_arc().to_vec(), cost, networks: networks.to_vec() };
        authority.bundle(&terms.to_string()).expect("terms begin with their headline")
    };
    let present = std::fs::read_to_string(folder.join(names::BUNDLE)).ok();
    let number = present.as_ref().and_then(|pem| Some(Bundle::read(pem.as_bytes(), Pin::File, now).ok()?.terms.number));
    // Ed25519 signs the same text in the same way each time, so equal terms are equal bytes.
    if let (Some(present), Some(number)) = (present, number)
        && present == with_number(number)
    {
        return Ok(present);
    }
    // The clock keeps the number growing even if the file was lost.
    let seconds = u64::try_from(now.unix_timestamp()).unwrap_or_default();
    let bundle = with_number(number.map_or(seconds, |number| seconds.max(number + 1)));
    let file = File { name: names::BUNDLE.to_owned(), bytes: bundle.clone().into_bytes() };
    ca::files::replace(folder, &file).map_err(|cause| FoundingError::Folder { folder: folder.to_owned(), cause })?;
    Ok(bundle)
}

#[cfg(test)]
mod tests {
    use ca::{DirectoryKey, Outgoing};

    use super::*;
    use crate::config::Purpose;
    use crate::config::findings::Findings;

    const TEXT: &str = r#"
[service]
name = "Test"
data_dir = "data"
public_url = "http://localhost:8080"
[http]
listen = "127.0.0.1:8080"
[sip]
listen = "127.0.0.1:5060"
[[trunk]]
name = "carrier"
sources = ["127.0.0.0/8"]
numbers = ["+12025550100"]
[dht]
networks = ["mainline:127.0.0.1:4001"]
"#;

    fn config(folder: &Path) -> Config {
        let mut findings = Findings::default();
        Config::parse(TEXT, folder, Purpose::Demo, &mut findings).unwrap_or_else(|| panic!("{findings}"))
    }

    fn found(config: &Config) -> Result<Authority, FoundingError> {
        let passphrase = Private::new("correct horse".to_owned());
        Founding { config, passphrase: &passphrase, cost: KeyCost::Throwaway }.found(config.dht().networks(), Clock)
    }

    fn bundle_number(folder: &Path) -> u64 {
        let pem = std::fs::read(folder.join(names::BUNDLE)).unwrap();
        Bundle::read(&pem, Pin::File, Clock.wall()).unwrap().terms.number
    }

    #[test]
    fn what_is_founded_opens_again_and_its_keys_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let founded = found(&config).unwrap();
        let opened = open_authority(&config, &Private::new("correct horse".to_owned())).unwrap();
        assert_eq!(opened.root_sha256(), founded.root_sha256());
        KeyFile::read(config.keys().file()).unwrap();
        let keys = std::fs::read_dir(config.ca().folder()).unwrap().map(|entry| entry.unwrap().path());
        let keys = keys.filter(|path| path.extension().is_some_and(|end| end == "key"));
        let mut count = 0;
        for path in keys.chain([config.keys().file().to_owned()]) {
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
            count += 1;
        }
        assert_eq!(count, 6);
        let wrong = open_authority(&config, &Private::new("wrong horse".to_owned())).unwrap_err();
        assert!(wrong.to_string().contains("the passphrase does not open it"), "{wrong}");
    }

    #[test]
    fn nothing_is_founded_over_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        found(&config).unwrap();
        let before = std::fs::read(config.keys().file()).unwrap();
        assert!(matches!(found(&config), Err(FoundingError::Exists { .. })));
        std::fs::remove_dir_all(config.ca().folder()).unwrap();
        assert!(matches!(found(&config), Err(FoundingError::Bereft { keys, .. }) if keys == config.keys().file()));
        let missing = open_authority(&config, &Private::new("any".to_owned())).unwrap_err().to_string();
        assert!(
            missing.contains("restore it from the backup, or make an authority with `dialproof init`"),
            "{missing}"
        );
        assert!(!config.ca().folder().exists());
        assert_eq!(std::fs::read(config.keys().file()).unwrap(), before);
    }

    #[test]
    fn the_bundle_of_a_rotated_directory_key_is_an_update_of_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let authority = found(&config).unwrap();
        let ca = config.ca().folder();
        let bundle = |authority: &Authority| {
            let (networks, now) = (config.dht().networks(), Clock.wall());
            renew_bundle(ca, authority, config.dht().hash_cost(), networks, now).unwrap()
        };
        let before = Bundle::read(bundle(&authority).as_bytes(), Pin::File, Clock.wall()).unwrap();

        let root_key = std::fs::read(ca.join(names::ROOT_KEY)).unwrap();
        let rotation = Rotation {
            root_key: &root_key,
            outgoing: Outgoing::Overlaps,
            now: Clock.wall(),
            entropy: Clock.bytes(),
            passphrase: "correct horse",
            cost: KeyCost::Throwaway,
        };
        let rotated = rotate_directory_key(&config, &rotation).unwrap();
        let opened = open_authority(&config, &Private::new("correct horse".to_owned())).unwrap();
        let keys = |authority: &Authority| -> Vec<[u8; 32]> {
            authority.directory_keys(Clock.wall()).map(DirectoryKey::public).collect()
        };
        assert_eq!(keys(&opened), keys(&rotated));
        let after = before.update(bundle(&opened).as_bytes(), Clock.wall()).unwrap();
        assert_eq!(after.directory_keys, keys(&opened));
        assert_eq!(after.directory_keys[1..], before.directory_keys);
        let ended = Clock.wall() + time::Duration::days(91);
        let later = Bundle::read(bundle(&opened).as_bytes(), Pin::File, ended).unwrap();
        assert_eq!(later.directory_keys, after.directory_keys[..1], "the older one needs no other bundle to end");
        assert!(
            matches!(rotate_directory_key(&config, &rotation), Err(FoundingError::Rotate(_))),
            "an overlap is not over"
        );
    }

    #[test]
    fn the_bundle_s_number_grows_with_its_terms_and_only_then() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let authority = found(&config).unwrap();
        let first = bundle_number(config.ca().folder());
        let renew = |networks: &[Network], now| {
            renew_bundle(config.ca().folder(), &authority, config.dht().hash_cost(), networks, now).unwrap();
            bundle_number(config.ca().folder())
        };
        assert_eq!(renew(config.dht().networks(), Clock.wall()), first);
        let long_ago = Clock.wall() - std::time::Duration::from_secs(30);
        let second = renew(&[Network::MainlinePublic], long_ago);
        assert!(second > first, "a clock that goes back does not turn the number back");
        assert_eq!(renew(&[Network::MainlinePublic], Clock.wall()), second);
    }
}
