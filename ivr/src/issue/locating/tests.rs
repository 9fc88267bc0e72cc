//! Which keys are listed beside a certificate, by whose word, and for how long.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ca::{Reason, Serial};
use dht_client::{Entry, SigningKey, Status};
use ed25519_dalek::Signer as _;
use rcgen::KeyPair;

use super::*;
use crate::store::test_database::{TestDatabase, on_both_databases};
use crate::verify::fixture::{NUMBER, SOURCE, Service, device, request, sign, spki, start};
use crate::verify::{Start, StartError};

on_both_databases!(
    what_both_keys_signed_the_directory_shows,
    what_both_keys_signed_before_the_call_stands_in_the_first_record,
    what_the_key_said_since_a_verification_began_that_does_not_undo,
    what_the_key_said_since_the_nonce_was_given_a_verification_does_not_undo,
    of_two_verifications_the_keys_of_the_later_are_listed,
    who_has_only_one_of_the_keys_begins_nothing_with_it,
    who_has_only_one_of_the_keys_lists_nothing,
    another_certificate_for_the_same_key_keeps_what_was_listed_and_for_another_does_not,
    what_was_revoked_lists_nothing,
    what_was_signed_before_the_last_change_changes_nothing,
    keys_change_a_few_times_a_day,
    only_location_keys_of_living_certificates_are_known,
);

const IDENTITY: &str = "tel:+12025550143";

fn location_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(key: &SigningKey) -> [u8; 32] {
    key.verifying_key().to_bytes()
}

impl Service {
    async fn serial_of(&self, csr: Vec<u8>) -> Serial {
        let started = self.certified(csr).await;
        Serial::parse(&self.view(&started).await.certificate.unwrap().serial).unwrap()
    }

    /// `owner` and `agreeing` sign that `listed` is the location key.
    async fn list(
        &self,
        serial: &Serial,
        owner: &KeyPair,
        (listed, agreeing): (&SigningKey, &SigningKey),
        kem: Option<[u8; 32]>,
    ) -> Result<(), OldKeyError> {
        let (nonce, _) = self.issue.nonce(serial, self.now);
        let (about, location) = (serial.hex(), public(listed));
        let key = Some(listed_keys(&location, kem.as_ref()));
        let statement = Statement { action: Action::Locate, about: &about, nonce: Some(&nonce), key };
        let agreed = agreeing.sign(statement.text().as_bytes()).to_bytes();
        let agreed = Signature::parse(&STANDARD.encode(agreed)).unwrap();
        let signature = sign(owner, &statement);
        let signed = Signed { serial, nonce: &nonce, signature: &signature };
        self.issue.locate(&signed, Some(&Listing { location, kem, agreed: &agreed }), self.now).await
    }

    async fn unlist(&self, serial: &Serial, owner: &KeyPair) -> Result<(), OldKeyError> {
        let (nonce, _) = self.issue.nonce(serial, self.now);
        let about = serial.hex();
        let statement = Statement { action: Action::Locate, about: &about, nonce: Some(&nonce), key: None };
        let signature = sign(owner, &statement);
        self.issue.locate(&Signed { serial, nonce: &nonce, signature: &signature }, None, self.now).await
    }

    /// The keys that the directory shows.
    async fn shown(&self) -> (Option<[u8; 32]>, Option<[u8; 32]>) {
        self.publish().await;
        match self.lookup(IDENTITY).await.unwrap().0.status {
            Status::Valid(Entry { location_key, kem_key, .. }) => (location_key, kem_key),
            other => panic!("no certificate: {other:?}"),
        }
    }
}

async fn what_both_keys_signed_the_directory_shows(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (owner, csr) = device();
    let serial = service.serial_of(csr).await;
    assert_eq!(service.shown().await, (None, None));
    let (first, second, kem) = (location_key(1), location_key(2), [7; 32]);
    service.list(&serial, &owner, (&first, &first), Some(kem)).await.unwrap();
    assert_eq!(service.shown().await, (Some(public(&first)), Some(kem)));
    let (_, before) = service.lookup(IDENTITY).await.unwrap();
    service.list(&serial, &owner, (&first, &first), Some(kem)).await.unwrap();
    service.publish().await;
    assert_eq!(service.lookup(IDENTITY).await.unwrap().1.seq(), before.seq(), "asked again, nothing is put");
    service.now += time::Duration::SECOND;
    service.list(&serial, &owner, (&second, &second), None).await.unwrap();
    assert_eq!(service.shown().await, (Some(public(&second)), None));
    service.now += time::Duration::SECOND;
    service.unlist(&serial, &owner).await.unwrap();
    assert_eq!(service.shown().await, (None, None));
}

