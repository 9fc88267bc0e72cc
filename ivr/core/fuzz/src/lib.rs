//! What the targets share: a service with one trunk, and callers that know how SIP is written.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use arbitrary::Arbitrary;
use ivr_core::call::question::{Answer, Enrolled, Outcome, Session, VerificationId};
use ivr_core::caller::{KeepsDiversion, Level, Passports, Policy, TrunkProfile};
use ivr_core::endpoint::{Addresses, Endpoint, EndpointConfig, Input, Limits, Output, Strangers};
use ivr_core::key_check::KeyCheck;
use ivr_core::media::{CallKey, Clips, Codec, Control, KeySource, MasterKey, MediaEvent, MediaPlan, MediaSession};
use ivr_core::media::{Quality, RtpStart, Security, Silence, Suite};
use ivr_core::number::{KindPolicy, Number};
use ivr_core::passport::{Fault, Report};
use ivr_core::proof::Binding;
use voice_prompts::{Language, Library};

/// Where the trunk's SIP comes from.
pub fn trunk() -> SocketAddr {
    "192.0.2.1:5060".parse().expect("an address")
}

/// One trunk, with every kind of identity header believed.
pub fn config() -> EndpointConfig {
    let trunk = TrunkProfile {
        name: "carrier".to_owned(),
        sources: vec!["192.0.2.0/28".parse().expect("a network")],
        numbers: vec![Number::parse("+12025550100").expect("a number")],
        shared_addresses: false,
        trust_pai: true,
        trust_rpid: true,
        cli_screened: true,
        country: Some("US".parse().expect("a country")),
        identity_passthrough: true,
        keeps_diversion: KeepsDiversion::Yes,
        max_calls: 10,
        ..TrunkProfile::default()
    };
    EndpointConfig {
        addresses: Addresses::only("203.0.113.1:5060".parse().expect("an address")),
        rtp_ports: (0..50).map(|i| 20_000 + 2 * i).collect(),
        policy: Policy {
            trunks: vec![trunk],
            issue_from: Level::L2.into(),
            kinds: KindPolicy { voip: true, personal: false },
        },
        links: Vec::new(),
        passports: Passports::Verified,
        binding: Binding::ReadBack,
        limits: Limits::default(),
        strangers: Strangers::Refuse,
        server: None,
    }
}

/// Where the audio of the call of [`media`] comes from.
pub fn caller_media() -> SocketAddr {
    "198.51.100.9:30000".parse().expect("an address")
}

/// The media of a call whose ACK has come, and whose reports go there.
pub fn media(control: Control, now: Instant) -> MediaSession {
    media_with(None, control, now)
}

/// The same with SRTP.
pub fn secured_media(control: Control, suite: Suite, now: Instant) -> MediaSession {
    let key = |octet| MasterKey::new(vec![octet; suite.master_bytes()], suite).expect("it has the suite's length");
    media_with(Some(Security { suite, ours: key(1), theirs: key(2), key_name_bytes: 0 }), control, now)
}

fn media_with(security: Option<Security>, control: Control, now: Instant) -> MediaSession {
    static CLIPS: LazyLock<Clips> = LazyLock::new(|| Clips::encode(&Library::embedded(), "en"));
    let plan = MediaPlan {
        remote: caller_media(),
        control,
        codec: Codec::Pcmu,
        event_payload_type: Some(101),
        hears_tones: true,
        packet_time: Duration::from_millis(20),
        media_networks: vec![],
        held: false,
        latch_any: false,
        security,
    };
    let start = RtpStart { ssrc: 9, sequence: 2, timestamp: 3, seed: [7; 32] };
    let mut session = MediaSession::new(plan, start, CLIPS.clone());
    session.listen(now);
    session
}

