//! The torture tests of RFC 4475: its messages, byte for byte as in its appendix, and what each of them gets from us.

use super::testing::{PEER, config};
use super::*;

/// Message, our answer, and why where the RFC leaves a choice. 404 says that an INVITE passed every check on its form:
/// none of them is for a number of ours. `None`: nothing is sent.
const TABLE: [(&str, Option<u16>, &str); 49] = [
    ("badaspec", Some(200), "spaces inside <> harm nobody"),
    ("badbranch", Some(200), "a bare cookie names no transaction: matched as RFC 2543 did"),
    ("baddate", Some(404), "Date is not read"),
    ("baddn", Some(400), "the empty line after its headers is missing"),
    ("badinv01", Some(400), ""),
    ("badvers", Some(505), ""),
    ("bcast", None, "a response that we did not ask for"),
    ("bext01", Some(420), ""),
    ("bigcode", None, "a response"),
    ("clerr", Some(400), ""),
    ("cparam01", Some(405), "REGISTER is not served"),
    ("cparam02", Some(405), "REGISTER is not served"),
    ("dblreq", Some(405), "REGISTER is not served; what follows it is dropped"),
    ("esc01", Some(404), ""),
    ("esc02", Some(501), "its method is RE%47IST%45R"),
    ("escnull", Some(405), "REGISTER is not served"),
    ("escruri", Some(404), "headers in the Request-URI are not read"),
    ("insuf", Some(400), ""),
    ("intmeth", Some(501), ""),
    ("inv2543", Some(404), ""),
    ("invut", Some(415), ""),
    ("longreq", Some(404), ""),
    ("ltgtruri", Some(400), ""),
    ("lwsdisp", Some(200), ""),
    ("lwsruri", Some(400), ""),
    ("lwsstart", Some(400), ""),
    ("mcl01", Some(400), ""),
    ("mismatch01", Some(400), ""),
    ("mismatch02", Some(501), "the method is judged before CSeq"),
    ("mpart01", Some(405), "MESSAGE is not served"),
    ("multi01", Some(400), ""),
    ("ncl", Some(400), ""),
    ("noreason", None, "a response"),
    ("novelsc", Some(416), ""),
    ("quotbal", Some(400), ""),
    ("regaut01", Some(405), "REGISTER is not served"),
    ("regbadct", Some(405), "REGISTER is not served; its Contact is not read"),
    ("regescrt", Some(405), "REGISTER is not served"),
    ("scalar02", Some(400), "its CSeq is too large; a method that is not served may be malformed, too"),
    ("scalarlg", None, "a response"),
    ("sdp01", Some(404), "what the caller would accept is not asked before who it is"),
    ("semiuri", Some(200), ""),
    ("transports", Some(200), ""),
    ("trws", Some(400), ""),
    ("unkscm", Some(416), ""),
    ("unksm2", Some(405), "REGISTER is not served"),
    ("unreason", None, "a response"),
    ("wsinv", Some(481), "well-formed, but its To tag is of no dialog of ours"),
    ("zeromf", Some(200), "we are where it was going"),
];

#[test]
#[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing; only differences count")]
fn every_torture_test_gets_its_answer() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/rfc4475");
    let mut wrong = Vec::new();
    for (name, expected, _) in TABLE {
        let bytes = std::fs::read(format!("{folder}/{name}.dat")).unwrap();
        let (mut endpoint, mut out) = (Endpoint::new(config(), [7; 32]), Outbox::new());
        let input = Input::Message { from: Peer::udp(PEER.parse().unwrap()), bytes: &bytes };
        endpoint.handle(input, Instant::now(), &mut out);
        let sent: Vec<u16> = out
            .iter()
            .filter_map(|output| match output {
                Output::Message { bytes, .. } => std::str::from_utf8(&bytes[8..11]).unwrap().parse().ok(),
                _ => None,
            })
            .collect();
        if sent != expected.into_iter().collect::<Vec<_>>() || endpoint.live_calls() > 0 {
            wrong.push(format!("{name}: {sent:?} instead of {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), TABLE.len());
}
