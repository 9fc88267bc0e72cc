//! `/v1/enrolments` as programs meet it.

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::pasted;
use crate::clock::Clock;
use crate::enrol_email::fixture::{read, wrong};
use crate::web::tests::browser::Answer;
use crate::web::tests::{Browser, Service};

async fn post(program: &mut Browser, path: &str, secret: &str, body: Value) -> Answer {
    let bearer = format!("Bearer {secret}");
    let headers = [(AUTHORIZATION, bearer.as_str()), (CONTENT_TYPE, "application/json")];
    program.send(Method::POST, path, &headers, body.to_string()).await
}

async fn get(program: &mut Browser, path: &str, secret: &str) -> Answer {
    program.send(Method::GET, path, &[(AUTHORIZATION, &format!("Bearer {secret}"))], "").await
}

async fn begin(program: &mut Browser, address: &str) -> Answer {
    let body = json!({ "address": address, "csr": pasted(), "publish": true, "locale": "en-GB" });
    post(program, "/v1/enrolments", "", body).await
}

/// Where it is, and its secret.
fn begun(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    (answer.header(LOCATION).to_owned(), answer.json()["secret"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_program_proves_a_mailbox_by_its_code() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let (path, secret) = begun(&begin(&mut program, "Some.Body@example.org").await);
    let (_, code) = read(&service.postbox.newest(Clock.wall()).await.mail.text);
    let waiting = get(&mut program, &path, &secret).await.json();
    assert_eq!((&waiting["state"], &waiting["tries_left"]), (&json!("waiting"), &json!(5)));
    assert_eq!(waiting["address"], "Some.Body@example.org");

    let confirm = format!("{path}/confirm");
    let answer = post(&mut program, &confirm, &secret, json!({ "code": "12" })).await;
    assert_eq!(answer.problem(), (422, "invalid-field".to_owned()));
    let answer = post(&mut program, &confirm, &secret, json!({ "code": wrong(&code).grouped() })).await;
    assert_eq!(answer.problem(), (422, "wrong-code".to_owned()));
    let answer = post(&mut program, &confirm, &secret, json!({ "code": code.grouped() })).await;
    let issued = answer.json();
    assert_eq!((answer.status, &issued["state"], &issued["level"]), (StatusCode::OK, &json!("issued"), &json!("L0")));
    assert!(issued["certificate_pem"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    assert_eq!(get(&mut program, &path, &secret).await.json(), issued);
    let answer = post(&mut program, &confirm, &secret, json!({ "code": code.grouped() })).await;
    assert_eq!(answer.problem(), (409, "not-expected".to_owned()));
}

#[tokio::test]
async fn every_refusal_is_a_problem_of_its_kind() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let answer = begin(&mut program, "somebody@[192.0.2.1]").await;
    assert_eq!(answer.problem(), (422, "address".to_owned()));
    let body = json!({ "address": "somebody@example.org", "csr": "no", "publish": true });
    let answer = post(&mut program, "/v1/enrolments", "", body).await;
    assert_eq!(answer.problem(), (422, "certificate-request".to_owned()));
    let answer = post(&mut program, "/v1/enrolments", "", json!({ "address": "somebody@example.org" })).await;
    assert_eq!(answer.problem().0, 422);

    let (path, secret) = begun(&begin(&mut program, "somebody@example.org").await);
    let nobodys = "A".repeat(43);
    assert_eq!(get(&mut program, &path, &nobodys).await.problem(), (404, "not-found".to_owned()));
    assert_eq!(program.get(&path).await.problem(), (401, "unauthorized".to_owned()));
    let confirm = format!("{path}/confirm");
    let (_, code) = read(&service.postbox.newest(Clock.wall()).await.mail.text);
    for expected in
        [(422, "wrong-code"), (422, "wrong-code"), (422, "wrong-code"), (422, "wrong-code"), (409, "voided")]
    {
        let answer = post(&mut program, &confirm, &secret, json!({ "code": wrong(&code).grouped() })).await;
        assert_eq!(answer.problem(), (expected.0, expected.1.to_owned()));
    }
    let answer = post(&mut program, &confirm, &secret, json!({ "code": code.grouped() })).await;
    assert_eq!(answer.problem(), (409, "voided".to_owned()));
}

#[tokio::test]
async fn every_address_is_answered_alike_and_only_a_network_is_told_to_wait() {
    let service = Service::new().await;
    let mut program = Browser::from("192.0.2.1", &service.router);
    for _ in 0..10 {
        begun(&begin(&mut program, "somebody@example.org").await);
    }
    assert_eq!(service.postbox.mails(Clock.wall()).await.len(), 1);
    let mut neighbour = Browser::from("192.0.2.200", &service.router);
    let refused = begin(&mut neighbour, "other@example.org").await;
    assert_eq!(refused.problem(), (429, "too-many-requests".to_owned()));
    let wait: u64 = refused.header(RETRY_AFTER).parse().unwrap();
    assert!((3500..=3600).contains(&wait), "{wait}");
    begun(&begin(&mut Browser::from("198.51.100.1", &service.router), "other@example.org").await);
}
