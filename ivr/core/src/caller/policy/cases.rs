//! The checks as tables: (name, given, expected). A line of `given` is a header; the trunk is the screened one below
//! unless the table changes it.

use proptest::prelude::*;

use super::*;
use crate::caller::trunk::{KeepsDiversion, NumberFormat};
use crate::caller::{Finding, Realm, Verstat};
use crate::private::Private;

const PEER: &str = "192.0.2.10:5060";
const OURS: &str = "sip:+12025550100@198.51.100.1";

/// The header of RFC 8946 4.1, which somebody added who sent the call on.
const DIV: &str = concat!(
    "Identity:eyJhbGciOiJFUzI1NiIsInBwdCI6ImRpdiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiaHR0cHM6Ly93d3cuZXhhbXBsZS5jb20vY2VydC5jZXIifQ.",
    "eyJkZXN0Ijp7InRuIjpbIjEyMTU1NTUxMjE0Il19LCJkaXYiOnsidG4iOiIxMjE1NTU1NTEyMTMifSwiaWF0IjoxNDQzMjA4MzQ1LCJvcmlnIjp7InRuIjoiMTIxNTU1NTEyMTIifX0.",
    "xBHWipDEEJ8a6TsdX6xUXAnblsFiGUiAxwLiv0HLC9IICj6eG9jQd6WzeSSjHRBwxmChHhVIiMTSqIlk3yCNkg",
    ";info=<https://www.example.com/cert.cer>;ppt=\"div\""
);

/// A trunk whose word earns L2.
fn screened() -> TrunkProfile {
    TrunkProfile {
        name: "carrier".to_owned(),
        sources: vec!["192.0.2.0/28".parse().unwrap()],
        numbers: vec![Number::parse("+12025550100").unwrap()],
        shared_addresses: false,
        trust_pai: true,
        cli_screened: true,
        country: Some("US".parse().unwrap()),
        keeps_diversion: KeepsDiversion::Yes,
        max_calls: 10,
        ..TrunkProfile::default()
    }
}

fn policy(trunk: TrunkProfile) -> Policy {
    Policy { trunks: vec![trunk], issue_from: Level::L1.into(), kinds: KindPolicy { voip: true, personal: false } }
}

/// The headers of one case: lines of `Name: value`; a From of +12025550143 unless it brings its own.
fn headers(text: &str) -> Vec<(&str, &str)> {
    let mut headers: Vec<_> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| line.split_once(':').unwrap_or_else(|| panic!("{line} is no header")))
        .collect();
    if !headers.iter().any(|(name, _)| ["from", "f"].contains(&name.to_ascii_lowercase().as_str())) {
        headers.push(("From", "<sip:+12025550143@carrier.example>;tag=1"));
    }
    headers
}

/// `+number Ln`, or the code of the reason, with `(+number)` if the verdict names who was refused.
fn told(policy: &Policy, peer: &str, uri: &str, text: &str) -> String {
    shown(&judge(policy, &Peer::udp(peer.parse().unwrap()), uri, &headers(text)))
}

fn shown(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Accept { caller, .. } => format!("{} {}", caller.number.as_str(), caller.level),
        Verdict::Refuse(refusal) => match &refusal.claimed {
            Some(number) => format!("{} ({})", refusal.reason.code(), number.as_str()),
            None => refusal.reason.code().to_owned(),
        },
    }
}

fn check(policy: &Policy, table: &[(&str, &str, &str)]) {
    for (name, given, expected) in table {
        assert_eq!(told(policy, PEER, OURS, given), *expected, "{name}: {given}");
    }
}

#[test]
fn nothing_is_believed_from_an_unknown_peer() {
    let two = Policy {
        trunks: vec![
            screened(),
            TrunkProfile {
                sources: vec!["192.0.2.15".parse().unwrap(), "2001:db8::/64".parse().unwrap()],
                ..screened()
            },
        ],
        ..policy(screened())
    };
    for (name, peer, expected) in [
        ("inside", "192.0.2.10:5060", "+12025550143 L2"),
        ("any port", "192.0.2.10:40000", "+12025550143 L2"),
        ("mapped into IPv6", "[::ffff:192.0.2.10]:5060", "+12025550143 L2"),
        ("the second trunk", "[2001:db8::7]:5060", "+12025550143 L2"),
        ("outside", "192.0.2.16:5060", "unknown-peer"),
        ("two trunks claim it", "192.0.2.15:5060", "unknown-peer"),
    ] {
        assert_eq!(told(&two, peer, OURS, ""), expected, "{name}");
    }
}

#[test]
fn who_may_call_the_sandbox_from_anywhere_takes_no_carriers_address() {
    let anywhere = ["0.0.0.0/0", "::/0"].map(|network| network.parse().unwrap()).to_vec();
    let sandbox = TrunkProfile { realm: Realm::Sandbox, sources: anywhere, ..screened() };
    let carrier = screened();
    for trunks in [vec![sandbox.clone(), carrier.clone()], vec![carrier.clone(), sandbox.clone()]] {
        let both = Policy { trunks, ..policy(screened()) };
        let realm = |peer: &str| {
            let trunk = both.trunk_of(&Peer::udp(peer.parse().unwrap())).map(|trunk| both.trunk(trunk));
            trunk.map(|trunk| trunk.realm)
        };
        assert_eq!(realm("192.0.2.10:5060"), Some(Realm::Service), "the carrier's own");
        assert_eq!(realm("203.0.113.7:5060"), Some(Realm::Sandbox));
        let Verdict::Accept { caller, .. } =
            judge(&both, &Peer::udp("203.0.113.7:5060".parse().unwrap()), OURS, &headers(""))
        else {
            panic!("a call of the sandbox is judged as any other")
        };
        assert_eq!(caller.realm, Realm::Sandbox);
    }
    // Two carriers that claim an address make it nobody's, and not the sandbox's either.
    let three = Policy { trunks: vec![carrier.clone(), sandbox, carrier], ..policy(screened()) };
    assert_eq!(three.trunk_of(&Peer::udp("192.0.2.10:5060".parse().unwrap())), None);
}

