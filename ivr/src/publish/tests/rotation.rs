//! One directory key gives way to another: who finds what, with the bundle of before and with that of after.

use std::collections::BTreeSet;

use ca::Outgoing;
use dht_client::{Backend, Bundle, Lookup, Pin, Terms, Verdict};

use super::*;
use crate::gateway::{Gateway, GatewayError};

on_both_databases!(
    readers_of_either_bundle_find_record_and_tombstone_during_the_overlap_and_then_those_of_the_new_alone,
    what_waits_for_the_hash_of_a_new_key_goes_on_under_the_one_before,
    while_records_are_late_none_waits_for_a_hash,
    what_is_new_is_published_when_it_is_under_both_keys,
    under_a_stolen_key_nothing_is_written,
    a_node_or_a_backup_with_the_older_key_alone_hides_nothing,
    the_gateway_serves_the_slots_of_both_keys_until_the_overlap_ends,
);

const OTHER: &str = "tel:+12025550144";

async fn readers_of_either_bundle_find_record_and_tombstone_during_the_overlap_and_then_those_of_the_new_alone(
    database: TestDatabase,
) {
    let service = Service::over(database).await;
    let (before, older) = (service.bundle(), service.keys()[0]);
    service.certified(request()).await;
    let gone = service.certified_of("+12025550144").await;
    service.publish().await;
    let first = service.lookup(IDENTITY).await.unwrap().1.seq();

    let mut service = service.rotated(Outgoing::Overlaps).await;
    let (after, newer) = (service.bundle(), service.keys()[0]);
    service.put_again().await;
    let seqs = [service.seq(IDENTITY, newer).await, service.seq(IDENTITY, older).await];
    assert!(seqs[0] > first && seqs[0] == seqs[1], "{seqs:?} after {first}");
    service.revoke(&gone).await;
    service.publish().await;
    for (reader, key) in [(&before, older), (&after, newer)] {
        assert!(matches!(service.told(reader, IDENTITY).await, Verdict::Found(_)));
        assert!(matches!(service.told(reader, OTHER).await, Verdict::Revoked(_)));
        assert_eq!(service.lookup_under(key, OTHER).await.unwrap().0.status, Status::Revoked);
    }

    // The last day, after a restart and the end of the certificates of then.
    let mut service = service.restarted().await;
    let ends = service.authority.directory_keys(service.now).nth(1).unwrap().not_after();
    service.now = ends - Duration::DAY;
    let again = service.certified(request()).await;
    let serial = serial(&service, &again).await;
    service.publish().await;
    for reader in [&before, &after] {
        assert!(matches!(service.told(reader, IDENTITY).await, Verdict::Found(_)));
    }
    let (record, last) = service.lookup_under(older, IDENTITY).await.unwrap();
    assert_eq!(record.not_after, ends.unix_timestamp(), "whoever keeps it alive does not do so for longer");
    assert!(last.seq() > seqs[1]);

    service.now = ends + Duration::SECOND;
    service.publish().await;
    assert!(matches!(service.told(&after, IDENTITY).await, Verdict::Found(_)));
    assert!(matches!(service.told(&before, IDENTITY).await, Verdict::Unknown { .. }));
    service.issue.revoke(&serial, Reason::CessationOfOperation, "owner", service.now).await.unwrap();
    service.publish().await;
    assert!(matches!(service.told(&after, IDENTITY).await, Verdict::Revoked(_)));
    assert!(matches!(service.told(&before, IDENTITY).await, Verdict::Unknown { .. }));
    assert!(service.lookup_under(older, IDENTITY).await.is_none());
}

