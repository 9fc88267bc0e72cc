//! How fast the service's own publisher is, with its database in the way: a measurement, printed (docs/performance.md).

use std::time::Duration;

use dht_client::backend::mainline::{Mainline, Ring};
use dht_client::{Backend, Several};

use super::{Publisher, PublisherParts};
use crate::clock::Clock;
use crate::store::records;
use crate::store::test_database::TestDatabase;
use crate::verify::fixture::Service;

/// Of each a hundred numbers, 555-0100 to 555-0199, are nobody's; the service's test number is in none.
const AREAS: [u32; 5] = [213, 312, 415, 503, 646];
const RECORDS: u32 = 500;
/// What is stored is due again after three quarters of an hour, what failed after ten minutes at most.
const STORED: Duration = Duration::from_secs(15 * 60);

#[tokio::test]
#[ignore = "a measurement: docs/performance.md says how to make it"]
async fn every_record_is_put_into_a_mainline_ring_at_the_pace_that_this_prints() {
    for others in [0, 1_000_000] {
        let service = Service::over(TestDatabase::sqlite().await).await;
        service.database.store.add_records_of_others(others).await;
        for area in AREAS {
            for line in 100..100 + RECORDS / 5 {
                service.certified_of(&format!("+1{area}5550{line}")).await;
            }
        }
        let ring = Ring::start(&[0, 0, 0]).await.unwrap();
        let mainline = Backend::Mainline(Mainline::ring(ring.addresses()).await.unwrap());
        let networks = Several::new(vec![mainline]).unwrap();
        let publisher = Publisher::new(PublisherParts { networks, ..(*service.publisher.parts).clone() });
        for what in ["published, with a cheap hash each", "put again"] {
            publisher.refresh_all(Clock.wall()).await.unwrap();
            let began = Clock.wall();
            put_all(&publisher).await;
            let rate = f64::from(RECORDS) / (Clock.wall() - began).as_seconds_f64();
            println!("{RECORDS} records after {others} of others {what}: {rate:.0} a second, all stored");
        }
    }
}

async fn put_all(publisher: &Publisher) {
    loop {
        while publisher.publish_due(Clock.wall()).await.unwrap() {}
        let next = records::next_due(&mut publisher.parts.store.read().await.unwrap()).await.unwrap();
        if next.expect("records are put again") > Clock.wall() + STORED {
            return;
        }
        // One failed, and is tried again soon.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
