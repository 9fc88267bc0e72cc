//! Offer and answer (RFC 3264): which codec, where to, how long a packet.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use sdp_types::{Attribute, Connection, Media, Origin, Session};

use crate::endpoint::Addresses;
use crate::media::{Codec, Control};

mod control;

/// What the other side proposes, as far as we can take it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proposal {
    /// Where it wants its audio.
    pub(crate) remote: SocketAddr,
    /// Where it wants reports.
    pub(crate) control: Control,
    /// Of those that it knows and we speak, the one it likes most.
    pub(crate) codec: Codec,
    /// Its payload type of telephone-event (RFC 4733).
    pub(crate) event_payload_type: Option<u8>,
    /// Length of our packets.
    pub(crate) packet_time: Duration,
    /// Which ways audio flows, as it sees them.
    pub(crate) direction: Direction,
    /// Its m= lines: protocol and formats of each, to be refused in an answer, and which of them is ours.
    lines: Vec<Media>,
    chosen: usize,
}

/// Which ways audio flows, as the one who writes it sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Both.
    SendReceive,
    /// The writer sends only: the call is on hold.
    SendOnly,
    /// The writer receives only.
    ReceiveOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    fn of(media: &Media, session: &Session) -> Self {
        let given = |attributes: &[Attribute]| attributes.iter().find_map(|a| Self::from_name(&a.attribute));
        given(&media.attributes).or_else(|| given(&session.attributes)).unwrap_or(Self::SendReceive)
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::SendReceive, Self::SendOnly, Self::ReceiveOnly, Self::Inactive].into_iter().find(|d| d.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::SendReceive => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::ReceiveOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// RFC 3264 6.1: the same, seen from the other side.
    fn turned(self) -> Self {
        match self {
            Self::SendOnly => Self::ReceiveOnly,
            Self::ReceiveOnly => Self::SendOnly,
            both_or_none => both_or_none,
        }
    }
}

/// Why a session description cannot be taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unacceptable {
    /// Not a session description.
    #[error("the body is no session description")]
    Unreadable,
    /// No audio over plain RTP to an address that we can reach with a codec that we speak.
    #[error("no audio stream over RTP/AVP with PCMU, PCMA or G722")]
    NoCommonCodec,
}

impl Unacceptable {
    /// The status of a refusal for this.
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::Unreadable => 400,
            Self::NoCommonCodec => 488,
        }
    }
}

impl Proposal {
    /// Reads an offer, or the answer to ours. `ours` must have an address of the same family.
    pub(crate) fn read(body: &[u8], ours: &Addresses) -> Result<Self, Unacceptable> {
        let session = Session::parse(body).map_err(|_| Unacceptable::Unreadable)?;
        if session.medias.len() > MOST_STREAMS {
            return Err(Unacceptable::Unreadable);
        }
        let mut found =
            session.medias.iter().enumerate().filter_map(|(i, media)| Some((i, stream(media, &session, ours)?)));
        let (chosen, stream) = found.next().ok_or(Unacceptable::NoCommonCodec)?;
        Ok(Self {
            remote: stream.remote,
            control: stream.control,
            codec: stream.codec,
            event_payload_type: stream.event_payload_type,
            packet_time: stream.packet_time,
            direction: stream.direction,
            chosen,
            lines: session.medias.clone(),
        })
    }

    /// Is the other side's ear shut? Then we send nothing.
    pub(crate) fn is_held(&self) -> bool {
        matches!(self.direction, Direction::SendOnly | Direction::Inactive) || self.remote.ip().is_unspecified()
    }

    /// Our answer: one codec and its keys; every other stream is refused by port 0 (RFC 3264 6).
    pub(crate) fn answer(&self, ours: Ours) -> Vec<u8> {
        self.around(ours.audio(&[self.codec], self.event_payload_type, self.packet_time, self.direction.turned()), ours)
    }

    /// Our offer later in the session: what the first would be, and no stream fewer than before (RFC 3264 8).
    pub(crate) fn offer_again(&self, ours: Ours) -> Vec<u8> {
        // RFC 3264 8.3.2: a payload type means one thing as long as the session lasts.
        let taken: Vec<&str> = self.lines[self.chosen].fmt.split_ascii_whitespace().collect();
        let is_free = |payload: &u8| !taken.contains(&payload.to_string().as_str());
        let event = self.event_payload_type.or_else(|| [OFFERED_EVENT].into_iter().chain(96..128).find(is_free));
        self.around(ours.offered_audio(event), ours)
    }

    /// A description with this as the stream that we take up, and every other refused.
    fn around(&self, mut audio: Media, ours: Ours) -> Vec<u8> {
        control::write(self.control, &mut audio);
        let mut session = ours.session();
        for (i, line) in self.lines.iter().enumerate() {
            if i == self.chosen {
                session.medias.push(audio.clone());
                continue;
            }
            let mut refused = line.clone();
            refused.port = 0;
            (refused.num_ports, refused.key, refused.media_title) = (None, None, None);
            (refused.connections, refused.bandwidths, refused.attributes) = Default::default();
            session.medias.push(refused);
        }
        written(&session)
    }
}

/// Our side of a session description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ours {
    /// Where we take audio.
    pub(crate) media: SocketAddr,
    /// Names the session (RFC 8866 5.2).
    pub(crate) session_id: u64,
    /// Grows with each description of the session.
    pub(crate) version: u64,
}

