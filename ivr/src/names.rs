//! Asks name servers where a trunk's servers are. The only file that names hickory.

use std::net::{IpAddr, SocketAddr};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use ivr_core::link::{Naptr, Query, Records, Srv};

/// A client of name servers. It remembers answers for as long as they say.
pub struct Names(TokioResolver);

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Names")
    }
}

/// The system does not say which name servers there are.
#[derive(Debug, thiserror::Error)]
#[error("the system names no name servers ({0}); set sip.nameservers")]
pub struct NoNameServers(String);

impl Names {
    /// Asks these; if there are none, those of the system.
    ///
    /// # Errors
    /// If the system has none either.
    pub fn of(servers: &[SocketAddr]) -> Result<Self, NoNameServers> {
        let builder = if servers.is_empty() {
            TokioResolver::builder_tokio().map_err(|error| NoNameServers(error.to_string()))?
        } else {
            let servers = servers.iter().map(|server| name_server(*server)).collect();
            let config = ResolverConfig::from_parts(None, Vec::new(), servers);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        Ok(Self(builder.build().map_err(|error| NoNameServers(error.to_string()))?))
    }

    /// The records; none if there are none, or none could be had: the core goes on with what else there is.
    pub async fn look_up(&self, query: &Query) -> Records {
        match query {
            Query::Naptr(name) => Records::Naptr(self.records(name, RecordType::NAPTR, naptr).await),
            Query::Srv(name) => Records::Srv(self.records(name, RecordType::SRV, srv).await),
            Query::Addresses(name) => Records::Addresses(self.addresses(name).await),
        }
    }

    async fn records<T>(&self, name: &str, kind: RecordType, read: impl Fn(&RData) -> Option<T>) -> Vec<T> {
        let Some(absolute) = absolute(name) else { return Vec::new() };
        match self.0.lookup(absolute, kind).await {
            Ok(found) => found.answers().iter().filter_map(|record| read(&record.data)).collect(),
            Err(error) => none(name, &error),
        }
    }

    async fn addresses(&self, name: &str) -> Vec<IpAddr> {
        let Some(absolute) = absolute(name) else { return Vec::new() };
        match self.0.lookup_ip(absolute).await {
            Ok(found) => found.iter().collect(),
            Err(error) => none(name, &error),
        }
    }
}

fn naptr(data: &RData) -> Option<Naptr> {
    let RData::NAPTR(naptr) = data else { return None };
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    Some(Naptr {
        order: naptr.order,
        preference: naptr.preference,
        flags: text(&naptr.flags),
        services: text(&naptr.services),
        replacement: naptr.replacement.to_ascii(),
    })
}

fn srv(data: &RData) -> Option<Srv> {
    let RData::SRV(srv) = data else { return None };
    Some(Srv { priority: srv.priority, weight: srv.weight, port: srv.port, target: srv.target.to_ascii() })
}

/// The name with its dot: the search list of the system is for people who type.
fn absolute(name: &str) -> Option<Name> {
    let mut name = Name::from_ascii(name).ok()?;
    name.set_fqdn(true);
    Some(name)
}

fn none<T>(name: &str, error: &impl std::fmt::Display) -> Vec<T> {
    tracing::debug!(name, "a name server has nothing: {error}");
    Vec::new()
}

fn name_server(address: SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    server.connections.iter_mut().for_each(|connection| connection.port = address.port());
    server
}
