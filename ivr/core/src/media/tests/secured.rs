//! Calls whose packets are protected.

use super::super::srtp::{Numbers, REPORT_OVERHEAD, Receiver, Sender};
use super::*;

/// Keys that begin with these octets.
fn security(suite: Suite, ours: u8, theirs: u8) -> Security {
    let key = |first: u8| MasterKey::new((first..).take(suite.master_bytes()).collect(), suite).unwrap();
    Security { suite, ours: key(ours), theirs: key(theirs), key_name_bytes: 0 }
}

const SUITE: Suite = Suite::AesCm128Sha1_80;

fn secured(ours: u8, theirs: u8) -> MediaPlan {
    MediaPlan { security: Some(security(SUITE, ours, theirs)), ..plan() }
}

/// The other side, whose key is `theirs`.
fn caller(theirs: u8) -> Sender {
    Sender::new(&security(SUITE, theirs, theirs).ours, SUITE, Numbers::default())
}

/// The key whose digit is the packet's number.
fn key(sender: &mut Sender, sequence: u16) -> Vec<u8> {
    let header = Header { marked: false, payload_type: 101, sequence, timestamp: 800 * u32::from(sequence), ssrc: 1 };
    let mut packet = [0; MediaSession::PACKET_BYTES];
    let length = header.write(&[sequence as u8, 10, 0, 160], &mut packet);
    let length = sender.protect(&mut packet, length);
    packet[..length].to_vec()
}

impl Line {
    /// Received, foreign and not authentic.
    fn counts(&self) -> [u64; 3] {
        let Quality { packets_received, packets_foreign, packets_unauthentic, .. } = self.session.quality();
        [packets_received, packets_foreign, packets_unauthentic]
    }
}

#[test]
fn what_we_say_only_the_other_side_can_hear() {
    for suite in Suite::ALL {
        let security = security(suite, 10, 90);
        let mut line = Line::answered(MediaPlan { security: Some(security.clone()), ..plan() });
        let Security { ours, theirs, .. } = security;
        let mut ear = Receiver::new(&Security { suite, ours: theirs, theirs: ours, key_name_bytes: 0 });
        for n in 0..3_u16 {
            line.now += line.session.packet_time();
            let mut packet = [0; MediaSession::PACKET_BYTES];
            let (_, length) = line.session.tick(line.now, &mut packet).packet.unwrap();
            assert_ne!(packet[12..172], [0xff; 160], "{suite:?}");
            let opened = ear.open(&mut packet[..length]).unwrap();
            let Packet { header, payload } = Packet::read(&packet[..opened]).unwrap();
            assert_eq!((header.sequence, payload), (65_535_u16.wrapping_add(n), &[0xff; 160][..]), "{suite:?}");
        }
        assert_eq!(line.session.quality().srtp, Some(suite));
    }
}

#[test]
fn only_what_is_authentic_counts_and_only_once() {
    let mut line = Line::answered(secured(10, 90));
    let mut phone = caller(90);
    let (first, second) = (key(&mut phone, 1), key(&mut phone, 2));
    assert_eq!(line.hears(CALLER, 101, 1, KEY_5), None, "in the clear");
    assert_eq!(line.takes(CALLER, &key(&mut caller(91), 1)), None, "by another key");
    assert_eq!(line.takes(STRANGER, &first), None);
    assert_eq!(line.counts(), [0, 1, 2]);
    assert_eq!(line.takes(CALLER, &first), Some('1'));
    assert_eq!(line.takes(CALLER, &first), None, "again");
    assert_eq!(line.counts(), [1, 1, 3]);
    assert_eq!(line.takes(CALLER, &second), Some('2'));
    assert_eq!(line.counts(), [2, 1, 3]);
}

#[test]
fn what_is_not_authentic_is_not_latched_to_and_keeps_no_call_alive() {
    let mut line = Line::answered(MediaPlan { latch_any: true, ..secured(10, 90) });
    let forged = key(&mut caller(91), 1);
    let silent = (0..2_000).find(|_| {
        line.takes(STRANGER, &forged);
        line.tick().1.fell_silent.is_some()
    });
    assert_eq!(silent, Some(1_499), "thirty seconds");
    assert_eq!(line.takes("127.0.0.3:7000", &key(&mut caller(90), 1)), Some('1'));
    let mut packet = [0; MediaSession::PACKET_BYTES];
    let to = line.session.tick(line.now, &mut packet).packet.unwrap().0;
    assert_eq!(to, "127.0.0.3:7000".parse().unwrap());
}