impl Ours {
    /// Our offer, where the other side sent none: our codecs, keys, both ways.
    pub(crate) fn offer(self) -> Vec<u8> {
        let mut session = self.session();
        session.medias.push(self.offered_audio(Some(OFFERED_EVENT)));
        written(&session)
    }

    fn offered_audio(self, event: Option<u8>) -> Media {
        self.audio(&Codec::ALL, event, PACKET_TIME, Direction::SendReceive)
    }

    fn session(self) -> Session {
        let origin = Origin::with_ip_addr(self.session_id, self.version, self.media.ip());
        let mut session = Session::new(origin, "-");
        session.connection = Some(Connection::from_ip_addr(self.media.ip()));
        session.add_time(sdp_types::Time::new(0, 0));
        session
    }

    fn audio(self, codecs: &[Codec], event: Option<u8>, packet_time: Duration, direction: Direction) -> Media {
        let types: Vec<u8> = codecs.iter().map(|codec| codec.payload_type()).chain(event).collect();
        let formats: Vec<String> = types.iter().map(u8::to_string).collect();
        let proto = sdp_types::TransportProto::RtpAvp;
        let mut media = Media::new(sdp_types::MediaType::Audio, self.media.port(), proto, formats.join(" "));
        for codec in codecs {
            media.add_attribute_with_value("rtpmap", format!("{} {}/8000", codec.payload_type(), codec.name()));
        }
        if let Some(event) = event {
            media.add_attribute_with_value("rtpmap", format!("{event} telephone-event/8000"));
            media.add_attribute_with_value("fmtp", format!("{event} 0-15"));
        }
        media.add_attribute_with_value("ptime", packet_time.as_millis());
        media.add_attribute_from_str(direction.name());
        media
    }
}

/// One m= line that we can take up.
struct Stream {
    remote: SocketAddr,
    control: Control,
    codec: Codec,
    event_payload_type: Option<u8>,
    packet_time: Duration,
    direction: Direction,
}

fn stream(media: &Media, session: &Session, ours: &Addresses) -> Option<Stream> {
    if media.media != "audio" || media.port == 0 || media.proto != "RTP/AVP" {
        return None;
    }
    let connection = media.connections.first().or(session.connection.as_ref())?;
    // Names are not looked up, and audio for a group of listeners is none for a caller.
    let ip: IpAddr = connection.connection_address.parse().ok()?;
    if ours.like(ip).is_none() || ip.is_multicast() {
        return None;
    }
    let types: Vec<u8> = media.fmt.split_ascii_whitespace().filter_map(|text| text.parse().ok()).collect();
    let codec = types.iter().find_map(|payload| codec(*payload, media))?;
    let remote = SocketAddr::new(ip, media.port);
    Some(Stream {
        remote,
        control: control::read(media, remote),
        codec,
        event_payload_type: types.iter().copied().find(|payload| is_event(*payload, media)),
        packet_time: packet_time(media),
        direction: Direction::of(media, session),
    })
}

/// RFC 3551 6: the static payload types; an rtpmap may repeat what they mean, and must not contradict it.
fn codec(payload: u8, media: &Media) -> Option<Codec> {
    let codec = Codec::ALL.into_iter().find(|codec| codec.payload_type() == payload)?;
    let meant = mapping(payload, media).is_none_or(|map| is_map(map, codec.name()));
    meant.then_some(codec)
}

/// RFC 4733 at the clock of the audio; the keys of another clock could not be timed against it.
fn is_event(payload: u8, media: &Media) -> bool {
    (96..128).contains(&payload) && mapping(payload, media).is_some_and(|map| is_map(map, "telephone-event"))
}

/// `name/8000`, with or without `/1`.
fn is_map(map: &str, name: &str) -> bool {
    let mut parts = map.trim().split('/');
    parts.next().is_some_and(|given| given.eq_ignore_ascii_case(name))
        && parts.next() == Some("8000")
        && parts.next().is_none_or(|channels| channels == "1")
}

/// What `a=rtpmap` says about a payload type.
fn mapping(payload: u8, media: &Media) -> Option<&str> {
    media
        .get_attribute_values("rtpmap")
        .flatten()
        .filter_map(|value| value.trim().split_once(' '))
        .find(|(given, _)| given.parse() == Ok(payload))
        .map(|(_, map)| map)
}

/// 10, 20 or 30 ms if asked for, else 20; never longer than `a=maxptime`.
fn packet_time(media: &Media) -> Duration {
    let number =
        |name| media.get_first_attribute_value(name).flatten().and_then(|text| text.trim().parse::<u64>().ok());
    let wanted = number("ptime").filter(|ms| [10, 20, 30].contains(ms)).unwrap_or(20);
    match number("maxptime") {
        Some(longest) if longest < wanted => Duration::from_millis(if longest < 20 { 10 } else { 20 }),
        _ => Duration::from_millis(wanted),
    }
}

fn written(session: &Session) -> Vec<u8> {
    let mut out = Vec::with_capacity(300);
    session.write(&mut out).expect("a vector takes every octet");
    out
}

/// More m= lines than any telephone offers; each of them would be repeated in our answer.
const MOST_STREAMS: usize = 16;
/// The payload type of keys in our own offers.
const OFFERED_EVENT: u8 = 101;
/// Packets of our own offers.
const PACKET_TIME: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests;
