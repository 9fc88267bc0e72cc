//! Who calls: P-Asserted-Identity, Remote-Party-ID and From, what is withheld, and how a trunk writes numbers.

use super::*;
use crate::caller::trunk::NumberFormat;

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
