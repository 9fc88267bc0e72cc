//! What is stated about carriers.

use ivr_core::caller::probe::DIALECTS;
use ivr_core::caller::{KeyWays, Realm, Verdict, judge};
use ivr_core::link::Duty;
use ivr_core::sip::peer::Peer;

use super::*;

const TRUNKS: &str = include_str!("../../../../docs/trunks.md");

#[test]
fn every_fault_of_a_trunk_is_told_with_its_place() {
    are_told(&[
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
            "country = \"US\"",
            "country = \"USA\"",
            "fault: trunk \"carrier\".country: \"USA\": no country with telephone numbers: write two capital letters",
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
        (
            "country = \"US\"",
            "strip_prefixes = [\"9\", \"1\", \"99\"]",
            "fault: trunk \"carrier\".strip_prefixes: \"99\" and \"9\" begin alike",
        ),
        ("country = \"US\"", "srtp = \"always\"", "fault: trunk \"carrier\".srtp: \"always\" is none of \"offered\""),
        ("country = \"US\"", "keys = \"all\"", "fault: trunk \"carrier\".keys: \"all\" is none of \"agreed\""),
        (
            "country = \"US\"",
            "identity = \"yes\"",
            "fault: trunk \"carrier\".identity: \"yes\" is none of \"optional\"",
        ),
        (
            "country = \"US\"",
            "identity = \"required\"",
            "fault: trunk \"carrier\".identity: without identity_passthrough = true no Identity is looked at",
        ),
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
            "country = \"US\"",
            "country = \"US\"\n[trunk.digest]\nrealm = \"a\\\"b\"\nuser = \"u\"\npassword_file = \"none\"",
            "fault: trunk \"carrier\".digest.realm: 1 to 128 bytes, without quotes",
        ),
        (
            "country = \"US\"",
            "country = \"US\"\n[trunk.digest]\nrealm = \"a\"\nuser = \"\"\npassword_file = \"none\"",
            "fault: trunk \"carrier\".digest.user: 1 to 128 bytes",
        ),
        (
            "country = \"US\"",
            "country = \"US\"\n[trunk.digest]\nrealm = \"a\"\nuser = \"u\"\npassword_file = \"/nonexistent/p\"",
            "fault: trunk \"carrier\".digest.password_file: /nonexistent/p cannot be read",
        ),
        (
            "country = \"US\"",
            "country = \"US\"\n[trunk.digest]\nrealm = \"a\"\nuser = \"u\"\npassword_file = \"passphrase\"\nalgorithms = []",
            "fault: trunk \"carrier\".digest.algorithms: name at least one",
        ),
    ]);
}

#[test]
fn what_an_operator_should_know_of_a_trunk_is_a_warning() {
    are_warnings(&[
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
        (
            "[ca]",
            "[verification]\nissue_from = \"L3\"\n[ca]",
            "proves at most L2, because no [trunk.verstat] says with which word its network attests a caller with A, and no \
             signatures are verified over it (identity_passthrough, and anchors in [passports]): every",
        ),
        (
            "[ca]",
            "[trunk.verstat]\nheader = \"From\"\npassed_a = [\"A\"]\n[ca]",
            "warning: trunk \"carrier\".verstat.header: telephones write From",
        ),
    ]);
}

