//! A location's bytes: written for everybody, for friends, for a few; what fits, and what is believed of them.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use ciborium::Value;
use dht_client::location::OwnerPublic;
use dht_client::location::place::Place;
use dht_client::{Audience, Contact, FriendsKey, Item, KemKey, Location, LocationError, OwnerKey, SigningKey, Slot};
use p256::ecdsa::signature::Verifier as _;
use proptest::prelude::*;
use time::OffsetDateTime;

use crate::scene::{identity, location_key};
use crate::vectors::{array, bytes, number};

pub(crate) fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).expect("a time of this century")
}

/// The location of the vectors.
pub(crate) fn written() -> Location {
    let contact = |uri, priority| Contact::new(uri, priority, 1_700_003_600).expect("a contact");
    Location {
        identity: identity(),
        contacts: vec![contact("sip:ada@192.0.2.7:5060;transport=tcp", 1000), contact("sips:ada@example.org", 500)],
        not_before: 1_700_000_000,
        not_after: 1_700_003_600,
    }
}

pub(crate) fn p256() -> OwnerKey {
    OwnerKey::P256(p256::ecdsa::SigningKey::from_slice(&bytes("loc_owner")).expect("a scalar"))
}

fn published(audience: Audience<'_>, owner: &OwnerKey) -> Item {
    written()
        .publish(audience, (owner, &location_key()), number("seq"), [3; 32], at(number("seq")))
        .expect("a location that fits")
}

/// What a reader at the time of the vectors makes of a value that lies in a place.
fn read(value: Vec<u8>, place: &Place, kem_key: Option<&KemKey>, owner: &OwnerKey) -> Result<Location, LocationError> {
    let now = at(number("seq"));
    let item = Item::sign(&location_key(), place.slot().salt(), number("seq"), value, now).expect("an item");
    Location::open(&item, place, kem_key, (&identity(), &owner.public()), now)
}

fn open_place() -> Place {
    Place::open(&array("key"))
}

#[test]
fn locations_have_these_bytes() {
    let ed25519 = OwnerKey::Ed25519(SigningKey::from_bytes(&array("loc_owner_ed25519")));
    for (owner, name) in [(p256(), "loc_open_value"), (ed25519, "loc_ed25519_value")] {
        assert_eq!(published(Audience::Everybody, &owner).value(), bytes(name), "{name}");
        assert_eq!(read(bytes(name), &open_place(), None, &owner), Ok(written()), "{name}");
    }
}

#[test]
fn what_another_program_sealed_is_opened() {
    let friends = FriendsKey::from_bytes(array("loc_friends_key"));
    let place = Place::all_of_friends(&array("key"), &friends, at(number("seq")))
        .into_iter()
        .find(|place| place.slot().salt() == bytes("loc_friends_salt"))
        .expect("a friend looks there today");
    assert_eq!(read(bytes("loc_friends_value"), &place, None, &p256()), Ok(written()));

    let kem_key = KemKey::from_bytes(array("loc_kem"));
    assert_eq!(kem_key.public(), array("loc_kem_public"));
    let sealed = bytes("loc_recipients_value");
    assert_eq!(read(sealed.clone(), &open_place(), Some(&kem_key), &p256()), Ok(written()));
    let other = KemKey::from_bytes([0x23; 32]);
    assert_eq!(read(sealed.clone(), &open_place(), Some(&other), &p256()), Err(LocationError::NotForUs));
    assert_eq!(read(sealed, &open_place(), None, &p256()), Err(LocationError::NotForUs));
}

/// What is signed, or bound to what is sealed (RFC 9052 4.4, 5.3).
fn structure(context: &str, parts: &[&[u8]]) -> Vec<u8> {
    let parts = parts.iter().map(|part| Value::from(*part));
    let whole = Value::Array(std::iter::once(Value::from(context)).chain(parts).collect());
    let mut bytes = Vec::new();
    ciborium::into_writer(&whole, &mut bytes).expect("a vector takes every byte");
    bytes
}

/// The byte strings of a message; of the unprotected header what it begins with, a nonce or nothing.
fn parts(message: &[u8]) -> Vec<Vec<u8>> {
    let octets = |part: Value| match part {
        Value::Map(header) => header.into_iter().find_map(|(_, nonce)| nonce.into_bytes().ok()).unwrap_or_default(),
        part => part.into_bytes().expect("a byte string"),
    };
    match ciborium::from_reader(message) {
        Ok(Value::Tag(_, parts)) => parts.into_array().expect("an array").into_iter().map(octets).collect(),
        other => panic!("no COSE message: {other:?}"),
    }
}