#[test]
fn shared_addresses_need_a_secret() {
    let secret = Some(Private::new("x7Qm2kLp9".to_owned()));
    let shared = policy(TrunkProfile { shared_addresses: true, ..screened() });
    assert_eq!(told(&shared, PEER, OURS, ""), "+12025550143 L1", "without a secret the level is capped");
    let secured = policy(TrunkProfile { shared_addresses: true, ingress_secret: secret, ..screened() });
    for (name, uri, given, expected) in [
        ("URI parameter", "sip:+12025550100@h;key=x7Qm2kLp9", "", "+12025550143 L2"),
        ("user parameter", "sip:+12025550100;k=x7Qm2kLp9@h", "", "+12025550143 L2"),
        ("user part, number in To", "sip:x7Qm2kLp9@h", "To: <sip:+12025550100@h>", "+12025550143 L2"),
        ("user part, compact To", "sip:x7Qm2kLp9@h", "t: <sip:+12025550100@h>", "+12025550143 L2"),
        ("user part, foreign number in To", "sip:x7Qm2kLp9@h", "To: <sip:+12025550101@h>", "not-our-number"),
        ("user part, no To", "sip:x7Qm2kLp9@h", "", "not-our-number"),
        ("no secret", OURS, "", "ingress-secret"),
        ("wrong secret", "sip:+12025550100@h;key=x7Qm2kLp8", "", "ingress-secret"),
        ("part of the secret", "sip:+12025550100@h;key=x7Qm2kLp", "", "ingress-secret"),
        ("secret in a URI header", "sip:+12025550100@h?key=x7Qm2kLp9", "", "ingress-secret"),
        ("secret in a SIP header", OURS, "X-Key: x7Qm2kLp9", "ingress-secret"),
    ] {
        assert_eq!(told(&secured, PEER, uri, given), expected, "{name}");
    }
}

#[test]
fn a_certificate_tells_the_trunk_apart_and_not_its_customers() {
    let certified = policy(TrunkProfile { shared_addresses: true, shows_certificate: true, ..screened() });
    let shown_from = |certified_as| Peer { certified: certified_as, ..Peer::udp(PEER.parse().unwrap()) };
    for (name, peer, expected) in [
        ("it shows the certificate", shown_from(Some(TrunkIndex(0))), "+12025550143 L1"),
        ("the address alone is not this trunk", shown_from(None), "unknown-peer"),
    ] {
        assert_eq!(shown(&judge(&certified, &peer, OURS, &headers(""))), expected, "{name}");
    }
}

#[test]
fn only_the_trunks_own_numbers_are_called() {
    let trunk = policy(screened());
    for (name, uri, expected) in [
        ("ours", OURS, "+12025550143 L2"),
        ("ours as tel:", "tel:+1-202-555-0100", "+12025550143 L2"),
        ("escaped plus", "sip:%2B12025550100@h", "+12025550143 L2"),
        ("with number portability", "sip:+12025550100;npdi;rn=+12025550199@h;user=phone", "+12025550143 L2"),
        ("another's", "sip:+12025550101@h", "not-our-number"),
        ("without plus, which this trunk does not write", "sip:12025550100@h", "not-our-number"),
        ("a suffix", "sip:5550100@h", "not-our-number"),
        ("a name", "sip:service@h", "not-our-number"),
        ("no user", "sip:h", "not-our-number"),
        ("not SIP", "http://h/+12025550100", "not-our-number"),
        ("empty", "", "not-our-number"),
    ] {
        assert_eq!(told(&trunk, PEER, uri, ""), expected, "{name}");
    }
}

#[test]
fn the_asserted_identity_counts_before_from() {
    check(
        &policy(screened()),
        &[
            ("From alone", "", "+12025550143 L2"),
            ("compact From", "f: <sip:+12025550143@h>", "+12025550143 L2"),
            ("PAI as From", "P-Asserted-Identity: <sip:+12025550143@h>", "+12025550143 L2"),
            ("PAI without brackets", "P-Asserted-Identity: tel:+12025550143", "+12025550143 L2"),
            (
                "sip and tel",
                "P-Asserted-Identity: \"J\" <sip:+12025550143@h>, <tel:+1-202-555-0143>",
                "+12025550143 L2",
            ),
            (
                "two headers",
                "P-Asserted-Identity: <sip:+12025550143@h>\nP-Asserted-Identity: <tel:+12025550143>",
                "+12025550143 L2",
            ),
            ("PAI another than From", "P-Asserted-Identity: <tel:+12025550144>", "identities-differ (+12025550144)"),
            (
                "two PAI that differ",
                "P-Asserted-Identity: <sip:+12025550144@h>, <tel:+12025550143>",
                "identities-differ (+12025550143)",
            ),
            (
                "a name beside the number",
                "P-Asserted-Identity: <sip:alice@h>, <tel:+12025550143>",
                "identities-differ (+12025550143)",
            ),
            (
                "From is a name",
                "From: <sip:alice@h>\nP-Asserted-Identity: <tel:+12025550143>",
                "identities-differ (+12025550143)",
            ),
            (
                "three PAI",
                "P-Asserted-Identity: <tel:+12025550143>, <tel:+12025550143>, <tel:+12025550143>",
                "malformed-identity",
            ),
            ("empty PAI", "P-Asserted-Identity:", "malformed-identity"),
            ("PAI of another scheme", "P-Asserted-Identity: <mailto:a@b.example>", "malformed-identity"),
            ("two From", "From: <sip:+12025550143@h>\nf: <sip:+12025550143@h>", "malformed-identity"),
            ("From that is none", "From: nobody", "malformed-identity"),
            ("a user with two hosts", "From: <sip:+12025550143@h@h>", "malformed-identity"),
            ("a number in the display name", "From: \"+12025550199\" <sip:+12025550143@h>", "+12025550143 L2"),
            (
                "a bracket in the display name",
                "P-Asserted-Identity: \"<tel:+12025550199>\" <tel:+12025550143>",
                "+12025550143 L2",
            ),
            ("From is a name and alone", "From: <sip:alice@h>", "no-number"),
        ],
    );
    let untrusting = policy(TrunkProfile { trust_pai: false, ..screened() });
    check(
        &untrusting,
        &[("PAI from a trunk whose PAI is not trusted", "P-Asserted-Identity: <tel:+12025550199>", "+12025550143 L2")],
    );
    let free_text = policy(TrunkProfile { from_is_free_text: true, ..screened() });
    check(
        &free_text,
        &[
            ("From is free text", "From: <sip:acme@h>\nP-Asserted-Identity: <tel:+12025550143>", "+12025550143 L2"),
            (
                "two PAI still agree",
                "P-Asserted-Identity: <tel:+12025550143>, <sip:+12025550144@h>",
                "identities-differ (+12025550143)",
            ),
        ],
    );
}

