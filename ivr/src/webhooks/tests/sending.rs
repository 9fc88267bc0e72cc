//! How an event reaches its receiver: once, and again, and when no more.

use super::*;
use crate::clock::whole_milliseconds;
use crate::store::test_database::on_both_databases;
use crate::store::{Tuning, endpoints};
use crate::webhooks::attempt::Verdict;

on_both_databases!(
    what_was_refused_is_sent_again_under_the_same_name,
    a_receiver_that_asks_for_rest_is_left_alone,
    rest_that_was_asked_for_is_kept_although_another_event_is_taken,
    after_ten_attempts_an_endpoint_is_turned_off,
    one_failure_after_a_long_absence_turns_nothing_off,
    attempts_that_died_use_nothing_up,
    a_receiver_that_redirects_is_not_followed,
    an_address_inside_is_not_posted_to,
    one_that_hangs_holds_up_no_other,
    an_answer_that_takes_too_long_is_none,
    what_was_under_way_when_the_power_went_is_sent_again,
    two_senders_share_the_events_and_send_none_twice,
    of_two_that_turn_an_endpoint_off_neither_waits_for_the_other,
    what_a_busy_database_does_not_take_at_once_is_stored_later,
    what_waits_is_looked_for_in_each_endpoint,
);

/// Later than the pause after this attempt, whatever chance does to it.
const PAUSES: [Span; 9] = [
    Span::minutes(1),
    Span::minutes(7),
    Span::minutes(35),
    Span::minutes(133),
    Span::minutes(331),
    Span::hours(12),
    Span::hours(16),
    Span::hours(23),
    Span::hours(27),
];

async fn what_was_refused_is_sent_again_under_the_same_name(database: TestDatabase) {
    let (mut scene, receiver, added) = Scene::with_event(database, &[Status(500), Status(404), Status(200)]).await;
    scene.send().await;
    scene.send_after(Span::seconds(4)).await;
    assert_eq!(scene.events().await, [("waiting".to_owned(), 1, Some("it answers 500".to_owned()))]);
    scene.send_after(Span::minutes(1)).await;
    assert_eq!(receiver.arrived().len(), 2);
    scene.send_after(Span::minutes(7)).await;
    let arrived = receiver.arrived();
    assert_eq!(arrived.len(), 3);
    assert!(arrived.iter().all(|event| event.id() == arrived[0].id() && event.body == arrived[0].body));
    assert!(arrived.iter().all(|event| event.is_signed(&added.secret)));
    // Each attempt has its own time, so that a receiver may refuse old ones.
    let times: Vec<i64> = arrived.iter().map(|event| event.headers["webhook-timestamp"].parse().unwrap()).collect();
    assert_eq!((times[1] - times[0], times[2] - times[0]), (64, 484));
    assert_eq!(scene.events().await, [("delivered".to_owned(), 3, None)]);
    assert!(scene.webhooks.list().await.unwrap()[0].failing_since.is_none());
}

async fn a_receiver_that_asks_for_rest_is_left_alone(database: TestDatabase) {
    let (mut scene, receiver, added) = Scene::with_event(database, &[RestFor(600), Status(200)]).await;
    scene.send().await;
    // Another event of its own waits, too.
    scene.give_up(&added).await;
    scene.send_after(Span::seconds(590)).await;
    assert_eq!(receiver.arrived().len(), 1);
    scene.send_after(Span::minutes(2)).await;
    assert_eq!(receiver.arrived().len(), 3);
}

async fn rest_that_was_asked_for_is_kept_although_another_event_is_taken(database: TestDatabase) {
    let (mut scene, receiver, added) = Scene::with_event(database, &[Status(200)]).await;
    scene.give_up(&added).await;
    let (first, second) = (scene.claimed(&added).await, scene.claimed(&added).await);
    let wants_rest = Verdict::Failed { why: "it answers 429".to_owned(), rest: Some(Duration::from_secs(600)) };
    scene.sender.settle(&first, ("", &wants_rest), scene.service.now).await.unwrap();
    scene.sender.settle(&second, ("", &Verdict::Delivered), scene.service.now).await.unwrap();
    scene.give_up(&added).await;
    scene.send_after(Span::seconds(590)).await;
    assert!(receiver.arrived().is_empty());
    scene.send_after(Span::minutes(2)).await;
    assert_eq!(receiver.arrived().len(), 2);
}

