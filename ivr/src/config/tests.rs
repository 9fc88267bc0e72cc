use std::fmt;

use ivr_core::caller::{Level, Verdict, judge};
use ivr_core::link::Duty;
use ivr_core::sip::peer::Peer;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use super::*;

const EXAMPLE: &str = include_str!("../../../config.example.toml");

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
fn every_fault_is_told_with_its_place() {
    let table = [
        ("[service]", "[servce]", "fault: service: the section [service] is missing"),
        ("name = \"Test\"", "name = \"\"", "fault: service.name: a name is one line of 1 to 60 bytes"),
        ("name = \"Test\"", "nane = \"Test\"", "fault: service: unknown field `nane`"),
        (
            "http://localhost:8080",
            "http://verify.example.org",
            "fault: service.public_url: browsers make keys only on https",
        ),
        (
            "http://localhost:8080",
            "https://verify.example.org/x",
            "fault: service.public_url: the pages lie at the root",
        ),
        ("http://localhost:8080", "nowhere", "fault: service.public_url: \"nowhere\" is no URL"),
        (
            "listen = \"127.0.0.1:8080\"",
            "listen = \"0.0.0.0:8080\"",
            "fault: http.listen: plain HTTP is served on loopback only",
        ),
        (
            "http://localhost:8080",
            "https://verify.example.org/",
            "fault: http.trusted_proxies: public_url is https, so somebody does TLS",
        ),
        (
            "listen = \"127.0.0.1:8080\"",
            "listen = \"localhost\"",
            "fault: http.listen: \"localhost\": invalid socket address",
        ),
        (
            "listen = \"127.0.0.1:8080\"",
            "listen = \"127.0.0.1:8080\"\ntls_key = \"k\"",
            "fault: http.tls_certificate: TLS needs both",
        ),
        (
            "listen = \"127.0.0.1:5060\"",
            "listen = \"0.0.0.0:5060\"",
            "fault: sip.advertise: nobody can answer to 0.0.0.0",
        ),
        (
            "listen = \"127.0.0.1:5060\"",
            "listen = \"0.0.0.0:5060\"\nadvertise = \"sip.example.org:5060\"",
            "fault: sip.advertise: \"sip.example.org:5060\": write an IP address and a port",
        ),
        (
            "listen = \"127.0.0.1:5060\"",
            "listen = \"127.0.0.1:5060\"\nadvertise = [\"198.51.100.1:5060\", \"[2001:db8::1]:5060\"]",
            "fault: sip.advertise: listen and rtp_address take the other family only: listen at \"[::]:5060\"",
        ),
        (
            "listen = \"127.0.0.1:5060\"",
            "listen = \"[::]:5060\"\nadvertise = [\"198.51.100.1:5060\", \"198.51.100.2:5060\"]",
            "fault: sip.advertise: two addresses are one IPv4 and one IPv6",
        ),
        (
            "listen = \"127.0.0.1:5060\"",
            "listen = \"127.0.0.1:5060\"\ntls_listen = \"127.0.0.1:5061\"\ntls_key = \"k\"",
            "fault: sip.tls_listen: TLS needs all of tls_listen, tls_certificate and tls_key",
        ),
        (
            "sources = [\"127.0.0.0/8\"]",
            "",
            "fault: trunk \"carrier\".sources: name the addresses that this carrier's SIP comes from, or the certificate",
        ),
        (
            "sources = [\"127.0.0.0/8\"]",
            "certificate_names = [\"sip.carrier.example\"]",
            "fault: trunk \"carrier\".certificate_names: a certificate is shown over TLS only: set sip.tls_listen",
        ),
        (
            "sources = [\"127.0.0.0/8\"]",
            "certificate_names = [\"*.carrier.example\"]",
            "fault: trunk \"carrier\".certificate_names: \"*.carrier.example\": a domain of its certificate",
        ),
        (
            "[[trunk]]",
            "[[trunk]]\nname = \"other\"\ncertificate_names = [\"a.example\"]\nnumbers = [\"+12025550101\"]\n[[trunk]]\n\
             certificate_names = [\"A.example\"]",
            "fault: trunk \"other\".certificate_names: \"a.example\" is shown by trunk \"carrier\", too",
        ),
        (
            "sources = [\"127.0.0.0/8\"]",
            "sources = [\"127.0.0.0/8\"]\ncertificate_authorities = \"ca.pem\"",
            "fault: trunk \"carrier\".certificate_authorities: say in certificate_names whom they certify",
        ),
        (
            "listen = \"127.0.0.1:5060\"",
            "listen = \"127.0.0.1:5060\"\nrtp_ports = \"20000-20100\"",
            "fault: sip.rtp_ports: 200 calls need a range of 800 ports",
        ),
        (
            "listen = \"127.0.0.1:5060\"",
            "listen = \"127.0.0.1:5060\"\nrtp_ports = \"20999-20000\"",
            "fault: sip.rtp_ports: \"20999-20000\": write FIRST-LAST",
        ),
        (
            "listen = \"127.0.0.1:5060\"",
            "listen = \"127.0.0.1:5060\"\nunknown_peers = \"404\"",
            "fault: sip.unknown_peers: \"404\" is none of \"403\", \"silence\"",
        ),
        (
            "127.0.0.0/8",
            "127.0.0.1/8",
            "fault: trunk \"carrier\".sources: \"127.0.0.1/8\": the address has bits outside",
        ),
        (
            "127.0.0.0/8",
            "sip.example.org",
            "fault: trunk \"carrier\".sources: \"sip.example.org\": a network is an IP address",
        ),
        (
            "+12025550100",
            "+1 202 555 0100",
            "fault: trunk \"carrier\".numbers: \"+1 202 555 0100\": a number is written as +",
        ),
        ("+12025550100", "+4402079460018", "; did you mean +442079460018?"),
        (
            "country = \"US\"",
            "country = \"US\"\nprobe = \"sip:+12025550143@carrier.example\"",
            "fault: trunk \"carrier\".probe: \"sip:+12025550143@carrier.example\": a server has no user",
        ),
        (
            "country = \"US\"",
            "country = \"US\"\nprobe = \"sips:carrier.example\"",
            "fault: trunk \"carrier\".probe: over TLS the server must be known by its certificate",
        ),
        (
            "country = \"US\"",
            "country = \"US\"\n[trunk.register]\nregistrar = \"sip:c.example\"\nuser = \"a b\"\npassword_file = \"none\"",
            "fault: trunk \"carrier\".register.user: what stands before the @ of your account",
        ),
        (
            "country = \"US\"",
            "country = \"US\"\n[trunk.register]\nregistrar = \"sip:c.example\"\nuser = \"a\"\nauth_user = '\"'\npassword_file = \"none\"",
            "fault: trunk \"carrier\".register.auth_user: a name of up to 128 bytes",
        ),
        (
            "country = \"US\"",
            "country = \"US\"\n[trunk.register]\nregistrar = \"sip:c.example\"\nuser = \"a\"\npassword_file = \"none\"\nexpires_seconds = 5",
            "fault: trunk \"carrier\".register.expires_seconds: between 60 and 86400 seconds",
        ),
        (
            "country = \"US\"",
            "country = \"US\"\n[trunk.register]\nregistrar = \"sip:c.example\"\nuser = \"a\"\npassword_file = \"none\"",
            "fault: trunk \"carrier\".register.password_file: ",
        ),
        (
            "listen = \"127.0.0.1:5060\"",
            "listen = \"127.0.0.1:5060\"\nnameservers = [\"dns.example\"]",
            "fault: sip.nameservers: \"dns.example\": invalid",
        ),
        (
            "country = \"US\"",
            "country = \"USA\"",
            "fault: trunk \"carrier\".country: \"USA\": a country is two capital letters",
        ),
        (
            "country = \"US\"",
            "number_format = \"national\"",
            "fault: trunk \"carrier\".country: national numbers mean nothing without their country",
        ),
        (
            "country = \"US\"",
            "trunk_prefix = \"0\"",
            "fault: trunk \"carrier\".trunk_prefix: only number_format = \"national\" has such a prefix",
        ),
        (
            "country = \"US\"",
            "strip_prefixes = [\"+\"]",
            "fault: trunk \"carrier\".strip_prefixes: \"+\": a prefix is 1 to 8",
        ),
        ("country = \"US\"", "srtp = \"always\"", "fault: trunk \"carrier\".srtp: \"always\" is none of \"offered\""),
        ("country = \"US\"", "max_level = \"L0\"", "fault: trunk \"carrier\".max_level: L0 is what email proves"),
        ("country = \"US\"", "max_calls = 0", "fault: trunk \"carrier\".max_calls: at least 1"),
        ("country = \"US\"", "calls_per_second = 0", "fault: trunk \"carrier\".calls_per_second: between 1 and 10000"),
        (
            "country = \"US\"",
            "calls_per_second = 10001",
            "fault: trunk \"carrier\".calls_per_second: between 1 and 10000",
        ),
        (
            "country = \"US\"",
            "ingress_secret_file = \"/nonexistent/secret\"",
            "fault: trunk \"carrier\".ingress_secret_file: /nonexistent/secret cannot be read",
        ),
        ("[[trunk]]", "[trunk]", "fault: trunk: trunks are a list"),
        (
            "[ca]",
            "[[trunk]]\nname = \"other\"\nsources = [\"127.0.0.1\"]\nnumbers = [\"+12025550101\"]\n[ca]",
            "fault: trunk \"carrier\".sources: 127.0.0.0/8 belongs to trunk \"other\", too",
        ),
        (
            "[ca]",
            "[verification]\nbinding = \"code-only\"\n[ca]",
            "fault: verification.issue_from: binding = \"code-only\" proves",
        ),
        ("[ca]", "[verification]\nissue_from = \"L4\"\n[ca]", "fault: verification.issue_from: L1, L2 or L3"),
        ("[ca]", "[verification]\nissue_from_voip = \"L0\"\n[ca]", "fault: verification.issue_from_voip: L1, L2 or L3"),
        (
            "[ca]",
            "[trunk.verstat]\nheader = \"X Y\"\n[ca]",
            "fault: trunk \"carrier\".verstat.header: the name of a SIP",
        ),
        (
            "[ca]",
            "[trunk.verstat]\nheader = \"X-Y\"\n[ca]",
            "fault: trunk \"carrier\".verstat.header: name the carrier's",
        ),
        (
            "[ca]",
            "[trunk.verstat]\nheader = \"X-Y\"\npassed_a = [\"A\"]\nfailed = [\"B\", \"A\"]\n[ca]",
            "fault: trunk \"carrier\".verstat.failed: \"A\" stands in the table twice",
        ),
        (
            "[ca]",
            "[trunk.verstat]\nheader = \"X-Y\"\npassed_a = [\" A\"]\n[ca]",
            "fault: trunk \"carrier\".verstat.passed_a: \" A\": a word is 1 to 64",
        ),
        (
            "[ca]",
            "[trunk.verstat]\nheader = \"X-Y\"\npassed = [\"A\"]\n[ca]",
            "fault: trunk \"carrier\".verstat.attestation_header: it says with which",
        ),
        (
            "[ca]",
            "from_is_free_text = true\n[trunk.verstat]\nheader = \"from\"\npassed_a = [\"A\"]\n[ca]",
            "fault: trunk \"carrier\".verstat.header: from_is_free_text says",
        ),
        (
            "[ca]",
            "[trunk.verstat]\nheader = \"P-Asserted-Identity\"\npassed_a = [\"A\"]\n[ca]",
            "fault: trunk \"carrier\".verstat.header: P-Asserted-Identity is not believed",
        ),
        (
            "[ca]",
            "[verification]\ncode_life_minutes = 600\n[ca]",
            "fault: verification.code_life_minutes: between 2 and 30",
        ),
        ("1.3.6.1.4.1.55555", "1.3.6.1.4.1.32473", "fault: ca.oid_arc: 1.3.6.1.4.1.32473 is for documentation"),
        ("[dht]", "[ca.life_days]\nL1 = 8\n[dht]", "fault: ca.life_days.L1: between 1 and 7 days"),
        ("[dht]", "[ca.life_days]\nL2 = 0\n[dht]", "fault: ca.life_days.L2: between 1 and 30 days"),
        ("[dht]", "[ca.life_days]\nL5 = 1\n[dht]", "fault: ca.life_days.L5: a level is one of"),
        ("1.3.6.1.4.1.55555", "1.40.1", "fault: ca.oid_arc: \"1.40.1\" is no object identifier"),
        ("[dht]", "[database]\nurl = \"mysql://h/d\"\n[dht]", "fault: database.url: write sqlite:FILE or postgres://"),
        ("[dht]", "[operators]\nsession_hours = 0\n[dht]", "fault: operators.session_hours: between 1 hour and a week"),
        (
            "[dht]\nnetworks = [\"mainline:192.0.2.9:4001\"]",
            "",
            "fault: dht: the section [dht] is missing: choose a directory",
        ),
        ("networks = [\"mainline:192.0.2.9:4001\"]", "", "fault: dht.networks: no network is named"),
        (
            "networks = [\"mainline:192.0.2.9:4001\"]",
            "networks = [\"ipfs\"]",
            "fault: dht.networks: \"ipfs\": `ipfs` names no DHT",
        ),
        (
            "networks = [\"mainline:192.0.2.9:4001\"]",
            "ring_ports = [4001]",
            "fault: dht.ring_ports: a ring has at least two nodes",
        ),
        (
            "networks = [\"mainline:192.0.2.9:4001\"]",
            "networks = [\"mainline:192.0.2.9:4001\"]\nhash_cost = \"cheap\"",
            "fault: dht.hash_cost: \"cheap\" lets anybody list",
        ),
        (
            "[dht]",
            "[smtp]\nhost = \"mail.example.org\"\nfrom = \"a@b.example\"\ntls = \"none\"\n[dht]",
            "fault: smtp.tls: \"none\" is for a relay on this machine",
        ),
        (
            "[dht]",
            "[smtp]\nhost = \"mail.example.org\"\nfrom = \"nobody\"\n[dht]",
            "fault: smtp.from: \"nobody\" is no mail address",
        ),
        (
            "[dht]",
            "[smtp]\nhost = \"mail.example.org\"\nfrom = \"a@b.example\"\nuser = \"u\"\n[dht]",
            "fault: smtp.user: a login needs both",
        ),
    ];
    for (from, to, expected) in table {
        let findings = found(from, to);
        assert!(
            findings.iter().any(|line| line.contains(expected)),
            "{from} → {to}: expected {expected:?} in {findings:#?}"
        );
    }
}

