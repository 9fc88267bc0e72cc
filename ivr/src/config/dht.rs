//! `[dht]`: where the directory lies. There is no default: a directory that nobody can reach would look like one.

use dht_client::backend::network::Network;
use dht_client::slot::HashCost;
use serde::Deserialize;

use super::{File, Purpose};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    #[serde(default)]
    networks: Vec<String>,
    #[serde(default)]
    ring_ports: Vec<u16>,
    #[serde(default = "default_hash_cost")]
    hash_cost: String,
}

fn default_hash_cost() -> String {
    "strong".to_owned()
}

/// The checked section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dht {
    networks: Vec<Network>,
    ring_ports: Vec<u16>,
    hash_cost: HashCost,
}

impl Dht {
    /// The networks that records are put into, and that the bundle names.
    pub fn networks(&self) -> &[Network] {
        &self.networks
    }

    /// Ports of a ring inside this process, on 127.0.0.1; the bundle names its addresses beside the networks.
    pub fn ring_ports(&self) -> &[u16] {
        &self.ring_ports
    }

    /// What hashing an identity costs.
    pub fn hash_cost(&self) -> HashCost {
        self.hash_cost
    }
}

pub(super) fn check(purpose: Purpose, file: &mut File<'_>) -> Option<Dht> {
    if !file.table.contains_key("dht") {
        file.findings.fault("dht", format!("the section [dht] is missing: choose a directory. {CHOICES}"));
        return None;
    }
    let raw: Raw = file.optional("dht")?;
    let networks: Option<Vec<Network>> = file.findings.parse_all("dht.networks", &raw.networks);
    if raw.networks.is_empty() && raw.ring_ports.is_empty() {
        file.findings.fault("dht.networks", format!("no network is named. {CHOICES}"));
    }
    if raw.ring_ports.len() == 1 {
        file.findings.fault("dht.ring_ports", "a ring has at least two nodes; three are a good number");
    }
    if !raw.ring_ports.is_empty() && purpose == Purpose::Serve {
        file.findings.warn(
            "dht.ring_ports",
            "the ring lives in this process and on this machine: nobody else finds its records, and they end with it",
        );
    }
    let costs = [("strong", HashCost::STRONG), ("cheap", HashCost::CHEAP)];
    let hash_cost = file.findings.choose("dht.hash_cost", &raw.hash_cost, &costs);
    if hash_cost == Some(HashCost::CHEAP) && purpose == Purpose::Serve {
        file.findings
            .fault("dht.hash_cost", "\"cheap\" lets anybody list every number of the directory; it is for tests");
    }
    if networks.iter().flatten().any(|network| *network == Network::MainlinePublic) && purpose == Purpose::Serve {
        file.findings.warn(
            "dht.networks",
            "mainline: no test of this program reaches the public network; look your first record up from elsewhere",
        );
    }
    for network in networks.iter().flatten() {
        let Network::OpenDht(proxies) = network else { continue };
        let lacks = match proxies.len() {
            ..=1 => "with one proxy, no record is read back from another; name three",
            2 => "of two proxies, one that lies keeps every record out; name three",
            3.. => continue,
        };
        file.findings.warn("dht.networks", format!("{network}: {lacks}"));
    }
    Some(Dht { networks: networks?, ring_ports: raw.ring_ports, hash_cost: hash_cost? })
}

/// The directories that there are, as lines of the file.
const CHOICES: &str = "networks = [\"mainline\"] is the public BitTorrent network (untried: no test reaches it), \
    [\"mainline:ADDRESS:PORT,…\"] a private ring of it, [\"opendht:URL,URL,URL\"] an OpenDHT through its proxies; \
    several may be named";