impl Service {
    /// What `owner` and `agreeing` sign before there is a certificate, so that `listed` is the location key beside it.
    fn first_listing(
        &self,
        hash: &[u8; 32],
        owner: &KeyPair,
        (listed, agreeing): (&SigningKey, &SigningKey),
        kem: Option<[u8; 32]>,
    ) -> FirstListing {
        let (nonce, _) = self.issue.nonce_of_key(hash, self.now);
        let (about, location) = (crate::hex::of(hash), public(listed));
        let key = Some(listed_keys(&location, kem.as_ref()));
        let statement = Statement { action: Action::Locate, about: &about, nonce: Some(&nonce), key };
        let agreed = agreeing.sign(statement.text().as_bytes()).to_bytes();
        let agreed = Signature::parse(&STANDARD.encode(agreed)).unwrap();
        FirstListing { signature: sign(owner, &statement), nonce, location, kem, agreed }
    }
}

async fn what_both_keys_signed_before_the_call_stands_in_the_first_record(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let ((owner, csr), key, kem) = (device(), location_key(1), [7; 32]);
    let listing = service.first_listing(&spki(&csr), &owner, (&key, &key), Some(kem));
    let started = service.finish(Start { location: Some(listing), ..start(NUMBER, SOURCE, Some(csr)) }).await;
    assert_eq!(service.shown().await, (Some(public(&key)), Some(kem)));
    let (_, first) = service.lookup(IDENTITY).await.unwrap();
    assert!(first.seq() <= service.now.unix_timestamp(), "it was put once");
    let store = service.database.store.clone();
    let listed =
        location_keys::is_listed(&public(&key), service.now, store.columns(), &mut store.read().await.unwrap()).await;
    assert!(listed.unwrap(), "the gateway serves its slots");
    let audit = service.database.contents(&["audit"]).await;
    let actions = audit.iter().filter(|(name, _)| name == "audit.action").map(|(_, action)| action.as_slice());
    assert_eq!(actions.collect::<Vec<_>>(), [&b"issue"[..], b"locate"]);

    // From here on it is changed as any other.
    let serial = Serial::parse(&service.view(&started).await.certificate.unwrap().serial).unwrap();
    service.now += time::Duration::SECOND;
    service.unlist(&serial, &owner).await.unwrap();
    assert_eq!(service.shown().await, (None, None));
}

async fn what_the_key_said_since_a_verification_began_that_does_not_undo(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let ((owner, csr), stolen, next) = (device(), location_key(1), location_key(2));
    let mut serial = service.serial_of(csr.clone()).await;
    for said in [Some(&next), None, None] {
        service.now += time::Duration::SECOND;
        let listing = service.first_listing(&spki(&csr), &owner, (&stolen, &stolen), None);
        let begun = Start { location: Some(listing), ..start(NUMBER, SOURCE, Some(csr.clone())) };
        let begun = service.verify.start(begun, service.now).await.unwrap();
        service.now += time::Duration::SECOND;
        match said {
            Some(key) => service.list(&serial, &owner, (key, key), None).await.unwrap(),
            None => service.unlist(&serial, &owner).await.unwrap(),
        }
        service.now += time::Duration::SECOND;
        service.prove(NUMBER, &begun).await;
        let following = Serial::parse(&service.view(&begun).await.certificate.unwrap().serial).unwrap();
        assert_ne!(std::mem::replace(&mut serial, following), following);
        assert_eq!(service.shown().await, (said.map(public), None));
    }
    // A moment after it, too, and within the same second.
    service.now += time::Duration::SECOND;
    service.list(&serial, &owner, (&stolen, &stolen), None).await.unwrap();
    service.now += time::Duration::MILLISECOND;
    let listing = service.first_listing(&spki(&csr), &owner, (&next, &next), None);
    service.finish(Start { location: Some(listing), ..start(NUMBER, SOURCE, Some(csr)) }).await;
    assert_eq!(service.shown().await, (Some(public(&next)), None), "what is asked for after that is listed");
}

