//! How a DHT is named, in the bundle, in the configuration and after `--dht`:
//! `mainline:127.0.0.1:4001,127.0.0.1:4002` is a private ring, `mainline` the public network,
//! `opendht:http://127.0.0.1:8080,https://dht.example.org` a list of proxies.

use std::fmt;
use std::io;
use std::net::SocketAddrV4;
use std::str::FromStr;

use super::Backend;
use super::mainline::Mainline;
use super::opendht::{OpenDht, ProxyError};
use super::several::Several;

/// The most addresses that one network is named by.
const ADDRESSES: usize = 16;

/// A DHT by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// The public mainline network.
    MainlinePublic,
    /// A private mainline ring with these nodes.
    MainlineRing(Vec<SocketAddrV4>),
    /// OpenDHT through these proxies.
    OpenDht(Vec<String>),
}

/// The text names no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no DHT; write mainline:ADDRESS:PORT,… or mainline or opendht:URL,…")]
pub struct NetworkError(String);

/// Why a network cannot be joined.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No network is named.
    #[error("no DHT is named; give one with --dht or in the bundle")]
    None,
    /// The mainline node cannot start.
    #[error("the mainline node cannot start: {0}")]
    Mainline(#[from] io::Error),
    /// The list of proxies is wrong.
    #[error(transparent)]
    OpenDht(#[from] ProxyError),
}

impl Network {
    /// A client of this network. Whether anybody answers, `health` tells.
    ///
    /// # Errors
    /// If no client can be made on this machine.
    pub async fn connect(&self) -> Result<Backend, ConnectError> {
        Ok(match self {
            Self::MainlinePublic => Backend::Mainline(Mainline::public().await?),
            Self::MainlineRing(nodes) => Backend::Mainline(Mainline::ring(nodes).await?),
            Self::OpenDht(proxies) => Backend::OpenDht(OpenDht::new(proxies)?),
        })
    }
}

impl Several {
    /// A client of each of these networks.
    ///
    /// # Errors
    /// If there is none, or for one no client can be made.
    pub async fn connect(networks: &[Network]) -> Result<Self, ConnectError> {
        let mut backends = Vec::new();
        for network in networks {
            backends.push(network.connect().await?);
        }
        Self::new(backends).ok_or(ConnectError::None)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MainlinePublic => f.write_str("mainline"),
            Self::MainlineRing(nodes) => {
                let nodes: Vec<String> = nodes.iter().map(SocketAddrV4::to_string).collect();
                write!(f, "mainline:{}", nodes.join(","))
            }
            Self::OpenDht(proxies) => write!(f, "opendht:{}", proxies.join(",")),
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError(text.to_owned());
        let Some((kind, list)) = text.split_once(':') else {
            return if text == "mainline" { Ok(Self::MainlinePublic) } else { Err(wrong()) };
        };
        let addresses: Vec<&str> = list.split(',').collect();
        if addresses.len() > ADDRESSES {
            return Err(wrong());
        }
        match kind {
            "mainline" => {
                let nodes = addresses.iter().map(|address| address.parse()).collect::<Result<_, _>>();
                nodes.map(Self::MainlineRing).map_err(|_| wrong())
            }
            "opendht" => {
                OpenDht::new(&addresses).map_err(|_| wrong())?;
                Ok(Self::OpenDht(addresses.into_iter().map(str::to_owned).collect()))
            }
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_written_as_it_is_read() {
        for text in [
            "mainline",
            "mainline:127.0.0.1:4001,127.0.0.1:4002",
            "opendht:http://127.0.0.1:8080,https://dht.example.org/x",
        ] {
            assert_eq!(text.parse::<Network>().map(|network| network.to_string()), Ok(text.to_owned()));
        }
        for wrong in ["", "mainline:", "mainline:localhost", "opendht", "opendht:", "opendht:x", "memory", "Mainline"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
        let many = vec!["127.0.0.1:1"; ADDRESSES + 1].join(",");
        assert!(format!("mainline:{many}").parse::<Network>().is_err());
    }
}
