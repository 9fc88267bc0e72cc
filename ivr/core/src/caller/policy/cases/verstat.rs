//! The words of a trunk's dialect.

use super::*;

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
        ("\nP-Attestation-Indicator: A;, B", "+12025550143 L1"),
        ("\nP-Attestation-Indicator: A,", "+12025550143 L1"),
        ("\nP-Attestation-Indicator: A;\",B", "+12025550143 L1"),
        ("\nP-Attestation-Indicator: a", "+12025550143 L1"),
        ("\nP-Attestation-Indicator: A\nP-Attestation-Indicator: A", "+12025550143 L1"),
        ("", "+12025550143 L1"),
    ] {
        assert_eq!(told(&trunk, PEER, OURS, &format!("{passed}{indicator}")), expected, "{indicator}");
    }
    assert_eq!(told(&trunk, PEER, OURS, "P-Attestation-Indicator: A"), "+12025550143 L2", "A without the word");
}
