//! Which signatures speak for a certificate, and which do not.

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, SigningKey};

use super::*;
use crate::fixture::{csr, issue, order, shared, tel};
use crate::{Issued, Request};

fn certified(key: &KeyPair) -> Issued {
    let request = Request::parse(&csr(rcgen::CertificateParams::default(), key)).unwrap();
    issue(shared(), &order(&tel(), &request)).unwrap()
}

fn statement<'a>() -> Statement<'a> {
    Statement { action: Action::Change, about: "00ff", nonce: None, key: Some([0xab; 32]) }
}

fn signed(statement: &Statement<'_>, key: &KeyPair) -> Signature {
    let octets = key.sign(statement.text().as_bytes()).unwrap();
    Signature::parse(&STANDARD.encode(octets)).unwrap()
}

#[test]
fn a_statement_is_five_lines_that_a_person_can_read() {
    let change = format!("dialproof-old-key-v1\nchange\n00ff\n-\n{}\n", "ab".repeat(32));
    assert_eq!(statement().text(), change);
    let lift = Statement { action: Action::Lift, about: "5a", nonce: Some("77"), key: None };
    assert_eq!(lift.text(), "dialproof-old-key-v1\nlift\n5a\n77\n-\n");
}

#[test]
fn both_kinds_of_keys_speak_for_their_certificates_and_for_no_other() {
    for algorithm in [&PKCS_ECDSA_P256_SHA256, &PKCS_ED25519] {
        let (key, other) = (KeyPair::generate_for(algorithm).unwrap(), KeyPair::generate_for(algorithm).unwrap());
        let (ours, theirs) = (certified(&key), certified(&other));
        let signature = signed(&statement(), &key);
        assert!(signature.is_over(&statement(), &ours.der));
        assert!(!signature.is_over(&statement(), &theirs.der));
        assert!(Signature::parse(&signature.text()).unwrap().is_over(&statement(), &ours.der));
    }
}

#[test]
fn a_signature_means_one_statement() {
    let key = KeyPair::generate().unwrap();
    let ours = certified(&key);
    let signature = signed(&statement(), &key);
    for action in Action::ALL {
        let other = Statement { action, ..statement() };
        assert_eq!(signature.is_over(&other, &ours.der), action == Action::Change, "{action:?}");
    }
    for other in [
        Statement { about: "00fe", ..statement() },
        Statement { nonce: Some("00"), ..statement() },
        Statement { key: None, ..statement() },
        Statement { key: Some([0; 32]), ..statement() },
    ] {
        assert!(!signature.is_over(&other, &ours.der), "{other:?}");
    }
    assert!(!signature.is_over(&statement(), b"no certificate"));
}

#[test]
fn only_base64_of_a_signature_is_read() {
    let long = STANDARD.encode([0x30; 73]);
    let short = STANDARD.encode([0x30; 7]);
    let other = STANDARD.encode([0x31; 70]);
    let (spaced, fixed) = (format!("{} ", STANDARD.encode([1; 64])), STANDARD.encode([1; 64]));
    for text in ["", "?", "AAA", &long, &short, &other, &spaced, &"A".repeat(10_000)] {
        assert_eq!(Signature::parse(text), Err(NoSignature), "{text}");
    }
    assert!(Signature::parse(&fixed).is_ok());
}

#[test]
fn the_key_of_a_request_speaks_before_it_has_a_certificate() {
    for algorithm in [&PKCS_ECDSA_P256_SHA256, &PKCS_ED25519] {
        let (key, other) = (KeyPair::generate_for(algorithm).unwrap(), KeyPair::generate_for(algorithm).unwrap());
        let request = Request::parse(&csr(rcgen::CertificateParams::default(), &key)).unwrap();
        assert!(signed(&statement(), &key).is_over_request(&statement(), &request));
        assert!(!signed(&statement(), &other).is_over_request(&statement(), &request));
        let another = Statement { about: "ff00", ..statement() };
        assert!(!signed(&statement(), &key).is_over_request(&another, &request));
    }
}
