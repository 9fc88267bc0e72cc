use super::*;
use crate::sip::gate::{self, Read};

/// An INVITE with these lines more.
fn invite(more: &str) -> Request {
    let text = format!(
        "INVITE sip:b@203.0.113.1 SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nf: <sip:a@h>;tag=1\r\nt: <sip:b@h>\r\n\
         i: x\r\nCSeq: 1 INVITE\r\n{more}\r\n"
    );
    match gate::read(text.as_bytes()) {
        Read::Request(request) => *request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_2xx_agrees_to_what_rfc_4028_lets_it() {
    let timer = |seconds, refresher| Ok(Some(Agreement { seconds, refresher }));
    let short = Err(Unagreeable::TooShort);
    let unreadable = Err(Unagreeable::Unreadable);
    for (lines, expected) in [
        ("", Ok(None)),
        ("k: timer\r\n", Ok(None)),
        // Section 9, table 2.
        ("x: 1800\r\n", timer(1800, Refresher::Us)),
        ("x: 1800;refresher=uac\r\n", timer(1800, Refresher::Us)),
        ("k: timer\r\nx: 1800\r\n", timer(1800, Refresher::Peer)),
        ("k: 100rel, Timer\r\nx: 1800;refresher=uac\r\n", timer(1800, Refresher::Peer)),
        ("k: timer\r\nx: 1800;refresher=UAS\r\n", timer(1800, Refresher::Us)),
        ("Require: timer\r\nx: 1800\r\n", timer(1800, Refresher::Peer)),
        // The least, and less.
        ("k: timer\r\nx: 90\r\n", timer(90, Refresher::Peer)),
        ("k: timer\r\nx: 89\r\n", short),
        ("x: 89\r\n", Ok(None)),
        // As it may be written.
        ("k: timer\r\nSession-Expires:  1800 ; a=b ; refresher = uas\r\n", timer(1800, Refresher::Us)),
        ("k: timer\r\nx: 99999999999\r\n", timer(u32::MAX, Refresher::Peer)),
        ("k: timer\r\nx: 1800\r\nMin-SE: 120;x=y\r\n", timer(1800, Refresher::Peer)),
        // And as it may not.
        ("k: timer\r\nx: soon\r\n", unreadable),
        ("k: timer\r\nx: -90\r\n", unreadable),
        ("k: timer\r\nx:\r\n", unreadable),
        ("k: timer\r\nx: 1800;refresher=proxy\r\n", unreadable),
        ("k: timer\r\nx: 1800\r\nMin-SE: x\r\n", unreadable),
    ] {
        assert_eq!(Agreement::of(&invite(lines)), expected, "{lines}");
    }
}

#[test]
fn the_2xx_to_our_refresh_says_who_goes_on() {
    for (lines, expected) in [
        ("", None),
        ("x: 90;refresher=uac\r\n", Some((90, Refresher::Us))),
        ("x: 1800;refresher=uas\r\n", Some((1800, Refresher::Peer))),
        ("x: 1800\r\n", Some((1800, Refresher::Us))),
        ("x: 1\r\n", Some((90, Refresher::Us))),
        ("x: nonsense\r\n", None),
    ] {
        let agreed = Agreement::of_response(&invite(lines).lines);
        assert_eq!(agreed.map(|agreed| (agreed.seconds, agreed.refresher)), expected, "{lines}");
    }
}

#[test]
fn a_call_ends_a_third_or_32_s_before_its_interval() {
    for (seconds, patience) in [(90, 60), (96, 64), (120, 88), (1800, 1768)] {
        let agreement = Agreement { seconds, refresher: Refresher::Peer };
        assert_eq!(agreement.patience(), Duration::from_secs(patience));
    }
}

#[test]
fn a_refresh_bears_the_greatest_min_se_and_no_shorter_interval() {
    let agreement = Agreement { seconds: 120, refresher: Refresher::Us };
    for (line, expected) in [
        ("", "timer, 120;refresher=uac"),
        ("Min-SE: 90\r\n", "timer, 120;refresher=uac"),
        ("Min-SE: 100\r\n", "timer, 120;refresher=uac, 100"),
        ("Min-SE: 1800;x=y\r\n", "timer, 1800;refresher=uac, 1800"),
        ("Min-SE: nonsense\r\n", "timer, 120;refresher=uac"),
    ] {
        let headers = agreement.refresh(least(&invite(line).lines));
        let values: Vec<&str> = headers.iter().map(|header| header.value.as_str()).collect();
        assert_eq!(values.join(", "), expected, "{line}");
    }
}
