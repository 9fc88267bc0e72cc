use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::*;

/// As RFC 4568 has them in its examples, one for each length.
const KEY: &str = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
const KEY_OF_46: &str = "inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLQ==";
const KEY_OF_28: &str = "inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==";
const KEY_OF_44: &str = "inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis=";

#[test]
fn a_line_is_taken_up_if_we_can_obey_all_of_it() {
    let short = "AES_CM_128_HMAC_SHA1_80";
    for (name, line, expected) in [
        ("plain", format!("1 {short} {KEY}"), Some((1, 0))),
        ("a long tag", format!("999999999 {short} {KEY}"), Some((999_999_999, 0))),
        ("a longer one", format!("1000000000 {short} {KEY}"), None),
        ("no number", format!("+1 {short} {KEY}"), None),
        ("short tags", format!("2 AES_CM_128_HMAC_SHA1_32 {KEY}"), Some((2, 0))),
        ("long keys", format!("2 AES_256_CM_HMAC_SHA1_80 {KEY_OF_46}"), Some((2, 0))),
        ("GCM", format!("2 AEAD_AES_128_GCM {KEY_OF_28}"), Some((2, 0))),
        ("GCM, long keys", format!("2 AEAD_AES_256_GCM {KEY_OF_44}"), Some((2, 0))),
        ("a key too short", format!("2 AES_256_CM_HMAC_SHA1_80 {KEY_OF_44}"), None),
        ("a key too long", format!("2 {short} {KEY_OF_46}"), None),
        ("without padding", format!("2 AEAD_AES_128_GCM {}", KEY_OF_28.trim_end_matches('=')), Some((2, 0))),
        ("another suite", format!("2 F8_128_HMAC_SHA1_80 {KEY}"), None),
        ("another method", format!("2 {short} uri:x"), None),
        ("no key", format!("2 {short}"), None),
        ("no base64", format!("2 {short} inline:????"), None),
        ("no text at the place", format!("2 {short} inlinë:x"), None),
        ("lifetime", format!("1 {short} {KEY}|2^20"), Some((1, 0))),
        ("lifetime in packets", format!("1 {short} {KEY}|1048576"), Some((1, 0))),
        ("lifetime and name", format!("1 {short} {KEY}|2^20|1:4"), Some((1, 4))),
        ("name alone", format!("1 {short} {KEY}|66051:3"), Some((1, 3))),
        ("longest lifetime", format!("1 {short} {KEY}|2^48"), Some((1, 0))),
        ("too long a lifetime", format!("1 {short} {KEY}|2^49"), None),
        ("no life", format!("1 {short} {KEY}|0"), None),
        ("no lifetime", format!("1 {short} {KEY}|x"), None),
        ("the longest name", format!("1 {short} {KEY}|1:128"), Some((1, 128))),
        ("too long a name", format!("1 {short} {KEY}|1:129"), None),
        ("a name of no octets", format!("1 {short} {KEY}|1:0"), None),
        ("too many parts", format!("1 {short} {KEY}|2^20|1:4|x"), None),
        ("two keys", format!("1 {short} {KEY}|2^20|1:4;{KEY}|2^20|2:4"), None),
        ("a window", format!("1 {short} {KEY} WSH=128"), Some((1, 0))),
        ("keys that change", format!("1 {short} {KEY} KDR=1"), None),
        ("unencrypted", format!("1 {short} {KEY} UNENCRYPTED_SRTP"), None),
        ("reports unencrypted", format!("1 {short} {KEY} UNENCRYPTED_SRTCP"), None),
        ("unauthenticated", format!("1 {short} {KEY} UNAUTHENTICATED_SRTP"), None),
        ("unknown", format!("1 {short} {KEY} NOVELTY=1"), None),
        ("unknown and optional", format!("1 {short} {KEY} WSH=64 -NOVELTY=1"), Some((1, 0))),
        ("in small letters", format!("1 {} {}", short.to_lowercase(), KEY.replace("inline", "INLINE")), Some((1, 0))),
        ("nothing", String::new(), None),
    ] {
        let read = Crypto::parse(&line).map(|crypto| (crypto.tag, crypto.key_name_bytes));
        assert_eq!(read, expected, "{name}");
    }
}

