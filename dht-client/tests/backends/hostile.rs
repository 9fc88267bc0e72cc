//! OpenDHT proxies that lie, hang, flood and drip: what a reader and a writer say then, how soon, and what it costs them.
//!
//! A busy machine may break a mark in one try; a promise that is not kept breaks it in each. So one of a few tries has to keep
//! it, while what must never be said is looked for in all.
#![expect(clippy::disallowed_methods, reason = "a test measures how long an answer takes")]

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::contract::{item, key, now, until};
use crate::proxy::{Manners, Proxy, Reply, Shelf};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dht_client::backend::opendht::OpenDht;
use dht_client::{Answer, Backend, GetError, Item, PutError};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::future::join_all;
use sha2::{Digest, Sha256};

const PATIENCE: Duration = Duration::from_secs(20);
const TTL: Duration = Duration::from_secs(3600);
/// Within this a flooded slot is answered for.
const FLOOD_MARK: Duration = Duration::from_secs(2);
/// Within this a put is through that knows which proxy hangs.
const REMEMBERED_MARK: Duration = Duration::from_secs(1);
/// Within this another proxy has taken over.
const FAILOVER_MARK: Duration = Duration::from_secs(5);
/// By then a put has ended, however many hang: who puts many shall not wait for one.
const PUT_ENDS: Duration = Duration::from_secs(28);
/// So often a mark is tried.
const TRIES: usize = 5;

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

/// The same, when the machine has the time to read all of it.
async fn said_calmly(get: Reply, expected: &Result<Answer, GetError>) -> Result<Answer, GetError> {
    until(async || said(get.clone()).await.0, |answer| is_said(answer, expected).is_ok()).await
}

/// That this is said in time for a flood.
async fn is_said_soon(get: Reply, expected: Result<Answer, GetError>) {
    in_time(async || {
        let (answer, took) = said(get.clone()).await;
        is_said(&answer, &expected)?;
        mark(took, FLOOD_MARK)
    })
    .await;
}

/// That this is said; or, in one try, no more than that somebody was not heard in time. That there is nothing, or nothing more, is
/// never said instead.
fn is_said(answer: &Result<Answer, GetError>, expected: &Result<Answer, GetError>) -> Result<(), String> {
    if answer == expected {
        return Ok(());
    }
    assert!(
        matches!(answer, Err(_) | Ok(Answer::Items { complete: false, .. })),
        "{answer:?}, where it is {expected:?}"
    );
    Err(format!("{answer:?}"))
}

/// That one of a few tries keeps its marks.
async fn in_time(attempt: impl AsyncFn() -> Result<(), String>) {
    let mut broken = Vec::new();
    for _ in 0..TRIES {
        match attempt().await {
            Ok(()) => return,
            Err(why) => broken.push(why),
        }
    }
    panic!("{broken:#?}");
}

fn mark(took: Duration, mark: Duration) -> Result<(), String> {
    if took < mark { Ok(()) } else { Err(format!("{took:?}, where the mark is {mark:?}")) }
}

/// That it is stored within the mark and, as far as the writer knows, by so many.
async fn is_stored_soon(backend: &Backend, item: &Item, nodes: usize, limit: Duration) -> Result<(), String> {
    let begun = Instant::now();
    let stored = backend.put(item, TTL, None, now()).await;
    let took = begun.elapsed();
    match stored {
        Ok(stored) if stored.nodes == nodes => mark(took, limit),
        other => {
            assert!(other.as_ref().err().is_none_or(PutError::is_temporary), "{other:?}");
            Err(format!("{other:?}, where {nodes} should have it"))
        }
    }
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

    let both = line(&older.to_bytes()) + &junk + &line(&good.to_bytes());
    for (body, expected) in [
        (junk.clone(), Ok(Answer::Nothing { asked: 1 })),
        (junk + &line(&good.to_bytes()), only(&good)),
        // The later one counts.
        (both, Ok(Answer::Items { items: vec![good, older], complete: true })),
    ] {
        assert_eq!(said_calmly(Reply::body(body), &expected).await, expected);
    }
}

/// What strangers put into the slot: so many values of 1,200 bytes.
fn junk(count: u32) -> String {
    (0..count).map(|number| line(&number.to_be_bytes().repeat(300))).collect()
}