#[test]
fn their_former_key_holds_until_the_new_one_is_heard() {
    let mut line = Line::answered(secured(10, 90));
    let (mut before, mut after) = (caller(90), caller(60));
    assert_eq!(line.takes(CALLER, &key(&mut before, 1)), Some('1'));
    line.session.change(secured(10, 60), line.now);
    // A description that says the same changes nothing.
    line.session.change(secured(10, 60), line.now);
    assert_eq!(line.takes(CALLER, &key(&mut before, 2)), Some('2'));
    assert_eq!(line.takes(CALLER, &key(&mut after, 3)), Some('3'));
    assert_eq!(line.takes(CALLER, &key(&mut before, 4)), None);
    assert_eq!(line.takes(CALLER, &key(&mut after, 5)), Some('5'));
    assert_eq!(line.counts(), [4, 0, 1]);
}

#[test]
fn two_keys_that_follow_at_once_leave_the_one_in_use() {
    let mut line = Line::answered(secured(10, 90));
    let mut before = caller(90);
    assert_eq!(line.takes(CALLER, &key(&mut before, 1)), Some('1'));
    line.session.change(secured(10, 60), line.now);
    line.session.change(secured(10, 30), line.now);
    assert_eq!(line.takes(CALLER, &key(&mut before, 2)), Some('2'));
    assert_eq!(line.takes(CALLER, &key(&mut caller(30), 3)), Some('3'));
    assert_eq!(line.takes(CALLER, &key(&mut before, 4)), None);
}

#[test]
fn a_call_that_was_ever_in_the_clear_is_not_called_protected() {
    for (name, first, second, expected) in [
        ("always", secured(10, 90), secured(11, 91), Some(SUITE)),
        ("later", plan(), secured(10, 90), None),
        ("not any more", secured(10, 90), plan(), None),
        ("never", plan(), plan(), None),
    ] {
        let mut line = Line::answered(first);
        line.session.change(second.clone(), line.now);
        assert_eq!(line.session.quality().srtp, expected, "{name}");
        // And what was agreed last is done.
        let sealed = key(&mut caller(if name == "always" { 91 } else { 90 }), 1);
        assert_eq!(line.takes(CALLER, &sealed) == Some('1'), second.security.is_some(), "{name}");
    }
}

#[test]
fn reports_are_protected_on_either_port() {
    for (control, lane) in [(plan().control, Lane::Rtcp), (Control::Muxed, Lane::Rtp)] {
        let mut line = Line::answered(MediaPlan { control, ..secured(10, 90) });
        let (due, mut sealed) = line.report().unwrap();
        let mut ear = Receiver::new(&security(SUITE, 90, 10));
        let length = ear.open_report(&mut sealed).unwrap();
        assert_eq!((due.lane, sealed[1], &sealed[4..8]), (lane, 200, &[0, 0, 0, 9][..]));
        assert_eq!(sealed.len(), length + 14);
        let clear = their_report(9);
        let mut theirs = [&clear[..], &[0; REPORT_OVERHEAD]].concat();
        let length = caller(90).protect_report(&mut theirs, clear.len());
        let quality = line.reported(lane, CALLER, &clear);
        assert_eq!((quality.reported, quality.packets_unauthentic), (None, 1), "in the clear");
        assert_eq!(line.reported(lane, STRANGER, &theirs[..length]).packets_foreign, 1);
        let quality = line.reported(lane, CALLER, &theirs[..length]);
        assert_eq!((quality.reported.is_some(), quality.packets_unauthentic), (true, 1));
        assert_eq!(line.reported(lane, CALLER, &theirs[..length]).packets_unauthentic, 2, "again");
        let last = line.session.part(line.now, &mut [0; MediaSession::REPORT_BYTES]).unwrap();
        assert_eq!(last.length, 64 + 14);
    }
}
