use proptest::prelude::*;

use super::*;

const BLOCK: Block = Block {
    ssrc: 0x0a0b_0c0d,
    fraction_lost: 64,
    lost: -2,
    highest: 0x0001_fffe,
    jitter: 17,
    last_report: 0x0102_0304,
    delay: 65_536,
};
const SENT: Sent = Sent { ntp: 0x0000_0005_8000_0000, timestamp: 4_711, packets: 250, octets: 40_000 };

/// From 0x01020304.
fn written(sent: Option<Sent>, heard: Option<Block>, parts: bool) -> Vec<u8> {
    let mut packet = [0; REPORT_BYTES];
    let statement = Statement { ssrc: 0x0102_0304, sent, heard, cname: "MDEyMzQ1Njc4OWFi", parts };
    let length = statement.write(&mut packet);
    packet[..length].to_vec()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[test]
fn a_compound_has_the_octets_of_the_rfc() {
    let name = "81ca0006 01020304 0110 4d44457 94d7a5131 4e6a6334 4f574669 0000";
    let block = "0a0b0c0d 40fffffe 0001fffe 00000011 01020304 00010000";
    let sender = "01020304 00000005 80000000 00001267 000000fa 00009c40";
    for (what, statement, expected) in [
        ("a sender that hears", written(Some(SENT), Some(BLOCK), false), format!("81c8000c {sender} {block} {name}")),
        ("a sender that hears nothing", written(Some(SENT), None, false), format!("80c80006 {sender} {name}")),
        ("a listener", written(None, Some(BLOCK), false), format!("81c90007 01020304 {block} {name}")),
        ("the end", written(None, None, true), format!("80c90001 01020304 {name} 81cb0001 01020304")),
    ] {
        assert_eq!(statement, hex(&expected), "{what}");
    }
    assert_eq!(written(Some(SENT), Some(BLOCK), true).len(), REPORT_BYTES);
}

#[test]
fn what_is_said_of_us_is_read_and_the_rest_is_stepped_over() {
    let told = Told { ssrc: 0x0102_0304, report: Some(0x0005_8000), of_us: Some(BLOCK) };
    let listener = Told { report: None, ..told };
    let others = Block { ssrc: 1, ..BLOCK };
    let silent = Told { of_us: None, ..told };
    let application = hex("80cc0002 00000007 6e616d65");
    let extended = hex("80cf0003 00000007 04000001 00000000");
    let unreadable = hex("9fca0001 ffffffff");
    let padded = hex("a0cb0001 00000004");
    for (what, bytes, expected) in [
        ("a sender", written(Some(SENT), Some(BLOCK), true), told),
        ("a listener", written(None, Some(BLOCK), false), listener),
        ("of somebody else", written(Some(SENT), Some(others), false), silent),
        ("nothing", written(Some(SENT), None, false), silent),
        (
            "in a second report",
            [written(Some(SENT), Some(others), false), written(None, Some(BLOCK), false)].concat(),
            told,
        ),
        ("behind the rest", [written(Some(SENT), Some(BLOCK), false), application, extended].concat(), told),
        ("an SDES of nonsense", [written(Some(SENT), Some(BLOCK), false), unreadable].concat(), told),
        ("a padded end", [written(Some(SENT), Some(BLOCK), false), padded].concat(), told),
    ] {
        assert_eq!(Told::read(&bytes, BLOCK.ssrc), Some(expected), "{what}");
    }
}

#[test]
fn what_is_no_compound_is_nothing() {
    let good = written(Some(SENT), Some(BLOCK), false);
    let with = |at: usize, octet: u8| {
        let mut bytes = good.clone();
        bytes[at] = octet;
        bytes
    };
    for (what, bytes) in [
        ("nothing", Vec::new()),
        ("three octets", vec![0x80, 0xc8, 0]),
        ("version 1", with(0, 0x41)),
        ("version 1 further on", with(52, 0x41)),
        ("a padded report first", with(0, 0xa1)),
        ("no report first", hex("81cb0001 01020304")),
        (
            "a report too short for its blocks",
            hex("82c90007 01020304 0a0b0c0d 40fffffe 0001fffe 00000011 01020304 00010000"),
        ),
        ("a report too short for a sender", hex("80c80001 01020304")),
        ("a length beyond the end", with(3, 40)),
        ("an octet too many", [good.clone(), vec![0]].concat()),
        ("an octet too few", good[..good.len() - 1].to_vec()),
        ("one padded packet", hex("a0c90002 01020304 00000004")),
    ] {
        assert_eq!(Told::read(&bytes, BLOCK.ssrc), None, "{what}");
    }
}

proptest! {
    #[test]
    fn no_octets_make_the_reader_panic(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..120), kind in 200u8..208, words in 0u8..30,
    ) {
        let _ = Told::read(&bytes, 1);
        if let [first, second, third, fourth, ..] = bytes.as_mut_slice() {
            (*first, *second, *third, *fourth) = (0x80 | (*first & 0x3f), kind, 0, words);
        }
        let _ = Told::read(&bytes, 1);
        let _ = Told::read(&[written(Some(SENT), Some(BLOCK), false), bytes].concat(), 1);
    }
}