#[test]
fn remote_party_id_counts_only_where_the_profile_says_so() {
    let opted = policy(TrunkProfile { trust_rpid: true, ..screened() });
    check(
        &opted,
        &[
            (
                "screened",
                "Remote-Party-ID: <sip:+12025550143@h>;party=calling;screen=yes;privacy=off",
                "+12025550143 L2",
            ),
            ("unscreened", "Remote-Party-ID: <sip:+12025550143@h>;screen=no;privacy=off", "unscreened"),
            ("silent about screening", "Remote-Party-ID: <sip:+12025550143@h>;privacy=off", "unscreened"),
            ("silent about privacy", "Remote-Party-ID: <sip:+12025550143@h>;screen=yes", "unscreened"),
            ("private", "Remote-Party-ID: <sip:+12025550143@h>;screen=yes;privacy=full", "anonymous"),
            (
                "the called party",
                "Remote-Party-ID: <sip:+12025550100@h>;party=called;screen=yes;privacy=off",
                "+12025550143 L2",
            ),
            (
                "differs from From",
                "Remote-Party-ID: <sip:+12025550144@h>;screen=yes;privacy=off",
                "identities-differ (+12025550144)",
            ),
            (
                "PAI goes before it",
                "Remote-Party-ID: <sip:+12025550144@h>;screen=no\nP-Asserted-Identity: <tel:+12025550143>",
                "+12025550143 L2",
            ),
        ],
    );
    check(
        &policy(screened()),
        &[("not opted in", "Remote-Party-ID: <sip:+12025550144@h>;screen=no;privacy=full", "+12025550143 L2")],
    );
}

#[test]
fn what_speaks_against_the_caller_needs_no_trust() {
    check(
        &policy(TrunkProfile { trust_pai: false, ..screened() }),
        &[
            (
                "failed",
                "P-Asserted-Identity: <sip:+12025550143@h;verstat=TN-Validation-Failed>",
                "validation-failed (+12025550143)",
            ),
            ("B", "P-Asserted-Identity: <sip:+12025550143@h;verstat=TN-Validation-Passed-B>", "+12025550143 L1"),
            ("a word that nobody knows", "P-Asserted-Identity: <tel:+12025550143;verstat=Fine>", "+12025550143 L1"),
            ("prison", "P-Asserted-Identity: <sip:+12025550143;cpc=prison@h>", "shared-line (+12025550143)"),
            ("an extension", "P-Asserted-Identity: <tel:+12025550143;ext=7>", "extension (+12025550143)"),
            ("what cannot be read", "P-Asserted-Identity: <<<", "+12025550143 L2"),
            ("a name", "P-Asserted-Identity: \"Anonymous\" <sip:alice@h>", "+12025550143 L2"),
            ("in Remote-Party-ID", "Remote-Party-ID: <sip:+12025550143;isup-oli=29@h>", "shared-line (+12025550143)"),
            ("of whom they call", "Remote-Party-ID: <sip:+12025550100;cpc=test@h>;party=called", "+12025550143 L2"),
        ],
    );
    check(
        &policy(TrunkProfile { trust_rpid: true, ..screened() }),
        &[(
            "in the header that does not count beside the other",
            "P-Asserted-Identity: <tel:+12025550143>\nRemote-Party-ID: <sip:+12025550143;cpc=payphone@h>;screen=no",
            "shared-line (+12025550143)",
        )],
    );
}

#[test]
fn a_withheld_number_is_refused_and_never_named() {
    check(
        &policy(screened()),
        &[
            ("id", "Privacy: id", "anonymous"),
            ("leaked by PAI", "Privacy: id\nP-Asserted-Identity: <tel:+12025550143>", "anonymous"),
            ("header", "Privacy: header", "anonymous"),
            ("user;critical", "Privacy: user;critical", "anonymous"),
            ("none", "Privacy: none", "+12025550143 L2"),
            ("none and id", "Privacy: none;id", "anonymous"),
            ("session caps", "Privacy: session", "+12025550143 L1"),
            ("history caps", "Privacy: history", "+12025550143 L1"),
            ("anonymous From", "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>", "anonymous"),
            (
                "anonymous From, PAI leaks",
                "From: <sip:anonymous@anonymous.invalid>\nP-Asserted-Identity: <tel:+12025550143>",
                "anonymous",
            ),
            ("unavailable", "From: <sip:Unavailable@h>", "anonymous"),
            ("Restricted", "From: <sip:Restricted@h>", "anonymous"),
            ("empty user", "From: <sip:h>", "anonymous"),
            ("anonymous PAI", "P-Asserted-Identity: <sip:anonymous@h>", "anonymous"),
            ("name withheld", "From: Anonymous <sip:+12025550143@h>", "anonymous"),
            ("withheld and different", "Privacy: id\nP-Asserted-Identity: <tel:+12025550144>", "anonymous"),
        ],
    );
}

