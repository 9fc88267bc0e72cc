//! The test vectors of docs/records.md, read from the page itself, so that page and code cannot part.

use std::collections::HashMap;

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use dht_client::bundle::TERMS_LABEL;
use dht_client::item::signing_bytes;
use dht_client::{Derived, Entry, HashCost, Identity, Item, Pending, Record, SigningKey, Slot, Status, Terms};
use proptest::prelude::*;
use time::OffsetDateTime;

const PAGE: &str = include_str!("../../../docs/records.md");

/// The lines `name = value` of the page's `vectors` blocks.
fn vectors() -> HashMap<&'static str, &'static str> {
    let blocks = PAGE.split("```vectors\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).filter_map(|line| line.split_once(" = ")).collect()
}

pub(crate) fn bytes(name: &str) -> Vec<u8> {
    let hex = vectors()[name];
    assert!(hex.len().is_multiple_of(2), "{name}");
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal")).collect()
}

pub(crate) fn array<const N: usize>(name: &str) -> [u8; N] {
    bytes(name).try_into().expect("a value of that size")
}

pub(crate) fn number(name: &str) -> i64 {
    vectors()[name].parse().expect("a number")
}

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a time of this century")
}

fn directory_key() -> SigningKey {
    SigningKey::from_bytes(&array("seed"))
}

#[test]
fn the_examples_of_bep_44_verify() {
    for example in ["bep44_plain", "bep44_salted"] {
        let name = |field: &str| format!("{example}_{field}");
        let salt = if example == "bep44_plain" { Vec::new() } else { bytes(&name("salt")) };
        let slot = Slot::new(array("bep44_key"), &salt).unwrap();
        assert_eq!(slot.id().to_string(), vectors()[name("slot").as_str()]);
        let item = Item::verify(slot, 1, array(&name("signature")), b"Hello World!".to_vec(), now()).unwrap();
        assert_eq!(Item::from_any_bytes(&item.to_bytes(), now()), Ok(item));
    }
}

#[test]
fn an_item_has_these_bytes() {
    let key = directory_key();
    assert_eq!(key.verifying_key().to_bytes(), array("key"));
    let item = Item::sign(&key, &bytes("salt"), number("seq"), bytes("value"), now()).unwrap();
    assert_eq!(signing_bytes(&bytes("salt"), number("seq"), &bytes("value")), bytes("signing"));
    assert_eq!(item.signature(), &array("signature"));
    assert_eq!(item.slot().id().to_string(), vectors()["slot"]);
    assert_eq!(item.to_bytes(), bytes("item"));
    assert_eq!(Item::from_bytes(&bytes("item"), item.slot(), now()), Ok(item));
}

#[test]
fn identities_hash_to_these_bytes() {
    for (name, identity, cost) in [
        ("derived_tel_cheap", "tel:+12025550143", HashCost::CHEAP),
        ("derived_tel", "tel:+12025550143", HashCost::STRONG),
        ("derived_mailto_cheap", "mailto:Ada.Example@EXAMPLE.org", HashCost::CHEAP),
        ("derived_mailto", "mailto:ada.example@example.org", HashCost::STRONG),
    ] {
        let derived = Derived::hash(&Identity::parse(identity).unwrap(), &array("key"), cost).unwrap();
        assert_eq!(derived.as_bytes(), &array(name), "{name}");
    }
    let derived = Derived::from_bytes(array("derived_tel_cheap"));
    assert_eq!(derived.dir_salt(), array("dir_salt"));
    assert_eq!(derived.seal_key(), array("seal_key"));
    assert_eq!(derived.proof_salt(), array("proof_salt"));
    assert_eq!(derived.directory_slot(&array("key")).id().to_string(), vectors()["dir_slot"]);
    assert_eq!(derived.proof_slot(&array("key")).id().to_string(), vectors()["proof_slot"]);
}

