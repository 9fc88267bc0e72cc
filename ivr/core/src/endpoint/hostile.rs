//! What a stranger, a broken trunk or a slow world may do: whatever comes in, nothing panics, what goes out and what is
//! kept is bounded, and every call ends.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use voice_prompts::Language;

use super::testing::{Caller, PEER, account, config};
use super::*;
use crate::call::question::{Answer, Enrolled, Outcome, Session};
use crate::caller::{Attest, Pace, Passports, Realm};
use crate::key_check::KeyCheck;
use crate::media::{KeySource, MediaCommand, MediaEvent, MediaPlan, Quality};
use crate::passport::{Fault, Report};

/// An endpoint under test, and what it has promised so far.
struct Stage {
    endpoint: Endpoint,
    now: Instant,
    callers: Vec<Caller>,
    /// What was recorded of each call.
    calls: HashMap<CallKey, Story>,
}

/// What was seen of a call.
#[derive(Debug, Default)]
struct Story {
    began: bool,
    media_open: bool,
    listened: bool,
    ended: bool,
}

impl Stage {
    fn new(limits: Limits) -> Self {
        Self::with(limits, Pace::default())
    }

    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing; only differences count")]
    fn with(limits: Limits, pace: Pace) -> Self {
        let mut config = EndpointConfig { limits, ..config() };
        config.policy.trunks[0].pace = pace;
        config.policy.trunks[0].identity_passthrough = true;
        config.passports = Passports::Verified;
        let callers = ["a", "b", "c"].map(Caller::new).into();
        Self { endpoint: Endpoint::new(config, [3; 32]), now: Instant::now(), callers, calls: HashMap::new() }
    }

    /// Hands in one thing and checks what must hold after anything. Returns how many datagrams went out.
    fn handle(&mut self, input: Input<'_>) -> usize {
        let mut out = Outbox::new();
        self.endpoint.handle(input, self.now, &mut out);
        let most = 64 + 16 * (self.endpoint.live_calls() + self.calls.len());
        assert!(out.len() <= most, "{} outputs for one input", out.len());
        assert!(self.endpoint.live_calls() == 0 || self.endpoint.deadline().is_some(), "a call waits for nothing");
        assert!(self.endpoint.live_calls() <= self.endpoint.config.limits.calls);
        assert_eq!(self.endpoint.by_tag.len(), self.endpoint.live_calls());
        let datagrams = out.iter().filter(|output| matches!(output, Output::Message { .. })).count();
        out.into_iter().for_each(|output| self.see(output));
        datagrams
    }

    fn see(&mut self, output: Output) {
        match output {
            Output::Message { bytes, .. } => {
                assert!(bytes.len() < 65_536);
                self.callers.iter_mut().for_each(|caller| caller.hear(&bytes));
            }
            Output::Farewell { .. } => {}
            Output::Ask(key, _) => assert!(!self.calls[&key].ended),
            Output::Locate(..) | Output::Link(..) | Output::Probed(..) => panic!("there are no links or probes here"),
            Output::Media(key, command) => {
                let story = self.calls.get_mut(&key).unwrap();
                assert!(!story.ended, "media after the end: {command:?}");
                match command {
                    MediaCommand::Open { plan: MediaPlan { remote, .. }, .. } => {
                        assert!(!story.media_open && remote.port() != 0);
                        story.media_open = true;
                    }
                    MediaCommand::Listen => {
                        assert!(story.media_open && !story.listened);
                        story.listened = true;
                    }
                    MediaCommand::Say { .. } | MediaCommand::Hush => assert!(story.listened, "spoken before the ACK"),
                    MediaCommand::Change(_) | MediaCommand::Speak(_) => assert!(story.media_open),
                    MediaCommand::Close => {
                        assert!(story.media_open);
                        story.media_open = false;
                    }
                }
            }
            Output::Record(key, entry) => {
                let story = self.calls.entry(key).or_default();
                assert!(!story.ended, "recorded after the end: {entry:?}");
                match entry {
                    Entry::Began { .. } => assert!(!std::mem::replace(&mut story.began, true)),
                    Entry::Refused { .. } | Entry::Over { .. } => {
                        assert!(!story.media_open);
                        story.ended = true;
                    }
                    Entry::KeyPressed { .. } => assert!(story.listened),
                    _ => assert!(story.began),
                }
            }
        }
    }