#[test]
fn a_number_is_one_line_of_one_person() {
    check(
        &policy(screened()),
        &[
            ("separators", "From: <tel:+1-(202)-555.0143>", "+12025550143 L2"),
            ("portability", "From: <sip:+12025550143;npdi;rn=+12025550199@h;user=phone>", "+12025550143 L2"),
            ("ordinary", "From: <sip:+12025550143;cpc=ordinary@h>", "+12025550143 L2"),
            ("extension", "From: <tel:+12025550143;ext=7>", "extension (+12025550143)"),
            ("subaddress", "From: <sip:+12025550143;isub=12@h>", "extension (+12025550143)"),
            ("payphone", "From: <sip:+12025550143;cpc=payphone@h>", "shared-line (+12025550143)"),
            ("payphone as URI parameter", "From: <sip:+12025550143@h;CPC=Payphone>", "shared-line (+12025550143)"),
            ("payphone after the address", "From: <sip:+12025550143@h>;cpc=payphone", "shared-line (+12025550143)"),
            ("second cpc", "From: <sip:+12025550143;cpc=ordinary;cpc=prison@h>", "shared-line (+12025550143)"),
            ("operator", "From: <tel:+12025550143;cpc=operator>", "shared-line (+12025550143)"),
            ("prison by digits", "From: <sip:+12025550143;isup-oli=29@h>", "shared-line (+12025550143)"),
            ("mobile by digits", "From: <sip:+12025550143;isup-oli=62@h>", "+12025550143 L2"),
            ("toll-free", "From: <tel:+18002345678>", "number-kind (+18002345678)"),
            ("premium", "From: <tel:+19002345678>", "number-kind (+19002345678)"),
            ("personal", "From: <tel:+447012345678>", "number-kind (+447012345678)"),
            ("emergency", "From: <tel:911>", "number-format"),
            ("short code", "From: <tel:+144444>", "number-format"),
            ("unassigned", "From: <tel:+11235550143>", "number-format"),
            ("a letter", "From: <tel:+1202555014A>", "no-number"),
            ("star code", "From: <tel:*672025550143>", "no-number"),
            ("global number with a context", "From: <tel:+12025550143;phone-context=+1>", "number-format"),
        ],
    );
    let strict = policy(TrunkProfile { bare_user_is_number: false, ..screened() });
    assert_eq!(told(&strict, PEER, "tel:+12025550100", ""), "no-number");
    assert_eq!(told(&strict, PEER, "tel:+12025550100", "From: <sip:+12025550143@h;user=phone>"), "+12025550143 L2");
}

