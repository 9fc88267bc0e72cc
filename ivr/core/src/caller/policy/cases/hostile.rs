//! Requests made to stumble over.

use proptest::prelude::*;

use super::*;

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