    /// A caller sends a message.
    fn say(&mut self, caller: usize, what: &str, changes: &[&str]) {
        let (from, bytes) = self.callers[caller].message(what, changes);
        self.handle(Input::Message { from, bytes: &bytes });
    }

    /// One of the live calls, or one that does not exist.
    fn key(&self, which: usize) -> CallKey {
        let mut keys: Vec<CallKey> = self.endpoint.calls.keys().copied().collect();
        keys.sort_unstable();
        keys.get(which % keys.len().max(1)).copied().unwrap_or(CallKey(u64::MAX))
    }

    /// Lets time pass.
    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(due) = self.endpoint.deadline().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.handle(Input::Timeout);
            assert!(self.endpoint.deadline().is_none_or(|next| next > due), "it would spin");
        }
        self.now = until;
    }

    /// However the calls stand, they all end, and nothing is left of them.
    fn drain(&mut self) {
        self.pass(Duration::from_secs(600));
        assert_eq!(self.endpoint.live_calls(), 0);
        assert_eq!(self.endpoint.deadline(), None, "a transaction stays for ever");
        assert_eq!(self.endpoint.counters().unacknowledged, 0);
        assert!(self.endpoint.tallies.iter().all(|tally| tally.calls == 0));
        assert!(self.endpoint.lines.is_empty());
        assert!(self.endpoint.waiting.is_empty());
        assert!(self.calls.values().all(|story| story.began && story.ended), "{:?}", self.calls);
        self.now += ports::LONG_REST;
        let (ports, chance) = (&mut self.endpoint.ports, &mut self.endpoint.chance);
        let free = std::iter::from_fn(|| ports.draw(chance, self.now)).count();
        assert_eq!(free, self.endpoint.config.rtp_ports.len(), "a port was lost or came back twice");
    }
}

fn peer() -> SocketAddr {
    PEER.parse().unwrap()
}

/// Who shares a carrier's addresses and has not its account: neither what is challenged nor what is guessed leaves anything
/// behind, and each refusal is recorded, but not too many.
#[test]
fn without_the_trunks_account_nothing_is_kept() {
    let mut stage = Stage::new(Limits { recorded_refusals_per_second: 5, ..Limits::default() });
    stage.endpoint.config.policy.trunks[0].digest = Some(account());
    stage.callers = (0..200).map(|n| Caller::new(&format!("c{n}"))).collect();
    for caller in 0..200 {
        stage.say(caller, "INVITE", &[]);
        stage.say(caller, "ACK", &[]);
        stage.say(caller, "INVITE", &["digest wrong"]);
        assert_eq!((stage.endpoint.live_calls(), stage.endpoint.transactions.count()), (0, 0));
    }
    let counters = stage.endpoint.counters();
    assert_eq!((counters.challenged, counters.refused, counters.unrecorded_refusals), (200, 200, 195));
    assert_eq!((stage.calls.len(), stage.endpoint.deadline()), (5, None));
    // And the carrier is still let in.
    stage.say(0, "INVITE", &["digest first"]);
    assert_eq!(stage.endpoint.live_calls(), 1);
}

#[test]
fn an_invite_cut_anywhere_opens_no_call() {
    let (_, invite) = Caller::new("a").message("INVITE", &[]);
    let mut stage = Stage::new(Limits::default());
    for length in 0..invite.len() {
        let sent = stage.handle(Input::Message { from: peer().into(), bytes: &invite[..length] });
        assert!(sent <= 1);
        assert_eq!(stage.endpoint.live_calls(), 0, "{length} octets of {}", invite.len());
    }
    stage.handle(Input::Message { from: peer().into(), bytes: &invite });
    assert_eq!(stage.endpoint.live_calls(), 1);
    stage.drain();
}