async fn after_ten_attempts_an_endpoint_is_turned_off(database: TestDatabase) {
    let (mut scene, receiver, added) = Scene::with_event(database, &[Status(500)]).await;
    scene.send().await;
    for (attempts, pause) in (2..).zip(PAUSES) {
        assert_eq!(scene.off().await, [None]);
        scene.send_after(pause).await;
        assert_eq!(receiver.arrived().len(), attempts);
    }
    assert_eq!(scene.events().await, [("stopped".to_owned(), 10, Some("it answers 500".to_owned()))]);
    let why = "nothing was delivered for 60 hours, at last: it answers 500";
    assert_eq!(scene.off().await, [Some(why.to_owned())]);
    let figures = scene.webhooks.census().await.unwrap();
    assert_eq!(figures.endpoints, [("on", 0), ("failing", 0), ("off", 1)]);
    assert_eq!(figures.events, [("waiting", 0), ("delivered", 0), ("given-up", 0), ("stopped", 1)]);
    // What happens while it is off is kept.
    scene.give_up(&added).await;
    scene.send_after(Span::days(1)).await;
    assert_eq!(receiver.arrived().len(), 10);
    assert_eq!(scene.webhooks.replay_missed(added.id, scene.service.now).await.unwrap(), None, "it is off");
}

async fn one_failure_after_a_long_absence_turns_nothing_off(database: TestDatabase) {
    let (mut scene, receiver, added) = Scene::with_event(database, &[Status(500), Status(503), Status(200)]).await;
    scene.send().await;
    scene.send_after(Span::days(3)).await;
    assert_eq!((receiver.arrived().len(), scene.off().await), (2, vec![None]));
    assert_eq!(scene.events().await, [("waiting".to_owned(), 2, Some("it answers 503".to_owned()))]);
    // Nor one that is given up because it was on its way for too long: what comes later begins anew.
    let due = scene.due_after(Span::days(3), &added).await;
    let failed = Verdict::Failed { why: "it answers 500".to_owned(), rest: None };
    scene.sender.settle(&due, ("", &failed), scene.service.now).await.unwrap();
    assert_eq!(scene.events().await, [("given-up".to_owned(), 3, Some("it answers 500".to_owned()))]);
    assert_eq!(scene.off().await, [None]);
    assert!(scene.webhooks.list().await.unwrap()[0].failing_since.is_none());
}

async fn attempts_that_died_use_nothing_up(database: TestDatabase) {
    let (mut scene, receiver, added) = Scene::with_event(database, &[Status(500), Status(200)]).await;
    for _ in 0..12 {
        scene.due_after(Span::minutes(2), &added).await;
    }
    scene.send_after(Span::minutes(2)).await;
    assert_eq!(scene.events().await, [("waiting".to_owned(), 13, Some("it answers 500".to_owned()))]);
    assert_eq!(scene.off().await, [None]);
    scene.send_after(Span::hours(27)).await;
    assert_eq!(receiver.arrived().len(), 2);
}

async fn a_receiver_that_redirects_is_not_followed(database: TestDatabase) {
    let (scene, receiver, _) = Scene::with_event(database, &[Redirect]).await;
    scene.send().await;
    receiver.one();
    let why = "it answers 307: redirects are not followed, name the new URL";
    assert_eq!(scene.events().await, [("waiting".to_owned(), 1, Some(why.to_owned()))]);
}

