use super::*;

fn addresses() -> Addresses {
    Addresses::only("203.0.113.1:5060".parse().unwrap())
}

fn read(lines: &str) -> Result<Proposal, Unacceptable> {
    let head = "v=0\r\no=- 1 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n";
    let body: String = lines.lines().map(|line| format!("{}\r\n", line.trim())).collect();
    Proposal::read(format!("{head}{body}").as_bytes(), &addresses())
}

/// Codec, keys, packet time and whether it is held; or why not.
fn told(lines: &str) -> String {
    match read(lines) {
        Err(cause) => format!("{cause:?}"),
        Ok(proposal) => {
            let keys = proposal.event_payload_type.map_or("-".to_owned(), |payload| payload.to_string());
            let held = if proposal.is_held() { " held" } else { "" };
            format!("{:?} {keys} {}{held}", proposal.codec, proposal.packet_time.as_millis())
        }
    }
}

#[test]
fn the_first_stream_that_we_can_take_up_is_chosen() {
    for (name, lines, expected) in [
        ("static types", "m=audio 30000 RTP/AVP 0 8", "Pcmu - 20"),
        ("the caller's order counts", "m=audio 30000 RTP/AVP 8 0", "Pcma - 20"),
        ("others are skipped", "m=audio 30000 RTP/AVP 4 18 8", "Pcma - 20"),
        ("wideband first", "m=audio 30000 RTP/AVP 9 0 8", "G722 - 20"),
        ("wideband alone", "m=audio 30000 RTP/AVP 9\na=rtpmap:9 G722/8000", "G722 - 20"),
        ("wideband last", "m=audio 30000 RTP/AVP 8 0 9", "Pcma - 20"),
        ("wideband by another clock", "m=audio 30000 RTP/AVP 9 0\na=rtpmap:9 G722/16000", "Pcmu - 20"),
        ("mapped", "m=audio 30000 RTP/AVP 0\na=rtpmap:0 pcmu/8000/1", "Pcmu - 20"),
        ("mapped to something else", "m=audio 30000 RTP/AVP 0\na=rtpmap:0 G729/8000", "NoCommonCodec"),
        ("keys", "m=audio 30000 RTP/AVP 0 96\na=rtpmap:96 telephone-event/8000", "Pcmu 96 20"),
        ("keys of another clock", "m=audio 30000 RTP/AVP 0 96\na=rtpmap:96 telephone-event/16000", "Pcmu - 20"),
        (
            "keys of both clocks",
            "m=audio 30000 RTP/AVP 0 96 97\na=rtpmap:96 telephone-event/48000\na=rtpmap:97 telephone-event/8000",
            "Pcmu 97 20",
        ),
        ("keys that are not offered", "m=audio 30000 RTP/AVP 0\na=rtpmap:96 telephone-event/8000", "Pcmu - 20"),
        ("10 ms", "m=audio 30000 RTP/AVP 0\na=ptime:10", "Pcmu - 10"),
        ("30 ms", "m=audio 30000 RTP/AVP 0\na=ptime:30", "Pcmu - 30"),
        ("60 ms", "m=audio 30000 RTP/AVP 0\na=ptime:60", "Pcmu - 20"),
        ("never longer than", "m=audio 30000 RTP/AVP 0\na=ptime:30\na=maxptime:20", "Pcmu - 20"),
        ("much shorter", "m=audio 30000 RTP/AVP 0\na=maxptime:10", "Pcmu - 10"),
        ("video first", "m=video 30002 RTP/AVP 31\nm=audio 30000 RTP/AVP 0", "Pcmu - 20"),
        ("a refused stream first", "m=audio 0 RTP/AVP 0\nm=audio 30000 RTP/AVP 8", "Pcma - 20"),
        ("secure", "m=audio 30000 RTP/SAVP 0", "NoCommonCodec"),
        ("secure first", "m=audio 30000 RTP/SAVP 0\nm=audio 30000 RTP/AVP 0", "Pcmu - 20"),
        ("no audio", "m=video 30002 RTP/AVP 31", "NoCommonCodec"),
        ("no stream", "", "NoCommonCodec"),
        ("a name", "m=audio 30000 RTP/AVP 0\nc=IN IP4 gw.example.org", "NoCommonCodec"),
        ("IPv6 to us who have none", "m=audio 30000 RTP/AVP 0\nc=IN IP6 2001:db8::9", "NoCommonCodec"),
        ("a group", "m=audio 30000 RTP/AVP 0\nc=IN IP4 224.0.0.1/127", "NoCommonCodec"),
        ("held", "m=audio 30000 RTP/AVP 0\na=sendonly", "Pcmu - 20 held"),
        ("held, both ways", "m=audio 30000 RTP/AVP 0\na=inactive", "Pcmu - 20 held"),
        ("held, the old way", "m=audio 30000 RTP/AVP 0\nc=IN IP4 0.0.0.0", "Pcmu - 20 held"),
        ("listening only", "m=audio 30000 RTP/AVP 0\na=recvonly", "Pcmu - 20"),
        (
            "a browser's noise",
            "a=group:BUNDLE 0\na=ice-lite\nm=audio 30000 RTP/AVP 0 101\na=mid:0\na=ice-ufrag:abcd\na=ice-pwd:x\n\
             a=candidate:1 1 UDP 2130706431 10.0.0.1 5000 typ host\na=rtcp-mux\na=rtcp:30001\na=ssrc:1 cname:x\n\
             a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-16\na=extmap:1 urn:x",
            "Pcmu 101 20",
        ),
    ] {
        assert_eq!(told(lines), expected, "{name}");
    }
}