#[test]
fn an_invite_with_any_one_octet_changed_is_answered_or_dropped() {
    let (_, invite) = Caller::new("a").message("INVITE", &["P-Asserted-Identity: \"N\" <tel:+12025550143>"]);
    for octet in [0, b'\r', b'\n', b' ', b';', b'<', b'"', b':', b',', b'%', 0x80, 0xFF] {
        let mut stage = Stage::new(Limits::default());
        for at in 0..invite.len() {
            let mut changed = invite.clone();
            changed[at] = octet;
            // 180, or a refusal; a call that is up already answers nothing twice.
            assert!(stage.handle(Input::Message { from: peer().into(), bytes: &changed }) <= 1);
        }
        stage.drain();
    }
}

#[test]
fn a_flood_of_forged_invites_is_bounded() {
    let limits = Limits { calls: 40, calls_of_a_number: 40, recorded_refusals_per_second: 5 };
    let mut stage = Stage::with(limits, Pace { unacknowledged: 10, ..Pace::default() });
    for i in 0..1_000 {
        let (_, invite) = Caller::new(&format!("{i}")).message("INVITE", &[]);
        // 180, or a refusal.
        assert_eq!(stage.handle(Input::Message { from: peer().into(), bytes: &invite }), 1);
        // Who forges an address does not get our answers; the store is quick.
        for key in 0..=stage.endpoint.last_key {
            stage.handle(Input::Answer(CallKey(key), Answer::Expected));
        }
    }
    let counters = stage.endpoint.counters();
    assert_eq!((counters.calls, counters.unacknowledged), (10, 10));
    assert_eq!(counters.unrecorded_refusals, 1_000 - 10 - 5);
    stage.drain();
    assert_eq!(stage.endpoint.counters().never_acknowledged, 10);
}

/// A call that gave its line to a newer one keeps its place in the trunk until it is given up: few may.
#[test]
fn forged_invites_in_one_numbers_name_take_up_few_places() {
    let mut stage = Stage::new(Limits::default());
    for i in 0..1_000 {
        let (_, invite) = Caller::new(&format!("{i}")).message("INVITE", &[]);
        stage.handle(Input::Message { from: peer().into(), bytes: &invite });
        stage.handle(Input::Answer(CallKey(stage.endpoint.last_key), Answer::Expected));
    }
    let counters = stage.endpoint.counters();
    assert_eq!((counters.calls, counters.unacknowledged, counters.displaced), (8, 8, 6));
    stage.drain();
    assert_eq!(stage.endpoint.counters().never_acknowledged, 8);
}

/// Even who has the sandbox's account, and a number that is read, fills no database, and alarms nobody.
#[test]
fn of_the_sandbox_few_refusals_are_recorded_and_none_counts_as_a_carriers() {
    let mut stage = Stage::new(Limits::default());
    stage.endpoint.config.policy.trunks[0].realm = Realm::Sandbox;
    for i in 0..1_000 {
        let (_, invite) = Caller::new(&format!("{i}")).message("INVITE", &[]);
        stage.handle(Input::Message { from: peer().into(), bytes: &invite });
    }
    let counters = stage.endpoint.counters();
    assert_eq!((counters.refused, counters.unrecorded_refusals, counters.sandbox_refused), (0, 0, 998));
    assert_eq!(stage.calls.len(), 2 + 5, "two calls of a number, and five refusals");
}

#[test]
fn of_many_refusals_without_their_ack_a_hundred_are_repeated() {
    let mut stage = Stage::with(Limits::default(), Pace { calls_at_once: 1_000, ..Pace::default() });
    let mut callers: Vec<Caller> = (0..300).map(|i| Caller::new(&format!("{i}"))).collect();
    for caller in &mut callers {
        let (_, invite) = caller.message("INVITE", &[]);
        stage.handle(Input::Message { from: peer().into(), bytes: &invite });
        stage.handle(Input::Answer(CallKey(stage.endpoint.last_key), Answer::NoSession));
    }
    stage.pass(Duration::from_secs(31));
    // At 0.5, 1.5, 3.5 and 7.5 s, and then every four seconds (RFC 3261 17.2.1, timer G).
    assert_eq!(stage.endpoint.counters().retransmissions, 100 * 9);
    // Who repeats an INVITE gets its refusal all the same.
    for caller in [0, 299] {
        let (_, again) = callers[caller].message("again", &[]);
        assert_eq!(stage.handle(Input::Message { from: peer().into(), bytes: &again }), 1);
    }
    stage.drain();
}