/// With nothing of ours but the slot: the page's external aad, payload and seal key are those of its messages.
#[test]
fn what_the_page_says_of_a_location_is_what_is_signed_and_sealed() {
    let open = parts(&bytes("loc_open_value"));
    let [protected, _, payload, signature] = &open[..] else { panic!("four parts") };
    assert_eq!(*payload, bytes("loc_payload"));
    let signed = structure("Signature1", &[protected, &bytes("loc_aad"), payload]);
    let signature = p256::ecdsa::Signature::from_slice(signature).expect("r and s");
    let OwnerPublic::P256(owner) = p256().public() else { panic!("a key of P-256") };
    owner.verify(&signed, &signature).expect("it is signed so");

    let of_friends = parts(&bytes("loc_friends_value"));
    let [protected, nonce, sealed] = &of_friends[..] else { panic!("three parts") };
    let slot = Slot::new(array("key"), &bytes("loc_friends_salt")).expect("a salt of 32 bytes");
    let aad = [&b"dialproof-loc-v1"[..], &slot.key()[..], &slot.id().0, &number("seq").to_be_bytes()].concat();
    let nonce: [u8; 12] = nonce[..].try_into().expect("the nonce of GCM");
    let bound = structure("Encrypt0", &[protected, &aad]);
    let seal = Aes256Gcm::new(&array::<32>("loc_friends_seal_key").into());
    let opened = seal.decrypt(&nonce.into(), Payload { msg: sealed, aad: &bound }).expect("it is sealed so");
    assert_eq!(parts(&opened)[2], bytes("loc_payload"));
}

#[test]
fn as_much_is_written_as_fits() {
    let kem = |seed: u8| KemKey::from_bytes([seed; 32]).public();
    let keys: Vec<_> = (1..=9).map(kem).collect();
    let publish = |location: &Location, keys: &[[u8; 32]]| {
        let both = (&p256(), &location_key());
        location.publish(Audience::Recipients(keys), both, number("seq"), [3; 32], at(number("seq")))
    };
    let eight = publish(&written(), &keys[..8]).expect("eight recipients of two contacts fit");
    let last = KemKey::from_bytes([8; 32]);
    assert_eq!(read(eight.value().to_vec(), &open_place(), Some(&last), &p256()), Ok(written()));
    assert_eq!(publish(&written(), &keys), Err(LocationError::Limits));
    assert_eq!(publish(&written(), &[]), Err(LocationError::Limits));
    assert_eq!(publish(&written(), &[[0; 32]]), Err(LocationError::Recipient));

    let mut crowded = written();
    crowded.contacts = vec![Contact::new(&format!("sip:{}", "a".repeat(190)), 0, 0).expect("a contact"); 8];
    assert!(matches!(publish(&crowded, &keys[..1]), Err(LocationError::TooLarge { size }) if size > 996));
    crowded.contacts.push(crowded.contacts[0].clone());
    assert_eq!(publish(&crowded, &keys[..1]), Err(LocationError::Limits));
    let too_long = Location { not_after: written().not_before + 86_401, ..written() };
    assert_eq!(publish(&too_long, &keys[..1]), Err(LocationError::Limits));
}

#[test]
fn a_contact_is_an_address_that_can_be_printed() {
    for good in ["sip:a", "sips:ada@example.org:5061;transport=tls", "tel:+12025550143"] {
        assert!(Contact::new(good, 1000, i64::MAX).is_ok(), "{good}");
    }
    let long = format!("sip:{}", "a".repeat(197));
    for bad in
        ["", "sip:", "ada@example.org", "http://a", "sip:a b", "sip:a\n", "sip:<a>", "sip:\u{e9}", "SIP:a", &long]
    {
        assert!(Contact::new(bad, 0, 0).is_err(), "{bad}");
    }
    assert!(Contact::new("sip:a", 1001, 0).is_err());
}

proptest! {
    /// A location has one form: a changed byte, lost or added, signed anew by the location key, is never believed.
    #[test]
    fn a_changed_location_is_not_believed(which in 0..3_usize, at in any::<prop::sample::Index>(), byte in any::<u8>(), change in 0..3) {
        let name = ["loc_open_value", "loc_ed25519_value", "loc_recipients_value"][which];
        let good = bytes(name);
        let mut changed = good.clone();
        match change {
            0 => changed[at.index(good.len())] = byte,
            1 => { changed.remove(at.index(good.len())); }
            _ => changed.insert(at.index(good.len() + 1), byte),
        }
        let owner = if which == 1 { OwnerKey::Ed25519(SigningKey::from_bytes(&array("loc_owner_ed25519"))) } else { p256() };
        let opened = read(changed.clone(), &open_place(), Some(&KemKey::from_bytes(array("loc_kem"))), &owner);
        // Of the recipients only ours is opened; what it does not cover is the other's.
        prop_assert!(changed == good || which == 2 || opened.is_err());
        prop_assert!(opened.is_err() || opened == Ok(written()));
    }
}