#[test]
fn records_have_these_bytes() {
    let plain = || Entry::new(bytes("certificate"));
    let full = Entry {
        location_key: Some([0x55; 32]),
        kem_key: Some([0x66; 32]),
        pending: Some(Pending { since: 1_700_000_100, key: [0x88; 16] }),
        leaf_hash: Some([0x99; 32]),
        ..plain()
    };
    let derived = Derived::from_bytes(array("derived_tel_cheap"));
    let slot = derived.directory_slot(&array("key"));
    let seq = number("record_seq");
    let (seal, nonce) = (XChaCha20Poly1305::new(&array::<32>("seal_key").into()), array::<24>("nonce"));
    let aad = [&slot.key()[..], &slot.id().0, &seq.to_be_bytes()].concat();
    for (name, status) in [
        ("valid", Status::Valid(plain())),
        ("full", Status::Valid(full)),
        ("suspended", Status::Suspended(plain())),
        ("revoked", Status::Revoked),
    ] {
        let record = Record { not_before: 1_700_000_000, not_after: 1_702_592_000, status };
        let value = record.seal(&array("seal_key"), &slot, seq, array("nonce")).unwrap();
        assert_eq!(value, bytes(&format!("{name}_value")), "{name}");
        let sealed = Payload { msg: &value[1 + nonce.len()..], aad: &aad };
        assert_eq!(seal.decrypt(&nonce.into(), sealed).unwrap(), bytes(&format!("{name}_cbor")), "{name}");
        assert_eq!(Record::unseal(&value, &array("seal_key"), &slot, seq), Ok(record.clone()));
        if name == "valid" {
            let item = record.publish(&derived, &directory_key(), seq, array("nonce"), now()).unwrap();
            assert_eq!(item.to_bytes(), bytes("valid_item"));
        }
    }
}