async fn what_the_key_said_since_the_nonce_was_given_a_verification_does_not_undo(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let ((owner, csr), before, said) = (device(), location_key(1), location_key(2));
    let serial = service.serial_of(csr.clone()).await;
    let listing = service.first_listing(&spki(&csr), &owner, (&before, &before), None);
    service.now += time::Duration::SECOND;
    service.list(&serial, &owner, (&said, &said), None).await.unwrap();
    service.now += time::Duration::SECOND;
    // Whoever holds back what was signed first cannot make it the last word by sending it late.
    service.finish(Start { location: Some(listing), ..start(NUMBER, SOURCE, Some(csr)) }).await;
    assert_eq!(service.shown().await, (Some(public(&said)), None));
}

async fn of_two_verifications_the_keys_of_the_later_are_listed(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let ((owner, csr), keys) = (device(), [location_key(1), location_key(2)]);
    let mut begun = Vec::new();
    for key in &keys {
        let listing = service.first_listing(&spki(&csr), &owner, (key, key), None);
        let asked = Start { location: Some(listing), ..start(NUMBER, SOURCE, Some(csr.clone())) };
        begun.push(service.verify.start(asked, service.now).await.unwrap());
        service.now += time::Duration::SECOND;
    }
    for of in begun.iter().rev() {
        service.prove(NUMBER, of).await;
        assert_eq!(service.shown().await, (Some(public(&keys[1])), None));
    }
}

async fn who_has_only_one_of_the_keys_begins_nothing_with_it(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let ((owner, csr), (ours, theirs)) = (device(), (location_key(1), location_key(2)));
    let (stranger, hash) = (KeyPair::generate().unwrap(), spki(&csr));
    let right = service.first_listing(&hash, &owner, (&ours, &ours), None);
    let of_another = service.first_listing(&[9; 32], &owner, (&ours, &ours), None);
    let wrong = [
        ("another key of a request", service.first_listing(&hash, &stranger, (&ours, &ours), None)),
        ("another location key", service.first_listing(&hash, &owner, (&theirs, &ours), None)),
        ("a kem key that nobody signed", FirstListing { kem: Some([6; 32]), ..right.clone() }),
        ("a nonce of another key", FirstListing { nonce: of_another.nonce.clone(), ..right.clone() }),
        ("a statement about another key", of_another),
    ];
    for (name, listing) in wrong {
        let asked = Start { location: Some(listing), ..start(NUMBER, SOURCE, Some(csr.clone())) };
        let refused = service.verify.start(asked, service.now).await;
        assert!(matches!(refused, Err(StartError::NotListed(_))), "{name}: {refused:?}");
    }
    let without = Start { location: Some(right.clone()), ..start(NUMBER, SOURCE, None) };
    let refused = service.verify.start(without, service.now).await;
    assert!(matches!(refused, Err(StartError::NothingBeside)), "{refused:?}");
    service.now += time::Duration::minutes(10);
    let late = Start { location: Some(right), ..start(NUMBER, SOURCE, Some(csr)) };
    let refused = service.verify.start(late, service.now).await;
    assert!(matches!(refused, Err(StartError::NotListed(_))), "{refused:?}");
}

async fn who_has_only_one_of_the_keys_lists_nothing(database: TestDatabase) {
    let service = Service::over(database).await;
    let (owner, csr) = device();
    let serial = service.serial_of(csr).await;
    let (ours, theirs) = (location_key(1), location_key(2));
    let stranger = KeyPair::generate().unwrap();
    for (signer, keys) in [(&stranger, (&ours, &ours)), (&owner, (&theirs, &ours))] {
        let refused = service.list(&serial, signer, keys, None).await;
        assert!(matches!(refused, Err(OldKeyError::NotSigned)), "{refused:?}");
    }
    let refused = service.unlist(&serial, &stranger).await;
    assert!(matches!(refused, Err(OldKeyError::NotSigned)), "{refused:?}");
    assert_eq!(service.shown().await, (None, None));
}