/// One thing that may happen.
#[derive(Debug, Clone)]
enum Operation {
    /// One of the callers sends a message, changed as said.
    Message {
        caller: usize,
        what: &'static str,
        changes: Vec<&'static str>,
    },
    /// One of the callers calls, is expected and acknowledges the 200: random messages seldom get so far.
    Call {
        caller: usize,
        /// A proxy wants it refreshed.
        timer: bool,
    },
    /// Somebody sends anything at all.
    Octets(Vec<u8>),
    /// The store answers one of the calls.
    Answer(usize, Answer),
    Outcome(Outcome),
    /// The media thread speaks of one of the calls.
    Media(usize, MediaEvent),
    Pass(Duration),
    Drain,
    End,
}

fn operation() -> impl Strategy<Value = Operation> {
    let what = prop::sample::select(vec![
        "INVITE",
        "INVITE",
        "INVITE",
        "ACK",
        "ACK",
        "ACK",
        "re-INVITE",
        "BYE",
        "CANCEL",
        "OPTIONS",
        "UPDATE",
        "INFO",
        "REFER",
        "PRACK",
        "again",
        "200 BYE",
        "100 BYE",
        "481 BYE",
        "200 UPDATE",
        "422 UPDATE",
        "100 INVITE",
        "200 INVITE",
        "491 INVITE",
    ]);
    let change = prop::sample::select(vec![
        "from 192.0.2.17:5060",
        "from 198.18.0.1:5060",
        "tag 00",
        "cseq 1",
        "branch z9hG4bK-same",
        "branch old",
        "Privacy: id",
        "Require: 100rel",
        "Require: 100rel",
        "RAck: 1 1 INVITE",
        "Require: unknown",
        "Supported: timer",
        "Session-Expires: 90",
        "Session-Expires: 90;refresher=uas",
        "Session-Expires: 10",
        "Min-SE: 3600",
        "Allow: INVITE, UPDATE",
        "-Contact",
        "-P-Asserted-Identity",
        "P-Asserted-Identity: <tel:+12025550177>",
        "sdp none",
        "sdp many",
        "sdp no-keys",
        "sdp with-isup",
        "Content-Type: multipart/mixed;boundary=b1",
        "body Signal=5\\r\\n",
        "Content-Type: application/dtmf-relay",
        "sdp sendonly",
        "sdp zero-address",
        "sdp moved",
        "sdp g729",
        "sdp nonsense",
        "Identity: e30.e30.c2ln;info=<https://h/c>;ppt=shaken",
    ]);
    let answer = prop::sample::select(vec![
        Answer::Expected,
        Answer::Expected,
        Answer::Expected,
        Answer::NoSession,
        Answer::Certified(Enrolled { count: 1, last: (2026, 3, 9) }),
        Answer::Suspended,
        Answer::NotSuspended,
        Answer::NumberExhausted,
        Answer::CallsUsedUp,
        Answer::Matched(Session {
            id: VerificationId([1; 16]),
            key_check: KeyCheck::parse("0042"),
            language: Language::ENGLISH,
        }),
        Answer::Wrong { tries_left: 1 },
        Answer::Stored,
        Answer::Gone,
        Answer::Unavailable,
        Answer::Verified(Arc::new(Report::unread(Fault::Header))),
        Answer::Verified(Arc::new(Report { verdict: Ok(Attest::A), said: None, signer: None })),
    ]);
    let source = prop::sample::select(vec![KeySource::TelephoneEvent, KeySource::InBand]);
    let event = prop_oneof![
        (1_u32..8).prop_map(MediaEvent::PlayEnded),
        (prop::sample::select(vec!['1', '2', '*', '#', 'A']), source)
            .prop_map(|(key, source)| MediaEvent::Key(key, source)),
        Just(MediaEvent::Silent),
        Just(MediaEvent::Closed(Quality::default())),
    ];
    let call = 0_usize..3;
    let changes = prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(change, 1..3)];
    prop_oneof![
        8 => (0_usize..3, what, changes).prop_map(|(caller, what, changes)| {
            Operation::Message { caller, what, changes }
        }),
        2 => (0_usize..3, any::<bool>()).prop_map(|(caller, timer)| Operation::Call { caller, timer }),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(Operation::Octets),
        4 => (call.clone(), answer).prop_map(|(call, answer)| Operation::Answer(call, answer)),
        1 => prop::sample::select(vec![Outcome::Issued, Outcome::Held, Outcome::Voided, Outcome::Failed]).prop_map(Operation::Outcome),
        4 => (call, event).prop_map(|(call, event)| Operation::Media(call, event)),
        3 => prop_oneof![4 => 0_u64..2_000, 1 => 0_u64..40_000].prop_map(|ms| Operation::Pass(Duration::from_millis(ms))),
        1 => prop_oneof![
            18 => Just(Operation::Pass(Duration::ZERO)),
            1 => Just(Operation::Drain),
            1 => Just(Operation::End),
        ],
    ]
}