/// The hashes of many take long: until each has had its turn, the directory forgets nobody.
async fn what_waits_for_the_hash_of_a_new_key_goes_on_under_the_one_before(database: TestDatabase) {
    let service = Service::over(database).await;
    let people = [IDENTITY, OTHER, "tel:+12025550145"];
    for identity in people {
        service.certified_of(&identity["tel:".len()..]).await;
    }
    service.publish().await;
    let first = service.now.unix_timestamp();
    let (older, kept) = (service.keys()[0], service.kept("records.derived_sealed").await);

    let mut service = service.rotated(Outgoing::Overlaps).await;
    let newer = service.keys()[0];
    service.publisher.refresh_all(service.now).await.unwrap();
    for turn in 1..=people.len() {
        service.publish().await;
        let mut hashed = 0;
        for identity in people {
            let seq = service.seq(identity, older).await;
            assert!(seq > first, "it was put again at once, whether it is hashed or not");
            if let Some((_, item)) = service.lookup_under(newer, identity).await {
                assert_eq!(item.seq(), seq, "both keys say it under one number");
                hashed += 1;
            }
        }
        assert_eq!(hashed, turn);
        service.now += Duration::MINUTE;
    }
    assert_eq!(service.kept("records.outgoing_derived_sealed").await, kept, "a hash was made again");
}

async fn while_records_are_late_none_waits_for_a_hash(database: TestDatabase) {
    let service = Service::over(database).await;
    for identity in [IDENTITY, OTHER] {
        service.certified_of(&identity["tel:".len()..]).await;
    }
    service.publish().await;
    let (older, mut service) = (service.keys()[0], service.rotated(Outgoing::Overlaps).await);
    let newer = service.keys()[0];
    // A sixteenth of an hour, after which this directory is to be given everything again, is 225 s.
    for (late, expected) in [(Duration::seconds(226), 0), (Duration::seconds(222), 1)] {
        service.publisher.refresh_all(service.now).await.unwrap();
        service.now += late;
        service.publish().await;
        let mut hashed = 0;
        for identity in [IDENTITY, OTHER] {
            assert_eq!(service.seq(identity, older).await, service.now.unix_timestamp(), "put again all the same");
            hashed += usize::from(service.lookup_under(newer, identity).await.is_some());
        }
        assert_eq!(hashed, expected, "{late}");
        // While they are late, those that wait for their hash come again in their time, not in a minute.
        service.now += Duration::MINUTE;
        let is_soon = service.publisher.publish_due(service.now).await.unwrap();
        assert_eq!(is_soon, hashed > 0, "{late}");
    }
}

async fn what_is_new_is_published_when_it_is_under_both_keys(database: TestDatabase) {
    let service = Service::over(database).await;
    let people = [service.certified(request()).await, service.certified_of("+12025550144").await];
    service.publish().await;
    let mut service = service.rotated(Outgoing::Overlaps).await;
    service.put_again().await;
    let keys = service.keys();
    for ((started, identity), key) in people.iter().zip([IDENTITY, OTHER]).zip([keys[0], keys[1]]) {
        let before = service.lookup_under(key, identity).await.unwrap().1;
        service.dht.fail(Fault::DeadAt(before.slot().id()));
        service.revoke(started).await;
        service.publish().await;
        assert!(!record(&service, started).await.published);

        service.dht.fail(Fault::None);
        service.now += Duration::MINUTE;
        service.publish().await;
        assert!(record(&service, started).await.published);
        for key in &keys {
            let (record, item) = service.lookup_under(*key, identity).await.unwrap();
            assert_eq!(record.status, Status::Revoked);
            assert!(item.seq() > before.seq());
        }
    }
}

async fn under_a_stolen_key_nothing_is_written(database: TestDatabase) {
    let service = Service::over(database).await;
    service.certified(request()).await;
    let gone = service.certified_of("+12025550144").await;
    service.publish().await;
    let older = service.keys()[0];
    let lay = service.lookup(IDENTITY).await.unwrap().1;

    let mut service = service.rotated(Outgoing::Stolen).await;
    assert_eq!(service.keys().len(), 1);
    service.revoke(&gone).await;
    service.put_again().await;
    assert_eq!(service.lookup_under(older, IDENTITY).await.unwrap().1, lay);
    let after = service.bundle();
    assert!(matches!(service.told(&after, IDENTITY).await, Verdict::Found(_)));
    assert!(matches!(service.told(&after, OTHER).await, Verdict::Revoked(_)));
}