async fn an_address_inside_is_not_posted_to(database: TestDatabase) {
    let (scene, receiver, _) = Scene::with_event(database, &[Status(200)]).await;
    // The endpoint was added when it might be; now only public addresses are posted to.
    sender(&scene.service.database.store, Reach::PUBLIC).send_due(scene.service.now).await;
    assert!(receiver.arrived().is_empty());
    let why = "its address may not be connected to";
    assert_eq!(scene.events().await, [("waiting".to_owned(), 1, Some(why.to_owned()))]);
    // And none is added.
    let strict = Webhooks::new(scene.service.database.store.clone(), Reach::PUBLIC, Clock);
    for (url, refused) in [
        ("http://shop.example/hook", "https URLs only"),
        ("https://127.0.0.1/hook", "may not be connected to"),
        ("https://user:password@shop.example/", "user name or password"),
        ("ftp://9.9.9.9/", "https URLs only"),
        ("shop.example", "no URL"),
        (&format!("https://shop.example/{}", "x".repeat(LONGEST_URL)), "at most 1024"),
    ] {
        let error = strict.add(url, Hears::Named, scene.service.now).await.unwrap_err().to_string();
        assert!(error.contains(refused), "{url}: {error}");
    }
}

async fn one_that_hangs_holds_up_no_other(database: TestDatabase) {
    let (scene, slow, added) = Scene::with_event(database, &[Never]).await;
    for _ in 0..3 {
        scene.give_up(&added).await;
    }
    let quick = Receiver::answering(&[Status(200)]).await;
    let other = scene.add(&quick, Hears::Named).await;
    scene.give_up(&other).await;
    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(scene.sender.clone().run(scene.service.verify.bell(), stop.clone()));
    quick.has(1).await;
    slow.has(sender::OF_AN_ENDPOINT).await;
    // Whoever is quick is sent the next at once, while the slow one has its places, and no more than those.
    scene.give_up(&other).await;
    quick.has(2).await;
    assert_eq!(slow.arrived().len(), sender::OF_AN_ENDPOINT);
    // Told to stop, it waits for those that are under way, as long as its caller does.
    stop.cancel();
    running.abort();
}

async fn an_answer_that_takes_too_long_is_none(database: TestDatabase) {
    let (scene, receiver, _) = Scene::with_event(database, &[Never]).await;
    let means =
        Means { reach: Reach::LOOPBACK, names: Vec::new(), tls_roots: None, patience: Duration::from_millis(300) };
    Arc::new(Sender::new(scene.service.database.store.clone(), means, Clock)).send_due(scene.service.now).await;
    assert!(receiver.arrived().len() <= 1);
    let events = scene.events().await;
    assert_eq!(events, [("waiting".to_owned(), 1, Some("no answer in time".to_owned()))]);
}

async fn what_was_under_way_when_the_power_went_is_sent_again(database: TestDatabase) {
    let (mut scene, receiver, _) = Scene::with_event(database, &[Never, Status(200)]).await;
    let (sender_of_then, now) = (scene.sender.clone(), scene.service.now);
    let sending = tokio::spawn(async move { sender_of_then.send_due(now).await });
    receiver.has(1).await;
    sending.abort();
    drop(sending.await);
    // The next start leaves it alone as long as another node might still be at it.
    scene.sender = sender(&scene.service.database.opened_again().await, Reach::LOOPBACK);
    scene.send_after(Span::seconds(59)).await;
    receiver.one();
    scene.send_after(Span::seconds(2)).await;
    let arrived = receiver.arrived();
    assert_eq!((arrived.len(), arrived[0].id()), (2, arrived[1].id()));
    assert_eq!(scene.events().await, [("delivered".to_owned(), 2, None)]);
}

async fn two_senders_share_the_events_and_send_none_twice(database: TestDatabase) {
    const EVENTS: usize = 12;
    let (scene, receiver) = (Scene::over(database).await, Receiver::answering(&[Status(200)]).await);
    let added = scene.add(&receiver, Hears::Named).await;
    for _ in 0..EVENTS {
        scene.give_up(&added).await;
    }
    let other = sender(&scene.service.database.opened_again().await, Reach::LOOPBACK);
    tokio::join!(scene.send(), other.send_due(scene.service.now));
    let mut ids: Vec<String> = receiver.arrived().iter().map(|event| event.id().to_owned()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), receiver.arrived().len()), (EVENTS, EVENTS));
    assert!(scene.events().await.iter().all(|event| *event == ("delivered".to_owned(), 1, None)));
}