proptest! {
    #[test]
    fn no_octets_do_harm(octets in prop::collection::vec(any::<u8>(), 0..400), trunk in any::<bool>()) {
        let mut stage = Stage::new(Limits::default());
        let from = if trunk { peer() } else { "198.18.0.1:5060".parse().unwrap() };
        let sent = stage.handle(Input::Message { from: from.into(), bytes: &octets });
        prop_assert!(sent <= 1);
    }

    #[test]
    fn no_text_that_looks_like_sip_does_harm(
        start in "(INVITE|ACK|BYE|OPTIONS) (sip:|tel:)[+0-9a-z@.;=?]{0,20} SIP/2.0",
        lines in prop::collection::vec(
            "(Via|v|From|f|To|t|Call-ID|i|CSeq|Contact|m|Content-Length|l|Content-Type|Record-Route|Identity):[ -~\t]{0,40}",
            0..12,
        ),
        body in "(v=0|o=|m=audio|c=IN IP4)?[ -~\r\n]{0,60}",
    ) {
        let text = format!("{start}\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n{}\r\n\r\n{body}", lines.join("\r\n"));
        let mut stage = Stage::new(Limits::default());
        let sent = stage.handle(Input::Message { from: peer().into(), bytes: text.as_bytes() });
        prop_assert!(sent <= 1);
    }

    #[test]
    fn whatever_happens_every_call_ends(operations in prop::collection::vec(operation(), 1..60)) {
        let (limits, pace) = (Limits { calls: 4, ..Limits::default() }, Pace { unacknowledged: 3, ..Pace::default() });
        let mut stage = Stage::with(limits, pace);
        for operation in operations {
            match operation {
                Operation::Message { caller, what, changes } => {
                    if what != "again" || stage.callers[caller].has_spoken() {
                        stage.say(caller, what, &changes);
                    }
                }
                Operation::Call { caller, timer } => {
                    let timer: &[_] = if timer { &["Session-Expires: 90"] } else { &["Require: 100rel"] };
                    stage.say(caller, "INVITE", timer);
                    stage.handle(Input::Answer(CallKey(stage.endpoint.last_key), Answer::Expected));
                    stage.say(caller, "ACK", &[]);
                }
                Operation::Octets(octets) => { stage.handle(Input::Message { from: peer().into(), bytes: &octets }); }
                Operation::Answer(key, answer) => { stage.handle(Input::Answer(stage.key(key), answer)); }
                Operation::Outcome(outcome) => { stage.handle(Input::Outcome(VerificationId([1; 16]), outcome)); }
                Operation::Media(key, event) => { stage.handle(Input::Media(stage.key(key), event)); }
                Operation::Pass(time) => stage.pass(time),
                Operation::Drain => { stage.handle(Input::RefuseNewCalls); }
                Operation::End => { stage.handle(Input::EndCalls); }
            }
        }
        stage.drain();
    }
}