#[test]
fn what_we_write_we_can_read() {
    let mut chance = ChaCha20Rng::from_seed([7; 32]);
    for suite in Suite::ALL {
        let ours = Crypto::drawn(3, suite, &mut chance);
        assert_eq!(Crypto::parse(&ours.written()), Some(ours.clone()), "{suite:?}");
        let answer = ours.answer(&mut chance);
        assert!(answer.answers(&ours) && answer.key != ours.key, "{suite:?}");
    }
}

#[test]
fn a_key_is_not_shown() {
    let line = Crypto::parse(&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}")).unwrap();
    let expected = "Crypto { tag: 1, suite: AesCm128Sha1_80, key: MasterKey([private]), key_name_bytes: 0 }";
    assert_eq!(format!("{line:?}"), expected);
}

/// An m= line with these attributes.
fn media(profile: &str, lines: &[&str]) -> Media {
    let mut media = Media::new(sdp_types::MediaType::Audio, 30_000, sdp_types::TransportProto::RtpAvp, "0");
    profile.clone_into(&mut media.proto);
    lines.iter().for_each(|line| media.add_attribute_with_value("crypto", line));
    media
}

#[test]
fn the_first_line_that_we_know_is_taken_up_and_a_secure_profile_needs_one() {
    let [unknown, second, third] = [
        format!("1 F8_128_HMAC_SHA1_80 {KEY}"),
        format!("2 AES_CM_128_HMAC_SHA1_32 {KEY}"),
        format!("3 AES_CM_128_HMAC_SHA1_80 {KEY}"),
    ];
    for (name, profile, lines, offered, required) in [
        ("in the clear", "RTP/AVP", &[][..], Ok(None), Err(NotProtected)),
        ("as one would like to", "RTP/AVP", &[&second[..]], Ok(Some(2)), Ok(Some(2))),
        ("as nobody can", "RTP/AVP", &[&unknown], Ok(None), Err(NotProtected)),
        ("secure", "RTP/SAVP", &[&unknown, &second, &third], Ok(Some(2)), Ok(Some(2))),
        ("secure, with feedback", "RTP/SAVPF", &[&third, &second], Ok(Some(3)), Ok(Some(3))),
        ("secure without a key", "RTP/SAVP", &[], Err(NotProtected), Err(NotProtected)),
        ("secure with none that we know", "RTP/SAVPF", &[&unknown], Err(NotProtected), Err(NotProtected)),
    ] {
        let media = media(profile, lines);
        for (srtp, expected) in [(Srtp::Offered, offered), (Srtp::Required, required)] {
            let taken = read(&media, Sought::Offer(srtp)).map(|crypto| crypto.map(|crypto| crypto.tag));
            assert_eq!(taken, expected, "{name}, {srtp:?}");
        }
    }
}

#[test]
fn an_answer_takes_up_what_was_offered_or_nothing() {
    let ours = Crypto::parse(&format!("2 AES_CM_128_HMAC_SHA1_80 {KEY}")).unwrap();
    let (right, wrong_tag, wrong_suite) = (
        format!("2 AES_CM_128_HMAC_SHA1_80 {KEY}"),
        format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}"),
        format!("2 AES_CM_128_HMAC_SHA1_32 {KEY}"),
    );
    let (clear, secure) = ("RTP/AVP", "RTP/SAVP");
    let no = Err(NotProtected);
    for (name, offered, ours, answered, lines, expected) in [
        ("as offered", secure, Some(&ours), secure, &[&right[..]][..], [Ok(true); 2]),
        ("another line", secure, Some(&ours), secure, &[&wrong_tag], [no; 2]),
        ("another suite", secure, Some(&ours), secure, &[&wrong_suite], [no; 2]),
        ("no key", secure, Some(&ours), secure, &[], [no; 2]),
        ("a lesser profile", secure, Some(&ours), clear, &[], [no; 2]),
        ("a lesser profile with a key", secure, Some(&ours), clear, &[&right], [no; 2]),
        ("as one would like to", clear, Some(&ours), clear, &[&right], [Ok(true); 2]),
        ("as one need not", clear, Some(&ours), clear, &[], [Ok(false), no]),
        ("nothing offered", clear, None, clear, &[], [Ok(false), no]),
        ("a key that was not offered", clear, None, clear, &[&right], [Ok(false), no]),
    ] {
        for (srtp, expected) in [Srtp::Offered, Srtp::Required].into_iter().zip(expected) {
            let read = read(&media(answered, lines), Sought::Answer { profile: offered, ours, srtp });
            assert_eq!(read.map(|crypto| crypto.is_some()), expected, "{name}, {srtp:?}");
        }
    }
}
