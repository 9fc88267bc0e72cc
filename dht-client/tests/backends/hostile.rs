//! OpenDHT proxies that lie, hang, flood and drip: what a reader and a writer say then, how soon, and what it costs them.
#![expect(clippy::disallowed_methods, reason = "a test measures how long an answer takes")]

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::contract::{item, key, now};
use crate::proxy::{Manners, Proxy, Reply, Shelf};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dht_client::backend::opendht::OpenDht;
use dht_client::{Answer, Backend, GetError, Item, PutError};
use flate2::Compression;
use flate2::write::GzEncoder;

const PATIENCE: Duration = Duration::from_secs(20);
const TTL: Duration = Duration::from_secs(3600);
/// Within this a flooded slot is answered for.
const FLOOD_MARK: Duration = Duration::from_secs(2);
/// Within this a put is through that knows which proxy hangs.
const REMEMBERED_MARK: Duration = Duration::from_secs(1);
/// Within this another proxy has taken over.
const FAILOVER_MARK: Duration = Duration::from_secs(5);

fn through(proxies: &[&Proxy]) -> Backend {
    let urls: Vec<&str> = proxies.iter().map(|proxy| proxy.url()).collect();
    Backend::OpenDht(OpenDht::new(&urls).unwrap())
}

fn line(bytes: &[u8]) -> String {
    format!("{{\"id\":\"1\",\"data\":\"{}\",\"type\":0}}\n", STANDARD.encode(bytes))
}

fn good() -> Item {
    item(b"besieged", 1_799_999_000, b"the record")
}

/// What a proxy that gives these lines makes a reader say, and how long that took.
async fn said(get: Reply) -> (Result<Answer, GetError>, Duration) {
    let proxy = Proxy::start(Manners { get, ..Manners::honest() }).await;
    let begun = Instant::now();
    let answer = through(&[&proxy]).get(good().slot(), PATIENCE, None, now()).await;
    (answer, begun.elapsed())
}

fn only(item: &Item) -> Result<Answer, GetError> {
    Ok(Answer::Items { items: vec![item.clone()], complete: true })
}

#[tokio::test]
async fn what_does_not_hold_is_dropped_and_what_holds_is_found_among_it() {
    let good = good();
    let salt = good.slot().salt().to_vec();
    let forged = Item::sign(&key(2), &salt, 1_799_999_999, b"forged".to_vec(), now()).unwrap();
    let older = Item::sign(&key(1), &salt, 1_799_998_000, b"replayed".to_vec(), now()).unwrap();
    let far = now() + Duration::from_secs(86_400);
    let future = Item::sign(&key(1), &salt, far.unix_timestamp(), b"future".to_vec(), far).unwrap();
    let other_slot = Item::sign(&key(1), b"elsewhere", 1_799_999_500, b"moved".to_vec(), now()).unwrap();
    let mut altered = good.to_bytes();
    *altered.iter_mut().nth_back(5).unwrap() ^= 1;
    let mut renumbered = String::from_utf8_lossy(&good.to_bytes()).into_owned().into_bytes();
    renumbered.truncate(400);
    let mut lines: Vec<String> =
        [&forged, &future, &other_slot].into_iter().map(|item| line(&item.to_bytes())).collect();
    lines.extend([line(&altered), line(&renumbered), line(&vec![0xff; 5000]), line(b""), line(&vec![0; 2_000_000])]);
    let broken =
        ["{\"data\":\"!!!!\"}\n", "{\"data\":\"AAA\"}\n", "{\"data\":7}\n", "[]\n", "\n", "}{\n", "\u{fffd}\n"];
    lines.extend(broken.map(str::to_owned));
    // Base64 that decodes, but not in its one form.
    lines.push(line(&good.to_bytes()).replace("\",\"type\"", "\\n\",\"type\""));
    let junk = lines.concat();

    let (answer, _) = said(Reply::body(junk.clone())).await;
    assert_eq!(answer, Ok(Answer::Nothing { asked: 1 }));
    let (answer, _) = said(Reply::body(junk.clone() + &line(&good.to_bytes()))).await;
    assert_eq!(answer, only(&good));
    let (answer, _) = said(Reply::body(line(&older.to_bytes()) + &junk + &line(&good.to_bytes()))).await;
    assert_eq!(answer, Ok(Answer::Items { items: vec![good, older], complete: true }), "the later one counts");
}

