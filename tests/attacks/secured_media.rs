//! Somebody on the path of the media who does not read the signalling: sends from the caller's own address, sends again what
//! was authentic, changes it on its way, and listens.

use std::collections::HashSet;
use std::net::UdpSocket;
use std::time::Duration;

use end_to_end::service::wait_until;
use ivr::clock::Clock;
use ivr::phone::load::caller::{Answered, Caller, answered, status};
use ivr_core::number::Number;

use crate::scene::{CARRIER, DIALLED, Scene, VICTIM, trunk};

/// The caller's key and salt; and key presses under it, under others and under none. By tests/vectors/srtp.py.
const CALLERS: &str = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0e";
const IN_THE_CLEAR: &str = "80e50001000003200d1a1b00018a0320";
const OTHERS: &str = "80e50001000003200d1a1b005ee04b05cdbe366020c71a5f8ebc";
const FIRST: &str = "80e50001000003200d1a1b002e7089f367fb4fbbc837135aca58";
const SECOND: &str = "80e507d000186a000d1a1b004eb034563d80d77eb34a3d969e8e";
const THIRD: &str = "80e507d100186d200d1a1b00b2d97fdebefeb61cdbee68fc38c9";

/// How often each is forged or played again.
const OFTEN: usize = 20;
/// As a telephone sends its packets.
const PACE: Duration = Duration::from_millis(20);

fn octets(hex: &str) -> Vec<u8> {
    let octet = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("an octet");
    (0..hex.len()).step_by(2).map(octet).collect()
}

/// This packet with one octet changed, whichever.
fn changed(packet: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..packet.len()).map(move |at| {
        let mut changed = packet.to_vec();
        changed[at] ^= 1;
        changed
    })
}

/// Its INVITE, with an offer of nothing but SRTP under the caller's key.
fn secured(invite: &str) -> String {
    let (head, body) = invite.split_once("\r\n\r\n").expect("it has an offer");
    let (head, _) = head.rsplit_once("Content-Length").expect("it says how long that is");
    let body =
        body.replace("RTP/AVP", "RTP/SAVP") + &format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{CALLERS}\r\n");
    format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// What the 200 says. It is acknowledged.
fn answer(caller: &Caller, sip: &UdpSocket) -> Answered {
    let mut buffer = [0; 4_096];
    loop {
        let length = sip.recv(&mut buffer).expect("an answer");
        let message = String::from_utf8_lossy(&buffer[..length]);
        if status(&message) == Some((200, "INVITE")) {
            assert!(message.contains("RTP/SAVP") && message.contains("a=crypto:1 "), "{message}");
            let answered = answered(&message).expect("an answer");
            sip.send_to(caller.ack(&answered).as_bytes(), caller.service).expect("it is sent");
            return answered;
        }
    }
}

#[test]
fn what_is_forged_changed_or_played_again_is_counted_and_not_heard_and_nobody_listens() {
    let required = "keeps_diversion = \"yes\"\nsrtp = \"required\"";
    let scene = Scene::with(&trunk("carrier", CARRIER, &[("keeps_diversion = \"yes\"", required)]));
    scene.begin(VICTIM);
    scene.record(&scene.refused(scene.plan(CARRIER, VICTIM), 488).call_id).is_refused(488, "no-srtp");

    let [sip, rtp] = [(); 2].map(|()| UdpSocket::bind((CARRIER, 0)).expect("a port"));
    sip.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket");
    rtp.set_nonblocking(true).expect("a socket");
    let place = |socket: &UdpSocket| socket.local_addr().expect("it is bound");
    let caller = Caller {
        index: 1,
        number: Number::parse(VICTIM).expect("a number"),
        sip: place(&sip),
        rtp: place(&rtp),
        service: scene.service.sip(),
        dialled: DIALLED.to_owned(),
        run: Clock.wall().unix_timestamp_nanos(),
    };
    let send = |text: &str| sip.send_to(text.as_bytes(), caller.service).expect("it is sent");
    send(&secured(&caller.invite()));
    let call = answer(&caller, &sip);
    let call_id = format!("{}-{}", caller.index, caller.run);

    let mut voice = Vec::new();
    wait_until("the code is asked for", || {
        let mut packet = [0; 2_048];
        while let Ok(length) = rtp.recv(&mut packet) {
            voice.push(packet[12..length].to_vec());
        }
        scene.recorded(&call_id).is_some_and(|record| record.steps().contains(&"entering-code"))
    });
    // In the clear all packets of a pause are alike.
    let different: HashSet<&Vec<u8>> = voice.iter().collect();
    assert!(voice.len() > 100 && different.len() == voice.len(), "{} of {}", different.len(), voice.len());

    let press = |packet: &[u8]| {
        rtp.send_to(packet, call.rtp).expect("it is sent");
        std::thread::sleep(PACE);
    };
    let [in_the_clear, others, first, second, third] = [IN_THE_CLEAR, OTHERS, FIRST, SECOND, THIRD].map(octets);
    (0..OFTEN).for_each(|_| press(&in_the_clear));
    (0..OFTEN).for_each(|_| press(&others));
    press(&first);
    changed(&second).for_each(|packet| press(&packet));
    press(&second);
    (0..OFTEN).for_each(|_| press(&first));
    (0..OFTEN).for_each(|_| press(&second));
    press(&third);
    let keys = || scene.recorded(&call_id).map_or(0, |record| record.count("key"));
    wait_until("all of it was looked at", || keys() >= 3);
    send(&caller.bye(&call));

    let record = scene.record(&call_id);
    assert_eq!((record.outcome.as_str(), record.count("key")), ("hung-up", 3), "{record:?}");
    let sql = "SELECT packets_unauthentic, srtp FROM calls WHERE sip_call_id = $1";
    let (dropped, suite): (i64, String) =
        scene.database(async |pool| sqlx::query_as(sql).bind(&call_id).fetch_one(&pool).await);
    assert_eq!(usize::try_from(dropped).expect("a number of packets"), 4 * OFTEN + second.len());
    assert_eq!(suite, "AES_CM_128_HMAC_SHA1_80");
    assert_eq!(scene.count("number_days WHERE wrong_codes > 0"), 0);
}
