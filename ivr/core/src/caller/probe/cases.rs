//! Calls as carriers send them, and what is made of them. The shapes are those of docs/trunks.md.

use super::*;
use crate::caller::{IssuingLevels, Level, TrunkProfile};
use crate::number::KindPolicy;

/// The operator's own mobile, the telephone that forwards, and one abroad.
const MOBILE: &str = "+12025550143";
const FORWARDER: &str = "+12025550177";
const ABROAD: &str = "+442079460123";
const SECRET: &str = "k3vq81zmxw07pldy55ce";

fn number(text: &str) -> Number {
    Number::parse(text).unwrap()
}

fn policy() -> Policy {
    let trunk = TrunkProfile {
        name: "carrier".to_owned(),
        sources: vec!["192.0.2.0/28".parse().unwrap()],
        numbers: vec![number("+12025550100"), number("+493012345678")],
        ingress_secret: Some(Private::new(SECRET.to_owned())),
        ..TrunkProfile::default()
    };
    Policy {
        trunks: vec![trunk],
        issue_from: IssuingLevels::from(Level::L2),
        kinds: KindPolicy { voip: true, personal: false },
    }
}

fn headers(text: &str) -> Vec<(&str, &str)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| line.split_once(':').map(|(name, value)| (name, value.trim())).unwrap()).collect()
}

fn capture(text: &str) -> Capture {
    let source = Peer::udp("192.0.2.1:5060".parse().unwrap());
    Capture::of(
        &policy(),
        TrunkIndex(0),
        source,
        &format!("sip:+12025550100@198.51.100.1;key={SECRET}"),
        &headers(text),
    )
}

/// A call: how, by whom, and its headers.
type Made<'a> = (Step, &'a str, &'a str);

/// A call of each step: who calls (and over whom), and the headers.
fn calls(steps: &[Made<'_>]) -> Vec<Call> {
    let call = |(step, from, text): &Made<'_>| {
        let forwarder = (*step == Step::Forwarded).then(|| number(FORWARDER));
        let expected = Expected { step: *step, number: number(from), forwarder };
        assert!(expected.is(Headers(&headers(text))), "{step:?} is not taken for the operator's call");
        Call { expected, capture: capture(text) }
    };
    steps.iter().map(call).collect()
}

/// The lines, each as `key = value` or `#key = value`, and the carrier of the dialect.
fn told(calls: &[Call]) -> Vec<String> {
    let proposal = propose(calls);
    let mark = |standing: Standing| if standing == Standing::Seen { "" } else { "#" };
    let lines = proposal.lines.iter().map(|line| format!("{}{} = {}", mark(line.standing), line.key, line.value));
    let dialect = proposal.dialect.map(|(dialect, standing, _)| format!("{}{}", mark(standing), dialect.carrier));
    lines.chain(dialect).collect()
}

const TELNYX: &[Made<'static>] = &[
    (
        Step::Normal,
        MOBILE,
        "From: \"ADA LOVELACE\" <sip:+12025550143@sip.telnyx.com>;tag=1
         P-Asserted-Identity: <sip:+12025550143@sip.telnyx.com;verstat=TN-Validation-Passed>",
    ),
    (
        Step::Withheld,
        MOBILE,
        "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=2
         Privacy: id
         P-Asserted-Identity: <sip:+12025550143@sip.telnyx.com;verstat=TN-Validation-Passed>",
    ),
    (
        Step::Forwarded,
        MOBILE,
        "From: <sip:+12025550143@sip.telnyx.com>;tag=3
         P-Asserted-Identity: <sip:+12025550143@sip.telnyx.com;verstat=TN-Validation-Passed-C>
         Diversion: <sip:+12025550177@sip.telnyx.com>;reason=unconditional",
    ),
    (
        Step::Abroad,
        ABROAD,
        "From: <sip:+442079460123@sip.telnyx.com>;tag=4
         P-Asserted-Identity: <sip:+442079460123@sip.telnyx.com;verstat=No-TN-Validation>",
    ),
];

const TWILIO: &[Made<'static>] = &[
    (
        Step::Normal,
        MOBILE,
        "From: <sip:+12025550143@acme.pstn.twilio.com>;tag=1
         X-Twilio-VerStat: TN-Validation-Passed-A
         X-Twilio-CallSid: CA00000000000000000000000000000000",
    ),
    (Step::Forwarded, MOBILE, "From: <sip:+12025550143@acme.pstn.twilio.com>;tag=2"),
];