#[test]
fn directions_of_the_session_hold_for_its_streams() {
    let body = "v=0\r\no=- 1 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\na=sendonly\r\n\
                m=audio 30000 RTP/AVP 0\r\n";
    assert!(Proposal::read(body.as_bytes(), &addresses()).unwrap().is_held());
}

#[test]
fn the_answer_repeats_every_stream_and_refuses_all_but_one() {
    let offer = "m=video 30002 RTP/AVP 31 34\na=rtpmap:34 H263/90000\nm=audio 30000 RTP/AVP 18 8 0 101\n\
                 a=rtpmap:101 telephone-event/8000\na=ptime:30\na=sendonly\nm=audio 30004 RTP/AVP 0";
    let ours = Ours { media: "203.0.113.1:20000".parse().unwrap(), session_id: 7, version: 1 };
    let answer = String::from_utf8(read(offer).unwrap().answer(ours)).unwrap();
    let expected = "v=0|o=- 7 1 IN IP4 203.0.113.1|s=-|c=IN IP4 203.0.113.1|t=0 0|m=video 0 RTP/AVP 31 34|\
                    m=audio 20000 RTP/AVP 8 101|a=rtpmap:8 PCMA/8000|a=rtpmap:101 telephone-event/8000|a=fmtp:101 0-15|\
                    a=ptime:30|a=recvonly|m=audio 0 RTP/AVP 0|";
    assert_eq!(answer.replace("\r\n", "|"), expected);
}

#[test]
fn ipv6_is_answered_in_ipv6() {
    let body =
        "v=0\r\no=- 1 1 IN IP6 2001:db8::9\r\ns=-\r\nc=IN IP6 2001:db8::9\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0\r\n";
    let media: SocketAddr = "[2001:db8::1]:20000".parse().unwrap();
    let proposal = Proposal::read(body.as_bytes(), &Addresses::only(media)).unwrap();
    assert_eq!(proposal.remote, "[2001:db8::9]:30000".parse().unwrap());
    let answer = String::from_utf8(proposal.answer(Ours { media, session_id: 7, version: 1 })).unwrap();
    assert!(answer.contains("\r\nc=IN IP6 2001:db8::1\r\n"), "{answer}");
}

