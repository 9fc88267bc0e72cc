//! What is told of a verification, and to whom.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use time::format_description::well_known::Rfc3339;

use super::*;
use crate::store::test_database::on_both_databases;
use crate::verify::State;
use crate::verify::fixture::request;

on_both_databases!(
    who_is_named_hears_what_the_owner_sees_once_and_signed,
    a_certificate_is_told_with_its_pem,
    who_hears_of_all_is_told_no_number_unless_it_is_named,
    every_end_is_told_and_no_step_on_the_way,
    whose_time_is_over_is_told_of_if_somebody_asked,
    after_a_day_away_who_expired_is_told_of_before_it_is_forgotten,
    what_a_stranger_begins_and_leaves_is_told_to_nobody,
    a_state_without_its_event_is_not_committed,
);

async fn who_is_named_hears_what_the_owner_sees_once_and_signed(database: TestDatabase) {
    let (scene, receiver) = (Scene::over(database).await, Receiver::answering(&[Status(204)]).await);
    let added = scene.add(&receiver, Hears::Named).await;
    let started = scene.begin(None, Some(added.id)).await;
    scene.service.prove(NUMBER, &started).await;
    scene.send().await;

    let event = receiver.one();
    assert!(event.is_signed(&added.secret));
    assert!(!event.is_signed(&signature::shown(&[0; 32])));
    assert_eq!(event.headers["content-type"], "application/json");
    assert_eq!(event.headers["webhook-timestamp"], scene.service.now.unix_timestamp().to_string());
    let (told, view) = (event.json(), scene.service.view(&started).await);
    assert_eq!((&told["type"], &told["data"]["state"]), (&"verification.issued".into(), &"issued".into()));
    assert_eq!(told["data"]["id"], started.id.to_string());
    assert_eq!(told["data"]["number"], NUMBER);
    assert_eq!(told["data"]["result"].as_str(), view.result.as_deref());
    let claims = told["data"]["result"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["sub"], format!("tel:{NUMBER}"));
    assert!(told["data"]["certificate_pem"].is_null() && told["data"]["failure"].is_null(), "{told}");

    scene.send().await;
    receiver.one();
    assert_eq!(scene.events().await, [("delivered".to_owned(), 1, None)]);
}

async fn a_certificate_is_told_with_its_pem(database: TestDatabase) {
    let (scene, receiver) = (Scene::over(database).await, Receiver::answering(&[Status(200)]).await);
    let added = scene.add(&receiver, Hears::Named).await;
    let started = scene.begin(Some(request()), Some(added.id)).await;
    scene.service.prove(NUMBER, &started).await;
    scene.send().await;
    let (told, view) = (receiver.one().json(), scene.service.view(&started).await);
    let certificate = view.certificate.unwrap();
    assert_eq!(told["data"]["certificate_pem"], certificate.certificate_pem);
    assert_eq!(told["data"]["serial"], certificate.serial);
    assert_eq!(told["data"]["level"], "L2");
    assert!(told["data"]["not_after"].is_string() && told["data"]["result"].is_null(), "{told}");
}

async fn who_hears_of_all_is_told_no_number_unless_it_is_named(database: TestDatabase) {
    let scene = Scene::over(database).await;
    let (named, all) = (Receiver::answering(&[Status(200)]).await, Receiver::answering(&[Status(200)]).await);
    scene.add(&named, Hears::Named).await;
    let hears_all = scene.add(&all, Hears::All).await;
    // Neither a result nor a certificate may tell it.
    let result = scene.begin(None, None).await;
    scene.service.prove(NUMBER, &result).await;
    scene.service.prove(NUMBER, &scene.begin(Some(request()), None).await).await;
    scene.send().await;
    assert!(named.arrived().is_empty(), "nobody named it");
    let arrived = all.arrived();
    assert_eq!(arrived.len(), 2);
    for event in &arrived {
        assert_eq!(event.json()["data"]["number"], "***0143");
        let text = String::from_utf8(event.body.clone()).unwrap();
        let known = ["2025550143", "certificate_pem", "\"result\""];
        assert!(known.iter().all(|known| !text.contains(known)), "{text}");
    }
    scene.service.prove(NUMBER, &scene.begin(None, Some(hears_all.id)).await).await;
    scene.send().await;
    assert_eq!(all.arrived()[2].json()["data"]["number"], NUMBER);
}

