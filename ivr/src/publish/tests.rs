//! From the outbox into the directory, with a directory that fails in every way.

mod rotation;

use ca::{Reason, Serial};
use dht_client::backend::memory::Fault;
use dht_client::{Derived, Identity, Item, Status};
use time::Duration;

use super::*;
use crate::issue::{Certified, DhtRecord};
use crate::store::records::{Due, Put};
use crate::store::test_database::{TestDatabase, on_both_databases};
use crate::verify::Started;
use crate::verify::fixture::{Service, request};

on_both_databases!(
    what_is_issued_while_the_directory_is_down_is_published_when_it_is_back,
    a_put_whose_confirmation_is_lost_is_repeated_under_a_higher_number,
    a_crash_between_put_and_mark_repeats_the_put,
    a_later_record_of_our_own_key_is_passed,
    a_revoked_certificate_leaves_a_tombstone_until_its_old_end,
    what_is_not_to_be_published_lies_nowhere,
    a_certificate_without_publishing_takes_the_older_record_away,
    every_living_record_is_put_again_at_start_and_in_time,
    the_slow_hash_is_made_once_and_anew_for_another_cost,
    a_late_mark_does_not_hide_a_later_one,
    a_row_that_does_not_open_stands_in_nobodys_way,
    several_records_are_put_at_once,
);

const IDENTITY: &str = "tel:+12025550143";

async fn certificate(service: &Service, started: &Started) -> Certified {
    service.view(started).await.certificate.unwrap()
}

async fn record(service: &Service, started: &Started) -> DhtRecord {
    certificate(service, started).await.record.unwrap()
}

async fn what_is_issued_while_the_directory_is_down_is_published_when_it_is_back(database: TestDatabase) {
    let mut service = Service::over(database).await;
    service.dht.fail(Fault::Dead);
    let started = service.certified(request()).await;
    service.publish().await;
    let waiting = record(&service, &started).await;
    assert!(!waiting.published && waiting.backend.is_none());
    assert!(waiting.last_error.unwrap().contains("reached"));
    // Before its time nothing is tried; the pauses grow.
    assert!(!service.publisher.publish_due(service.now).await.unwrap());
    for _ in 0..3 {
        service.now += Duration::seconds(30);
        service.publish().await;
    }

    service.dht.fail(Fault::None);
    let mut bell = service.verify.bell();
    service.now += Duration::minutes(10);
    service.publish().await;
    assert_eq!(bell.try_recv(), Ok(started.id));
    let published = record(&service, &started).await;
    assert!(published.published && published.last_error.is_none());
    let (found, item) = service.lookup(IDENTITY).await.unwrap();
    assert!(matches!(found.status, Status::Valid(_)));
    assert_eq!(published.slot, Some(item.slot().id().to_string()));
    assert_eq!(published.seq, Some(item.seq()));
    assert_eq!(published.bytes, Some(item.value().len() as u64));
    assert_eq!(published.backend.as_deref(), Some("memory"));
}

async fn a_put_whose_confirmation_is_lost_is_repeated_under_a_higher_number(database: TestDatabase) {
    let mut service = Service::over(database).await;
    service.dht.fail(Fault::Silent);
    let started = service.certified(request()).await;
    service.publish().await;
    assert!(!record(&service, &started).await.published);
    let (_, first) = service.lookup(IDENTITY).await.unwrap();
    service.dht.fail(Fault::None);
    service.now += Duration::minutes(1);
    service.publish().await;
    assert!(record(&service, &started).await.published);
    let (_, second) = service.lookup(IDENTITY).await.unwrap();
    assert!(second.seq() > first.seq());
}

