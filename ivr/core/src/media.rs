//! Audio and keys of one call, without sockets: packets and ticks in, packets and key presses out.
//! The media thread (`ivr/src/media_driver.rs`) owns the sockets and the pace.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use voice_prompts::{Language, Utterance};

mod clips;
mod dtmf;
mod g711;
mod g722;
mod in_band;
mod order;
mod player;
mod protection;
mod quality;
mod reception;
mod reports;
mod rtcp;
mod rtp;
mod security;
mod session;
mod source;
mod srtp;
#[cfg(test)]
mod tests;
mod tones;

pub use clips::{Clips, Voices};
pub use g711::Law;
pub use quality::{Mos, Quality, Reported};
pub use security::{MasterKey, Security, Suite};
pub use session::{DueReport, MediaSession, Tick};
pub use tones::{Pressed, ToneDetector};

/// What timestamps and lengths are counted in, with G.722, too: RFC 3551 4.5.2 keeps an old mistake.
const SAMPLES_PER_SECOND: u32 = 8_000;

/// Names one call of this process, for the endpoint and the media thread. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallKey(pub u64);

/// One of the RTP sockets that the media thread bound at start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortIndex(pub u16);

/// Which of the two ports of a call: RTP's, or the one above it, which is RTCP's (RFC 3550 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Audio and keys; with rtcp-mux reports, too.
    Rtp,
    /// Reports.
    Rtcp,
}

/// How the other side wants reports (RTCP).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Not at all: it grants them no bandwidth (RFC 3556).
    Off,
    /// Both ways where RTP goes (RFC 5761).
    Muxed,
    /// There: RTP's port + 1, or what a=rtcp says (RFC 3605).
    At(SocketAddr),
}

/// The codecs we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 µ-law, payload type 0.
    Pcmu,
    /// G.711 A-law, payload type 8.
    Pcma,
    /// G.722 at 64 kbit/s, payload type 9: 16 kHz, but 8000 in SDP and timestamps (RFC 3551 4.5.2).
    G722,
}

impl Codec {
    /// Those that we speak, in the order of our offers.
    pub const ALL: [Self; 3] = [Self::Pcmu, Self::Pcma, Self::G722];

    /// The static payload type (RFC 3551 6).
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
            Self::G722 => 9,
        }
    }

    /// The name in SDP.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G722 => "G722",
        }
    }
}

/// What the offer and answer agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPlan {
    /// Where the caller wants its audio (the c= and m= lines).
    pub remote: SocketAddr,
    /// Where it wants reports.
    pub control: Control,
    /// The codec both use.
    pub codec: Codec,
    /// The payload type of telephone-event (RFC 4733), if negotiated.
    pub event_payload_type: Option<u8>,
    /// Keys are heard in the audio, until the first comes as an event.
    pub hears_tones: bool,
    /// Length of our packets.
    pub packet_time: Duration,
    /// Networks of the trunk from which media may come besides `remote`'s address (the port may differ anyway):
    /// address and prefix length.
    pub media_networks: Vec<(IpAddr, u8)>,
    /// The other side put the call on hold: send nothing until a [`MediaCommand::Change`] says otherwise. An utterance
    /// goes on as if it were heard.
    pub held: bool,
    /// `nat = true` in the trunk's profile: latch to the first source that sends (demo only).
    pub latch_any: bool,
    /// How packets and reports are protected (SRTP); `None` sends and takes them in the clear.
    pub security: Option<Security>,
}

/// From the endpoint to the media thread.
#[derive(Debug, Clone)]
pub enum MediaCommand {
    /// Take this port. Nothing is sent and nothing heard counts before `Listen`: an offer whose source was forged must
    /// not turn us on somebody else.
    Open {
        /// The port drawn by the endpoint.
        port: PortIndex,
        /// What was agreed.
        plan: MediaPlan,
        /// First sequence number, timestamp, SSRC and the chance of the reports, drawn by the endpoint.
        start: RtpStart,
        /// What the call is spoken to in: [prepared](Voices::prepare).
        language: Language,
    },
    /// The ACK arrived: keys count from now on, and comfort silence or what is said is sent.
    Listen,
    /// A re-INVITE agreed on something else.
    Change(MediaPlan),
    /// What is said from now on is said in this language, which is [prepared](Voices::prepare).
    Speak(Language),
    /// Say this instead of what is being said. `play` comes back in `PlayEnded`.
    Say {
        /// Counts the utterances of the call, so that a late `PlayEnded` is told from the present one's.
        play: u32,
        /// What to say.
        utterance: Utterance,
    },
    /// Comfort silence.
    Hush,
    /// Give the port back, send the statistics.
    Close,
}

/// Random beginnings (RFC 3550 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtpStart {
    /// Synchronisation source.
    pub ssrc: u32,
    /// First sequence number.
    pub sequence: u16,
    /// First timestamp.
    pub timestamp: u32,
    /// What the name in reports (RFC 7022) and their intervals are drawn from.
    pub seed: [u8; 32],
}

/// From the media thread to the endpoint.
#[derive(Debug, Clone)]
pub enum MediaEvent {
    /// The utterance with this number was played to its end.
    PlayEnded(u32),
    /// A key press, reported once: `0`–`9`, `*`, `#`, `A`–`D`.
    Key(char, KeySource),
    /// No packet arrived for [`MediaSession::TIMEOUT`].
    Silent(Silence),
    /// The call's figures, once, after `Close`.
    Closed(Quality),
}

/// What no packet for so long means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// None came since the ACK.
    NoAudio,
    /// They came, and stopped.
    AudioStopped,
}

/// How a key came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySource {
    /// As an event beside the audio (RFC 4733).
    TelephoneEvent,
    /// As tones in the audio.
    InBand,
    /// In the body of an INFO.
    Info,
}

impl KeySource {
    /// Its name in records: `telephone-event`, `in-band`, `info`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TelephoneEvent => "telephone-event",
            Self::InBand => "in-band",
            Self::Info => "info",
        }
    }
}