/// One that was not restarted yet, or the folder as it was before.
async fn a_node_or_a_backup_with_the_older_key_alone_hides_nothing(database: TestDatabase) {
    let service = Service::over(database).await;
    let (older, started) = (service.authority.clone(), service.certified(request()).await);
    service.publish().await;
    let mut service = service.rotated(Outgoing::Overlaps).await;
    service.put_again().await;
    let (after, newer, keys) = (service.bundle(), service.authority.clone(), service.keys());

    let service = service.restarted_with(older).await;
    service.revoke(&started).await;
    service.publish().await;
    assert!(matches!(service.lookup_under(keys[0], IDENTITY).await.unwrap().0.status, Status::Valid(_)));
    assert!(matches!(service.told(&after, IDENTITY).await, Verdict::Revoked(_)));

    let mut service = service.restarted_with(newer).await;
    service.put_again().await;
    assert_eq!(service.lookup_under(keys[0], IDENTITY).await.unwrap().0.status, Status::Revoked);
    assert_eq!(service.seq(IDENTITY, keys[0]).await, service.seq(IDENTITY, keys[1]).await);
}

async fn the_gateway_serves_the_slots_of_both_keys_until_the_overlap_ends(database: TestDatabase) {
    let service = Service::over(database).await;
    service.certified(request()).await;
    service.publish().await;
    let mut service = service.rotated(Outgoing::Overlaps).await;
    service.put_again().await;
    let networks = Several::new(vec![Backend::Memory(service.dht.clone())]).unwrap();
    let gateway = Gateway::new(networks, service.database.store.clone(), service.authority.clone());
    let mut slots = Vec::new();
    for key in service.keys() {
        let item = service.lookup_under(key, IDENTITY).await.unwrap().1;
        assert_eq!(gateway.get(item.slot(), service.now).await.unwrap(), (item.clone(), true));
        gateway.put(&item, service.now).await.unwrap();
        slots.push(item.slot().clone());
    }
    let ends = service.authority.directory_keys(service.now).nth(1).unwrap().not_after();
    let after = ends + Duration::SECOND;
    assert!(matches!(gateway.get(&slots[1], ends).await, Err(GatewayError::Nothing)), "theirs, and empty by now");
    assert!(matches!(gateway.get(&slots[1], after).await, Err(GatewayError::Foreign)));
    assert!(matches!(gateway.get(&slots[0], after).await, Err(GatewayError::Nothing)));
}

async fn serial(service: &Service, started: &Started) -> Serial {
    Serial::parse(&certificate(service, started).await.serial).unwrap()
}

impl Service {
    /// The keys that the directory is written under, the newest first.
    fn keys(&self) -> Vec<[u8; 32]> {
        self.authority.directory_keys(self.now).map(ca::DirectoryKey::public).collect()
    }

    fn bundle(&self) -> String {
        let oid_arc = self.authority.oid_arc().to_vec();
        let terms = Terms { number: 1, oid_arc, cost: HashCost::CHEAP, networks: Vec::new() };
        self.authority.bundle(&terms.to_string()).unwrap()
    }

    /// What a reader of a bundle is told of somebody.
    async fn told(&self, bundle: &str, identity: &str) -> Verdict {
        let bundle = Bundle::read(bundle.as_bytes(), Pin::File, self.now).unwrap();
        let networks = Several::new(vec![Backend::Memory(self.dht.clone())]).unwrap();
        let lookup = Lookup::new(bundle, networks, Hasher::start().unwrap());
        let patience = std::time::Duration::from_secs(1);
        lookup.find(&Identity::parse(identity).unwrap(), patience, self.now).await.unwrap()
    }

    async fn seq(&self, identity: &str, key: [u8; 32]) -> i64 {
        self.lookup_under(key, identity).await.expect("it lies there").1.seq()
    }

    /// Puts everything again, as a start does, and gives each hash its turn.
    async fn put_again(&mut self) {
        self.publisher.refresh_all(self.now).await.unwrap();
        for _ in 0..3 {
            self.publish().await;
            self.now += Duration::MINUTE;
        }
    }

    async fn revoke(&self, started: &Started) {
        let serial = serial(self, started).await;
        self.issue.revoke(&serial, Reason::CessationOfOperation, "owner", self.now).await.unwrap();
    }

    /// What lies in a column.
    async fn kept(&self, column: &str) -> BTreeSet<Vec<u8>> {
        let contents = self.database.contents(&["records"]).await;
        contents.into_iter().filter(|(name, _)| name == column).map(|(_, value)| value).collect()
    }
}
