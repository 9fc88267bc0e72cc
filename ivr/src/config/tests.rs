//! A text becomes a configuration, or findings that say what is wrong with it.

mod example;
mod faults;
mod trunks;
mod warnings;

use ivr_core::caller::Level;

use super::*;

/// The smallest configuration that serves.
const SMALL: &str = r#"
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
shared_addresses = false
cli_screened = true
keeps_diversion = "yes"
country = "US"
[ca]
oid_arc = "1.3.6.1.4.1.55555"
passphrase_file = "passphrase"
[dht]
networks = ["mainline:192.0.2.9:4001"]
"#;

fn parsed(text: &str, purpose: Purpose) -> (Option<Config>, Vec<String>) {
    let mut findings = Findings::default();
    let config = Config::parse(text, Path::new("/etc/dialproof"), purpose, &mut findings);
    assert_eq!(config.is_none(), findings.has_faults(), "{findings}");
    (config, findings.to_string().lines().map(str::to_owned).collect())
}

/// What is found after this piece of the small configuration became that one.
fn found(from: &str, to: &str) -> Vec<String> {
    assert!(SMALL.contains(from), "{from} is not in the small configuration");
    parsed(&SMALL.replacen(from, to, 1), Purpose::Serve).1
}

/// For each change of the small configuration, this is among the findings.
fn are_told(table: &[(&str, &str, &str)]) {
    for (from, to, expected) in table {
        let findings = found(from, to);
        assert!(
            findings.iter().any(|line| line.contains(expected)),
            "{from} → {to}: expected {expected:?} in {findings:#?}"
        );
    }
}

/// The same, and nothing that is found is a fault.
fn are_warnings(table: &[(&str, &str, &str)]) {
    are_told(table);
    for (from, to, _) in table {
        let findings = found(from, to);
        assert!(findings.iter().all(|line| line.starts_with("warning: ")), "{from} → {to}: {findings:#?}");
    }
}

#[test]
fn the_small_configuration_is_faultless_and_takes_the_defaults() {
    let (config, findings) = parsed(SMALL, Purpose::Serve);
    assert_eq!(findings, Vec::<String>::new());
    let config = config.unwrap();
    assert_eq!(config.service().data_dir(), Path::new("/etc/dialproof/data"));
    assert_eq!(config.service().public_url(), "http://localhost:8080");
    assert_eq!(config.database().url().expose(), "sqlite:/etc/dialproof/data/dialproof.db");
    assert_eq!(config.ca().folder(), Path::new("/etc/dialproof/data/ca"));
    assert_eq!(config.ca().passphrase_file(), Some(Path::new("/etc/dialproof/passphrase")));
    assert_eq!(config.keys().file(), Path::new("/etc/dialproof/data/keys.toml"));
    assert_eq!(config.policy().issue_from, Level::L2.into());
    assert_eq!(config.verification().code_life().as_secs(), 600);
    assert_eq!(config.sip().rtp_ports(), 20_000..=20_999);
    assert_eq!(config.sip().unknown_peers(), ivr_core::endpoint::Strangers::Refuse);
    assert!(config.smtp().is_none());
    assert!(config.database().is_sqlite());
}

#[test]
fn both_families_and_tls_are_taken_where_the_sockets_take_them() {
    let text = SMALL.replace(
        "listen = \"127.0.0.1:5060\"",
        "listen = \"[::]:5060\"\nadvertise = [\"198.51.100.1:5060\", \"[2001:db8::1]:5060\"]\n\
         tls_listen = \"[::]:5061\"\ntls_certificate = \"c\"\ntls_key = \"k\"",
    );
    let text = text.replace("sources = [\"127.0.0.0/8\"]", "certificate_names = [\"SIP.carrier.example\"]");
    let (config, findings) = parsed(&text, Purpose::Serve);
    let config = config.unwrap_or_else(|| panic!("{findings:#?}"));
    let advertised = config.sip().advertise();
    assert_eq!(advertised.sip, "198.51.100.1:5060".parse().unwrap());
    assert_eq!((advertised.sip_other, advertised.tls_port), (Some("[2001:db8::1]:5060".parse().unwrap()), Some(5061)));
    assert_eq!(config.trunk_certificates()[0].names, ["sip.carrier.example"]);
    assert!(config.policy().trunks[0].shows_certificate && config.policy().has_roaming_trunk());
}

#[test]
fn lives_are_as_configured_and_else_the_longest() {
    let text = SMALL.replace("[dht]", "[ca.life_days]\nL0 = 30\nL2 = 14\n[dht]");
    let config = parsed(&text, Purpose::Serve).0.unwrap();
    let days = ::ca::Level::ALL.map(|level| config.ca().lives().of(level).as_secs() / 86_400);
    assert_eq!(days, [30, 7, 14, 30, 30]);
}

#[test]
fn the_demo_may_use_what_the_service_may_not() {
    let text = SMALL
        .replace("55555", "32473")
        .replace("networks = [\"mainline:192.0.2.9:4001\"]", "ring_ports = [0, 0, 0]\nhash_cost = \"cheap\"");
    assert_eq!(parsed(&text, Purpose::Demo).1, Vec::<String>::new());
    assert!(parsed(&text, Purpose::Serve).0.is_none());
}