async fn a_crash_between_put_and_mark_repeats_the_put(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.certified(request()).await;
    let store = &service.database.store;
    // The process claims the number, puts, and dies before it marks.
    let due = due(&service).await;
    let seq = service.now.unix_timestamp();
    let mut writer = store.begin().await.unwrap();
    assert!(records::claim(&due, seq, service.now + Duration::minutes(1), &mut writer).await.unwrap());
    assert!(!records::claim(&due, seq, service.now, &mut writer).await.unwrap(), "a number is used once");
    writer.commit().await.unwrap();

    let service = service.restarted().await;
    assert!(!service.publisher.publish_due(service.now).await.unwrap(), "the lease of the other still holds");
    service.publisher.refresh_all(service.now).await.unwrap();
    service.publish().await;
    assert!(record(&service, &started).await.published);
    let (_, item) = service.lookup(IDENTITY).await.unwrap();
    assert!(item.seq() > seq);
}

/// After a restored backup the rows know less than the directory.
async fn a_later_record_of_our_own_key_is_passed(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let started = service.certified(request()).await;
    let key = service.authority.directory_key();
    let derived =
        Derived::hash(&Identity::parse(IDENTITY).unwrap(), &key.verifying_key().to_bytes(), HashCost::CHEAP).unwrap();
    let later = service.now.unix_timestamp() + 100;
    let item = Item::sign(key, &derived.dir_salt(), later, vec![1; 80], service.now).unwrap();
    let expires = service.now + Duration::hours(1);
    service.dht.plant(item.slot().id(), item.to_bytes(), expires);
    service.publish().await;
    assert!(!record(&service, &started).await.published);
    service.now += Duration::seconds(10);
    service.publish().await;
    assert!(record(&service, &started).await.published);
    assert!(service.lookup(IDENTITY).await.unwrap().1.seq() > later);
}

async fn a_revoked_certificate_leaves_a_tombstone_until_its_old_end(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let started = service.certified(request()).await;
    service.publish().await;
    let (_, before) = service.lookup(IDENTITY).await.unwrap();
    let certified = certificate(&service, &started).await;
    let serial = Serial::parse(&certified.serial).unwrap();
    service.issue.revoke(&serial, Reason::CessationOfOperation, "owner", service.now).await.unwrap();
    assert!(!record(&service, &started).await.published, "the tombstone is not there yet");
    service.publish().await;
    let (tombstone, after) = service.lookup(IDENTITY).await.unwrap();
    assert_eq!(tombstone.status, Status::Revoked);
    assert_eq!(tombstone.not_after, certified.not_after.unix_timestamp());
    assert!(after.seq() > before.seq());
    assert!(record(&service, &started).await.published);

    // It is refreshed until then, and not after.
    service.now += Duration::days(20);
    service.publish().await;
    assert!(service.lookup(IDENTITY).await.unwrap().1.seq() > after.seq());
    service.now = certified.not_after + Duration::seconds(1);
    service.publish().await;
    assert!(service.lookup(IDENTITY).await.is_none());
    let due = records::next_due(&mut service.database.store.read().await.unwrap()).await.unwrap();
    assert_eq!(due, None);
}

async fn what_is_not_to_be_published_lies_nowhere(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.certified_unpublished().await;
    service.publish().await;
    assert!(service.lookup(IDENTITY).await.is_none());
    assert!(certificate(&service, &started).await.record.is_none());
}

async fn a_certificate_without_publishing_takes_the_older_record_away(database: TestDatabase) {
    let mut service = Service::over(database).await;
    service.certified(request()).await;
    service.publish().await;
    let hidden = service.certified_unpublished().await;
    service.wait().await;
    service.publish().await;
    assert_eq!(service.lookup(IDENTITY).await.unwrap().0.status, Status::Revoked);
    assert!(certificate(&service, &hidden).await.record.is_none());
}

async fn every_living_record_is_put_again_at_start_and_in_time(database: TestDatabase) {
    let mut service = Service::over(database).await;
    service.certified(request()).await;
    service.publish().await;
    let (_, first) = service.lookup(IDENTITY).await.unwrap();
    assert!(!service.publisher.publish_due(service.now).await.unwrap());
    service.publisher.refresh_all(service.now).await.unwrap();
    service.publish().await;
    let (_, second) = service.lookup(IDENTITY).await.unwrap();
    assert!(second.seq() > first.seq());
    service.now += Duration::minutes(44);
    assert!(!service.publisher.publish_due(service.now).await.unwrap(), "too early");
    service.now += Duration::minutes(17);
    service.publish().await;
    assert!(service.lookup(IDENTITY).await.unwrap().1.seq() > second.seq());
}

