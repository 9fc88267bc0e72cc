//! What a carrier asks of a called side, played by SIPp over UDP and over TCP: each duty of the SIP side that another program
//! can play. docs/duties.md says which.

use end_to_end::proving::happenings;
use end_to_end::service::{Service, wait_until};
use end_to_end::sipp::{LISTENING_MS, SPEECH, Scenario};
use ivr::phone::api::{Api, Start, Started};
use tokio::runtime::Runtime;

const HELD: &str = "a=rtpmap:101 telephone-event/8000\na=sendonly";
const WITHOUT_KEYS: &str = "a=sendrecv";

/// Plays it over UDP and TCP, each with a caller that is expected: the two last digits of its number.
fn plays(callers: [u8; 2], scenario: impl Fn(&Started) -> Scenario, wanted: &[&str]) {
    let (demo, runtime) = (Service::demo(), Runtime::new().expect("a runtime"));
    let api = Api::new(demo.http());
    for (transport, caller) in ["u1", "t1"].into_iter().zip(callers) {
        let number = format!("+120255501{caller:02}");
        let start = Start { number: &number, csr: None, publish: false, locale: "en" };
        let started = runtime.block_on(api.start(&start)).expect("a verification");
        let played = scenario(&started).play(&number, &started.dial.number, demo.sip(), transport);
        played.unwrap_or_else(|otherwise| panic!("over {transport}: {otherwise}\n{}", demo.log()));
        wait_until(&format!("the page tells {wanted:?}"), || {
            let happened = happenings(&demo, &started);
            wanted.iter().all(|what| happened.iter().any(|happened| happened == what))
        });
    }
}

/// INVITE with an offer and these headers, answered, acknowledged.
fn answered(headers: &str, offer: &str, in_the_answer: &[&str]) -> Scenario {
    let ringing = Scenario::default().opens("INVITE", headers, Some(offer)).may_hear(100).may_hear(180);
    ringing.hears(200, in_the_answer).says("ACK", "", None)
}

