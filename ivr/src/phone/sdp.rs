//! The offer of a telephone, and what it takes from the answer (RFC 3264).

use std::net::{IpAddr, SocketAddr};

use super::g711::Law;

/// The payload type that we offer for key presses.
pub(super) const EVENTS: u8 = 101;

/// What both sides agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Agreed {
    /// Where the other side wants its audio.
    pub(super) remote: SocketAddr,
    /// The codec.
    pub(super) law: Law,
    /// The payload type of key presses (RFC 4733), if any.
    pub(super) events: Option<u8>,
}

/// `events` is the payload type of key presses, if the telephone knows them.
pub(super) fn offer(local: SocketAddr, laws: &[Law], events: Option<u8>, session: u32) -> String {
    let (ip, family) = (local.ip(), if local.is_ipv4() { "IP4" } else { "IP6" });
    let formats: Vec<String> = laws.iter().map(|law| law.payload_type()).chain(events).map(|n| n.to_string()).collect();
    let keys = events
        .map_or(String::new(), |events| format!("a=rtpmap:{events} telephone-event/8000\r\na=fmtp:{events} 0-15\r\n"));
    format!(
        "v=0\r\no=- {session} 1 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n\
         m=audio {} RTP/AVP {}\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n{keys}a=ptime:20\r\na=sendrecv\r\n",
        local.port(),
        formats.join(" ")
    )
}

/// Reads an answer; `None` if it holds no audio that we offered.
pub(super) fn agreed(answer: &str) -> Option<Agreed> {
    let mut address: Option<IpAddr> = None;
    let mut media: Option<(u16, Vec<u8>)> = None;
    let mut events = None;
    for line in answer.lines() {
        let (kind, value) = line.split_once('=')?;
        match kind {
            "c" => address = Some(value.split_whitespace().nth(2)?.parse().ok()?),
            "m" if media.is_some() => break,
            "m" => {
                let mut parts = value.split_whitespace();
                if parts.next()? != "audio" {
                    return None;
                }
                let port = parts.next()?.parse().ok().filter(|port| *port != 0)?;
                media = Some((port, parts.skip(1).filter_map(|format| format.parse().ok()).collect()));
            }
            "a" => {
                let event = value.strip_prefix("rtpmap:").and_then(|map| map.split_once(" telephone-event/8000"));
                events = event.and_then(|(format, _)| format.parse().ok()).or(events);
            }
            _ => {}
        }
    }
    let (port, formats) = media?;
    let law = [Law::Mu, Law::A].into_iter().filter_map(|law| {
        let at = formats.iter().position(|format| *format == law.payload_type())?;
        Some((at, law))
    });
    let (_, law) = law.min_by_key(|(at, _)| *at)?;
    Some(Agreed { remote: SocketAddr::new(address?, port), law, events: events.filter(|e| formats.contains(e)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read() {
        let answer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                      m=audio 4000 RTP/AVP 8 96\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:96 telephone-event/8000\r\n";
        let remote = "127.0.0.1:4000".parse().unwrap();
        assert_eq!(agreed(answer), Some(Agreed { remote, law: Law::A, events: Some(96) }));
    }

    #[test]
    fn an_answer_without_our_audio_is_none() {
        for media in ["m=audio 0 RTP/AVP 0", "m=audio 4000 RTP/AVP 9", "m=video 4000 RTP/AVP 0", "t=0 0"] {
            assert_eq!(agreed(&format!("v=0\r\nc=IN IP4 127.0.0.1\r\n{media}\r\n")), None, "{media}");
        }
    }

    #[test]
    fn our_own_offer_would_be_understood() {
        let local = "127.0.0.1:4000".parse().unwrap();
        for events in [Some(EVENTS), None] {
            let own = agreed(&offer(local, &[Law::A, Law::Mu], events, 1)).unwrap();
            assert_eq!(own, Agreed { remote: local, law: Law::A, events });
        }
    }
}
