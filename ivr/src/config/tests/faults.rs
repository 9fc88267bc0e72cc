//! What keeps the service from starting.

use super::*;

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
            "listen = \"127.0.0.1:8080\"",
            "fault: sip.listen: 127.0.0.1:8080 is that of http.listen (127.0.0.1:8080)",
        ),
        (
            "listen = \"127.0.0.1:5060\"",
            "listen = \"[::]:8080\"\nadvertise = \"198.51.100.1:8080\"",
            "fault: sip.listen: [::]:8080 is that of http.listen (127.0.0.1:8080)",
        ),
        (
            "listen = \"127.0.0.1:5060\"",
            "listen = \"127.0.0.1:5060\"\ntls_listen = \"127.0.0.1:5060\"\ntls_certificate = \"c\"\ntls_key = \"k\"",
            "fault: sip.tls_listen: 127.0.0.1:5060 is that of sip.listen (127.0.0.1:5060)",
        ),
        (
            "listen = \"127.0.0.1:5060\"",
            "listen = \"127.0.0.1:5060\"\ntls_listen = \"0.0.0.0:8080\"\ntls_certificate = \"c\"\ntls_key = \"k\"",
            "fault: sip.tls_listen: 0.0.0.0:8080 is that of http.listen (127.0.0.1:8080)",
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
            "fault: operators: invalid type: a text, expected u64, in `session_hours`",
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
            "fault: trunk \"carrier\": invalid type: a text, expected a boolean, in `cli_screened` (line 15)",
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
    for (text, line) in [("[service\n", 1), ("[database]\nurl = \"postgres://u:hunter2@h/d\n", 2)] {
        let (_, findings) = parsed(text, Purpose::Serve);
        let begins = format!("fault: file: this is not TOML (line {line}): ");
        assert!(findings.len() == 1 && findings[0].starts_with(&begins), "{findings:#?}");
        assert!(!findings[0].contains("hunter2") && !findings[0].contains('\n'), "{findings:#?}");
    }
}

#[test]
fn a_section_that_is_none_is_told_without_what_stands_there() {
    let (_, findings) = parsed("database = \"postgres://u:hunter2@h/d\"\n", Purpose::Serve);
    let told = "fault: database: this is a section (line 1): write [database], and its keys below";
    assert!(findings.iter().any(|line| line == told), "{findings:#?}");
    assert!(!findings.concat().contains("hunter2"), "{findings:#?}");
    let (_, findings) = parsed(&SMALL.replace("country =", "digest = \"carrier:hunter2\"\ncountry ="), Purpose::Serve);
    assert!(findings.concat().contains("invalid type: a text"), "{findings:#?}");
    assert!(!findings.concat().contains("hunter2"), "{findings:#?}");
}
