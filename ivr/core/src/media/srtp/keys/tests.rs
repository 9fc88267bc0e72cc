use super::*;

/// Octets of hexadecimal digits between spaces.
pub(in super::super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

fn master(suite: Suite, text: &str) -> MasterKey {
    MasterKey::new(hex(text), suite).unwrap()
}

#[test]
fn keys_in_counter_mode_are_those_of_rfc_3711_b_2() {
    let mut octets = [0; 48];
    let counter = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000").try_into().unwrap();
    Aes::new(&hex("2b7e151628aed2a6abf7158809cf4f3c")).apply(&counter, &mut octets);
    let expected = "e03ead0935c95e80e166b16dd92b4eb4 d23513162b02d0f72a43a2fe4a5f97ab 41e95b3bb0a2e8dd477901e4fca894c0";
    assert_eq!(octets[..], hex(expected));
}

/// What the derived keys do, held against keys that are known: the same keystream, the same authentication.
fn derives(suite: Suite, given: &str, key: &str, salt: &str, authentication: &str) {
    let derived = SessionKeys::derive(&master(suite, given), suite, Kind::Audio);
    assert_eq!(derived.salt[..suite.salt_bytes()], hex(salt), "{suite:?}");
    let Cipher::Counter { aes, hmac, tag_bytes } = &derived.cipher else { panic!("it is in counter mode") };
    assert_eq!(*tag_bytes, 10);
    let (mut ours, mut known) = ([0; 32], [0; 32]);
    aes.apply(&[9; 16], &mut ours);
    Aes::new(&hex(key)).apply(&[9; 16], &mut known);
    assert_eq!(ours, known, "{suite:?}");
    let known = Hmac::<Sha1>::new_from_slice(&hex(authentication)).unwrap();
    assert_eq!(hmac.clone().finalize().into_bytes(), known.finalize().into_bytes(), "{suite:?}");
}

#[test]
fn session_keys_are_those_of_rfc_3711_b_3_and_rfc_6188_7() {
    derives(
        Suite::AesCm128Sha1_80,
        "e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6",
        "c61e7a93744f39ee10734afe3ff7a087",
        "30cbbc08863d8c85d49db34a9ae1",
        "cebe321f6ff7716b6fd4ab49af256a156d38baa4",
    );
    derives(
        Suite::AesCm256Sha1_80,
        "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6 3b04803de51ee7c96423ab5b78d2",
        "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4",
        "fa31791685ca444a9e07c6c64e93",
        "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05",
    );
}

/// Session keys that are known, as in the examples of RFC 7714, which begin there.
fn galois(key: &str) -> SessionKeys {
    let mut salt = Zeroizing::new([0; LONGEST_SALT]);
    salt[..12].copy_from_slice(&hex("517569642070726f2071756f"));
    let key = hex(key);
    let cipher = if key.len() == 16 {
        Cipher::Galois128(Aes128Gcm::new_from_slice(&key).unwrap())
    } else {
        Cipher::Galois256(Aes256Gcm::new_from_slice(&key).unwrap())
    };
    SessionKeys { cipher, salt }
}

#[test]
fn packets_are_those_of_rfc_7714_16_and_17() {
    let short = "000102030405060708090a0b0c0d0e0f";
    let long = &format!("{short}101112131415161718191a1b1c1d1e1f");
    let audio = "47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573";
    let report = "4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef deadbeef";
    let (audio_head, report_head) = ("8040f17b 8041f8d3 5501a0b2", "81c8000d 4d617273");
    for (name, key, kind, (ssrc, index), header, clear, sealed) in [
        (
            "16.1.1",
            short,
            Kind::Audio,
            (0x5501_a0b2, 0xf17b),
            audio_head,
            audio,
            "f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf 8833 899d7f27 beb16a91 \
             52cf765e e4390cce",
        ),
        (
            "16.2.1",
            long,
            Kind::Audio,
            (0x5501_a0b2, 0xf17b),
            audio_head,
            audio,
            "32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f 1ba63799 b87b 7aa3db36 dfffd6b0 \
             f9bb7878 d7a76c13",
        ),
        (
            "17.1",
            short,
            Kind::Reports,
            (0x4d61_7273, 0x5d4),
            report_head,
            report,
            "63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b c84aa458 \
             96cf4d2f c5abf872 45d9eade",
        ),
        (
            "17.2",
            long,
            Kind::Reports,
            (0x4d61_7273, 0x5d4),
            report_head,
            report,
            "d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be 8415f658 c61de047 6f1b6fad 1d1eb30c \
             4446839f 57ff6f6c b26ac3be",
        ),
    ] {
        let keys = galois(key);
        let behind = if kind == Kind::Audio { [0; 4] } else { [0x80, 0, 5, 0xd4] };
        let header = &hex(header);
        let (mut body, mut tag) = (hex(clear), [0; 16]);
        keys.seal(Pieces { ssrc, index, header, body: &mut body, behind, kind }, &mut tag);
        assert_eq!([&body[..], &tag].concat(), hex(sealed), "{name}");
        assert!(keys.open(Pieces { ssrc, index, header, body: &mut body, behind, kind }, &tag), "{name}");
        assert_eq!(body, hex(clear), "{name}");
        tag[3] ^= 1;
        assert!(!keys.open(Pieces { ssrc, index, header, body: &mut body, behind, kind }, &tag), "{name}");
    }
}