#[test]
fn numbers_are_read_in_the_trunks_format() {
    let e164 = NumberFormat::E164;
    let no_plus = NumberFormat::E164NoPlus;
    let national = |trunk_prefix: Option<&str>, international_prefix: Option<&str>| NumberFormat::National {
        trunk_prefix: trunk_prefix.map(str::to_owned),
        international_prefix: international_prefix.map(str::to_owned),
    };
    let german = national(Some("0"), Some("00"));
    let american = national(None, Some("011"));
    let italian = national(None, Some("00"));
    type Case<'a> = (&'a NumberFormat, &'a str, &'a [&'a str], &'a str, Option<&'a str>);
    let table: &[Case<'_>] = &[
        (&e164, "US", &[], "+12025550143", Some("+12025550143")),
        (&e164, "US", &[], "12025550143", None),
        (&e164, "US", &[], "2025550143", None),
        (&no_plus, "US", &[], "12025550143", Some("+12025550143")),
        (&no_plus, "US", &[], "+12025550143", Some("+12025550143")),
        (&no_plus, "US", &[], "2025550143", None),
        (&no_plus, "US", &[], "0012025550143", None),
        (&no_plus, "US", &["99"], "9912025550143", Some("+12025550143")),
        (&no_plus, "US", &["88", "99"], "9912025550143", Some("+12025550143")),
        (&no_plus, "DE", &[], "4930123456", Some("+4930123456")),
        (&no_plus, "DE", &[], "49030123456", None),
        (&german, "DE", &[], "030123456", Some("+4930123456")),
        (&german, "DE", &[], "0012025550143", Some("+12025550143")),
        (&german, "DE", &[], "+4930123456", Some("+4930123456")),
        (&german, "DE", &[], "30123456", None),
        (&german, "DE", &[], "4930123456", None),
        (&american, "US", &[], "2025550143", Some("+12025550143")),
        (&american, "US", &[], "0114930123456", Some("+4930123456")),
        (&american, "US", &[], "12025550143", None),
        (&american, "US", &[], "5550143", None),
        (&italian, "IT", &[], "0612345678", Some("+390612345678")),
        (&italian, "IT", &[], "004930123456", Some("+4930123456")),
    ];
    for (format, country, prefixes, digits, expected) in table {
        let trunk = TrunkProfile {
            number_format: (*format).clone(),
            country: Some(country.parse().unwrap()),
            strip_prefixes: prefixes.iter().map(|&prefix| prefix.to_owned()).collect(),
            ..screened()
        };
        let number = trunk.readings(digits, None).number();
        assert_eq!(number.as_ref().map(Number::as_str), *expected, "{digits} on {format:?} in {country}");
    }
    let german = TrunkProfile { number_format: german, country: Some("DE".parse().unwrap()), ..screened() };
    assert!(german.readings("030123456", Some("+49")).number().is_some());
    assert!(german.readings("030123456", Some("+1")).number().is_none());
    assert!(german.readings("030123456", Some("carrier.example")).number().is_none());
}

#[test]
fn a_forwarded_or_transferred_call_is_nobodys() {
    check(
        &policy(screened()),
        &[
            ("Diversion", "Diversion: <tel:+12025550150>;reason=unconditional", "forwarded (+12025550143)"),
            ("empty Diversion", "Diversion:", "forwarded (+12025550143)"),
            ("plain history", "History-Info: <sip:+12025550100@h>;index=1", "+12025550143 L2"),
            (
                "history of routing",
                "History-Info: <sip:+12025550100@a>;index=1, <sip:+12025550100@b>;index=1.1;rc=1",
                "+12025550143 L2",
            ),
            (
                "RFC 4458 cause",
                "History-Info: <sip:+12025550150@h>;index=1, <sip:+12025550100@h;cause=302>;index=1.1",
                "forwarded (+12025550143)",
            ),
            (
                "escaped Reason",
                "History-Info: <sip:+12025550150@h?Reason=SIP%3Bcause%3D486>;index=1",
                "forwarded (+12025550143)",
            ),
            (
                "escaped Reason with a text",
                "History-Info: <sip:+12025550150@h?Privacy=none&reason=SIP%3B%20CAUSE%3D302%3Btext%3D%22x%22>;index=1",
                "forwarded (+12025550143)",
            ),
            ("retargeted", "History-Info: <sip:+12025550100@h>;index=1.1;mp=1", "forwarded (+12025550143)"),
            ("service number", "History-Info: <sip:+12025550100@h;cause=380>;index=1.1", "+12025550143 L2"),
            ("unreadable", "History-Info: <<<", "forwarded (+12025550143)"),
            ("Referred-By", "Referred-By: <sip:+12025550150@h>", "transferred (+12025550143)"),
            ("compact Referred-By", "b: <sip:+12025550150@h>", "transferred (+12025550143)"),
            ("Replaces", "Replaces: x;to-tag=1;from-tag=2", "transferred (+12025550143)"),
            ("Join", "Join: x;to-tag=1;from-tag=2", "transferred (+12025550143)"),
            ("div PASSporT", "Identity: a.b.c;info=<https://h/c>;alg=ES256;ppt=\"div\"", "forwarded (+12025550143)"),
            ("that of RFC 8946 4.1", DIV, "forwarded (+12025550143)"),
            // {"ppt":"div"}, {"ppt":"Div-O"}, {}
            (
                "div without its parameter",
                "Identity: eyJwcHQiOiJkaXYifQ.e30.c2ln;info=<https://h/c>",
                "forwarded (+12025550143)",
            ),
            (
                "div with an empty one",
                "Identity: eyJwcHQiOiJkaXYifQ.e30.c2ln;info=<https://h/c>;ppt=",
                "forwarded (+12025550143)",
            ),
            (
                "div-o without it",
                "Identity: eyJwcHQiOiJEaXYtTyJ9.e30.c2ln;info=<https://h/c>",
                "forwarded (+12025550143)",
            ),
            ("no kind at all", "Identity: e30.e30.c2ln;info=<https://h/c>", "+12025550143 L2"),
        ],
    );
}

#[test]
fn attestations_only_lower_what_is_not_verified() {
    // {"attest":"A"}, {"attest":"B"}, {"attest":"C"}
    let asserted = |says: &str| {
        format!("P-Asserted-Identity: <sip:+12025550143@h;user=phone>\nFrom: <sip:+12025550143;{says}@h>;tag=1")
    };
    let second =
        |says: &str| format!("P-Asserted-Identity: <tel:+12025550143>, <sip:+12025550143;{says}@h;user=phone>");
    let passport = |payload: &str| format!("Identity: e30.{payload}.c2ln;info=<https://h/c>;alg=ES256;ppt=shaken");
    let trunk = policy(screened());
    for (name, given, expected) in [
        ("A is not verified here", passport("eyJhdHRlc3QiOiJBIn0"), "+12025550143 L2"),
        ("B", passport("eyJhdHRlc3QiOiJCIn0"), "+12025550143 L1"),
        ("C", passport("eyJhdHRlc3QiOiJDIn0"), "+12025550143 L1"),
        ("compact header name", passport("eyJhdHRlc3QiOiJDIn0").replace("Identity", "y"), "+12025550143 L1"),
        ("unreadable", passport("!!!"), "+12025550143 L2"),
        ("another kind", "Identity: e30.eyJhdHRlc3QiOiJCIn0.s;ppt=rph".to_owned(), "+12025550143 L2"),
        ("of no known kind", passport("eyJhdHRlc3QiOiJEIn0"), "+12025550143 L2"),
        ("indicator", "P-Attestation-Indicator: C".to_owned(), "+12025550143 L1"),
        ("indicator of A", "P-Attestation-Indicator: a".to_owned(), "+12025550143 L2"),
        ("indicator with what follows", "P-Attestation-Indicator: B;".to_owned(), "+12025550143 L1"),
        ("indicator of A with what follows", "P-Attestation-Indicator: A;".to_owned(), "+12025550143 L2"),
        ("indicator of nothing", "P-Attestation-Indicator:".to_owned(), "+12025550143 L2"),
        ("indicator of nothing, in quotes", "P-Attestation-Indicator: \"\";".to_owned(), "+12025550143 L2"),
        ("indicator of a placeholder", "P-Attestation-Indicator: none".to_owned(), "+12025550143 L1"),
        ("that of 3GPP", "Attestation-Info: C".to_owned(), "+12025550143 L1"),
        ("that of 3GPP, of A", "Attestation-Info: A".to_owned(), "+12025550143 L2"),
        ("verstat B", "From: <sip:+12025550143;verstat=TN-Validation-Passed-B@h>".to_owned(), "+12025550143 L1"),
        ("verstat", "From: <sip:+12025550143;verstat=TN-Validation-Passed@h>".to_owned(), "+12025550143 L2"),
        ("none", "From: <sip:+12025550143;verstat=No-TN-Validation@h>".to_owned(), "+12025550143 L2"),
        ("a word that nobody knows", "From: <sip:+12025550143;verstat=Fine@h>".to_owned(), "+12025550143 L1"),
        ("A", "From: <sip:+12025550143;verstat=TN-Validation-Passed-A@h>".to_owned(), "+12025550143 L2"),
        (
            "failed",
            "From: <sip:+12025550143@h>;verstat=TN-Validation-Failed".to_owned(),
            "validation-failed (+12025550143)",
        ),
        ("failed, beside an assertion", asserted("verstat=TN-Validation-Failed"), "validation-failed (+12025550143)"),
        ("B, beside an assertion", asserted("verstat=TN-Validation-Passed-B"), "+12025550143 L1"),
        ("a shared line, beside an assertion", asserted("isup-oli=29"), "shared-line (+12025550143)"),
        ("a shared line in the second assertion", second("cpc=payphone"), "shared-line (+12025550143)"),
        ("an extension in the second assertion", second("ext=12"), "extension (+12025550143)"),
    ] {
        assert_eq!(told(&trunk, PEER, OURS, &given), expected, "{name}");
    }
}

/// One call in which everything is wrong, and is mended in the order of docs/protocol.md.
#[test]
fn the_first_check_that_fails_names_the_reason() {
    const TWO: &str = "Identity: e30.e30.s;info=<https://h/c>;ppt=shaken, e30.e30.s;info=<https://h/d>;ppt=shaken";
    const LOW: &str = "P-Attestation-Indicator: C";
    let wrong = |identity: &str| {
        format!(
            "sip:+12025550101@h
             From: <sip:+12025550199@h>
             P-Asserted-Identity: <<<
             Remote-Party-ID: <tel:+11235550143;ext=7;cpc=payphone>;privacy=off
             Privacy: id
             Diversion: <tel:+12025550150>
             Referred-By: <sip:+12025550150@h>
             X-Checked: Wrong
             {LOW}
             {identity}"
        )
    };
    // The reason; then what is mended, and how.
    let mends = [
        ("ingress-secret", "0101@h", "0101@h;key=x7Qm2kLp9"),
        ("not-our-number", "+12025550101", "+12025550100"),
        ("malformed-identity", "P-Asserted-Identity: <<<", ""),
        ("unscreened", "privacy=off", "screen=yes;privacy=off"),
        ("anonymous", "Privacy: id", ""),
        ("extension", ";ext=7", ""),
        ("shared-line", ";cpc=payphone", ""),
        ("number-format", "+11235550143", "+18002345678"),
        ("identities-differ", "+12025550199", "+18002345678"),
        ("number-kind", "+18002345678", "+12025550143"),
        ("forwarded", "Diversion: <tel:+12025550150>", ""),
        ("transferred", "Referred-By: <sip:+12025550150@h>", ""),
        ("validation-failed", "X-Checked: Wrong", ""),
        ("invalid-identity", TWO, ""),
        ("use-identity-header", LOW, "P-Attestation-Indicator: C\nIdentity: e30.e30.s;info=<https://h/c>;ppt=shaken"),
        ("below-issuing-level", LOW, ""),
    ];
    let trunk = Policy {
        issue_from: Level::L2.into(),
        ..policy(TrunkProfile {
            ingress_secret: Some(Private::new("x7Qm2kLp9".to_owned())),
            trust_rpid: true,
            verstat: Some(dialect("X-Checked", None, &[("Wrong", Finding::Failed)])),
            identity_passthrough: true,
            identity: SignedIdentity::Required,
            ..screened()
        })
    };
    // One Identity too many, and none, cannot be wrong at once.
    for identity in [TWO, ""] {
        let mut request = wrong(identity);
        for (reason, from, to) in mends.iter().filter(|(_, from, _)| identity == TWO || *from != TWO) {
            let (uri, given) = request.split_once('\n').unwrap();
            let verdict = told(&trunk, PEER, uri, given);
            assert_eq!(verdict.split(' ').next(), Some(*reason), "{request}");
            assert!(request.contains(from), "{from} is not in {request}");
            request = request.replace(from, to);
        }
        let (uri, given) = request.split_once('\n').unwrap();
        assert_eq!(told(&trunk, PEER, uri, given), "+12025550143 L2", "{request}");
    }
}

#[test]
fn the_level_is_the_least_that_anything_allows() {
    type Change = fn(&mut TrunkProfile);
    let capped: [(&str, Change); 5] = [
        ("unscreened", |trunk| trunk.cli_screened = false),
        ("loses Diversion", |trunk| trunk.keeps_diversion = KeepsDiversion::No),
        ("nobody knows about Diversion", |trunk| trunk.keeps_diversion = KeepsDiversion::Unknown),
        ("of no country", |trunk| trunk.country = None),
        ("maximum", |trunk| trunk.max_level = Level::L1),
    ];
    for (name, change) in capped {
        let mut trunk = screened();
        change(&mut trunk);
        assert_eq!(told(&policy(trunk), PEER, OURS, ""), "+12025550143 L1", "{name}");
    }
    check(
        &policy(screened()),
        &[
            ("a neighbour's number", "From: <tel:+14165550143>", "+14165550143 L1"),
            ("a foreign number", "From: <tel:+4930123456>", "+4930123456 L1"),
        ],
    );
    let from_l2 = Policy { issue_from: Level::L2.into(), ..policy(screened()) };
    check(
        &from_l2,
        &[
            ("at the issuing level", "", "+12025550143 L2"),
            ("below it", "From: <tel:+4930123456>", "below-issuing-level (+4930123456)"),
        ],
    );
}

#[test]
fn each_kind_of_number_has_its_issuing_level() {
    let issue_from = IssuingLevels { subscriber: Level::L1, voip: Level::L2, personal: Level::L3 };
    let british = TrunkProfile { country: Some("GB".parse().unwrap()), ..screened() };
    let unscreened = TrunkProfile { cli_screened: false, ..british.clone() };
    let kinds = KindPolicy { voip: true, personal: true };
    let [screened, unscreened] = [british, unscreened].map(|trunk| Policy { issue_from, kinds, ..policy(trunk) });
    for (name, trunk, number, expected) in [
        ("a line, screened", &screened, "+442079460123", "+442079460123 L2"),
        ("a line, unscreened", &unscreened, "+442079460123", "+442079460123 L1"),
        ("internet telephony, screened", &screened, "+445612345678", "+445612345678 L2"),
        ("internet telephony, unscreened", &unscreened, "+445612345678", "below-issuing-level (+445612345678)"),
        ("personal, screened", &screened, "+447012345678", "below-issuing-level (+447012345678)"),
    ] {
        assert_eq!(told(trunk, PEER, OURS, &format!("From: <tel:{number}>")), expected, "{name}");
    }
}

#[test]
fn a_call_below_the_issuing_level_still_says_what_it_was_worth() {
    let from_l2 = Policy { issue_from: Level::L2.into(), ..policy(screened()) };
    let given = headers("From: <sip:+4930123456;npdi;rn=+4930000000;cpc=ordinary@h;user=phone>\nPrivacy: session");
    let verdict = judge(&from_l2, &Peer::udp(PEER.parse().unwrap()), OURS, &given);
    let Verdict::Refuse(refusal) = verdict else { panic!("{verdict:?}") };
    let caller = refusal.caller.expect("only the last check failed");
    assert_eq!((caller.level, caller.caps.to_string().as_str()), (Level::L1, "foreign-number half-withheld"));
    assert_eq!(caller.line.to_string(), "npdi rn cpc=ordinary");
}

#[test]
fn what_holds_a_level_down_is_told() {
    type Change = fn(&mut TrunkProfile);
    let table: [(&str, Change, &str); 8] = [
        ("", |_| {}, "L2 not-attested"),
        ("", |trunk| trunk.shared_addresses = true, "L1 shared-addresses"),
        ("", |trunk| trunk.cli_screened = false, "L1 unscreened-trunk"),
        ("", |trunk| trunk.country = None, "L1 foreign-number"),
        ("", |trunk| trunk.keeps_diversion = KeepsDiversion::Unknown, "L1 diversion-unknown"),
        ("Privacy: history", |_| {}, "L1 half-withheld"),
        ("P-Attestation-Indicator: B", |_| {}, "L1 attestation-low"),
        ("", |trunk| trunk.max_level = Level::L1, "L1 trunk-limit"),
    ];
    for (given, change, expected) in table {
        let mut trunk = screened();
        change(&mut trunk);
        let verdict = judge(&policy(trunk), &Peer::udp(PEER.parse().unwrap()), OURS, &headers(given));
        let Verdict::Accept { caller, .. } = verdict else { panic!("{verdict:?}") };
        assert_eq!(format!("{} {}", caller.level, caller.caps), expected);
    }
}

/// A dialect whose words stand there.
fn dialect(header: &str, attestation_header: Option<&str>, words: &[(&str, Finding)]) -> Verstat {
    Verstat {
        header: header.to_owned(),
        attestation_header: attestation_header.map(str::to_owned),
        words: words.iter().map(|(word, finding)| ((*word).to_owned(), *finding)).collect(),
    }
}

#[test]
fn only_the_words_of_the_trunks_dialect_raise_a_level() {
    let words = [
        ("Checked", Finding::PassedA),
        ("Checked-Somewhat", Finding::Low),
        ("Wrong", Finding::Failed),
        ("Nothing", Finding::Unsigned),
        ("Checked-Diverted", Finding::Diverted),
    ];
    let by_header = policy(TrunkProfile { verstat: Some(dialect("X-Checked", None, &words)), ..screened() });
    check(
        &by_header,
        &[
            ("A", "X-Checked: Checked", "+12025550143 L3"),
            ("A, by another spelling of the header's name", "x-checked:  Checked ", "+12025550143 L3"),
            ("lower", "X-Checked: Checked-Somewhat", "+12025550143 L1"),
            ("failed", "X-Checked: Wrong", "validation-failed (+12025550143)"),
            ("unsigned", "X-Checked: Nothing", "+12025550143 L2"),
            ("absent", "", "+12025550143 L2"),
            ("diverted", "X-Checked: Checked-Diverted", "forwarded (+12025550143)"),
            ("unknown", "X-Checked: Checked-Twice", "+12025550143 L1"),
            ("empty", "X-Checked:", "+12025550143 L1"),
            ("in other letters", "X-Checked: checked", "+12025550143 L1"),
            ("twice the same", "X-Checked: Checked\nX-Checked: Checked", "+12025550143 L3"),
            ("twice and different", "X-Checked: Checked\nX-Checked: Nothing", "+12025550143 L2"),
            ("two words in one", "X-Checked: Checked, Checked", "+12025550143 L1"),
            ("A, and another header says C", "X-Checked: Checked\nP-Attestation-Indicator: C", "+12025550143 L1"),
            (
                "A, and the caller's own header says failed",
                "X-Checked: Checked\nFrom: <sip:+12025550143;verstat=TN-Validation-Failed-A@h>",
                "validation-failed (+12025550143)",
            ),
            ("where its words mean nothing", "From: <sip:+12025550143;verstat=Checked@h>", "+12025550143 L1"),
            (
                "A, and what would be bad in its own header stands elsewhere",
                "X-Checked: Checked\nFrom: <sip:+12025550143;verstat=Wrong@h>",
                "+12025550143 L1",
            ),
            ("another's words", "From: <sip:+12025550143;verstat=TN-Validation-Passed-A@h>", "+12025550143 L2"),
            ("A, and a foreign number", "X-Checked: Checked\nFrom: <tel:+4930123456>", "+4930123456 L1"),
        ],
    );
    check(&policy(screened()), &[("without a dialect", "X-Checked: Checked", "+12025550143 L2")]);
    let pai = |says: &str| format!("P-Asserted-Identity: <sip:+12025550143{says}");
    let by_parameter =
        policy(TrunkProfile { verstat: Some(dialect("P-Asserted-Identity", None, &words)), ..screened() });
    for (name, given, expected) in [
        ("in the user part", pai(";verstat=Checked@h>"), "+12025550143 L3"),
        ("in the URI", pai("@h;verstat=Checked>"), "+12025550143 L3"),
        ("after the address", pai("@h>;verstat=Checked"), "+12025550143 L3"),
        ("unknown", pai("@h>;verstat=Checked-Twice"), "+12025550143 L1"),
        ("two", pai(";verstat=Checked@h>;verstat=Nothing"), "+12025550143 L2"),
        (
            "lower in From, which is not where the trunk says it",
            pai("@h>;verstat=Checked\nFrom: <sip:+12025550143;verstat=Checked-Somewhat@h>"),
            "+12025550143 L1",
        ),
        ("in From alone", "From: <sip:+12025550143@h>;verstat=Checked".to_owned(), "+12025550143 L2"),
    ] {
        assert_eq!(told(&by_parameter, PEER, OURS, &given), expected, "{name}");
    }
}

#[test]
fn in_from_a_word_stands_beside_the_one_address() {
    let words = [("Checked", Finding::PassedA)];
    let trunk = policy(TrunkProfile { verstat: Some(dialect("From", None, &words)), ..screened() });
    check(
        &trunk,
        &[
            ("beside it", "From: <sip:+12025550143@h>;verstat=Checked", "+12025550143 L3"),
            ("compact", "f: <sip:+12025550143;verstat=Checked@h>", "+12025550143 L3"),
            ("beside something else", "From: <sip:+12025550143@h>;x=y;verstat=Checked, <sip:a@b>", "+12025550143 L1"),
            ("in the name", "From: \"verstat=Checked\" <sip:+12025550143@h>", "+12025550143 L2"),
        ],
    );
}

#[test]
fn a_word_that_leaves_the_attestation_open_needs_the_header_that_says_it() {
    let words = [("TN-Validation-Passed", Finding::Passed), ("No-TN-Validation", Finding::Unsigned)];
    let verstat = dialect("P-Asserted-Identity", Some("P-Attestation-Indicator"), &words);
    let trunk = policy(TrunkProfile { verstat: Some(verstat), ..screened() });
    let passed = "P-Asserted-Identity: <sip:+12025550143;verstat=TN-Validation-Passed@h>";
    for (indicator, expected) in [
        ("\nP-Attestation-Indicator: A", "+12025550143 L3"),
        ("\nP-Attestation-Indicator: A;", "+12025550143 L3"),
        ("\nP-Attestation-Indicator: \"A\" ; x=y", "+12025550143 L3"),
        ("\nP-Attestation-Indicator: B", "+12025550143 L1"),
        ("\nP-Attestation-Indicator: D", "+12025550143 L1"),
        ("\nP-Attestation-Indicator:", "+12025550143 L1"),
        ("\nP-Attestation-Indicator: A\nP-Attestation-Indicator: B", "+12025550143 L1"),
        ("\nP-Attestation-Indicator: A\nP-Attestation-Indicator: A", "+12025550143 L1"),
        ("", "+12025550143 L1"),
    ] {
        assert_eq!(told(&trunk, PEER, OURS, &format!("{passed}{indicator}")), expected, "{indicator}");
    }
    assert_eq!(told(&trunk, PEER, OURS, "P-Attestation-Indicator: A"), "+12025550143 L2", "A without the word");
}

#[test]
fn a_passports_verdict_comes_in_between_the_checks_and_the_session() {
    use crate::caller::Attest::{A, B};
    use PassportVerdict::{Bad, Unverified, Verified};

    use crate::passport::Fault;
    let trunk = TrunkProfile { identity_passthrough: true, keeps_diversion: KeepsDiversion::No, ..screened() };
    let hands_on = policy(trunk.clone());
    let given = "Identity: e30.eyJhdHRlc3QiOiJBIn0.c2ln;info=<https://h/c>;alg=ES256;ppt=shaken\n\
                 Identity: e30.e30.s;ppt=rph";
    let assessed = |policy: &Policy, text: &str| {
        assess(policy, &Peer::udp(PEER.parse().unwrap()), OURS, &headers(text)).expect("nothing speaks against it")
    };
    for (name, verdict, expected) in [
        ("nobody verifies it", Unverified, "+12025550143 L1"),
        ("A lifts what Diversion and the missing attestation hold down", Verified(A), "+12025550143 L3"),
        ("B does not", Verified(B), "+12025550143 L1"),
        ("a stale one", Bad(Fault::Stale), "stale-identity (+12025550143)"),
        ("one without its certificate", Bad(Fault::Slow), "bad-identity-info (+12025550143)"),
        ("one of a signer whom nobody knows", Bad(Fault::NoAnchor), "unsupported-credential (+12025550143)"),
        ("a bad one", Bad(Fault::Signature), "invalid-identity (+12025550143)"),
    ] {
        assert_eq!(shown(&assessed(&hands_on, given).settle(&hands_on, verdict)), expected, "{name}");
    }
    let passport = assessed(&hands_on, given).passport().map(|passport| passport.expose().clone());
    assert!(passport.is_some_and(|passport| passport.starts_with("e30.eyJ") && passport.ends_with("ppt=shaken")));
    let keeps_them = policy(TrunkProfile { identity_passthrough: false, ..trunk });
    assert_eq!(assessed(&keeps_them, given).passport(), None, "a trunk that does not hand them on");
    for (name, more, expected) in [
        ("two of them", "\ny: e30.e30.s;info=<https://h/d>;ppt=shaken", "invalid-identity (+12025550143)"),
        ("in one header", ", e30.e30.s;info=<https://h/d?a,b>;ppt=shaken", "invalid-identity (+12025550143)"),
        (
            "and one of a forwarded call beside it",
            ", e30.e30.s;info=<https://h/d>;ppt=\"div\"",
            "forwarded (+12025550143)",
        ),
    ] {
        let joined = given.replacen("ppt=shaken", &format!("ppt=shaken{more}"), 1);
        assert_eq!(told(&hands_on, PEER, OURS, &joined), expected, "{name}");
    }
    let (orig, dest) = (assessed(&hands_on, given), "+12025550100");
    assert_eq!((orig.numbers().0.as_str(), orig.numbers().1.as_str()), ("+12025550143", dest));
}

#[test]
fn where_an_identity_is_required_a_call_without_one_of_shaken_is_told_to_bring_it() {
    let required =
        policy(TrunkProfile { identity_passthrough: true, identity: SignedIdentity::Required, ..screened() });
    check(
        &required,
        &[
            ("none", "", "use-identity-header (+12025550143)"),
            ("of another kind", "Identity: e30.e30.s;info=<https://h/c>;ppt=rph", "use-identity-header (+12025550143)"),
            ("of no kind", "Identity: e30.e30.s;info=<https://h/c>", "use-identity-header (+12025550143)"),
            ("of SHAKEN", "Identity: e30.e30.s;info=<https://h/c>;ppt=shaken", "+12025550143 L2"),
            ("in short", "y: e30.e30.s;info=<https://h/c>;ppt=shaken", "+12025550143 L2"),
            // What is wrong with the call itself is said first.
            ("of a forwarded call", "Diversion: <sip:+12025550199@h>", "forwarded (+12025550143)"),
            ("of nobody", "Privacy: id", "anonymous"),
        ],
    );
}

/// Names that the checks look at, and pieces that their readers stumble over.
fn hostile_header() -> impl Strategy<Value = (String, String)> {
    let name = prop::sample::select(vec![
        "From",
        "f",
        "To",
        "P-Asserted-Identity",
        "Privacy",
        "Diversion",
        "History-Info",
        "Identity",
        "y",
        "Remote-Party-ID",
        "Referred-By",
        "P-Attestation-Indicator",
        "X",
    ]);
    let piece = prop::sample::select(vec![
        "<",
        ">",
        "\"",
        "\\",
        ",",
        ";",
        "=",
        "@",
        ":",
        "?",
        "%",
        "%2B",
        "sip:",
        "tel:",
        "+12025550143",
        "cpc=payphone",
        "phone-context=+1",
        "é",
        "anonymous",
        "Reason=SIP%3Bcause%3D302",
        ".",
        " ",
        "\t",
        "[",
        "eyJhdHRlc3QiOiJCIn0",
    ]);
    (name, prop::collection::vec(piece, 0..14)).prop_map(|(name, pieces)| (name.to_owned(), pieces.concat()))
}

proptest! {
    #[test]
    fn no_request_makes_the_judge_panic(
        uri in "(sips?:|tel:)?[+0-9a-z%;:@?&=<>\",]{0,30}",
        given in prop::collection::vec(hostile_header(), 0..6),
        ours: bool,
    ) {
        let verstat = Some(dialect("X", None, &[("+12025550143", Finding::PassedA)]));
        let policy = policy(TrunkProfile { trust_rpid: true, verstat, ..screened() });
        let headers: Vec<_> = given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let verdict = judge(&policy, &Peer::udp(PEER.parse().unwrap()), if ours { OURS } else { &uri }, &headers);
        if let Verdict::Accept { caller, trunk } = verdict {
            prop_assert_eq!(trunk, TrunkIndex(0));
            prop_assert!(caller.level <= Level::L3);
        }
    }
}