async fn every_end_is_told_and_no_step_on_the_way(database: TestDatabase) {
    let (mut scene, receiver) = (Scene::over(database).await, Receiver::answering(&[Status(200)]).await);
    let added = scene.add(&receiver, Hears::Named).await;
    let kinds = async |scene: &Scene| {
        scene.send().await;
        let mut kinds = HashMap::<String, usize>::new();
        for event in receiver.arrived() {
            *kinds.entry(event.json()["type"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        kinds
    };
    // A certificate; then another key, which waits and is issued; then one that waits and is given up.
    scene.service.prove(NUMBER, &scene.begin(Some(request()), None).await).await;
    let second = scene.begin(Some(request()), Some(added.id)).await;
    scene.service.prove(NUMBER, &second).await;
    assert_eq!(kinds(&scene).await, HashMap::from([("verification.held".to_owned(), 1)]));
    assert!(receiver.one().json()["data"]["held_until"].is_string());
    scene.service.wait().await;
    assert_eq!(scene.service.view(&second).await.state, State::Issued);
    scene.give_up(&added).await;
    let voided = scene.begin(None, Some(added.id)).await;
    let heard = scene.service.call(voided.code.expose()).await.heard.unwrap();
    let wrong = crate::verify::fixture::other_than(&heard);
    for _ in 0..3 {
        let secret = voided.secret.expose();
        scene.service.verify.type_in(voided.id, secret, &wrong, scene.service.now).await.unwrap();
    }
    // A key that waits and is pushed out by a later one.
    let pushed = scene.begin(Some(request()), Some(added.id)).await;
    scene.service.prove(NUMBER, &pushed).await;
    scene.service.prove(NUMBER, &scene.begin(Some(request()), None).await).await;
    assert_eq!(scene.service.view(&pushed).await.state, State::Failed);
    let expected = [("held", 2), ("issued", 1), ("expired", 1), ("voided", 1), ("failed", 1)];
    let expected = expected.map(|(state, many)| (format!("verification.{state}"), many));
    assert_eq!(kinds(&scene).await, HashMap::from(expected));
    let failed =
        receiver.arrived().into_iter().map(|event| event.json()).find(|told| told["data"]["state"] == "failed");
    assert!(failed.unwrap()["data"]["failure"].as_str().unwrap().contains("took its place"));
}

async fn whose_time_is_over_is_told_of_if_somebody_asked(database: TestDatabase) {
    let (mut scene, receiver) = (Scene::over(database).await, Receiver::answering(&[Status(200)]).await);
    let added = scene.add(&receiver, Hears::Named).await;
    let (named, other) = (scene.begin(None, Some(added.id)).await, scene.begin(None, None).await);
    assert_eq!(scene.service.verify.end_overdue(scene.service.now).await.unwrap(), 0, "not yet");
    scene.service.now += Span::minutes(11);
    assert_eq!(scene.service.verify.end_overdue(scene.service.now).await.unwrap(), 1);
    scene.send().await;
    let told = receiver.one().json();
    assert_eq!((&told["type"], &told["data"]["id"]), (&"verification.expired".into(), &named.id.to_string().into()));
    let began = told["data"]["created_at"].as_str().unwrap();
    let told_at = OffsetDateTime::parse(told["timestamp"].as_str().unwrap(), &Rfc3339).unwrap();
    assert_eq!(told_at - OffsetDateTime::parse(began, &Rfc3339).unwrap(), Span::minutes(10), "when its time was over");
    assert_eq!(scene.service.view(&other).await.state, State::Expired, "the time alone says it");
    assert_eq!(scene.service.verify.end_overdue(scene.service.now).await.unwrap(), 0, "once");
}

async fn after_a_day_away_who_expired_is_told_of_before_it_is_forgotten(database: TestDatabase) {
    let (mut scene, receiver) = (Scene::over(database).await, Receiver::answering(&[Status(200)]).await);
    let added = scene.add(&receiver, Hears::Named).await;
    let (named, _) = (scene.begin(None, Some(added.id)).await, scene.begin(None, None).await);
    scene.service.now += Span::days(8);
    assert_eq!(scene.service.verify.purge(scene.service.now).await.unwrap(), 1, "the one that named nobody");
    scene.send().await;
    assert_eq!(receiver.one().json()["data"]["id"], named.id.to_string());
    assert_eq!(scene.service.verify.purge(scene.service.now).await.unwrap(), 1);
}

async fn what_a_stranger_begins_and_leaves_is_told_to_nobody(database: TestDatabase) {
    let (mut scene, receiver) = (Scene::over(database).await, Receiver::answering(&[Status(200)]).await);
    let hears_all = scene.add(&receiver, Hears::All).await;
    let given_up = scene.begin(None, None).await;
    scene.service.verify.cancel(given_up.id, given_up.secret.expose(), scene.service.now).await.unwrap();
    let left = scene.begin(None, None).await;
    scene.service.now += Span::minutes(11);
    assert_eq!(scene.service.verify.end_overdue(scene.service.now).await.unwrap(), 0);
    assert_eq!(scene.service.view(&left).await.state, State::Expired);
    assert!(scene.events().await.is_empty());
    // It is told of those that name it.
    scene.give_up(&hears_all).await;
    scene.send().await;
    receiver.one();
}

async fn a_state_without_its_event_is_not_committed(database: TestDatabase) {
    let (scene, _receiver, added) = Scene::with_event(database, &[Status(200)]).await;
    // From now on no second event of a kind can be stored.
    scene.service.database.refuse_an_event_of_a_kind_twice().await;
    let started = scene.begin(None, Some(added.id)).await;
    let cancelled = scene.service.verify.cancel(started.id, started.secret.expose(), scene.service.now).await;
    assert!(cancelled.is_err());
    assert_eq!(scene.service.view(&started).await.state, State::Waiting);
}