async fn of_two_that_turn_an_endpoint_off_neither_waits_for_the_other(database: TestDatabase) {
    let (scene, _receiver, added) = Scene::with_event(database, &[Never]).await;
    scene.give_up(&added).await;
    let (_first, second) = (scene.claimed(&added).await, scene.claimed(&added).await);
    // One is at it, and has come as far as the endpoint's row.
    let store = scene.service.database.store.clone();
    let mut writer = store.begin().await.unwrap();
    endpoints::hold(added.id, &mut writer).await.unwrap();
    let (sender, now) = (scene.sender.clone(), scene.service.now);
    let other = tokio::spawn(async move { sender.settle(&second, ("", &Verdict::Gone), now).await });
    scene.service.database.somebody_waits_for_a_row().await;
    assert!(endpoints::turn_off(added.id, "it answered 410", now, &mut writer).await.unwrap());
    writer.commit().await.unwrap();
    other.await.unwrap().unwrap();
    assert_eq!(scene.off().await, [Some("it answered 410".to_owned())]);
}

async fn what_a_busy_database_does_not_take_at_once_is_stored_later(database: TestDatabase) {
    let (scene, receiver, added) = Scene::with_event(database, &[Status(200)]).await;
    let impatient = Tuning { patience: Duration::from_millis(500), ..Tuning::default() };
    let sender = sender(&scene.service.database.opened_with(impatient).await, Reach::LOOPBACK);
    let due = scene.claimed(&added).await;
    let writer = scene.service.database.hold_events().await;
    let (busy, attempted, now) = (sender.clone(), due.clone(), scene.service.now);
    let attempt = tokio::spawn(async move { busy.attempt(attempted, now).await });
    receiver.has(1).await;
    // Each of these waits for as long as the attempt has patience: it has found the database busy before the last ends.
    for _ in 0..3 {
        let stored = sender.settle(&due, ("", &Verdict::Delivered), now).await;
        assert!(matches!(stored, Err(StoreError::Busy)), "{stored:?}");
    }
    drop(writer);
    attempt.await.unwrap();
    receiver.one();
    assert_eq!(scene.events().await, [("delivered".to_owned(), 1, None)]);
}

async fn what_waits_is_looked_for_in_each_endpoint(database: TestDatabase) {
    let (mut scene, _receiver, added) = Scene::with_event(database, &[Status(500)]).await;
    let (began, store) = (whole_milliseconds(scene.service.now), scene.service.database.store.clone());
    let next = async |now| deliveries::next_due(now, &mut store.read().await.unwrap()).await.unwrap();
    assert_eq!(next(began).await, None, "it is due already");
    let due = scene.claimed(&added).await;
    assert_eq!(next(began).await.map(|at| at - began), Some(Span::minutes(1)), "its lease");
    scene.service.now += Span::seconds(1);
    // Another is due, but the endpoint rests.
    scene.give_up(&added).await;
    let wants_rest = Verdict::Failed { why: "it answers 429".to_owned(), rest: Some(Duration::from_hours(1)) };
    scene.sender.settle(&due, ("", &wants_rest), began).await.unwrap();
    assert_eq!(next(scene.service.now).await.map(|at| at - began), Some(Span::hours(1)));
    scene.webhooks.turn_on(added.id, began).await.unwrap();
    let quick = Receiver::answering(&[Status(200)]).await;
    let other = scene.add(&quick, Hears::Named).await;
    scene.give_up(&other).await;
    let _taken = scene.claimed(&other).await;
    assert_eq!(next(scene.service.now).await.map(|at| at - began), Some(Span::seconds(61)), "the first of both");
}