#[test]
fn all_faults_come_at_once_and_unknown_sections_are_among_them() {
    let text = "[service]\nname = \"\"\n[http]\nlisten = 1\n[sip]\nlisten = \"x\"\n[smpt]\n";
    let (_, findings) = parsed(text, Purpose::Serve);
    for place in [
        "service: missing field",
        "http: invalid type",
        "sip.listen",
        "trunk: no carrier",
        "ca.oid_arc",
        "dht:",
        "smpt: there is no such section",
    ] {
        assert!(findings.iter().any(|line| line.starts_with(&format!("fault: {place}"))), "{place} in {findings:#?}");
    }
}

#[test]
fn a_text_that_is_not_toml_is_one_fault_with_its_line() {
    let (_, findings) = parsed("[service\n", Purpose::Serve);
    assert!(findings[0].starts_with("fault: file: this is not TOML: TOML parse error at line 1"), "{findings:#?}");
}

#[test]
fn what_an_operator_should_know_is_a_warning() {
    let table = [
        ("shared_addresses = false", "", "its addresses are shared and there is no ingress_secret_file"),
        (
            "cli_screened = true",
            "",
            "because cli_screened is false: every call over it will be refused while issue_from is L2",
        ),
        ("country = \"US\"", "", "because no country is stated"),
        ("keeps_diversion = \"yes\"", "", "because keeps_diversion is not \"yes\""),
        (
            "country = \"US\"",
            "country = \"US\"\nnat = true",
            "warning: trunk \"carrier\".nat: whoever sends the first RTP packet",
        ),
        ("country = \"US\"", "country = \"US\"\nmax_level = \"L1\"", "L1 is below issue_from = L2"),
        ("127.0.0.0/8", "0.0.0.0/0", "anybody is this carrier"),
        ("127.0.0.0/8", "::1", "all are IPv6, but sip.listen is an IPv4 address"),
        ("[\"127.0.0.0/8\"]", "[\"127.0.0.0/8\", \"::1\"]", "some are IPv6, but sip.advertise has no IPv6 address"),
        ("passphrase_file = \"passphrase\"", "", "warning: ca.passphrase_file: without it, DIALPROOF_CA_PASSPHRASE"),
        (
            "networks = [\"mainline:192.0.2.9:4001\"]",
            "ring_ports = [4001, 4002]",
            "warning: dht.ring_ports: the ring lives in this process",
        ),
        ("mainline:192.0.2.9:4001", "mainline", "no test of this program reaches the public network"),
        (
            "mainline:192.0.2.9:4001",
            "opendht:http://127.0.0.1:8000",
            "with one proxy, no record is read back from another",
        ),
        (
            "[ca]",
            "[verification]\nissue_from = \"L3\"\n[ca]",
            "proves at most L2, because no [trunk.verstat] says with which word its network attests a caller with A: every",
        ),
        (
            "[ca]",
            "[trunk.verstat]\nheader = \"From\"\npassed_a = [\"A\"]\n[ca]",
            "warning: trunk \"carrier\".verstat.header: telephones write From",
        ),
        (
            "[ca]",
            "[verification]\nissue_from = \"L1\"\n[ca]",
            "warning: verification.issue_from: L1 certificates rest on",
        ),
    ];
    for (from, to, expected) in table {
        let findings = found(from, to);
        assert!(findings.iter().any(|line| line.contains(expected)), "{from} → {to}: {findings:#?}");
        assert!(findings.iter().all(|line| line.starts_with("warning: ")), "{from} → {to}: {findings:#?}");
    }
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
fn a_carriers_certificate_is_no_secret() {
    let text = SMALL.replace("shared_addresses = false\n", "certificate_names = [\"sip.carrier.example\"]\n").replace(
        "listen = \"127.0.0.1:5060\"",
        "listen = \"127.0.0.1:5060\"\ntls_listen = \"127.0.0.1:5061\"\ntls_certificate = \"c\"\ntls_key = \"k\"",
    );
    let (_, findings) = parsed(&text, Purpose::Serve);
    assert!(findings.iter().any(|finding| finding.contains("there is no ingress_secret_file")), "{findings:?}");
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

#[test]
fn an_ingress_secret_is_long_and_fits_into_a_uri() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let text = SMALL.replace("country", &format!("ingress_secret_file = {:?}\ncountry", path.display().to_string()));
    for (secret, is_taken) in
        [("0123456789abcdef\n", true), ("0123456789abcde", false), ("0123456789abcdef;x=@", false)]
    {
        std::fs::write(&path, secret).unwrap();
        let (config, findings) = parsed(&text, Purpose::Serve);
        assert_eq!(config.is_some(), is_taken, "{secret}: {findings:?}");
        assert!(findings.iter().all(|line| !line.contains("0123456789")), "{findings:?}");
    }
}

#[test]
fn the_example_is_faultless_but_for_the_documentation_arc() {
    let (config, findings) = parsed(EXAMPLE, Purpose::Serve);
    assert!(config.is_none());
    let faults: Vec<_> = findings.iter().filter(|line| line.starts_with("fault")).collect();
    assert!(matches!(&faults[..], [only] if only.starts_with("fault: ca.oid_arc")), "{findings:#?}");
    assert!(parsed(EXAMPLE, Purpose::Demo).0.is_some());
}

#[test]
fn the_example_shows_every_key_and_what_it_comments_out_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "0123456789abcdef").unwrap();
    let is_setting = |line: &str| {
        line.strip_prefix('#').is_some_and(|rest| {
            rest.starts_with(|c: char| c.is_ascii_lowercase()) && rest.contains(" = ") || rest.starts_with("[trunk.")
        })
    };
    let all: String = EXAMPLE
        .lines()
        .map(|line| if is_setting(line) { &line[1..] } else { line })
        .map(|line| line.replace("/etc/dialproof/carrier.secret", &secret.display().to_string()))
        .map(|line| line.replace("/etc/dialproof/carrier.password", &secret.display().to_string()))
        // Prefixes belong to a format that is not the default.
        .map(|line| line.replace("number_format = \"e164\"", "number_format = \"national\"") + "\n")
        .collect();
    let (config, findings) = parsed(&all, Purpose::Demo);
    assert!(config.is_some(), "{findings:#?}");

    let table: Table = all.parse().unwrap();
    let sections: [(&str, &[&str]); 11] = [
        ("service", keys_of::<service::Raw>()),
        ("http", keys_of::<http::Raw>()),
        ("sip", keys_of::<sip::Raw>()),
        ("trunk", keys_of::<trunk::Raw>()),
        ("verification", keys_of::<verification::Raw>()),
        ("ca", keys_of::<ca::Raw>()),
        ("database", keys_of::<database::Raw>()),
        ("dht", keys_of::<dht::Raw>()),
        ("smtp", keys_of::<smtp::Raw>()),
        ("keys", keys_of::<keys::Raw>()),
        ("operators", keys_of::<operators::Raw>()),
    ];
    for (section, keys) in sections {
        let shown = match &table[section] {
            Value::Array(list) => list[0].as_table().unwrap(),
            value => value.as_table().unwrap(),
        };
        for key in keys {
            assert!(shown.contains_key(*key), "config.example.toml does not show {section}.{key}");
        }
    }
    assert_eq!(table.len(), sections.len(), "a section is not asserted here");
    for (part, keys) in [("register", keys_of::<link::Raw>()), ("verstat", keys_of::<verstat::Raw>())] {
        let shown = table["trunk"][0][part].as_table().unwrap();
        for key in keys {
            assert!(shown.contains_key(*key), "config.example.toml does not show trunk.{part}.{key}");
        }
    }
}