const BANDWIDTH: &[Made<'static>] = &[
    (
        Step::Normal,
        MOBILE,
        "From: \"WIRELESS CALLER\" <sip:+12025550143@192.0.2.1:5060;isup-oli=62>;tag=1
         P-Asserted-Identity: \"WIRELESS CALLER\" <sip:+12025550143;verstat=TN-Validation-Passed@192.0.2.1:5060>
         P-Attestation-Indicator: A",
    ),
    (
        Step::Withheld,
        MOBILE,
        "From: \"Anonymous\" <sip:Restricted@192.0.2.1:5060>;tag=2
         Privacy: id
         P-Asserted-Identity: <sip:+12025550143;verstat=TN-Validation-Passed@192.0.2.1:5060>
         P-Attestation-Indicator: A",
    ),
];

const PLIVO: &[Made<'static>] = &[(
    Step::Normal,
    MOBILE,
    "From: <sip:12025550143@phone.plivo.com>;tag=1
     X-Plivo-Stir-Verification: Verified
     P-Attestation-Indicator: A",
)];

/// A switchboard that knows nothing of networks: it presents what it likes, and says that it has looked.
const PLAIN_PBX: &[Made<'static>] = &[
    (
        Step::Normal,
        MOBILE,
        "From: \"Front desk\" <sip:front@192.0.2.1>;tag=1
         Remote-Party-ID: <sip:12025550143@192.0.2.1>;party=calling;screen=yes;privacy=off",
    ),
    (
        Step::Withheld,
        MOBILE,
        "From: <sip:front@192.0.2.1>;tag=2
         Remote-Party-ID: <sip:12025550143@192.0.2.1>;party=calling;screen=yes;privacy=full",
    ),
    (
        Step::Forwarded,
        MOBILE,
        "From: <sip:front@192.0.2.1>;tag=3
         Remote-Party-ID: <sip:12025550177@192.0.2.1>;party=calling;screen=yes;privacy=off",
    ),
];

/// A carrier that writes numbers as they are dialled in Germany.
const NATIONAL: &[Made<'static>] = &[
    (
        Step::Normal,
        "+4915123456789",
        "From: <sip:015123456789@carrier.example;user=phone>;tag=1
         P-Asserted-Identity: <sip:015123456789@carrier.example;user=phone>, <tel:015123456789;phone-context=+49>
         Identity: e30.eyJhdHRlc3QiOiJBIn0.c2ln;info=<https://c.example/c.pem>;alg=ES256;ppt=shaken",
    ),
    (
        Step::Abroad,
        ABROAD,
        "From: <sip:00442079460123@carrier.example;user=phone>;tag=2
         P-Asserted-Identity: <sip:00442079460123@carrier.example;user=phone>",
    ),
    (
        Step::Forwarded,
        MOBILE,
        "From: <sip:0012025550143@carrier.example;user=phone>;tag=3
         History-Info: <sip:+493012345678@carrier.example?Reason=SIP%3Bcause%3D302>;index=1",
    ),
];