async fn the_slow_hash_is_made_once_and_anew_for_another_cost(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.certified(request()).await;
    service.publish().await;
    let kept = service.kept_hash().await;
    let slot = record(&service, &started).await.slot;
    service.publisher.refresh_all(service.now).await.unwrap();
    service.publish().await;
    assert_eq!(service.kept_hash().await, kept);

    let parts =
        PublisherParts { cost: HashCost { memory_kib: 16, ..HashCost::CHEAP }, ..(*service.publisher.parts).clone() };
    let dearer = Publisher::new(parts);
    dearer.refresh_all(service.now).await.unwrap();
    while dearer.publish_due(service.now).await.unwrap() {}
    assert_ne!(service.kept_hash().await, kept);
    assert_ne!(record(&service, &started).await.slot, slot);
}

/// Two nodes publish versions of one record, and the one with the older version is the last to mark it.
async fn a_late_mark_does_not_hide_a_later_one(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.certified(request()).await;
    let slow = due(&service).await;
    let serial = Serial::parse(&certificate(&service, &started).await.serial).unwrap();
    service.issue.revoke(&serial, Reason::CessationOfOperation, "owner", service.now).await.unwrap();
    service.publish().await;
    let (before, backends) = (record(&service, &started).await, "memory");
    let put = Put { slot: "00", bytes: 1, backends, complaint: None, next_at: service.now };
    let mut writer = service.database.store.begin().await.unwrap();
    records::published(&slow, &put, service.now, &mut writer).await.unwrap();
    writer.commit().await.unwrap();
    let after = record(&service, &started).await;
    assert!(after.published && after.slot == before.slot);
}

async fn a_row_that_does_not_open_stands_in_nobodys_way(database: TestDatabase) {
    let mut service = Service::over(database).await;
    service.certified(request()).await;
    service.database.store.damage_records().await;
    let other = service.certified_of("+12025550144").await;
    service.publish().await;
    assert!(record(&service, &other).await.published);
    service.now += Duration::minutes(1);
    assert!(!service.publisher.publish_due(service.now).await.unwrap(), "it is tried again at once");
}

async fn several_records_are_put_at_once(database: TestDatabase) {
    let service = Service::over(database).await;
    let mut people = Vec::new();
    for number in ["+12025550143", "+12025550144", "+12025550145"] {
        people.push(service.certified_of(number).await);
    }
    assert!(service.publisher.publish_due(service.now).await.unwrap());
    for started in &people {
        assert!(record(&service, started).await.published);
    }
    assert!(!service.publisher.publish_due(service.now).await.unwrap());
}

async fn due(service: &Service) -> Due {
    let store = &service.database.store;
    let due = records::due(service.now, store.columns(), &mut store.read().await.unwrap()).await.unwrap();
    due.expect("a record is due").ok().expect("its row opens")
}

impl Service {
    async fn kept_hash(&self) -> Vec<u8> {
        let contents = self.database.contents(&["records"]).await;
        contents.into_iter().find(|(name, _)| name == "records.derived_sealed").expect("it is kept").1
    }
}

/// The task itself: nudged it publishes, told to stop it ends.
#[tokio::test]
async fn the_task_publishes_what_it_is_nudged_for_and_ends() {
    let service = Service::over(TestDatabase::sqlite().await).await;
    let mut bell = service.verify.bell();
    let stop = CancellationToken::new();
    let task = tokio::spawn(service.publisher.clone().run(stop.clone()));
    let started = service.certified(request()).await;
    while !record(&service, &started).await.published {
        bell.recv().await.unwrap();
    }
    assert!(service.lookup(IDENTITY).await.is_some());
    stop.cancel();
    task.await.unwrap();
}