/// The [trunk.verstat] of this carrier in docs/trunks.md, as the trunk of a policy.
fn dialect_of(carrier: &str) -> Policy {
    let mut examples = include_str!("../../../docs/trunks.md").split("```toml\n").skip(1);
    let example = examples.find(|example| {
        example.starts_with("[trunk.verstat]") && example.lines().next().is_some_and(|line| line.ends_with(carrier))
    });
    let example = example.and_then(|example| example.split("```").next()).unwrap_or_else(|| panic!("{carrier}"));
    let text = SMALL.replacen("[ca]", &format!("trust_pai = true\n{example}[ca]"), 1);
    let (config, findings) = parsed(&text, Purpose::Serve);
    assert_eq!(findings, Vec::<String>::new(), "{carrier}");
    config.unwrap().policy().clone()
}

#[test]
fn every_dialect_of_the_documents_means_what_its_carrier_says() {
    let pai = |verstat: &str| vec![("P-Asserted-Identity", format!("<sip:+12025550143{verstat}>"))];
    let one = |name: &'static str, value: &str| vec![(name, value.to_owned())];
    let indicated = |mut headers: Vec<(&'static str, String)>, by: &str| {
        headers.push(("P-Attestation-Indicator", by.to_owned()));
        headers
    };
    let telnyx = |word: &str| pai(&format!("@sip.telnyx.com;verstat={word}"));
    let twilio = |word: &str| one("X-Twilio-VerStat", word);
    let bandwidth = |word: &str| pai(&format!(";verstat={word}@192.0.2.1:5060"));
    let plivo = |word: &str| one("X-Plivo-Stir-Verification", word);
    let table = [
        ("Telnyx", telnyx("TN-Validation-Passed"), "L3"),
        ("Telnyx", telnyx("TN-Validation-Passed-B"), "L1"),
        ("Telnyx", telnyx("TN-Validation-Passed-C"), "L1"),
        ("Telnyx", telnyx("TN-Validation-Failed"), "validation-failed"),
        ("Telnyx", telnyx("No-TN-Validation"), "L2"),
        // It is Twilio's word, not Telnyx's.
        ("Telnyx", telnyx("TN-Validation-Passed-A-Passthrough"), "L1"),
        ("Telnyx", twilio("TN-Validation-Passed-A"), "L2"),
        ("Twilio", twilio("TN-Validation-Passed-A"), "L3"),
        ("Twilio", twilio("TN-Validation-Passed-A-Passthrough"), "L3"),
        ("Twilio", twilio("TN-Validation-Passed-B"), "L1"),
        ("Twilio", twilio("TN-Validation-Passed-A-Diverted"), "forwarded"),
        ("Twilio", twilio("TN-Validation-Failed-A"), "validation-failed"),
        ("Twilio", twilio("No-TN-Validation"), "validation-failed"),
        ("Twilio", twilio("NULL"), "validation-failed"),
        ("Twilio", twilio("TN-Validation-Passed"), "L1"),
        ("Twilio", vec![], "L2"),
        ("Bandwidth", indicated(bandwidth("TN-Validation-Passed"), "A"), "L3"),
        ("Bandwidth", indicated(bandwidth("TN-Validation-Passed"), "B"), "L1"),
        ("Bandwidth", bandwidth("TN-Validation-Passed"), "L1"),
        ("Bandwidth", bandwidth("TN-Validation-Failed"), "validation-failed"),
        ("Bandwidth", bandwidth("No-TN-Validation"), "L2"),
        ("Plivo", indicated(plivo("Verified"), "A"), "L3"),
        ("Plivo", plivo("Verified"), "L1"),
        ("Plivo", plivo("Not Verified"), "L1"),
        ("Plivo", plivo("Not Applicable"), "L2"),
    ];
    for (carrier, given, expected) in table {
        let mut headers = vec![("From", "<sip:+12025550143@carrier.example>;tag=1")];
        headers.extend(given.iter().map(|(name, value)| (*name, value.as_str())));
        let policy = Policy { issue_from: Level::L1.into(), ..dialect_of(carrier) };
        let peer = Peer::udp("127.0.0.1:5060".parse().unwrap());
        let told = match judge(&policy, &peer, "sip:+12025550100@198.51.100.1", &headers) {
            Verdict::Accept { caller, .. } => caller.level.to_string(),
            Verdict::Refuse(refusal) => refusal.reason.code().to_owned(),
        };
        assert_eq!(told, expected, "{carrier}: {given:?}");
    }
}

