//! How often strangers may cause mails, and that nobody learns anything about a mailbox from it.

use std::time::Duration;

use time::OffsetDateTime;

use super::service::{NOW, Service};
use crate::enrol_email::{BeginError, State};
use crate::issue::Issue;
use crate::store::StoreError;
use crate::store::mail_uses::{self, Bucket};
use crate::store::test_database::{TestDatabase, on_both_databases};

on_both_databases!(
    a_mailbox_gets_one_mail_a_minute_three_an_hour_five_a_day,
    a_domain_gets_a_hundred_mails_an_hour,
    a_network_asks_ten_times_an_hour_and_is_told_when_to_come_again,
    the_breaker_stops_all_mail_and_answers_alike,
    too_many_orders_in_all_are_taken_later,
    of_many_at_once_one_mail_goes_out,
);

const MINUTE: Duration = Duration::from_secs(60);

/// A service that issues nothing: these tests confirm nothing.
fn service(database: TestDatabase) -> Service {
    Service::new(database, Issue::stub())
}

/// Uses up a bucket but for one.
async fn nearly_fill(service: &Service, kind: &str, value: &str, most: u32, at: OffsetDateTime) {
    let store = &service.database.store;
    let bucket = Bucket::new(kind, value, store.columns());
    let mut writer = store.begin().await.unwrap();
    for _ in 1..most {
        mail_uses::note(&bucket, at, &mut writer).await.unwrap();
    }
    writer.commit().await.unwrap();
}

async fn a_mailbox_gets_one_mail_a_minute_three_an_hour_five_a_day(database: TestDatabase) {
    let service = service(database);
    // (minutes after the start, from which network, mails in all)
    let table = [
        (0, 1, 1),
        (0, 2, 1),
        (1, 3, 2),
        (2, 4, 3),
        (3, 5, 3),
        (59, 6, 3),
        (60, 7, 4),
        (61, 8, 5),
        (62, 9, 5),
        (24 * 60 - 1, 10, 5),
        (24 * 60, 11, 6),
    ];
    for (minutes, network, mails) in table {
        let at = NOW + MINUTE * minutes;
        // Its spellings count together.
        let spelling = if network % 2 == 0 { "Some.Body+tag@example.org" } else { "somebody@example.org" };
        let begun = service.ask_from([192, 0, network, 1], spelling, at).await.unwrap();
        assert_eq!(service.mails(at).await.len(), mails, "after {minutes} minutes");
        let view = service.enrol.view(begun.id, begun.secret.expose(), at).await.unwrap();
        assert_eq!((view.state, view.tries_left), (State::Waiting, 5), "a silent order looks like any other");
    }
}

async fn a_domain_gets_a_hundred_mails_an_hour(database: TestDatabase) {
    let service = service(database);
    nearly_fill(&service, "domain", "example.org", 100, NOW).await;
    for (network, address, mails) in [(1, "a@example.org", 1), (2, "b@EXAMPLE.org", 1), (3, "b@example.com", 2)] {
        service.ask_from([192, 0, network, 1], address, NOW).await.unwrap();
        assert_eq!(service.mails(NOW).await.len(), mails, "{address}");
    }
    service.ask_from([192, 0, 4, 1], "b@example.org", NOW + MINUTE * 60).await.unwrap();
    assert_eq!(service.mails(NOW + MINUTE * 60).await.len(), 3);
}

async fn a_network_asks_ten_times_an_hour_and_is_told_when_to_come_again(database: TestDatabase) {
    let service = service(database);
    for host in 1..=10 {
        let at = NOW + MINUTE * u32::from(host);
        service.ask_from([192, 0, 2, host], &format!("a{host}@example.org"), at).await.unwrap();
    }
    let at = NOW + MINUTE * 20;
    let refused = service.ask_from([192, 0, 2, 99], "another@example.org", at).await;
    let Err(BeginError::TooMany { retry_after }) = refused else { panic!("{refused:?}") };
    assert_eq!(retry_after, MINUTE * 41, "the first use was a minute after the start");
    service.ask_from([192, 0, 3, 99], "another@example.org", at).await.unwrap();
    service.ask_from([192, 0, 2, 99], "third@example.org", at + retry_after).await.unwrap();
}

async fn the_breaker_stops_all_mail_and_answers_alike(database: TestDatabase) {
    let service = service(database);
    nearly_fill(&service, "all", "", 1000, NOW).await;
    service.ask_from([192, 0, 1, 1], "a@example.org", NOW).await.unwrap();
    service.ask_from([192, 0, 2, 1], "b@example.com", NOW).await.unwrap();
    assert_eq!(service.mails(NOW).await.len(), 1);
    service.ask_from([192, 0, 2, 1], "b@example.com", NOW + MINUTE * 60).await.unwrap();
    assert_eq!(service.mails(NOW + MINUTE * 60).await.len(), 2);
}

async fn too_many_orders_in_all_are_taken_later(database: TestDatabase) {
    let service = service(database);
    nearly_fill(&service, "orders", "", 5000, NOW).await;
    service.ask_from([192, 0, 1, 1], "a@example.org", NOW).await.unwrap();
    let refused = service.ask_from([192, 0, 2, 1], "b@example.com", NOW).await;
    assert!(matches!(refused, Err(BeginError::Store(StoreError::Busy))), "{refused:?}");
}

async fn of_many_at_once_one_mail_goes_out(database: TestDatabase) {
    let service = std::sync::Arc::new(service(database));
    let tasks: Vec<_> = (0..8)
        .map(|network| {
            let service = service.clone();
            tokio::spawn(async move { service.ask_from([192, 0, network, 1], "somebody@example.org", NOW).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(service.mails(NOW).await.len(), 1);
}
