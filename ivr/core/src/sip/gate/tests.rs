use proptest::prelude::*;

use super::*;

const OPTIONS: &str = "OPTIONS sip:+12025550100@203.0.113.1 SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
    From: <sip:a@192.0.2.1>;tag=1\r\n\
    To: <sip:b@203.0.113.1>\r\n\
    Call-ID: x\r\n\
    CSeq: 1 OPTIONS\r\n";

/// What the gate makes of an OPTIONS with these lines more and this body.
fn with(more: &str, body: &str) -> Read {
    read(format!("{OPTIONS}{more}\r\n{body}").as_bytes())
}

fn request(read: Read) -> Request {
    match read {
        Read::Request(request) => *request,
        other => panic!("{other:?}"),
    }
}

fn fault(read: Read) -> Fault {
    match read {
        Read::Refused(refused) => refused.fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_body_is_as_long_as_it_says() {
    for (more, body, expected) in [
        ("", "", Some("")),
        ("", "to the end", Some("to the end")),
        ("Content-Length: 3\r\n", "abc", Some("abc")),
        ("Content-Length: 3\r\n", "abcdef", Some("abc")),
        ("l: 3\r\nContent-Length: 3\r\n", "abcdef", Some("abc")),
        ("Content-Length: 3\r\nContent-Length: 4\r\n", "abcdef", None),
        ("Content-Length: 4\r\n", "abc", None),
        ("Content-Length: -1\r\n", "abc", None),
        ("Content-Length: +3\r\n", "abc", None),
        ("Content-Length: 3 3\r\n", "abc", None),
        ("Content-Length:\r\n", "abc", None),
        ("Content-Length: 99999999999999999999\r\n", "abc", None),
    ] {
        match with(more, body) {
            Read::Request(request) => assert_eq!(Some(request.body.as_slice()), expected.map(str::as_bytes), "{more}"),
            other => assert!(expected.is_none() && fault(other) == Fault::Malformed, "{more}"),
        }
    }
}

#[test]
fn folded_lines_are_one_and_compact_names_are_long() {
    let folded = with("Subject: one\r\n two\r\n\t three\r\nk:\r\n timer\r\n", "");
    let lines = request(folded).lines;
    assert_eq!(lines.value("Subject"), Some("one two three"));
    assert_eq!(lines.value("Supported"), Some("timer"));
}

#[test]
fn octets_that_are_not_utf_8_are_read_and_given_back_as_they_came() {
    let text = OPTIONS.replace("From: <", "From: \"J\u{fc}rgen\" <");
    // As old gateways write it: one octet.
    let octets: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).chain(*b"\r\n").collect();
    let request = request(read(&octets));
    let from = request.lines.named("From").next().unwrap();
    assert_eq!(from.value, "\"J\u{fc}rgen\" <sip:a@192.0.2.1>;tag=1");
    assert_eq!(from.octets.as_deref(), Some(&b"\"J\xfcrgen\" <sip:a@192.0.2.1>;tag=1"[..]));
    assert_eq!(request.from_tag.as_deref(), Some("1"));
}

#[test]
fn every_header_that_names_a_message_is_there_once() {
    for (gone, more) in [
        ("Call-ID: x\r\n", ""),
        ("CSeq: 1 OPTIONS\r\n", ""),
        ("From: <sip:a@192.0.2.1>;tag=1\r\n", ""),
        ("To: <sip:b@203.0.113.1>\r\n", ""),
        ("", "i: y\r\n"),
        ("", "f: <sip:c@h>;tag=2\r\n"),
        ("", "Max-Forwards: 70\r\nMax-Forwards: 70\r\n"),
        ("", "Max-Forwards: 256\r\n"),
        ("", "no header\r\n"),
        ("", "bad name: x\r\n"),
        ("", "Subject: a\rb\r\n"),
    ] {
        let text = OPTIONS.replace(gone, "") + more + "\r\n";
        assert_eq!(fault(read(text.as_bytes())), Fault::Malformed, "without {gone:?}, with {more:?}");
    }
}

#[test]
fn addresses_and_numbers_are_whole() {
    for (good, bad) in [
        ("<sip:b@203.0.113.1>", "<sip:b@203.0.113.1"),
        ("<sip:b@203.0.113.1>", "\"b <sip:b@203.0.113.1>"),
        ("<sip:b@203.0.113.1>", "<sip:b@203.0.113.1>;tag="),
        ("<sip:b@203.0.113.1>", "<<sip:b@203.0.113.1>>"),
        ("1 OPTIONS", "1 INVITE"),
        ("1 OPTIONS", "1"),
        ("1 OPTIONS", "-1 OPTIONS"),
        ("1 OPTIONS", "2147483648 OPTIONS"),
        ("1 OPTIONS", "1 OPTIONS OPTIONS"),
        ("OPTIONS sip", "OPTIONS  sip"),
        ("203.0.113.1 SIP", "203.0.113.1  SIP"),
        ("branch=z9hG4bK1", "branch=z9hG4bK1;;x"),
    ] {
        let text = OPTIONS.replacen(good, bad, 1) + "\r\n";
        assert_eq!(fault(read(text.as_bytes())), Fault::Malformed, "{bad}");
    }
}

#[test]
fn too_many_headers_are_refused() {
    assert_eq!(fault(with(&"X: y\r\n".repeat(300), "")), Fault::Malformed);
    assert_eq!(fault(with(&format!("X: {}\r\n", "y".repeat(20_000)), "")), Fault::TooLarge);
}

#[test]
fn what_is_no_request_with_a_way_back_is_dropped() {
    for text in [
        "",
        "hello",
        "GET / HTTP/1.1\r\nVia: SIP/2.0/UDP h\r\n\r\n",
        "OPTIONS sip:h SIP/2.0\r\n\r\n",
        "OPTIONS sip:h SIP/2.0\r\nVia: nonsense\r\n\r\n",
        "OPTIONS\r\nVia: SIP/2.0/UDP h\r\n\r\n",
        "\u{0}\u{0}\u{0}\u{0}",
        "SIP/2.0 200 OK\r\n\r\n",
        "SIP/2.0 999 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nCSeq: 1 BYE\r\n\r\n",
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1, SIP/2.0/UDP g\r\nCSeq: 1 BYE\r\n\r\n",
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nCSeq: 1 BYE\r\n",
    ] {
        assert_eq!(read(text.as_bytes()), Read::Garbage, "{text:?}");
    }
    assert_eq!(read(b"\r\n\r\n"), Read::KeepAlive);
}

#[test]
fn a_malformed_ack_gets_no_answer() {
    let text = OPTIONS.replace("OPTIONS", "ACK").replace("Call-ID: x\r\n", "") + "\r\n";
    assert_eq!(read(text.as_bytes()), Read::Garbage);
}

#[test]
fn our_responses_are_read() {
    let text = "SIP/2.0 200 OK\r\nv: SIP/2.0/UDP 203.0.113.1:5060;branch=z9hG4bKx;rport=5060\r\nCSeq: 7 BYE\r\n\r\n";
    let Read::Response(response) = read(text.as_bytes()) else { panic!("{text}") };
    let Response { status, branch, cseq, method, lines, body } = *response;
    assert_eq!((status, branch.as_str(), cseq, method), (200, "z9hG4bKx", 7, Method::Bye));
    assert_eq!((lines.value("CSeq"), body.as_slice()), (Some("7 BYE"), &b""[..]));
}

proptest! {
    #[test]
    fn what_passes_can_be_named_and_answered(
        lines in prop::collection::vec("(Via|v|From|f|To|t|i|CSeq|l|Require)[ ]?:[ -~\u{80}-\u{ff}\t\r]{0,30}", 0..8),
        body in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut octets = format!("{OPTIONS}{}\r\n\r\n", lines.join("\r\n")).into_bytes();
        octets.extend(body);
        if let Read::Request(request) = read(&octets) {
            prop_assert!(!request.call_id.is_empty() && request.to_tag.as_deref() != Some(""));
            prop_assert!(request.lines.0.iter().all(|line| !line.value.contains(['\r', '\n'])));
        }
    }
}
