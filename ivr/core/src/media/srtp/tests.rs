use proptest::prelude::*;

use super::keys::tests::hex;
use super::*;

fn security(suite: Suite, key_name_bytes: u8) -> Security {
    let key = |first: u8| MasterKey::new((first..).take(suite.master_bytes()).collect(), suite).unwrap();
    Security { suite, ours: key(100), theirs: key(1), key_name_bytes }
}

/// The other side's sender, and our receiver.
fn pair(suite: Suite) -> (Sender, Receiver) {
    let security = security(suite, 0);
    (Sender::new(&security.theirs, suite, Numbers::default()), Receiver::new(&security))
}

fn packet(sequence: u16, ssrc: u32) -> Vec<u8> {
    let fixed = [0x80, 0, 0, 0, 0, 0, 0, 160].into_iter().chain(ssrc.to_be_bytes());
    let mut packet: Vec<u8> = fixed.chain(*b"what is said").collect();
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet
}

fn report(ssrc: u32) -> Vec<u8> {
    [0x80, 201, 0, 1].into_iter().chain(ssrc.to_be_bytes()).chain([0x81, 203, 0, 1]).chain(ssrc.to_be_bytes()).collect()
}

fn protected(sender: &mut Sender, clear: &[u8]) -> Vec<u8> {
    let mut packet = [clear, &[0; OVERHEAD]].concat();
    let length = sender.protect(&mut packet, clear.len());
    packet.truncate(length);
    packet
}

fn protected_report(sender: &mut Sender, clear: &[u8]) -> Vec<u8> {
    let mut packet = [clear, &[0; REPORT_OVERHEAD]].concat();
    let length = sender.protect_report(&mut packet, clear.len());
    packet.truncate(length);
    packet
}

fn opened(receiver: &mut Receiver, packet: &[u8]) -> Option<Vec<u8>> {
    let mut packet = packet.to_vec();
    let length = receiver.open(&mut packet).ok()?;
    packet.truncate(length);
    Some(packet)
}

fn opened_report(receiver: &mut Receiver, packet: &[u8]) -> Option<Vec<u8>> {
    let mut packet = packet.to_vec();
    let length = receiver.open_report(&mut packet).ok()?;
    packet.truncate(length);
    Some(packet)
}

#[test]
fn packets_are_those_of_libsrtp() {
    // test/srtp_driver.c, srtp_validate: the master key of RFC 3711 B.3, and reports that begin at 1.
    let key = hex("e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6");
    let suite = Suite::AesCm128Sha1_80;
    let key = MasterKey::new(key, suite).unwrap();
    let mut sender = Sender::new(&key, suite, Numbers { report: 1, ..Numbers::default() });
    let said = "abababab abababab abababab abababab";
    let audio = hex(&format!("800f1234 decafbad cafebabe {said}"));
    let expected = "800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc 99ea179b 8dbb";
    assert_eq!(protected(&mut sender, &audio), hex(expected));
    let compound = hex(&format!("81c8000b cafebabe {said}"));
    let expected = "81c8000b cafebabe 7128035b e487b9bd bef89041 f977a5a8 80000001 993e08cd 54d6c123 0798";
    assert_eq!(protected_report(&mut sender, &compound), hex(expected));
    let mut receiver = Receiver::new(&Security { suite, ours: key.clone(), theirs: key, key_name_bytes: 0 });
    assert_eq!(opened_report(&mut receiver, &hex(expected)), Some(compound));
}

#[test]
fn what_one_side_protects_the_other_opens_and_only_once() {
    for (suite, tag, report_tag) in [
        (Suite::AesCm128Sha1_80, 10, 10),
        (Suite::AesCm128Sha1_32, 4, 10),
        (Suite::AesCm256Sha1_80, 10, 10),
        (Suite::AesCm256Sha1_32, 4, 10),
        (Suite::AesGcm128, 16, 16),
        (Suite::AesGcm256, 16, 16),
    ] {
        let (mut sender, mut receiver) = pair(suite);
        for sequence in [7, 8, 9] {
            let clear = packet(sequence, 5);
            let sealed = protected(&mut sender, &clear);
            assert_eq!(sealed.len(), clear.len() + tag, "{suite:?}");
            assert!(sealed[..12] == clear[..12] && sealed[12..24] != clear[12..], "{suite:?}");
            assert_eq!(opened(&mut receiver, &sealed), Some(clear), "{suite:?}");
            assert_eq!(opened(&mut receiver, &sealed), None, "{suite:?}");
            let sealed = protected_report(&mut sender, &report(5));
            assert_eq!(sealed.len(), 16 + 4 + report_tag, "{suite:?}");
            assert_eq!(opened_report(&mut receiver, &sealed), Some(report(5)), "{suite:?}");
            assert_eq!(opened_report(&mut receiver, &sealed), None, "{suite:?}");
        }
    }
}

