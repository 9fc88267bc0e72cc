//! What operators do with endpoints and their events.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::clock::whole_milliseconds;
use crate::store::test_database::on_both_databases;
use crate::verify::StartError;
use crate::webhooks::attempt::Verdict;

on_both_databases!(
    who_is_gone_gets_nothing_more_until_it_is_turned_on,
    while_a_secret_is_replaced_both_sign,
    a_promised_secret_is_dropped_by_nobody_who_does_not_say_so,
    an_endpoint_moves_and_keeps_its_name_and_secret,
    who_names_the_same_url_again_gets_the_same_endpoint,
    what_was_delivered_is_sent_again_when_it_is_asked_for,
    an_event_goes_with_its_verification_and_keeps_it_until_it_is_out,
    what_was_missed_can_be_asked_for_for_days,
    a_stolen_database_tells_no_url_no_secret_and_no_number,
    what_is_removed_is_forgotten,
);

async fn who_is_gone_gets_nothing_more_until_it_is_turned_on(database: TestDatabase) {
    let (scene, receiver, added) = Scene::with_event(database, &[Status(410), Status(200)]).await;
    scene.send().await;
    assert_eq!(scene.off().await, [Some("it answered 410: it wants no more events".to_owned())]);
    scene.give_up(&added).await;
    scene.send().await;
    receiver.one();
    let states: Vec<String> = scene.events().await.into_iter().map(|(state, ..)| state).collect();
    assert!(states.contains(&"given-up".to_owned()) && states.contains(&"stopped".to_owned()), "{states:?}");
    assert!(scene.webhooks.turn_on(added.id, scene.service.now).await.unwrap());
    assert_eq!(scene.webhooks.replay_missed(added.id, scene.service.now).await.unwrap(), Some(2));
    scene.send().await;
    assert_eq!(receiver.arrived().len(), 3);
    let nobody = EndpointId([0; 16]);
    assert!(!scene.webhooks.turn_on(nobody, scene.service.now).await.unwrap());
    // What changed nothing is not audited.
    assert_eq!(scene.webhooks.replay_missed(added.id, scene.service.now).await.unwrap(), Some(0));
    assert_eq!(scene.webhooks.replay_missed(nobody, scene.service.now).await.unwrap(), None);
    let audited = scene.service.database.contents(&["audit"]).await;
    assert_eq!(audited.iter().filter(|(_, value)| value == b"webhook-replay").count(), 1);
}

async fn while_a_secret_is_replaced_both_sign(database: TestDatabase) {
    let (mut scene, receiver, added) = Scene::with_event(database, &[Status(200)]).await;
    let day = Span::hours(24);
    let second = scene.webhooks.rotate(added.id, day, scene.service.now).await.unwrap();
    scene.send().await;
    let event = receiver.one();
    assert!(event.is_signed(&added.secret) && event.is_signed(&second));
    scene.service.now += day + Span::seconds(1);
    scene.give_up(&added).await;
    scene.send().await;
    let event = receiver.arrived().pop().unwrap();
    assert!(!event.is_signed(&added.secret) && event.is_signed(&second));
    // One that others know signs nothing more.
    let third = scene.webhooks.rotate(added.id, Span::ZERO, scene.service.now).await.unwrap();
    scene.give_up(&added).await;
    scene.send().await;
    let event = receiver.arrived().pop().unwrap();
    assert!(!event.is_signed(&second) && event.is_signed(&third));
    let unknown = scene.webhooks.rotate(EndpointId([0; 16]), day, scene.service.now).await;
    assert!(matches!(unknown, Err(RotateError::Unknown)), "{unknown:?}");
}