#[tokio::test]
async fn among_two_thousand_junk_values_the_record_is_found_and_without_it_nobody_says_nothing() {
    is_said_soon(Reply::body(junk(2000)), Err(GetError::Overloaded)).await;
    let found = Ok(Answer::Items { items: vec![good()], complete: false });
    is_said_soon(Reply::body(junk(2000) + &line(&good().to_bytes())), found).await;
}

#[tokio::test]
async fn a_later_record_behind_a_flood_is_not_hidden_by_the_one_before_it() {
    let older = item(b"besieged", 1_799_998_000, b"replayed");
    let both = line(&older.to_bytes()) + &junk(2000) + &line(&good().to_bytes());
    let expected = Ok(Answer::Items { items: vec![good(), older], complete: false });
    is_said_soon(Reply::body(both), expected).await;
}

#[tokio::test]
async fn a_flood_without_end_is_overloaded_soon() {
    for flood in [
        Reply::Endless(line(&[7; 1200])),
        Reply::Endless("x".repeat(4096)),
        Reply::Drip(line(&[7; 1200])),
        // Whole lines, for longer than anybody waits.
        Reply::Drip("{}\n".repeat(200)),
        Reply::Drip("\n".repeat(500)),
        Reply::Late(junk(40), junk(2000)),
    ] {
        is_said_soon(flood, Err(GetError::Overloaded)).await;
    }
}

#[tokio::test]
async fn a_record_before_the_flood_is_found() {
    let expected = Ok(Answer::Items { items: vec![good()], complete: false });
    is_said_soon(Reply::Endless(line(&good().to_bytes())), expected).await;
}

#[tokio::test]
async fn a_few_lines_of_strangers_make_no_flood_of_an_answer_that_is_slow() {
    // As many octets as a flood has, in four lines.
    let long = line(&[7; 64 * 1024]).repeat(4);
    // A tombstone comes late, too.
    let older = item(b"besieged", 1_799_998_000, b"replayed");
    let both = Ok(Answer::Items { items: vec![good(), older.clone()], complete: true });
    let good_line = || line(&good().to_bytes());
    for (first, rest, expected) in [
        (junk(40), String::new(), Ok(Answer::Nothing { asked: 1 })),
        (junk(40), good_line(), only(&good())),
        (long.clone(), String::new(), Ok(Answer::Nothing { asked: 1 })),
        (long, good_line(), only(&good())),
        (line(&older.to_bytes()), good_line(), both),
    ] {
        let late = Reply::Late(first, rest);
        assert_eq!(said_calmly(late.clone(), &expected).await, expected, "{late:?}");
    }
}

#[tokio::test]
async fn a_stranger_s_values_one_after_the_other_do_not_hide_the_record_after_them() {
    let pauses = [0, 300, 600, 600].map(|pause| (pause, junk(1)));
    let paced = Reply::Paced(pauses.into_iter().chain([(700, line(&good().to_bytes()))]).collect());
    assert_eq!(said_calmly(paced, &only(&good())).await, only(&good()));
}

#[tokio::test]
async fn who_does_not_come_to_an_end_was_silent_not_flooded() {
    let short = Duration::from_secs(2);
    for (first, expected) in [
        (junk(40), Err(GetError::Unreachable)),
        (line(&good().to_bytes()), Ok(Answer::Items { items: vec![good()], complete: false })),
    ] {
        let proxy = Proxy::start(Manners { get: Reply::Unended(first), ..Manners::honest() }).await;
        let backend = through(&[&proxy]);
        let get = async || backend.get(good().slot(), short, None, now()).await;
        let answer = until(get, |answer| is_said(answer, &expected).is_ok()).await;
        assert_eq!(answer, expected);
    }
}

