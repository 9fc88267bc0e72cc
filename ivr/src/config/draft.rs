//! A small configuration file, as `init` and the demo write it: only what has no good default. `config.example.toml`
//! shows the rest.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ivr_core::number::Number;
use toml::Value;

/// What the file is to say.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What pages and mails call the service.
    pub name: String,
    /// Where everything lies.
    pub data_dir: PathBuf,
    /// Where people find the pages.
    pub public_url: String,
    /// Where pages and API listen.
    pub http: SocketAddr,
    /// Proxies that do TLS in front of the pages.
    pub trusted_proxies: Vec<String>,
    /// Where calls arrive.
    pub sip: SocketAddr,
    /// The address at which the carrier reaches it, if that is another.
    pub advertise: Option<SocketAddr>,
    /// The carrier.
    pub trunk: Trunk,
    /// How numbers are proved, where not as is usual.
    pub verification: Vec<(&'static str, Value)>,
    /// The arc of the authority's object identifiers.
    pub oid_arc: String,
    /// Where the passphrase of the authority's keys is.
    pub passphrase_file: Option<PathBuf>,
    /// The numbers of the sandbox, if there is to be one.
    pub test_numbers: Vec<String>,
    /// The networks that the directory lies in.
    pub networks: Vec<String>,
    /// Ports of a ring in the process.
    pub ring_ports: Vec<u16>,
}

/// The first carrier; there may be more later.
#[derive(Debug, Clone)]
pub struct Trunk {
    /// The operator's name for it.
    pub name: String,
    /// Where its SIP comes from.
    pub sources: Vec<String>,
    /// Our number that it delivers.
    pub number: Number,
    /// Everything that the operator states about it beyond that: whether its word may be taken.
    pub statements: Vec<(&'static str, Value)>,
}

impl Draft {
    /// The file.
    pub fn text(&self) -> String {
        let mut text =
            "# Written by Dialproof. config.example.toml shows every key; `dialproof check-config` says what \
                        is wrong.\n"
                .to_owned();
        let mut section = |head: &str, keys: Vec<(&str, Value)>| {
            text.push_str(&format!("\n{head}\n"));
            // A Value writes itself as TOML, with all that a text may hold.
            keys.iter().for_each(|(key, value)| text.push_str(&format!("{key} = {value}\n")));
        };
        section(
            "[service]",
            vec![
                ("name", self.name.clone().into()),
                ("data_dir", path(&self.data_dir)),
                ("public_url", self.public_url.clone().into()),
                ("default_country", self.trunk.number.country().to_string().into()),
            ],
        );
        let mut http = vec![("listen", self.http.to_string().into())];
        if !self.trusted_proxies.is_empty() {
            http.push(("trusted_proxies", self.trusted_proxies.clone().into()));
        }
        section("[http]", http);
        let mut sip = vec![("listen", self.sip.to_string().into())];
        sip.extend(self.advertise.map(|address| ("advertise", address.to_string().into())));
        section("[sip]", sip);
        let mut trunk = vec![
            ("name", self.trunk.name.clone().into()),
            ("sources", self.trunk.sources.clone().into()),
            ("numbers", vec![self.trunk.number.as_str().to_owned()].into()),
        ];
        trunk.extend(self.trunk.statements.iter().cloned());
        section("[[trunk]]", trunk);
        if !self.verification.is_empty() {
            section("[verification]", self.verification.clone());
        }
        let mut ca = vec![("oid_arc", self.oid_arc.clone().into())];
        ca.extend(self.passphrase_file.as_ref().map(|file| ("passphrase_file", path(file))));
        section("[ca]", ca);
        let mut dht = Vec::new();
        if !self.networks.is_empty() {
            dht.push(("networks", self.networks.clone().into()));
        }
        if !self.ring_ports.is_empty() {
            dht.push((
                "ring_ports",
                Value::Array(self.ring_ports.iter().map(|port| i64::from(*port).into()).collect()),
            ));
        }
        section("[dht]", dht);
        if !self.test_numbers.is_empty() {
            section("[sandbox]", vec![("numbers", self.test_numbers.clone().into())]);
        }
        text
    }
}

fn path(path: &Path) -> Value {
    path.display().to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::findings::Findings;
    use crate::config::sandbox::Sandbox;
    use crate::config::{Config, Purpose};

    #[test]
    fn what_is_drafted_is_a_configuration() {
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let draft = Draft {
            name: "A \"quoted\" name".into(),
            data_dir: "/var/lib/dialproof".into(),
            public_url: "https://verify.example.org".into(),
            http: loopback(8080),
            trusted_proxies: vec!["127.0.0.1".into()],
            sip: loopback(5060),
            advertise: Some(SocketAddr::from(([198, 51, 100, 1], 5060))),
            trunk: Trunk {
                name: "carrier".into(),
                sources: vec!["192.0.2.0/28".into()],
                number: Number::parse("+12025550100").unwrap(),
                statements: vec![("cli_screened", true.into())],
            },
            verification: vec![("key_change_hold_minutes", 60.into())],
            oid_arc: "1.3.6.1.4.1.55555".into(),
            passphrase_file: Some("/etc/dialproof/passphrase".into()),
            test_numbers: vec!["+12025550150".into()],
            networks: vec!["mainline".into()],
            ring_ports: vec![4001, 4002],
        };
        let mut findings = Findings::default();
        let config = Config::parse(&draft.text(), Path::new("/"), Purpose::Serve, &mut findings);
        let config = config.unwrap_or_else(|| panic!("{findings}"));
        assert_eq!(config.service().name(), "A \"quoted\" name");
        assert_eq!(config.sip().advertise().sip, SocketAddr::from(([198, 51, 100, 1], 5060)));
        assert_eq!(config.http().trusted_proxies(), ["127.0.0.1".parse().unwrap()]);
        assert!(config.policy().trunks[0].cli_screened);
        assert_eq!(config.verification().key_change_hold().as_secs(), 3600);
        assert_eq!(config.dht().ring_ports(), [4001, 4002]);
        assert_eq!(config.sandbox().map(Sandbox::numbers), Some(&[Number::parse("+12025550150").unwrap()][..]));
        assert_eq!(config.ca().passphrase_file(), Some(Path::new("/etc/dialproof/passphrase")));
    }
}