fn hung_up(scenario: Scenario) -> Scenario {
    scenario.waits(200).says("BYE", "", None).hears(200, &[])
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs SIPp: run tests/run")]
fn a_late_offer_is_answered_in_the_ack() {
    let scenario = |_: &Started| {
        let ringing = Scenario::default().opens("INVITE", "", None).may_hear(100).may_hear(180);
        hung_up(ringing.hears(200, &["m=audio", "telephone-event"]).says("ACK", "", Some(SPEECH)))
    };
    plays([1, 2], scenario, &[]);
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs SIPp: run tests/run")]
fn a_call_is_held_and_resumed_by_reinvite() {
    let scenario = |_: &Started| {
        let held = answered("", SPEECH, &["a=sendrecv"]).waits(200).says("INVITE", "", Some(HELD));
        let held = held.may_hear(100).hears(200, &["a=recvonly"]).says("ACK", "", None).waits(200);
        let resumed = held.says("INVITE", "", Some(SPEECH)).may_hear(100).hears(200, &["a=sendrecv"]);
        hung_up(resumed.says("ACK", "", None))
    };
    plays([3, 4], scenario, &[]);
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs SIPp: run tests/run")]
fn a_call_is_held_and_resumed_by_update() {
    let scenario = |_: &Started| {
        let held = answered("", SPEECH, &["a=sendrecv"]).says("UPDATE", "", Some(HELD)).hears(200, &["a=recvonly"]);
        hung_up(held.says("UPDATE", "", Some(SPEECH)).hears(200, &["a=sendrecv"]))
    };
    plays([5, 6], scenario, &[]);
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs SIPp: run tests/run")]
fn a_reliable_180_gets_its_prack_and_the_answer_does_not_wait_for_it() {
    let scenario = |_: &Started| {
        let ringing = Scenario::default().opens("INVITE", "Require: 100rel\n", Some(SPEECH)).may_hear(100);
        // RFC 3262 3: our 180 has no description, so the 200 follows it at once.
        let answered = ringing.hears_number(180, "RSeq").hears(200, &["CSeq: 1 INVITE"]);
        let acknowledged = answered.says("PRACK", "RAck: [$RSeq] 1 INVITE\n", None).hears(200, &["PRACK"]);
        hung_up(acknowledged.says("ACK", "", None))
    };
    plays([7, 8], scenario, &[]);
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs SIPp: run tests/run")]
fn a_session_timer_is_agreed_on_and_refreshed() {
    let scenario = |_: &Started| {
        let asks = "Supported: timer\nSession-Expires: 90;refresher=uac\n";
        let agreed = answered(asks, SPEECH, &["Session-Expires: 90;refresher=uac", "Require: timer"]);
        hung_up(agreed.says("UPDATE", asks, None).hears(200, &["Session-Expires: 90;refresher=uac"]))
    };
    plays([9, 10], scenario, &[]);
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs SIPp: run tests/run")]
fn a_session_that_is_too_short_is_refused_with_the_least() {
    let scenario = |_: &Started| {
        let asks = "Supported: timer\nSession-Expires: 30\n";
        let asked = Scenario::default().opens("INVITE", asks, Some(SPEECH)).may_hear(100);
        asked.hears(422, &["Min-SE: 90"]).says_of_the_invite("ACK")
    };
    plays([11, 12], scenario, &[]);
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs SIPp: run tests/run")]
fn keys_by_info_enter_the_code() {
    let scenario = |started: &Started| {
        let mut entering = answered("", WITHOUT_KEYS, &["m=audio"]).waits(LISTENING_MS);
        for key in started.code.expose().chars() {
            let pressed = format!("Signal={key}\nDuration=160\n");
            entering = entering.says("INFO", "", Some(&pressed)).hears(200, &[]).waits(120);
        }
        hung_up(entering.waits(1_000))
    };
    plays([13, 14], scenario, &["code-matched"]);
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs SIPp: run tests/run")]
fn what_a_called_side_does_not_do_is_refused_and_the_call_goes_on() {
    let scenario = |_: &Started| {
        let call = answered("", SPEECH, &["a=sendrecv"]).says("REFER", "Refer-To: <sip:x@127.0.0.1>\n", None);
        let call = call.hears(603, &[]).says("MESSAGE", "", None).hears(405, &["Allow: INVITE"]);
        let call = call.says("UPDATE", "Require: precondition\n", None).hears(420, &["Unsupported: precondition"]);
        hung_up(call.says("OPTIONS", "", None).hears(200, &["Allow: INVITE", "Accept: application/sdp"]))
    };
    plays([15, 16], scenario, &[]);
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs SIPp: run tests/run")]
fn a_cancel_that_crosses_the_answer_changes_nothing() {
    let scenario = |_: &Started| {
        let ringing = Scenario::default().opens("INVITE", "", Some(SPEECH)).may_hear(100).may_hear(180);
        let crossed = ringing.hears(200, &["INVITE"]).says_of_the_invite("CANCEL").hears(200, &["CANCEL"]);
        hung_up(crossed.says("ACK", "", None))
    };
    plays([17, 18], scenario, &[]);
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs SIPp: run tests/run")]
fn options_are_answered_outside_of_a_call() {
    let scenario =
        |_: &Started| Scenario::default().opens("OPTIONS", "", None).hears(200, &["Supported: timer, 100rel"]);
    plays([19, 20], scenario, &[]);
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs SIPp: run tests/run")]
fn without_a_common_codec_there_is_no_call() {
    let scenario = |_: &Started| {
        let offer = "m=audio [media_port] RTP/AVP 18\na=rtpmap:18 G729/8000";
        let asked = Scenario::default().opens("INVITE", "", Some(offer)).may_hear(100);
        asked.hears(488, &[]).says_of_the_invite("ACK")
    };
    plays([21, 22], scenario, &["refused"]);
}
