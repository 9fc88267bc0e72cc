//! Somebody who is on no path between the carrier and the service sends in the carrier's name (over UDP anybody can),
//! and never sees an answer: what the service says goes to the carrier.

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::time::Duration;

use end_to_end::service::wait_until;
use ivr::clock::Clock;
use ivr::phone::load::caller::{Caller, answered, status};
use ivr_core::number::Number;

use crate::scene::{CARRIER, DIALLED, STRANGER, Scene, VICTIM};

/// Guesses of our tag; it has 128 random bits.
const GUESSES: u64 = 500;

/// Requests inside the call whose tag was guessed: an ACK that would begin the conversation, keys, its end.
fn guesses(caller: &Caller, nth: u64) -> [String; 3] {
    let Caller { number, sip, service, index, run, .. } = caller;
    let (number, tag) = (number.as_str(), format!("{:032x}", u128::from(nth) << 64 | 0x5eed));
    let request = |method: &str, cseq: u32, rest: &str| {
        format!(
            "{method} sip:{DIALLED}@{service} SIP/2.0\r\nVia: SIP/2.0/UDP {sip};branch=z9hG4bK{nth}{method}\r\n\
             From: <sip:{number}@{sip};user=phone>;tag=c{index}\r\nTo: <sip:{DIALLED}@{service}>;tag={tag}\r\n\
             Call-ID: {index}-{run}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n{rest}"
        )
    };
    let key = "Content-Type: application/dtmf-relay\r\nContent-Length: 22\r\n\r\nSignal=1\r\nDuration=160";
    [
        request("ACK", 1, "Content-Length: 0\r\n\r\n"),
        request("INFO", 2, key),
        request("BYE", 3, "Content-Length: 0\r\n\r\n"),
    ]
}

#[test]
fn nothing_is_said_and_no_key_counts_before_an_ack_with_our_tag_and_guessed_requests_change_nothing() {
    let scene = Scene::plain();
    scene.begin(VICTIM);
    let service = scene.service.sip();
    let bind = |address| {
        let socket = UdpSocket::bind((address, 0)).expect("a port");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket");
        socket
    };
    // The carrier's own socket, which the attacker does not hear, and whom the voice would be sent to.
    let (carrier, target) = (bind(CARRIER), bind(STRANGER));
    let place = |socket: &UdpSocket| socket.local_addr().expect("it is bound");
    let caller = Caller {
        index: 1,
        number: Number::parse(VICTIM).expect("a number"),
        sip: place(&carrier),
        rtp: place(&target),
        service,
        dialled: DIALLED.to_owned(),
        run: Clock.wall().unix_timestamp_nanos(),
    };
    let send = |text: &str| carrier.send_to(text.as_bytes(), service).expect("it is sent");
    send(&caller.invite());
    let call = loop {
        let message = receive(&carrier);
        if status(&message) == Some((200, "INVITE")) {
            break answered(&message).expect("an answer");
        }
    };
    for nth in 0..GUESSES {
        for guess in guesses(&caller, nth) {
            send(&guess);
        }
        // Keys at the port of the answer, if somebody guessed that, too.
        target.send_to(&KEY, call.rtp).expect("it is sent");
        if nth % 16 == 0 {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    // Each INFO and BYE was refused, each ACK matched nothing.
    wait_until("the guesses were looked at", || scene.figure("sip_unmatched_acks_total") > GUESSES / 2);
    wait_until("the guesses were refused", || scene.figure("sip_forged_total") > GUESSES);
    assert_eq!(scene.figure("sip_confirmed_total"), 0, "a guess began the conversation");
    target.set_nonblocking(true).expect("a socket");
    let heard = target.recv(&mut [0; 1]).map_err(|error| error.kind());
    assert_eq!(heard, Err(ErrorKind::WouldBlock), "audio went to somebody who never asked for it");

    // The carrier's real ACK and BYE still work; of its address, not of another.
    let bye = caller.bye(&call);
    target.send_to(bye.as_bytes(), service).expect("it is sent");
    wait_until("a stranger's BYE was seen", || scene.figure("sip_strangers_total") > 0);
    assert_eq!(scene.figure("sip_calls"), 1, "a stranger ended the call");
    send(&caller.ack(&call));
    wait_until("the call is confirmed", || scene.figure("sip_confirmed_total") == 1);
    send(&bye);

    let record = scene.record(&format!("{}-{}", caller.index, caller.run));
    assert_eq!(record.count("key"), 0, "{record:?}");
    assert_eq!((record.outcome.as_str(), record.refusal.as_ref()), ("hung-up", None), "{record:?}");
    assert!(scene.audit().is_empty());
}

#[test]
fn two_calls_in_the_owners_name_that_are_never_acknowledged_do_not_keep_the_owner_out() {
    let scene = Scene::plain();
    scene.begin(VICTIM);
    let (carrier, service) = (UdpSocket::bind((CARRIER, 0)).expect("a port"), scene.service.sip());
    let at = carrier.local_addr().expect("it is bound");
    let forged = |index| Caller {
        index,
        number: Number::parse(VICTIM).expect("a number"),
        sip: at,
        rtp: at,
        service,
        dialled: DIALLED.to_owned(),
        run: Clock.wall().unix_timestamp_nanos(),
    };
    for index in [1, 2] {
        carrier.send_to(forged(index).invite().as_bytes(), service).expect("it is sent");
    }
    wait_until("both are answered", || scene.figure("sip_answered_total") == 2);
    let call = scene.call(scene.plan(CARRIER, VICTIM));
    assert_eq!(call.status, Some(200), "{call:?}");
    let record = scene.record(&call.call_id);
    assert_eq!((record.outcome.as_str(), record.refusal.as_ref()), ("hung-up", None), "{record:?}");
    assert_eq!(scene.figure("sip_confirmed_total"), 1, "the owner's alone");
}

/// A key by RFC 4733: payload type 101, digit 1, its end.
const KEY: [u8; 16] = [0x80, 0x80 | 101, 0, 1, 0, 0, 0, 1, 9, 9, 9, 9, 1, 0x8a, 3, 0x20];

fn receive(socket: &UdpSocket) -> String {
    let mut buffer = [0; 4_096];
    let length = socket.recv(&mut buffer).expect("an answer");
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}
