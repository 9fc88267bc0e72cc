//! The torture tests of RFC 4475: its messages, byte for byte as in its appendix, and what each of them gets from us.

use super::testing::{PEER, config};
use super::*;
use crate::sip::peer::{Flow, Transport};
use crate::sip::stream::{Framed, Framer};

/// Clause of RFC 4475, message, our answer, and why where the RFC leaves a choice. 404 says that an INVITE passed every check on its form:
/// none of them is for a number of ours. `None`: nothing is sent.
const TABLE: [(&str, &str, Option<u16>, &str); 49] = [
    ("3.1.1.1", "wsinv", Some(481), "well-formed, but its To tag is of no dialog of ours"),
    ("3.1.1.2", "intmeth", Some(501), ""),
    ("3.1.1.3", "esc01", Some(404), ""),
    ("3.1.1.4", "escnull", Some(405), "REGISTER is not served"),
    ("3.1.1.5", "esc02", Some(501), "its method is RE%47IST%45R"),
    ("3.1.1.6", "lwsdisp", Some(200), ""),
    ("3.1.1.7", "longreq", Some(404), ""),
    ("3.1.1.8", "dblreq", Some(405), "REGISTER is not served; what follows it is dropped"),
    ("3.1.1.9", "semiuri", Some(200), ""),
    ("3.1.1.10", "transports", Some(200), ""),
    ("3.1.1.11", "mpart01", Some(405), "MESSAGE is not served"),
    ("3.1.1.12", "unreason", None, "a response"),
    ("3.1.1.13", "noreason", None, "a response"),
    ("3.1.2.1", "badinv01", Some(400), ""),
    ("3.1.2.2", "clerr", Some(400), ""),
    ("3.1.2.3", "ncl", Some(400), ""),
    ("3.1.2.4", "scalar02", Some(400), "its CSeq is too large; a method that is not served may be malformed, too"),
    ("3.1.2.5", "scalarlg", None, "a response"),
    ("3.1.2.6", "quotbal", Some(400), ""),
    ("3.1.2.7", "ltgtruri", Some(400), ""),
    ("3.1.2.8", "lwsruri", Some(400), ""),
    ("3.1.2.9", "lwsstart", Some(400), ""),
    ("3.1.2.10", "trws", Some(400), ""),
    ("3.1.2.11", "escruri", Some(404), "headers in the Request-URI are not read"),
    ("3.1.2.12", "baddate", Some(404), "Date is not read"),
    ("3.1.2.13", "regbadct", Some(405), "REGISTER is not served; its Contact is not read"),
    ("3.1.2.14", "badaspec", Some(200), "spaces inside <> harm nobody"),
    ("3.1.2.15", "baddn", Some(400), "the empty line after its headers is missing"),
    ("3.1.2.16", "badvers", Some(505), ""),
    ("3.1.2.17", "mismatch01", Some(400), ""),
    ("3.1.2.18", "mismatch02", Some(501), "the method is judged before CSeq"),
    ("3.1.2.19", "bigcode", None, "a response"),
    ("3.2.1", "badbranch", Some(200), "a bare cookie names no transaction: matched as RFC 2543 did"),
    ("3.3.1", "insuf", Some(400), ""),
    ("3.3.2", "unkscm", Some(416), ""),
    ("3.3.3", "novelsc", Some(416), ""),
    ("3.3.4", "unksm2", Some(405), "REGISTER is not served"),
    ("3.3.5", "bext01", Some(420), ""),
    ("3.3.6", "invut", Some(415), ""),
    ("3.3.7", "regaut01", Some(405), "REGISTER is not served"),
    ("3.3.8", "multi01", Some(400), ""),
    ("3.3.9", "mcl01", Some(400), ""),
    ("3.3.10", "bcast", None, "a response that we did not ask for"),
    ("3.3.11", "zeromf", Some(200), "we are where it was going"),
    ("3.3.12", "cparam01", Some(405), "REGISTER is not served"),
    ("3.3.13", "cparam02", Some(405), "REGISTER is not served"),
    ("3.3.14", "regescrt", Some(405), "REGISTER is not served"),
    ("3.3.15", "sdp01", Some(404), "what the caller would accept is not asked before who it is"),
    ("3.4.1", "inv2543", Some(404), ""),
];

/// Those that end a connection, because they do not say where they end or end too late, and what they get before that.
const ENDS_A_CONNECTION: [(&str, &[u16]); 6] = [
    // Both requests are answered; what follows them is none.
    ("dblreq", &[405, 404]),
    // The rest of the message is waited for in vain.
    ("clerr", &[]),
    ("ncl", &[400]),
    ("baddn", &[]),
    ("mcl01", &[400]),
    // RFC 2543 had no need of a Content-Length.
    ("inv2543", &[400]),
];

/// What the endpoint answers to these inputs, and whether it closes the connection.
#[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing; only differences count")]
fn answered(inputs: Vec<Input<'_>>) -> (Vec<u16>, bool) {
    let (mut endpoint, mut out) = (Endpoint::new(config(), [7; 32]), Outbox::new());
    for input in inputs {
        endpoint.handle(input, Instant::now(), &mut out);
    }
    assert_eq!(endpoint.live_calls(), 0);
    let status = |bytes: &[u8]| std::str::from_utf8(bytes.get(8..11)?).ok()?.parse().ok();
    let sent = out.iter().filter_map(|output| match output {
        Output::Message { bytes, .. } | Output::Farewell { bytes, .. } => status(bytes),
        _ => None,
    });
    (sent.collect(), out.iter().any(|output| matches!(output, Output::Farewell { .. })))
}

fn message(name: &str) -> Vec<u8> {
    std::fs::read(format!("{FOLDER}/{name}.dat")).unwrap()
}

#[test]
fn every_torture_test_gets_its_answer() {
    let mut wrong = Vec::new();
    for (clause, name, expected, _) in TABLE {
        let (sent, _) =
            answered(vec![Input::Message { from: Peer::udp(PEER.parse().unwrap()), bytes: &message(name) }]);
        if sent != expected.into_iter().collect::<Vec<_>>() {
            wrong.push(format!("{clause} {name}: {sent:?} instead of {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(std::fs::read_dir(FOLDER).unwrap().count(), TABLE.len());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing; only differences count")]
fn over_a_connection_it_gets_the_same_or_the_connection_ends() {
    let from = Peer { transport: Transport::Tcp, flow: Some(Flow(1)), ..Peer::udp(PEER.parse().unwrap()) };
    let mut ending = Vec::new();
    for (clause, name, expected, _) in TABLE {
        let (mut framer, now) = (Framer::default(), Instant::now());
        framer.push(&message(name), now);
        let framed: Vec<Framed> = std::iter::from_fn(|| framer.next(now)).collect();
        let inputs = framed.iter().filter_map(|framed| match framed {
            Framed::Message(bytes) => Some(Input::Message { from, bytes }),
            Framed::Broken(bytes) => Some(Input::Broken { from, bytes }),
            Framed::Ping => None,
        });
        let (sent, closes) = answered(inputs.collect());
        if closes || framer.deadline().is_some() {
            ending.push((name, sent));
        } else {
            assert_eq!(sent, expected.into_iter().collect::<Vec<u16>>(), "{clause} {name}");
        }
    }
    assert_eq!(ending, ENDS_A_CONNECTION.map(|(name, sent)| (name, sent.to_vec())));
}

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/rfc4475");