/// The keys of a section, as serde derived them.
fn keys_of<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut keys: &'static [&'static str] = &[];
    let _ = T::deserialize(KeyReader(&mut keys));
    assert!(!keys.is_empty());
    keys
}

/// A deserializer that only notes which fields it is asked for.
struct KeyReader<'a>(&'a mut &'static [&'static str]);

#[derive(Debug)]
struct Noted;

impl fmt::Display for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("noted")
    }
}

impl std::error::Error for Noted {}

impl Error for Noted {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl<'de> Deserializer<'de> for KeyReader<'_> {
    type Error = Noted;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Noted> {
        Err(Noted)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Noted> {
        *self.0 = fields;
        Err(Noted)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[test]
fn a_trunk_has_its_links_and_its_contact_bears_the_secret() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("password"), "open sesame\n").unwrap();
    std::fs::write(folder.path().join("secret"), "0123456789abcdef").unwrap();
    let links = |more: &str| {
        let links = format!(
            "country = \"US\"\n{more}probe = \"sip:192.0.2.9\"\n[trunk.register]\nregistrar = \"sip:c.example\"\n\
             user = \"dialproof\"\npassword_file = \"password\"\n"
        );
        let mut findings = Findings::default();
        let text = SMALL.replace("country = \"US\"", &links);
        let config = Config::parse(&text, folder.path(), Purpose::Serve, &mut findings);
        (config.unwrap_or_else(|| panic!("{findings}")).links().to_vec(), findings.to_string())
    };
    let (kept, findings) = links("");
    assert!(findings.contains("trunk \"carrier\".probe: sip:192.0.2.9 is none of this trunk's sources"), "{findings}");
    let [register, probe] = &kept[..] else { panic!("{kept:?}") };
    let Duty::Register(account) = &register.duty else { panic!("{register:?}") };
    assert_eq!(account.contact.expose(), "+12025550100");
    assert_eq!(account.login.user.expose(), "dialproof");
    assert_eq!(account.login.password.expose(), "open sesame");
    assert_eq!((account.expires.as_secs(), &probe.duty), (3_600, &Duty::Probe));
    assert!(!format!("{kept:?}").contains("sesame"), "{kept:?}");
    let (kept, _) = links("ingress_secret_file = \"secret\"\n");
    let Duty::Register(account) = &kept[0].duty else { panic!("{kept:?}") };
    assert_eq!(account.contact.expose(), "0123456789abcdef");
}