/// A whole request from the trunk: `start` and `headers` as given between what every request has.
pub fn request(caller: u8, cseq: u32, (method, tag): (&str, &str), headers: &str, body: &[u8]) -> Vec<u8> {
    let tag = if tag.is_empty() { String::new() } else { format!(";tag={tag}") };
    let mut bytes = format!(
        "{method} sip:+12025550100@203.0.113.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-{caller}-{cseq}-{method}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:+1202555014{caller}@192.0.2.1>;tag=f{caller}\r\nTo: <sip:+12025550100@203.0.113.1>{tag}\r\n\
         Call-ID: call-{caller}\r\nCSeq: {cseq} {method}\r\nContact: <sip:gw@192.0.2.1:5060>\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// An offer that is accepted.
pub const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n\
    m=audio 30000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";

/// One thing that may happen to an endpoint.
#[derive(Debug, Arbitrary)]
pub enum Operation<'a> {
    /// A request of a caller, with these headers and this body, in or outside of its dialog.
    Request { caller: u8, method: u8, in_dialog: bool, headers: &'a str, body: Body<'a> },
    /// Anything at all, from the trunk.
    Octets(&'a [u8]),
    /// The store answers a call.
    Answer { call: u8, answer: u8 },
    /// The media thread speaks of a call.
    Media { call: u8, event: u8 },
    /// A session ended on its page.
    Outcome(u8),
    /// Time passes.
    Pass { milliseconds: u16 },
    /// The service drains, or ends.
    Shutdown { at_once: bool },
}

/// A body, and how it is announced.
#[derive(Debug, Arbitrary)]
pub enum Body<'a> {
    /// None.
    None,
    /// A good offer.
    Offer,
    /// A description of the fuzzer's.
    Description(&'a [u8]),
    /// Something else, of this type.
    Other { content_type: &'a str, octets: &'a [u8] },
}

const METHODS: [&str; 10] =
    ["INVITE", "ACK", "BYE", "CANCEL", "UPDATE", "OPTIONS", "INFO", "PRACK", "REFER", "REGISTER"];

/// More than any one input may have sent, asked and recorded: outputs are bounded.
const MOST_OUTPUTS: usize = 100;

/// An endpoint, its clock, and what its callers have heard.
pub struct Stage {
    endpoint: Endpoint,
    now: Instant,
    cseqs: [u32; 4],
    tags: [String; 4],
    keys: u64,
}

impl Default for Stage {
    fn default() -> Self {
        let mut config = EndpointConfig { limits: Limits { calls: 4, ..Limits::default() }, ..config() };
        config.policy.trunks[0].pace.unacknowledged = 3;
        let endpoint = Endpoint::new(config, [3; 32]);
        Self { endpoint, now: Instant::now(), cseqs: [0; 4], tags: Default::default(), keys: 0 }
    }
}

impl Stage {
    /// Does it, and checks what must hold whatever happens.
    pub fn perform(&mut self, operation: &Operation<'_>) {
        match *operation {
            Operation::Request { caller, method, in_dialog, headers, ref body } => {
                let who = usize::from(caller) % self.tags.len();
                let method = METHODS[usize::from(method) % METHODS.len()];
                if !matches!(method, "ACK" | "CANCEL") {
                    self.cseqs[who] += 1;
                }
                let tag = if in_dialog { self.tags[who].as_str() } else { "" };
                let (kind, octets): (&str, &[u8]) = match body {
                    Body::None => ("", b""),
                    Body::Offer => ("application/sdp", OFFER.as_bytes()),
                    Body::Description(octets) => ("application/sdp", octets),
                    Body::Other { content_type, octets } => (content_type, octets),
                };
                let mut headers = headers.to_owned();
                if !headers.is_empty() && !headers.ends_with('\n') {
                    headers += "\r\n";
                }
                if !kind.is_empty() {
                    headers += &format!("Content-Type: {kind}\r\n");
                }
                let bytes = request(who as u8, self.cseqs[who], (method, tag), &headers, octets);
                self.handle(Input::Message { from: trunk().into(), bytes: &bytes });
            }
            Operation::Octets(bytes) => self.handle(Input::Message { from: trunk().into(), bytes }),
            Operation::Answer { call, answer } => {
                let answers = [
                    Answer::Expected,
                    Answer::NoSession,
                    Answer::Certified(Enrolled { count: 1, last: (2026, 3, 9) }),
                    Answer::Suspended,
                    Answer::NotSuspended,
                    Answer::NumberExhausted,
                    Answer::Matched(Session {
                        id: VerificationId([1; 16]),
                        key_check: KeyCheck::parse("0042"),
                        language: Language::of("de"),
                    }),
                    Answer::Wrong { tries_left: 1 },
                    Answer::Stored,
                    Answer::Gone,
                    Answer::Unavailable,
                    // Last, so that the seeds mean what they meant.
                    Answer::CallsUsedUp,
                    Answer::Verified(Arc::new(Report::unread(Fault::Header))),
                ];
                let answer = answers[usize::from(answer) % answers.len()].clone();
                self.handle(Input::Answer(self.key(call), answer));
            }
            Operation::Media { call, event } => {
                let event = match event {
                    0..8 => MediaEvent::PlayEnded(u32::from(event)),
                    8..10 => MediaEvent::Silent(Silence::NoAudio),
                    10..12 => MediaEvent::Closed(Quality::default()),
                    _ => {
                        let key = char::from(b"0123456789*#ABCD"[usize::from(event) % 16]);
                        // Few, so that the seeds mean what they meant.
                        let is_tone = event >= 240;
                        MediaEvent::Key(key, if is_tone { KeySource::InBand } else { KeySource::TelephoneEvent })
                    }
                };
                self.handle(Input::Media(self.key(call), event));
            }
            Operation::Outcome(outcome) => {
                let outcomes = [Outcome::Issued, Outcome::Held, Outcome::Voided, Outcome::Failed];
                let outcome = outcomes[usize::from(outcome) % outcomes.len()];
                self.handle(Input::Outcome(VerificationId([1; 16]), outcome));
            }
            Operation::Pass { milliseconds } => self.pass(Duration::from_millis(milliseconds.into())),
            Operation::Shutdown { at_once: true } => self.handle(Input::EndCalls),
            Operation::Shutdown { at_once: false } => self.handle(Input::RefuseNewCalls),
        }
    }

    /// Nothing more happens but time: every call ends by itself.
    pub fn finish(mut self) {
        self.pass(Duration::from_secs(400));
        assert_eq!(self.endpoint.live_calls(), 0, "a call outlived everything");
    }

    fn key(&self, call: u8) -> CallKey {
        CallKey(self.keys.saturating_sub(u64::from(call % 4)))
    }

    /// Lets deadlines pass in their order.
    fn pass(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(due) = self.endpoint.deadline().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.handle(Input::Timeout);
            assert!(self.endpoint.deadline().is_none_or(|next| next > due), "it would spin");
        }
        self.now = until;
    }

    fn handle(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.endpoint.handle(input, self.now, &mut out);
        assert!(out.len() <= MOST_OUTPUTS, "{} outputs of one input", out.len());
        assert!(self.endpoint.live_calls() == 0 || self.endpoint.deadline().is_some(), "a call waits for nothing");
        for output in out {
            match output {
                Output::Ask(CallKey(key), _) => self.keys = self.keys.max(key),
                Output::Message { bytes, .. } => self.hear(&String::from_utf8_lossy(&bytes)),
                Output::Farewell { .. } => {}
                Output::Media(..) | Output::Record(..) | Output::Locate(..) | Output::Link(..) | Output::Probed(..) => {}
            }
        }
    }

    /// Takes our tag from a response.
    fn hear(&mut self, text: &str) {
        // In a request of ours, such as a refresh, the tag of To is the caller's own.
        if !text.starts_with("SIP/2.0 ") {
            return;
        }
        let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        let caller = line("Call-ID: call-").and_then(|caller| caller.parse::<usize>().ok());
        let tag = line("To: ").and_then(|to| to.split_once(";tag=")).map(|(_, tag)| tag.to_owned());
        if let (Some(known), Some(tag)) = (caller.and_then(|caller| self.tags.get_mut(caller)), tag) {
            *known = tag;
        }
    }
}

/// The pieces of an input that is text of several messages or bodies: between them stands a record separator (0x1E), so that
/// an example in `seeds` can be written and read by people.
pub fn pieces(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    input.split(|octet| *octet == 0x1E)
}