#[tokio::test]
async fn among_two_thousand_junk_values_the_record_is_found_and_without_it_nobody_says_nothing() {
    let junk: String = (0..2000_u32).map(|number| line(&number.to_be_bytes().repeat(300))).collect();
    let (answer, took) = said(Reply::body(junk.clone())).await;
    assert_eq!(answer, Err(GetError::Overloaded));
    assert!(took < FLOOD_MARK, "{took:?}");
    let (answer, took) = said(Reply::body(junk + &line(&good().to_bytes()))).await;
    assert!(matches!(&answer, Ok(Answer::Items { items, .. }) if *items == [good()]), "{answer:?}");
    assert!(took < FLOOD_MARK, "{took:?}");
}

#[tokio::test]
async fn a_later_record_behind_a_flood_is_not_hidden_by_the_one_before_it() {
    let older = item(b"besieged", 1_799_998_000, b"replayed");
    let junk: String = (0..2000_u32).map(|number| line(&number.to_be_bytes().repeat(300))).collect();
    let (answer, took) = said(Reply::body(line(&older.to_bytes()) + &junk + &line(&good().to_bytes()))).await;
    assert_eq!(answer, Ok(Answer::Items { items: vec![good(), older], complete: false }));
    assert!(took < FLOOD_MARK, "{took:?}");
}

#[tokio::test]
async fn a_flood_without_end_is_overloaded_soon() {
    for flood in [Reply::Endless(line(&[7; 1200])), Reply::Endless("x".repeat(4096)), Reply::Drip(line(&[7; 1200]))] {
        let (answer, took) = said(flood).await;
        assert_eq!(answer, Err(GetError::Overloaded));
        assert!(took < FLOOD_MARK, "{took:?}");
    }
}

#[tokio::test]
async fn a_record_before_the_flood_is_found() {
    let (answer, took) = said(Reply::Endless(line(&good().to_bytes()))).await;
    assert_eq!(answer, Ok(Answer::Items { items: vec![good()], complete: false }));
    assert!(took < FLOOD_MARK, "{took:?}");
}

#[tokio::test]
async fn what_is_compressed_is_not_unpacked() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..64 {
        bomb.write_all(&[0; 1024 * 1024]).unwrap();
    }
    let (answer, took) = said(Reply::Encoded("gzip", bomb.finish().unwrap())).await;
    assert_eq!(answer, Err(GetError::Unreachable));
    assert!(took < FLOOD_MARK, "{took:?}");
}

#[tokio::test]
async fn a_proxy_that_fails_is_not_one_that_has_nothing() {
    for reply in [Reply::Status(500), Reply::Status(404), Reply::Status(302), Reply::Cut(line(&[7; 1200]))] {
        assert_eq!(said(reply).await.0, Err(GetError::Unreachable));
    }
    let alone = Proxy::start(Manners { info: Reply::body("{\"ipv4\":{\"good\":0}}"), ..Manners::honest() }).await;
    let answer = through(&[&alone]).get(good().slot(), PATIENCE, None, now()).await;
    assert_eq!(answer, Err(GetError::Unreachable));
}

#[tokio::test]
async fn a_zombie_that_answers_and_takes_nothing_is_passed() {
    let shelf = Shelf::default();
    let zombie = Proxy::start(Manners { post: Reply::Hang, ..Manners::of(&shelf) }).await;
    let living = Proxy::start(Manners::of(&shelf)).await;
    let backend = through(&[&zombie, &living]);
    // The turn changes with every put, so one of two would begin with the zombie; once it is known, none does.
    for number in 0..4_u8 {
        let mark = if number == 0 { FAILOVER_MARK } else { REMEMBERED_MARK };
        let item = item(&[b'z', number], 1_799_999_000, b"hello");
        let begun = Instant::now();
        let stored = backend.put(&item, TTL, None, now()).await.unwrap();
        let took = begun.elapsed();
        assert_eq!(stored.nodes, 2, "the zombie shows what the other stored");
        assert!(took < mark, "{took:?}");
    }
}