async fn another_certificate_for_the_same_key_keeps_what_was_listed_and_for_another_does_not(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (owner, csr) = device();
    let serial = service.serial_of(csr.clone()).await;
    let (key, kem) = (location_key(1), Some([7; 32]));
    service.list(&serial, &owner, (&key, &key), kem).await.unwrap();
    let next = service.serial_of(csr).await;
    assert_ne!(next, serial);
    assert_eq!(service.shown().await, (Some(public(&key)), kem));
    service.certified(request()).await;
    service.wait().await;
    assert_eq!(service.shown().await, (None, None));
}

async fn what_was_revoked_lists_nothing(database: TestDatabase) {
    let service = Service::over(database).await;
    let (owner, csr) = device();
    let serial = service.serial_of(csr).await;
    service.issue.revoke(&serial, Reason::CessationOfOperation, "owner", service.now).await.unwrap();
    let key = location_key(1);
    let refused = service.list(&serial, &owner, (&key, &key), None).await;
    assert!(matches!(refused, Err(OldKeyError::NotNow(_))), "{refused:?}");
}

async fn what_was_signed_before_the_last_change_changes_nothing(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (owner, csr) = device();
    let serial = service.serial_of(csr).await;
    let (key, about) = (location_key(1), serial.hex());
    let (nonce, _) = service.issue.nonce(&serial, service.now);
    let listed = Some(listed_keys(&public(&key), None));
    let statement = Statement { action: Action::Locate, about: &about, nonce: Some(&nonce), key: listed };
    let agreed = key.sign(statement.text().as_bytes()).to_bytes();
    let agreed = Signature::parse(&STANDARD.encode(agreed)).unwrap();
    let signature = sign(&owner, &statement);
    let signed = Signed { serial: &serial, nonce: &nonce, signature: &signature };
    let listing = Listing { location: public(&key), kem: None, agreed: &agreed };
    service.issue.locate(&signed, Some(&listing), service.now).await.unwrap();
    service.now += time::Duration::SECOND;
    service.unlist(&serial, &owner).await.unwrap();
    let replayed = service.issue.locate(&signed, Some(&listing), service.now).await;
    assert!(matches!(replayed, Err(OldKeyError::NotNow(_))), "{replayed:?}");
    assert_eq!(service.shown().await, (None, None));
}

async fn keys_change_a_few_times_a_day(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (owner, csr) = device();
    let serial = service.serial_of(csr).await;
    // All of it on one day, whenever that began.
    service.now = service.now.replace_time(time::Time::MIDNIGHT) + time::Duration::DAY;
    for change in 1..=location_keys::CHANGES_A_DAY {
        service.now += time::Duration::SECOND;
        let key = location_key(u8::try_from(change).unwrap());
        service.list(&serial, &owner, (&key, &key), None).await.unwrap();
    }
    service.now += time::Duration::SECOND;
    let key = location_key(99);
    let refused = service.list(&serial, &owner, (&key, &key), None).await;
    assert!(matches!(refused, Err(OldKeyError::NotNow(_))), "{refused:?}");
    service.now += time::Duration::DAY;
    service.list(&serial, &owner, (&key, &key), None).await.unwrap();
}

async fn only_location_keys_of_living_certificates_are_known(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (owner, csr) = device();
    let serial = service.serial_of(csr).await;
    let key = location_key(1);
    let is_known = async |service: &Service, now| {
        let store = &service.database.store;
        location_keys::is_listed(&public(&key), now, store.columns(), &mut store.read().await.unwrap()).await.unwrap()
    };
    assert!(!is_known(&service, service.now).await);
    service.list(&serial, &owner, (&key, &key), None).await.unwrap();
    assert!(is_known(&service, service.now).await);
    assert!(
        !is_known(&service, service.now + time::Duration::days(1000)).await,
        "an expired certificate lists nothing"
    );
    service.now += time::Duration::SECOND;
    service.issue.revoke(&serial, Reason::CessationOfOperation, "owner", service.now).await.unwrap();
    assert!(!is_known(&service, service.now).await);
    for (column, bytes) in service.database.contents(&["certificates"]).await {
        assert!(!bytes.windows(32).any(|window| window == public(&key)), "{column} holds the key in the open");
    }
}

#[test]
fn a_record_has_room_for_the_largest_usual_certificate_and_all_beside_it() {
    assert!(has_room(&[0; 780]));
    assert!(!has_room(&[0; 860]));
}
