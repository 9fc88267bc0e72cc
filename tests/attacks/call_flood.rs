//! Calls that cost: hundreds at once to take up the lines, and answered ones, for which the called side pays if its
//! number is toll-free.

use std::net::UdpSocket;
use std::time::Duration;

use end_to_end::service::wait_until;
use ivr::clock::Clock;
use ivr::phone::load::caller::{Caller, index_of, status};
use ivr::phone::{CallPlan, Scenario, Stage};
use ivr_core::number::Number;

use crate::scene::{CARRIER, DIALLED, OTHER_CARRIER, Scene, VICTIM, trunk};

/// INVITEs, each as soon as the one before is refused.
const CALLS: usize = 250;

#[test]
fn calls_for_nobody_are_refused_before_the_answer_and_take_up_nobody_elses_lines() {
    let scene = Scene::with(&(trunk("carrier", CARRIER, &[]) + &trunk("other", OTHER_CARRIER, &[])));
    scene.begin(VICTIM);
    let socket = UdpSocket::bind((CARRIER, 0)).expect("a port");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket");
    let sip = socket.local_addr().expect("it is bound");
    let (service, run) = (scene.service.sip(), Clock.wall().unix_timestamp_nanos());
    let callers: Vec<Caller> = (0..CALLS)
        .map(|index| {
            let number = Number::parse(&format!("+1212555{:04}", 100 + index % 100)).expect("a number");
            Caller { index, number, sip, rtp: sip, service, dialled: DIALLED.to_owned(), run }
        })
        .collect();
    for caller in &callers {
        socket.send_to(caller.invite().as_bytes(), service).expect("it is sent");
        let refusal = final_answer(&socket, caller);
        assert_eq!(status(&refusal), Some((480, "INVITE")), "{refusal}");
        let ack = caller.ack_refusal(&refusal).expect("a refusal");
        socket.send_to(ack.as_bytes(), service).expect("it is sent");
    }
    assert_eq!(
        (scene.figure("sip_answered_total"), scene.figure("sip_calls")),
        (0, 0),
        "somebody pays for these calls"
    );
    // Until its refusal is written, too, a call stands there as live.
    let refused = || scene.count("calls WHERE outcome = 'refused' AND reason IN ('no-session', 'trunk-rate')");
    let unrecorded = || scene.figure("sip_unrecorded_refusals_total");
    wait_until("the refusals are recorded", || refused().cast_unsigned() + unrecorded() == CALLS as u64);
    assert!(refused() >= 100, "{} are recorded", refused());
    assert_eq!(scene.count("calls WHERE outcome <> 'refused'"), 0);

    // Over another carrier somebody who is waited for gets in at once.
    let call = scene.call(scene.plan(OTHER_CARRIER, VICTIM));
    assert_eq!(call.status, Some(200));
    assert_eq!(scene.record(&call.call_id).outcome, "hung-up");
}

/// The final response to a caller's INVITE; 100, 180 and what is repeated of others is passed over.
fn final_answer(socket: &UdpSocket, caller: &Caller) -> String {
    let mut buffer = [0; 4_096];
    loop {
        let length = socket.recv(&mut buffer).expect("an answer");
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let is_final = matches!(status(&text), Some((200.., "INVITE")));
        if is_final && index_of(&text, caller.run) == Some(caller.index) {
            return text;
        }
    }
}

#[test]
fn a_number_has_two_calls_at_a_time() {
    let scene = &Scene::plain();
    let started = scene.begin(VICTIM);
    std::thread::scope(|scope| {
        let talk = || scene.plan_of(CARRIER, VICTIM, &started, Scenario::HangUp(Stage::Code));
        let two = [talk(), talk()].map(|plan| scope.spawn(move || scene.call(plan)));
        wait_until("both are on the line", || scene.figure("sip_confirmed_total") == 2);
        let third = scene.refused(scene.plan(CARRIER, VICTIM), 486);
        scene.record(&third.call_id).is_refused(486, "number-busy");
        for call in two {
            assert_eq!(call.join().expect("a call").status, Some(200));
        }
    });
}

#[test]
fn who_calls_for_nothing_is_answered_a_few_times_a_day_and_locks_nobody_else_out() {
    let unscreened = trunk("cheap", OTHER_CARRIER, &[("cli_screened = true", "cli_screened = false")]);
    let scene = Scene::found(&(trunk("carrier", CARRIER, &[]) + &unscreened), |config| {
        config + "\n[verification]\nfruitless_calls_a_day = 3\n"
    });
    let (started, other) = (scene.begin(VICTIM), "+12125550199");
    // Below the issuing level anybody can bear the number: such calls are never answered, and cost its owner nothing.
    for _ in 0..4 {
        scene.refused(scene.plan(OTHER_CARRIER, VICTIM), 403);
    }
    assert_eq!(scene.count("number_days WHERE fruitless_calls > 0"), 0);
    // A right code is no cost.
    let own = scene.call(scene.plan_of(CARRIER, VICTIM, &started, Scenario::HangUp(Stage::Confirm)));
    assert_eq!(scene.record(&own.call_id).outcome, "hung-up");
    for calls in 1..=3 {
        assert_eq!(scene.call(scene.plan(CARRIER, VICTIM)).status, Some(200));
        wait_until("the call is counted", || scene.count(&format!("number_days WHERE fruitless_calls = {calls}")) == 1);
    }
    let fourth = scene.refused(scene.plan_of(CARRIER, VICTIM, &started, Scenario::Happy), 486);
    scene.record(&fourth.call_id).is_refused(486, "calls-used-up");
    scene.page_hears(&started, "refused");
    // Another number is answered as before.
    scene.begin(other);
    assert_eq!(scene.call(scene.plan(CARRIER, other)).status, Some(200));
}

#[test]
fn who_uses_up_a_numbers_calls_has_to_go_on_all_day_to_keep_its_owner_from_suspending() {
    let scene = Scene::found(&trunk("carrier", CARRIER, &[]), |config| {
        config + "\n[verification]\nfruitless_calls_a_day = 1\n"
    });
    scene.prove(CARRIER, VICTIM, false);
    let hang_up_soon = || CallPlan { patience: Duration::from_secs(2), ..scene.plan(CARRIER, VICTIM) };
    for calls in 1..=10 {
        assert_eq!(scene.call(hang_up_soon()).status, Some(200), "call {calls}");
        wait_until("the call is counted", || scene.count(&format!("number_days WHERE fruitless_calls = {calls}")) == 1);
    }
    // A call that nobody acknowledges, because its source is forged, takes no turn.
    let socket = UdpSocket::bind((CARRIER, 0)).expect("a port");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket");
    let (sip, number) = (socket.local_addr().expect("it is bound"), Number::parse(VICTIM).expect("a number"));
    let (service, run) = (scene.service.sip(), Clock.wall().unix_timestamp_nanos());
    let forged = Caller { index: 0, number, sip, rtp: sip, service, dialled: DIALLED.to_owned(), run };
    socket.send_to(forged.invite().as_bytes(), service).expect("it is sent");
    assert_eq!(status(&final_answer(&socket, &forged)), Some((200, "INVITE")));
    // One call is told all the same; the next has to wait for a quarter of an hour.
    let owner = scene.call(hang_up_soon());
    assert_eq!(scene.record(&owner.call_id).steps(), ["telling", "ended: hung-up"]);
    let next = scene.refused(scene.plan(CARRIER, VICTIM), 486);
    scene.record(&next.call_id).is_refused(486, "calls-used-up");
}
