//! What a stranger, a broken trunk or a slow world may do: whatever comes in, nothing panics, what goes out and what is
//! kept is bounded, and every call ends.

use std::net::SocketAddr;
use std::time::Duration;

use proptest::prelude::*;

use super::testing::{Caller, PEER, account};
use super::*;
use crate::call::question::Answer;
use crate::caller::{Pace, Realm};

mod operation;
mod stage;

use operation::{Operation, operation};
use stage::Stage;

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
