//! Our side of a session description, written.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use super::crypto::{CLEAR_PROFILE, SECURE_PROFILE};
use super::{Codec, Control, Crypto, Direction, Keys, RefusedStream};

/// Our side of a session description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ours {
    /// Where we take audio.
    pub(crate) media: SocketAddr,
    /// Names the session (RFC 8866 5.2).
    pub(crate) session_id: u64,
    /// Grows with each description of the session.
    pub(crate) version: u64,
    /// What protects our packets, if anything does.
    pub(crate) crypto: Option<Crypto>,
}

/// A stream as we take it up.
pub(super) struct Audio<'a> {
    pub(super) profile: &'a str,
    pub(super) codecs: &'a [Codec],
    pub(super) keys: Option<Keys>,
    pub(super) packet_time: Duration,
    pub(super) direction: Direction,
    pub(super) control: Control,
}

impl<'a> Audio<'a> {
    /// What we offer: our codecs, both ways.
    pub(super) fn offered(profile: &'a str, keys: Option<Keys>, control: Control) -> Self {
        let direction = Direction::SendReceive;
        Self { profile, codecs: &Codec::ALL, keys, packet_time: PACKET_TIME, direction, control }
    }
}

impl Ours {
    /// Our offer, where the other side sent none: our codecs, keys, both ways.
    pub(crate) fn offer(&self) -> Vec<u8> {
        self.describe(&Audio::offered(self.first_profile(), Some(OFFERED_KEYS), Control::Off), 0, &[])
    }

    /// Of an offer that nothing was agreed on before.
    pub(super) fn first_profile(&self) -> &'static str {
        if self.crypto.is_some() { SECURE_PROFILE } else { CLEAR_PROFILE }
    }

    /// A description with `audio` in the place `chosen` of these streams, of which every other is refused (RFC 3264 6).
    pub(super) fn describe(&self, audio: &Audio<'_>, chosen: usize, streams: &[RefusedStream]) -> Vec<u8> {
        let (ip, port) = (self.media.ip(), self.media.port());
        let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
        let mut text = Text(String::with_capacity(USUAL_BYTES));
        text.line(format_args!("v=0"));
        text.line(format_args!("o=- {} {} IN {family} {ip}", self.session_id, self.version));
        text.line(format_args!("s=-"));
        text.line(format_args!("c=IN {family} {ip}"));
        text.line(format_args!("t=0 0"));
        for stream in streams.iter().take(chosen) {
            text.line(format_args!("m={stream}"));
        }
        self.write_audio(audio, port, &mut text);
        for stream in streams.iter().skip(chosen + 1) {
            text.line(format_args!("m={stream}"));
        }
        text.0.into_bytes()
    }

    fn write_audio(&self, audio: &Audio<'_>, port: u16, text: &mut Text) {
        let Audio { profile, codecs, keys, packet_time, direction, control } = audio;
        let of_keys = keys.map(|keys| keys.payload_type);
        let types = codecs.iter().map(|codec| codec.payload_type()).chain(of_keys);
        let formats: Vec<String> = types.map(|payload| payload.to_string()).collect();
        text.line(format_args!("m=audio {port} {profile} {}", formats.join(" ")));
        for codec in *codecs {
            text.line(format_args!("a=rtpmap:{} {}/8000", codec.payload_type(), codec.name()));
        }
        if let Some(Keys { payload_type, clock }) = keys {
            text.line(format_args!("a=rtpmap:{payload_type} telephone-event/{clock}"));
            text.line(format_args!("a=fmtp:{payload_type} 0-15"));
        }
        text.line(format_args!("a=ptime:{}", packet_time.as_millis()));
        text.line(format_args!("a={}", direction.name()));
        if let Some(crypto) = &self.crypto {
            text.line(format_args!("a=crypto:{}", crypto.written()));
        }
        // Ours accepts rtcp-mux, and keeps it; otherwise our reports come and go at RTP's port + 1, which needs no words.
        if *control == Control::Muxed {
            text.line(format_args!("a=rtcp-mux"));
        }
    }
}

/// Lines.
struct Text(String);

impl Text {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        write!(self.0, "{line}\r\n").expect("a string takes every text");
    }
}

/// Keys in our own offers.
pub(super) const OFFERED_KEYS: Keys = Keys { payload_type: 101, clock: 8_000 };
/// Packets of our own offers.
const PACKET_TIME: Duration = Duration::from_millis(20);
/// Room for most descriptions.
const USUAL_BYTES: usize = 400;
