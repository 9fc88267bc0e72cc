//! Offer and answer (RFC 3264): which codec, where to, how long a packet.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use sdp_types::{Attribute, Media, Session};

use crate::caller::Srtp;
use crate::endpoint::Addresses;
use crate::media::{Codec, Control};

mod control;
mod crypto;
mod ours;

pub(crate) use crypto::Crypto;
use crypto::{NotProtected, PROFILES, Sought};
pub(crate) use ours::Ours;
use ours::{Audio, OFFERED_KEYS};

/// What the other side proposes, as far as we can take it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proposal {
    /// Where it wants its audio.
    pub(crate) remote: SocketAddr,
    /// Where it wants reports.
    pub(crate) control: Control,
    /// Of those that it knows and we speak, the one it likes most.
    pub(crate) codec: Codec,
    /// Its keys.
    pub(crate) keys: Option<Keys>,
    /// Length of our packets.
    pub(crate) packet_time: Duration,
    /// Which ways audio flows, as it sees them.
    pub(crate) direction: Direction,
    /// What it protects its packets with (SRTP), if it does.
    pub(crate) crypto: Option<Crypto>,
    /// Its m= lines as they are refused in an answer, and which of them is ours.
    streams: Vec<RefusedStream>,
    chosen: usize,
}

/// How keys come as telephone-event (RFC 4733).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keys {
    /// Their payload type.
    pub(crate) payload_type: u8,
    /// Ticks of their timestamps in a second.
    clock: u32,
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
    /// No audio over RTP or SRTP to an address that we can reach with a codec that we speak.
    #[error("no audio stream over RTP/AVP or RTP/SAVP with PCMU, PCMA or G722")]
    NoCommonCodec,
    /// There is audio that must be protected, and no key that we can take up.
    #[error("no audio stream with an a=crypto line that we can obey")]
    NotProtected,
}

impl Proposal {
    /// Reads an offer. `ours` must have an address of the same family.
    pub(crate) fn read(body: &[u8], ours: &Addresses, srtp: Srtp) -> Result<Self, Unacceptable> {
        Self::read_as(Sought::Offer(srtp), body, ours)
    }

    /// Reads the answer to our offer, which was `described`: to the first, or to the one after `agreed`.
    pub(crate) fn read_answer(
        body: &[u8],
        ours: &Addresses,
        described: &Ours,
        agreed: Option<&Self>,
        srtp: Srtp,
    ) -> Result<Self, Unacceptable> {
        let profile = agreed.map_or(described.first_profile(), Self::profile);
        Self::read_as(Sought::Answer { profile, ours: described.crypto.as_ref(), srtp }, body, ours)
    }

    fn read_as(sought: Sought<'_>, body: &[u8], ours: &Addresses) -> Result<Self, Unacceptable> {
        let session = Session::parse(body).map_err(|_| Unacceptable::Unreadable)?;
        if session.medias.len() > MOST_STREAMS {
            return Err(Unacceptable::Unreadable);
        }
        let mut cause = Unacceptable::NoCommonCodec;
        let mut usable = session.medias.iter().enumerate().filter_map(|(i, media)| {
            let stream = stream(media, &session, ours)?;
            match crypto::read(media, sought) {
                Ok(crypto) => Some((i, stream, crypto)),
                Err(NotProtected) => {
                    cause = Unacceptable::NotProtected;
                    None
                }
            }
        });
        let Some((chosen, stream, crypto)) = usable.next() else { return Err(cause) };
        Ok(Self {
            remote: stream.remote,
            control: stream.control,
            codec: stream.codec,
            keys: stream.keys,
            packet_time: stream.packet_time,
            direction: stream.direction,
            crypto,
            chosen,
            streams: session.medias.iter().map(RefusedStream::of).collect(),
        })
    }

    /// Is the other side's ear shut? Then we send nothing.
    pub(crate) fn is_held(&self) -> bool {
        matches!(self.direction, Direction::SendOnly | Direction::Inactive) || self.remote.ip().is_unspecified()
    }