#[tokio::test]
async fn a_proxy_that_hangs_holds_up_neither_reader_nor_writer_for_long() {
    let shelf = Shelf::default();
    let hung =
        Proxy::start(Manners { info: Reply::Hang, get: Reply::Hang, post: Reply::Hang, shelf: shelf.clone() }).await;
    let living = Proxy::start(Manners::of(&shelf)).await;
    let backend = through(&[&hung, &living]);
    for mark in [FAILOVER_MARK, REMEMBERED_MARK] {
        let begun = Instant::now();
        let stored = backend.put(&good(), TTL, None, now()).await.unwrap();
        let took = begun.elapsed();
        assert_eq!(stored.nodes, 1);
        assert!(took < mark, "{took:?}");
    }
    let begun = Instant::now();
    let answer = backend.get(good().slot(), PATIENCE, None, now()).await;
    let took = begun.elapsed();
    assert_eq!(answer, Ok(Answer::Items { items: vec![good()], complete: false }));
    assert!(took < FAILOVER_MARK, "{took:?}");
}

#[tokio::test]
async fn who_makes_proxies_slow_about_one_slot_spares_no_writer_the_second_witness_of_another() {
    let besieged = good();
    for slow in [Reply::Drip(line(&[7; 1200])), Reply::Hang] {
        let shelf = Shelf::default();
        let get = Reply::At(besieged.slot().id(), Box::new(slow.clone()));
        let one = Proxy::start(Manners { get: get.clone(), ..Manners::of(&shelf) }).await;
        let two = Proxy::start(Manners { get, ..Manners::of(&shelf) }).await;
        let backend = through(&[&one, &two]);
        // So long it is tried in vain; both are slow before it is put, and after.
        let _ = tokio::time::timeout(Duration::from_secs(4), backend.put(&besieged, TTL, None, now())).await;
        let begun = Instant::now();
        let stored = backend.put(&item(b"another", 1_799_999_000, b"hello"), TTL, None, now()).await.unwrap();
        let took = begun.elapsed();
        assert_eq!(stored.nodes, 2, "after {slow:?}");
        assert!(took < REMEMBERED_MARK, "{took:?}");
    }
}

#[tokio::test]
async fn a_writer_believes_no_proxy_that_stored_something_else_or_shows_nothing() {
    let liar = Proxy::start(Manners { post: Reply::body(line(b"something else")), ..Manners::honest() }).await;
    let refused = through(&[&liar]).put(&good(), TTL, None, now()).await;
    assert!(matches!(refused, Err(PutError::Protocol(_))), "{refused:?}");
    let forgetful = Proxy::start(Manners { get: Reply::body(""), ..Manners::honest() }).await;
    assert_eq!(through(&[&forgetful]).put(&good(), TTL, None, now()).await, Err(PutError::Timeout));
    for (status, error) in [(429, PutError::Overloaded), (503, PutError::Overloaded)] {
        let busy = Proxy::start(Manners { post: Reply::Status(status), ..Manners::honest() }).await;
        assert_eq!(through(&[&busy]).put(&good(), TTL, None, now()).await, Err(error));
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_flooded_reader_keeps_less_than_a_mebibyte_a_request() {
    use crate::contract::memory::{forget_peak, peak_kib};
    const AT_ONCE: usize = 64;
    let proxy = Proxy::start(Manners { get: Reply::Endless(line(&[7; 1200])), ..Manners::honest() }).await;
    let backend = through(&[&proxy]);
    let flooded = || async {
        let slot = good().slot().clone();
        let gets = (0..AT_ONCE).map(|_| backend.get(&slot, PATIENCE, None, now()));
        for answer in futures_util::future::join_all(gets).await {
            assert_eq!(answer, Err(GetError::Overloaded));
        }
    };
    flooded().await;
    forget_peak();
    let before = peak_kib();
    flooded().await;
    let each = (peak_kib() - before) / AT_ONCE;
    println!("a flooded get keeps {each} KiB");
    assert!(each < 1024, "{each} KiB");
}
