//! What lies in a location slot: any bytes, and any bytes that the certificate's key signed.
#![no_main]

use coset::iana::Algorithm;
use coset::{CoseSign1Builder, HeaderBuilder, TaggedCborSerializable};
use dht_client::location::place::Place;
use dht_client::{Audience, Friend, FriendsKey, Identity, Item, KemKey, Location, OwnerKey, SigningKey};
use ed25519_dalek::Signer as _;
use libfuzzer_sys::fuzz_target;
use time::macros::datetime;

fuzz_target!(|bytes: &[u8]| {
    let now = datetime!(2026-03-01 12:00 UTC);
    let identity = Identity::parse("tel:+12025550143").expect("an identity");
    let (owner_key, location_key) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
    let owner = OwnerKey::Ed25519(owner_key.clone());
    let public = location_key.verifying_key().to_bytes();
    let friend =
        Friend { friends_key: Some(FriendsKey::from_bytes([3; 32])), kem_key: Some(KemKey::from_bytes([4; 32])) };
    let mut places = vec![Place::open(&public)];
    places.extend(friend.friends_key.iter().flat_map(|key| Place::all_of_friends(&public, key, now)));
    let open = |place: &Place, value: Vec<u8>| {
        let item = Item::sign(&location_key, place.slot().salt(), now.unix_timestamp(), value, now).ok()?;
        let read = Location::open(&item, place, friend.kem_key.as_ref(), (&identity, &owner.public()), now).ok()?;
        Some((item, read))
    };
    for place in &places {
        let _ = open(place, bytes.to_vec());
    }
    let place = &places[0];
    let aad = [&b"dialproof-loc-v1"[..], &public, &place.slot().id().0, &now.unix_timestamp().to_be_bytes()].concat();
    let signed = CoseSign1Builder::new()
        .protected(HeaderBuilder::new().algorithm(Algorithm::EdDSA).build())
        .payload(bytes.to_vec())
        .create_signature(&aad, |message| owner_key.sign(message).to_bytes().to_vec())
        .build();
    if let Some((item, read)) = open(place, signed.to_tagged_vec().expect("a vector takes every byte")) {
        let again = read.publish(Audience::Everybody, (&owner, &location_key), item.seq(), [0; 32], now);
        assert_eq!(again.as_ref(), Ok(&item), "a location has one form");
    }
});
