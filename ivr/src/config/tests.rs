use std::fmt;

use ivr_core::caller::Level;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use toml::{Table, Value};

use super::*;

mod trunks;

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
fn every_fault_is_told_with_its_place() {
    are_told(&[
        ("[service]", "[servce]", "fault: service: the section [service] is missing"),
        ("name = \"Test\"", "name = \"\"", "fault: service.name: a name is one line of 1 to 60 bytes"),
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
            "listen = \"127.0.0.1:5060\"",
            "listen = \"127.0.0.1:5060\"\nrtp_ports = \"20000-20100\"",
            "fault: sip.rtp_ports: sip.max_calls = 200 needs a range of 800 ports",
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
            "listen = \"127.0.0.1:5060\"",
            "listen = \"127.0.0.1:5060\"\nnameservers = [\"dns.example\"]",
            "fault: sip.nameservers: \"dns.example\": invalid",
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
            "[verification]\ncode_life_minutes = 600\n[ca]",
            "fault: verification.code_life_minutes: between 2 and 30",
        ),
        (
            "[ca]",
            "[verification]\nfruitless_calls_a_day = 0\n[ca]",
            "fault: verification.fruitless_calls_a_day: between 1 and 1000000",
        ),
        ("[dht]", "[sandbox]\nnumbers = []\n[dht]", "fault: sandbox.numbers: name numbers that are nobody's"),
        ("[dht]", "[sandbox]\nnumbers = [\"12345\"]\n[dht]", "fault: sandbox.numbers: \"12345\": "),
        (
            "[ca]",
            "[verification]\nstarts_a_minute_of_a_network = 0\n[ca]",
            "fault: verification.starts_a_minute_of_a_network: at least 1",
        ),
        ("[ca]", "[verification]\npuzzle_bits = 23\n[ca]", "fault: verification.puzzle_bits: between 8 and 22"),
        ("1.3.6.1.4.1.55555", "1.3.6.1.4.1.32473", "fault: ca.oid_arc: 1.3.6.1.4.1.32473 is for documentation"),
        ("[dht]", "[ca.life_days]\nL1 = 8\n[dht]", "fault: ca.life_days.L1: between 1 and 7 days"),
        ("[dht]", "[ca.life_days]\nL2 = 0\n[dht]", "fault: ca.life_days.L2: between 1 and 30 days"),
        ("[dht]", "[ca.life_days]\nL5 = 1\n[dht]", "fault: ca.life_days.L5: a level is one of"),
        ("1.3.6.1.4.1.55555", "1.40.1", "fault: ca.oid_arc: \"1.40.1\" is no object identifier"),
        (
            "1.3.6.1.4.1.55555",
            "1.3.6.1.4.1.NUMBER",
            "fault: ca.oid_arc: replace NUMBER by your Private Enterprise Number",
        ),
        (
            "[dht]",
            "[operators]\nsession_hours = \"x\"\n[dht]",
            "fault: operators: invalid type: string \"x\", expected u64, in `session_hours`",
        ),
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
        (
            "[dht]",
            "[passports]\nanchors = \"a.pem\"\ndenied_spcs = [\" 709J\"]\n[dht]",
            "fault: passports.denied_spcs: a service provider code stands as",
        ),
        (
            "[dht]",
            "[[passports.authority]]\nname = \"US\"\nanchors = \"a.pem\"\ncountries = []\n[dht]",
            "fault: passports.authority \"US\".countries: name the countries for whose numbers it answers",
        ),
        (
            "[dht]",
            "[[passports.authority]]\nname = \"US\"\nanchors = \"a.pem\"\ncountries = [\"us\"]\n[dht]",
            "fault: passports.authority \"US\".countries: \"us\": no country with telephone numbers",
        ),
        (
            "[dht]",
            "[[passports.authority]]\nname = \"\"\nanchors = \"a.pem\"\ncountries = [\"US\"]\n[dht]",
            "fault: passports.authority \"\".name: a name for records and messages",
        ),
        (
            "[dht]",
            "[[passports.authority]]\nname = \"US\"\nanchors = \"a.pem\"\ncountries = [\"US\"]\n\
             [[passports.authority]]\nname = \"US\"\nanchors = \"b.pem\"\ncountries = [\"CA\"]\n[dht]",
            "fault: passports.authority \"US\".name: two authorities have this name",
        ),
        (
            "[dht]",
            "[passports]\nanchors = \"a.pem\"\ndelegates = \"yes\"\n[dht]",
            "fault: passports.delegates: \"yes\" is none of \"refused\"",
        ),
        (
            "[dht]",
            "[[passports.authority]]\nname = \"US\"\nanchors = \"a.pem\"\ncountries = [\"US\"]\ndelegates = \"no\"\n[dht]",
            "fault: passports.authority \"US\".delegates: \"no\" is none of \"refused\"",
        ),
        (
            "[dht]",
            "[passports]\nrevocation_lists = [\"l.pem\"]\n\
             [[passports.authority]]\nname = \"US\"\nanchors = \"a.pem\"\ncountries = [\"US\"]\n[dht]",
            "fault: passports.revocation_lists: this belongs to anchors beside it",
        ),
        (
            "[dht]",
            "[passports]\ndelegates = \"believed\"\n\
             [[passports.authority]]\nname = \"US\"\nanchors = \"a.pem\"\ncountries = [\"US\"]\n[dht]",
            "fault: passports.delegates: this belongs to anchors beside it",
        ),
        (
            "country = \"US\"",
            "country = \"US\"\nidentity_passthrough = true\nidentity = \"required\"",
            "fault: trunk \"carrier\".identity: without anchors in [passports] no Identity is verified",
        ),
        (
            "[dht]",
            "[[passports.authority]]\nname = \"US\"\nanchors = \"a.pem\"\n[dht]",
            "fault: passports: missing field `countries`",
        ),
    ]);
}