async fn a_promised_secret_is_dropped_by_nobody_who_does_not_say_so(database: TestDatabase) {
    let (scene, receiver, added) = Scene::with_event(database, &[Status(200)]).await;
    let (day, now) = (Span::hours(24), whole_milliseconds(scene.service.now));
    let second = scene.webhooks.rotate(added.id, day, now).await.unwrap();
    let third = scene.webhooks.rotate(added.id, day, now + Span::hours(23)).await;
    assert!(matches!(third, Err(RotateError::Promised(until)) if until - now == day), "{third:?}");
    scene.send().await;
    let event = receiver.one();
    assert!(event.is_signed(&added.secret) && event.is_signed(&second));
    scene.webhooks.rotate(added.id, day, now + day).await.expect("the promise is kept");
    scene.webhooks.rotate(added.id, Span::ZERO, now + day).await.expect("so is wanted");
}

async fn an_endpoint_moves_and_keeps_its_name_and_secret(database: TestDatabase) {
    let (mut scene, receiver, added) = Scene::with_event(database, &[RestFor(600)]).await;
    scene.send().await;
    let moved = Receiver::answering(&[Status(200)]).await;
    scene.webhooks.change(added.id, &moved.url, scene.service.now).await.unwrap();
    scene.send_after(Span::minutes(12)).await;
    assert!(moved.one().is_signed(&added.secret));
    assert_eq!(receiver.arrived().len(), 1);
    let strict = Webhooks::new(scene.service.database.store.clone(), Reach::PUBLIC, Clock);
    assert!(matches!(strict.change(added.id, &moved.url, scene.service.now).await, Err(ChangeError::Url(_))));
    let unknown = scene.webhooks.change(EndpointId([0; 16]), &moved.url, scene.service.now).await;
    assert!(matches!(unknown, Err(ChangeError::Unknown)), "{unknown:?}");
    let audited = scene.service.database.contents(&["audit"]).await;
    assert_eq!(audited.iter().filter(|(_, value)| value == b"webhook-change").count(), 1);
}

async fn who_names_the_same_url_again_gets_the_same_endpoint(database: TestDatabase) {
    let (scene, receiver) = (Scene::over(database).await, Receiver::answering(&[Status(410)]).await);
    let now = scene.service.now;
    let first = scene.webhooks.add_once(&receiver.url, now).await.unwrap();
    scene.give_up(&first).await;
    scene.send().await;
    assert!(scene.off().await[0].is_some());
    let again = scene.webhooks.add_once(&receiver.url, now).await.unwrap();
    assert_eq!((first.id, first.secret.expose()), (again.id, again.secret.expose()));
    assert_eq!(scene.off().await, [None]);
    scene.webhooks.add_once(&format!("{}&more", receiver.url), now).await.unwrap();
    assert_eq!(scene.off().await.len(), 2);
}

async fn what_was_delivered_is_sent_again_when_it_is_asked_for(database: TestDatabase) {
    let (mut scene, receiver, _) = Scene::with_event(database, &[Status(200)]).await;
    scene.send().await;
    let id: EventId = receiver.one().id().parse().unwrap();
    scene.service.now += Span::hours(1);
    assert!(scene.webhooks.replay(id, scene.service.now).await.unwrap());
    scene.send().await;
    let arrived = receiver.arrived();
    assert_eq!((arrived.len(), arrived[1].id()), (2, arrived[0].id()));
    assert!(!scene.webhooks.replay(EventId([0; 16]), scene.service.now).await.unwrap());
}

async fn an_event_goes_with_its_verification_and_keeps_it_until_it_is_out(database: TestDatabase) {
    let (mut scene, _receiver, _) = Scene::with_event(database, &[Status(500)]).await;
    scene.send().await;
    // A day after it was given up it would go; its event still waits.
    scene.service.now += Span::hours(26);
    assert_eq!(scene.service.verify.purge(scene.service.now).await.unwrap(), 0);
    assert_eq!(scene.events().await.len(), 1);
    // Nobody sends it, because the service was away: it goes all the same.
    scene.service.now += Span::hours(5 * 24);
    assert_eq!(scene.service.verify.purge(scene.service.now).await.unwrap(), 1);
    assert!(scene.events().await.is_empty());
}