#[test]
fn each_carriers_calls_propose_its_profile() {
    let table: &[(&str, &[Made<'_>], &[&str])] = &[
        (
            "Telnyx",
            TELNYX,
            &[
                "trust_pai = true",
                "from_is_free_text = false",
                "bare_user_is_number = true",
                "number_format = \"e164\"",
                "#country = \"US\"",
                "#cli_screened = true",
                "keeps_diversion = \"yes\"",
                "Telnyx",
            ],
        ),
        (
            "Twilio",
            TWILIO,
            &[
                "trust_pai = false",
                "bare_user_is_number = true",
                "number_format = \"e164\"",
                "#country = \"US\"",
                "#cli_screened = true",
                "keeps_diversion = \"no\"",
                "Twilio",
            ],
        ),
        (
            "Bandwidth",
            BANDWIDTH,
            &[
                "trust_pai = true",
                "from_is_free_text = false",
                "bare_user_is_number = true",
                "number_format = \"e164\"",
                "#country = \"US\"",
                "#cli_screened = true",
                "keeps_diversion = \"unknown\"",
                "Bandwidth",
            ],
        ),
        (
            "Plivo",
            PLIVO,
            &[
                "trust_pai = false",
                "bare_user_is_number = true",
                "number_format = \"e164-no-plus\"",
                "#country = \"US\"",
                "#cli_screened = true",
                "keeps_diversion = \"unknown\"",
                "Plivo",
            ],
        ),
        (
            "a plain PBX",
            PLAIN_PBX,
            &[
                "trust_rpid = true",
                "from_is_free_text = true",
                "bare_user_is_number = true",
                "number_format = \"e164-no-plus\"",
                "#country = \"US\"",
                "#cli_screened = true",
                "keeps_diversion = \"no\"",
            ],
        ),
        (
            "a national trunk",
            NATIONAL,
            &[
                "#trust_pai = true",
                "from_is_free_text = false",
                "number_format = \"national\"",
                "country = \"DE\"",
                "trunk_prefix = \"0\"",
                "international_prefix = \"00\"",
                "#cli_screened = true",
                "keeps_diversion = \"yes\"",
                "identity_passthrough = true",
            ],
        ),
    ];
    for (name, steps, expected) in table {
        assert_eq!(told(&calls(steps)), *expected, "{name}");
    }
}

#[test]
fn the_spelling_of_a_foreign_number_decides_what_a_bare_one_means() {
    let domestic = (Step::Normal, MOBILE, "From: <sip:12025550143@h;user=phone>;tag=1");
    let foreign = |text| calls(&[domestic, (Step::Abroad, ABROAD, text)]);
    let of = |calls: &[Call], key: &str| -> Vec<String> {
        told(calls).into_iter().filter(|line| line.trim_start_matches('#').starts_with(key)).collect()
    };
    let dialled = foreign("From: <sip:011442079460123@h;user=phone>;tag=2");
    assert_eq!(of(&dialled, "number_format"), ["number_format = \"national\""]);
    assert_eq!(of(&dialled, "trunk_prefix"), ["trunk_prefix = \"1\""]);
    assert_eq!(of(&dialled, "international_prefix"), ["international_prefix = \"011\""]);
    let bare = foreign("From: <sip:442079460123@h;user=phone>;tag=2");
    assert_eq!(of(&bare, "number_format"), ["number_format = \"e164-no-plus\""]);
    assert_eq!(of(&bare, "trunk_prefix"), Vec::<String>::new());
}

#[test]
fn what_fits_nothing_is_said_and_not_guessed() {
    let noted = |steps: &[Made<'_>], words: &str| {
        let notes = propose(&calls(steps)).notes;
        assert!(notes.iter().any(|note| note.contains(words)), "{words}: {notes:?}");
    };
    noted(&[], "Call normally first");
    noted(&[(Step::Withheld, MOBILE, "From: <sip:+12025550143@h>;tag=1")], "looked like any other");
    noted(&[(Step::Normal, MOBILE, "From: <sip:991112025550143@h>;tag=1")], "technical prefix");
    noted(
        &[(Step::Normal, MOBILE, "From: <sip:+12025550143@h>;tag=1\nX-Acme-Verstat: verified-full")],
        "ask what its words mean",
    );
    noted(
        &[
            (Step::Normal, MOBILE, "From: <sip:+12025550143@h>;tag=1"),
            (Step::Abroad, ABROAD, "From: <sip:00442079460123@h>;tag=1"),
        ],
        "spelled otherwise",
    );
    // The bare word alone does not tell whose dialect it is.
    let passed =
        "From: <sip:+12025550143@h>;tag=1\nP-Asserted-Identity: <sip:+12025550143@h;verstat=TN-Validation-Passed>";
    assert_eq!(told(&calls(&[(Step::Normal, MOBILE, passed)])).last().unwrap(), "#Telnyx");
    let other = "From: <sip:+12025550143@h>;tag=1\nP-Asserted-Identity: <sip:+12025550100@h>";
    assert_eq!(told(&calls(&[(Step::Normal, MOBILE, other)]))[0], "trust_pai = false");
}

#[test]
fn only_the_operators_own_call_is_taken() {
    let expected = |step| Expected { step, number: number(MOBILE), forwarder: None };
    for (step, text, is_taken) in [
        (Step::Normal, "From: <sip:2025550143@h>;tag=1", true),
        (Step::Normal, "f: <tel:+1-202-555-0143>;tag=1", true),
        (Step::Normal, "From: <sip:trunk@h>;tag=1\nP-Asserted-Identity: <sip:a@h>, <tel:+12025550143>", true),
        (Step::Normal, "From: <sip:+12025550144@h>;tag=1", false),
        (Step::Normal, "From: <sip:5550143@h>;tag=1", true),
        (Step::Normal, "From: <sip:550143@h>;tag=1", false),
        (Step::Normal, "From: \"+12025550143\" <sip:a@h>;tag=1", false),
        (Step::Normal, "From: <sip:anonymous@anonymous.invalid>;tag=1", false),
        (Step::Withheld, "From: <sip:anonymous@anonymous.invalid>;tag=1", true),
        (Step::Withheld, "From: <sip:+12025550144@h>;tag=1\nPrivacy: id", true),
        (Step::Withheld, "From: <sip:+12025550144@h>;tag=1", false),
        (Step::Withheld, "From: <sip:+12025550143@h>;tag=1", true),
    ] {
        assert_eq!(expected(step).is(Headers(&headers(text))), is_taken, "{step:?} {text}");
    }
    let forwarded = Expected { forwarder: Some(number(FORWARDER)), ..expected(Step::Forwarded) };
    assert!(forwarded.is(Headers(&headers("From: <sip:+12025550177@h>;tag=1"))));
}

#[test]
fn what_is_kept_is_bounded_and_names_nobody() {
    let secret = format!("X-Uri: sip:{SECRET}@h");
    let long = format!("X-Long: {}", "é".repeat(400));
    let many: String = (0..60).map(|n| format!("X-{n}: 1\n")).collect();
    let token = "e30.eyJhdHRlc3QiOiJBIiwib3JpZyI6eyJ0biI6IjEyMDI1NTUwMTQzIn19.c2ln";
    let text = format!(
        "f: \"Lovelace, Ada\" <sip:+12025550143@h>;tag=1
         To: \"Our desk\" <sip:+12025550100@h>
         P-Asserted-Identity: \"Ada\" <sip:+12025550143@h>, \"Anonymous\" <tel:+12025550143>
         y: {token};info=<https://c.example/c.pem>;ppt=shaken
         Contact: <sip:ada@h>
         Authorization: Digest username=\"u\"
         {secret}
         {long}
         {many}"
    );
    let kept = capture(&text);
    let of = |name: &str| kept.pairs().iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    assert_eq!(of("From").unwrap(), "\"…\" <sip:+12025550143@h>;tag=1");
    assert_eq!(of("To").unwrap(), "\"…\" <sip:+12025550100@h>");
    assert_eq!(of("P-Asserted-Identity").unwrap(), "\"…\" <sip:+12025550143@h>, \"Anonymous\" <tel:+12025550143>");
    assert_eq!(of("Identity").unwrap(), "(65 octets, attest A);info=<https://c.example/c.pem>;ppt=shaken");
    assert_eq!(of("X-Uri").unwrap(), "sip:…@h");
    assert_eq!(of("X-Long").unwrap().len(), LONGEST_VALUE_BYTES);
    assert_eq!((of("Contact"), of("Authorization")), (None, None));
    assert_eq!((kept.headers.len(), kept.left_out), (MOST_HEADERS, 26));
    assert_eq!((kept.bore_secret, kept.request_uri.expose().as_str()), (Some(true), "sip:+12025550100@198.51.100.1"));
    assert!(!format!("{kept:?}").contains("0143"));
    // What the profile as it is makes of the call.
    assert_eq!(kept.verdict, Err(Reason::BelowIssuingLevel));
}

#[test]
fn the_section_says_why_and_leaves_what_is_not_known_as_a_comment() {
    let toml = propose(&calls(NATIONAL)).toml(&policy().trunks[0]);
    let expected = "[[trunk]]
name = \"carrier\"
sources = [\"192.0.2.0/28\"]
numbers = [\"+12025550100\", \"+493012345678\"]
";
    assert!(toml.starts_with(expected), "{toml}");
    assert!(toml.contains("\n# It stood before the area code.\ntrunk_prefix = \"0\"\n"), "{toml}");
    assert!(toml.contains("\n#cli_screened = true\n"), "{toml}");
    let odd = TrunkProfile { name: "a \\ \"b\" \u{200b}".to_owned(), ..policy().trunks[0].clone() };
    assert!(propose(&[]).toml(&odd).starts_with("[[trunk]]\nname = \"a \\\\ \\\"b\\\" \u{200b}\"\n"));
    // No number of the calls stands in it.
    for digits in ["15123456789", "2025550143", "2079460123"] {
        assert!(!toml.contains(digits), "{toml}");
    }
}
