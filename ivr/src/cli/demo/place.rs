//! Where a demo lives: a folder that goes with it, or one that was named and stays.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use ca::authority::names;
use ca::{Authority, KeyCost};
use dht_client::Network;
use ivr_core::number::Number;
use ivr_core::private::Private;
use tempfile::TempDir;

use crate::cli::private_file::{self, Present};
use crate::cli::secret::{PASSPHRASE, Typing};
use crate::clock::Clock;
use crate::config::ca::DOCUMENTATION_ARC;
use crate::config::draft::{Draft, Trunk};
use crate::config::findings::Findings;
use crate::config::{Config, Purpose};
use crate::hex;
use crate::key_file::KeyFile;
use crate::service::founding::{Founding, open_authority, renew_bundle};

/// The number that people call, one of those that no telephone has.
const NUMBER: &str = "+12025550100";
/// Those of its sandbox, which nobody proves at the service itself: the last of the country, far from those that people type and
/// callers count on from.
pub(super) const TEST_NUMBERS: [&str; 2] = ["+19895550198", "+19895550199"];
/// Whose numbers its trunk screens.
pub(super) const COUNTRY: &str = "US";

/// The folder.
pub(super) struct Place {
    folder: PathBuf,
    /// Deletes it in the end.
    temporary: Option<TempDir>,
}

impl Place {
    /// The folder that was named, made if there is none, or a temporary one.
    pub(super) fn take(named: Option<&Path>) -> Result<Self> {
        let Some(folder) = named else {
            let temporary =
                tempfile::Builder::new().prefix("dialproof-demo-").tempdir().context("a temporary folder")?;
            return Ok(Self { folder: temporary.path().to_owned(), temporary: Some(temporary) });
        };
        let folder = std::path::absolute(folder).with_context(|| format!("the path {}", folder.display()))?;
        std::fs::create_dir_all(&folder).with_context(|| format!("making the folder {}", folder.display()))?;
        Ok(Self { folder, temporary: None })
    }

    /// The folder, if it stays.
    pub(super) fn kept(&self) -> Option<&Path> {
        self.temporary.is_none().then_some(&self.folder)
    }

    /// The configuration of a demo that listens at these addresses.
    pub(super) fn config(&self, http: SocketAddr, sip: SocketAddr) -> Result<Config> {
        let draft = Draft {
            name: "Dialproof demo".to_owned(),
            data_dir: self.folder.clone(),
            public_url: format!("http://{http}"),
            http,
            trusted_proxies: Vec::new(),
            sip,
            advertise: None,
            trunk: trunk()?,
            // Whoever tries out a change of key sees both ends of it.
            // Whoever tries things out calls often, from one number.
            verification: vec![("key_change_hold_minutes", 2.into()), ("fruitless_calls_a_day", 1000.into())],
            oid_arc: DOCUMENTATION_ARC.to_owned(),
            passphrase_file: Some(self.passphrase_file()),
            test_numbers: TEST_NUMBERS.map(str::to_owned).to_vec(),
            networks: Vec::new(),
            // The ring is there already; its true ports go into the bundle.
            ring_ports: vec![1, 2, 3],
        };
        let mut findings = Findings::default();
        match Config::parse(&draft.text(), &self.folder, Purpose::Demo, &mut findings) {
            Some(config) => Ok(config),
            None => bail!("the demo's own configuration has faults:\n{findings}"),
        }
    }

    /// What the demo stands on: made at its first start, opened at later ones in the same folder.
    pub(super) fn found(&self, config: &Config, networks: &[Network], clock: Clock) -> Result<(Authority, KeyFile)> {
        let is_new = !config.ca().folder().join(names::SETTINGS).exists();
        let authority = if is_new {
            let passphrase = Private::new(hex::of(&clock.bytes::<16>()));
            private_file::write(&self.passphrase_file(), passphrase.expose(), Present::Replaced)?;
            let founding = Founding { config, passphrase: &passphrase, cost: KeyCost::Throwaway };
            founding.found(networks, clock)?
        } else {
            let passphrase = PASSPHRASE.find(config.ca().passphrase_file(), Typing::Once)?;
            let authority = open_authority(config, &passphrase)?;
            renew_bundle(config.ca().folder(), &authority, config.dht().hash_cost(), networks, clock.wall())?;
            authority
        };
        Ok((authority, KeyFile::read(config.keys().file())?))
    }

    /// The file of the bundle.
    pub(super) fn bundle(&self, config: &Config) -> PathBuf {
        config.ca().folder().join(names::BUNDLE)
    }

    fn passphrase_file(&self) -> PathBuf {
        self.folder.join("ca.passphrase")
    }
}

/// This machine as a carrier that screens its customers' numbers: nobody else reaches it, and it is trusted to say who
/// calls, as a contract would have it.
fn trunk() -> Result<Trunk> {
    Ok(Trunk {
        name: "loopback".to_owned(),
        // The socket is bound to 127.0.0.0/8, so all that arrives is sent by this machine; but some softphones send from
        // the address of another of its interfaces.
        sources: vec!["0.0.0.0/0".to_owned()],
        number: Number::parse(NUMBER)?,
        statements: vec![
            // Or they offer such an address and send from this one.
            ("media_networks", vec!["127.0.0.0/8"].into()),
            ("shared_addresses", false.into()),
            ("trust_pai", true.into()),
            ("cli_screened", true.into()),
            ("country", COUNTRY.into()),
            ("keeps_diversion", "yes".into()),
            ("max_calls", 200.into()),
        ],
    })
}