async fn what_was_missed_can_be_asked_for_for_days(database: TestDatabase) {
    let (mut scene, receiver, added) = Scene::with_event(database, &[Status(410), Status(200)]).await;
    scene.give_up(&added).await;
    // One is under way and finds out; the other is stopped with the endpoint.
    scene.claimed(&added).await;
    scene.send().await;
    scene.give_up(&added).await;
    let states = async |scene: &Scene| {
        let mut states: Vec<String> = scene.events().await.into_iter().map(|(state, ..)| state).collect();
        states.sort();
        states
    };
    assert_eq!(states(&scene).await, ["given-up", "stopped", "stopped"]);
    scene.service.now += Span::days(4);
    assert_eq!(scene.service.verify.purge(scene.service.now).await.unwrap(), 0);
    assert!(scene.webhooks.turn_on(added.id, scene.service.now).await.unwrap());
    assert_eq!(scene.webhooks.replay_missed(added.id, scene.service.now).await.unwrap(), Some(3));
    scene.send().await;
    assert_eq!(receiver.arrived().len(), 4);
    // Not for ever.
    scene.give_up(&added).await;
    let due = scene.claimed(&added).await;
    scene.sender.settle(&due, ("", &Verdict::Gone), scene.service.now).await.unwrap();
    scene.service.now += Span::days(6);
    assert_eq!(scene.service.verify.purge(scene.service.now).await.unwrap(), 4);
    assert!(scene.events().await.is_empty());
}

async fn a_stolen_database_tells_no_url_no_secret_and_no_number(database: TestDatabase) {
    let (scene, receiver, added) = Scene::with_event(database, &[Status(500)]).await;
    scene.webhooks.rotate(added.id, Span::hours(1), scene.service.now).await.unwrap();
    scene.service.prove(NUMBER, &scene.begin(None, Some(added.id)).await).await;
    scene.send().await;
    let key = STANDARD.decode(added.secret.expose().strip_prefix("whsec_").unwrap()).unwrap();
    let tables = ["webhook_endpoints", "webhook_deliveries", "verifications"];
    let contents = scene.service.database.contents(&tables).await;
    assert!(contents.iter().any(|(column, _)| column == "webhook_deliveries.last_error"));
    for (column, value) in contents {
        for known in [&key[..], receiver.url.as_bytes(), b"of-the-receiver", b"2025550143"] {
            assert!(!value.windows(known.len()).any(|part| part == known), "{column}");
        }
    }
    let shown = format!("{added:?} {:?}", scene.webhooks.list().await.unwrap());
    assert!(!shown.contains("whsec_") && !shown.contains("of-the-receiver"), "{shown}");
}

async fn what_is_removed_is_forgotten(database: TestDatabase) {
    let (scene, receiver, added) = Scene::with_event(database, &[Status(200)]).await;
    assert!(scene.webhooks.remove(added.id, scene.service.now).await.unwrap());
    assert!(!scene.webhooks.remove(added.id, scene.service.now).await.unwrap());
    scene.send().await;
    assert!(receiver.arrived().is_empty() && scene.events().await.is_empty());
    let start = Start { webhook: Some(added.id), ..start(NUMBER, SOURCE, None) };
    let refused = scene.service.verify.start(start, scene.service.now).await;
    assert!(matches!(refused, Err(StartError::NoEndpoint)), "{refused:?}");
    for _ in 0..MOST_ENDPOINTS {
        scene.add(&receiver, Hears::Named).await;
    }
    let full = scene.webhooks.add(&receiver.url, Hears::Named, scene.service.now).await;
    assert!(matches!(full, Err(AddError::Full)), "{full:?}");
    let audited = scene.service.database.contents(&["audit"]).await;
    let is_audited = |word: &str| audited.iter().any(|(_, value)| value == word.as_bytes());
    assert!(is_audited("webhook-add") && is_audited("webhook-remove") && is_audited(&added.id.to_string()));
}