#[test]
fn our_offer_can_be_answered_by_ourselves() {
    let ours = Ours { media: "203.0.113.1:20000".parse().unwrap(), session_id: 7, version: 1 };
    let proposal = Proposal::read(&ours.offer(), &addresses()).unwrap();
    assert_eq!((proposal.codec, proposal.event_payload_type), (Codec::Pcmu, Some(101)));
    assert_eq!(proposal.remote, ours.media);
}

#[test]
fn reports_go_to_the_next_port_unless_the_offer_says_otherwise() {
    let at = |address: &str| Control::At(address.parse().unwrap());
    for (name, lines, expected) in [
        ("nothing said", "", at("198.51.100.9:30001")),
        ("another port", "a=rtcp:40001", at("198.51.100.9:40001")),
        ("another address", "a=rtcp:40001 IN IP4 198.51.100.10", at("198.51.100.10:40001")),
        ("of the other family", "a=rtcp:40001 IN IP6 2001:db8::9", at("198.51.100.9:30001")),
        ("a name", "a=rtcp:40001 IN IP4 gw.example.org", at("198.51.100.9:30001")),
        ("no port", "a=rtcp:x", at("198.51.100.9:30001")),
        ("with RTP", "a=rtcp-mux\na=rtcp:40001", Control::Muxed),
        ("none wanted", "b=RS:0\nb=RR:0", Control::Off),
        ("of senders only", "b=RS:600\nb=RR:0", at("198.51.100.9:30001")),
    ] {
        let proposal = read(&format!("m=audio 30000 RTP/AVP 0\n{lines}")).unwrap();
        assert_eq!(proposal.control, expected, "{name}");
        let ours = Ours { media: "203.0.113.1:20000".parse().unwrap(), session_id: 7, version: 1 };
        let answer = String::from_utf8(proposal.answer(ours)).unwrap();
        let offer = String::from_utf8(proposal.offer_again(ours)).unwrap();
        for ours in [answer, offer] {
            assert_eq!(ours.contains("a=rtcp-mux\r\n"), expected == Control::Muxed, "{name}");
        }
    }
    assert_eq!(read("m=audio 65535 RTP/AVP 0").unwrap().control, Control::Off);
}

proptest::proptest! {
    #[test]
    fn no_description_does_harm(lines in "([vosctma]=[ -~]{0,30}\r?\n){0,12}") {
        let body = format!("v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\n{lines}");
        let _ = Proposal::read(body.as_bytes(), &addresses());
    }
}

#[test]
fn a_later_offer_keeps_every_stream_and_what_a_payload_type_means() {
    let ours = Ours { media: "203.0.113.1:20000".parse().unwrap(), session_id: 1, version: 2 };
    for (name, lines, expected) in [
        ("one", "m=audio 30000 RTP/AVP 0", &["m=audio 20000 RTP/AVP 0 8 9 101"][..]),
        (
            "its keys keep their type",
            "m=audio 30000 RTP/AVP 0 96\na=rtpmap:96 telephone-event/8000",
            &["m=audio 20000 RTP/AVP 0 8 9 96"],
        ),
        (
            "ours take no type that means something else",
            "m=audio 30000 RTP/AVP 0 101 96\na=rtpmap:101 opus/48000/2\na=rtpmap:96 speex/8000",
            &["m=audio 20000 RTP/AVP 0 8 9 97"],
        ),
        (
            "others",
            "m=video 40000 RTP/AVP 99\nm=audio 30000 RTP/AVP 8\nm=application 50000 UDP/BFCP *",
            &["m=video 0 RTP/AVP 99", "m=audio 20000 RTP/AVP 0 8 9 101", "m=application 0 UDP/BFCP *"],
        ),
    ] {
        let offer = String::from_utf8(read(lines).unwrap().offer_again(ours)).unwrap();
        let streams: Vec<&str> = offer.lines().filter(|line| line.starts_with("m=")).collect();
        assert_eq!(streams, expected, "{name}");
    }
}
