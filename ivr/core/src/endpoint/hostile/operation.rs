//! One thing that may happen to an endpoint, drawn at random.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use voice_prompts::Language;

use crate::call::question::{Answer, Enrolled, Outcome, Session, VerificationId};
use crate::caller::Attest;
use crate::key_check::KeyCheck;
use crate::media::{KeySource, MediaEvent, Quality, Silence};
use crate::passport::{Fault, Report};

/// One thing that may happen.
#[derive(Debug, Clone)]
pub(super) enum Operation {
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

pub(super) fn operation() -> impl Strategy<Value = Operation> {
    let call = 0_usize..3;
    prop_oneof![
        8 => (0_usize..3, prop::sample::select(MESSAGES), changes()).prop_map(|(caller, what, changes)| {
            Operation::Message { caller, what, changes }
        }),
        2 => (0_usize..3, any::<bool>()).prop_map(|(caller, timer)| Operation::Call { caller, timer }),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(Operation::Octets),
        4 => (call.clone(), answer()).prop_map(|(call, answer)| Operation::Answer(call, answer)),
        1 => prop::sample::select(vec![Outcome::Issued, Outcome::Held, Outcome::Voided, Outcome::Failed]).prop_map(Operation::Outcome),
        4 => (call, media_event()).prop_map(|(call, event)| Operation::Media(call, event)),
        3 => prop_oneof![4 => 0_u64..2_000, 1 => 0_u64..40_000].prop_map(|ms| Operation::Pass(Duration::from_millis(ms))),
        1 => prop_oneof![
            18 => Just(Operation::Pass(Duration::ZERO)),
            1 => Just(Operation::Drain),
            1 => Just(Operation::End),
        ],
    ]
}

/// How a message is changed; most are not.
fn changes() -> impl Strategy<Value = Vec<&'static str>> {
    prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(prop::sample::select(CHANGES), 1..3)]
}

/// What the store may answer.
fn answer() -> impl Strategy<Value = Answer> {
    prop::sample::select(vec![
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
    ])
}

/// What the media thread may say.
fn media_event() -> impl Strategy<Value = MediaEvent> {
    let source = prop::sample::select(vec![KeySource::TelephoneEvent, KeySource::InBand]);
    prop_oneof![
        (1_u32..8).prop_map(MediaEvent::PlayEnded),
        (prop::sample::select(vec!['1', '2', '*', '#', 'A']), source)
            .prop_map(|(key, source)| MediaEvent::Key(key, source)),
        Just(MediaEvent::Silent(Silence::NoAudio)),
        Just(MediaEvent::Closed(Quality::default())),
    ]
}

/// What a caller may send; what begins a call and carries it comes oftener.
const MESSAGES: &[&str] = &[
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
];
/// What of it may be changed.
const CHANGES: &[&str] = &[
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
];