#[test]
fn what_was_changed_or_cut_is_not_opened_and_leaves_no_trace() {
    for suite in Suite::ALL {
        let (mut sender, mut receiver) = pair(suite);
        let (audio, compound) = (protected(&mut sender, &packet(7, 5)), protected_report(&mut sender, &report(5)));
        for place in 0..audio.len().max(compound.len()) {
            for (whole, open) in [
                (&audio, opened as fn(&mut Receiver, &[u8]) -> Option<Vec<u8>>),
                (&compound, opened_report as fn(&mut Receiver, &[u8]) -> Option<Vec<u8>>),
            ] {
                let mut changed = whole.clone();
                if let Some(octet) = changed.get_mut(place) {
                    *octet ^= 0x10;
                    assert_eq!(open(&mut receiver, &changed), None, "{suite:?}, {place}");
                    assert_eq!(open(&mut receiver, &whole[..place]), None, "{suite:?}, {place}");
                }
            }
        }
        assert!(!receiver.has_heard());
        assert_eq!(opened(&mut receiver, &audio), Some(packet(7, 5)), "{suite:?}");
    }
}

#[test]
fn numbers_turn_and_late_packets_are_of_the_turn_before() {
    let (mut sender, mut receiver) = pair(Suite::AesCm128Sha1_80);
    let [first, late, second, third] =
        [65_534, 65_535, 0, 1].map(|sequence| protected(&mut sender, &packet(sequence, 5)));
    for (sealed, sequence) in [(first, 65_534), (second, 0), (late, 65_535), (third, 1)] {
        assert_eq!(opened(&mut receiver, &sealed), Some(packet(sequence, 5)));
    }
    // Whoever hears of it only after the turn finds in.
    let after = protected(&mut sender, &packet(2, 5));
    let mut other = Receiver::new(&security(Suite::AesCm128Sha1_80, 0));
    assert_eq!(opened(&mut other, &after), Some(packet(2, 5)));
    assert_eq!(opened(&mut other, &protected(&mut sender, &packet(3, 5))), Some(packet(3, 5)));
}

#[test]
fn a_new_key_does_not_set_the_numbers_back() {
    let security = security(Suite::AesCm128Sha1_80, 0);
    let mut sender = Sender::new(&security.ours, security.suite, Numbers::default());
    for sequence in [65_535, 0] {
        protected(&mut sender, &packet(sequence, 5));
    }
    protected_report(&mut sender, &report(5));
    let mut sender = Sender::new(&security.theirs, security.suite, sender.numbers());
    let mut receiver = Receiver::new(&security);
    assert_eq!(opened(&mut receiver, &protected(&mut sender, &packet(1, 5))), Some(packet(1, 5)));
    assert_eq!(receiver.heard[0].audio.unwrap().highest, 65_537);
    assert!(opened_report(&mut receiver, &protected_report(&mut sender, &report(5))).is_some());
    assert_eq!(receiver.heard[0].reports.unwrap().highest, 1);
}

#[test]
fn the_name_of_a_key_is_stepped_over() {
    for suite in Suite::ALL {
        let (mut sender, _) = pair(suite);
        let mut receiver = Receiver::new(&security(suite, 3));
        let behind_tag = matches!(suite, Suite::AesGcm128 | Suite::AesGcm256);
        let mut audio = protected(&mut sender, &packet(7, 5));
        let at = if behind_tag { audio.len() } else { 24 };
        audio.splice(at..at, [0, 0, 1]);
        assert_eq!(opened(&mut receiver, &audio), Some(packet(7, 5)), "{suite:?}");
        let mut compound = protected_report(&mut sender, &report(5));
        let at = if behind_tag { compound.len() } else { 20 };
        compound.splice(at..at, [0, 0, 1]);
        assert_eq!(opened_report(&mut receiver, &compound), Some(report(5)), "{suite:?}");
    }
}

#[test]
fn sources_and_extension_of_a_header_are_not_encrypted() {
    let clear = hex("92000001 00000000 00000005 0000000a 0000000b bede0001 11223344 616263");
    let (mut sender, mut receiver) = pair(Suite::AesCm128Sha1_80);
    let sealed = protected(&mut sender, &clear);
    assert_eq!(sealed[..28], clear[..28]);
    assert_ne!(sealed[28..31], clear[28..]);
    assert_eq!(opened(&mut receiver, &sealed), Some(clear));
}

#[test]
fn reports_in_the_clear_are_not_taken() {
    let (mut sender, mut receiver) = pair(Suite::AesCm128Sha1_80);
    let mut compound = protected_report(&mut sender, &report(5));
    compound[16] &= 0x7f;
    assert_eq!(opened_report(&mut receiver, &compound), None);
}

#[test]
fn no_more_sources_are_remembered_than_a_call_has() {
    let (mut sender, mut receiver) = pair(Suite::AesCm128Sha1_80);
    for ssrc in 0..20 {
        let sealed = protected(&mut sender, &packet(7, ssrc));
        assert_eq!(opened(&mut receiver, &sealed).is_some(), ssrc < 16, "{ssrc}");
    }
    assert_eq!(receiver.heard.len(), 16);
}

proptest! {
    #[test]
    fn no_octets_do_harm(mut packet in proptest::collection::vec(any::<u8>(), 0..80), first in 0x80_u8..0xc0, which in 0_usize..6) {
        let mut receiver = Receiver::new(&security(Suite::ALL[which], 1));
        prop_assert_eq!(receiver.open(&mut packet), Err(NotAuthentic));
        packet.first_mut().into_iter().for_each(|octet| *octet = first);
        prop_assert_eq!(receiver.open(&mut packet), Err(NotAuthentic));
        prop_assert_eq!(receiver.open_report(&mut packet), Err(NotAuthentic));
    }
}
