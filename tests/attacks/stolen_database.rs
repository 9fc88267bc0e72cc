//! Somebody has a copy of the database, of a backup, of the disk without the key file.

use ivr::phone::{Scenario, Stage};
use sha2::{Digest, Sha256};

use crate::scene::{CARRIER, Scene, VICTIM};

/// Does it stand anywhere in these octets?
fn stands_in(octets: &[u8], sought: &[u8]) -> bool {
    octets.windows(sought.len()).any(|window| window == sought)
}

/// As the service joins what it hashes together: each piece behind its length.
fn joined(pieces: &[&[u8]]) -> Vec<u8> {
    pieces.iter().flat_map(|piece| [&(piece.len() as u64).to_be_bytes()[..], *piece].concat()).collect()
}

/// What becomes of a text without a key: its SHA-256, and its HMAC under a key of nothing (RFC 2104 2). There are so few numbers,
/// and fewer codes, that whoever has such a hash tries them all.
fn hashes_of(text: &[u8]) -> [[u8; 32]; 2] {
    let padded = |octet: u8, text: &[u8]| -> [u8; 32] {
        Sha256::new().chain_update([octet; 64]).chain_update(text).finalize().into()
    };
    [Sha256::digest(text).into(), padded(0x5c, &padded(0x36, text))]
}

#[test]
fn its_files_tell_no_number_no_code_and_no_digits_that_were_read() {
    let scene = Scene::plain();
    let started = scene.begin_with_key(VICTIM, false);
    let plan = scene.plan_of(CARRIER, VICTIM, &started, Scenario::HangUp(Stage::Typing));
    let call = scene.call(plan);
    let read_back = call.read_back.expect("the voice read them");
    assert_eq!(scene.record(&call.call_id).outcome, "hung-up-after-read-back");

    let mut octets = Vec::new();
    for name in ["dialproof.db", "dialproof.db-wal"] {
        octets.extend(std::fs::read(scene.at.path("data").join(name)).expect("SQLite's files"));
    }
    assert!(
        octets.starts_with(b"SQLite format 3") && octets.len() > 100_000,
        "{} octets are no database",
        octets.len()
    );
    let [secret, code, digits] = [&started.secret, &started.code, &read_back].map(|text| text.expose().as_bytes());
    for clear in [&VICTIM.as_bytes()[1..], b"2025550143", code, digits, secret] {
        assert!(!stands_in(&octets, clear), "they hold {}", String::from_utf8_lossy(clear));
    }

    // The secret has 256 bits, which nobody tries: its plain hash is there, and is found.
    assert!(stands_in(&octets, &hashes_of(secret)[0]), "no hash would be found");
    let id = u128::from_str_radix(&started.id, 16).expect("32 hexadecimal digits").to_be_bytes();
    let (number, tel) = (VICTIM.as_bytes(), format!("tel:{VICTIM}"));
    let guessed = [
        number.to_vec(),
        number[1..].to_vec(),
        tel.clone().into_bytes(),
        format!("dialproof-identity-v1/{tel}").into_bytes(),
        joined(&[number]),
        code.to_vec(),
        joined(&[number, code]),
        digits.to_vec(),
        joined(&[&id, digits]),
    ];
    for hash in guessed.iter().flat_map(|text| hashes_of(text)) {
        assert!(!stands_in(&octets, &hash), "they hold the plain hash of something that can be guessed");
    }
}
