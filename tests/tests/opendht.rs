//! The directory on real OpenDHT nodes, through their REST proxies.
#![expect(clippy::disallowed_methods, reason = "a test measures how long an answer takes")]

#[path = "../../dht-client/tests/contract/mod.rs"]
mod contract;

use std::future::Future;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::{found, item, now, put, until};
use dht_client::backend::mainline::{Mainline, Ring};
use dht_client::backend::opendht::OpenDht;
use dht_client::{Answer, Backend, GetError, Item, PutError, Several};
use end_to_end::dhtnode::DhtNodes;
use end_to_end::own_network::run_inside;
use futures_util::future::join_all;
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

const PATIENCE: Duration = Duration::from_secs(10);
const TTL: Duration = Duration::from_secs(3600);

/// Runs a test in a network of its own.
fn inside<F: Future<Output = ()>>(test: &str, body: impl FnOnce() -> F) {
    run_inside(test, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(body());
    });
}

fn through(urls: &[String]) -> Backend {
    Backend::OpenDht(OpenDht::new(urls).expect("addresses of proxies"))
}

/// Waits until the nodes behind all proxies have found each other.
async fn connected(backend: &Backend) {
    let found_each_other = async {
        loop {
            let health = backend.health().await;
            if health.reachable == health.configured {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), found_each_other).await.expect("the nodes find each other");
}

/// That an item is found, and that it is said that not everybody answered.
async fn is_found_by_who_is_left(backend: &Backend, item: &Item) {
    let get = async || backend.get(item.slot(), PATIENCE, None, now()).await;
    let answer = until(get, Result::is_ok).await;
    assert_eq!(answer, Ok(Answer::Items { items: vec![item.clone()], complete: false }));
}

async fn ring() -> (DhtNodes, Backend) {
    let nodes = DhtNodes::start(3);
    let backend = through(&nodes.urls());
    connected(&backend).await;
    (nodes, backend)
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs dhtnode: run tests/run")]
fn three_nodes_keep_the_contract() {
    inside("three_nodes_keep_the_contract", || async {
        let (_nodes, backend) = ring().await;
        contract::every_backend_keeps_the_contract(&backend).await;
    });
}

/// As where both networks carry a directory.
#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs dhtnode: run tests/run")]
fn nodes_of_both_networks_at_once_keep_the_contract() {
    inside("nodes_of_both_networks_at_once_keep_the_contract", || async {
        let (_nodes, opendht) = ring().await;
        let ring = Ring::start(&[0, 0, 0]).await.expect("free ports");
        let mainline = Backend::Mainline(Mainline::ring(ring.addresses()).await.expect("a socket"));
        let both = Several::new(vec![mainline, opendht]).expect("two of them");
        contract::every_backend_keeps_the_contract(&both).await;
    });
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs dhtnode: run tests/run")]
fn what_one_proxy_takes_another_gives() {
    inside("what_one_proxy_takes_another_gives", || async {
        let (nodes, _) = ring().await;
        let urls = nodes.urls();
        let item = item(b"across", 1_799_999_000, &[0xa5; 996]);
        put(&through(&urls[..1]), &item, None).await.expect("the first proxy stores it");
        assert_eq!(found(&through(&urls[2..]), item.slot()).await, item);
    });
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs dhtnode: run tests/run")]
fn a_ring_outlives_a_proxy_but_not_all_of_them() {
    inside("a_ring_outlives_a_proxy_but_not_all_of_them", || async {
        let (mut nodes, backend) = ring().await;
        let (before, after) = (item(b"before", 1_799_999_000, b"x"), item(b"after", 1_799_999_000, b"y"));
        put(&backend, &before, None).await.expect("stored by three");
        nodes.stop(0);
        put(&backend, &after, None).await.expect("stored by two");
        for item in [&before, &after] {
            is_found_by_who_is_left(&backend, item).await;
        }
        nodes.stop(1);
        nodes.stop(2);
        assert_eq!(backend.get(before.slot(), PATIENCE, None, now()).await, Err(GetError::Unreachable));
        assert_eq!(backend.put(&after, TTL, None, now()).await, Err(PutError::Unreachable));
        assert_eq!(backend.health().await.reachable, 0);
    });
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs dhtnode: run tests/run")]
fn a_ring_that_lost_three_quarters_of_its_nodes_still_has_every_record() {
    inside("a_ring_that_lost_three_quarters_of_its_nodes_still_has_every_record", || async {
        let mut nodes = DhtNodes::start(8);
        let backend = through(&nodes.urls());
        connected(&backend).await;
        let records: Vec<Item> = (0..16_u8).map(|number| item(&[number], 1_799_999_000, &[number; 700])).collect();
        for item in &records {
            put(&backend, item, None).await.expect("stored by eight");
        }
        // 3 of 8, and then 6: at least 30 % and 75 %. Two are left, for a node without peers counts as dead.
        for stopped in [0..3, 3..6] {
            stopped.for_each(|number| nodes.stop(number));
            // At once, for a node that looks for the dead takes seconds to say that it has told all.
            join_all(records.iter().map(|item| is_found_by_who_is_left(&backend, item))).await;
        }
    });
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs dhtnode: run tests/run")]
fn a_node_without_peers_never_says_nothing() {
    inside("a_node_without_peers_never_says_nothing", || async {
        let (_node, url) = DhtNodes::lone(0);
        let backend = through(&[url]);
        let item = item(b"alone", 1_799_999_000, b"x");
        assert_eq!(backend.get(item.slot(), PATIENCE, None, now()).await, Err(GetError::Unreachable));
        assert_eq!(backend.put(&item, TTL, None, now()).await, Err(PutError::Unreachable));
    });
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs dhtnode: run tests/run")]
fn an_item_is_found_among_what_strangers_put_into_its_slot() {
    inside("an_item_is_found_among_what_strangers_put_into_its_slot", || async {
        let (nodes, backend) = ring().await;
        let good = item(b"crowded", 1_799_999_000, b"good");
        let stranger =
            Item::sign(&contract::key(2), b"crowded", 1_799_999_999, b"bad".to_vec(), now()).expect("an item");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let url = format!("{}/key/{}", nodes.urls()[1], good.slot().id());
        let mut junk = vec![b"junk".to_vec(), vec![], vec![0xff; 30_000], stranger.to_bytes()];
        junk.extend((0..40_u8).map(|number| vec![number; 1200]));
        for (number, bytes) in (1_u64..).zip(&junk) {
            let body = serde_json::json!({ "id": number.to_string(), "data": STANDARD.encode(bytes), "type": 0 });
            http.post(&url).body(body.to_string()).send().await.expect("the proxy takes anything");
        }
        // The proxy decodes what is no base64 to zeros and answers 200.
        http.post(&url).body(r#"{"data":"!!!!"}"#).send().await.expect("the proxy takes anything");
        let get = async || backend.get(good.slot(), PATIENCE, None, now()).await;
        // None of them takes so little for a flood; who is busy is asked again.
        let answer =
            until(get, |answer| !matches!(answer, Err(GetError::Unreachable) | Ok(Answer::Nothing { asked: ..3 })))
                .await;
        assert_eq!(answer, Ok(Answer::Nothing { asked: 3 }), "junk counts as nothing");
        put(&backend, &good, None).await.expect("stored beside the junk");
        assert_eq!(found(&backend, good.slot()).await, good);
    });
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs dhtnode: run tests/run")]
fn who_takes_the_id_that_a_record_will_have_does_not_keep_it_out() {
    inside("who_takes_the_id_that_a_record_will_have_does_not_keep_it_out", || async {
        let (nodes, backend) = ring().await;
        let good = item(b"squatted", 1_799_999_000, b"good");
        let id = u64::from_be_bytes(*Sha256::digest(good.to_bytes()).first_chunk().expect("a digest is longer"));
        let body = serde_json::json!({ "id": id.to_string(), "data": STANDARD.encode(b"junk"), "type": 0 }).to_string();
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        for url in nodes.urls() {
            let url = format!("{url}/key/{}", good.slot().id());
            http.post(&url).body(body.clone()).send().await.expect("the proxy takes anything");
        }
        for _again in 0..2 {
            put(&backend, &good, None).await.expect("stored under another id");
            assert_eq!(found(&backend, good.slot()).await, good);
        }
        // A lone proxy has no other to go on with.
        put(&through(&nodes.urls()[..1]), &good, None).await.expect("stored under another id");
        let url = format!("{}/key/{}", nodes.urls()[2], good.slot().id());
        let lines = http.get(&url).send().await.expect("an answer").text().await.expect("lines").lines().count();
        assert_eq!(lines, 2, "the stranger's, and one of ours however often it is put in the same instant");
    });
}

/// Values of strangers in one slot.
const JUNK: u64 = 2000;
/// Who put them at the same time.
const STRANGERS: u64 = 16;
/// Within this a flooded slot is answered for.
const FLOOD_MARK: Duration = Duration::from_secs(2);
/// Each is asked at the same time.
const PROXIES: u16 = 3;
/// What is in use for each at most: a buffer of the HTTP library, which grows to 408 KiB when a node sends chunks of megabytes, as
/// the allocator rounds it, and our own 64 KiB.
const KEPT_KIB: usize = 1024;

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs dhtnode: run tests/run")]
fn a_slot_with_two_thousand_values_of_strangers_is_never_said_to_be_empty() {
    inside("a_slot_with_two_thousand_values_of_strangers_is_never_said_to_be_empty", || async {
        let nodes = DhtNodes::unlimited(PROXIES);
        let backend = through(&nodes.urls());
        connected(&backend).await;
        let good = item(b"besieged", 1_799_999_000, &[0xa5; 700]);
        let url = format!("{}/key/{}", nodes.urls()[1], good.slot().id());
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let mut strangers: JoinSet<()> = (0..STRANGERS).map(|first| strew(http.clone(), url.clone(), first)).collect();
        while let Some(strewn) = strangers.join_next().await {
            strewn.expect("the proxy takes anything");
        }
        let lines = http.get(&url).send().await.expect("an answer").text().await.expect("lines").lines().count();
        println!("the node gives {lines} of {JUNK} values");

        besieged(&backend, &good, |answer| *answer == Err(GetError::Overloaded)).await;
        let stored = backend.put(&good, TTL, None, now()).await;
        println!("a put beside them: {stored:?}");
        // Whoever floods a slot keeps nobody from writing; that what was written shows in time is not promised.
        let shown = match stored.map(|stored| stored.nodes) {
            Ok(nodes) => nodes,
            Err(PutError::Timeout) => 0,
            Err(other) => panic!("{other:?}"),
        };
        let is_shown = |answer: &Result<Answer, GetError>| match answer {
            Ok(Answer::Items { items, .. }) => *items == [good.clone()],
            answer => shown < 2 && *answer == Err(GetError::Overloaded),
        };
        besieged(&backend, &good, is_shown).await;
    });
}

/// Puts one in so many of the junk values.
async fn strew(http: reqwest::Client, url: String, first: u64) {
    for number in (1..=JUNK).filter(|number| number % STRANGERS == first) {
        let data = STANDARD.encode(number.to_be_bytes().repeat(150));
        let body = serde_json::json!({ "id": number.to_string(), "data": data, "type": 0 }).to_string();
        let put = http.post(&url).body(body).send().await.expect("the proxy takes anything");
        assert!(put.status().is_success(), "{put:?}");
    }
}

/// How often nodes that are busy with the flood, on a machine that is busy with others, may miss the mark.
const TRIES: usize = 5;

/// That a reader is told this, in time and not at a high price, by one of a few tries; and never that there is nothing.
async fn besieged(backend: &Backend, good: &Item, expected: impl Fn(&Result<Answer, GetError>) -> bool) {
    let mut tries = Vec::new();
    for _ in 0..TRIES {
        contract::memory::forget_peak();
        let before = contract::memory::peak_kib();
        let begun = Instant::now();
        let answer = backend.get(good.slot(), PATIENCE, None, now()).await;
        let (took, each) =
            (begun.elapsed(), contract::memory::peak_kib().saturating_sub(before) / usize::from(PROXIES));
        println!("{PROXIES} proxies asked: {took:?}, {each} KiB kept of each");
        assert!(!matches!(answer, Ok(Answer::Nothing { .. })) && each < KEPT_KIB, "{answer:?}, {each} KiB");
        if took < FLOOD_MARK && expected(&answer) {
            return;
        }
        tries.push((answer, took));
    }
    panic!("{tries:#?}");
}