#[tokio::test]
async fn what_is_compressed_is_not_unpacked() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..64 {
        bomb.write_all(&[0; 1024 * 1024]).unwrap();
    }
    let bomb = Reply::Encoded("gzip", bomb.finish().unwrap());
    in_time(async || {
        let (answer, took) = said(bomb.clone()).await;
        // It would be a flood.
        assert_eq!(answer, Err(GetError::Unreachable));
        mark(took, FLOOD_MARK)
    })
    .await;
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
    in_time(async || {
        let shelf = Shelf::default();
        let zombie = Proxy::start(Manners { post: Reply::Hang, ..Manners::of(&shelf) }).await;
        let living = Proxy::start(Manners::of(&shelf)).await;
        let backend = through(&[&zombie, &living]);
        // The turn changes with every put, so one of two would begin with the zombie; once it is known, none does. It shows
        // what the other stored.
        for number in 0..4_u8 {
            let mark = if number == 0 { FAILOVER_MARK } else { REMEMBERED_MARK };
            is_stored_soon(&backend, &item(&[b'z', number], 1_799_999_000, b"hello"), 2, mark).await?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn beside_an_honest_proxy_one_that_takes_and_tells_nobody_is_passed() {
    // It shows what it took nowhere but through itself, or not even there.
    for get in [Reply::Honest, Reply::body("")] {
        in_time(async || {
            let liar = Proxy::start(Manners { get: get.clone(), ..Manners::honest() }).await;
            let honest = Proxy::start(Manners::honest()).await;
            let backend = through(&[&liar, &honest]);
            // The first put begins with the liar, the next with the other or, once that is suspected, with either.
            for number in 0..3_u8 {
                let item = item(&[b'l', number], 1_799_999_000, b"hello");
                let begun = Instant::now();
                backend.put(&item, TTL, None, now()).await.map_err(|error| error.to_string())?;
                mark(begun.elapsed(), FAILOVER_MARK)?;
                let shown = through(&[&honest]).get(item.slot(), PATIENCE, None, now()).await;
                is_said(&shown, &only(&item))?;
            }
            Ok(())
        })
        .await;
    }
}

#[tokio::test]
async fn what_one_proxy_shows_and_another_does_not_is_not_stored() {
    let liar = Proxy::start(Manners::honest()).await;
    let full = Proxy::start(Manners { post: Reply::Status(503), ..Manners::honest() }).await;
    let backend = through(&[&liar, &full]);
    // Where the other is too busy to tell, the liar is believed: it might be the only one.
    let put = async || backend.put(&good(), TTL, None, now()).await;
    assert_eq!(until(put, Result::is_err).await, Err(PutError::Timeout));
}

#[tokio::test]
async fn who_takes_the_id_that_a_record_will_have_does_not_keep_it_out() {
    let id = u64::from_be_bytes(*Sha256::digest(good().to_bytes()).first_chunk().unwrap());
    for proxies in [1, 2] {
        let shelf = Shelf::default();
        shelf.put(&format!("/key/{}", good().slot().id()), &line(b"junk").replace("\"1\"", &format!("\"{id}\"")));
        let proxies = join_all((0..proxies).map(|_| Proxy::start(Manners::of(&shelf)))).await;
        let backend = through(&proxies.iter().collect::<Vec<_>>());
        for _again in 0..2 {
            let put = async || backend.put(&good(), TTL, None, now()).await;
            assert!(until(put, Result::is_ok).await.is_ok());
            assert_eq!(
                until(
                    async || backend.get(good().slot(), PATIENCE, None, now()).await,
                    |answer| *answer == only(&good())
                )
                .await,
                only(&good())
            );
        }
    }
}

#[tokio::test]
async fn a_proxy_that_hangs_holds_up_neither_reader_nor_writer_for_long() {
    in_time(async || {
        let shelf = Shelf::default();
        let hung = Manners { info: Reply::Hang, get: Reply::Hang, post: Reply::Hang, shelf: shelf.clone() };
        let hung = Proxy::start(hung).await;
        let living = Proxy::start(Manners::of(&shelf)).await;
        let backend = through(&[&hung, &living]);
        for mark in [FAILOVER_MARK, REMEMBERED_MARK] {
            is_stored_soon(&backend, &good(), 1, mark).await?;
        }
        let begun = Instant::now();
        let answer = backend.get(good().slot(), PATIENCE, None, now()).await;
        let took = begun.elapsed();
        is_said(&answer, &Ok(Answer::Items { items: vec![good()], complete: false }))?;
        mark(took, FAILOVER_MARK)
    })
    .await;
}

#[tokio::test]
async fn a_put_ends_however_many_proxies_hang() {
    let zombie = Manners { post: Reply::Hang, ..Manners::honest() };
    // One after the other is tried 2 s later, and the last is waited for 10 s: without an end of its own this would take 40 s.
    let proxies = join_all((0..16).map(|_| Proxy::start(zombie.clone()))).await;
    let backend = through(&proxies.iter().collect::<Vec<_>>());
    in_time(async || {
        let begun = Instant::now();
        assert_eq!(backend.put(&good(), TTL, None, now()).await, Err(PutError::Timeout));
        mark(begun.elapsed(), PUT_ENDS)
    })
    .await;
}

#[tokio::test]
async fn a_proxy_that_does_not_end_holds_up_no_reader_for_long_and_what_it_said_counts() {
    let tombstone = item(b"besieged", 1_799_999_500, b"revoked");
    for (unended, later) in [("".to_owned(), None), (line(&tombstone.to_bytes()), Some(tombstone))] {
        in_time(async || {
            let shelf = Shelf::default();
            let endless = Proxy::start(Manners { get: Reply::Unended(unended.clone()), ..Manners::of(&shelf) }).await;
            let living = Proxy::start(Manners::of(&shelf)).await;
            through(&[&living]).put(&good(), TTL, None, now()).await.map_err(|error| error.to_string())?;
            let begun = Instant::now();
            let answer = through(&[&endless, &living]).get(good().slot(), PATIENCE, None, now()).await;
            let took = begun.elapsed();
            let items = later.clone().into_iter().chain([good()]).collect();
            is_said(&answer, &Ok(Answer::Items { items, complete: false }))?;
            mark(took, FAILOVER_MARK)
        })
        .await;
    }
}

#[tokio::test]
async fn a_proxy_that_ends_at_once_makes_nothing_of_what_a_slower_one_has_to_say() {
    let quick = Proxy::start(Manners { get: Reply::body(""), ..Manners::honest() }).await;
    // What it has comes later than anybody waits, or is there before that.
    for (slow, expected) in [
        (junk(3), Err(GetError::Unreachable)),
        (line(&good().to_bytes()), Ok(Answer::Items { items: vec![good()], complete: false })),
    ] {
        let slow = Proxy::start(Manners { get: Reply::Unended(slow), ..Manners::honest() }).await;
        let backend = through(&[&quick, &slow]);
        let get = async || backend.get(good().slot(), PATIENCE, None, now()).await;
        // Who had not even begun was not heard at all.
        let has_begun = |answer: &Result<Answer, GetError>| !matches!(answer, Ok(Answer::Nothing { .. }));
        assert_eq!(until(get, has_begun).await, expected);
    }
}

#[tokio::test]
async fn who_makes_proxies_slow_about_one_slot_spares_no_writer_the_second_witness_of_another() {
    let besieged = good();
    for slow in [Reply::Drip(line(&[7; 1200])), Reply::Hang] {
        in_time(async || {
            let shelf = Shelf::default();
            let get = Reply::At(besieged.slot().id(), Box::new(slow.clone()));
            let one = Proxy::start(Manners { get: get.clone(), ..Manners::of(&shelf) }).await;
            let two = Proxy::start(Manners { get, ..Manners::of(&shelf) }).await;
            let backend = through(&[&one, &two]);
            // So long it is tried in vain; both are slow before it is put, and after.
            let _ = tokio::time::timeout(Duration::from_secs(4), backend.put(&besieged, TTL, None, now())).await;
            let another = item(b"another", 1_799_999_000, b"hello");
            let stored = is_stored_soon(&backend, &another, 2, REMEMBERED_MARK).await;
            stored.map_err(|why| format!("after {slow:?}: {why}"))
        })
        .await;
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
    // Who is asked while the machine is busy may be silent: that keeps nothing.
    let flooded = async || {
        let slot = good().slot().clone();
        let gets = (0..AT_ONCE).map(|_| backend.get(&slot, PATIENCE, None, now()));
        let answers = join_all(gets).await;
        assert!(answers.iter().all(Result::is_err), "{answers:?}");
        answers.into_iter().filter(|answer| *answer == Err(GetError::Overloaded)).count()
    };
    let most_are = |flooded: &usize| *flooded > AT_ONCE / 2;
    let (mut before, mut count) = (0, 0);
    // The first time the process grows to what it needs anyway.
    for _ in 0..2 {
        (before, count) = until(
            async || {
                forget_peak();
                (peak_kib(), flooded().await)
            },
            |(_, flooded)| most_are(flooded),
        )
        .await;
    }
    assert!(most_are(&count), "only {count} of {AT_ONCE} were flooded");
    // The kernel counts pages on each core by itself: it may find a few fewer than before.
    let each = peak_kib().saturating_sub(before) / count;
    println!("a flooded get keeps {each} KiB");
    assert!(each < 1024, "{each} KiB");
}
