use proptest::prelude::*;

use super::*;

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 h\r\n";

/// What is found in a body that says these lines about itself.
fn found(about: &str, body: &str) -> Result<String, Unreadable> {
    let (lines, whole) = headers(about.as_bytes());
    assert!(whole, "{about}");
    session_description(&lines, body.as_bytes()).map(|found| String::from_utf8(found.to_vec()).unwrap())
}

/// A body of these parts.
fn mixed(parts: &[&str]) -> String {
    parts.iter().map(|part| format!("--b1\r\n{part}\r\n")).collect::<String>() + "--b1--\r\n"
}

const MIXED: &str = "Content-Type: multipart/mixed;boundary=b1\r\n";

#[test]
fn a_body_on_its_own_is_a_description_or_says_that_it_does_not_matter() {
    let sdp = Ok(SDP.to_owned());
    let none = Ok(String::new());
    let foreign = Err(Unreadable::MediaType);
    for (about, expected) in [
        ("Content-Type: application/sdp\r\n", &sdp),
        ("Content-Type: Application/SDP;charset=utf-8\r\n", &sdp),
        ("Content-Type: application/sdp\r\nContent-Disposition: session;handling=required\r\n", &sdp),
        ("Content-Type: application/sdp\r\nContent-Encoding: identity\r\n", &sdp),
        ("Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n", &foreign),
        ("Content-Type: application/isup\r\n", &foreign),
        ("Content-Type: application/isup\r\nContent-Disposition: signal;handling=required\r\n", &foreign),
        ("Content-Type: application/isup\r\nContent-Disposition: signal ; Handling = Optional\r\n", &none),
        ("Content-Type: multipart/alternative;boundary=b1\r\n", &foreign),
        ("", &foreign),
    ] {
        assert_eq!(&found(about, SDP), expected, "{about}");
    }
}

#[test]
fn of_several_parts_the_description_is_taken() {
    let sdp = &format!("Content-Type: application/sdp\r\n\r\n{SDP}");
    let isup =
        "Content-Type: application/isup;version=itu-t92+\r\nContent-Disposition: signal;handling=optional\r\n\r\nx";
    let needed = "Content-Type: application/isup\r\nContent-Disposition: signal;\r\n handling=required\r\n\r\nx";
    let location = "Content-Type: application/pidf+xml\r\nContent-ID: <a@h>\r\n\r\n<presence/>";
    let early = &format!("Content-Type: application/sdp\r\nContent-Disposition: early-session\r\n\r\n{SDP}");
    let encoded = &format!("Content-Type: application/sdp\r\nContent-Transfer-Encoding: base64\r\n\r\n{SDP}");
    let text = "\r\nno headers";
    let many = vec![text; 17];
    let taken = Ok(SDP.to_owned());
    for (name, parts, expected) in [
        ("alone", [sdp.as_str()].as_slice(), taken.clone()),
        ("with ISUP", &[sdp, isup], taken.clone()),
        ("after a location and text", &[location, text, sdp], taken.clone()),
        ("beside an early one", &[early, sdp], taken),
        ("without one", &[isup], Ok(String::new())),
        ("one that is encoded", &[encoded], Ok(String::new())),
        ("ISUP must be understood", &[sdp, needed], Err(Unreadable::MediaType)),
        ("two of them", &[sdp, sdp], Err(Unreadable::Malformed)),
        ("too many", &many, Err(Unreadable::Malformed)),
        ("none", &[], Err(Unreadable::Malformed)),
        ("a part that is cut off", &["Content-Type: application/sdp"], Err(Unreadable::Malformed)),
        ("a header that is none", &["nonsense\r\n\r\nx"], Err(Unreadable::Malformed)),
        ("no content", &["Content-Type: application/isup\r\n"], Ok(String::new())),
    ] {
        assert_eq!(found(MIXED, &mixed(parts)), expected, "{name}");
    }
}

#[test]
fn delimiters_stand_on_lines_of_their_own() {
    let part = format!("Content-Type: application/sdp\r\n\r\n{SDP}");
    let bare = part.replace("\r\n", "\n");
    for (about, body, expected) in [
        (MIXED, format!("a preamble\r\n--b1  \r\n{part}\r\n--b1-- \r\nand an epilogue\r\n--b1\r\n"), Ok(SDP)),
        (MIXED, format!("--b1\r\n{part}\r\n--b1--"), Ok(SDP)),
        (MIXED, format!("--b1\n{bare}\n--b1--\n"), Ok("v=0\no=- 1 1 IN IP4 h\n")),
        (MIXED, format!("--b1\r\n{part}\r\n--b1x\r\n--b1--"), Ok("v=0\r\no=- 1 1 IN IP4 h\r\n\r\n--b1x")),
        (MIXED, format!("--b1\r\n{part}\r\n--b1\r\n"), Err(Unreadable::Malformed)),
        (MIXED, format!("--b1\r\n{part}"), Err(Unreadable::Malformed)),
        (MIXED, String::from("--b1--\r\n"), Err(Unreadable::Malformed)),
        (MIXED, String::new(), Err(Unreadable::Malformed)),
        ("Content-Type: multipart/mixed; boundary=\"b 1\"\r\n", format!("--b 1\r\n{part}\r\n--b 1--"), Ok(SDP)),
        ("Content-Type: Multipart/Mixed;Boundary=b1\r\n", format!("--b1\r\n{part}\r\n--b1--"), Ok(SDP)),
        ("Content-Type: multipart/mixed\r\n", format!("--\r\n{part}\r\n----"), Err(Unreadable::Malformed)),
        ("Content-Type: multipart/mixed;boundary=\r\n", format!("--\r\n{part}\r\n----"), Err(Unreadable::Malformed)),
    ] {
        assert_eq!(found(about, &body), expected.map(str::to_owned), "{about}{body}");
    }
    let long = "b".repeat(71);
    let about = format!("Content-Type: multipart/mixed;boundary={long}\r\n");
    assert_eq!(found(&about, &format!("--{long}\r\n{part}\r\n--{long}--")), Err(Unreadable::Malformed));
}

proptest! {
    #[test]
    fn whatever_is_found_stands_in_the_body(
        boundary in "[a-z]{0,2}",
        lines in prop::collection::vec(
            prop_oneof![
                Just(String::new()),
                "--[a-z]{0,2}(--)?",
                "(Content-Type: (application/sdp|text/plain)|Content-Disposition: [a-z]{0,3};handling=(required|optional))",
                "[ -~]{0,8}",
            ],
            0..20,
        ),
        octets in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let about = format!("Content-Type: multipart/mixed;boundary={boundary}\r\n");
        let mut body = lines.join("\r\n").into_bytes();
        body.extend(octets);
        let (about, _) = headers(about.as_bytes());
        if let Ok(found) = session_description(&about, &body) {
            prop_assert!(found.is_empty() || body.windows(found.len()).any(|window| window == found));
        }
    }
}