    /// Our answer: one codec and its keys; every other stream is refused by port 0 (RFC 3264 6).
    pub(crate) fn answer(&self, ours: &Ours) -> Vec<u8> {
        let audio = Audio {
            profile: self.profile(),
            codecs: &[self.codec],
            keys: self.keys,
            packet_time: self.packet_time,
            direction: self.direction.turned(),
            control: self.control,
        };
        ours.describe(&audio, self.chosen, &self.streams)
    }

    /// Our offer later in the session: what the first would be, and no stream fewer than before (RFC 3264 8).
    pub(crate) fn offer_again(&self, ours: &Ours) -> Vec<u8> {
        // RFC 3264 8.3.2: a payload type means one thing as long as the session lasts.
        let taken: Vec<&str> = self.streams[self.chosen].formats.split_ascii_whitespace().collect();
        let is_free = |payload: &u8| !taken.contains(&payload.to_string().as_str());
        let free = || [OFFERED_KEYS.payload_type].into_iter().chain(96..128).find(is_free);
        let keys = self.keys.or_else(|| Some(Keys { payload_type: free()?, ..OFFERED_KEYS }));
        ours.describe(&Audio::offered(self.profile(), keys, self.control), self.chosen, &self.streams)
    }

    fn profile(&self) -> &str {
        &self.streams[self.chosen].profile
    }
}

/// One m= line that we can take up.
struct Stream {
    remote: SocketAddr,
    control: Control,
    codec: Codec,
    keys: Option<Keys>,
    packet_time: Duration,
    direction: Direction,
}

fn stream(media: &Media, session: &Session, ours: &Addresses) -> Option<Stream> {
    if media.media != "audio" || media.port == 0 || !PROFILES.contains(&media.proto.as_str()) {
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
        keys: Keys::of(&types, media),
        packet_time: packet_time(media),
        direction: Direction::of(media, session),
    })
}

/// An m= line with port 0 and what it must keep (RFC 3264 6): no attributes, so no keys either.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RefusedStream {
    media: String,
    profile: String,
    formats: String,
}

impl RefusedStream {
    fn of(media: &Media) -> Self {
        Self { media: media.media.clone(), profile: media.proto.clone(), formats: media.fmt.clone() }
    }
}

impl fmt::Display for RefusedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} 0 {} {}", self.media, self.profile, self.formats)
    }
}

/// RFC 3551 6: the static payload types; an rtpmap may repeat what they mean, and must not contradict it.
fn codec(payload: u8, media: &Media) -> Option<Codec> {
    let codec = Codec::ALL.into_iter().find(|codec| codec.payload_type() == payload)?;
    let meant = mapping(payload, media).is_none_or(|map| is_map(map, codec.name()));
    meant.then_some(codec)
}

impl Keys {
    /// Those at the clock of our audio, as RFC 4733 2.1 wants it; where none are offered, of any clock: telephones that
    /// speak something wider send them so, and the key rule knows no clock: it tells presses at any up to 48 kHz.
    fn of(types: &[u8], media: &Media) -> Option<Self> {
        let dynamic = types.iter().copied().filter(|payload| (96..128).contains(payload));
        let mut offered = dynamic.filter_map(|payload_type| {
            let clock = clock_of(mapping(payload_type, media)?, "telephone-event")?;
            Some(Self { payload_type, clock })
        });
        let first = offered.next()?;
        let fits = |keys: &Self| keys.clock == OFFERED_KEYS.clock;
        Some(if fits(&first) { first } else { offered.find(fits).unwrap_or(first) })
    }
}

/// `name/8000`, with or without `/1`.
fn is_map(map: &str, name: &str) -> bool {
    clock_of(map, name) == Some(8_000)
}

/// The clock of `name/clock`, with or without `/1`.
fn clock_of(map: &str, name: &str) -> Option<u32> {
    let mut parts = map.trim().split('/');
    let is_it = parts.next().is_some_and(|given| given.eq_ignore_ascii_case(name));
    let clock = parts.next()?.parse().ok()?;
    (is_it && parts.next().is_none_or(|channels| channels == "1")).then_some(clock)
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

/// More m= lines than any telephone offers; each of them would be repeated in our answer.
const MOST_STREAMS: usize = 16;

#[cfg(test)]
mod tests;
