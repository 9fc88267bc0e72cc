//! Many who begin verifications of one number.

use super::*;

on_both_databases!(
    the_fourth_from_one_network_waits,
    of_a_crowd_the_largest_source_loses_its_oldest,
    of_many_networks_with_as_many_those_of_one_provider_lose_theirs,
    a_crowd_that_is_on_the_telephone_lets_nobody_in,
);

async fn the_fourth_from_one_network_waits(database: TestDatabase) {
    let service = Service::over(database).await;
    for source in ["192.0.2.1", "192.0.2.77", "192.0.2.254"] {
        service.try_start(NUMBER, source, None).await.unwrap();
    }
    let refused = service.try_start(NUMBER, "192.0.2.5", None).await;
    let Err(StartError::NumberFull { retry_after }) = refused else { panic!("{refused:?}") };
    assert!(retry_after <= std::time::Duration::from_secs(600) && retry_after.as_secs() >= 599, "{retry_after:?}");
    service.try_start(NUMBER, "198.51.100.5", None).await.unwrap();
    service.try_start("+12025550144", "192.0.2.5", None).await.unwrap();
}

async fn of_a_crowd_the_largest_source_loses_its_oldest(database: TestDatabase) {
    let limits = Limits { of_number: 6, ..Limits::default() };
    let service = Service::with(database, limits).await;
    let mut crowd = Vec::new();
    for source in ["192.0.2.1", "198.51.100.1", "198.51.100.1", "198.51.100.1", "203.0.113.1", "203.0.113.1"] {
        crowd.push(service.try_start(NUMBER, source, None).await.unwrap());
    }
    let newcomer = service.try_start(NUMBER, "192.0.2.200", None).await.unwrap();
    let mut states = Vec::new();
    for started in crowd.iter().chain([&newcomer]) {
        states.push(service.view(started).await.state);
    }
    // All began in the same moment: which of the three of the largest source is the oldest is not told.
    let ended: Vec<usize> =
        states.iter().enumerate().filter(|(_, state)| **state == State::Expired).map(|(index, _)| index).collect();
    assert!(matches!(ended.as_slice(), [1..=3]), "{states:?}");
}

async fn of_many_networks_with_as_many_those_of_one_provider_lose_theirs(database: TestDatabase) {
    let limits = Limits { of_number: 6, of_number_unworked: 6, ..Limits::default() };
    let mut service = Service::with(database, limits).await;
    let mut all = Vec::new();
    // The owner is the oldest, and has one as everybody else.
    for source in ["198.51.100.1", "203.0.113.1", "2001:db8:7::1", "2001:db8:7:100::1", "2001:db8:8::1", "2001:db9::1"]
    {
        assert!(!service.verify.is_crowded(&number(NUMBER), service.now).await.unwrap(), "{source}");
        all.push(service.try_start(NUMBER, source, None).await.unwrap());
        service.now += Duration::seconds(1);
    }
    assert!(service.verify.is_crowded(&number(NUMBER), service.now).await.unwrap());
    assert!(!service.verify.is_crowded(&number("+12025550144"), service.now).await.unwrap());
    all.push(service.try_start(NUMBER, "2001:db8:9::1", None).await.unwrap());
    all.push(service.try_start(NUMBER, "2001:db8:10::1", None).await.unwrap());
    let mut ended = Vec::new();
    for (index, started) in all.iter().enumerate() {
        if service.view(started).await.state == State::Expired {
            ended.push(index);
        }
    }
    assert_eq!(ended, [2, 3], "the oldest of 2001:db8::/32");
    service.now += Duration::minutes(11);
    assert!(!service.verify.is_crowded(&number(NUMBER), service.now).await.unwrap());
}

async fn a_crowd_that_is_on_the_telephone_lets_nobody_in(database: TestDatabase) {
    let limits = Limits { of_number: 2, ..Limits::default() };
    let service = Service::with(database, limits).await;
    for source in ["192.0.2.1", "198.51.100.1"] {
        let started = service.try_start(NUMBER, source, None).await.unwrap();
        service.call(started.code.expose()).await;
    }
    let newcomer = service.try_start(NUMBER, "203.0.113.1", None).await;
    assert!(matches!(newcomer, Err(StartError::NumberFull { .. })), "{newcomer:?}");
}