#[test]
fn a_slip_of_the_pen_is_told_with_its_line_and_with_the_key_that_was_meant() {
    are_told(&[
        (
            "name = \"Test\"",
            "nane = \"Test\"",
            "fault: service.nane: there is no such key (line 3); did you mean `name`?",
        ),
        (
            "country = \"US\"",
            "country = \"US\"\ntrust_paii = true",
            "fault: trunk \"carrier\".trust_paii: there is no such key (line 18); did you mean `trust_pai`?",
        ),
        (
            "country = \"US\"",
            "country = \"US\"\n[trunk.register]\nregistar = \"sip:sip.carrier.example\"",
            "fault: trunk \"carrier\".register.registar: there is no such key (line 19); did you mean `registrar`?",
        ),
        (
            "name = \"carrier\"",
            "Name = \"carrier\"",
            "fault: trunk[0].Name: there is no such key (line 11); did you mean `name`?",
        ),
        (
            "[dht]",
            "[[passports.authority]]\nanchor = \"a.pem\"\n[dht]",
            "fault: passports.authority.anchor: there is no such key (line 22); did you mean `anchors`?",
        ),
        (
            "[dht]",
            "[keys]\npepper = \"salt\"\n[dht]",
            "fault: keys.pepper: there is no such key (line 22); known are file",
        ),
        ("[dht]", "[smpt]\n[dht]", "fault: smpt: there is no such section (line 21); did you mean `smtp`?"),
        ("[dht]", "[logging]\n[dht]", "fault: logging: there is no such section (line 21); known are service, http, "),
        (
            "cli_screened = true",
            "cli_screened = \"yes\"",
            "fault: trunk \"carrier\": invalid type: string \"yes\", expected a boolean, in `cli_screened` (line 15)",
        ),
        ("numbers = [\"+12025550100\"]\n", "", "fault: trunk \"carrier\": missing field `numbers` (line 10)"),
    ]);
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
    are_warnings(&[
        (
            "country = \"US\"",
            "country = \"US\"\nidentity_passthrough = true",
            "warning: passports.anchors: a trunk has identity_passthrough, but without anchors",
        ),
        (
            "[dht]",
            "[passports]\nanchors = \"a.pem\"\n[dht]",
            "warning: passports.anchors: no trunk has identity_passthrough",
        ),
        (
            "[dht]",
            "[passports]\ndenied_spcs = [\"709J\"]\n[dht]",
            "warning: passports.anchors: without anchors no signature is verified",
        ),
        (
            "[dht]",
            "[passports]\nanchors = \"a.pem\"\n\
             [[passports.authority]]\nname = \"US\"\nanchors = \"b.pem\"\ncountries = [\"US\"]\n[dht]",
            "warning: passports.anchors: these answer for the numbers of all countries",
        ),
        (
            "country = \"US\"",
            "country = \"US\"\nidentity_passthrough = true\n\
             [[passports.authority]]\nname = \"France\"\nanchors = \"a.pem\"\ncountries = [\"FR\"]",
            "warning: trunk \"carrier\".identity_passthrough: no [[passports.authority]] answers for numbers of US",
        ),
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
            "[verification]\nissue_from = \"L1\"\n[ca]",
            "warning: verification.issue_from: L1 certificates rest on",
        ),
        (
            "[ca]",
            "[verification]\nfruitless_calls_a_day = 101\n[ca]",
            "warning: verification.fruitless_calls_a_day: more than a person needs",
        ),
        (
            "[dht]",
            "[sandbox]\nnumbers = [\"+12025550150\", \"+12025550200\"]\n[dht]",
            "warning: sandbox.numbers: +12025550200 may be somebody's",
        ),
        (
            "[ca]",
            "[verification]\npuzzle_bits = 21\n[ca]",
            "warning: verification.puzzle_bits: a slow telephone may work longer",
        ),
    ]);
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
            rest.starts_with(|c: char| c.is_ascii_lowercase()) && rest.contains(" = ")
                || rest.starts_with("[trunk.")
                || rest.starts_with("[[passports.")
        })
    };
    let all: String = EXAMPLE
        .lines()
        .map(|line| if is_setting(line) { &line[1..] } else { line })
        .map(|line| line.replace("/etc/dialproof/carrier.secret", &secret.display().to_string()))
        .map(|line| line.replace("/etc/dialproof/carrier.password", &secret.display().to_string()))
        .map(|line| line.replace("/etc/dialproof/carrier-calls.password", &secret.display().to_string()))
        // Prefixes belong to a format that is not the default.
        .map(|line| line.replace("number_format = \"e164\"", "number_format = \"national\"") + "\n")
        .collect();
    let (config, findings) = parsed(&all, Purpose::Demo);
    assert!(config.is_some(), "{findings:#?}");

    let table: Table = all.parse().unwrap();
    let sections: [(&str, &[&str]); 14] = [
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
        ("sandbox", keys_of::<sandbox::Raw>()),
        ("passports", keys_of::<passports::Raw>()),
        ("webhooks", keys_of::<webhooks::Raw>()),
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
    assert_eq!(sections.map(|(section, _)| section), SECTIONS);
    assert_eq!(table.len(), sections.len(), "a section is not asserted here");
    let parts = [
        ("register", keys_of::<link::Raw>()),
        ("verstat", keys_of::<verstat::Raw>()),
        ("digest", keys_of::<digest::Raw>()),
    ];
    for (part, keys) in parts {
        let shown = table["trunk"][0][part].as_table().unwrap();
        for key in keys {
            assert!(shown.contains_key(*key), "config.example.toml does not show trunk.{part}.{key}");
        }
    }
    for key in keys_of::<passports::RawAuthority>() {
        let shown = table["passports"]["authority"][0].as_table().unwrap();
        assert!(shown.contains_key(*key), "config.example.toml does not show passports.authority.{key}");
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