#[test]
fn where_signatures_are_verified_nothing_is_said_of_what_they_lift() {
    for (from, to) in [("keeps_diversion = \"yes\"", ""), ("[ca]", "[verification]\nissue_from = \"L3\"\n[ca]")] {
        let hands_on = SMALL.replace(from, to).replace("country", "identity_passthrough = true\ncountry");
        for (anchors, is_said) in [("", true), ("\n[passports]\nanchors = \"roots.pem\"\n", false)] {
            let (_, findings) = parsed(&format!("{hands_on}{anchors}"), Purpose::Serve);
            let says = findings.iter().any(|finding| finding.contains("proves at most"));
            assert_eq!(says, is_said, "{to:?} {anchors:?}: {findings:?}");
        }
    }
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

/// The [trunk.verstat] of this carrier in docs/trunks.md, as the trunk of a policy.
fn dialect_of(carrier: &str) -> Policy {
    let mut examples = TRUNKS.split("```toml\n").skip(1);
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
    let mut table = vec![
        ("Telnyx", telnyx("TN-Validation-Passed"), "L3"),
        ("Telnyx", telnyx("TN-Validation-Passed-B"), "L1"),
        ("Telnyx", telnyx("TN-Validation-Passed-C"), "L1"),
        ("Telnyx", telnyx("TN-Validation-Failed"), "validation-failed"),
        ("Telnyx", telnyx("No-TN-Validation"), "L2"),
        // It is Twilio's word, not Telnyx's.
        ("Telnyx", telnyx("TN-Validation-Passed-A-Passthrough"), "L1"),
        ("Telnyx", twilio("TN-Validation-Passed-A"), "L2"),
        ("Twilio", twilio("TN-Validation-Failed"), "validation-failed"),
        ("Twilio", twilio("No-TN-Validation"), "validation-failed"),
        ("Twilio", twilio("NULL"), "validation-failed"),
        ("Twilio", twilio("TN-Validation-Passed"), "L1"),
        ("Twilio", vec![], "L2"),
        // Another's word, and not in Twilio's header.
        ("Twilio", [twilio("TN-Validation-Passed-A"), pai("@192.0.2.1;verstat=No-TN-Validation")].concat(), "L3"),
        ("Bandwidth", indicated(bandwidth("TN-Validation-Passed"), "A"), "L3"),
        ("Bandwidth", indicated(bandwidth("TN-Validation-Passed"), "A;"), "L3"),
        ("Bandwidth", indicated(bandwidth("TN-Validation-Passed"), "B"), "L1"),
        ("Bandwidth", bandwidth("TN-Validation-Passed"), "L1"),
        ("Bandwidth", bandwidth("TN-Validation-Failed"), "validation-failed"),
        ("Bandwidth", bandwidth("No-TN-Validation"), "L1"),
        ("Bandwidth", pai("@192.0.2.1:5060"), "L2"),
        ("Plivo", indicated(plivo("Verified"), "A"), "L3"),
        ("Plivo", indicated(plivo("Verified"), "A;"), "L3"),
        ("Plivo", plivo("Verified"), "L1"),
        ("Plivo", plivo("Not Verified"), "L1"),
        ("Plivo", plivo("Not Applicable"), "L2"),
    ];
    for (attestation, earned) in [("A", "L3"), ("B", "L1"), ("C", "L1")] {
        for (how, passed) in [("", earned), ("-Passthrough", earned), ("-Diverted", "forwarded")] {
            table.push(("Twilio", twilio(&format!("TN-Validation-Passed-{attestation}{how}")), passed));
            table.push(("Twilio", twilio(&format!("TN-Validation-Failed-{attestation}{how}")), "validation-failed"));
        }
    }
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

#[test]
fn keys_come_as_agreed_unless_the_trunk_says_otherwise() {
    for (stated, ways) in
        [("", KeyWays::Agreed), ("keys = \"agreed\"\n", KeyWays::Agreed), ("keys = \"auto\"\n", KeyWays::Auto)]
    {
        let (config, findings) = parsed(&SMALL.replacen("[ca]", &format!("{stated}[ca]"), 1), Purpose::Serve);
        assert_eq!(findings, Vec::<String>::new(), "{stated}");
        assert_eq!(config.unwrap().policy().trunks[0].keys, ways, "{stated}");
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

/// What the console proposes is what the documents say.
#[test]
fn every_dialect_that_a_probe_proposes_stands_in_the_documents() {
    for dialect in DIALECTS {
        assert!(TRUNKS.contains(&format!("```toml\n{}```", dialect.toml)), "{}", dialect.carrier);
    }
}

#[test]
fn an_account_makes_up_for_shared_addresses_and_its_password_is_long() {
    let folder = tempfile::tempdir().unwrap();
    let digest =
        "country = \"US\"\n[trunk.digest]\nrealm = \"verify.example.org\"\nuser = \"carrier\"\npassword_file = \"p\"";
    let text = SMALL.replace("shared_addresses = false\n", "").replace("country = \"US\"", digest);
    for (password, is_taken) in
        [("0123456789abcdef\n", true), ("0123456789abcde\n", false), ("two\nlines of it all", false)]
    {
        std::fs::write(folder.path().join("p"), password).unwrap();
        let mut findings = Findings::default();
        let config = Config::parse(&text, folder.path(), Purpose::Serve, &mut findings);
        assert_eq!(config.is_some(), is_taken, "{findings}");
        let findings = findings.to_string();
        assert!(!findings.contains("0123456789") && !findings.contains("shared"), "{findings}");
        let Some(config) = config else { continue };
        let digest = config.policy().trunks[0].digest.clone().unwrap();
        assert_eq!(digest.login.password.expose(), "0123456789abcdef");
        assert_eq!((digest.realm.as_str(), digest.login.user.expose().as_str()), ("verify.example.org", "carrier"));
        assert_eq!(config.trunk_secrets(), [("trunk.digest.password_file", folder.path().join("p"))]);
    }
}

/// A trunk of the sandbox, with these lines.
fn rehearsing(lines: &str) -> String {
    format!("[[trunk]]\nname = \"rehearsals\"\nsandbox = true\nnumbers = [\"+12025550109\"]\n{lines}\n[[trunk]]")
}

#[test]
fn a_trunk_of_the_sandbox_is_no_carrier() {
    let (here, anywhere) = ("sources = [\"192.0.2.9\"]", "sources = [\"0.0.0.0/0\"]");
    for (to, expected) in [
        (rehearsing(here), "fault: trunk \"rehearsals\".sandbox: there is no [sandbox] whose numbers"),
        (
            rehearsing(anywhere),
            "fault: trunk \"rehearsals\".sources: this is every address of the Internet, and anybody",
        ),
        (
            rehearsing(&format!("{here}\nprobe = \"sip:carrier.example\"")),
            "fault: trunk \"rehearsals\".probe: behind a trunk of the sandbox there is no carrier",
        ),
        (
            rehearsing(&format!("{here}\nidentity_passthrough = true")),
            "fault: trunk \"rehearsals\".identity_passthrough: a signed identity is a real one",
        ),
        (
            rehearsing(&format!(
                "{here}\n[trunk.register]\nregistrar = \"sip:c.example\"\nuser = \"a\"\npassword_file = \"none\""
            )),
            "fault: trunk \"rehearsals\".register: over a trunk of the sandbox nobody registers",
        ),
        (
            rehearsing(&format!("{here}\nmax_calls = 21")),
            "warning: trunk \"rehearsals\".max_calls: 21 of the 200 calls that the node takes",
        ),
    ] {
        are_told(&[("[[trunk]]", &to, expected)]);
    }
    let alone = "fault: trunk: all of them are of the sandbox: nobody could prove a number";
    are_told(&[("[[trunk]]", "[[trunk]]\nsandbox = true", alone)]);
}

#[test]
fn a_trunk_of_the_sandbox_may_be_dialled_from_anywhere_and_stands_so_in_the_documents() {
    let (_, section) = TRUNKS.split_once("## A trunk of the sandbox").unwrap();
    let (section, _) = section.split_once("```toml\n").unwrap().1.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("developer.password"), "0123456789abcdef\n").unwrap();
    let section = section.replace("/etc/dialproof/developer.password", "developer.password");
    let (before, after) = SMALL.split_once("[ca]").unwrap();
    let text = format!("{before}{section}\n[ca]{after}");
    let mut findings = Findings::default();
    let config = Config::parse(&text, folder.path(), Purpose::Serve, &mut findings);
    // Not even that it shares the carrier's addresses, or that whoever sends first hears the digits.
    assert_eq!(findings.to_string(), "");
    let config = config.unwrap();
    let realms: Vec<Realm> = config.policy().trunks.iter().map(|trunk| trunk.realm).collect();
    assert_eq!(realms, [Realm::Service, Realm::Sandbox]);
}