#[test]
fn the_terms_have_these_bytes() {
    let terms = Terms {
        number: 3,
        oid_arc: vec![1, 3, 6, 1, 4, 1, 32473],
        cost: HashCost::STRONG,
        networks: ["mainline:127.0.0.1:4001,127.0.0.1:4002", "opendht:https://dht.example.org"]
            .map(|name| name.parse().unwrap())
            .to_vec(),
    };
    let text = PAGE.split("```terms\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(terms.to_string(), text);
    let pem = terms.sign(&directory_key());
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    assert!(pem.starts_with(&format!("-----BEGIN {TERMS_LABEL}-----\n")));
    assert_eq!(base64, vectors()["terms_block"]);
}

proptest! {
    #[test]
    fn random_bytes_are_no_item(bytes in prop::collection::vec(any::<u8>(), 0..1500)) {
        prop_assert!(Item::from_any_bytes(&bytes, now()).is_err());
    }

    /// An item has one form: of all its neighbours by a changed, a missing or an added byte, none reads.
    #[test]
    fn a_changed_item_is_no_item(at in any::<prop::sample::Index>(), byte in any::<u8>(), change in 0..3) {
        let good = bytes("valid_item");
        let mut changed = good.clone();
        match change {
            0 => changed[at.index(good.len())] = byte,
            1 => { changed.remove(at.index(good.len())); }
            _ => changed.insert(at.index(good.len() + 1), byte),
        }
        prop_assert!(changed == good || Item::from_any_bytes(&changed, now()).is_err());
    }

    #[test]
    fn what_is_signed_is_read_back(value in prop::collection::vec(any::<u8>(), 0..=996), salt in prop::collection::vec(any::<u8>(), 0..=64), seq in 0_i64..=1_800_000_300) {
        let item = Item::sign(&directory_key(), &salt, seq, value, now()).unwrap();
        prop_assert_eq!(Item::from_any_bytes(&item.to_bytes(), now()), Ok(item));
    }

    #[test]
    fn what_is_too_much_is_not_signed(size in 997_usize..3000, salt in 65_usize..200, beyond in 301_i64..i64::MAX / 2) {
        let key = directory_key();
        prop_assert!(Item::sign(&key, b"", 1, vec![0; size], now()).is_err());
        prop_assert!(Item::sign(&key, &vec![0; salt], 1, vec![], now()).is_err());
        prop_assert!(Item::sign(&key, b"", now().unix_timestamp() + beyond, vec![], now()).is_err());
        prop_assert!(Item::sign(&key, b"", -beyond, vec![], now()).is_err());
    }

    /// Whatever is sealed, only records in their one form come out: a record that reads is sealed to the same bytes.
    #[test]
    fn a_record_has_one_form(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let slot = Derived::from_bytes(array("derived_tel_cheap")).directory_slot(&array("key"));
        let mut cbor = bytes("full_cbor");
        let at = at.index(cbor.len());
        cbor[at] = byte;
        let aad = [&slot.key()[..], &slot.id().0, &1_i64.to_be_bytes()].concat();
        let cipher = XChaCha20Poly1305::new(&array::<32>("seal_key").into());
        let sealed = cipher.encrypt(&array::<24>("nonce").into(), Payload { msg: &cbor, aad: &aad }).unwrap();
        let value = [&[1], &array::<24>("nonce")[..], &sealed].concat();
        if let Ok(record) = Record::unseal(&value, &array("seal_key"), &slot, 1) {
            prop_assert_eq!(record.seal(&array("seal_key"), &slot, 1, array("nonce")), Ok(value));
        }
    }

    #[test]
    fn random_texts_are_read_or_refused(text in "\\PC{0,300}") {
        if let Ok(identity) = Identity::parse(&text) {
            prop_assert_eq!(Identity::parse(identity.expose()), Ok(identity.clone()));
        }
    }

    #[test]
    fn addresses_fold_to_a_fixed_point(local in "[A-Za-z0-9.+é]{1,20}", domain in "[A-Za-zü]{1,10}\\.[a-z]{2,5}") {
        if let Ok(identity) = Identity::mailto(&format!("{local}@{domain}")) {
            prop_assert_eq!(Identity::parse(identity.expose()), Ok(identity.clone()));
            prop_assert_eq!(Identity::mailto(&format!("{local}@{}", domain.to_uppercase())), Ok(identity));
        }
    }
}

#[test]
fn an_identity_has_one_spelling() {
    for (given, expected) in [
        ("tel:+12025550143", Some("tel:+12025550143")),
        ("mailto:Ada@Example.ORG", Some("mailto:ada@example.org")),
        ("mailto:a+b.c@example.org", Some("mailto:a+b.c@example.org")),
        ("mailto:Jürgen@bücher.example", Some("mailto:jürgen@xn--bcher-kva.example")),
        ("mailto:ju\u{308}rgen@example.org", Some("mailto:j\u{fc}rgen@example.org")),
        ("tel:12025550143", None),
        ("tel:+1-202-555-0143", None),
        ("tel:+0123456789", None),
        ("tel:+123456", None),
        ("tel:+1234567890123456", None),
        ("tel:+١٢٣٤٥٦٧٨", None),
        ("TEL:+12025550143", None),
        ("sip:a@example.org", None),
        ("mailto:@example.org", None),
        ("mailto:a@b@example.org", None),
        ("mailto:a b@example.org", None),
        ("mailto:\"a\"@example.org", None),
        ("mailto:a@localhost", None),
        ("mailto:a@[127.0.0.1]", None),
        ("mailto:a@exa mple.org", None),
        ("", None),
    ] {
        let parsed = Identity::parse(given).ok();
        assert_eq!(parsed.as_ref().map(Identity::expose), expected, "{given}");
    }
}

#[test]
fn parameters_that_would_stop_a_phone_are_refused() {
    let identity = Identity::parse("tel:+12025550143").unwrap();
    let cost = |memory_kib, passes, lanes| HashCost { memory_kib, passes, lanes };
    for wrong in [
        cost(0, 1, 1),
        cost(7, 1, 1),
        cost(8, 0, 1),
        cost(8, 1, 0),
        cost(u32::MAX, 1, 1),
        cost(8, u32::MAX, 1),
        cost(65_536, 3, 255),
    ] {
        assert!(!wrong.is_reasonable() && Derived::hash(&identity, &[1; 32], wrong).is_err(), "{wrong:?}");
    }
}
