//! A scene: somebody with a certificate and a location key, and somebody who looks for them.

use std::time::Duration;

use dht_client::backend::memory::Memory;
use dht_client::{
    Absence, Audience, Backend, Bundle, Contact, Derived, Entry, Friend, HashCost, Hasher, Identity, Item, Location,
    Lookup, OwnerKey, Pin, Record, Several, SigningKey, Status, Whereabouts,
};

use crate::authority::{Authority, Leaf, ed25519, now};
use crate::vectors::array;

pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
pub(crate) const TTL: Duration = Duration::from_secs(3600);
pub(crate) const SEQ: i64 = 1_799_999_000;

pub(crate) fn identity() -> Identity {
    Identity::parse("tel:+12025550143").expect("an identity")
}

pub(crate) fn location_key() -> SigningKey {
    SigningKey::from_bytes(&array("seed"))
}

/// Somebody with a certificate and a location key, and somebody who looks for them.
pub(crate) struct Scene {
    pub(crate) authority: Authority,
    pub(crate) owner: OwnerKey,
    pub(crate) memory: Memory,
    pub(crate) lookup: Lookup,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let scene = Self::unpublished();
        scene.enrol(Some(location_key().verifying_key().to_bytes()), SEQ).await;
        scene
    }

    pub(crate) fn unpublished() -> Self {
        let authority = Authority::new();
        let memory = Memory::default();
        let bundle = Bundle::read(authority.bundle(1).as_bytes(), Pin::File, now()).expect("the test's own bundle");
        let several = Several::new(vec![Backend::Memory(memory.clone())]).expect("one backend");
        let lookup = Lookup::new(bundle, several, Hasher::start().expect("a thread"));
        Self { authority, owner: OwnerKey::Ed25519(SigningKey::from_bytes(&[0x31; 32])), memory, lookup }
    }

    pub(crate) async fn enrol(&self, location_key: Option<[u8; 32]>, seq: i64) {
        self.say(self.certified(location_key), seq).await;
    }

    pub(crate) fn certified(&self, location_key: Option<[u8; 32]>) -> Status {
        let OwnerKey::Ed25519(key) = &self.owner else { panic!("the scene's key is Ed25519") };
        let certificate = self.authority.issue_for(&ed25519(key), Leaf::default());
        Status::Valid(Entry { location_key, ..Entry::new(certificate) })
    }

    pub(crate) async fn say(&self, status: Status, seq: i64) {
        self.put(&self.statement(status, seq)).await;
    }

    /// The item with which the authority says so.
    pub(crate) fn statement(&self, status: Status, seq: i64) -> Item {
        let record = Record { not_before: SEQ, not_after: SEQ + 86_400, status };
        let key = self.authority.directory.verifying_key().to_bytes();
        let derived = Derived::hash(&identity(), &key, HashCost::CHEAP).expect("cheap parameters");
        record.publish(&derived, &self.authority.directory, seq, [9; 24], now()).expect("a record that fits")
    }

    pub(crate) async fn put(&self, item: &Item) {
        Backend::Memory(self.memory.clone()).put(item, TTL, None, now()).await.expect("the map takes it");
    }

    /// The owner says where to be called.
    pub(crate) async fn speak(&self, location: &Location, audience: Audience<'_>, seq: i64) -> Item {
        let item = location.publish(audience, (&self.owner, &location_key()), seq, [4; 32], now()).expect("it fits");
        self.put(&item).await;
        item
    }

    pub(crate) async fn locate(&self, friend: &Friend) -> Whereabouts {
        self.lookup.locate(&identity(), friend, PATIENCE, now()).await.expect("cheap parameters")
    }

    pub(crate) async fn absence(&self, friend: &Friend) -> Absence {
        match self.locate(friend).await {
            Whereabouts::Offline { why, .. } => why,
            other => panic!("not absent: {other:?}"),
        }
    }
}

pub(crate) fn here(uri: &str) -> Location {
    let contacts = vec![Contact::new(uri, 1000, now().unix_timestamp() + 600).expect("a contact")];
    let not_before = now().unix_timestamp() - 60;
    Location { identity: identity(), contacts, not_before, not_after: not_before + 3600 }
}

pub(crate) fn contact_of(whereabouts: &Whereabouts) -> String {
    match whereabouts {
        Whereabouts::Here { location, complete: true, .. } => location.living(now())[0].expose().to_owned(),
        other => panic!("not here: {other:?}"),
    }
}

pub(crate) const STRANGER: Friend = Friend { friends_key: None, kem_key: None };
