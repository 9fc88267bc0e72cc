//! The level: what lowers it, what holds it down, and from where certificates are issued.

use super::*;

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
